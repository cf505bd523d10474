package roster

import (
	"context"
	"fmt"
	"slices"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/account"
	"github.com/convoke-dev/convoke/ent/apikey"
	"github.com/convoke-dev/convoke/ent/division"
	"github.com/convoke-dev/convoke/ent/group"
	"github.com/convoke-dev/convoke/ent/idempotencykey"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/role"
	"github.com/convoke-dev/convoke/ent/team"
	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/store"
)

// erasedName is the name of an account whose only person was erased.
const erasedName = "Erased"

// Vacate ends all memberships of a user who is being erased. The invitations that they
// answer for are revoked, whatever the account's setting. Teams of which they are the only
// member are deleted, and an account without anybody else is emptied and suspended: its
// log cannot be deleted. The caller has a transaction of all their accounts, and a context
// of the system. Fails with OWNER_PROTECTED when they own a team that others need: one with
// other members, or the default team of an account with other people.
func (s *Service) Vacate(ctx context.Context, tx *store.Tx, userID, actorID string) error {
	mine, err := tx.Member.Query().Where(member.UserID(userID)).Order(member.ByAccountID(), member.ByID()).All(ctx)
	if err != nil {
		return fmt.Errorf("find the memberships of %s: %w", userID, err)
	}
	for _, of := range byAccount(mine) {
		acc, err := tx.Account.Get(ctx, of[0].AccountID)
		if err != nil {
			return fmt.Errorf("read account %s: %w", of[0].AccountID, err)
		}
		acc.KeepInvitationsOfRemovedMembers = false
		a := act.Past(tx, acc, actorID, s.Events)
		others, err := tx.Member.Query().Where(member.AccountID(acc.ID), member.UserIDNEQ(userID)).Exist(ctx)
		switch {
		case err != nil:
			return fmt.Errorf("look for other people of %s: %w", acc.ID, err)
		case others:
			err = s.leaveAccount(ctx, a, of)
		default:
			err = s.emptyAccount(ctx, a)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func byAccount(members []*ent.Member) (parts [][]*ent.Member) {
	for n, m := range members {
		if n == 0 || members[n-1].AccountID != m.AccountID {
			parts = append(parts, nil)
		}
		parts[len(parts)-1] = append(parts[len(parts)-1], m)
	}
	return parts
}

// leaveAccount ends the memberships of one user in an account that has other people.
func (s *Service) leaveAccount(ctx context.Context, a *act.Act, mine []*ent.Member) error {
	owned := map[string]*ent.Team{}
	for _, m := range mine {
		if !m.IsOwner {
			continue
		}
		t, err := a.Tx.Team.Get(ctx, m.TeamID)
		if err != nil {
			return fmt.Errorf("read team %s: %w", m.TeamID, err)
		}
		others, err := a.Tx.Member.Query().Where(member.TeamID(t.ID), member.IDNEQ(m.ID)).Exist(ctx)
		if err != nil {
			return fmt.Errorf("look for other members of %s: %w", t.ID, err)
		}
		if others || t.IsDefault {
			return fault.Input(fault.OwnerProtected, fmt.Sprintf("The team %q or its account has other people. Transfer the ownership first.", t.Name))
		}
		owned[t.ID] = t
	}
	for id := range owned {
		if err := s.dropTeam(ctx, a, id); err != nil {
			return err
		}
	}
	return s.endMemberships(ctx, a, slices.DeleteFunc(mine, func(m *ent.Member) bool { return owned[m.TeamID] != nil })...)
}

// emptyAccount deletes everything in an account but its log, and suspends it.
func (s *Service) emptyAccount(ctx context.Context, a *act.Act) error {
	teams, err := a.Tx.Team.Query().Where(team.AccountID(a.Account.ID)).Order(team.ByID()).IDs(ctx)
	if err != nil {
		return fmt.Errorf("find the teams of %s: %w", a.Account.ID, err)
	}
	for _, id := range teams {
		if err := s.dropTeam(ctx, a, id); err != nil {
			return err
		}
	}
	if err := s.endKeys(ctx, a, apikey.AccountID(a.Account.ID)); err != nil {
		return err
	}
	id := a.Account.ID
	err = inOrder("empty account "+id, []step{
		{"delete its groups", func() error { return deleted(a.Tx.Group.Delete().Where(group.AccountID(id)).Exec(ctx)) }},
		{"delete its roles", func() error { return deleted(a.Tx.Role.Delete().Where(role.AccountID(id)).Exec(ctx)) }},
		{"take its divisions apart", func() error {
			return a.Tx.Division.Update().Where(division.AccountID(id)).ClearParentID().AddVersion(1).Exec(ctx)
		}},
		{"delete its divisions", func() error { return deleted(a.Tx.Division.Delete().Where(division.AccountID(id)).Exec(ctx)) }},
		{"delete its idempotency keys", func() error {
			return deleted(a.Tx.IdempotencyKey.Delete().Where(idempotencykey.AccountID(id)).Exec(ctx))
		}},
		{"forget its API keys", func() error { return s.forgetKeys(ctx, a) }},
		{"suspend it", func() error {
			return a.Tx.Account.UpdateOneID(id).SetName(erasedName).SetStatus(account.StatusSuspended).AddVersion(1).SetUpdatedAt(s.Now()).Exec(ctx)
		}},
	})
	if err != nil {
		return err
	}
	return a.Log(ctx, event.AccountSuspended, "", id, map[string]string{event.Reload: event.Set})
}

// dropTeam deletes a team, also a default one, and logs it.
func (s *Service) dropTeam(ctx context.Context, a *act.Act, teamID string) error {
	if err := s.endKeys(ctx, a, apikey.TeamID(teamID)); err != nil {
		return err
	}
	if err := a.Log(ctx, event.TeamDeleted, teamID, teamID, nil); err != nil {
		return err
	}
	if err := s.withdraw(ctx, a, teamID); err != nil {
		return err
	}
	return inOrder("delete team "+teamID, s.deletion(ctx, a.Tx, teamID))
}
