package server

import (
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/gorilla/websocket"
)

const (
	// transportWS is the only sub-protocol spoken.
	transportWS = "graphql-transport-ws"
	// closeForbidden is the protocol's close code for a refused init.
	closeForbidden = 4403
)

// gorilla lets gqlgen's transport speak through gorilla/websocket.
type gorilla struct{ stopping *atomic.Bool }

// Accept upgrades the request. Its origin has been checked by then.
func (g gorilla) Accept(w http.ResponseWriter, r *http.Request, _ transport.WebsocketAcceptOptions) (transport.WebsocketConn, error) {
	upgrader := websocket.Upgrader{
		Subprotocols: []string{transportWS},
		CheckOrigin:  func(*http.Request) bool { return true },
	}
	c, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return nil, err
	}
	return &connection{Conn: c, stopping: g.stopping}, nil
}

// connection bounds the writes of a gorilla connection and names the reason
// of its end.
type connection struct {
	*websocket.Conn
	stopping *atomic.Bool
}

// NextReader waits for the next message.
func (c *connection) NextReader() (messageType int, r io.Reader, err error) {
	messageType, r, err = c.Conn.NextReader()
	if websocket.IsCloseError(err, websocket.CloseNormalClosure, websocket.CloseGoingAway, websocket.CloseNoStatusReceived) {
		err = transport.ErrWebsocketClosed
	}
	return messageType, r, err
}

// WriteJSON writes one message.
func (c *connection) WriteJSON(v any) error {
	if err := c.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil {
		return err
	}
	return c.Conn.WriteJSON(v)
}

// WriteClose says goodbye; at the server's stop with 1012, service restart.
func (c *connection) WriteClose(code int, message string) error {
	if c.stopping.Load() {
		code, message = websocket.CloseServiceRestart, "the server is stopping"
	}
	return c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, message), time.Now().Add(writeWithin))
}
