package graph

import (
	"context"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/division"
	"github.com/convoke-dev/convoke/ent/group"
	"github.com/convoke-dev/convoke/ent/role"
	"github.com/convoke-dev/convoke/ent/team"
	"github.com/convoke-dev/convoke/graph/generated"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/graph/relay"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/roster"
)

// Settings is the resolver for the settings field.
func (r *accountResolver) Settings(ctx context.Context, obj *ent.Account) (*model.AccountSettings, error) {
	if _, err := access.RequireInAccount(ctx, obj.ID, access.AccountRead); err != nil {
		return nil, ofShown(err)
	}
	return &model.AccountSettings{
		InvitationTTLHours: obj.InvitationTTLHours, CountPendingAsSeats: obj.CountPendingAsSeats,
		KeepInvitationsOfRemovedMembers: obj.KeepInvitationsOfRemovedMembers,
	}, nil
}

// Limits is the resolver for the limits field.
func (r *accountResolver) Limits(ctx context.Context, obj *ent.Account) (*model.AccountLimits, error) {
	if _, err := access.RequireInAccount(ctx, obj.ID, access.AccountRead); err != nil {
		return nil, ofShown(err)
	}
	return &model.AccountLimits{
		MultiUser: obj.MultiUser, MaxTeams: obj.MaxTeams,
		MaxMembersPerTeam: obj.MaxMembersPerTeam, MaxPendingInvitations: obj.MaxPendingInvitations,
	}, nil
}

// Teams is the resolver for the teams field.
func (r *accountResolver) Teams(ctx context.Context, obj *ent.Account, first *int, after *string, last *int, before *string) (*relay.Connection[*ent.Team], error) {
	q := r.read(ctx).Team.Query().Where(team.AccountID(obj.ID))
	r.withTeam(ctx, selected(ctx).nodes())(q)
	return relay.Page(ctx, q, relay.Args{First: first, After: after, Last: last, Before: before}, teamsByAge)
}

// Roles is the resolver for the roles field.
func (r *accountResolver) Roles(ctx context.Context, obj *ent.Account, first *int, after *string, last *int, before *string) (*relay.Connection[*ent.Role], error) {
	if err := access.RequireRoles(ctx, obj.ID); err != nil {
		return nil, ofShown(err)
	}
	q := r.read(ctx).Role.Query().Where(role.AccountID(obj.ID))
	return relay.Page(ctx, q, relay.Args{First: first, After: after, Last: last, Before: before}, rolesByAge)
}

// Groups is the resolver for the groups field.
func (r *accountResolver) Groups(ctx context.Context, obj *ent.Account, first *int, after *string, last *int, before *string) (*relay.Connection[*ent.Group], error) {
	if err := access.RequireRoles(ctx, obj.ID); err != nil {
		return nil, ofShown(err)
	}
	q := r.read(ctx).Group.Query().Where(group.AccountID(obj.ID))
	withGroup(selected(ctx).nodes())(q)
	return relay.Page(ctx, q, relay.Args{First: first, After: after, Last: last, Before: before}, groupsByAge)
}

// Divisions is the resolver for the divisions field.
func (r *accountResolver) Divisions(ctx context.Context, obj *ent.Account, first *int, after *string, last *int, before *string) (*relay.Connection[*ent.Division], error) {
	q := r.read(ctx).Division.Query().Where(division.AccountID(obj.ID))
	withDivision(selected(ctx).nodes())(q)
	return relay.Page(ctx, q, relay.Args{First: first, After: after, Last: last, Before: before}, divisionsByAge)
}

// User is the resolver for the user field.
func (r *accountResolver) User(ctx context.Context, obj *ent.Account, email string) (*ent.User, error) {
	return r.userOfAccount(ctx, obj, email)
}

// ViewerCanSeeSettings is the resolver for the viewerCanSeeSettings field.
func (r *accountResolver) ViewerCanSeeSettings(ctx context.Context, obj *ent.Account) (bool, error) {
	_, err := access.RequireInAccount(ctx, obj.ID, access.AccountRead)
	return err == nil, nil
}

// ViewerCanSeeRoles is the resolver for the viewerCanSeeRoles field.
func (r *accountResolver) ViewerCanSeeRoles(ctx context.Context, obj *ent.Account) (bool, error) {
	return access.RequireRoles(ctx, obj.ID) == nil, nil
}

// ViewerCanUpdate is the resolver for the viewerCanUpdate field.
func (r *accountResolver) ViewerCanUpdate(ctx context.Context, obj *ent.Account) (bool, error) {
	return may(againstAccount(ctx, obj.ID, access.AccountUpdate))
}

// ViewerCannotUpdateReasons is the resolver for the viewerCannotUpdateReasons field.
func (r *accountResolver) ViewerCannotUpdateReasons(ctx context.Context, obj *ent.Account) ([]act.Obstacle, error) {
	return againstAccount(ctx, obj.ID, access.AccountUpdate), nil
}

// UpdateAccount is the resolver for the updateAccount field.
func (r *mutationResolver) UpdateAccount(ctx context.Context, input model.UpdateAccountInput) (*model.UpdateAccountPayload, error) {
	err := r.Roster.UpdateAccount(ctx, roster.AccountChange{
		AccountID: input.AccountID, Name: input.Name, InvitationTTLHours: input.InvitationTTLHours,
		CountPendingAsSeats: input.CountPendingAsSeats, KeepInvitationsOfRemovedMembers: input.KeepInvitationsOfRemovedMembers,
	})
	p := &model.UpdateAccountPayload{}
	return complete(p, &p.UserErrors, err, func() (err error) {
		p.Account, err = r.read(ctx).Account.Get(ctx, input.AccountID)
		return err
	})
}

// Account returns generated.AccountResolver implementation.
func (r *Resolver) Account() generated.AccountResolver { return &accountResolver{r} }

type accountResolver struct{ *Resolver }
