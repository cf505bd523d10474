package graph

import (
	"context"
	"slices"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/division"
	"github.com/convoke-dev/convoke/ent/group"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/role"
	"github.com/convoke-dev/convoke/graph/generated"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
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

// Email is the resolver for the email field.
func (r *memberResolver) Email(ctx context.Context, obj *ent.Member) (string, error) {
	u, err := r.userOf(ctx, obj)
	if err != nil {
		return "", err
	}
	return u.Email, nil
}

// DisplayName is the resolver for the displayName field.
func (r *memberResolver) DisplayName(ctx context.Context, obj *ent.Member) (string, error) {
	u, err := r.userOf(ctx, obj)
	if err != nil {
		return "", err
	}
	return displayName(u.Email, u.FirstName, u.LastName), nil
}

// PersonStatus is the resolver for the personStatus field.
func (r *memberResolver) PersonStatus(ctx context.Context, obj *ent.Member) (model.PersonStatus, error) {
	return model.PersonStatus(obj.Status), nil
}

// Roles is the resolver for the roles field.
func (r *memberResolver) Roles(ctx context.Context, obj *ent.Member) ([]*ent.Role, error) {
	roles, err := obj.Edges.RolesOrErr()
	return loaded(roles, err, func() ([]*ent.Role, error) {
		return r.read(ctx).Role.Query().Where(role.HasMembersWith(member.ID(obj.ID))).All(ctx)
	})
}

// Groups is the resolver for the groups field.
func (r *memberResolver) Groups(ctx context.Context, obj *ent.Member) ([]*ent.Group, error) {
	groups, err := obj.Edges.GroupsOrErr()
	return loaded(groups, err, func() ([]*ent.Group, error) {
		q := r.read(ctx).Group.Query().Where(group.HasMembersWith(member.ID(obj.ID)))
		withGroup(selected(ctx))(q)
		return q.All(ctx)
	})
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
	held := *obj
	_, noRoles := obj.Edges.RolesOrErr()
	_, noGroups := obj.Edges.GroupsOrErr()
	if noRoles != nil || noGroups != nil || slices.ContainsFunc(obj.Edges.Groups, func(g *ent.Group) bool { return g.Edges.Roles == nil }) {
		all, err := r.read(ctx).Member.Query().Where(member.ID(obj.ID)).
			WithRoles().WithGroups(func(g *ent.GroupQuery) { g.WithRoles() }).Only(ctx)
		if err != nil {
			return nil, err
		}
		held.Edges.Roles, held.Edges.Groups = all.Edges.Roles, all.Edges.Groups
	}
	return r.Access.Effective(&held).Keys(), nil
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

// ExpiresAt is the resolver for the expiresAt field.
func (r *memberResolver) ExpiresAt(ctx context.Context, obj *ent.Member) (*time.Time, error) {
	return nil, nil
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
	return may(roster.AgainstMember(access.ViewerFrom(ctx), obj, access.RolesAssign))
}

// ViewerCannotSetRolesReasons is the resolver for the viewerCannotSetRolesReasons field.
func (r *memberResolver) ViewerCannotSetRolesReasons(ctx context.Context, obj *ent.Member) ([]act.Obstacle, error) {
	return roster.AgainstMember(access.ViewerFrom(ctx), obj, access.RolesAssign), nil
}

// ViewerCanSetRestrictions is the resolver for the viewerCanSetRestrictions field.
func (r *memberResolver) ViewerCanSetRestrictions(ctx context.Context, obj *ent.Member) (bool, error) {
	return may(roster.AgainstRestricting(access.ViewerFrom(ctx), obj))
}

// ViewerCannotSetRestrictionsReasons is the resolver for the viewerCannotSetRestrictionsReasons field.
func (r *memberResolver) ViewerCannotSetRestrictionsReasons(ctx context.Context, obj *ent.Member) ([]act.Obstacle, error) {
	return roster.AgainstRestricting(access.ViewerFrom(ctx), obj), nil
}

// ViewerCanDeactivate is the resolver for the viewerCanDeactivate field.
func (r *memberResolver) ViewerCanDeactivate(ctx context.Context, obj *ent.Member) (bool, error) {
	return may(roster.AgainstMember(access.ViewerFrom(ctx), obj, access.MembersDeactivate))
}

// ViewerCannotDeactivateReasons is the resolver for the viewerCannotDeactivateReasons field.
func (r *memberResolver) ViewerCannotDeactivateReasons(ctx context.Context, obj *ent.Member) ([]act.Obstacle, error) {
	return roster.AgainstMember(access.ViewerFrom(ctx), obj, access.MembersDeactivate), nil
}

// ViewerCanReactivate is the resolver for the viewerCanReactivate field.
func (r *memberResolver) ViewerCanReactivate(ctx context.Context, obj *ent.Member) (bool, error) {
	against, err := r.againstReactivating(ctx, obj)
	return err == nil && len(against) == 0, err
}

// ViewerCannotReactivateReasons is the resolver for the viewerCannotReactivateReasons field.
func (r *memberResolver) ViewerCannotReactivateReasons(ctx context.Context, obj *ent.Member) ([]act.Obstacle, error) {
	return r.againstReactivating(ctx, obj)
}

// ViewerCanRemove is the resolver for the viewerCanRemove field.
func (r *memberResolver) ViewerCanRemove(ctx context.Context, obj *ent.Member) (bool, error) {
	return may(roster.AgainstMember(access.ViewerFrom(ctx), obj, access.MembersRemove))
}

// ViewerCannotRemoveReasons is the resolver for the viewerCannotRemoveReasons field.
func (r *memberResolver) ViewerCannotRemoveReasons(ctx context.Context, obj *ent.Member) ([]act.Obstacle, error) {
	return roster.AgainstMember(access.ViewerFrom(ctx), obj, access.MembersRemove), nil
}

// SetRoles is the resolver for the setRoles field.
func (r *mutationResolver) SetRoles(ctx context.Context, input model.SetRolesInput) (*model.SetRolesPayload, error) {
	err := r.Roster.SetRoles(ctx, roster.Roles{
		MemberID: input.MemberID, RoleIDs: input.RoleIds, GroupIDs: input.GroupIds,
		Permissions: input.Permissions, ExpectedVersion: input.ExpectedVersion,
	})
	p := &model.SetRolesPayload{}
	return current(p, &p.UserErrors, err, func() (err error) {
		p.Member, err = r.member(ctx, input.MemberID)
		return err
	})
}

// SetRolesOfMembers is the resolver for the setRolesOfMembers field.
func (r *mutationResolver) SetRolesOfMembers(ctx context.Context, input model.SetRolesOfMembersInput) (*model.SetRolesOfMembersPayload, error) {
	items := make([]roster.Roles, len(input.Items))
	for n, i := range input.Items {
		items[n] = roster.Roles{
			MemberID: i.MemberID, RoleIDs: i.RoleIds, GroupIDs: i.GroupIds,
			Permissions: i.Permissions, ExpectedVersion: i.ExpectedVersion,
		}
	}
	results, err := r.Roster.SetRolesAll(ctx, input.TeamID, items)
	return r.setRolesOfMembersPayload(ctx, input.TeamID, results, err)
}

// SetRestrictions is the resolver for the setRestrictions field.
func (r *mutationResolver) SetRestrictions(ctx context.Context, input model.SetRestrictionsInput) (*model.SetRestrictionsPayload, error) {
	err := r.Roster.SetRestrictions(ctx, roster.Restrictions{
		MemberID: input.MemberID, DivisionIDs: input.DivisionIds, Domains: input.AllowedDomains, ExpectedVersion: input.ExpectedVersion,
	})
	p := &model.SetRestrictionsPayload{}
	return current(p, &p.UserErrors, err, func() (err error) {
		p.Member, err = r.member(ctx, input.MemberID)
		return err
	})
}

// DeactivateMember is the resolver for the deactivateMember field.
func (r *mutationResolver) DeactivateMember(ctx context.Context, input model.DeactivateMemberInput) (*model.MemberPayload, error) {
	return r.memberPayload(ctx, input.MemberID, r.Roster.Deactivate(ctx, input.MemberID))
}

// ReactivateMember is the resolver for the reactivateMember field.
func (r *mutationResolver) ReactivateMember(ctx context.Context, input model.ReactivateMemberInput) (*model.MemberPayload, error) {
	return r.memberPayload(ctx, input.MemberID, r.Roster.Reactivate(ctx, input.MemberID))
}

// RemoveMember is the resolver for the removeMember field.
func (r *mutationResolver) RemoveMember(ctx context.Context, input model.RemoveMemberInput) (*model.RemoveMemberPayload, error) {
	teamID, err := r.Roster.Remove(ctx, input.MemberID)
	p := &model.RemoveMemberPayload{}
	return complete(p, &p.UserErrors, err, func() (err error) {
		p.RemovedMemberID = &input.MemberID
		p.Team, err = r.teamOfPayload(ctx, teamID)
		return err
	})
}

// RemoveMembers is the resolver for the removeMembers field.
func (r *mutationResolver) RemoveMembers(ctx context.Context, input model.RemoveMembersInput) (*model.RemoveMembersPayload, error) {
	results, err := r.Roster.RemoveAll(ctx, input.TeamID, input.MemberIds)
	return r.removeMembersPayload(ctx, input.TeamID, results, err)
}

// LeaveTeam is the resolver for the leaveTeam field.
func (r *mutationResolver) LeaveTeam(ctx context.Context, input model.LeaveTeamInput) (*model.LeaveTeamPayload, error) {
	id, err := r.Roster.Leave(ctx, input.TeamID)
	p := &model.LeaveTeamPayload{}
	return complete(p, &p.UserErrors, err, func() (err error) {
		p.RemovedMemberID = &id
		if !selected(ctx).has("team") {
			return nil
		}
		if err := r.reloadLeaver(ctx); err != nil {
			return err
		}
		p.Team, err = r.teamOfPayload(ctx, input.TeamID)
		return err
	})
}

// Member returns generated.MemberResolver implementation.
func (r *Resolver) Member() generated.MemberResolver { return &memberResolver{r} }

type memberResolver struct{ *Resolver }
