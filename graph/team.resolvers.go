package graph

import (
	"context"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/graph/generated"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/graph/relay"
	"github.com/convoke-dev/convoke/internal/access"
)

// Team is the resolver for the team field.
func (r *memberResolver) Team(ctx context.Context, obj *ent.Member) (*ent.Team, error) {
	t, err := obj.Edges.TeamOrErr()
	return loaded(t, err, func() (*ent.Team, error) { return r.read(ctx).Team.Get(ctx, obj.TeamID) })
}

// User is the resolver for the user field.
func (r *memberResolver) User(ctx context.Context, obj *ent.Member) (*ent.User, error) {
	return r.userOf(ctx, obj)
}

// Roles is the resolver for the roles field.
func (r *memberResolver) Roles(ctx context.Context, obj *ent.Member) ([]*ent.Role, error) {
	return r.rolesOf(ctx, obj)
}

// DirectPermissions is the resolver for the directPermissions field.
func (r *memberResolver) DirectPermissions(ctx context.Context, obj *ent.Member) ([]string, error) {
	if obj.AllPermissions {
		return r.Access.Catalogue.All().Keys(), nil
	}
	return obj.Permissions, nil
}

// EffectivePermissions is the resolver for the effectivePermissions field.
func (r *memberResolver) EffectivePermissions(ctx context.Context, obj *ent.Member) ([]string, error) {
	roles, err := r.rolesOf(ctx, obj)
	if err != nil {
		return nil, err
	}
	held := *obj
	held.Edges.Roles = roles
	return r.Access.Effective(&held).Keys(), nil
}

// LastSeenAt is the resolver for the lastSeenAt field.
func (r *memberResolver) LastSeenAt(ctx context.Context, obj *ent.Member) (*time.Time, error) {
	u, err := r.userOf(ctx, obj)
	if err != nil {
		return nil, err
	}
	return u.LastSeenAt, nil
}

// Account is the resolver for the account field.
func (r *teamResolver) Account(ctx context.Context, obj *ent.Team) (*ent.Account, error) {
	a, err := obj.Edges.AccountOrErr()
	return loaded(a, err, func() (*ent.Account, error) { return r.read(ctx).Account.Get(ctx, obj.AccountID) })
}

// Owner is the resolver for the owner field.
func (r *teamResolver) Owner(ctx context.Context, obj *ent.Team) (*ent.Member, error) {
	q := r.read(ctx).Member.Query().Where(member.TeamID(obj.ID), member.IsOwner(true))
	withMember(selected(ctx))(q)
	return q.Only(ctx)
}

// ViewerMembership is the resolver for the viewerMembership field.
func (r *teamResolver) ViewerMembership(ctx context.Context, obj *ent.Team) (*ent.Member, error) {
	v := access.ViewerFrom(ctx)
	if v.Membership(obj.ID) == nil {
		return nil, nil
	}
	q := r.read(ctx).Member.Query().Where(member.TeamID(obj.ID), member.UserID(v.UserID))
	withMember(selected(ctx))(q)
	return orNull(q.Only(ctx))
}

// Members is the resolver for the members field.
func (r *teamResolver) Members(ctx context.Context, obj *ent.Team, first *int, after *string, last *int, before *string, filter *model.MemberFilter) (*relay.Connection[*ent.Member], error) {
	if _, err := access.Require(ctx, obj.ID, access.MembersRead); err != nil {
		return nil, err
	}
	q := r.read(ctx).Member.Query().Where(member.TeamID(obj.ID)).Where(memberFilter(filter)...)
	withMember(selected(ctx).nodes())(q)
	return relay.Page(ctx, q, relay.Args{First: first, After: after, Last: last, Before: before}, membersByAge)
}

// Invitations is the resolver for the invitations field.
func (r *teamResolver) Invitations(ctx context.Context, obj *ent.Team, first *int, after *string, last *int, before *string, filter *model.InvitationFilter) (*relay.Connection[*ent.Invitation], error) {
	if _, err := access.Require(ctx, obj.ID, access.MembersRead); err != nil {
		return nil, err
	}
	q := r.read(ctx).Invitation.Query().Where(invitation.TeamID(obj.ID)).Where(invitationFilter(filter, r.Now())...)
	withInvitation(selected(ctx).nodes())(q)
	return relay.Page(ctx, q, relay.Args{First: first, After: after, Last: last, Before: before}, invitationsByAge)
}

// AssignableRoles is the resolver for the assignableRoles field.
func (r *teamResolver) AssignableRoles(ctx context.Context, obj *ent.Team) ([]*ent.Role, error) {
	return r.assignableRoles(ctx, obj)
}

// EventCursor is the resolver for the eventCursor field.
func (r *teamResolver) EventCursor(ctx context.Context, obj *ent.Team) (string, error) {
	return r.eventCursor(ctx, obj)
}

// ViewerCanInvite is the resolver for the viewerCanInvite field.
func (r *teamResolver) ViewerCanInvite(ctx context.Context, obj *ent.Team) (bool, error) {
	return access.ViewerFrom(ctx).Can(obj.ID, access.MembersInvite), nil
}

// EmailVerified is the resolver for the emailVerified field.
func (r *userResolver) EmailVerified(ctx context.Context, obj *ent.User) (bool, error) {
	return !obj.EmailVerifiedAt.IsZero(), nil
}

// Member returns generated.MemberResolver implementation.
func (r *Resolver) Member() generated.MemberResolver { return &memberResolver{r} }

// Team returns generated.TeamResolver implementation.
func (r *Resolver) Team() generated.TeamResolver { return &teamResolver{r} }

// User returns generated.UserResolver implementation.
func (r *Resolver) User() generated.UserResolver { return &userResolver{r} }

type (
	memberResolver struct{ *Resolver }
	teamResolver   struct{ *Resolver }
	userResolver   struct{ *Resolver }
)
