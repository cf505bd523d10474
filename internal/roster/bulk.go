package roster

import (
	"context"
	"fmt"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/fault"
)

// SetRolesAll is SetRoles for up to 100 members of a team, in one transaction, and
// returns what it did with each, in their order. A refusal about one member is in the
// result of that member, and the others are changed. Needs roles.assign in the team.
// Fails like act.InTeam, and with BLANK for no member or INVALID_VALUE for too many. A
// member gets the refusals of SetRoles, or DUPLICATE.
func (s *Service) SetRolesAll(ctx context.Context, teamID string, items []Roles) (results []act.Result, err error) {
	ids := make([]string, len(items))
	for n, r := range items {
		ids[n] = r.MemberID
	}
	b := bulk{teamID: teamID, permission: access.RolesAssign, list: "items", ids: ids}
	err = s.onMembers(ctx, b, func(ctx context.Context, a *act.Act, known map[string]bool) error {
		results, err = act.Each(ids, act.InputsIn(b.list), func(n int) (act.Outcome, error) {
			m, err := memberIn(ctx, a, known, ids[n])
			if err != nil {
				return act.Failed, err
			}
			changed, err := s.setRoles(ctx, a, m, items[n])
			if !changed {
				return act.Unchanged, err
			}
			return act.Done, err
		})
		return err
	})
	return results, err
}

// RemoveAll is Remove for up to 100 members of a team, in one transaction, and returns
// what it did with each, in their order. A refusal about one member is in the result of
// that member, and the others are removed. Needs members.remove in the team. Fails like
// act.InTeam, with BLANK for no member or INVALID_VALUE for too many, and with CONFLICT.
// A member gets the refusals of Remove, or DUPLICATE.
func (s *Service) RemoveAll(ctx context.Context, teamID string, ids []string) (results []act.Result, err error) {
	b := bulk{teamID: teamID, permission: access.MembersRemove, list: "memberIds", ids: ids}
	err = s.onMembers(ctx, b, func(ctx context.Context, a *act.Act, known map[string]bool) error {
		var leaving []*ent.Member
		results, err = act.Each(ids, act.IDsIn(b.list), func(n int) (act.Outcome, error) {
			m, err := memberIn(ctx, a, known, ids[n])
			if err == nil {
				err = notSelf(a, m)
			}
			if err == nil {
				leaving = append(leaving, m)
			}
			return act.Done, err
		})
		if err != nil {
			return err
		}
		return s.endMemberships(ctx, a, leaving...)
	})
	return results, err
}

// bulk is a call about several members of a team. The list is the field of the input
// that names them.
type bulk struct {
	teamID, permission, list string
	ids                      []string
}

// onMembers runs f for a viewer who holds the permission in the team. known has those of
// the members that are in the team and that the viewer may know of. Fails like
// act.InTeam, and with BLANK or INVALID_VALUE.
func (s *Service) onMembers(ctx context.Context, b bulk, f func(ctx context.Context, a *act.Act, known map[string]bool) error) error {
	known := map[string]bool{}
	rule := act.InTeam(b.teamID, b.permission).Checking(func() error {
		if bad := act.CheckItems(len(b.ids), b.list); bad != nil {
			return bad
		}
		seen, err := s.Store.Read().Member.Query().Where(member.TeamID(b.teamID), member.IDIn(b.ids...)).IDs(ctx)
		if err != nil {
			return fmt.Errorf("find members of %s: %w", b.teamID, err)
		}
		for _, id := range seen {
			known[id] = true
		}
		return nil
	})
	return s.Door.Do(ctx, rule, func(ctx context.Context, a *act.Act) error { return f(ctx, a, known) })
}

// memberIn is memberOf for one of the known members. Fails with NOT_FOUND.
func memberIn(ctx context.Context, a *act.Act, known map[string]bool, id string) (*ent.Member, error) {
	if !known[id] {
		return nil, fault.Refuse(fault.NotFound, "There is no such member.")
	}
	return memberOf(ctx, a, id)
}
