package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/token"
	"github.com/convoke-dev/convoke/server/graphqlws"
)

const (
	// streamHeader and streamParameter carry the token of a reservation.
	streamHeader    = "X-GraphQL-Event-Stream-Token"
	streamParameter = "token"
	// operationParameter is the operation that a DELETE ends.
	operationParameter = "operationId"
)

// oneStream serves several operations over one event stream: the single connection mode of
// PROTOCOL.md of the npm package graphql-sse. Browsers open at most six connections to a
// server over HTTP/1.1, and each stream of the other mode takes one.
//
//	PUT                     201, reserves a stream; the body is its token
//	GET     with the token  200, the stream
//	POST    with the token  202, starts an operation under extensions.operationId
//	DELETE  with the token  200, ends the operation of the parameter operationId
//
// The stream has `next` for each response of an operation and `complete` for its end, each
// with the operation's id. A reservation belongs to the session that made it; with another
// session or none the token is unknown. Errors are JSON, whatever the client accepts,
// because clients look at their status.
type oneStream struct {
	connections *graphqlws.Transport
	refusePlace func(w http.ResponseWriter, r *http.Request, reason string)
	log         *slog.Logger
	// every is the time after which a comment is sent in a quiet stream.
	every time.Duration

	mu      sync.Mutex
	byToken map[string]*reservation
}

// isOneStream reports whether the request is of the single connection mode.
func isOneStream(r *http.Request) bool {
	switch r.Method {
	case http.MethodPut, http.MethodDelete:
		return true
	case http.MethodGet, http.MethodPost:
		return r.Header.Get("Upgrade") == "" && streamToken(r) != ""
	default:
		return false
	}
}

// streamToken returns the token of a reservation in the request; empty without one.
func streamToken(r *http.Request) string {
	if t := r.Header.Get(streamHeader); t != "" {
		return t
	}
	return r.URL.Query().Get(streamParameter)
}

// Supports reports whether the request is for this transport.
func (*oneStream) Supports(r *http.Request) bool { return isOneStream(r) }

// Do handles the request.
func (t *oneStream) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	if r.Method == http.MethodPut {
		t.reserve(w, r, exec)
		return
	}
	v := t.find(r)
	switch {
	case v == nil:
		refuse(w, r, http.StatusNotFound, fault.NotFound, "There is no such event stream. Reserve one with PUT.")
	case r.Method == http.MethodPost:
		t.execute(w, r, v)
	case r.Method == http.MethodDelete:
		complete(w, r, v)
	case !v.claim():
		refuse(w, r, http.StatusConflict, fault.BadUserInput, "This event stream is open already. Reserve another one with PUT.")
	default:
		// The stream may stay open for longer than the read deadline.
		if err := http.NewResponseController(w).SetReadDeadline(time.Time{}); err != nil {
			t.log.Debug("clear the read deadline", "error", err)
		}
		eventHeaders(w.Header())
		v.serve(w, r, t.every)
	}
}

// reserve responds to a PUT with the token of a reservation.
func (t *oneStream) reserve(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	ctx := onSocket(r.Context())
	_, session := holder(ctx)
	if session == "" {
		w.Header().Set("WWW-Authenticate", "Bearer")
		refuse(w, r, http.StatusUnauthorized, fault.Unauthenticated, "Sign in first. An event stream belongs to a session.")
		return
	}
	opened := time.Now()
	v := &reservation{token: token.Random("est_"), session: session}
	v.closed = func(v *reservation, why graphqlws.CloseError) {
		t.forget(v)
		t.log.InfoContext(ctx, "event stream closed", "request_id", event.RequestFrom(ctx).ID,
			"reason", why.Reason, "duration_ms", time.Since(opened).Milliseconds())
	}
	line, err := t.connections.Open(ctx, exec, v)
	switch {
	case errors.Is(err, graphqlws.ErrClosed):
		refuse(w, r, http.StatusServiceUnavailable, fault.Timeout, "The server is stopping.")
		return
	case err != nil:
		t.refusePlace(w, r, err.Error())
		return
	}
	v.line = line
	v.expiry = time.AfterFunc(reservedFor, v.expire)
	t.keep(v)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write([]byte(v.token)) // the client may have gone; then the reservation expires
}

// execute starts the operation in the body of a POST. All of its responses go to the
// stream, also why it was refused: graphql-sse tells its user nothing about another status
// but the number, tries again, and leaves the old stream open.
func (t *oneStream) execute(w http.ResponseWriter, r *http.Request, v *reservation) {
	params, bad := readBody(w, r)
	if bad != nil {
		refuse(w, r, bad.status, fault.BadUserInput, bad.message)
		return
	}
	id, _ := params.Extensions["operationId"].(string)
	if id == "" {
		refuse(w, r, http.StatusBadRequest, fault.BadUserInput, "extensions.operationId must be a string that is not empty.")
		return
	}
	if len(id) > graphqlws.MaxID {
		refuse(w, r, http.StatusBadRequest, fault.BadUserInput, fmt.Sprintf("extensions.operationId has at most %d bytes.", graphqlws.MaxID))
		return
	}
	params.Headers = r.Header
	switch err := v.line.Execute(onSocket(r.Context()), id, params); {
	case errors.Is(err, graphqlws.ErrExists):
		refuse(w, r, http.StatusConflict, fault.BadUserInput, "An operation with this operationId runs already.")
	case err != nil:
		refuse(w, r, http.StatusNotFound, fault.NotFound, "The event stream has ended. Reserve another one with PUT.")
	default:
		w.WriteHeader(http.StatusAccepted)
	}
}

// complete responds to a DELETE. An unknown operation may just have ended, so it is no error.
func complete(w http.ResponseWriter, r *http.Request, v *reservation) {
	id := r.URL.Query().Get(operationParameter)
	if id == "" {
		refuse(w, r, http.StatusBadRequest, fault.BadUserInput, "The parameter operationId is missing.")
		return
	}
	v.line.Complete(id)
	w.WriteHeader(http.StatusOK)
}

// find returns the reservation of the request's token, if the request's session made it
// and it is not over.
func (t *oneStream) find(r *http.Request) *reservation {
	t.mu.Lock()
	v := t.byToken[streamToken(r)]
	t.mu.Unlock()
	if _, session := holder(r.Context()); v == nil || v.session != session {
		return nil
	}
	select {
	case <-v.line.Done():
		return nil
	default:
		return v
	}
}

func (t *oneStream) keep(v *reservation) {
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case <-v.line.Done(): // the server stops, or the session has ended: Closed may have been called
	default:
		t.byToken[v.token] = v
	}
}

func (t *oneStream) forget(v *reservation) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.byToken, v.token)
}
