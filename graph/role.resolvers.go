package graph

import (
	"context"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/division"
	"github.com/convoke-dev/convoke/ent/group"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/role"
	"github.com/convoke-dev/convoke/graph/generated"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/roster"
)

// Parent is the resolver for the parent field.
func (r *divisionResolver) Parent(ctx context.Context, obj *ent.Division) (*ent.Division, error) {
	if obj.ParentID == nil {
		return nil, nil
	}
	parent, err := obj.Edges.ParentOrErr()
	return orNull(loaded(parent, err, func() (*ent.Division, error) { return r.read(ctx).Division.Get(ctx, *obj.ParentID) }))
}

// Children is the resolver for the children field.
func (r *divisionResolver) Children(ctx context.Context, obj *ent.Division) ([]*ent.Division, error) {
	children, err := obj.Edges.ChildrenOrErr()
	return loaded(children, err, func() ([]*ent.Division, error) {
		return r.read(ctx).Division.Query().Where(division.ParentID(obj.ID)).Order(division.ByCreatedAt(), division.ByID()).All(ctx)
	})
}

// ViewerCanUpdate is the resolver for the viewerCanUpdate field.
func (r *divisionResolver) ViewerCanUpdate(ctx context.Context, obj *ent.Division) (bool, error) {
	return may(againstAccount(ctx, obj.AccountID, access.AccountUpdate))
}

// ViewerCannotUpdateReasons is the resolver for the viewerCannotUpdateReasons field.
func (r *divisionResolver) ViewerCannotUpdateReasons(ctx context.Context, obj *ent.Division) ([]act.Obstacle, error) {
	return againstAccount(ctx, obj.AccountID, access.AccountUpdate), nil
}

// ViewerCanDelete is the resolver for the viewerCanDelete field.
func (r *divisionResolver) ViewerCanDelete(ctx context.Context, obj *ent.Division) (bool, error) {
	return may(againstAccount(ctx, obj.AccountID, access.AccountUpdate))
}

// ViewerCannotDeleteReasons is the resolver for the viewerCannotDeleteReasons field.
func (r *divisionResolver) ViewerCannotDeleteReasons(ctx context.Context, obj *ent.Division) ([]act.Obstacle, error) {
	return againstAccount(ctx, obj.AccountID, access.AccountUpdate), nil
}

// Roles is the resolver for the roles field.
func (r *groupResolver) Roles(ctx context.Context, obj *ent.Group) ([]*ent.Role, error) {
	roles, err := obj.Edges.RolesOrErr()
	return loaded(roles, err, func() ([]*ent.Role, error) {
		return r.read(ctx).Role.Query().Where(role.HasGroupsWith(group.ID(obj.ID))).Order(role.ByCreatedAt(), role.ByID()).All(ctx)
	})
}

// MemberCount is the resolver for the memberCount field.
func (r *groupResolver) MemberCount(ctx context.Context, obj *ent.Group) (*int, error) {
	if !access.ViewerFrom(ctx).In(obj.AccountID) {
		return nil, fault.Refuse(fault.Forbidden, "You are not in this account.")
	}
	if n, err := obj.Value(membersOfGroup); err == nil {
		if n, ok := n.(int64); ok {
			counted := int(n)
			return &counted, chargeCount(ctx, counted)
		}
	}
	n, err := r.read(ctx).Member.Query().Where(member.HasGroupsWith(group.ID(obj.ID))).
		Count(access.System(ctx, "count the members of a group the viewer may see"))
	return &n, err
}

// ViewerCanSeeMemberCount is the resolver for the viewerCanSeeMemberCount field.
func (r *groupResolver) ViewerCanSeeMemberCount(ctx context.Context, obj *ent.Group) (bool, error) {
	return access.ViewerFrom(ctx).In(obj.AccountID), nil
}

// ViewerCanUpdate is the resolver for the viewerCanUpdate field.
func (r *groupResolver) ViewerCanUpdate(ctx context.Context, obj *ent.Group) (bool, error) {
	return may(againstAccount(ctx, obj.AccountID, access.RolesManage))
}

// ViewerCannotUpdateReasons is the resolver for the viewerCannotUpdateReasons field.
func (r *groupResolver) ViewerCannotUpdateReasons(ctx context.Context, obj *ent.Group) ([]act.Obstacle, error) {
	return againstAccount(ctx, obj.AccountID, access.RolesManage), nil
}

// ViewerCanDelete is the resolver for the viewerCanDelete field.
func (r *groupResolver) ViewerCanDelete(ctx context.Context, obj *ent.Group) (bool, error) {
	return may(againstAccount(ctx, obj.AccountID, access.RolesManage))
}

// ViewerCannotDeleteReasons is the resolver for the viewerCannotDeleteReasons field.
func (r *groupResolver) ViewerCannotDeleteReasons(ctx context.Context, obj *ent.Group) ([]act.Obstacle, error) {
	return againstAccount(ctx, obj.AccountID, access.RolesManage), nil
}

// CreateRole is the resolver for the createRole field.
func (r *mutationResolver) CreateRole(ctx context.Context, input model.CreateRoleInput) (*model.RolePayload, error) {
	id, err := r.Roster.CreateRole(ctx, roster.NewRole{
		AccountID: input.AccountID, Key: input.Key, Name: input.Name, Description: orEmpty(input.Description), Permissions: input.Permissions,
		IdempotencyKey: input.IdempotencyKey,
	})
	return r.rolePayload(ctx, id, err)
}

// UpdateRole is the resolver for the updateRole field.
func (r *mutationResolver) UpdateRole(ctx context.Context, input model.UpdateRoleInput) (*model.RolePayload, error) {
	err := r.Roster.UpdateRole(ctx, roster.RoleChange{
		RoleID: input.RoleID, Name: input.Name, Description: input.Description,
		Permissions: input.Permissions, ExpectedVersion: input.ExpectedVersion,
	})
	return r.rolePayload(ctx, input.RoleID, err)
}

// DeleteRole is the resolver for the deleteRole field.
func (r *mutationResolver) DeleteRole(ctx context.Context, input model.DeleteRoleInput) (*model.DeleteRolePayload, error) {
	p := &model.DeleteRolePayload{}
	return complete(p, &p.UserErrors, r.Roster.DeleteRole(ctx, input.RoleID, orEmpty(input.ReassignTo)), func() error {
		p.DeletedRoleID = &input.RoleID
		return nil
	})
}

// CreateGroup is the resolver for the createGroup field.
func (r *mutationResolver) CreateGroup(ctx context.Context, input model.CreateGroupInput) (*model.GroupPayload, error) {
	id, err := r.Roster.CreateGroup(ctx, roster.NewGroup{
		AccountID: input.AccountID, Name: input.Name, Description: orEmpty(input.Description), RoleIDs: input.RoleIds,
		IdempotencyKey: input.IdempotencyKey,
	})
	return r.groupPayload(ctx, id, err)
}

// UpdateGroup is the resolver for the updateGroup field.
func (r *mutationResolver) UpdateGroup(ctx context.Context, input model.UpdateGroupInput) (*model.GroupPayload, error) {
	err := r.Roster.UpdateGroup(ctx, roster.GroupChange{
		GroupID: input.GroupID, Name: input.Name, Description: input.Description,
		RoleIDs: input.RoleIds, ExpectedVersion: input.ExpectedVersion,
	})
	return r.groupPayload(ctx, input.GroupID, err)
}

// DeleteGroup is the resolver for the deleteGroup field.
func (r *mutationResolver) DeleteGroup(ctx context.Context, input model.DeleteGroupInput) (*model.DeleteGroupPayload, error) {
	p := &model.DeleteGroupPayload{}
	return complete(p, &p.UserErrors, r.Roster.DeleteGroup(ctx, input.GroupID), func() error {
		p.DeletedGroupID = &input.GroupID
		return nil
	})
}

// CreateDivision is the resolver for the createDivision field.
func (r *mutationResolver) CreateDivision(ctx context.Context, input model.CreateDivisionInput) (*model.DivisionPayload, error) {
	id, err := r.Roster.CreateDivision(ctx, roster.NewDivision{
		AccountID: input.AccountID, Name: input.Name, ParentID: orEmpty(input.ParentID), IdempotencyKey: input.IdempotencyKey,
	})
	return r.divisionPayload(ctx, id, err)
}

// UpdateDivision is the resolver for the updateDivision field.
func (r *mutationResolver) UpdateDivision(ctx context.Context, input model.UpdateDivisionInput) (*model.DivisionPayload, error) {
	err := r.Roster.UpdateDivision(ctx, roster.DivisionChange{
		DivisionID: input.DivisionID, Name: input.Name, ParentID: given(input.ParentID), ExpectedVersion: input.ExpectedVersion,
	})
	return r.divisionPayload(ctx, input.DivisionID, err)
}

// DeleteDivision is the resolver for the deleteDivision field.
func (r *mutationResolver) DeleteDivision(ctx context.Context, input model.DeleteDivisionInput) (*model.DeleteDivisionPayload, error) {
	p := &model.DeleteDivisionPayload{}
	err := r.Roster.DeleteDivision(ctx, input.DivisionID)
	return current(p, &p.UserErrors, err, func() error {
		if err == nil {
			p.DeletedDivisionID = &input.DivisionID
			return nil
		}
		p.Division, err = r.division(ctx, input.DivisionID)
		return err
	})
}

// ViewerCanUpdate is the resolver for the viewerCanUpdate field.
func (r *roleResolver) ViewerCanUpdate(ctx context.Context, obj *ent.Role) (bool, error) {
	return may(roster.AgainstRole(access.ViewerFrom(ctx), obj))
}

// ViewerCannotUpdateReasons is the resolver for the viewerCannotUpdateReasons field.
func (r *roleResolver) ViewerCannotUpdateReasons(ctx context.Context, obj *ent.Role) ([]act.Obstacle, error) {
	return roster.AgainstRole(access.ViewerFrom(ctx), obj), nil
}

// ViewerCanDelete is the resolver for the viewerCanDelete field.
func (r *roleResolver) ViewerCanDelete(ctx context.Context, obj *ent.Role) (bool, error) {
	return may(roster.AgainstRole(access.ViewerFrom(ctx), obj))
}

// ViewerCannotDeleteReasons is the resolver for the viewerCannotDeleteReasons field.
func (r *roleResolver) ViewerCannotDeleteReasons(ctx context.Context, obj *ent.Role) ([]act.Obstacle, error) {
	return roster.AgainstRole(access.ViewerFrom(ctx), obj), nil
}

// Division returns generated.DivisionResolver implementation.
func (r *Resolver) Division() generated.DivisionResolver { return &divisionResolver{r} }

// Group returns generated.GroupResolver implementation.
func (r *Resolver) Group() generated.GroupResolver { return &groupResolver{r} }

// Role returns generated.RoleResolver implementation.
func (r *Resolver) Role() generated.RoleResolver { return &roleResolver{r} }

type (
	divisionResolver struct{ *Resolver }
	groupResolver    struct{ *Resolver }
	roleResolver     struct{ *Resolver }
)
