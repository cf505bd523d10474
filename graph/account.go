package graph

import (
	"context"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/internal/address"
)

func (r *Resolver) accountOf(ctx context.Context, t *ent.Team) (*ent.Account, error) {
	a, err := t.Edges.AccountOrErr()
	return loaded(a, err, func() (*ent.Account, error) { return r.read(ctx).Account.Get(ctx, t.AccountID) })
}

// userOfAccount finds a user by address among the members the viewer may see.
func (r *Resolver) userOfAccount(ctx context.Context, acc *ent.Account, email string) (*ent.User, error) {
	addr, bad := address.Parse(email)
	if bad != nil {
		return nil, nil //nolint:nilnil,nilerr // no user has an invalid address
	}
	m, err := orNull(r.read(ctx).Member.Query().Where(member.AccountID(acc.ID), member.EmailKey(addr.Key)).
		Order(member.ByCreatedAt(), member.ByID()).First(ctx))
	if err != nil || m == nil {
		return nil, err
	}
	return orNull(r.read(ctx).User.Get(ctx, m.UserID))
}
