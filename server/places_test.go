package server_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/convoke-dev/convoke/internal/limit"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/server"
)

// events asks for a subscription as somebody, and returns its response.
func events(t *testing.T, w *testkit.World, session string, variables map[string]any) *http.Response {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": followEmails, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.URL+"/graphql", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "text/event-stream")
	if session != "" {
		req.Header.Set("Authorization", "Bearer "+session)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

// isFull checks the response to a stream beyond the limit.
func isFull(t *testing.T, got page) {
	t.Helper()
	equal(t, "status", got.status, http.StatusTooManyRequests)
	equal(t, "Retry-After", got.header.Get("Retry-After"), "30")
	if !strings.Contains(got.body, `"code":"RATE_LIMITED","retryAfterSeconds":30`) {
		t.Errorf("got %s, want RATE_LIMITED", got.body)
	}
}

func noPlaces(t *testing.T, w *testkit.World) {
	t.Helper()
	testkit.Eventually(t, func() bool { return w.Server.Places() == 0 })
}

// eventsRefused is the page of a subscription that must not become a stream.
func eventsRefused(t *testing.T, w *testkit.World, session, query string, variables map[string]any) page {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	header := []string{"Content-Type", "application/json", "Accept", "text/event-stream"}
	if session != "" {
		header = append(header, "Authorization", "Bearer "+session)
	}
	return send(t, http.MethodPost, w.URL+"/graphql", string(body), header...)
}

// WebSockets, event streams and streams of several operations of a user are counted
// together. Each gives its place back.
func TestTheStreamsOfAUserAreBounded(t *testing.T) {
	t.Parallel()
	eachWith(t, func(c *server.Config) { c.StreamsPerUser = 3 }, func(t *testing.T, w *testkit.World) {
		olivia, mallory := w.SignUp("olivia@acme.test"), w.SignUp("mallory@evil.test")
		second := w.SignIn("olivia@acme.test")
		follow := map[string]any{"team": olivia.TeamID}
		t.Run("HARD-6 the kinds of streams are counted together, and give their places back", func(t *testing.T) {
			socket := socketOf(t, w, olivia.Session)
			one := openOne(t, w, second.Session)
			stream := events(t, w, olivia.Session, follow)
			equal(t, "status", stream.StatusCode, http.StatusOK)
			equal(t, "places", w.Server.Places(), 3)

			refused := openSocket(t, w)
			refused.say(`{"type":"connection_init","payload":{"authorization":"Bearer ` + second.Session + `"}}`)
			refused.end("4429 Too many connections of this user")
			isFull(t, eventsRefused(t, w, second.Session, followEmails, follow))
			isFull(t, (&oneStream{t: t, url: w.URL + "/graphql", session: olivia.Session}).put())
			socketOf(t, w, mallory.Session).quiet()
			equal(t, "status", events(t, w, mallory.Session, map[string]any{"team": mallory.TeamID}).StatusCode, http.StatusOK) //nolint:bodyclose // events closes it

			_ = socket.NetConn().Close() // killed
			testkit.Eventually(t, func() bool {
				res := events(t, w, second.Session, follow)
				defer func() { _ = res.Body.Close() }()
				return res.StatusCode == http.StatusOK
			})
			_ = stream.Body.Close()
			_ = one.body.Close()
			<-w.Server.StopStreams()
			noPlaces(t, w)
		})
	})
}

// HARD-6: the limit holds for streams that are opened at once.
func TestTheLimitOfStreamsHoldsInParallel(t *testing.T) {
	t.Parallel()
	w := testkit.New(t, t.TempDir()+"/convoke.db", func(c *server.Config) { c.StreamsPerUser = 5 })
	olivia := w.SignUp("olivia@acme.test")
	var granted, refused atomic.Int64
	together(40, func(i int) {
		if i%2 == 0 {
			s := openSocket(t, w)
			s.say(`{"type":"connection_init","payload":{"authorization":"Bearer ` + olivia.Session + `"}}`)
			if _, _, err := s.ReadMessage(); err != nil {
				refused.Add(1)
				return
			}
			granted.Add(1)
			return
		}
		if res := events(t, w, olivia.Session, map[string]any{"team": olivia.TeamID}); res.StatusCode == http.StatusOK { //nolint:bodyclose // events closes it
			granted.Add(1)
		} else {
			refused.Add(1)
		}
	})
	equal(t, "granted", granted.Load(), 5)
	equal(t, "refused", refused.Load(), 35)
	<-w.Server.StopStreams()
	noPlaces(t, w)
}

// Before anybody is known, streams count for the client address. People who have
// signed in count for themselves, also behind one address.
func TestTheStreamsOfVisitorsOfAnAddressAreBounded(t *testing.T) { //nolint:tparallel // one story
	t.Parallel()
	w := testkit.New(t, t.TempDir()+"/convoke.db", func(c *server.Config) { c.StreamsPerAddress = 2 })
	olivia := w.SignUp("olivia@acme.test")
	t.Run("HARD-6 visitors count for their address, people for themselves", func(t *testing.T) {
		first := openSocket(t, w)
		first.say(`{"type":"connection_init"}`)
		first.hear(`{"type":"connection_ack"}`)
		g := full(w)
		leave := takes(t, g, limit.NewParty("", nil, loopback), 3)
		waiting := events(t, w, "", map[string]any{"team": olivia.TeamID}) //nolint:bodyclose // events closes it
		equal(t, "status of one that waits", waiting.StatusCode, http.StatusOK)
		refused := openSocket(t, w)
		refused.say(`{"type":"connection_init"}`)
		refused.end("4429 Too many connections of this address that are not signed in")
		isFull(t, eventsRefused(t, w, "", followEmails, map[string]any{"team": olivia.TeamID}))
		leave()
		for range 5 {
			socketOf(t, w, olivia.Session).quiet()
		}
		if err := first.Close(); err != nil {
			t.Error(err)
		}
		testkit.Eventually(t, func() bool {
			s := openSocket(t, w)
			s.say(`{"type":"connection_init"}`)
			_, _, err := s.ReadMessage()
			return err == nil
		})

		// Those that have said nothing yet are counted apart, and refused before they open.
		dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}, HandshakeTimeout: patience}
		refusals := 0
		for range 21 {
			conn, res, err := dialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(w.URL, "http")+"/graphql", nil)
			if err == nil {
				_ = res.Body.Close()
				t.Cleanup(func() { _ = conn.Close() })
				continue
			}
			if res == nil || res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") != "30" {
				t.Errorf("got %v and %v, want 429", res, err)
			}
			refusals++
		}
		if refusals == 0 {
			t.Error("21 sockets of one address are opening, want at most 20")
		}
	})
	<-w.Server.StopStreams()
	noPlaces(t, w)
}
