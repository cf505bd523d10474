package server

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/convoke-dev/convoke/graph/stream"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/server/graphqlws"
)

// sse answers a POST by server-sent events (HTML standard, section 9.2), in the
// distinct connections mode of the npm package graphql-sse's PROTOCOL.md: each
// answer an event `next`, then an event `complete`. The id of an event is the
// cursor of the change in it; a client that comes back with it as Last-Event-ID
// goes on from there. A stream that the stopping server cuts off has no
// `complete`, so that clients do come back.
type sse struct {
	stopping <-chan struct{}
	// every is how often a comment shows that a quiet stream lives.
	every time.Duration
}

// Supports reports whether the request is for this transport. GET is not: the
// query and its variables would stand in the logs of every proxy.
func (sse) Supports(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.Contains(r.Header.Get("Accept"), typeEvents)
}

// Do runs the operation and writes its answers as they come. The body has been
// read and bounded before.
func (t sse) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	params, err := readParams(r)
	if err != nil {
		refuse(w, http.StatusBadRequest, fault.BadUserInput, "The body must be a JSON object with a query.")
		return
	}
	// A client that takes nothing any more ends the operation.
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	w.Header().Set("Content-Type", typeEvents)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold answers back
	s := &eventStream{w: w, broken: cancel, every: t.every}
	s.timer = time.AfterFunc(t.every, s.keepAlive)
	defer s.close()
	s.send([]byte("retry: 2000\n\n"))
	op, refused := exec.CreateOperationContext(ctx, params)
	if refused != nil {
		s.next(exec.DispatchError(graphql.WithOperationContext(ctx, op), refused), "")
		s.complete()
		return
	}
	t.answer(ctx, cancel, s, op, exec, r.Header.Get("Last-Event-ID"))
}

// answer writes the answers until there are no more, or nobody hears them.
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
				cancel() // and ask it once more, so that it lets go
			}
			continue
		case ctx.Err() != nil && answer != nil && streams:
			continue // nobody hears it; it is asked once more, so that it lets go
		case ctx.Err() != nil, t.isStopping() && (answer == nil || answer.Data == nil):
			return
		case answer == nil:
			s.complete()
			return
		}
		s.next(answer, stream.Cursor(within))
		if !streams && (answer.HasNext == nil || !*answer.HasNext) {
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

// readParams reads the operation a POST asks for.
func readParams(r *http.Request) (*graphql.RawParams, error) {
	start := graphql.Now()
	params := &graphql.RawParams{}
	body := json.NewDecoder(r.Body)
	body.UseNumber()
	if err := body.Decode(params); err != nil {
		return nil, err
	}
	params.Headers = r.Header
	params.ReadTime = graphql.TraceTiming{Start: start, End: graphql.Now()}
	return params, nil
}

// eventStream writes events, and comments while there are none. The recorder
// below it bounds each write in time.
type eventStream struct {
	w      http.ResponseWriter
	broken func()
	every  time.Duration
	timer  *time.Timer

	mu     sync.Mutex
	closed bool
	buffer []byte
}

// next sends an answer, with the cursor as its id if it has one.
func (s *eventStream) next(answer *graphql.Response, cursor string) {
	b := s.buffer[:0]
	b = append(b, "event: next\n"...)
	if cursor != "" {
		b = append(append(append(b, "id: "...), cursor...), '\n')
	}
	b = append(b, "data: "...)
	start := len(b)
	b = graphqlws.AppendResponse(b, answer)
	// Between the tokens of JSON a line break is a blank; in texts there is none.
	for i := bytes.IndexAny(b[start:], "\r\n"); i >= 0; i = bytes.IndexAny(b[start:], "\r\n") {
		b[start+i] = ' '
	}
	b = append(b, "\n\n"...)
	s.buffer = b
	s.send(b)
}

// complete sends the last event. Without data browsers would not see it.
func (s *eventStream) complete() { s.send([]byte("event: complete\ndata:\n\n")) }

func (s *eventStream) send(text []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.timer.Reset(s.every)
	_, err := s.w.Write(text) //nolint:gosec // JSON, sent as an event stream that no browser takes for a page
	if err == nil {
		err = http.NewResponseController(s.w).Flush()
	}
	if err != nil {
		s.broken()
	}
}

// keepAlive shows proxies and the client that the stream lives, and finds out
// whether the client does.
func (s *eventStream) keepAlive() { s.send([]byte(":\n\n")) }

// close lets nobody write any more: the answer is over.
func (s *eventStream) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.timer.Stop()
}
