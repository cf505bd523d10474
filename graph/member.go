package graph

import (
	"context"
	"slices"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/access"
)

func (r *Resolver) userOf(ctx context.Context, m *ent.Member) (*ent.User, error) {
	u, err := m.Edges.UserOrErr()
	return loaded(u, err, func() (*ent.User, error) { return r.read(ctx).User.Get(ctx, m.UserID) })
}

// withUser leaves out the members who were removed while they were read: their users are
// not visible any more.
func withUser(members []*ent.Member, asked selection) []*ent.Member {
	return slices.DeleteFunc(members, func(m *ent.Member) bool { return asked.has("user") && m.Edges.User == nil })
}

// viewerCanActOn reports whether the viewer may use the permission on the member. Nobody
// may use one on the owner or on themselves.
func viewerCanActOn(ctx context.Context, m *ent.Member, permission string) bool {
	v := access.ViewerFrom(ctx)
	return v.Can(m.TeamID, permission) && !m.IsOwner && m.UserID != v.UserID
}
