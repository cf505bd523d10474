package graphqlws

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/gorilla/websocket"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Protocol is the sub-protocol; there is no other.
const Protocol = "graphql-transport-ws"

// readBuffer is small, because every idle connection keeps one, and clients send
// short messages. Write buffers come from a pool.
const readBuffer = 256

// Transport serves WebSockets. All exported fields are required.
type Transport struct {
	// Init handles connection_init and returns the parent context of the
	// connection's operations. A CloseError refuses the connection with its code.
	Init func(ctx context.Context, payload json.RawMessage) (context.Context, error)
	// Who returns the user and the session of a connection, from the context that
	// Init returned; both are empty for a visitor who is not signed in.
	Who func(ctx context.Context) (user, session string)
	// Fatal returns how to close the connection when an operation has ended with
	// these errors; nil when it stays open.
	Fatal func(ctx context.Context, errs gqlerror.List) *CloseError
	// Stream prepares the context of a subscription. The subscription returns Later
	// when it has nothing to send yet, and calls wake when it may have. It is called
	// until it returns nil, or errors without data, also after its context has ended.
	Stream func(ctx context.Context, wake func()) context.Context
	Later  *graphql.Response
	// Place counts a connection: one that is opening, before its connection_init, and
	// one that Init has accepted. leave is called when it is neither any more. Its error
	// is the reason why the connection is refused.
	Place func(ctx context.Context, opening bool) (leave func(), err error)
	// Refuse responds to a request that does not become a WebSocket.
	Refuse func(w http.ResponseWriter, r *http.Request, status int, reason string)
	// Busy is the error of an operation beyond the limit.
	Busy *gqlerror.Error
	// Closed is called when a connection has ended. Code 1006 was not sent: the
	// connection broke, or the client did not read.
	Closed func(ctx context.Context, why CloseError, open time.Duration)

	// MaxMessage is the largest size of a client's message, in bytes.
	MaxMessage int64
	// Operations is how many operations may run on a connection at once.
	Operations int
	// QuietPings is for how many times PingEvery a WebSocket of a visitor stays open
	// without an operation.
	QuietPings int
	// InitWithin limits the time until connection_init arrives, and WriteWithin the
	// time to write one message. A ping is sent every PingEvery.
	InitWithin, PingEvery, WriteWithin time.Duration

	upgrader websocket.Upgrader
	pool     pool
	mu       sync.Mutex
	conns    map[*conn]struct{}
	stopped  bool
	open     sync.WaitGroup
}

// New completes the transport, so that it is ready to serve, and returns it.
func New(t *Transport) *Transport {
	t.conns = map[*conn]struct{}{}
	t.upgrader = websocket.Upgrader{
		Subprotocols:    []string{Protocol},
		ReadBufferSize:  readBuffer,
		WriteBufferPool: &sync.Pool{},
		// The server has checked the request before, including its origin.
		CheckOrigin: func(*http.Request) bool { return true },
		Error: func(w http.ResponseWriter, r *http.Request, status int, reason error) {
			t.Refuse(w, r, status, reason.Error())
		},
	}
	return t
}

// Supports reports whether the request is for this transport.
func (t *Transport) Supports(r *http.Request) bool { return r.Header.Get("Upgrade") != "" }

// Do upgrades the request to a WebSocket and returns at once, so that net/http gets
// its goroutine and buffers back. The connection keeps the values of the request's
// context, but not its cancellation: it lives until one of the ends in doc.go.
func (t *Transport) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	if !t.enter() {
		t.Refuse(w, r, http.StatusServiceUnavailable, "the server is stopping")
		return
	}
	leave, err := t.Place(r.Context(), true)
	if err != nil {
		t.open.Done()
		t.Refuse(w, r, http.StatusTooManyRequests, err.Error())
		return
	}
	upgraded := false
	defer func() {
		if !upgraded {
			leave()
			t.open.Done()
		}
	}()
	ws, err := t.upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // the upgrader has called Refuse
	}
	upgraded = true
	c := &socket{ws: ws}
	c.conn = conn{t: t, carrier: c, exec: exec, opened: time.Now(), leave: leave, operations: map[string]*operation{}}
	c.ctx, c.cancel = context.WithCancel(context.WithoutCancel(r.Context()))
	go c.serve() //nolint:contextcheck // it ends with the connection, not with the request
}

// enter counts a connection that is about to open. It returns false after Stop.
func (t *Transport) enter() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stopped {
		return false
	}
	t.open.Add(1)
	return true
}

// add registers the connection, so that Stop and EndSession reach it.
func (t *Transport) add(c *conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.conns[c] = struct{}{}
	if t.stopped { // Stop was called after enter and did not see this connection
		c.stop(0)
	}
}

// assign records the session of a connection.
func (t *Transport) assign(c *conn) {
	_, session := t.Who(c.ctx)
	t.mu.Lock()
	defer t.mu.Unlock()
	c.session = session
}

func (t *Transport) remove(c *conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.conns, c)
}

// Sessions returns the ids of the sessions that have open connections, each once.
func (t *Transport) Sessions() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	seen := map[string]bool{}
	var ids []string
	for c := range t.conns {
		if c.session != "" && !seen[c.session] {
			seen[c.session] = true
			ids = append(ids, c.session)
		}
	}
	return ids
}

// EndSession ends the connections of a session: first each operation with err, then
// the connection with why. Connections that have operations are ended only when busy
// is true. It does not wait for the connections to end.
func (t *Transport) EndSession(session string, err *gqlerror.Error, why CloseError, busy bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for c := range t.conns {
		if c.session == session && (busy || !c.busy()) {
			go c.endAll(gqlerror.List{err}, why) // ends after at most WriteWithin for each operation
		}
	}
}

// Stop ends the transport. No connection opens any more, all subscriptions end, and
// queries and mutations may go on for at most within. Then every connection is closed
// with 1012, service restart, after which clients reconnect by themselves. The channel
// is closed when all connections have ended.
func (t *Transport) Stop(within time.Duration) (closed <-chan struct{}) {
	t.mu.Lock()
	t.stopped = true
	for c := range t.conns {
		c.stop(within)
	}
	t.mu.Unlock()
	done := make(chan struct{})
	go func() { // ends with the last connection
		t.open.Wait()
		close(done)
	}()
	return done
}
