package graphqlws

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
	"github.com/gorilla/websocket"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

const (
	// closeWithin is how long a client may take to answer a closing frame.
	closeWithin = 2 * time.Second
	// maxLinger is how much of what a client still sends is read meanwhile.
	maxLinger = 1 << 20
)

// conn is one connection. One goroutine reads it, each operation that has
// something to do has one, and a timer looks after it: there is no other while it
// is idle.
type conn struct {
	t    *Transport
	ws   *websocket.Conn
	exec graphql.GraphExecutor

	// ctx is the context of operations; Init may replace it, before the first.
	ctx    context.Context //nolint:containedctx // the connection outlives its request
	cancel context.CancelFunc
	opened time.Time
	timer  *time.Timer

	// writing is held while a message leaves: gorilla takes one at a time. It is
	// taken before mu, never after.
	writing sync.Mutex

	mu          sync.Mutex
	initialised bool // connection_init has come
	acked       bool
	stopping    bool
	why         *CloseError // set once it closes
	operations  map[string]*operation
	running     int           // operations that have not let go yet
	idle        chan struct{} // closed when stopping and nothing runs

	ended sync.WaitGroup // operations

	user, session string // guarded by Transport.mu
}

// serve reads until the connection ends.
func (c *conn) serve() {
	defer c.t.open.Done()
	defer c.release()
	c.ws.SetReadLimit(c.t.MaxMessage)
	c.ws.SetPongHandler(func(string) error {
		c.heard()
		return nil
	})
	c.mu.Lock()
	c.timer = time.AfterFunc(c.t.InitWithin, c.tick)
	c.mu.Unlock()
	c.t.add(c)
	for {
		kind, frame, err := c.ws.ReadMessage()
		if err != nil {
			c.gone(err)
			return
		}
		if c.closing() {
			continue // the client's closing frame is still to come
		}
		c.heard()
		if err := c.receive(kind, frame); err != nil {
			var why CloseError
			if !errors.As(err, &why) {
				why = CloseError{websocket.CloseInternalServerErr, "Internal error"}
			}
			c.close(why)
		}
	}
}

// receive acts on a message. A CloseError as its error ends the connection.
func (c *conn) receive(kind int, frame []byte) error {
	if kind != websocket.TextMessage {
		return CloseError{BadRequest, "Invalid message: it must be text"}
	}
	if !utf8.Valid(frame) {
		return CloseError{invalidText, "The text is not UTF-8"}
	}
	m, err := parse(frame)
	if err != nil {
		return err
	}
	switch m.kind {
	case typeInit:
		return c.init(m.payload)
	case typePing:
		c.say(typePong, m.payload)
	case typeSubscribe:
		return c.subscribe(m)
	case typeComplete:
		c.complete(m.id)
	}
	return nil
}

// init answers connection_init.
func (c *conn) init(payload json.RawMessage) error {
	c.mu.Lock()
	again := c.initialised
	c.initialised = true
	c.mu.Unlock()
	if again {
		return CloseError{TooMany, reasonTooManyInit}
	}
	ctx, err := c.t.Init(c.ctx, payload)
	if err != nil {
		return err
	}
	c.ctx = ctx
	if user, session := c.t.Who(ctx); !c.t.name(c, user, session) {
		return CloseError{TooMany, "Too many connections of this user"}
	}
	c.mu.Lock()
	c.acked = true
	if c.why == nil {
		c.timer.Reset(c.t.PingEvery)
	}
	c.mu.Unlock()
	c.say(typeAck, nil)
	return nil
}

// say sends a message that belongs to no operation.
func (c *conn) say(kind string, payload json.RawMessage) {
	c.writing.Lock()
	defer c.writing.Unlock()
	var whole func([]byte) []byte
	if len(payload) > 0 {
		whole = func(b []byte) []byte { return append(b, payload...) }
	}
	withFrame(func(b []byte) []byte { return appendMessage(b, kind, nil, whole) }, c.write)
}

// write sends a message; the caller holds writing. A client that does not take
// it in time is cut off: it comes back with its cursor, and meanwhile kept nobody
// waiting but its own operations.
func (c *conn) write(frame []byte) {
	if c.closing() {
		return
	}
	err := c.ws.SetWriteDeadline(time.Now().Add(c.t.WriteWithin))
	if err == nil {
		err = c.ws.WriteMessage(websocket.TextMessage, frame)
	}
	if err != nil && !errors.Is(err, websocket.ErrCloseSent) {
		c.drop(cutOff(err))
	}
}

func cutOff(err error) CloseError {
	if isTimeout(err) {
		return CloseError{lost, "the client did not read in time"}
	}
	return CloseError{lost, "the connection broke"}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// tick runs when the timer does: connection_init has not come in time, or else
// a ping is due.
func (c *conn) tick() {
	c.mu.Lock()
	initialised, closing := c.initialised, c.why != nil
	c.mu.Unlock()
	switch {
	case closing:
		return
	case !initialised:
		c.close(CloseError{InitTimeout, "Connection initialisation timeout"})
		return
	}
	if err := c.ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(c.t.WriteWithin)); err != nil {
		c.drop(cutOff(err))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.why == nil {
		c.timer.Reset(c.t.PingEvery)
	}
}

// heard gives the client until two pings from now to be heard of again.
func (c *conn) heard() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.why == nil {
		_ = c.ws.SetReadDeadline(time.Now().Add(2*c.t.PingEvery + c.t.WriteWithin)) // fails where reading does
	}
}

func (c *conn) closing() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.why != nil
}

// shut notes why the connection ends, and stops its operations; false when it
// was ending already.
func (c *conn) shut(why CloseError) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.why != nil {
		return false
	}
	c.why = &why
	c.cancel()
	for _, op := range c.operations {
		op.wake() // so that it lets go of what it holds
	}
	c.timer.Stop()
	_ = c.ws.NetConn().SetReadDeadline(time.Now().Add(closeWithin)) // fails where reading does
	return true
}

// close says goodbye. serve goes on reading for a moment: closing at once would
// take the frame back where the client is still sending.
func (c *conn) close(why CloseError) {
	if !c.shut(why) {
		return
	}
	if err := c.ws.WriteControl(websocket.CloseMessage, why.frame(), time.Now().Add(closeWithin)); err != nil {
		_ = c.ws.Close() // a client that does not read is told nothing
	}
}

// drop ends the connection without a word.
func (c *conn) drop(why CloseError) {
	c.shut(why)
	_ = c.ws.Close()
}

// gone is the end of reading.
func (c *conn) gone(err error) {
	var closed *websocket.CloseError
	switch {
	case errors.As(err, &closed):
		c.shut(CloseError{closed.Code, closed.Text})
	case isTimeout(err):
		c.close(CloseError{goingAway, "No answer to a ping"})
	case errors.Is(err, websocket.ErrReadLimit):
		// gorilla has said so: 1009.
		c.shut(CloseError{websocket.CloseMessageTooBig, "message too big"})
		c.linger()
	default:
		c.shut(CloseError{lost, "the connection broke"})
		c.linger()
	}
}

// linger lets a closing frame arrive at a client that is still sending.
func (c *conn) linger() {
	if half, ok := c.ws.NetConn().(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		_, _ = io.CopyN(io.Discard, c.ws.NetConn(), maxLinger) // until the client closes, or the deadline
	}
}

// release ends what is left of the connection.
func (c *conn) release() {
	_ = c.ws.Close()
	c.ended.Wait()
	c.t.remove(c)
	c.t.Closed(c.ctx, *c.why, time.Since(c.opened))
}

// stop ends subscriptions without a word, for their clients come back by
// themselves when the connection is closed with 1012. Queries and mutations may
// finish before, for as long as that.
func (c *conn) stop(within time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopping {
		return
	}
	idle := make(chan struct{})
	c.stopping, c.idle = true, idle
	for _, op := range c.operations {
		if op.stream {
			c.forget(op)
		}
	}
	c.settle()
	go func() { // ends with the operations, or the time
		select {
		case <-idle:
		case <-time.After(within):
		}
		c.close(CloseError{serviceRestart, "the server is stopping"})
	}()
}

// expel ends all operations with the errors, then the connection.
func (c *conn) expel(errs gqlerror.List, why CloseError) {
	c.mu.Lock()
	ops := make([]*operation, 0, len(c.operations))
	for _, op := range c.operations {
		ops = append(ops, op)
	}
	c.mu.Unlock()
	for _, op := range ops {
		c.finish(op, typeError, func(b []byte) []byte { return appendErrors(b, errs) })
	}
	c.close(why)
}
