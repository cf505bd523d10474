package server

import (
	"net/http"

	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/limit"
)

// export responds with everything about the viewer as JSON, as a file to save. It is no
// GraphQL field, because a response there has a limited size. It counts as a costly
// operation of the client, and a user has one at a time.
func (s *Server) export(w http.ResponseWriter, r *http.Request) {
	if !s.fromOurPages(w, r, false) {
		return
	}
	ctx, err := s.Auth.Identify(w, r, s.secure())
	if err != nil {
		s.refuseIdentity(w, r.WithContext(ctx), err) //nolint:contextcheck // it takes the request, and so its context
		return
	}
	v, err := access.Person(ctx) //nolint:contextcheck // Identify has made it of the request's
	switch {
	case fault.Is(err, fault.Forbidden):
		writeProblem(w, http.StatusForbidden, "An API key cannot download the data of a person. Sign in.", "")
		return
	case err != nil:
		writeProblem(w, http.StatusUnauthorized, "Sign in first.", "")
		return
	}
	if err := takeClient(ctx, s.perClient); err != nil { //nolint:contextcheck // as above
		writeProblem(w, http.StatusTooManyRequests, "There were too many requests; try again later.", "")
		return
	}
	done, ok := s.exports.Take(v.UserID, 1)
	if !ok {
		writeProblem(w, http.StatusTooManyRequests, "Another download of this file is not finished; wait for its end.", "")
		return
	}
	defer done()
	ctx = limit.WithParty(ctx, party(ctx)) //nolint:contextcheck // as above
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="my-data.json"`)
	h.Set("Cache-Control", "private, no-store")
	if err := s.people.Export(ctx, v.UserID, w); err != nil && ctx.Err() == nil { //nolint:contextcheck // as above
		s.log.ErrorContext(ctx, "export", "request_id", event.RequestFrom(r.Context()).ID, "code", fault.Internal, "error", err) //nolint:contextcheck // as above
		// So that the client sees a broken response and not a short one.
		panic(http.ErrAbortHandler)
	}
}
