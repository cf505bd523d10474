package graphqlws_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/gorilla/websocket"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/convoke-dev/convoke/server/graphqlws"
)

// patience is how long a test waits for what should come at once.
const patience = 20 * time.Second

// fields are what operations of the tests may ask for, one each.
type fields map[string]func(context.Context) graphql.ResponseHandler

var schema = gqlparser.MustLoadSchema(&ast.Source{Input: `
	type Query { hello: String wait: String panic: String }
	type Subscription { forever: String flood: String ended: String quiet: String quietToo: String }`})

// Schema returns the schema.
func (fields) Schema() *ast.Schema { return schema }

// Complexity measures nothing.
func (fields) Complexity(context.Context, string, string, int, map[string]any) (int, bool) {
	return 0, false
}

// Exec runs the field.
func (f fields) Exec(ctx context.Context) graphql.ResponseHandler {
	name := fieldOf(ctx)
	if run := f[name]; run != nil {
		return run(ctx)
	}
	return graphql.OneShot(&graphql.Response{Data: json.RawMessage(`{"` + name + `":null}`)})
}

func fieldOf(ctx context.Context) string {
	return graphql.GetOperationContext(ctx).Operation.SelectionSet[0].(*ast.Field).Name
}

// forever is a subscription without events.
func forever(ctx context.Context) graphql.ResponseHandler {
	return func(context.Context) *graphql.Response {
		<-ctx.Done()
		return nil
	}
}

type wakeKey struct{}

// later is the answer of a subscription that waits.
var later = new(graphql.Response)

// site is a server of the transport alone.
type site struct {
	*graphqlws.Transport
	t      testing.TB
	url    string
	closes chan graphqlws.CloseError
}

// serve starts a server that answers with the fields; change sets it up.
func serve(t testing.TB, f fields, change func(*graphqlws.Transport)) *site {
	t.Helper()
	s := &site{t: t, closes: make(chan graphqlws.CloseError, 1024)}
	settings := &graphqlws.Transport{
		Init:   func(ctx context.Context, _ json.RawMessage) (context.Context, error) { return ctx, nil },
		Who:    func(context.Context) (user, session string) { return "", "" },
		Fatal:  func(context.Context, gqlerror.List) *graphqlws.CloseError { return nil },
		Stream: func(ctx context.Context, wake func()) context.Context { return context.WithValue(ctx, wakeKey{}, wake) },
		Later:  later,
		Refuse: func(w http.ResponseWriter, _ *http.Request, status int, reason string) { http.Error(w, reason, status) },
		Busy:   gqlerror.Errorf("busy"),
		Closed: func(_ context.Context, why graphqlws.CloseError, _ time.Duration) { s.closes <- why },

		Place: func(context.Context, bool) (func(), error) { return func() {}, nil },

		MaxMessage: 64 << 10, Operations: 100, QuietPings: 1 << 30,
		InitWithin: patience, PingEvery: patience, WriteWithin: patience,
	}
	if change != nil {
		change(settings)
	}
	s.Transport = graphqlws.New(settings)
	h := handler.New(f)
	h.AddTransport(s.Transport)
	// Subscriptions that wait are answered by an interceptor: see Transport.Stream.
	h.AroundOperations(func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
		if name := fieldOf(ctx); strings.HasPrefix(name, "quiet") {
			return f[name](ctx)
		}
		return next(ctx)
	})
	h.SetRecoverFunc(func(context.Context, any) error { return gqlerror.Errorf("it broke") })
	web := httptest.NewServer(h)
	s.url = "ws" + strings.TrimPrefix(web.URL, "http")
	t.Cleanup(func() {
		<-s.Stop(0)
		web.Close()
	})
	return s
}

// peer is a client that speaks in frames.
type peer struct {
	*websocket.Conn
	t testing.TB
}

// dial opens a socket; nothing has been said on it.
func (s *site) dial() *peer {
	s.t.Helper()
	dialer := websocket.Dialer{Subprotocols: []string{graphqlws.Protocol}, HandshakeTimeout: patience}
	conn, res, err := dialer.DialContext(s.t.Context(), s.url, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	return &peer{Conn: conn, t: s.t}
}

// open opens a socket and has it acknowledged.
func (s *site) open() *peer {
	s.t.Helper()
	p := s.dial()
	p.says(`{"type":"connection_init"}`)
	p.hears(`{"type":"connection_ack"}`)
	return p
}

func (p *peer) says(frame string) {
	p.t.Helper()
	if err := p.WriteMessage(websocket.TextMessage, []byte(frame)); err != nil {
		p.t.Error(err)
	}
}

func (p *peer) asks(id, query string) {
	p.t.Helper()
	p.says(`{"type":"subscribe","id":"` + id + `","payload":{"query":"` + query + `"}}`)
}

// ReadMessage reads the next message, if one comes.
func (p *peer) ReadMessage() (kind int, frame []byte, err error) {
	if err := p.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return 0, nil, err
	}
	return p.Conn.ReadMessage()
}

func (p *peer) hears(want string) {
	p.t.Helper()
	_, got, err := p.ReadMessage()
	if err != nil || string(got) != want {
		p.t.Fatalf("got %s, %v, want %s", got, err, want)
	}
}

// ends reads to the end of the connection, which must have the code.
func (p *peer) ends(code int, reason string) {
	p.t.Helper()
	for {
		_, _, err := p.ReadMessage()
		if err == nil {
			continue
		}
		if !websocket.IsCloseError(err, code) || !strings.HasSuffix(err.Error(), ": "+reason) && reason != "" {
			p.t.Errorf("got %v, want %d %s", err, code, reason)
		}
		return
	}
}

// closed waits for the next connection to have ended.
func (s *site) closed() graphqlws.CloseError {
	s.t.Helper()
	select {
	case why := <-s.closes:
		return why
	case <-time.After(patience):
		s.t.Fatal("no connection ended")
		return graphqlws.CloseError{}
	}
}
