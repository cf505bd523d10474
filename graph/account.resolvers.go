package graph

import (
	"context"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/role"
	"github.com/convoke-dev/convoke/ent/team"
	"github.com/convoke-dev/convoke/graph/generated"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/graph/relay"
)

// Settings is the resolver for the settings field.
func (r *accountResolver) Settings(ctx context.Context, obj *ent.Account) (*model.AccountSettings, error) {
	return &model.AccountSettings{
		InvitationTTLHours: obj.InvitationTTLHours, CountPendingAsSeats: obj.CountPendingAsSeats,
		KeepInvitationsOfRemovedMembers: obj.KeepInvitationsOfRemovedMembers,
	}, nil
}

// Limits is the resolver for the limits field.
func (r *accountResolver) Limits(ctx context.Context, obj *ent.Account) (*model.AccountLimits, error) {
	return &model.AccountLimits{
		MultiUser: obj.MultiUser, MaxTeams: obj.MaxTeams,
		MaxMembersPerTeam: obj.MaxMembersPerTeam, MaxPendingInvitations: obj.MaxPendingInvitations,
	}, nil
}

// Teams is the resolver for the teams field.
func (r *accountResolver) Teams(ctx context.Context, obj *ent.Account, first *int, after *string) (*relay.Connection[*ent.Team], error) {
	q := r.read(ctx).Team.Query().Where(team.AccountID(obj.ID))
	withTeam(selected(ctx).nodes())(q)
	return relay.Page(ctx, q, relay.Args{First: first, After: after}, teamsByAge)
}

// Roles is the resolver for the roles field.
func (r *accountResolver) Roles(ctx context.Context, obj *ent.Account, first *int, after *string) (*relay.Connection[*ent.Role], error) {
	q := r.read(ctx).Role.Query().Where(role.AccountID(obj.ID))
	return relay.Page(ctx, q, relay.Args{First: first, After: after}, rolesByAge)
}

// Account returns generated.AccountResolver implementation.
func (r *Resolver) Account() generated.AccountResolver { return &accountResolver{r} }

type accountResolver struct{ *Resolver }
