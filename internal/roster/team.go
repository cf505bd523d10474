package roster

import (
	"context"
	"fmt"

	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/ownershiptransfer"
	"github.com/convoke-dev/convoke/ent/session"
	"github.com/convoke-dev/convoke/ent/team"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/lifecycle"
	"github.com/convoke-dev/convoke/internal/store"
)

// NewTeam is a team to create, as the client sends it.
type NewTeam struct {
	AccountID, Name string
	IdempotencyKey  *string
}

// CreateTeam makes a team with one member, its owner: the viewer. Needs
// team.create account-wide. Fails like act.AccountWide, and with BLANK, TOO_LONG,
// TEAM_LIMIT_REACHED, NOT_GRANTABLE when the viewer is restricted to divisions
// or domains, or IDEMPOTENCY_KEY_REUSED. FORBIDDEN for an API key, because a team has
// an owner.
func (s *Service) CreateTeam(ctx context.Context, n NewTeam) (teamID string, err error) {
	if _, err := access.Person(ctx); err != nil {
		return "", err
	}
	return s.create(ctx, act.AccountWide(n.AccountID, access.TeamCreate), "createTeam", n.IdempotencyKey, n, func(ctx context.Context, a *act.Act) (string, error) {
		clean, bad := checkName(n.Name)
		if bad != nil {
			return "", bad
		}
		if err := checkUnrestricted(a.Actor, "accountId"); err != nil {
			return "", err // because an owner is restricted to nothing
		}
		if limit := a.Account.MaxTeams; limit != nil {
			count, err := a.Tx.Team.Query().Where(team.AccountID(n.AccountID)).Count(ctx)
			if err != nil {
				return "", fmt.Errorf("count the teams of %s: %w", n.AccountID, err)
			}
			if count >= *limit {
				return "", fault.Input(fault.TeamLimitReached, fmt.Sprintf("The account has %d teams and may not have more.", count))
			}
		}
		u, err := a.Tx.User.Get(ctx, a.UserID)
		if err != nil {
			return "", fmt.Errorf("read user %s: %w", a.UserID, err)
		}
		t, _, err := s.openTeam(ctx, a.Tx, n.AccountID, clean, false, u)
		if err != nil {
			return "", err
		}
		return t.ID, nil
	})
}

// RenameTeam changes a team's name. Needs team.update in the team. Fails like
// act.InTeam, and with BLANK or TOO_LONG.
func (s *Service) RenameTeam(ctx context.Context, teamID, typed string) error {
	return s.Door.Do(ctx, act.InTeam(teamID, access.TeamUpdate), func(ctx context.Context, a *act.Act) error {
		clean, bad := checkName(typed)
		if bad != nil {
			return bad
		}
		if err := a.Tx.Team.UpdateOneID(teamID).SetName(clean).AddVersion(1).SetUpdatedAt(s.Now()).Exec(ctx); err != nil {
			return fmt.Errorf("rename team %s: %w", teamID, err)
		}
		return a.Log(ctx, event.TeamUpdated, teamID, teamID, nil)
	})
}

// DeleteTeam deletes a team with its members, invitations and transfers, and returns
// the id of its account. The log keeps their events, and says that each open
// invitation was revoked. Needs team.delete in the team. Fails like act.InTeam, and
// with INVALID_VALUE for the account's default team.
func (s *Service) DeleteTeam(ctx context.Context, teamID string) (accountID string, err error) {
	err = s.Door.Do(ctx, act.InTeam(teamID, access.TeamDelete), func(ctx context.Context, a *act.Act) error {
		accountID = a.Account.ID
		if len(ofTeam(a.Actor.DefaultTeam)) > 0 {
			return fault.Input(fault.InvalidValue, "This is the account's default team. It cannot be deleted.", "teamId")
		}
		return s.dropTeam(ctx, a, teamID)
	})
	return accountID, err
}

// withdraw logs that the open invitations of a team that is being deleted are
// revoked, so that their addressees see it. These events follow that of the deletion,
// which ends the streams of the team: its invitations cannot be shown any more.
func (s *Service) withdraw(ctx context.Context, a *act.Act, teamID string) error {
	open, err := a.Tx.Invitation.Query().Where(invitation.TeamID(teamID), lifecycle.StoredPending()).
		Order(invitation.ByCreatedAt(), invitation.ByID()).
		Select(invitation.FieldID, invitation.FieldAccountID, invitation.FieldEmailKey, invitation.FieldStatus, invitation.FieldExpiresAt, invitation.FieldSendCount).All(ctx)
	if err != nil {
		return fmt.Errorf("find the open invitations of %s: %w", teamID, err)
	}
	if len(open) == 0 {
		return nil
	}
	events := make([]event.Draft, len(open))
	for n, i := range open {
		events[n] = event.Draft{
			Type: event.InvitationRevoked, ActorID: a.UserID, TeamID: teamID, SubjectID: i.ID,
			Data: map[string]string{
				event.PreviousStatus: string(lifecycle.Effective(i, s.Now())), event.Addressee: event.Addressed(i.EmailKey),
			},
		}
	}
	if err := s.Withdrawn(ctx, a.Tx, open...); err != nil {
		return err
	}
	return s.Events.Append(ctx, a.Tx, a.Account.ID, events...)
}

// deletion returns the steps that delete a team. They lock members before users,
// as every transaction does, so that no two of them wait for each other.
func (s *Service) deletion(ctx context.Context, tx *store.Tx, teamID string) []step {
	ofTeam := member.TeamID(teamID)
	users := user.HasMembersWith(ofTeam)
	elsewhere := user.HasMembersWith(member.TeamIDNEQ(teamID), member.StatusEQ(member.StatusActive))
	return []step{
		{"lock its members", func() error {
			return tx.Member.Update().Where(ofTeam).AddVersion(1).Exec(ctx)
		}},
		// Another account may end memberships of the same users; see detachUser.
		{"lock its users", func() error {
			return tx.User.Update().Where(users).SetUpdatedAt(s.Now()).Exec(ctx)
		}},
		{"clear the active team of its users", func() error {
			return tx.User.Update().Where(users, user.ActiveTeamID(teamID)).SetActiveTeamID("").Exec(ctx)
		}},
		{"end the sessions of users without another team", func() error {
			return deleted(tx.Session.Delete().Where(session.HasUserWith(users, user.Not(elsewhere))).Exec(ctx))
		}},
		{"delete its transfers", func() error {
			return deleted(tx.OwnershipTransfer.Delete().Where(ownershiptransfer.TeamID(teamID)).Exec(ctx))
		}},
		{"delete its invitations", func() error {
			return deleted(tx.Invitation.Delete().Where(invitation.TeamID(teamID)).Exec(ctx))
		}},
		{"delete its members", func() error {
			return deleted(tx.Member.Delete().Where(ofTeam).Exec(ctx))
		}},
		{"delete the team", func() error {
			return tx.Team.DeleteOneID(teamID).Exec(ctx)
		}},
	}
}

// deleted drops the number of rows that were deleted.
func deleted(_ int, err error) error { return err }

// SetActiveTeam chooses the team that the viewer's dashboard shows. The viewer must
// be a member of it. Fails with UNAUTHENTICATED, FORBIDDEN for an API key, or NOT_FOUND.
func (s *Service) SetActiveTeam(ctx context.Context, teamID string) error {
	v, err := access.Person(ctx)
	if err != nil {
		return err
	}
	if v.Membership(teamID) == nil {
		return fault.Refuse(fault.NotFound, "There is no such team.")
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		if _, err := s.Access.Membership(ctx, tx.Client(), teamID, v.UserID); err != nil {
			return err
		}
		ctx := access.System(ctx, "set the viewer's own active team")
		if err := tx.User.UpdateOneID(v.UserID).SetActiveTeamID(teamID).Exec(ctx); err != nil {
			return fmt.Errorf("set the active team of %s: %w", v.UserID, err)
		}
		return nil
	})
}
