package graph

import (
	"context"

	"github.com/convoke-dev/convoke/ent"
)

func (r *Resolver) userOf(ctx context.Context, m *ent.Member) (*ent.User, error) {
	u, err := m.Edges.UserOrErr()
	return loaded(u, err, func() (*ent.User, error) { return r.read(ctx).User.Get(ctx, m.UserID) })
}
