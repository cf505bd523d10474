package graph

import (
	"context"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/role"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/internal/access"
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

// asNode is orNull for the interface: never a nil pointer inside it.
func asNode[T any](found *T, err error) (model.Node, error) {
	if ent.IsNotFound(err) {
		return nil, nil //nolint:nilnil // null is the answer
	}
	if err != nil {
		return nil, err
	}
	return found, nil
}

// node finds anything by its id, as far as the viewer may know of it.
func (r *Resolver) node(ctx context.Context, id string) (model.Node, error) {
	prefix, err := uid.Of(id)
	if err != nil {
		return nil, nil //nolint:nilnil,nilerr // what is no id names nothing
	}
	switch prefix {
	case uid.Account:
		return asNode(r.Read.Account.Get(ctx, id))
	case uid.Team:
		return asNode(r.Read.Team.Get(ctx, id))
	case uid.User:
		return asNode(r.Read.User.Get(ctx, id))
	case uid.Member:
		return asNode(r.Read.Member.Get(ctx, id))
	case uid.Role:
		return asNode(r.Read.Role.Get(ctx, id))
	case uid.Invitation:
		return asNode(r.Read.Invitation.Get(ctx, id))
	default:
		return nil, nil //nolint:nilnil // a type that is no Node
	}
}

// invitation reads an invitation a verb has changed, for the payload's field.
func (r *Resolver) invitation(ctx context.Context, id string) (*ent.Invitation, error) {
	q := r.Read.Invitation.Query().Where(invitation.ID(id))
	withInvitation(selected(ctx).under("invitation"))(q)
	return q.Only(ctx)
}

// declined reads an invitation for the one who has just declined it, who may
// not know of it otherwise: what its mail told him, and no more.
func (r *Resolver) declined(ctx context.Context, id string) (*ent.Invitation, error) {
	return r.Read.Invitation.Query().Where(invitation.ID(id)).WithTeam().WithRoles().
		Only(access.System(ctx, "show a declined invitation to its addressee"))
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
	q := r.Read.Member.Query().Where(member.TeamID(i.TeamID), member.UserID(*i.AcceptedByID))
	withMember(selected(ctx))(q)
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
	q := r.Read.Member.Query().Where(member.ID(done.MemberID))
	withMember(selected(ctx).under("member"))(q)
	p.Member, err = q.Only(ctx)
	return p, err
}

func (r *Resolver) userOf(ctx context.Context, m *ent.Member) (*ent.User, error) {
	u, err := m.Edges.UserOrErr()
	return loaded(u, err, func() (*ent.User, error) { return r.Read.User.Get(ctx, m.UserID) })
}

func (r *Resolver) rolesOf(ctx context.Context, m *ent.Member) ([]*ent.Role, error) {
	roles, err := m.Edges.RolesOrErr()
	return loaded(roles, err, func() ([]*ent.Role, error) {
		return r.Read.Role.Query().Where(role.HasMembersWith(member.ID(m.ID))).All(ctx)
	})
}

// assignableRoles returns the roles that hold nothing the viewer lacks in the
// team.
func (r *Resolver) assignableRoles(ctx context.Context, t *ent.Team) ([]*ent.Role, error) {
	assignable := []*ent.Role{}
	m := access.ViewerFrom(ctx).Membership(t.ID)
	if m == nil || !m.Permissions.Has(access.MembersInvite) && !m.Permissions.Has(access.RolesAssign) {
		return assignable, nil
	}
	roles, err := r.Read.Role.Query().Where(role.AccountID(t.AccountID)).Order(role.ByCreatedAt(), role.ByID()).All(ctx)
	if err != nil {
		return nil, err
	}
	for _, role := range roles {
		if m.Permissions.Covers(access.NewSet(role.Permissions...)) {
			assignable = append(assignable, role)
		}
	}
	return assignable, nil
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
