package graph

import (
	"context"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/apikey"
	"github.com/convoke-dev/convoke/ent/team"
	"github.com/convoke-dev/convoke/graph/generated"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/graph/relay"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/roster"
)

// APIKeys is the resolver for the apiKeys field.
func (r *accountResolver) APIKeys(ctx context.Context, obj *ent.Account, first *int, after *string, last *int, before *string) (*relay.Connection[*ent.APIKey], error) {
	if _, err := access.RequireInAccount(ctx, obj.ID, access.APIKeysRead); err != nil {
		return nil, ofShown(err)
	}
	q := r.read(ctx).APIKey.Query().Where(apikey.AccountID(obj.ID))
	r.withKey(ctx, selected(ctx).nodes())(q)
	return relay.Page(ctx, q, relay.Args{First: first, After: after, Last: last, Before: before}, keysByAge)
}

// ViewerCanSeeAPIKeys is the resolver for the viewerCanSeeApiKeys field.
func (r *accountResolver) ViewerCanSeeAPIKeys(ctx context.Context, obj *ent.Account) (bool, error) {
	return access.ViewerFrom(ctx).CanInAccount(obj.ID, access.APIKeysRead), nil
}

// ViewerCanCreateAPIKeys is the resolver for the viewerCanCreateApiKeys field.
func (r *accountResolver) ViewerCanCreateAPIKeys(ctx context.Context, obj *ent.Account) (bool, error) {
	return may(againstAccount(ctx, obj.ID, access.APIKeysManage))
}

// ViewerCannotCreateAPIKeysReasons is the resolver for the viewerCannotCreateApiKeysReasons field.
func (r *accountResolver) ViewerCannotCreateAPIKeysReasons(ctx context.Context, obj *ent.Account) ([]act.Obstacle, error) {
	return againstAccount(ctx, obj.ID, access.APIKeysManage), nil
}

// Hint is the resolver for the hint field.
func (r *apiKeyResolver) Hint(ctx context.Context, obj *ent.APIKey) (*string, error) {
	return orNil(obj.Hint), nil
}

// Status is the resolver for the status field.
func (r *apiKeyResolver) Status(ctx context.Context, obj *ent.APIKey) (*model.APIKeyStatus, error) {
	return keyStatus(obj, r.Now()), nil
}

// Permissions is the resolver for the permissions field.
func (r *apiKeyResolver) Permissions(ctx context.Context, obj *ent.APIKey) ([]string, error) {
	return obj.Permissions, nil
}

// AccountWide is the resolver for the accountWide field.
func (r *apiKeyResolver) AccountWide(ctx context.Context, obj *ent.APIKey) (*bool, error) {
	if obj.CreatedAt.IsZero() { // hidden
		return nil, nil
	}
	return &obj.AccountWide, nil
}

// Team is the resolver for the team field.
func (r *apiKeyResolver) Team(ctx context.Context, obj *ent.APIKey) (*ent.Team, error) {
	if obj.TeamID == nil {
		return nil, nil
	}
	t, err := obj.Edges.TeamOrErr()
	return orNull(loaded(t, err, func() (*ent.Team, error) {
		q := r.read(ctx).Team.Query().Where(team.ID(*obj.TeamID))
		r.withTeam(ctx, selected(ctx))(q)
		return q.Only(ctx)
	}))
}

// Creator is the resolver for the creator field.
func (r *apiKeyResolver) Creator(ctx context.Context, obj *ent.APIKey) (model.Actor, error) {
	if obj.CreatedAt.IsZero() { // hidden
		return nil, nil
	}
	u, err := obj.Edges.CreatorOrErr()
	return r.userOrKey(ctx, edge[ent.User]{obj.CreatorID, u, err}, edge[ent.APIKey]{})
}

// CreatedAt is the resolver for the createdAt field.
func (r *apiKeyResolver) CreatedAt(ctx context.Context, obj *ent.APIKey) (*time.Time, error) {
	if obj.CreatedAt.IsZero() { // hidden
		return nil, nil
	}
	return &obj.CreatedAt, nil
}

// LastUsedFrom is the resolver for the lastUsedFrom field.
func (r *apiKeyResolver) LastUsedFrom(ctx context.Context, obj *ent.APIKey) (*string, error) {
	return orNil(obj.LastUsedIP), nil
}

// Version is the resolver for the version field.
func (r *apiKeyResolver) Version(ctx context.Context, obj *ent.APIKey) (*int, error) {
	if obj.Version == 0 { // hidden
		return nil, nil
	}
	return &obj.Version, nil
}

// ViewerCanManage is the resolver for the viewerCanManage field.
func (r *apiKeyResolver) ViewerCanManage(ctx context.Context, obj *ent.APIKey) (bool, error) {
	return may(againstAccount(ctx, obj.AccountID, access.APIKeysManage))
}

// ViewerCannotManageReasons is the resolver for the viewerCannotManageReasons field.
func (r *apiKeyResolver) ViewerCannotManageReasons(ctx context.Context, obj *ent.APIKey) ([]act.Obstacle, error) {
	return againstAccount(ctx, obj.AccountID, access.APIKeysManage), nil
}

// CreateAPIKey is the resolver for the createApiKey field.
func (r *mutationResolver) CreateAPIKey(ctx context.Context, input model.CreateAPIKeyInput) (*model.CreateAPIKeyPayload, error) {
	issued, err := r.Roster.CreateKey(ctx, roster.NewKey{
		AccountID: input.AccountID, TeamID: orEmpty(input.TeamID), Name: input.Name, Permissions: input.Permissions,
		ExpiresAt: input.ExpiresAt, IdempotencyKey: input.IdempotencyKey,
	})
	p := &model.CreateAPIKeyPayload{}
	return complete(p, &p.UserErrors, err, func() (err error) {
		p.Secret = orNil(issued.Secret)
		p.APIKey, err = r.apiKey(ctx, issued.ID)
		return err
	})
}

// UpdateAPIKey is the resolver for the updateApiKey field.
func (r *mutationResolver) UpdateAPIKey(ctx context.Context, input model.UpdateAPIKeyInput) (*model.APIKeyPayload, error) {
	err := r.Roster.UpdateKey(ctx, roster.KeyChange{
		KeyID: input.APIKeyID, Name: input.Name, Permissions: input.Permissions, ExpectedVersion: input.ExpectedVersion,
	})
	return r.keyPayload(ctx, input.APIKeyID, err)
}

// RevokeAPIKey is the resolver for the revokeApiKey field.
func (r *mutationResolver) RevokeAPIKey(ctx context.Context, input model.RevokeAPIKeyInput) (*model.APIKeyPayload, error) {
	return r.keyPayload(ctx, input.APIKeyID, r.Roster.RevokeKey(ctx, input.APIKeyID))
}

// APIKey is the resolver for the apiKey field.
func (r *viewerResolver) APIKey(ctx context.Context, obj *access.Viewer) (*ent.APIKey, error) {
	if !obj.IsKey() {
		return nil, nil
	}
	q := r.read(ctx).APIKey.Query().Where(apikey.ID(obj.UserID))
	r.withKey(ctx, selected(ctx))(q)
	return orNull(q.Only(ctx))
}

// ApiKey returns generated.ApiKeyResolver implementation.
func (r *Resolver) ApiKey() generated.ApiKeyResolver { return &apiKeyResolver{r} }

type apiKeyResolver struct{ *Resolver }
