package server

import (
	"bytes"
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/convoke-dev/convoke/graph/stream"
	"github.com/convoke-dev/convoke/server/graphqlws"
)

// sse responds to a POST with server-sent events (HTML standard, section 9.2), in the
// distinct connections mode of PROTOCOL.md of the npm package graphql-sse: one event
// `next` for each response, then one event `complete`. The id of an event is the cursor
// of its change. A client that reconnects with it as Last-Event-ID resumes after it.
// When the server stops, it ends streams without `complete`, so that clients reconnect.
type sse struct {
	stopping <-chan struct{}
	// every is the time after which a comment is sent in a quiet stream.
	every time.Duration
}

// serve executes the operation and writes each response when it is ready.
func (t sse) serve(w http.ResponseWriter, r *http.Request, op *graphql.OperationContext, exec graphql.GraphExecutor) {
	// A failed write cancels the operation.
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	eventHeaders(w.Header())
	s := &eventStream{w: w, broken: cancel, every: t.every}
	s.timer = time.AfterFunc(t.every, s.keepAlive)
	defer s.close()
	s.send([]byte("retry: 2000\n\n"))
	t.answer(ctx, cancel, s, op, exec, r.Header.Get("Last-Event-ID"))
}

// eventHeaders sets the headers of a stream. A proxy must not compress it, because it
// would hold back events until it has enough of them.
func eventHeaders(h http.Header) {
	h.Set("Content-Type", typeEvents)
	h.Set("Cache-Control", "no-store, no-transform")
	h.Set("X-Accel-Buffering", "no") // nginx would buffer the events
}

// answer writes the responses until there are no more, the client has gone, or the
// server stops. A subscription is called until it returns nil or errors without data,
// also after its context has ended, because only then it closes its source.
func (t sse) answer(ctx context.Context, cancel func(), s *eventStream, op *graphql.OperationContext, exec graphql.GraphExecutor, lastEventID string) {
	streams := op.Operation.Operation == ast.Subscription
	woken := make(chan struct{}, 1)
	ctx = stream.WithClient(ctx, func() {
		select {
		case woken <- struct{}{}:
		default:
		}
	}, lastEventID)
	answers, within := exec.DispatchOperation(ctx, op)
	for {
		answer := answers(within)
		switch {
		case answer == stream.Later:
			select {
			case <-woken:
			case <-ctx.Done():
			case <-t.stopping:
				cancel()
			}
			continue
		case ctx.Err() != nil && answer != nil && streams:
			continue // the client has gone; the next call closes the source
		case ctx.Err() != nil, t.isStopping() && (answer == nil || answer.Data == nil):
			return
		case answer == nil:
			s.complete()
			return
		}
		s.next(answer, stream.Cursor(within))
		if !streams {
			s.complete()
			return
		}
	}
}

func (t sse) isStopping() bool {
	select {
	case <-t.stopping:
		return true
	default:
		return false
	}
}

// eventStream writes events, and comments while there are none. The recorder that it
// writes to limits the time of each write.
type eventStream struct {
	w      http.ResponseWriter
	broken func()
	every  time.Duration
	timer  *time.Timer

	mu     sync.Mutex
	closed bool
	buffer []byte
}

// next writes one response. Its id is the cursor, unless that is empty.
func (s *eventStream) next(answer *graphql.Response, cursor string) {
	text := appendNext(s.buffer[:0], answer, cursor)
	s.send(text)
	s.buffer = reusable(text)
}

// keepBuffer is the size up to which a stream keeps its buffer.
const keepBuffer = 64 << 10

// reusable returns a buffer that is kept for the next event: nil for a large one, because
// the next event may be far away.
func reusable(b []byte) []byte {
	if cap(b) > keepBuffer {
		return nil
	}
	return b
}

// appendNext appends the event of one response to b.
func appendNext(b []byte, answer *graphql.Response, cursor string) []byte {
	b = append(b, "event: next\n"...)
	if cursor != "" {
		b = append(append(append(b, "id: "...), cursor...), '\n')
	}
	b = append(b, "data: "...)
	return append(appendOnOneLine(b, answer), "\n\n"...)
}

// appendOnOneLine appends a response as JSON without line breaks, which would end the data
// field. JSON has none inside of strings, and between tokens a space means the same.
func appendOnOneLine(b []byte, answer *graphql.Response) []byte {
	start := len(b)
	b = graphqlws.AppendResponse(b, answer)
	for i := bytes.IndexAny(b[start:], "\r\n"); i >= 0; i = bytes.IndexAny(b[start:], "\r\n") {
		b[start+i] = ' '
	}
	return b
}

// completeEvent is the last event. It has an empty data field, because browsers ignore
// events without one.
const completeEvent = "event: complete\ndata:\n\n"

func (s *eventStream) complete() { s.send([]byte(completeEvent)) }

func (s *eventStream) send(text []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.timer.Reset(s.every)
	_, err := s.w.Write(text)
	if err == nil {
		err = http.NewResponseController(s.w).Flush()
	}
	if err != nil {
		s.broken()
	}
}

// keepAlive writes a comment, so that proxies and the client keep the quiet stream
// open, and so that a lost client is noticed.
func (s *eventStream) keepAlive() { s.send([]byte(":\n\n")) }

// close stops the timer and all further writes, because the response must not be
// written to after the handler has returned.
func (s *eventStream) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.timer.Stop()
}
