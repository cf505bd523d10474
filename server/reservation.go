package server

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/convoke-dev/convoke/server/graphqlws"
)

const (
	// reservedFor is how long a reservation waits for its stream.
	reservedFor = 5 * time.Second
	// maxPending is how many bytes of events a reservation keeps until its stream opens.
	maxPending = 1 << 20
	// closeStreamWithin limits the last write of a stream that is ending.
	closeStreamWithin = 2 * time.Second
)

// reservation is an event stream that carries several operations, from the PUT that
// reserves it to its end:
//
//	         GET          the client goes, cannot be written to, or the session or the server ends
//	reserved ---> open --------------------------------------------------------------------> over
//	   |                                                                                      ^
//	   +---------------- no GET in reservedFor, or more than maxPending bytes ----------------+
//
// It is the Output of a Line, which has the operations. One that is over is gone for good:
// the client makes another reservation and starts its operations again.
type reservation struct {
	token, session string
	line           *graphqlws.Line
	claimed        atomic.Bool // it is open, or it has waited for too long
	expiry         *time.Timer
	closed         func(v *reservation, why graphqlws.CloseError)

	mu      sync.Mutex
	pending []byte       // events until the stream opens
	stream  *eventStream // nil until then
	buffer  []byte
}

// Next writes one response of an operation.
func (v *reservation) Next(id []byte, answer *graphql.Response) {
	v.write(func(b []byte) []byte {
		b = append(append(append(b, "event: next\ndata: {\"id\":"...), id...), `,"payload":`...)
		return append(appendOnOneLine(b, answer), "}\n\n"...)
	})
}

// Complete writes the end of an operation.
func (v *reservation) Complete(id []byte) {
	v.write(func(b []byte) []byte {
		return append(append(append(b, "event: complete\ndata: {\"id\":"...), id...), "}\n\n"...)
	})
}

// Closed reports the end.
func (v *reservation) Closed(why graphqlws.CloseError) { v.closed(v, why) }

// write writes an event, or keeps it until the stream opens.
func (v *reservation) write(event func(b []byte) []byte) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.stream == nil {
		v.pending = event(v.pending)
		if len(v.pending) > maxPending {
			v.line.Close(graphqlws.CloseError{Reason: "too many events before the stream was opened"})
		}
		return
	}
	text := event(v.buffer[:0])
	v.stream.send(text)
	v.buffer = reusable(text)
}

// expire ends the reservation, unless its stream has been opened.
func (v *reservation) expire() {
	if v.claimed.CompareAndSwap(false, true) {
		v.line.Close(graphqlws.CloseError{Reason: "no stream was opened in time"})
	}
}

// claim reports whether a stream may be opened. It does so once.
func (v *reservation) claim() bool { return v.claimed.CompareAndSwap(false, true) }

// serve writes the events until the reservation is over. The first write has no event: it
// sends the headers.
func (v *reservation) serve(w http.ResponseWriter, r *http.Request, every time.Duration) {
	v.expiry.Stop()
	broken := func() { v.line.Close(graphqlws.CloseError{Reason: "the client does not read"}) }
	s := &eventStream{w: w, broken: broken, every: every}
	s.timer = time.AfterFunc(every, s.keepAlive)
	defer s.close()
	v.open(s)
	select {
	case <-r.Context().Done():
		v.line.Close(graphqlws.CloseError{Reason: "the client has gone"})
	case <-v.line.Done():
	}
	// The last write may still wait for the client.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(closeStreamWithin)) // fails where writing does
}

// open writes the events that are pending, and has the next ones written to the stream.
func (v *reservation) open(s *eventStream) {
	v.mu.Lock()
	defer v.mu.Unlock()
	s.send(append([]byte(":\n\n"), v.pending...))
	v.stream, v.pending = s, nil
}
