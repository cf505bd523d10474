package graph

import (
	"context"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/division"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/ownershiptransfer"
	"github.com/convoke-dev/convoke/graph/generated"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/graph/relay"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/roster"
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

// Groups is the resolver for the groups field.
func (r *memberResolver) Groups(ctx context.Context, obj *ent.Member) ([]*ent.Group, error) {
	return r.groupsOf(ctx, obj)
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
	return r.effectivePermissions(ctx, obj)
}

// Divisions is the resolver for the divisions field.
func (r *memberResolver) Divisions(ctx context.Context, obj *ent.Member) ([]*ent.Division, error) {
	divisions, err := obj.Edges.DivisionsOrErr()
	return loaded(divisions, err, func() ([]*ent.Division, error) {
		q := r.read(ctx).Division.Query().Where(division.HasMembersWith(member.ID(obj.ID)))
		withDivision(selected(ctx))(q)
		return q.All(ctx)
	})
}

// LastSeenAt is the resolver for the lastSeenAt field.
func (r *memberResolver) LastSeenAt(ctx context.Context, obj *ent.Member) (*time.Time, error) {
	u, err := r.userOf(ctx, obj)
	if err != nil {
		return nil, err
	}
	return u.LastSeenAt, nil
}

// ViewerCanSetRoles is the resolver for the viewerCanSetRoles field.
func (r *memberResolver) ViewerCanSetRoles(ctx context.Context, obj *ent.Member) (bool, error) {
	return viewerCanActOn(ctx, obj, access.RolesAssign), nil
}

// ViewerCanDeactivate is the resolver for the viewerCanDeactivate field.
func (r *memberResolver) ViewerCanDeactivate(ctx context.Context, obj *ent.Member) (bool, error) {
	return viewerCanActOn(ctx, obj, access.MembersDeactivate), nil
}

// ViewerCanRemove is the resolver for the viewerCanRemove field.
func (r *memberResolver) ViewerCanRemove(ctx context.Context, obj *ent.Member) (bool, error) {
	return viewerCanActOn(ctx, obj, access.MembersRemove), nil
}

// SetRoles is the resolver for the setRoles field.
func (r *mutationResolver) SetRoles(ctx context.Context, input model.SetRolesInput) (*model.SetRolesPayload, error) {
	err := r.Roster.SetRoles(ctx, roster.Roles{
		MemberID: input.MemberID, RoleIDs: input.RoleIds, GroupIDs: input.GroupIds,
		Permissions: input.Permissions, ExpectedVersion: input.ExpectedVersion,
	})
	if err != nil {
		list, rest := payloadErrors(err)
		return &model.SetRolesPayload{UserErrors: list}, rest
	}
	m, err := r.member(ctx, input.MemberID)
	return &model.SetRolesPayload{Member: m, UserErrors: none}, err
}

// SetRestrictions is the resolver for the setRestrictions field.
func (r *mutationResolver) SetRestrictions(ctx context.Context, input model.SetRestrictionsInput) (*model.SetRestrictionsPayload, error) {
	err := r.Roster.SetRestrictions(ctx, roster.Restrictions{
		MemberID: input.MemberID, DivisionIDs: input.DivisionIds, Domains: input.AllowedDomains, ExpectedVersion: input.ExpectedVersion,
	})
	if err != nil {
		list, rest := payloadErrors(err)
		return &model.SetRestrictionsPayload{UserErrors: list}, rest
	}
	m, err := r.member(ctx, input.MemberID)
	return &model.SetRestrictionsPayload{Member: m, UserErrors: none}, err
}

// DeactivateMember is the resolver for the deactivateMember field.
func (r *mutationResolver) DeactivateMember(ctx context.Context, input model.MemberInput) (*model.MemberPayload, error) {
	return r.memberPayload(ctx, input.MemberID, r.Roster.Deactivate(ctx, input.MemberID))
}

// ReactivateMember is the resolver for the reactivateMember field.
func (r *mutationResolver) ReactivateMember(ctx context.Context, input model.MemberInput) (*model.MemberPayload, error) {
	return r.memberPayload(ctx, input.MemberID, r.Roster.Reactivate(ctx, input.MemberID))
}

// RemoveMember is the resolver for the removeMember field.
func (r *mutationResolver) RemoveMember(ctx context.Context, input model.MemberInput) (*model.RemoveMemberPayload, error) {
	if err := r.Roster.Remove(ctx, input.MemberID); err != nil {
		list, rest := payloadErrors(err)
		return &model.RemoveMemberPayload{UserErrors: list}, rest
	}
	return &model.RemoveMemberPayload{RemovedMemberID: &input.MemberID, UserErrors: none}, nil
}

// LeaveTeam is the resolver for the leaveTeam field.
func (r *mutationResolver) LeaveTeam(ctx context.Context, input model.TeamInput) (*model.RemoveMemberPayload, error) {
	id, err := r.Roster.Leave(ctx, input.TeamID)
	if err != nil {
		list, rest := payloadErrors(err)
		return &model.RemoveMemberPayload{UserErrors: list}, rest
	}
	return &model.RemoveMemberPayload{RemovedMemberID: &id, UserErrors: none}, nil
}

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

// RequestOwnershipTransfer is the resolver for the requestOwnershipTransfer field.
func (r *mutationResolver) RequestOwnershipTransfer(ctx context.Context, input model.MemberInput) (*model.OwnershipTransferPayload, error) {
	id, err := r.Roster.RequestTransfer(ctx, input.MemberID)
	return r.transferPayload(ctx, id, err)
}

// AcceptOwnershipTransfer is the resolver for the acceptOwnershipTransfer field.
func (r *mutationResolver) AcceptOwnershipTransfer(ctx context.Context, input model.OwnershipTransferInput) (*model.OwnershipTransferPayload, error) {
	return r.transferPayload(ctx, input.TransferID, r.Roster.AcceptTransfer(ctx, input.TransferID))
}

// DeclineOwnershipTransfer is the resolver for the declineOwnershipTransfer field.
func (r *mutationResolver) DeclineOwnershipTransfer(ctx context.Context, input model.OwnershipTransferInput) (*model.OwnershipTransferPayload, error) {
	return r.transferPayload(ctx, input.TransferID, r.Roster.DeclineTransfer(ctx, input.TransferID))
}

// CancelOwnershipTransfer is the resolver for the cancelOwnershipTransfer field.
func (r *mutationResolver) CancelOwnershipTransfer(ctx context.Context, input model.OwnershipTransferInput) (*model.OwnershipTransferPayload, error) {
	return r.transferPayload(ctx, input.TransferID, r.Roster.CancelTransfer(ctx, input.TransferID))
}

// Team is the resolver for the team field.
func (r *ownershipTransferResolver) Team(ctx context.Context, obj *ent.OwnershipTransfer) (*ent.Team, error) {
	t, err := obj.Edges.TeamOrErr()
	return loaded(t, err, func() (*ent.Team, error) { return r.read(ctx).Team.Get(ctx, obj.TeamID) })
}

// From is the resolver for the from field.
func (r *ownershipTransferResolver) From(ctx context.Context, obj *ent.OwnershipTransfer) (*ent.Member, error) {
	m, err := obj.Edges.FromOrErr()
	return loaded(m, err, func() (*ent.Member, error) { return r.read(ctx).Member.Get(ctx, obj.FromID) })
}

// To is the resolver for the to field.
func (r *ownershipTransferResolver) To(ctx context.Context, obj *ent.OwnershipTransfer) (*ent.Member, error) {
	m, err := obj.Edges.ToOrErr()
	return loaded(m, err, func() (*ent.Member, error) { return r.read(ctx).Member.Get(ctx, obj.ToID) })
}

// Status is the resolver for the status field.
func (r *ownershipTransferResolver) Status(ctx context.Context, obj *ent.OwnershipTransfer) (ownershiptransfer.Status, error) {
	return roster.TransferStatus(obj, r.Now()), nil
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
	return viewerCanAny(ctx, obj.ID, access.MembersUpdate, access.MembersDeactivate, access.MembersRemove), nil
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

// EmailVerified is the resolver for the emailVerified field.
func (r *userResolver) EmailVerified(ctx context.Context, obj *ent.User) (bool, error) {
	return !obj.EmailVerifiedAt.IsZero(), nil
}

// Member returns generated.MemberResolver implementation.
func (r *Resolver) Member() generated.MemberResolver { return &memberResolver{r} }

// OwnershipTransfer returns generated.OwnershipTransferResolver implementation.
func (r *Resolver) OwnershipTransfer() generated.OwnershipTransferResolver {
	return &ownershipTransferResolver{r}
}

// Team returns generated.TeamResolver implementation.
func (r *Resolver) Team() generated.TeamResolver { return &teamResolver{r} }

// User returns generated.UserResolver implementation.
func (r *Resolver) User() generated.UserResolver { return &userResolver{r} }

type (
	memberResolver            struct{ *Resolver }
	ownershipTransferResolver struct{ *Resolver }
	teamResolver              struct{ *Resolver }
	userResolver              struct{ *Resolver }
)
