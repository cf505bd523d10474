package graph

import (
	"context"
	"slices"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/group"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/ownershiptransfer"
	"github.com/convoke-dev/convoke/ent/role"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/address"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/lifecycle"
)

// memberOf returns the membership that came of an invitation.
func (r *Resolver) memberOf(ctx context.Context, i *ent.Invitation) (*ent.Member, error) {
	if u := i.Edges.AcceptedBy; u != nil {
		if members, err := u.Edges.MembersOrErr(); err == nil {
			for _, m := range members {
				if m.TeamID == i.TeamID {
					return m, nil
				}
			}
			return nil, nil //nolint:nilnil // removed since
		}
	}
	q := r.read(ctx).Member.Query().Where(member.TeamID(i.TeamID), member.UserID(*i.AcceptedByID))
	r.withMember(ctx, selected(ctx))(q)
	return orNull(q.Only(ctx))
}

func (r *Resolver) userOf(ctx context.Context, m *ent.Member) (*ent.User, error) {
	u, err := m.Edges.UserOrErr()
	return loaded(u, err, func() (*ent.User, error) { return r.read(ctx).User.Get(ctx, m.UserID) })
}

func (r *Resolver) rolesOf(ctx context.Context, m *ent.Member) ([]*ent.Role, error) {
	roles, err := m.Edges.RolesOrErr()
	return loaded(roles, err, func() ([]*ent.Role, error) {
		return r.read(ctx).Role.Query().Where(role.HasMembersWith(member.ID(m.ID))).All(ctx)
	})
}

func (r *Resolver) groupsOf(ctx context.Context, m *ent.Member) ([]*ent.Group, error) {
	groups, err := m.Edges.GroupsOrErr()
	return loaded(groups, err, func() ([]*ent.Group, error) {
		q := r.read(ctx).Group.Query().Where(group.HasMembersWith(member.ID(m.ID)))
		withGroup(selected(ctx))(q)
		return q.All(ctx)
	})
}

// effectivePermissions returns what a member holds.
func (r *Resolver) effectivePermissions(ctx context.Context, m *ent.Member) ([]string, error) {
	held := *m
	_, noRoles := m.Edges.RolesOrErr()
	_, noGroups := m.Edges.GroupsOrErr()
	if noRoles != nil || noGroups != nil || slices.ContainsFunc(m.Edges.Groups, func(g *ent.Group) bool { return g.Edges.Roles == nil }) {
		all, err := r.read(ctx).Member.Query().Where(member.ID(m.ID)).
			WithRoles().WithGroups(func(g *ent.GroupQuery) { g.WithRoles() }).Only(ctx)
		if err != nil {
			return nil, err
		}
		held.Edges.Roles, held.Edges.Groups = all.Edges.Roles, all.Edges.Groups
	}
	return r.Access.Effective(&held).Keys(), nil
}

// memberCount returns how many members a group has: selected beside its
// columns, or counted.
func (r *Resolver) memberCount(ctx context.Context, g *ent.Group) (int, error) {
	if !access.ViewerFrom(ctx).In(g.AccountID) {
		return 0, fault.Refuse(fault.Forbidden, "You are not in this account.")
	}
	if n, err := g.Value(membersOfGroup); err == nil {
		if n, ok := n.(int64); ok {
			return int(n), nil
		}
	}
	return r.read(ctx).Member.Query().Where(member.HasGroupsWith(group.ID(g.ID))).
		Count(access.System(ctx, "count the members of a group the viewer may see"))
}

// ownerOf returns the owner of a team.
func (r *Resolver) ownerOf(ctx context.Context, t *ent.Team) (*ent.Member, error) {
	for _, m := range t.Edges.Members { // the owner and the viewer, when they are loaded
		if m.IsOwner {
			return m, nil
		}
	}
	q := r.read(ctx).Member.Query().Where(member.TeamID(t.ID), member.IsOwner(true))
	r.withMember(ctx, selected(ctx))(q)
	return q.Only(ctx)
}

// viewerMembership returns what the viewer is in a team, or nil.
func (r *Resolver) viewerMembership(ctx context.Context, t *ent.Team) (*ent.Member, error) {
	v := access.ViewerFrom(ctx)
	if v.Membership(t.ID) == nil {
		return nil, nil //nolint:nilnil // null is the answer
	}
	for _, m := range t.Edges.Members {
		if m.UserID == v.UserID {
			return m, nil
		}
	}
	q := r.read(ctx).Member.Query().Where(member.TeamID(t.ID), member.UserID(v.UserID))
	r.withMember(ctx, selected(ctx))(q)
	return orNull(q.Only(ctx))
}

func (r *Resolver) pendingTransfer(ctx context.Context, t *ent.Team) (*ent.OwnershipTransfer, error) {
	open, err := t.Edges.TransfersOrErr()
	open, err = loaded(open, err, func() ([]*ent.OwnershipTransfer, error) {
		q := r.read(ctx).OwnershipTransfer.Query().Where(ownershiptransfer.TeamID(t.ID), lifecycle.OpenTransfer(r.Now()))
		r.withTransfer(ctx, selected(ctx))(q)
		return q.All(ctx)
	})
	if err != nil || len(open) == 0 {
		return nil, err
	}
	return open[0], nil
}

func (r *Resolver) accountOf(ctx context.Context, t *ent.Team) (*ent.Account, error) {
	a, err := t.Edges.AccountOrErr()
	return loaded(a, err, func() (*ent.Account, error) { return r.read(ctx).Account.Get(ctx, t.AccountID) })
}

// userOfAccount finds a user by address among the members the viewer may see.
func (r *Resolver) userOfAccount(ctx context.Context, acc *ent.Account, email string) (*ent.User, error) {
	addr, bad := address.Parse(email)
	if bad != nil {
		return nil, nil //nolint:nilnil,nilerr // what is no address is nobody's
	}
	m, err := orNull(r.read(ctx).Member.Query().Where(member.AccountID(acc.ID), member.EmailKey(addr.Key)).
		Order(member.ByCreatedAt(), member.ByID()).First(ctx))
	if err != nil || m == nil {
		return nil, err
	}
	return orNull(r.read(ctx).User.Get(ctx, m.UserID))
}

// eventCursor returns where the log of the team's account stands.
func (r *Resolver) eventCursor(ctx context.Context, t *ent.Team) (string, error) {
	if access.ViewerFrom(ctx).Membership(t.ID) == nil {
		return "", fault.Refuse(fault.Forbidden, "You are not in this team.")
	}
	head, err := event.Head(ctx, r.read(ctx), t.AccountID)
	return event.Cursor{AccountID: t.AccountID, Seq: head}.String(), err
}
