package server

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/convoke-dev/convoke/graph/stream"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/auth"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/limit"
	"github.com/convoke-dev/convoke/server/graphqlws"
)

const (
	// initWithin limits the time until a WebSocket's connection_init.
	initWithin = 5 * time.Second
	// pingEvery is how often a WebSocket is pinged, and how often a comment is sent
	// in a quiet event stream.
	pingEvery = 20 * time.Second
	// sendWithin limits how long a message to a WebSocket may stay unread: longer
	// than a short interruption of the network, shorter than a user would wait.
	sendWithin = 10 * time.Second
	// operationsPerSocket is how many operations may run on a WebSocket at once.
	operationsPerSocket = 100
	// quietPings is for how many times pingEvery a WebSocket on which nobody is signed in
	// stays open without an operation: a minute.
	quietPings = 3
	// lookEvery is how often the sessions of all WebSockets are checked. When a
	// session has ended, its idle WebSockets are closed at once. Those with
	// operations are closed at the next check only, because their streams end by
	// themselves and send the reason first.
	lookEvery = time.Second
)

// errSessionEnded closes the WebSockets of a session that has ended.
var errSessionEnded = graphqlws.CloseError{Code: graphqlws.Unauthorized, Reason: "The session has ended"}

func (s *Server) newSockets() *graphqlws.Transport {
	busy := gqlerror.Errorf("Too many operations run on this connection.")
	busy.Extensions = fault.Extensions(fault.RateLimited)
	return graphqlws.New(&graphqlws.Transport{
		Init: s.initSocket, Who: holder, Fatal: endsSocket, Busy: busy, Closed: s.socketClosed,
		Stream: func(ctx context.Context, wake func()) context.Context { return stream.WithClient(ctx, wake, "") },
		Later:  stream.Later,
		Refuse: s.refuseSocket, Place: s.place,
		MaxMessage: maxBody, Operations: operationsPerSocket, QuietPings: quietPings,
		InitWithin: initWithin, PingEvery: pingEvery, WriteWithin: sendWithin,
	})
}

// refuseSocket responds to a request that does not become a WebSocket.
func (s *Server) refuseSocket(w http.ResponseWriter, r *http.Request, status int, reason string) {
	code := fault.BadUserInput
	switch {
	case status == http.StatusTooManyRequests:
		s.refusePlace(w, r, reason)
		return
	case status >= http.StatusInternalServerError:
		code = fault.Timeout // the same request may succeed later
	}
	refuse(w, r, status, code, "The WebSocket could not be opened: "+reason+".")
}

// onSocket returns the context that a WebSocket keeps of its request: the viewer, and
// the request's data for the event log. It drops everything else, including cookies.
func onSocket(ctx context.Context) context.Context {
	kept := limit.WithParty(event.WithRequest(context.Background(), event.RequestFrom(ctx)), limit.PartyFrom(ctx))
	return auth.OnSocket(access.WithViewer(kept, access.ViewerFrom(ctx)))
}

// initSocket identifies the viewer of a WebSocket by the credential in the payload of
// connection_init. Without one, the viewer of the upgrade request stays. It returns a
// CloseError: 4400 for a malformed payload or a credential that bearerOf refuses, 4403 for
// an invalid token, 1013 when the viewer could not be loaded.
func (s *Server) initSocket(ctx context.Context, payload json.RawMessage) (context.Context, error) {
	var sent map[string]any
	if len(payload) > 0 {
		if err := json.Unmarshal(payload, &sent); err != nil {
			return nil, graphqlws.CloseError{Code: graphqlws.BadRequest, Reason: "Invalid message: payload must be an object"}
		}
	}
	token, err := bearerOf(sent)
	if err != nil || token == "" {
		return ctx, err
	}
	v, err := s.Auth.Authenticate(ctx, token)
	switch {
	case fault.Is(err, fault.Unauthenticated):
		return nil, graphqlws.CloseError{Code: graphqlws.Forbidden, Reason: "Forbidden"}
	case err != nil:
		if !fault.Is(err, fault.Unavailable) { // which the store logs
			s.log.ErrorContext(ctx, "identify a socket", "request_id", event.RequestFrom(ctx).ID, "error", err)
		}
		return nil, graphqlws.CloseError{Code: graphqlws.TryAgainLater, Reason: "Try again later"}
	}
	ctx = access.WithViewer(ctx, v)
	return limit.WithParty(ctx, party(ctx)), nil
}

// holder returns the user and session of a WebSocket, which are empty for a visitor
// who is not signed in.
func holder(ctx context.Context) (userID, sessionID string) {
	if v := access.ViewerFrom(ctx); v != nil {
		return v.UserID, v.SessionID
	}
	return "", ""
}

// endsSocket returns the CloseError for a WebSocket whose session has ended, which an
// operation has found out. The WebSocket of a visitor who is not signed in stays open,
// because they may use operations that need no session.
func endsSocket(ctx context.Context, errs gqlerror.List) *graphqlws.CloseError {
	if _, sessionID := holder(ctx); sessionID == "" {
		return nil
	}
	for _, err := range errs {
		if err.Extensions["code"] == string(fault.Unauthenticated) {
			return &errSessionEnded
		}
	}
	return nil
}

func (s *Server) socketClosed(ctx context.Context, why graphqlws.CloseError, open time.Duration) {
	s.log.InfoContext(ctx, "socket closed", "request_id", event.RequestFrom(ctx).ID,
		"code", why.Code, "reason", why.Reason, "duration_ms", open.Milliseconds())
}

// watchSessions closes the WebSockets of sessions that have ended. It returns when ctx
// ends.
func (s *Server) watchSessions(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var before []string
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		ended, err := s.Auth.Ended(ctx, s.sockets.Sessions())
		if err != nil {
			if ctx.Err() == nil && !fault.Is(err, fault.Unavailable) {
				s.log.ErrorContext(ctx, "check the sessions of WebSockets", "error", err)
			}
			continue
		}
		for _, id := range ended {
			s.sockets.EndSession(id, s.present(ctx, auth.ErrEnded), errSessionEnded, slices.Contains(before, id))
		}
		before = ended
	}
}
