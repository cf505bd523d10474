package graph

import (
	"context"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/account"
	"github.com/convoke-dev/convoke/ent/team"
	"github.com/convoke-dev/convoke/graph/generated"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/graph/relay"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/invite"
)

// SignOut is the resolver for the signOut field.
func (r *mutationResolver) SignOut(ctx context.Context) (*model.SignOutPayload, error) {
	if err := r.Auth.SignOut(ctx); err != nil {
		return nil, err
	}
	signedOut(ctx)
	return &model.SignOutPayload{UserErrors: []*model.UserError{}}, nil
}

// Viewer is the resolver for the viewer field.
func (r *queryResolver) Viewer(ctx context.Context) (*access.Viewer, error) {
	return access.ViewerFrom(ctx), nil
}

// Node is the resolver for the node field.
func (r *queryResolver) Node(ctx context.Context, id string) (model.Node, error) {
	found, err := r.nodes(ctx, []string{id})
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

// Nodes is the resolver for the nodes field.
func (r *queryResolver) Nodes(ctx context.Context, ids []string) ([]model.Node, error) {
	if len(ids) > relay.MaxPage {
		return nil, fault.Refuse(fault.BadUserInput, "At most %d ids can be asked for at once.", relay.MaxPage)
	}
	return r.nodes(ctx, ids)
}

// Account is the resolver for the account field.
func (r *queryResolver) Account(ctx context.Context, id string) (*ent.Account, error) {
	return orNull(r.read(ctx).Account.Query().Where(account.ID(id), access.OwnAccounts(ctx)).Only(ctx))
}

// Team is the resolver for the team field.
func (r *queryResolver) Team(ctx context.Context, id *string) (*ent.Team, error) {
	if id == nil {
		v := access.ViewerFrom(ctx)
		if v == nil {
			return nil, nil
		}
		return r.homeTeam(ctx, v)
	}
	q := r.read(ctx).Team.Query().Where(team.ID(*id), access.OwnTeams(ctx))
	r.withTeam(ctx, selected(ctx))(q)
	return orNull(q.Only(ctx))
}

// InvitationByToken is the resolver for the invitationByToken field.
func (r *queryResolver) InvitationByToken(ctx context.Context, token string) (*invite.Preview, error) {
	p, err := r.Invites.Preview(ctx, token)
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	return p, err
}

// Permissions is the resolver for the permissions field.
func (r *queryResolver) Permissions(ctx context.Context) ([]*access.Module, error) {
	modules := r.Access.Catalogue.Modules()
	groups := make([]*access.Module, len(modules))
	for i := range modules {
		groups[i] = &modules[i]
	}
	return groups, nil
}

// ServerInfo is the resolver for the serverInfo field.
func (r *queryResolver) ServerInfo(ctx context.Context) (*model.ServerInfo, error) {
	return &r.Info, nil
}

// Mutation returns generated.MutationResolver implementation.
func (r *Resolver) Mutation() generated.MutationResolver { return &mutationResolver{r} }

// Query returns generated.QueryResolver implementation.
func (r *Resolver) Query() generated.QueryResolver { return &queryResolver{r} }

type (
	mutationResolver struct{ *Resolver }
	queryResolver    struct{ *Resolver }
)
