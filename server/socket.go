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
	"github.com/convoke-dev/convoke/server/graphqlws"
)

const (
	// initWithin bounds how long a socket may stay without connection_init.
	initWithin = 5 * time.Second
	// pingEvery is how often a quiet stream shows that it lives.
	pingEvery = 20 * time.Second
	// sendWithin bounds how long a client may leave a message unread: longer than
	// a hiccup of its network, shorter than anybody waits for news.
	sendWithin = 10 * time.Second
	// operationsPerSocket is how many operations may run on a socket at once.
	operationsPerSocket = 100
	// socketsPerUser is how many sockets a user may have where nothing else is set.
	socketsPerUser = 20
	// lookEvery is how often the sessions of all sockets are looked at. One that is
	// gone has its sockets closed; those on which operations run when it is gone twice
	// in a row, for these go first, and say why.
	lookEvery = time.Second
)

// errSessionEnded is said to the holder of a session that is no more.
var errSessionEnded = graphqlws.CloseError{Code: graphqlws.Unauthorized, Reason: "The session has ended"}

func (s *Server) newSockets() *graphqlws.Transport {
	busy := gqlerror.Errorf("Too many operations run on this connection.")
	busy.Extensions = fault.Extensions(fault.RateLimited)
	return graphqlws.New(&graphqlws.Transport{
		Init: s.initSocket, Who: holder, Fatal: endsSocket, Busy: busy, Closed: s.socketClosed,
		Stream: func(ctx context.Context, wake func()) context.Context { return stream.WithClient(ctx, wake, "") },
		Later:  stream.Later,
		Refuse: func(w http.ResponseWriter, status int, reason string) {
			code := fault.BadUserInput
			if status >= http.StatusInternalServerError {
				code = fault.Timeout // the same request may do better later
			}
			refuse(w, status, code, "No WebSocket: "+reason+".")
		},
		MaxMessage: maxBody, Operations: operationsPerSocket, PerUser: s.cfg.SocketsPerUser,
		InitWithin: initWithin, PingEvery: pingEvery, WriteWithin: sendWithin,
	})
}

// onSocket returns what a socket keeps of its request: who asks, and what the
// audit notes. The rest of the request goes with it, its cookies among them.
func onSocket(ctx context.Context) context.Context {
	kept := event.WithRequest(context.Background(), event.RequestFrom(ctx))
	return auth.OnSocket(access.WithViewer(kept, access.ViewerFrom(ctx)))
}

// initSocket identifies a socket by the authorization of its connection_init,
// or else as its upgrade did.
func (s *Server) initSocket(ctx context.Context, payload json.RawMessage) (context.Context, error) {
	var sent map[string]any
	if len(payload) > 0 {
		if err := json.Unmarshal(payload, &sent); err != nil {
			return nil, graphqlws.CloseError{Code: graphqlws.BadRequest, Reason: "Invalid message: payload must be an object"}
		}
	}
	var authorization string
	for _, name := range []string{"authorization", "Authorization"} {
		if text, ok := sent[name].(string); ok && authorization == "" {
			authorization = text
		}
	}
	if authorization == "" {
		return ctx, nil
	}
	v, err := s.Auth.Authenticate(ctx, auth.Bearer(authorization))
	switch {
	case fault.Is(err, fault.Unauthenticated):
		return nil, graphqlws.CloseError{Code: graphqlws.Forbidden, Reason: "Forbidden"}
	case err != nil:
		s.log.ErrorContext(ctx, "identify a socket", "request_id", event.RequestFrom(ctx).ID, "error", err)
		return nil, graphqlws.CloseError{Code: graphqlws.TryAgainLater, Reason: "Try again later"}
	}
	return access.WithViewer(ctx, v), nil
}

// holder says whose socket it is.
func holder(ctx context.Context) (userID, sessionID string) {
	if v := access.ViewerFrom(ctx); v != nil {
		return v.UserID, v.SessionID
	}
	return "", ""
}

// endsSocket closes the socket of a session when an operation finds that it has
// ended. A stranger's stays: he may do what needs no session.
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

// watchSessions closes the sockets of sessions that have ended, idle ones too,
// until ctx ends.
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
			if ctx.Err() == nil {
				s.log.ErrorContext(ctx, "look at the sessions of sockets", "error", err)
			}
			continue
		}
		for _, id := range ended {
			s.sockets.EndSession(id, s.present(ctx, auth.ErrEnded), errSessionEnded, slices.Contains(before, id))
		}
		before = ended
	}
}
