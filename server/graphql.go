package server

import (
	"context"
	"errors"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/convoke-dev/convoke/graph"
	"github.com/convoke-dev/convoke/graph/generated"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/limit"
)

const (
	maxBody = 256 << 10
	// answerWithin limits the time of a query or mutation.
	answerWithin = 10 * time.Second

	maxTokens = 2000
)

// maxCost is the largest cost of one operation.
var maxCost = graph.Cost{Depth: 15, Fields: 500, Values: 10_000}

// graphql returns the handler of the GraphQL endpoint, which accepts POST,
// GET for queries, event streams, and WebSockets.
func (s *Server) graphql() (http.Handler, error) {
	documents, err := newPersisted(s.documents, s.cfg.DocumentsOnly)
	if err != nil {
		return nil, err
	}
	schema := generated.NewExecutableSchema(generated.Config{Schema: graph.Schema(), Resolvers: s.resolver})
	g := handler.New(schema)
	g.AddTransport(strict{s.sockets})
	g.AddTransport(strict{&oneStream{connections: s.sockets, refusePlace: s.refusePlace, log: s.log, every: pingEvery, byToken: map[string]*reservation{}}})
	g.AddTransport(strict{overHTTP{events: sse{stopping: s.hub.Stopping(), every: pingEvery}, place: s.place, refusePlace: s.refusePlace, log: s.log}})
	g.SetValidationRulesFn(graph.ValidationRules)
	g.SetQueryCache(documents)
	g.SetParserTokenLimit(maxTokens)
	g.SetErrorPresenter(s.present)
	g.SetRecoverFunc(s.recovered)
	g.SetDisableSuggestion(!s.cfg.Introspection)
	g.Use(graph.Limits{Cost: maxCost, Introspection: s.cfg.Introspection})
	if s.cfg.Introspection {
		g.Use(extension.Introspection{})
	}
	g.Use(documents) // after the limits, so that it keeps no document beyond them
	g.Use(wide{documents})
	g.AroundRootFields(perClient(s.perClient))
	g.AroundRootFields(trackWrites)
	g.AroundOperations(s.operation)
	g.AroundOperations(s.streams.Intercept(schema))
	return s.endpoint(g), nil
}

// bounded is graph.Bounded with the limits of one operation.
func bounded(ctx context.Context) (context.Context, func(*graphql.Response) *graphql.Response) {
	return graph.Bounded(ctx, maxCost)
}

// endpoint checks the origin and the Accept header of a request, and identifies the
// viewer, before the request reaches gqlgen.
func (s *Server) endpoint(g http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		upgrade := r.Header.Get("Upgrade") != ""
		w.Header().Add("Vary", "Accept")
		if r.Method == http.MethodGet && !upgrade {
			w.Header().Set("Cache-Control", "private, no-store")
		}
		if isOneStream(r) {
			r.Header.Set("Accept", typeResponse) // for errors: see oneStream
		}
		if !s.fromOurPages(w, r, upgrade) {
			return
		}
		if !upgrade && readAccept(r.Header).forAnswer() == "" {
			refuse(w, r, http.StatusNotAcceptable, fault.BadUserInput, "The Accept header must allow "+strings.Join(answerTypes, ", ")+" or */*.")
			return
		}
		ctx, err := s.Auth.Identify(w, r, s.secure())
		if err != nil {
			s.refuseIdentity(w, r.WithContext(ctx), err) //nolint:contextcheck // it takes the request, and so its context
			return
		}
		ctx = limit.WithParty(ctx, party(ctx)) //nolint:contextcheck // Identify has made it of the request's
		if upgrade {
			ctx = onSocket(ctx)
		}
		g.ServeHTTP(w, r.WithContext(ctx)) //nolint:contextcheck // as above
	}
}

func (s *Server) refuseIdentity(w http.ResponseWriter, r *http.Request, err error) {
	shown := s.present(r.Context(), err)
	code, _ := shown.Extensions["code"].(string)
	if fault.Code(code) == fault.Unauthenticated {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	respond(w, r, statusFor(fault.Code(code)), &graphql.Response{Errors: gqlerror.List{shown}})
}

// operation waits for the turn of an operation, prepares its context, and limits the time of
// queries and mutations.
func (s *Server) operation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	ctx, err := s.Auth.ForOperation(ctx)
	if err != nil {
		return graphql.OneShot(&graphql.Response{Errors: gqlerror.List{s.present(ctx, err)}})
	}
	op := graphql.GetOperationContext(ctx)
	ctx, turn, err := s.turn(ctx, op)
	if err != nil {
		return graphql.OneShot(&graphql.Response{Errors: gqlerror.List{s.present(ctx, err)}})
	}
	if op.Operation.Operation == ast.Subscription {
		defer turn.Leave() // each of its responses has a turn of its own
		return next(ctx)
	}
	whole := ctx
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	begun := false
	release := func() {
		cancel()
		turn.Leave()
	}
	defer func() {
		if !begun {
			release()
		}
	}()
	done := func() {}
	if op.Operation.Operation == ast.Query {
		if ctx, done, err = s.resolver.WithSnapshot(ctx); err != nil {
			return graphql.OneShot(&graphql.Response{Errors: gqlerror.List{s.present(ctx, err)}})
		}
	}
	ctx, within := bounded(ctx)
	answer := next(ctx)
	begun = true
	return func(inner context.Context) *graphql.Response {
		defer release()
		defer done()
		response := within(answer(inner))
		s.reportCost(inner, op, response)
		return s.keepUnread(whole, op, withoutEmptyData(response))
	}
}

// recovered logs a panic of a resolver, and returns an error for its field.
func (s *Server) recovered(ctx context.Context, panicked any) error {
	s.log.ErrorContext(ctx, "panic", "request_id", event.RequestFrom(ctx).ID, "panic", panicked, "stack", string(debug.Stack()))
	return errors.New("panic in a resolver")
}
