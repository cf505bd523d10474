package roster

import (
	"context"
	"fmt"
	"slices"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/division"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/lifecycle"
)

// Some changes give a member permissions that are granted already: the member was
// deactivated, or was restricted to other divisions and domains. The ceiling holds for
// them too: nobody gives what they do not hold.

// ofGift returns BEYOND_OWN_GRANT when a deactivated member would get back what the giver
// does not hold, or would reach further than the giver. What the member holds must be
// loaded.
func (s *Service) ofGift(giver *access.Membership, m *ent.Member) []act.Obstacle {
	if m.Status == member.StatusActive ||
		giver != nil && giver.Permissions.Covers(s.Access.Effective(m)) && CheckReach(giver, reachOf(m)) == nil {
		return nil
	}
	return []act.Obstacle{act.BeyondOwnGrant}
}

// checkFurther fails with NOT_GRANTABLE when the actor holds less than the member, and
// the member would reach further by the scope. What the member holds must be loaded.
func (s *Service) checkFurther(ctx context.Context, a *act.Act, m *ent.Member, sc Scope) error {
	if a.Actor.Permissions.Covers(s.Access.Effective(m)) {
		return nil
	}
	of, err := s.Access.InAccount(ctx, a.Tx.Client(), m.AccountID, m.UserID)
	if err != nil {
		return err
	}
	if held := of[m.TeamID]; held == nil || CheckReach(held, sc) == nil {
		return nil
	}
	return fault.Input(fault.NotGrantable, "The member would get permissions elsewhere that you do not hold yourself.", "memberId")
}

// checkReachers fails with NOT_GRANTABLE about the field when a division moves below the
// parent, and a member or an addressee who is restricted to a division above its new
// place reaches it then, and could do there what the actor may not.
func (s *Service) checkReachers(ctx context.Context, a *act.Act, parents map[string]string, id, parentID, field string) error {
	above := func(d string) (all []string) {
		for ; d != "" && len(all) <= len(parents); d = parents[d] {
			all = append(all, d)
		}
		return all
	}
	before := above(parents[id])
	added := slices.DeleteFunc(above(parentID), func(d string) bool { return slices.Contains(before, d) })
	if len(added) == 0 {
		return nil
	}
	tooFar := fault.Input(fault.NotGrantable, "People would reach this division with permissions that you do not hold yourself.", field)
	gain, err := s.Access.Which(ctx, a.Tx.Client(), member.And(
		member.AccountID(a.Account.ID), member.HasDivisionsWith(division.IDIn(added...))))
	if err != nil {
		return err
	}
	for _, m := range gain {
		if !m.Reaches(id) && !a.Actor.Permissions.Covers(m.Permissions) {
			return tooFar
		}
	}
	offered, err := a.Tx.Invitation.Query().
		Where(invitation.AccountID(a.Account.ID), lifecycle.Resendable(), invitation.HasDivisionsWith(division.IDIn(added...))).
		WithRoles().WithGroups(func(q *ent.GroupQuery) { q.WithRoles() }).All(ctx)
	if err != nil {
		return fmt.Errorf("find the invitations into the divisions above %s: %w", id, err)
	}
	for _, i := range offered {
		g := access.Grant{AllPermissions: i.AllPermissions, Permissions: i.Permissions, Roles: i.Edges.Roles, Groups: i.Edges.Groups}
		if !a.Actor.Permissions.Covers(s.Access.Granted(g)) {
			return tooFar
		}
	}
	return nil
}
