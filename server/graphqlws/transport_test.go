package graphqlws_test

import (
	"context"
	"encoding/json"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/gorilla/websocket"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/server/graphqlws"
)

func TestWithoutInitTheSocketIsClosed(t *testing.T) {
	t.Parallel()
	s := serve(t, nil, func(c *graphqlws.Transport) { c.InitWithin = 50 * time.Millisecond })
	s.dial().ends(graphqlws.InitTimeout, "Connection initialisation timeout")
}

func TestPingsKeepASocketAlive(t *testing.T) {
	t.Parallel()
	// A busy machine must answer a ping within the second of WriteWithin.
	s := serve(t, fields{"forever": forever}, func(c *graphqlws.Transport) {
		c.PingEvery, c.WriteWithin = 30*time.Millisecond, time.Second
	})
	p := s.open()
	s.open() // reads nothing, so it answers no ping
	pings := make(chan struct{}, 1024)
	answer := p.PingHandler()
	p.SetPingHandler(func(text string) error {
		pings <- struct{}{}
		return answer(text)
	})
	read := make(chan error, 1)
	go func() { // ends with the connection
		_, _, err := p.ReadMessage()
		read <- err
	}()
	if why := s.closed(); why.Code != websocket.CloseGoingAway {
		t.Errorf("got %v, want 1001 for the silent one", why)
	}
	// The other is older than the one that ended, and gets pings still.
	for len(pings) > 0 {
		<-pings
	}
	for range 2 {
		select {
		case <-pings:
		case err := <-read:
			t.Fatalf("the socket ended: %v", err)
		}
	}
}

func TestADeadPeerIsNoticed(t *testing.T) {
	t.Parallel()
	s := serve(t, fields{"forever": forever}, func(c *graphqlws.Transport) {
		c.PingEvery, c.WriteWithin = 30*time.Millisecond, 30*time.Millisecond
	})
	s.open().asks("1", "subscription { forever }") // the peer reads no more, so it answers no ping
	if why := s.closed(); why.Code != websocket.CloseGoingAway {
		t.Errorf("got %v, want 1001", why)
	}
}

func TestAClientThatDoesNotReadIsCutOff(t *testing.T) {
	t.Parallel()
	s := serve(t, fields{"flood": flood(strings.Repeat("x", 32<<10))}, func(c *graphqlws.Transport) { c.WriteWithin = 200 * time.Millisecond })
	slow, other := s.open(), s.open()
	slow.asks("1", "subscription { flood }")
	for range 20 { // meanwhile others are served
		other.asks("1", "{ hello }")
		other.hears(`{"id":"1","type":"next","payload":{"data":{"hello":null}}}`)
		other.hears(`{"id":"1","type":"complete"}`)
	}
	if why := s.closed(); why.Reason != "the client did not read in time" {
		t.Errorf("got %v, want the slow one", why)
	}
	other.says(`{"type":"ping"}`)
	other.hears(`{"type":"pong"}`)
}

func TestAPanicIsTheOperationsAlone(t *testing.T) {
	t.Parallel()
	s := serve(t, fields{"panic": func(context.Context) graphql.ResponseHandler { panic("no") }}, nil)
	p := s.open()
	p.asks("1", "{ panic }")
	p.hears(`{"id":"1","type":"error","payload":[{"message":"it broke"}]}`)
	p.asks("1", "{ hello }")
	p.hears(`{"id":"1","type":"next","payload":{"data":{"hello":null}}}`)
	p.hears(`{"id":"1","type":"complete"}`)
}

func TestCompleteStopsAnOperation(t *testing.T) {
	t.Parallel()
	running, ended := make(chan struct{}), make(chan struct{})
	wait := func(ctx context.Context) graphql.ResponseHandler {
		return func(context.Context) *graphql.Response {
			close(running)
			<-ctx.Done()
			close(ended)
			return &graphql.Response{Data: json.RawMessage(`{"wait":"too late"}`)}
		}
	}
	s := serve(t, fields{"wait": wait}, nil)
	p := s.open()
	p.asks("1", "{ wait }")
	<-running
	p.says(`{"type":"complete","id":"1"}`)
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatal("the operation goes on")
	}
	p.asks("1", "{ hello }") // the id is free, and nothing comes of the first
	p.hears(`{"id":"1","type":"next","payload":{"data":{"hello":null}}}`)
	p.hears(`{"id":"1","type":"complete"}`)
}

func TestAnIdIsFreeWhenItsCompleteArrives(t *testing.T) {
	t.Parallel()
	p := serve(t, nil, nil).open()
	for range 500 {
		p.asks("1", "{ hello }")
		p.hears(`{"id":"1","type":"next","payload":{"data":{"hello":null}}}`)
		p.hears(`{"id":"1","type":"complete"}`)
	}
	for range 500 {
		p.asks("1", "{ unknown }")
		if _, got, err := p.ReadMessage(); err != nil || !strings.HasPrefix(string(got), `{"id":"1","type":"error","payload":[`) {
			t.Fatalf("got %s, %v, want an error", got, err)
		}
	}
}

func TestNothingFollowsACompleteOfTheClient(t *testing.T) {
	t.Parallel()
	burst := func(ctx context.Context) graphql.ResponseHandler {
		left := 100
		return func(context.Context) *graphql.Response {
			if left--; left < 0 {
				<-ctx.Done()
			}
			return &graphql.Response{Data: json.RawMessage(`{"flood":"x"}`)}
		}
	}
	p := serve(t, fields{"flood": burst}, nil).open()
	for i := range 40 {
		id := string(rune('a' + i%2))
		p.asks(id, "subscription { flood }")
		p.hears(`{"id":"` + id + `","type":"next","payload":{"data":{"flood":"x"}}}`)
		p.says(`{"type":"complete","id":"` + id + `"}`)
		// The server replies to the ping after it has read the complete.
		p.says(`{"type":"ping","payload":{"n":1}}`)
		for {
			_, got, err := p.ReadMessage()
			if err != nil {
				t.Fatal(err)
			}
			if string(got) == `{"type":"pong","payload":{"n":1}}` {
				break
			}
		}
		p.says(`{"type":"ping"}`)
		p.hears(`{"type":"pong"}`)
	}
}

func TestTheStopLetsAQueryFinish(t *testing.T) {
	t.Parallel()
	running, finish := make(chan struct{}), make(chan struct{})
	wait := func(context.Context) graphql.ResponseHandler {
		return func(context.Context) *graphql.Response {
			close(running)
			<-finish
			return &graphql.Response{Data: json.RawMessage(`{"wait":"done"}`)}
		}
	}
	s := serve(t, fields{"wait": wait, "forever": forever}, nil)
	p, idle := s.open(), s.open()
	p.asks("1", "subscription { forever }")
	p.asks("2", "{ wait }")
	<-running
	closed := s.Stop(patience)
	idle.ends(websocket.CloseServiceRestart, "the server is stopping")
	close(finish)
	p.hears(`{"id":"2","type":"next","payload":{"data":{"wait":"done"}}}`)
	p.hears(`{"id":"2","type":"complete"}`)
	p.ends(websocket.CloseServiceRestart, "the server is stopping")
	<-closed
}

func TestTheStopWaitsForNobodyTooLong(t *testing.T) {
	t.Parallel()
	s := serve(t, fields{"wait": forever}, nil)
	p := s.open()
	p.asks("1", "{ wait }")
	p.says(`{"type":"ping"}`)
	p.hears(`{"type":"pong"}`)
	closed := s.Stop(0)
	p.ends(websocket.CloseServiceRestart, "the server is stopping")
	<-closed
}

func TestWhatEndsASessionEndsItsSockets(t *testing.T) {
	t.Parallel()
	gone := graphqlws.CloseError{Code: graphqlws.Unauthorized, Reason: "The session has ended"}
	over := func(context.Context) graphql.ResponseHandler {
		return graphql.OneShot(&graphql.Response{Errors: gqlerror.List{gqlerror.Errorf("over")}})
	}
	s := serve(t, fields{"forever": forever, "ended": over}, func(c *graphqlws.Transport) {
		c.Who = func(context.Context) (user, session string) { return "user", "session" }
		c.Fatal = func(context.Context, gqlerror.List) *graphqlws.CloseError { return &gone }
	})
	for name, end := range map[string]func(*peer){
		"from outside":    func(*peer) { s.EndSession("session", gqlerror.Errorf("over"), gone, true) },
		"by an operation": func(p *peer) { p.asks("2", "subscription { ended }") },
	} {
		p := s.open()
		p.asks("1", "subscription { forever }")
		p.says(`{"type":"ping"}`)
		p.hears(`{"type":"pong"}`)
		end(p)
		if name == "by an operation" {
			p.hears(`{"id":"2","type":"error","payload":[{"message":"over"}]}`)
		}
		p.hears(`{"id":"1","type":"error","payload":[{"message":"over"}]}`)
		p.ends(gone.Code, gone.Reason)
	}
}

// flood is a subscription that has always one answer more.
func flood(text string) func(context.Context) graphql.ResponseHandler {
	data := json.RawMessage(`{"flood":"` + text + `"}`)
	return func(context.Context) graphql.ResponseHandler {
		return func(context.Context) *graphql.Response { return &graphql.Response{Data: data} }
	}
}

// TestGoroutinesEnd must not run beside others: it counts them.
func TestGoroutinesEnd(t *testing.T) { //nolint:paralleltest // it counts goroutines
	s := serve(t, fields{"forever": forever}, nil)
	s.open().breaks(t)
	_ = s.closed()
	before := runtime.NumGoroutine()
	rounds := testkit.Rounds(t, 10_000)
	for i := range rounds {
		p := s.open()
		p.asks("1", "subscription { forever }")
		if i%2 == 0 {
			p.says(`{"type":"ping"}`)
			p.hears(`{"type":"pong"}`)
		}
		p.breaks(t)
	}
	for range rounds {
		_ = s.closed()
	}
	late, again := time.After(patience), time.NewTicker(5*time.Millisecond)
	defer again.Stop()
	for runtime.NumGoroutine() > before {
		select {
		case <-again.C:
		case <-late:
			all := make([]byte, 1<<16)
			t.Fatalf("%d goroutines, want %d as before\n%s", runtime.NumGoroutine(), before, all[:runtime.Stack(all, true)])
		}
	}
}

// breaks breaks the connection off, as a client does whose machine sleeps.
func (p *peer) breaks(t *testing.T) {
	t.Helper()
	if err := p.NetConn().Close(); err != nil {
		t.Error(err)
	}
}

func TestResponsesKeepTheirData(t *testing.T) {
	t.Parallel()
	for want, r := range map[string]*graphql.Response{
		`{"data":{"a":1}}`:                          {Data: json.RawMessage(`{"a":1}`)},
		`{"data":null}`:                             {Data: json.RawMessage(`null`)},
		`{"errors":[{"message":"no"}]}`:             {Errors: gqlerror.List{gqlerror.Errorf("no")}},
		`{"errors":[{"message":"no"}],"data":null}`: {Errors: gqlerror.List{gqlerror.Errorf("no")}, Data: json.RawMessage(`null`)},
		`{"data":{},"extensions":{"a":1}}`:          {Data: json.RawMessage(`{}`), Extensions: map[string]any{"a": 1}},
	} {
		if got := string(graphqlws.AppendResponse(nil, r)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
