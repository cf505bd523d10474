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
	"github.com/convoke-dev/convoke/internal/store"
)

// CreateTeam makes a team of one, its owner: the viewer. It needs team.create
// account-wide. Beside the refusals of rights it fails with BLANK, TOO_LONG,
// NOT_GRANTABLE for who is restricted to divisions or domains,
// TEAM_LIMIT_REACHED or ACCOUNT_SUSPENDED.
func (s *Service) CreateTeam(ctx context.Context, accountID, typed string) (teamID string, err error) {
	err = s.Door.Do(ctx, act.AccountWide(accountID, access.TeamCreate), func(ctx context.Context, a *act.Act) error {
		clean, bad := name(typed)
		if bad != nil {
			return bad
		}
		if err := everywhere(a.Actor, "accountId"); err != nil {
			return err // an owner is restricted to nothing
		}
		if limit := a.Account.MaxTeams; limit != nil {
			n, err := a.Tx.Team.Query().Where(team.AccountID(accountID)).Count(ctx)
			if err != nil {
				return fmt.Errorf("count the teams of %s: %w", accountID, err)
			}
			if n >= *limit {
				return fault.Input(fault.TeamLimitReached, fmt.Sprintf("The account has %d teams, more are not allowed.", n))
			}
		}
		u, err := a.Tx.User.Get(ctx, a.UserID)
		if err != nil {
			return fmt.Errorf("read user %s: %w", a.UserID, err)
		}
		t, _, err := s.openTeam(ctx, a.Tx, accountID, clean, false, u)
		if err == nil {
			teamID = t.ID
		}
		return err
	})
	return teamID, err
}

// RenameTeam changes a team's name. It needs team.update. Beside the refusals
// of rights it fails with BLANK, TOO_LONG or ACCOUNT_SUSPENDED.
func (s *Service) RenameTeam(ctx context.Context, teamID, typed string) error {
	return s.Door.Do(ctx, act.InTeam(teamID, access.TeamUpdate), func(ctx context.Context, a *act.Act) error {
		clean, bad := name(typed)
		if bad != nil {
			return bad
		}
		if err := a.Tx.Team.UpdateOneID(teamID).SetName(clean).AddVersion(1).SetUpdatedAt(s.Now()).Exec(ctx); err != nil {
			return fmt.Errorf("rename team %s: %w", teamID, err)
		}
		return a.Log(ctx, event.TeamUpdated, teamID, teamID, nil)
	})
}

// DeleteTeam ends a team with its memberships and invitations; the log keeps
// what happened. It needs team.delete. Beside the refusals of rights it fails
// with INVALID_VALUE for the account's default team, or ACCOUNT_SUSPENDED.
func (s *Service) DeleteTeam(ctx context.Context, teamID string) error {
	return s.Door.Do(ctx, act.InTeam(teamID, access.TeamDelete), func(ctx context.Context, a *act.Act) error {
		if a.Actor.DefaultTeam {
			return fault.Input(fault.InvalidValue, "This is the account's default team, which cannot be deleted.", "teamId")
		}
		if err := a.Log(ctx, event.TeamDeleted, teamID, teamID, nil); err != nil {
			return err
		}
		now := s.Now()
		users := user.HasMembersWith(member.TeamID(teamID))
		elsewhere := user.HasMembersWith(member.TeamIDNEQ(teamID), member.StatusEQ(member.StatusActive))
		// The locks on the users' rows are as in uproot, and those on the members' come
		// before them: the order in which everybody locks.
		_, err := a.Tx.Member.Update().Where(member.TeamID(teamID)).AddVersion(1).Save(ctx)
		if err == nil {
			_, err = a.Tx.User.Update().Where(users).SetUpdatedAt(now).Save(ctx)
		}
		if err == nil {
			_, err = a.Tx.User.Update().Where(users, user.ActiveTeamID(teamID)).SetActiveTeamID("").Save(ctx)
		}
		if err == nil {
			_, err = a.Tx.Session.Delete().Where(session.HasUserWith(users, user.Not(elsewhere))).Exec(ctx)
		}
		if err == nil {
			_, err = a.Tx.OwnershipTransfer.Delete().Where(ownershiptransfer.TeamID(teamID)).Exec(ctx)
		}
		if err == nil {
			_, err = a.Tx.Invitation.Delete().Where(invitation.TeamID(teamID)).Exec(ctx)
		}
		if err == nil {
			_, err = a.Tx.Member.Delete().Where(member.TeamID(teamID)).Exec(ctx)
		}
		if err == nil {
			err = a.Tx.Team.DeleteOneID(teamID).Exec(ctx)
		}
		if err != nil {
			return fmt.Errorf("delete team %s: %w", teamID, err)
		}
		return nil
	})
}

// SetActiveTeam makes a team of the viewer's the one his dashboard shows. It
// fails with UNAUTHENTICATED or NOT_FOUND.
func (s *Service) SetActiveTeam(ctx context.Context, teamID string) error {
	v, err := access.SignedIn(ctx)
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
