package graphqlws

import (
	"encoding/json"
	"errors"
	"io"
	"net"
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

// socket is a connection over a WebSocket. While it is idle it has one goroutine, serve,
// which reads, and one timer.
type socket struct {
	conn
	ws    *websocket.Conn
	timer *time.Timer

	// Guarded by mu.
	initialised bool // connection_init was received
	acked       bool // subscribe is allowed
	visitor     bool // nobody is signed in
	quiet       int  // calls of tick since the last operation of a visitor
}

// serve reads messages until reading fails, and then releases the connection. It
// runs in a goroutine of its own, which every end of the connection stops: see
// doc.go.
func (s *socket) serve() {
	defer func() {
		_ = s.ws.Close()
		s.release()
	}()
	s.ws.SetReadLimit(s.t.MaxMessage)
	s.ws.SetPongHandler(func(string) error {
		s.keepAlive()
		return nil
	})
	s.mu.Lock()
	s.timer = time.AfterFunc(s.t.InitWithin, s.tick)
	s.mu.Unlock()
	s.t.add(&s.conn)
	for {
		kind, frame, err := s.ws.ReadMessage()
		if err != nil {
			s.readFailed(err)
			return
		}
		if s.closing() {
			continue // read on, until the client answers the close frame
		}
		s.keepAlive()
		if err := s.receive(kind, frame); err != nil {
			var why CloseError
			if !errors.As(err, &why) {
				why = CloseError{websocket.CloseInternalServerErr, "Internal error"}
			}
			s.close(why)
		}
	}
}

// receive handles one message. When it returns a CloseError, serve closes the
// connection with it; any other error closes with 1011.
func (s *socket) receive(kind int, frame []byte) error {
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
		return s.init(m.payload)
	case typePing:
		s.send(typePong, m.payload)
	case typeSubscribe:
		return s.subscribe(m)
	case typeComplete:
		s.complete(m.id)
	}
	return nil
}

// init handles connection_init. It returns a CloseError for a second one, for too many
// connections, or when Init refuses.
func (s *socket) init(payload json.RawMessage) error {
	s.mu.Lock()
	again := s.initialised
	s.initialised = true
	s.mu.Unlock()
	if again {
		return CloseError{TooMany, reasonTooManyInit}
	}
	ctx, err := s.t.Init(s.ctx, payload)
	if err != nil {
		return err
	}
	s.ctx = ctx
	leave, err := s.t.Place(ctx, false)
	if err != nil {
		return CloseError{TooMany, err.Error()}
	}
	s.leave()
	s.leave = leave
	s.t.assign(&s.conn)
	user, _ := s.t.Who(ctx)
	s.mu.Lock()
	s.acked, s.visitor = true, user == ""
	if s.why == nil {
		s.timer.Reset(s.t.PingEvery)
	}
	s.mu.Unlock()
	s.send(typeAck, nil)
	return nil
}

// send writes a message that belongs to no operation.
func (s *socket) send(kind string, payload json.RawMessage) {
	s.writing.Lock()
	defer s.writing.Unlock()
	var whole func([]byte) []byte
	if len(payload) > 0 {
		whole = func(b []byte) []byte { return append(b, payload...) }
	}
	withFrame(func(b []byte) []byte { return appendMessage(b, kind, nil, whole) }, s.write)
}

// write writes one message within WriteWithin; the caller holds writing. When the
// client does not read in time, the connection is dropped, because its operations
// would wait for it. The client reconnects and resumes with its cursor.
func (s *socket) write(frame []byte) {
	if s.closing() {
		return
	}
	err := s.ws.SetWriteDeadline(time.Now().Add(s.t.WriteWithin))
	if err == nil {
		err = s.ws.WriteMessage(websocket.TextMessage, frame)
	}
	if err != nil && !errors.Is(err, websocket.ErrCloseSent) {
		s.drop(lostReason(err))
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

// tick is called by the timer: it closes the connection when connection_init did not come
// in time, or when a visitor asks for nothing, and sends a ping otherwise. startClosing
// stops the timer.
func (s *socket) tick() {
	s.mu.Lock()
	initialised, closing := s.initialised, s.why != nil
	if s.quiet++; !s.visitor || len(s.operations) > 0 {
		s.quiet = 0
	}
	quiet := s.quiet >= s.t.QuietPings
	s.mu.Unlock()
	switch {
	case closing:
		return
	case !initialised:
		s.close(CloseError{InitTimeout, "Connection initialisation timeout"})
		return
	case quiet:
		s.close(CloseError{websocket.CloseNormalClosure, "Nothing was asked for; connect again when needed"})
		return
	}
	if err := s.ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(s.t.WriteWithin)); err != nil {
		s.drop(lostReason(err))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.why == nil {
		s.timer.Reset(s.t.PingEvery)
	}
}

// keepAlive extends the read deadline after a sign of life: the client may miss one
// ping, but not two.
func (s *socket) keepAlive() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.why == nil {
		_ = s.ws.SetReadDeadline(time.Now().Add(2*s.t.PingEvery + s.t.WriteWithin)) // fails where reading does
	}
}

// close sends a close frame. serve goes on reading for closeWithin, because closing
// the TCP connection while the client is still sending could discard the frame.
func (s *socket) close(why CloseError) {
	if !s.startClosing(why) {
		return
	}
	if err := s.ws.WriteControl(websocket.CloseMessage, why.frame(), time.Now().Add(closeWithin)); err != nil {
		_ = s.ws.Close() // the client does not read; there is nothing left to wait for
	}
}

// drop ends the connection without a close frame.
func (s *socket) drop(why CloseError) {
	s.startClosing(why)
	_ = s.ws.Close()
}

// readFailed handles the error that ends reading: it records why the connection
// ended, unless that is known already.
func (s *socket) readFailed(err error) {
	var closed *websocket.CloseError
	switch {
	case errors.As(err, &closed):
		s.startClosing(CloseError{closed.Code, closed.Text})
	case isTimeout(err):
		s.close(CloseError{goingAway, "No answer to a ping"})
	case errors.Is(err, websocket.ErrReadLimit):
		// gorilla has sent the close frame with 1009 already.
		s.startClosing(CloseError{websocket.CloseMessageTooBig, "message too big"})
		s.linger()
	default:
		s.startClosing(CloseError{lost, "the connection broke"})
		s.linger()
	}
}

// linger closes the connection for writing only, and reads until the client closes
// too: a client that is still sending receives the close frame this way.
func (s *socket) linger() {
	if half, ok := s.ws.NetConn().(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		_, _ = io.CopyN(io.Discard, s.ws.NetConn(), maxLinger) // ends with the client's close, or the deadline
	}
}

// subscribe handles the client's subscribe message. It returns a CloseError when the
// message breaks the protocol.
func (s *socket) subscribe(m message) error {
	s.mu.Lock()
	acked := s.acked
	s.quiet = 0
	s.mu.Unlock()
	if !acked {
		return CloseError{Unauthorized, "Unauthorized"}
	}
	params, err := m.params()
	if err != nil {
		return err
	}
	if errors.Is(s.execute(s.ctx, m.id, params), ErrExists) {
		return CloseError{SubscriberExists, "Subscriber for " + m.id + " already exists"}
	}
	return nil // with ErrClosed the client sees the close frame
}

// next sends one response of an operation.
func (s *socket) next(op *operation, answer *graphql.Response) {
	withFrame(func(b []byte) []byte {
		return appendMessage(b, typeNext, op.quoted, func(b []byte) []byte { return AppendResponse(b, answer) })
	}, s.write)
}

// last sends the last message of an operation: error, or complete without errors.
func (s *socket) last(op *operation, errs gqlerror.List) {
	kind, payload := typeComplete, (func([]byte) []byte)(nil)
	if len(errs) > 0 {
		kind, payload = typeError, func(b []byte) []byte { return appendErrors(b, errs) }
	}
	withFrame(func(b []byte) []byte { return appendMessage(b, kind, op.quoted, payload) }, s.write)
}

// hangUp stops the timer, and limits how long serve goes on reading.
func (s *socket) hangUp() {
	s.timer.Stop()
	_ = s.ws.NetConn().SetReadDeadline(time.Now().Add(closeWithin)) // fails where reading does
}

// closed reports the end to Closed.
func (s *socket) closed(why CloseError) { s.t.Closed(s.ctx, why, time.Since(s.opened)) }
