// Package graph answers GraphQL: a resolver decodes, makes one call, returns.
// Rules live in the domain packages, rights in access.
package graph

import (
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/auth"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/invite"
)

// Resolver is the root of all resolvers: what they need to answer.
type Resolver struct {
	Read    *ent.Client // guarded
	Access  access.Loader
	Auth    *auth.Service
	Invites *invite.Service
	Hub     *event.Hub
	Now     func() time.Time
	Info    model.ServerInfo
	Present graphql.ErrorPresenterFunc
}
