// Package graphqlws serves GraphQL over WebSocket by the graphql-transport-ws
// protocol, on gorilla/websocket. Its rules are PROTOCOL.md of the npm package
// graphql-ws; why it is not gqlgen's is decision 21. It knows nothing of what is
// asked and who asks: that is behind gqlgen's executor and the functions of a
// Transport.
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

// readBuffer is small, since a connection keeps it while nothing happens, and
// clients say little. Write buffers are borrowed.
const readBuffer = 256

// Transport serves sockets. All of its fields are needed.
type Transport struct {
	// Init answers connection_init with the context of the connection's
	// operations. A CloseError refuses the connection with its code.
	Init func(ctx context.Context, payload json.RawMessage) (context.Context, error)
	// Who says whose connection it is, from the context Init returned, and by
	// which session; empty for a stranger.
	Who func(ctx context.Context) (user, session string)
	// Fatal says whether what an operation ended with ends its connection too.
	Fatal func(ctx context.Context, errs gqlerror.List) *CloseError
	// Stream prepares the context of a subscription, which answers Later when it
	// has nothing to say yet, and calls wake when it may have. It is asked until it
	// answers nil, also after its context has ended, or errors without data.
	Stream func(ctx context.Context, wake func()) context.Context
	Later  *graphql.Response
	// Refuse answers a request that becomes no socket.
	Refuse func(w http.ResponseWriter, status int, reason string)
	// Busy is what an operation beyond the limit ends with.
	Busy *gqlerror.Error
	// Closed is told of every connection that has ended, and why. Code 1006 has
	// not been sent: it broke.
	Closed func(ctx context.Context, why CloseError, open time.Duration)

	// MaxMessage is how many bytes a message may have.
	MaxMessage int64
	// Operations is how many may run on a connection at once.
	Operations int
	// PerUser is how many connections a user may have open.
	PerUser int
	// InitWithin is how long connection_init may take to come, PingEvery how
	// often a connection is looked after, WriteWithin how long a message may take
	// to leave.
	InitWithin, PingEvery, WriteWithin time.Duration

	upgrader websocket.Upgrader
	crew     crew
	mu       sync.Mutex
	conns    map[*conn]struct{}
	perUser  map[string]int
	stopped  bool
	open     sync.WaitGroup
}

// New returns the transport with those settings, ready to serve.
func New(t *Transport) *Transport {
	t.conns, t.perUser = map[*conn]struct{}{}, map[string]int{}
	t.upgrader = websocket.Upgrader{
		Subprotocols:    []string{Protocol},
		ReadBufferSize:  readBuffer,
		WriteBufferPool: &sync.Pool{},
		// The request has been checked by then, its origin too.
		CheckOrigin: func(*http.Request) bool { return true },
		Error: func(w http.ResponseWriter, _ *http.Request, status int, reason error) {
			t.Refuse(w, status, reason.Error())
		},
	}
	return t
}

// Supports reports whether the request is for this transport.
func (t *Transport) Supports(r *http.Request) bool { return r.Header.Get("Upgrade") != "" }

// Do makes the request a socket and returns at once, so that net/http can have
// its goroutine and buffers back. The socket has the values of the request's
// context, not its end: it lives until the client leaves, breaks a rule, or Stop.
func (t *Transport) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	if !t.enter() {
		t.Refuse(w, http.StatusServiceUnavailable, "the server is stopping")
		return
	}
	ws, err := t.upgrader.Upgrade(w, r, nil)
	if err != nil {
		t.open.Done()
		return // it has been answered
	}
	c := &conn{t: t, ws: ws, exec: exec, opened: time.Now(), operations: map[string]*operation{}}
	c.ctx, c.cancel = context.WithCancel(context.WithoutCancel(r.Context()))
	go c.serve() //nolint:contextcheck // it ends with the connection, not with the request
}

// enter counts a connection that is about to open; none opens after Stop.
func (t *Transport) enter() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stopped {
		return false
	}
	t.open.Add(1)
	return true
}

// add has the connection known to Stop and EndSession.
func (t *Transport) add(c *conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.conns[c] = struct{}{}
	if t.stopped { // since its upgrade
		c.stop(0)
	}
}

// name notes whose connection it is, if he may have one more.
func (t *Transport) name(c *conn, user, session string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if user == "" {
		return true
	}
	if t.perUser[user] >= t.PerUser {
		return false
	}
	t.perUser[user]++
	c.user, c.session = user, session
	return true
}

func (t *Transport) remove(c *conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.conns, c)
	if c.user == "" {
		return
	}
	if t.perUser[c.user]--; t.perUser[c.user] == 0 {
		delete(t.perUser, c.user)
	}
}

// Sessions returns the sessions of all open connections, each once.
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

// EndSession ends the connections of a session, those on which operations run only
// if busy says so: each operation with the error, then the connection with the
// close. It does not wait for them.
func (t *Transport) EndSession(session string, err *gqlerror.Error, why CloseError, busy bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for c := range t.conns {
		if c.session == session && (busy || !c.busy()) {
			go c.expel(gqlerror.List{err}, why) // ends within WriteWithin for each operation
		}
	}
}

// Stop lets no connection open any more, ends all subscriptions, lets queries and
// mutations finish for as long as that, and closes every connection with 1012, service
// restart: clients come back by themselves. closed tells when all have closed.
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
