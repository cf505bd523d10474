package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/gorilla/websocket"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/convoke-dev/convoke/graph"
	"github.com/convoke-dev/convoke/graph/generated"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/server/graphqlws"
)

const (
	maxBody = 256 << 10
	// answerWithin limits the time of a query or mutation.
	answerWithin = 10 * time.Second
	cachedParses = 500

	maxTokens = 2000
	maxDepth  = 15
	maxFields = 500
	maxValues = 10_000
)

// graphql returns the handler of the GraphQL endpoint, which accepts POST,
// server-sent events and WebSockets.
func (s *Server) graphql() http.Handler {
	schema := generated.NewExecutableSchema(generated.Config{Schema: graph.Schema(), Resolvers: s.resolver})
	g := handler.New(schema)
	g.AddTransport(strict{s.sockets})
	g.AddTransport(strict{sse{stopping: s.hub.Stopping(), every: pingEvery}})
	g.AddTransport(strict{post{}})
	g.SetValidationRulesFn(graph.ValidationRules)
	g.SetQueryCache(lru.New[*ast.QueryDocument](cachedParses))
	g.SetParserTokenLimit(maxTokens)
	g.SetErrorPresenter(s.present)
	g.SetRecoverFunc(s.recovered)
	g.SetDisableSuggestion(!s.cfg.Introspection)
	g.Use(graph.Limits{Depth: maxDepth, Fields: maxFields, Values: maxValues, Introspection: s.cfg.Introspection})
	if s.cfg.Introspection {
		g.Use(extension.Introspection{})
	}
	g.AroundRootFields(perClient(s.perClient))
	g.AroundOperations(s.operation)
	g.AroundOperations(s.streams.Intercept(schema))
	return s.endpoint(g)
}

// oneAnswerKey marks the context of a request that accepts one response and no
// stream.
type oneAnswerKey struct{}

// endpoint checks the origin and the form of a request, and identifies the viewer,
// before the request reaches gqlgen.
func (s *Server) endpoint(g http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		upgrade := r.Header.Get("Upgrade") != ""
		if !s.fromOurPages(w, r, upgrade) || !upgrade && !s.readPost(w, r) {
			return
		}
		ctx, err := s.Auth.Identify(w, r, s.secure())
		if err != nil {
			s.refuseIdentity(ctx, w, err) //nolint:contextcheck // it takes the request, and so its context
			return
		}
		switch {
		case upgrade:
			ctx = onSocket(ctx)
		case !strings.Contains(r.Header.Get("Accept"), typeEvents):
			ctx = context.WithValue(ctx, oneAnswerKey{}, true)
		}
		g.ServeHTTP(w, r.WithContext(ctx)) //nolint:contextcheck // as above
	}
}

// fromOurPages refuses requests from pages of foreign origins, and WebSockets with
// another sub-protocol. It returns false when it has responded.
func (s *Server) fromOurPages(w http.ResponseWriter, r *http.Request, upgrade bool) bool {
	origin := r.Header.Get("Origin")
	if origin != "" && !s.welcome(origin, r.Host) {
		refuse(w, http.StatusForbidden, fault.Forbidden, "This origin is not allowed.")
		return false
	}
	if !upgrade {
		return true
	}
	if !slices.Contains(websocket.Subprotocols(r), graphqlws.Protocol) {
		refuse(w, http.StatusBadRequest, fault.BadUserInput, "The sub-protocol must be "+graphqlws.Protocol+".")
		return false
	}
	if origin == "" {
		// The client is no browser. Without an origin, a cookie proves nothing.
		r.Header.Del("Cookie")
	}
	return true
}

func (s *Server) refuseIdentity(ctx context.Context, w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	if fault.Is(err, fault.Unauthenticated) {
		status = http.StatusUnauthorized
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	writeErrors(w, status, gqlerror.List{s.present(ctx, err)})
}

// welcome reports whether a page of that origin may send requests: the server's own
// pages, and those of the configured origins. The origin "null" may not.
func (s *Server) welcome(origin, host string) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return false
	}
	own := s.cfg.PublicURL
	return u.Scheme == own.Scheme && u.Host == own.Host ||
		slices.Contains(s.cfg.CORSOrigins, origin) ||
		// All names of loopback mean the same machine.
		u.Host == host && loopback(u.Hostname()) && loopback(own.Hostname())
}

func loopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// readPost reads the body of a POST within its limits. It refuses malformed bodies,
// because gqlgen would repeat them in its error. It returns false when it has
// responded.
func (s *Server) readPost(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		refuse(w, http.StatusMethodNotAllowed, fault.BadUserInput, "Send a POST.")
		return false
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != typeJSON {
		refuse(w, http.StatusUnsupportedMediaType, fault.BadUserInput, "The content type must be application/json.")
		return false
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		refuse(w, http.StatusRequestEntityTooLarge, fault.BadUserInput, "The request is too large.")
		return false
	case err != nil:
		refuse(w, http.StatusBadRequest, fault.BadUserInput, "The request could not be read.")
		return false
	}
	var params graphql.RawParams
	if err := json.Unmarshal(body, &params); err != nil || params.Query == "" {
		refuse(w, http.StatusBadRequest, fault.BadUserInput, "The body must be a JSON object with a query.")
		return false
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	// The whole request has been read. A stream may stay open for longer than the
	// read deadline.
	if err := http.NewResponseController(w).SetReadDeadline(time.Time{}); err != nil {
		s.log.Debug("clear the read deadline", "error", err)
	}
	return true
}

func refuse(w http.ResponseWriter, status int, code fault.Code, message string) {
	err := gqlerror.Errorf("%s", message)
	err.Extensions = fault.Extensions(code)
	writeErrors(w, status, gqlerror.List{err})
}

// operation limits the time of queries and mutations, refuses subscriptions that
// accept one response only, and prepares the context of each operation.
func (s *Server) operation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	ctx, err := s.Auth.ForOperation(ctx)
	if err != nil {
		return graphql.OneShot(&graphql.Response{Errors: gqlerror.List{s.present(ctx, err)}})
	}
	op := graphql.GetOperationContext(ctx)
	kind := op.Operation.Operation
	if one, _ := ctx.Value(oneAnswerKey{}).(bool); one && kind == ast.Subscription {
		err := fault.Refuse(fault.BadUserInput, "A subscription needs a WebSocket, or server-sent events: Accept: text/event-stream.")
		return graphql.OneShot(&graphql.Response{Errors: gqlerror.List{s.present(ctx, err)}})
	}
	if kind == ast.Subscription {
		return next(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	done := func() {}
	if kind == ast.Query {
		ctx, done, err = s.resolver.WithSnapshot(ctx)
	}
	if err != nil {
		cancel()
		return graphql.OneShot(&graphql.Response{Errors: gqlerror.List{s.present(ctx, err)}})
	}
	answer := next(ctx)
	return func(inner context.Context) *graphql.Response {
		defer cancel()
		defer done()
		return answer(inner)
	}
}

// recovered logs a panic of a resolver, and returns an error for its field.
func (s *Server) recovered(ctx context.Context, panicked any) error {
	s.log.ErrorContext(ctx, "panic", "request_id", event.RequestFrom(ctx).ID, "panic", panicked, "stack", string(debug.Stack()))
	return errors.New("panic in a resolver")
}
