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
	// closeWithin is how long the client may take to answer a close frame.
	closeWithin = 2 * time.Second
	// maxLinger is how many bytes are read and discarded while a close frame is
	// on its way to a client that is still sending.
	maxLinger = 1 << 20
)

// conn is one connection. While it is idle it has one goroutine, serve, which
// reads, and one timer. Each operation that is being executed has a goroutine more.
type conn struct {
	t    *Transport
	ws   *websocket.Conn
	exec graphql.GraphExecutor

	// ctx is the parent context of all operations. Init may replace it, which is
	// before the first operation.
	ctx    context.Context //nolint:containedctx // the connection outlives its request
	cancel context.CancelFunc
	opened time.Time
	timer  *time.Timer

	// writing is held while a message is written, because gorilla allows one writer
	// at a time. It is locked before mu, never after.
	writing sync.Mutex

	mu          sync.Mutex
	initialised bool                  // connection_init was received
	acked       bool                  // subscribe is allowed
	stopping    bool                  // new operations are ignored
	why         *CloseError           // set when closing starts
	operations  map[string]*operation // those that may still send, by id
	running     int                   // operations that have not ended yet, including those that send nothing any more
	idle        chan struct{}         // closed when stopping and running is 0

	ended sync.WaitGroup // counts running, for release

	user, session string // guarded by Transport.mu
}

// serve reads messages until reading fails, and then releases the connection. It
// runs in a goroutine of its own, which every end of the connection stops: see
// doc.go.
func (c *conn) serve() {
	defer c.t.open.Done()
	defer c.release()
	c.ws.SetReadLimit(c.t.MaxMessage)
	c.ws.SetPongHandler(func(string) error {
		c.keepAlive()
		return nil
	})
	c.mu.Lock()
	c.timer = time.AfterFunc(c.t.InitWithin, c.tick)
	c.mu.Unlock()
	c.t.add(c)
	for {
		kind, frame, err := c.ws.ReadMessage()
		if err != nil {
			c.readFailed(err)
			return
		}
		if c.closing() {
			continue // read on, until the client answers the close frame
		}
		c.keepAlive()
		if err := c.receive(kind, frame); err != nil {
			var why CloseError
			if !errors.As(err, &why) {
				why = CloseError{websocket.CloseInternalServerErr, "Internal error"}
			}
			c.close(why)
		}
	}
}

// receive handles one message. When it returns a CloseError, serve closes the
// connection with it; any other error closes with 1011.
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
		c.send(typePong, m.payload)
	case typeSubscribe:
		return c.subscribe(m)
	case typeComplete:
		c.complete(m.id)
	}
	return nil
}

// init handles connection_init. It returns a CloseError for a second one, for a
// user with too many connections, or when Init refuses.
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
	if user, session := c.t.Who(ctx); !c.t.assign(c, user, session) {
		return CloseError{TooMany, "Too many connections of this user"}
	}
	c.mu.Lock()
	c.acked = true
	if c.why == nil {
		c.timer.Reset(c.t.PingEvery)
	}
	c.mu.Unlock()
	c.send(typeAck, nil)
	return nil
}

// send writes a message that belongs to no operation.
func (c *conn) send(kind string, payload json.RawMessage) {
	c.writing.Lock()
	defer c.writing.Unlock()
	var whole func([]byte) []byte
	if len(payload) > 0 {
		whole = func(b []byte) []byte { return append(b, payload...) }
	}
	withFrame(func(b []byte) []byte { return appendMessage(b, kind, nil, whole) }, c.write)
}

// write writes one message within WriteWithin; the caller holds writing. When the
// client does not read in time, the connection is dropped, because its operations
// would wait for it. The client reconnects and resumes with its cursor.
func (c *conn) write(frame []byte) {
	if c.closing() {
		return
	}
	err := c.ws.SetWriteDeadline(time.Now().Add(c.t.WriteWithin))
	if err == nil {
		err = c.ws.WriteMessage(websocket.TextMessage, frame)
	}
	if err != nil && !errors.Is(err, websocket.ErrCloseSent) {
		c.drop(lostReason(err))
	}
}

func lostReason(err error) CloseError {
	if isTimeout(err) {
		return CloseError{lost, "the client did not read in time"}
	}
	return CloseError{lost, "the connection broke"}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// tick is called by the timer: it closes the connection when connection_init did
// not come in time, and sends a ping otherwise. startClosing stops the timer.
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
		c.drop(lostReason(err))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.why == nil {
		c.timer.Reset(c.t.PingEvery)
	}
}

// keepAlive extends the read deadline after a sign of life: the client may miss one
// ping, but not two.
func (c *conn) keepAlive() {
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

// startClosing records why the connection ends, cancels its operations, and limits
// how long serve goes on reading. It returns false when closing had already started;
// the first reason counts.
func (c *conn) startClosing(why CloseError) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.why != nil {
		return false
	}
	c.why = &why
	c.cancel()
	for _, op := range c.operations {
		op.wake() // it is executed once more, finds its context cancelled, and closes its source
	}
	c.timer.Stop()
	_ = c.ws.NetConn().SetReadDeadline(time.Now().Add(closeWithin)) // fails where reading does
	return true
}

// close sends a close frame. serve goes on reading for closeWithin, because closing
// the TCP connection while the client is still sending could discard the frame.
func (c *conn) close(why CloseError) {
	if !c.startClosing(why) {
		return
	}
	if err := c.ws.WriteControl(websocket.CloseMessage, why.frame(), time.Now().Add(closeWithin)); err != nil {
		_ = c.ws.Close() // the client does not read; there is nothing left to wait for
	}
}

// drop ends the connection without a close frame.
func (c *conn) drop(why CloseError) {
	c.startClosing(why)
	_ = c.ws.Close()
}

// readFailed handles the error that ends reading: it records why the connection
// ended, unless that is known already.
func (c *conn) readFailed(err error) {
	var closed *websocket.CloseError
	switch {
	case errors.As(err, &closed):
		c.startClosing(CloseError{closed.Code, closed.Text})
	case isTimeout(err):
		c.close(CloseError{goingAway, "No answer to a ping"})
	case errors.Is(err, websocket.ErrReadLimit):
		// gorilla has sent the close frame with 1009 already.
		c.startClosing(CloseError{websocket.CloseMessageTooBig, "message too big"})
		c.linger()
	default:
		c.startClosing(CloseError{lost, "the connection broke"})
		c.linger()
	}
}

// linger closes the connection for writing only, and reads until the client closes
// too: a client that is still sending receives the close frame this way.
func (c *conn) linger() {
	if half, ok := c.ws.NetConn().(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		_, _ = io.CopyN(io.Discard, c.ws.NetConn(), maxLinger) // ends with the client's close, or the deadline
	}
}

// release frees everything: it closes the socket, waits until all operations have
// ended, forgets the connection, and reports the end to Closed.
func (c *conn) release() {
	_ = c.ws.Close()
	c.ended.Wait()
	c.t.remove(c)
	c.t.Closed(c.ctx, *c.why, time.Since(c.opened))
}

// stop ends the subscriptions without a message, because their clients reconnect by
// themselves after close code 1012. Queries and mutations may go on until they
// finish, for at most within. Then the connection is closed.
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
	c.signalIdle()
	go func() { // ends when no operation runs any more, or after within
		select {
		case <-idle:
		case <-time.After(within):
		}
		c.close(CloseError{serviceRestart, "the server is stopping"})
	}()
}

// endAll sends the errors as the last message of every operation, and then closes
// the connection.
func (c *conn) endAll(errs gqlerror.List, why CloseError) {
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
