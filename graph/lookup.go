package graph

import (
	"context"
	"slices"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/account"
	"github.com/convoke-dev/convoke/ent/division"
	entevent "github.com/convoke-dev/convoke/ent/event"
	"github.com/convoke-dev/convoke/ent/group"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/ownershiptransfer"
	"github.com/convoke-dev/convoke/ent/predicate"
	"github.com/convoke-dev/convoke/ent/role"
	"github.com/convoke-dev/convoke/ent/team"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/address"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/invite"
	"github.com/convoke-dev/convoke/internal/uid"
)

// orNull turns ent's not-found into null: a query that finds nothing is no
// error.
func orNull[T any](found *T, err error) (*T, error) {
	if ent.IsNotFound(err) {
		return nil, nil //nolint:nilnil // null is the answer
	}
	return found, err
}

// nodes finds things by their ids, as far as the viewer may know of them: one
// statement for each type, whatever the number of ids. What is not found is
// nil.
func (r *Resolver) nodes(ctx context.Context, ids []string) ([]model.Node, error) {
	byType := map[uid.Prefix][]string{}
	for _, id := range ids {
		if prefix, err := uid.Of(id); err == nil {
			byType[prefix] = append(byType[prefix], id)
		}
	}
	found := make(map[string]model.Node, len(ids))
	for prefix, ids := range byType {
		if err := r.nodesOf(ctx, prefix, ids, found); err != nil {
			return nil, err
		}
	}
	nodes := make([]model.Node, len(ids))
	for i, id := range ids {
		nodes[i] = found[id]
	}
	return nodes, nil
}

// nodesOf adds the things of one type to what was found.
func (r *Resolver) nodesOf(ctx context.Context, prefix uid.Prefix, ids []string, found map[string]model.Node) error {
	client, asked := r.read(ctx), selected(ctx)
	switch prefix {
	case uid.Account:
		return collect(found, func(a *ent.Account) string { return a.ID })(client.Account.Query().Where(account.IDIn(ids...)).All(ctx))
	case uid.Team:
		q := client.Team.Query().Where(team.IDIn(ids...))
		r.withTeam(ctx, asked)(q)
		return collect(found, func(t *ent.Team) string { return t.ID })(q.All(ctx))
	case uid.User:
		return collect(found, func(u *ent.User) string { return u.ID })(client.User.Query().Where(user.IDIn(ids...)).All(ctx))
	case uid.Member:
		q := client.Member.Query().Where(member.IDIn(ids...))
		r.withMember(ctx, asked)(q)
		return collect(found, func(m *ent.Member) string { return m.ID })(q.All(ctx))
	case uid.Role:
		return collect(found, func(r *ent.Role) string { return r.ID })(client.Role.Query().Where(role.IDIn(ids...)).All(ctx))
	case uid.Group:
		q := client.Group.Query().Where(group.IDIn(ids...))
		withGroup(asked)(q)
		return collect(found, func(g *ent.Group) string { return g.ID })(q.All(ctx))
	case uid.Division:
		q := client.Division.Query().Where(division.IDIn(ids...))
		withDivision(asked)(q)
		return collect(found, func(d *ent.Division) string { return d.ID })(q.All(ctx))
	case uid.Transfer:
		q := client.OwnershipTransfer.Query().Where(ownershiptransfer.IDIn(ids...))
		r.withTransfer(ctx, asked)(q)
		return collect(found, func(t *ent.OwnershipTransfer) string { return t.ID })(q.All(ctx))
	case uid.Event:
		events, err := client.Event.Query().Where(entevent.IDIn(ids...)).All(ctx)
		if err != nil {
			return err
		}
		shown, err := r.shown(ctx, events)
		for id, e := range shown {
			found[id] = e
		}
		return err
	case uid.Invitation:
		q := client.Invitation.Query().Where(invitation.IDIn(ids...))
		r.withInvitation(ctx, asked)(q)
		return collect(found, func(i *ent.Invitation) string { return i.ID })(q.All(ctx))
	default:
		return nil // a type that is no Node
	}
}

// collect returns what takes the answer of a query and adds its rows by id.
func collect[T any](found map[string]model.Node, id func(T) string) func([]T, error) error {
	return func(rows []T, err error) error {
		for _, row := range rows {
			found[id(row)] = row
		}
		return err
	}
}

// invitation reads an invitation a verb has changed, for the payload's field.
func (r *Resolver) invitation(ctx context.Context, id string) (*ent.Invitation, error) {
	q := r.read(ctx).Invitation.Query().Where(invitation.ID(id))
	r.withInvitation(ctx, selected(ctx).under("invitation"))(q)
	return q.Only(ctx)
}

// declined reads an invitation for the one who has just declined it, who may
// not know of it otherwise; who is not signed in sees what the preview shows.
func (r *Resolver) declined(ctx context.Context, id string) (*ent.Invitation, error) {
	i, err := r.read(ctx).Invitation.Query().Where(invitation.ID(id)).
		WithTeam(func(q *ent.TeamQuery) { q.WithAccount() }).WithRoles().
		Only(access.System(ctx, "show a declined invitation to the holder of its link"))
	if err != nil || access.ViewerFrom(ctx) != nil {
		return i, err
	}
	i.Email, i.Note, i.DeliveryError = address.Mask(i.Email), "", ""
	i.Permissions, i.AllPermissions = []string{}, false
	return i, nil
}

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

// admitted is the answer to an accepted invitation.
func (r *Resolver) admitted(ctx context.Context, done *invite.Admitted, t *model.SessionTransport) (*model.AcceptInvitePayload, error) {
	p := &model.AcceptInvitePayload{AlreadyAccepted: done.Already, UserErrors: none}
	var err error
	if done.Session != nil {
		p.Viewer, p.SessionToken, err = r.signedIn(ctx, done.Session, t)
	} else {
		p.Viewer, err = r.Auth.Refresh(ctx, access.ViewerFrom(ctx).SessionID)
		access.Become(ctx, p.Viewer)
	}
	if err != nil {
		return nil, err
	}
	q := r.read(ctx).Member.Query().Where(member.ID(done.MemberID))
	r.withMember(ctx, selected(ctx).under("member"))(q)
	p.Member, err = q.Only(ctx)
	return p, err
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

// openTransfer picks a transfer that can still be accepted.
func (r *Resolver) openTransfer() predicate.OwnershipTransfer {
	return ownershiptransfer.And(
		ownershiptransfer.StatusEQ(ownershiptransfer.StatusPending), ownershiptransfer.ExpiresAtGT(r.Now()))
}

func (r *Resolver) pendingTransfer(ctx context.Context, t *ent.Team) (*ent.OwnershipTransfer, error) {
	open, err := t.Edges.TransfersOrErr()
	open, err = loaded(open, err, func() ([]*ent.OwnershipTransfer, error) {
		q := r.read(ctx).OwnershipTransfer.Query().Where(ownershiptransfer.TeamID(t.ID), r.openTransfer())
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

// assignableRoles returns the roles that hold nothing the viewer lacks in the
// team.
func (r *Resolver) assignableRoles(ctx context.Context, t *ent.Team) ([]*ent.Role, error) {
	assignable := []*ent.Role{}
	if !viewerCanAny(ctx, t.ID, access.MembersInvite, access.RolesAssign) {
		return assignable, nil
	}
	acc, err := r.accountOf(ctx, t)
	if err != nil {
		return nil, err
	}
	roles, err := acc.Edges.RolesOrErr()
	roles, err = loaded(roles, err, func() ([]*ent.Role, error) {
		return r.read(ctx).Role.Query().Where(role.AccountID(t.AccountID)).Order(role.ByCreatedAt(), role.ByID()).All(ctx)
	})
	if err != nil {
		return nil, err
	}
	held := access.ViewerFrom(ctx).Membership(t.ID).Permissions
	for _, role := range roles {
		if held.Covers(r.Access.Granted(access.Grant{Roles: []*ent.Role{role}})) {
			assignable = append(assignable, role)
		}
	}
	return assignable, nil
}

// viewerCanAny reports whether the viewer holds one of the permissions in the
// team.
func viewerCanAny(ctx context.Context, teamID string, permissions ...string) bool {
	v := access.ViewerFrom(ctx)
	return slices.ContainsFunc(permissions, func(p string) bool { return v.Can(teamID, p) })
}

// viewerCanActOn reports whether the viewer holds the permission over a member:
// not over the owner, and not over himself.
func viewerCanActOn(ctx context.Context, m *ent.Member, permission string) bool {
	v := access.ViewerFrom(ctx)
	return v.Can(m.TeamID, permission) && !m.IsOwner && m.UserID != v.UserID
}

// viewerCanResend is viewerCan for a resend: who resends answers for what the
// invitation offers.
func (r *Resolver) viewerCanResend(ctx context.Context, i *ent.Invitation) (bool, error) {
	if !r.viewerCan(ctx, i, invite.Resend) {
		return false, nil
	}
	if _, err := i.Edges.DivisionsOrErr(); err != nil {
		full, err := r.read(ctx).Invitation.Query().Where(invitation.ID(i.ID)).
			WithRoles().WithGroups(func(g *ent.GroupQuery) { g.WithRoles() }).WithDivisions().Only(ctx)
		if err != nil {
			return false, err
		}
		i = full
	}
	return r.Invites.CanResend(access.ViewerFrom(ctx).Membership(i.TeamID), i), nil
}

// eventCursor returns where the log of the team's account stands.
func (r *Resolver) eventCursor(ctx context.Context, t *ent.Team) (string, error) {
	if access.ViewerFrom(ctx).Membership(t.ID) == nil {
		return "", fault.Refuse(fault.NotFound, "There is no such team.")
	}
	head, err := event.Head(ctx, r.read(ctx), t.AccountID)
	return event.Cursor{AccountID: t.AccountID, Seq: head}.String(), err
}

// viewerCan reports whether the viewer may act on the invitation as it stands.
func (r *Resolver) viewerCan(ctx context.Context, i *ent.Invitation, a invite.Action) bool {
	_, denied := invite.Next(invite.Effective(i, r.Now()), a)
	return denied == nil && access.ViewerFrom(ctx).Can(i.TeamID, access.MembersInvite)
}

func isTrue(b *bool) bool { return b != nil && *b }

func orNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
