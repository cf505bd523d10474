// Package graph answers GraphQL: a resolver decodes, makes one call, returns.
// Rules live in the domain packages, rights in access.
package graph

import (
	"context"
	"slices"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/auth"
	"github.com/convoke-dev/convoke/internal/invite"
	"github.com/convoke-dev/convoke/internal/live"
	"github.com/convoke-dev/convoke/internal/roster"
	"github.com/convoke-dev/convoke/internal/store"
)

// Resolver is the root of all resolvers: what they need to answer.
type Resolver struct {
	Store   *store.Store
	Access  access.Loader
	Auth    *auth.Service
	Invites *invite.Service
	Roster  *roster.Service
	Live    *live.Service
	Now     func() time.Time
	Info    model.ServerInfo
}

type snapshotKey struct{}

// ofOneMoment are fields that have a query see one moment: with a cursor, what
// is listed and where the log stands belong together, and a subscription from
// there leaves no gap and no double; numbers of people agree with their lists,
// whatever expires meanwhile.
var ofOneMoment = []string{"eventCursor", "counts"}

// WithSnapshot returns the context of a query whose reads all see one moment, when
// it asks for fields that need it. done gives the snapshot back.
func (r *Resolver) WithSnapshot(ctx context.Context) (_ context.Context, done func(), err error) {
	op := graphql.GetOperationContext(ctx)
	if !slices.ContainsFunc(ofOneMoment, func(name string) bool { return asksFor(op, name) }) {
		return ctx, func() {}, nil
	}
	client, done, err := r.Store.Snapshot(ctx)
	return context.WithValue(ctx, snapshotKey{}, client), done, err
}

// read returns the guarded client to read with: the operation's snapshot, if
// it has one.
func (r *Resolver) read(ctx context.Context) *ent.Client {
	if client, ok := ctx.Value(snapshotKey{}).(*ent.Client); ok {
		return client
	}
	return r.Store.Read()
}
