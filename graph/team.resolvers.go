package graph

import (
	"context"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/graph/generated"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/graph/relay"
	"github.com/convoke-dev/convoke/internal/access"
)

// CreateTeam is the resolver for the createTeam field.
func (r *mutationResolver) CreateTeam(ctx context.Context, input model.CreateTeamInput) (*model.TeamPayload, error) {
	id, err := r.Roster.CreateTeam(ctx, input.AccountID, input.Name)
	return r.teamPayload(ctx, id, err)
}

// UpdateTeam is the resolver for the updateTeam field.
func (r *mutationResolver) UpdateTeam(ctx context.Context, input model.UpdateTeamInput) (*model.TeamPayload, error) {
	return r.teamPayload(ctx, input.TeamID, r.Roster.RenameTeam(ctx, input.TeamID, input.Name))
}

// DeleteTeam is the resolver for the deleteTeam field.
func (r *mutationResolver) DeleteTeam(ctx context.Context, input model.TeamInput) (*model.DeleteTeamPayload, error) {
	if err := r.Roster.DeleteTeam(ctx, input.TeamID); err != nil {
		list, rest := payloadErrors(err)
		return &model.DeleteTeamPayload{UserErrors: list}, rest
	}
	return &model.DeleteTeamPayload{DeletedTeamID: &input.TeamID, UserErrors: none}, nil
}

// SetActiveTeam is the resolver for the setActiveTeam field.
func (r *mutationResolver) SetActiveTeam(ctx context.Context, input model.TeamInput) (*model.SetActiveTeamPayload, error) {
	if err := r.Roster.SetActiveTeam(ctx, input.TeamID); err != nil {
		list, rest := payloadErrors(err)
		return &model.SetActiveTeamPayload{UserErrors: list}, rest
	}
	return &model.SetActiveTeamPayload{Viewer: access.ViewerFrom(ctx), UserErrors: none}, nil
}

// Account is the resolver for the account field.
func (r *teamResolver) Account(ctx context.Context, obj *ent.Team) (*ent.Account, error) {
	a, err := obj.Edges.AccountOrErr()
	return loaded(a, err, func() (*ent.Account, error) { return r.read(ctx).Account.Get(ctx, obj.AccountID) })
}

// Owner is the resolver for the owner field.
func (r *teamResolver) Owner(ctx context.Context, obj *ent.Team) (*ent.Member, error) {
	return r.ownerOf(ctx, obj)
}

// ViewerMembership is the resolver for the viewerMembership field.
func (r *teamResolver) ViewerMembership(ctx context.Context, obj *ent.Team) (*ent.Member, error) {
	return r.viewerMembership(ctx, obj)
}

// Members is the resolver for the members field.
func (r *teamResolver) Members(ctx context.Context, obj *ent.Team, first *int, after *string, last *int, before *string, filter *model.MemberFilter, orderBy *model.MemberOrder) (*relay.Connection[*ent.Member], error) {
	if _, err := access.Require(ctx, r.read(ctx), obj.ID, access.MembersRead); err != nil {
		return nil, err
	}
	q := r.read(ctx).Member.Query().Where(member.TeamID(obj.ID)).Where(memberFilter(filter)...)
	r.withMember(ctx, selected(ctx).nodes())(q)
	page, err := relay.Page(ctx, q, relay.Args{First: first, After: after, Last: last, Before: before}, membersBy(orderBy))
	return countedMembers(page, obj, filter), err
}

// Invitations is the resolver for the invitations field.
func (r *teamResolver) Invitations(ctx context.Context, obj *ent.Team, first *int, after *string, last *int, before *string, filter *model.InvitationFilter, orderBy *model.InvitationOrder) (*relay.Connection[*ent.Invitation], error) {
	if _, err := access.Require(ctx, r.read(ctx), obj.ID, access.MembersRead); err != nil {
		return nil, err
	}
	q := r.read(ctx).Invitation.Query().Where(invitation.TeamID(obj.ID)).Where(invitationFilter(filter, r.Now())...)
	r.withInvitation(ctx, selected(ctx).nodes())(q)
	page, err := relay.Page(ctx, q, relay.Args{First: first, After: after, Last: last, Before: before}, invitationsBy(orderBy))
	return countedInvitations(page, obj, filter), err
}

// People is the resolver for the people field.
func (r *teamResolver) People(ctx context.Context, obj *ent.Team, first *int, after *string, filter *model.PersonFilter) (*relay.Connection[model.Person], error) {
	if _, err := access.Require(ctx, r.read(ctx), obj.ID, access.MembersRead); err != nil {
		return nil, err
	}
	return r.people(ctx, obj, relay.Args{First: first, After: after}, filter)
}

// Counts is the resolver for the counts field.
func (r *teamResolver) Counts(ctx context.Context, obj *ent.Team) (*model.PeopleCounts, error) {
	if _, err := access.Require(ctx, r.read(ctx), obj.ID, access.MembersRead); err != nil {
		return nil, err
	}
	return r.teamCounts(ctx, obj)
}

// AssignableRoles is the resolver for the assignableRoles field.
func (r *teamResolver) AssignableRoles(ctx context.Context, obj *ent.Team) ([]*ent.Role, error) {
	return r.assignableRoles(ctx, obj)
}

// EventCursor is the resolver for the eventCursor field.
func (r *teamResolver) EventCursor(ctx context.Context, obj *ent.Team) (string, error) {
	return r.eventCursor(ctx, obj)
}

// PendingOwnershipTransfer is the resolver for the pendingOwnershipTransfer field.
func (r *teamResolver) PendingOwnershipTransfer(ctx context.Context, obj *ent.Team) (*ent.OwnershipTransfer, error) {
	return r.pendingTransfer(ctx, obj)
}

// ViewerCanInvite is the resolver for the viewerCanInvite field.
func (r *teamResolver) ViewerCanInvite(ctx context.Context, obj *ent.Team) (bool, error) {
	return access.ViewerFrom(ctx).Can(obj.ID, access.MembersInvite), nil
}

// ViewerCanManageMembers is the resolver for the viewerCanManageMembers field.
func (r *teamResolver) ViewerCanManageMembers(ctx context.Context, obj *ent.Team) (bool, error) {
	return viewerCanAny(ctx, obj.ID, access.MembersRead) &&
		viewerCanAny(ctx, obj.ID, access.MembersUpdate, access.MembersDeactivate, access.MembersRemove), nil
}

// ViewerCanManageRoles is the resolver for the viewerCanManageRoles field.
func (r *teamResolver) ViewerCanManageRoles(ctx context.Context, obj *ent.Team) (bool, error) {
	return access.ViewerFrom(ctx).CanInAccount(obj.AccountID, access.RolesManage), nil
}

// ViewerCanTransferOwnership is the resolver for the viewerCanTransferOwnership field.
func (r *teamResolver) ViewerCanTransferOwnership(ctx context.Context, obj *ent.Team) (bool, error) {
	m := access.ViewerFrom(ctx).Membership(obj.ID)
	return m != nil && m.Owner, nil
}

// Team returns generated.TeamResolver implementation.
func (r *Resolver) Team() generated.TeamResolver { return &teamResolver{r} }

type teamResolver struct{ *Resolver }
