// Package graph has the resolvers of the schema. A resolver decodes its input, makes one
// call, and returns. The rules are in the domain packages, the permissions in access.
//
// Beside each X.resolvers.go, which gqlgen writes and of which only the bodies are ours,
// X.go has its helpers. The other files are named after a mechanism:
//
//	payload    payloads and user errors of mutations
//	input      decoding of inputs
//	nodes      node, nodes
//	eager      which edges are loaded with a list, by the selected fields
//	filter     conditions of filters
//	order      orders of lists
//	limit      depth, width and cost of operations
//	budget     what an operation is charged while it runs
//	validation the rules of documents
//	variables  the values of variables, and the literals of custom scalars
//	errors     what clients see of an error
//	resolver   dependencies, and the snapshot of a query
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
	"github.com/convoke-dev/convoke/internal/person"
	"github.com/convoke-dev/convoke/internal/roster"
	"github.com/convoke-dev/convoke/internal/store"
)

// Resolver is the root of all resolvers, with their dependencies.
type Resolver struct {
	Store   *store.Store
	Access  access.Loader
	Auth    *auth.Service
	Invites *invite.Service
	Roster  *roster.Service
	Live    *live.Service
	People  *person.Service
	Now     func() time.Time
	Info    model.ServerInfo
}

type snapshotKey struct{}

// ofOneMoment are fields that make a query read from one snapshot. A list and the
// eventCursor beside it must be of one moment, so that a subscription after that cursor
// neither misses an event nor repeats one. Counts must agree with the lists beside them,
// whatever expires meanwhile.
var ofOneMoment = []string{"eventCursor", "receivedInvitationsCursor", "counts"}

// WithSnapshot returns the context of a query. When the query selects a field that needs
// it, all its reads use one snapshot. The caller calls done to release the snapshot.
func (r *Resolver) WithSnapshot(ctx context.Context) (_ context.Context, done func(), err error) {
	op := graphql.GetOperationContext(ctx)
	if !slices.ContainsFunc(ofOneMoment, func(name string) bool { return asksFor(op, name) }) {
		return ctx, func() {}, nil
	}
	client, done, err := r.Store.Snapshot(ctx)
	return context.WithValue(ctx, snapshotKey{}, client), done, err
}

// read returns the guarded client to read with: the operation's snapshot if there is one.
func (r *Resolver) read(ctx context.Context) *ent.Client {
	if client, ok := ctx.Value(snapshotKey{}).(*ent.Client); ok {
		return client
	}
	return r.Store.Read()
}
