package graph

import (
	"context"
	"slices"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/role"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/lifecycle"
)

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
	if !r.viewerCan(ctx, i, lifecycle.Resend) {
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

// viewerCan reports whether the viewer may act on the invitation as it stands.
func (r *Resolver) viewerCan(ctx context.Context, i *ent.Invitation, a lifecycle.Action) bool {
	_, denied := lifecycle.Next(lifecycle.Effective(i, r.Now()), a)
	return denied == nil && access.ViewerFrom(ctx).Can(i.TeamID, access.MembersInvite)
}
