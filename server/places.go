package server

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/limit"
)

const (
	// streamsPerUser and streamsPerAddress are the defaults of Config.
	streamsPerUser    = 100
	streamsPerAddress = 50
	// openingPerAddress is how many times as many WebSockets of a client address may be
	// before their connection_init: all people of a company when the server has started
	// again. Each has initWithin for it.
	openingPerAddress = 10
	// placeAfter is what a client is told to wait when it has too many streams.
	placeAfter = 30 * time.Second
)

// Why a stream gets no place.
var (
	errManyOfUser    = errors.New("Too many connections of this user")                           //nolint:staticcheck // the reason of a close frame
	errManyOfAddress = errors.New("Too many connections of this address that are not signed in") //nolint:staticcheck // as above
)

// place counts a WebSocket or event stream: for its user, or, while nobody is signed in on
// it, for its client address. So people who share an address count for themselves. A
// WebSocket before its connection_init, which may sign in yet, is counted apart.
func (s *Server) place(ctx context.Context, opening bool) (leave func(), err error) {
	user, _ := holder(ctx)
	key, most, full := "user "+user, s.cfg.StreamsPerUser, errManyOfUser
	if user == "" {
		key, most, full = "address "+limit.Network(event.RequestFrom(ctx).ClientIP), s.cfg.StreamsPerAddress, errManyOfAddress
	}
	if opening {
		key = "opening " + key
		if user == "" {
			most *= openingPerAddress
		}
	}
	leave, ok := s.places.Take(key, most)
	if !ok {
		return nil, full
	}
	return leave, nil
}

// refusePlace responds to a request for a stream that gets no place. It is JSON with the
// status, whatever the client accepts, because clients look at the status.
func (s *Server) refusePlace(w http.ResponseWriter, r *http.Request, reason string) {
	r.Header.Set("Accept", typeResponse)
	f := fault.Refuse(fault.RateLimited, "%s.", reason)
	f.RetryAfter = placeAfter - time.Second // the presenter rounds up
	respond(w, r, http.StatusTooManyRequests, &graphql.Response{Errors: gqlerror.List{s.present(r.Context(), f)}})
}
