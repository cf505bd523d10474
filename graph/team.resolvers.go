package graph

import (
	"context"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/account"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/role"
	"github.com/convoke-dev/convoke/graph/generated"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/graph/relay"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/roster"
)

// CreateTeam is the resolver for the createTeam field.
func (r *mutationResolver) CreateTeam(ctx context.Context, input model.CreateTeamInput) (*model.TeamPayload, error) {
	id, err := r.Roster.CreateTeam(ctx, roster.NewTeam{AccountID: input.AccountID, Name: input.Name, IdempotencyKey: input.IdempotencyKey})
	return r.teamPayload(ctx, id, err)
}

// UpdateTeam is the resolver for the updateTeam field.
func (r *mutationResolver) UpdateTeam(ctx context.Context, input model.UpdateTeamInput) (*model.TeamPayload, error) {
	return r.teamPayload(ctx, input.TeamID, r.Roster.RenameTeam(ctx, input.TeamID, input.Name))
}

// DeleteTeam is the resolver for the deleteTeam field.
func (r *mutationResolver) DeleteTeam(ctx context.Context, input model.DeleteTeamInput) (*model.DeleteTeamPayload, error) {
	accountID, err := r.Roster.DeleteTeam(ctx, input.TeamID)
	p := &model.DeleteTeamPayload{}
	return complete(p, &p.UserErrors, err, func() (err error) {
		p.DeletedTeamID = &input.TeamID
		if !selected(ctx).has("account") {
			return nil
		}
		if err := r.reloadLeaver(ctx); err != nil {
			return err
		}
		p.Account, err = orNull(r.read(ctx).Account.Query().Where(account.ID(accountID), access.OwnAccounts(ctx)).Only(ctx))
		return err
	})
}

// SetActiveTeam is the resolver for the setActiveTeam field.
func (r *mutationResolver) SetActiveTeam(ctx context.Context, input model.SetActiveTeamInput) (*model.SetActiveTeamPayload, error) {
	p := &model.SetActiveTeamPayload{}
	return complete(p, &p.UserErrors, r.Roster.SetActiveTeam(ctx, input.TeamID), func() error {
		p.Viewer = access.ViewerFrom(ctx)
		return nil
	})
}

// Account is the resolver for the account field.
func (r *teamResolver) Account(ctx context.Context, obj *ent.Team) (*ent.Account, error) {
	a, err := obj.Edges.AccountOrErr()
	return loaded(a, err, func() (*ent.Account, error) { return r.read(ctx).Account.Get(ctx, obj.AccountID) })
}

// Owner is the resolver for the owner field.
func (r *teamResolver) Owner(ctx context.Context, obj *ent.Team) (*ent.Member, error) {
	for _, m := range obj.Edges.Members { // the owner and the viewer, when they are loaded
		if m.IsOwner {
			return m, nil
		}
	}
	q := r.read(ctx).Member.Query().Where(member.TeamID(obj.ID), member.IsOwner(true))
	r.withMember(ctx, selected(ctx))(q)
	return orNull(q.Only(ctx))
}

// ViewerMembership is the resolver for the viewerMembership field.
func (r *teamResolver) ViewerMembership(ctx context.Context, obj *ent.Team) (*ent.Member, error) {
	v := access.ViewerFrom(ctx)
	if v.Membership(obj.ID) == nil || v.IsKey() {
		return nil, nil
	}
	for _, m := range obj.Edges.Members {
		if m.UserID == v.UserID {
			return m, nil
		}
	}
	q := r.read(ctx).Member.Query().Where(member.TeamID(obj.ID), member.UserID(v.UserID))
	r.withMember(ctx, selected(ctx))(q)
	return orNull(q.Only(ctx))
}

// Members is the resolver for the members field.
func (r *teamResolver) Members(ctx context.Context, obj *ent.Team, first *int, after *string, last *int, before *string, filter *model.MemberFilter, orderBy *model.MemberOrder) (*relay.Connection[*ent.Member], error) {
	if _, err := access.Require(ctx, r.read(ctx), obj.ID, access.MembersRead); err != nil {
		return nil, ofShown(err)
	}
	conditions, err := memberFilter(filter)
	if err != nil {
		return nil, err
	}
	if err := chargePeople(ctx, obj, scansMembers(filter)); err != nil {
		return nil, err
	}
	q := r.read(ctx).Member.Query().Where(member.TeamID(obj.ID)).Where(conditions...)
	r.withMember(ctx, selected(ctx).nodes())(q)
	page, err := relay.Page(ctx, q, relay.Args{First: first, After: after, Last: last, Before: before}, membersBy(orderBy))
	return countedMembers(page, obj, filter), err
}

// Invitations is the resolver for the invitations field.
func (r *teamResolver) Invitations(ctx context.Context, obj *ent.Team, first *int, after *string, last *int, before *string, filter *model.InvitationFilter, orderBy *model.InvitationOrder) (*relay.Connection[*ent.Invitation], error) {
	if _, err := access.Require(ctx, r.read(ctx), obj.ID, access.MembersRead); err != nil {
		return nil, ofShown(err)
	}
	conditions, err := invitationFilter(filter, r.Now())
	if err != nil {
		return nil, err
	}
	if err := chargePeople(ctx, obj, scansInvitations(filter)); err != nil {
		return nil, err
	}
	q := r.read(ctx).Invitation.Query().Where(invitation.TeamID(obj.ID)).Where(conditions...)
	r.withInvitation(ctx, selected(ctx).nodes())(q)
	page, err := relay.Page(ctx, q, relay.Args{First: first, After: after, Last: last, Before: before}, invitationsBy(orderBy))
	return countedInvitations(page, obj, filter), err
}

// AssignableRoles is the resolver for the assignableRoles field.
func (r *teamResolver) AssignableRoles(ctx context.Context, obj *ent.Team) ([]*ent.Role, error) {
	assignable := []*ent.Role{}
	if !viewerCanAny(ctx, obj.ID, access.MembersInvite, access.RolesAssign) {
		return assignable, nil
	}
	acc, err := r.accountOf(ctx, obj)
	if err != nil {
		return nil, err
	}
	roles, err := acc.Edges.RolesOrErr()
	roles, err = loaded(roles, err, func() ([]*ent.Role, error) {
		return r.read(ctx).Role.Query().Where(role.AccountID(obj.AccountID)).Order(role.ByCreatedAt(), role.ByID()).All(ctx)
	})
	if err != nil {
		return nil, err
	}
	held := access.ViewerFrom(ctx).Membership(obj.ID).Permissions
	for _, role := range roles {
		if held.Covers(r.Access.Granted(access.Grant{Roles: []*ent.Role{role}})) {
			assignable = append(assignable, role)
		}
	}
	return assignable, nil
}

// EventCursor is the resolver for the eventCursor field.
func (r *teamResolver) EventCursor(ctx context.Context, obj *ent.Team) (*string, error) {
	if access.ViewerFrom(ctx).Membership(obj.ID) == nil {
		return nil, fault.Refuse(fault.Forbidden, "You are not in this team.")
	}
	head, err := event.Head(ctx, r.read(ctx), obj.AccountID)
	if err != nil {
		return nil, err
	}
	cursor := event.Cursor{AccountID: obj.AccountID, Seq: head}.String()
	return &cursor, nil
}

// PendingOwnershipTransfer is the resolver for the pendingOwnershipTransfer field.
func (r *teamResolver) PendingOwnershipTransfer(ctx context.Context, obj *ent.Team) (*ent.OwnershipTransfer, error) {
	return r.pendingTransfer(ctx, obj)
}

// ViewerCanSeeMembers is the resolver for the viewerCanSeeMembers field.
func (r *teamResolver) ViewerCanSeeMembers(ctx context.Context, obj *ent.Team) (bool, error) {
	return viewerCanAny(ctx, obj.ID, access.MembersRead), nil
}

// ViewerCanInvite is the resolver for the viewerCanInvite field.
func (r *teamResolver) ViewerCanInvite(ctx context.Context, obj *ent.Team) (bool, error) {
	return may(act.Against(access.ViewerFrom(ctx).Membership(obj.ID), access.MembersInvite))
}

// ViewerCannotInviteReasons is the resolver for the viewerCannotInviteReasons field.
func (r *teamResolver) ViewerCannotInviteReasons(ctx context.Context, obj *ent.Team) ([]act.Obstacle, error) {
	return act.Against(access.ViewerFrom(ctx).Membership(obj.ID), access.MembersInvite), nil
}

// ViewerCanManageMembers is the resolver for the viewerCanManageMembers field.
func (r *teamResolver) ViewerCanManageMembers(ctx context.Context, obj *ent.Team) (bool, error) {
	return may(roster.AgainstManaging(access.ViewerFrom(ctx), obj.ID))
}

// ViewerCannotManageMembersReasons is the resolver for the viewerCannotManageMembersReasons field.
func (r *teamResolver) ViewerCannotManageMembersReasons(ctx context.Context, obj *ent.Team) ([]act.Obstacle, error) {
	return roster.AgainstManaging(access.ViewerFrom(ctx), obj.ID), nil
}

// ViewerCanManageRoles is the resolver for the viewerCanManageRoles field.
func (r *teamResolver) ViewerCanManageRoles(ctx context.Context, obj *ent.Team) (bool, error) {
	return may(againstAccount(ctx, obj.AccountID, access.RolesManage))
}

// ViewerCannotManageRolesReasons is the resolver for the viewerCannotManageRolesReasons field.
func (r *teamResolver) ViewerCannotManageRolesReasons(ctx context.Context, obj *ent.Team) ([]act.Obstacle, error) {
	return againstAccount(ctx, obj.AccountID, access.RolesManage), nil
}

// ViewerCanTransferOwnership is the resolver for the viewerCanTransferOwnership field.
func (r *teamResolver) ViewerCanTransferOwnership(ctx context.Context, obj *ent.Team) (bool, error) {
	return may(act.AgainstOwner(access.ViewerFrom(ctx).Membership(obj.ID)))
}

// ViewerCannotTransferOwnershipReasons is the resolver for the viewerCannotTransferOwnershipReasons field.
func (r *teamResolver) ViewerCannotTransferOwnershipReasons(ctx context.Context, obj *ent.Team) ([]act.Obstacle, error) {
	return act.AgainstOwner(access.ViewerFrom(ctx).Membership(obj.ID)), nil
}

// ViewerCanUpdate is the resolver for the viewerCanUpdate field.
func (r *teamResolver) ViewerCanUpdate(ctx context.Context, obj *ent.Team) (bool, error) {
	return may(act.Against(access.ViewerFrom(ctx).Membership(obj.ID), access.TeamUpdate))
}

// ViewerCannotUpdateReasons is the resolver for the viewerCannotUpdateReasons field.
func (r *teamResolver) ViewerCannotUpdateReasons(ctx context.Context, obj *ent.Team) ([]act.Obstacle, error) {
	return act.Against(access.ViewerFrom(ctx).Membership(obj.ID), access.TeamUpdate), nil
}

// ViewerCanDelete is the resolver for the viewerCanDelete field.
func (r *teamResolver) ViewerCanDelete(ctx context.Context, obj *ent.Team) (bool, error) {
	return may(roster.AgainstDeletingTeam(access.ViewerFrom(ctx), obj))
}

// ViewerCannotDeleteReasons is the resolver for the viewerCannotDeleteReasons field.
func (r *teamResolver) ViewerCannotDeleteReasons(ctx context.Context, obj *ent.Team) ([]act.Obstacle, error) {
	return roster.AgainstDeletingTeam(access.ViewerFrom(ctx), obj), nil
}

// Team returns generated.TeamResolver implementation.
func (r *Resolver) Team() generated.TeamResolver { return &teamResolver{r} }

type teamResolver struct{ *Resolver }
