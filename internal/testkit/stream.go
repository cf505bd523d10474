package testkit

import (
	"bufio"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// Stream is an open subscription. Its messages are read in the background
// until the test ends it or itself.
type Stream struct {
	t        testing.TB
	answers  chan *Answer
	endsWith func()
}

// Next returns the next answer, or fails the test when none comes.
func (s *Stream) Next() *Answer {
	s.t.Helper()
	select {
	case a, open := <-s.answers:
		if !open {
			s.t.Fatal("the stream has ended, want one answer more")
		}
		return a
	case <-time.After(patience):
		s.t.Fatal("nothing came, want one answer more")
	}
	return nil
}

// Poll returns the next answer if there is one already, else nil.
func (s *Stream) Poll() *Answer {
	select {
	case a := <-s.answers:
		return a // nil once the stream has ended
	default:
		return nil
	}
}

// Ended waits for the end of the stream and returns the answers before it.
func (s *Stream) Ended() (rest []*Answer) {
	s.t.Helper()
	late := time.After(patience)
	for {
		select {
		case a, open := <-s.answers:
			if !open {
				return rest
			}
			rest = append(rest, a)
		case <-late:
			s.t.Fatalf("the stream goes on, after %d answers", len(rest))
		}
	}
}

// Close ends the stream from the client's side.
func (s *Stream) Close() { s.endsWith() }

// Subscribe opens a subscription over a socket of its own, with the bearer
// token in connection_init.
func (c *Client) Subscribe(query string, variables map[string]any) *Stream {
	c.t.Helper()
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}, HandshakeTimeout: patience}
	conn, res, err := dialer.DialContext(c.t.Context(), "ws"+strings.TrimPrefix(c.url, "http"), nil)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		c.t.Fatal(err)
	}
	s := &Stream{t: c.t, answers: make(chan *Answer, 1024), endsWith: func() { _ = conn.Close() }}
	c.t.Cleanup(s.Close)
	init := map[string]any{"type": "connection_init"}
	if c.bearer != "" {
		init["payload"] = map[string]any{"authorization": "Bearer " + c.bearer}
	}
	c.write(conn, init)
	c.expect(conn, "connection_ack")
	c.write(conn, map[string]any{"type": "subscribe", "id": "1", "payload": map[string]any{"query": query, "variables": Placed(query, variables)}})
	go s.readSocket(conn) // ends with the connection
	return s
}

func (c *Client) write(conn *websocket.Conn, message any) {
	c.t.Helper()
	if err := conn.WriteJSON(message); err != nil {
		c.t.Fatal(err)
	}
}

func (c *Client) expect(conn *websocket.Conn, typ string) {
	c.t.Helper()
	var m struct{ Type string }
	if err := conn.ReadJSON(&m); err != nil || m.Type != typ {
		c.t.Fatalf("got %q, %v, want %q", m.Type, err, typ)
	}
}

func (s *Stream) readSocket(conn *websocket.Conn) {
	defer close(s.answers)
	for {
		var m struct {
			Type    string
			Payload json.RawMessage
		}
		if err := conn.ReadJSON(&m); err != nil {
			return
		}
		switch m.Type {
		case "ping":
			// Nobody else writes by now.
			if err := conn.WriteJSON(map[string]any{"type": "pong"}); err != nil {
				return
			}
		case "next":
			s.answers <- newAnswer(s.t, http.StatusOK, m.Payload)
		case "error":
			s.answers <- newAnswer(s.t, http.StatusOK, append(append([]byte(`{"errors":`), m.Payload...), '}'))
			return
		case "complete":
			return
		}
	}
}

// SubscribeSSE opens a subscription over server-sent events.
func (c *Client) SubscribeSSE(query string, variables map[string]any) *Stream {
	c.t.Helper()
	req := c.request(query, variables)
	req.Header.Set("Accept", "text/event-stream")
	res, err := c.http.Do(req) //nolint:bodyclose // closed by endsWith
	if err != nil {
		c.t.Fatal(err)
	}
	s := &Stream{t: c.t, answers: make(chan *Answer, 1024), endsWith: func() { _ = res.Body.Close() }}
	c.t.Cleanup(s.Close)
	go s.readEvents(bufio.NewScanner(res.Body)) // ends with the body
	return s
}

// readEvents reads events up to the last whole one: what breaks off in the middle
// is none (HTML standard, section 9.2.6).
func (s *Stream) readEvents(lines *bufio.Scanner) {
	defer close(s.answers)
	var data string
	for lines.Scan() {
		if text, is := strings.CutPrefix(lines.Text(), "data: "); is {
			data = text
		}
		if lines.Text() == "" && data != "" {
			s.answers <- newAnswer(s.t, http.StatusOK, []byte(data))
			data = ""
		}
		if lines.Text() == "event: complete" {
			return
		}
	}
}
