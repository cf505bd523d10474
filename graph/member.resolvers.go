package graph

import (
	"context"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/division"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/graph/generated"
	"github.com/convoke-dev/convoke/graph/model"
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

// Member returns generated.MemberResolver implementation.
func (r *Resolver) Member() generated.MemberResolver { return &memberResolver{r} }

type memberResolver struct{ *Resolver }
