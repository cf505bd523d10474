package graph

import (
	"context"
	"slices"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
)

func (r *Resolver) userOf(ctx context.Context, m *ent.Member) (*ent.User, error) {
	u, err := m.Edges.UserOrErr()
	return loaded(u, err, func() (*ent.User, error) { return r.read(ctx).User.Get(ctx, m.UserID) })
}

// againstReactivating returns what keeps the viewer from reactivating the member. It loads what
// the member holds, unless the list has loaded it.
func (r *Resolver) againstReactivating(ctx context.Context, m *ent.Member) ([]act.Obstacle, error) {
	_, noRoles := m.Edges.RolesOrErr()
	_, noGroups := m.Edges.GroupsOrErr()
	if _, err := m.Edges.DivisionsOrErr(); err != nil || noRoles != nil || noGroups != nil {
		m, err = r.read(ctx).Member.Query().Where(member.ID(m.ID)).
			WithRoles().WithGroups(func(g *ent.GroupQuery) { g.WithRoles() }).WithDivisions().Only(ctx)
		if err != nil {
			return nil, err
		}
	}
	return r.Roster.AgainstReactivating(access.ViewerFrom(ctx), m), nil
}

// withUser leaves out the members who were removed while they were read: their users are
// not visible any more.
func withUser(members []*ent.Member) []*ent.Member {
	return slices.DeleteFunc(members, func(m *ent.Member) bool {
		_, err := m.Edges.UserOrErr()
		return ent.IsNotFound(err)
	})
}

// setRolesOfMembersPayload has a result for each member. They are read together.
func (r *Resolver) setRolesOfMembersPayload(ctx context.Context, teamID string, results []act.Result, err error) (*model.SetRolesOfMembersPayload, error) {
	p := &model.SetRolesOfMembersPayload{Results: make([]*model.SetRolesOfMembersResult, len(results))}
	return complete(p, &p.UserErrors, err, func() error {
		found, err := r.members(ctx, selected(ctx).under("results").under("member"), idsOf(results)...)
		if err != nil {
			return err
		}
		for n, one := range results {
			if one.Outcome == act.Done {
				p.ChangedCount++
			}
			p.Results[n] = &model.SetRolesOfMembersResult{
				MemberID: one.ID, Outcome: model.BulkOutcome(one.Outcome), Member: found[one.ID], UserErrors: userErrors(one.Errors),
			}
		}
		p.Team, err = r.teamOfPayload(ctx, teamID)
		return err
	})
}

// removeMembersPayload has a result for each member. Those who are still there are read
// together.
func (r *Resolver) removeMembersPayload(ctx context.Context, teamID string, results []act.Result, err error) (*model.RemoveMembersPayload, error) {
	p := &model.RemoveMembersPayload{Results: make([]*model.RemoveMembersResult, len(results)), RemovedMemberIds: []string{}}
	return complete(p, &p.UserErrors, err, func() error {
		found, err := r.members(ctx, selected(ctx).under("results").under("member"), idsOf(results)...)
		if err != nil {
			return err
		}
		for n, one := range results {
			if one.Outcome == act.Done {
				p.RemovedMemberIds = append(p.RemovedMemberIds, one.ID)
			}
			p.Results[n] = &model.RemoveMembersResult{
				MemberID: one.ID, Outcome: model.BulkOutcome(one.Outcome), Member: found[one.ID], UserErrors: userErrors(one.Errors),
			}
		}
		p.Team, err = r.teamOfPayload(ctx, teamID)
		return err
	})
}
