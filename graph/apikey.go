package graph

import (
	"context"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/apikey"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/internal/access"
)

func (r *Resolver) keyPayload(ctx context.Context, id string, err error) (*model.APIKeyPayload, error) {
	p := &model.APIKeyPayload{}
	return current(p, &p.UserErrors, err, func() (err error) {
		p.APIKey, err = r.apiKey(ctx, id)
		return err
	})
}

// apiKey returns the API key of a payload as the viewer sees it. One who may manage keys and
// not see them gets its name.
func (r *Resolver) apiKey(ctx context.Context, id string) (*ent.APIKey, error) {
	q := r.read(ctx).APIKey.Query().Where(apikey.ID(id))
	r.withKey(ctx, selected(ctx).under("apiKey"))(q)
	k, err := q.Only(ctx)
	if ent.IsNotFound(err) {
		k, err = r.read(ctx).APIKey.Get(access.System(ctx, "name the key that the viewer has changed"), id)
	}
	return access.KnownKey(ctx, k), err
}

// keyStatus returns whether an API key works at the time; nil for a hidden one.
func keyStatus(k *ent.APIKey, now time.Time) *model.APIKeyStatus {
	status := model.APIKeyStatusActive
	switch {
	case k.CreatedAt.IsZero():
		return nil
	case k.RevokedAt != nil:
		status = model.APIKeyStatusRevoked
	case k.ExpiresAt != nil && !k.ExpiresAt.After(now):
		status = model.APIKeyStatusExpired
	}
	return &status
}
