package server_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/internal/testkit"
)

// sseEvent is one event of a stream, as the HTML standard reads it.
type sseEvent struct {
	name, id, data string
}

// eventSource reads events.
type eventSource struct {
	t      *testing.T
	header http.Header
	lines  *bufio.Scanner
	body   io.Closer
}

// openEvents asks for a stream; lastEventID may be empty.
func openEvents(p *testkit.Person, t *testing.T, w *testkit.World, query string, variables map[string]any, lastEventID string) *eventSource {
	t.Helper()
	return openStream(p, t, w, query, variables, "Accept", "text/event-stream", "Last-Event-ID", lastEventID)
}

// openStream sends an operation with these headers, in pairs, and reads its stream.
func openStream(p *testkit.Person, t *testing.T, w *testkit.World, query string, variables map[string]any, header ...string) *eventSource {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": testkit.Placed(query, variables)})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.URL+"/graphql", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+p.Session)
	for i := 0; i < len(header); i += 2 {
		if header[i+1] != "" {
			req.Header.Set(header[i], header[i+1])
		}
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	equal(t, "status", res.StatusCode, http.StatusOK)
	return &eventSource{t: t, header: res.Header, lines: bufio.NewScanner(res.Body), body: res.Body}
}

// next returns the next event; nil at the end.
func (s *eventSource) next() *sseEvent {
	s.t.Helper()
	e := &sseEvent{}
	var dispatch bool
	for s.lines.Scan() {
		field, value, _ := strings.Cut(s.lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "":
			if s.lines.Text() == "" && dispatch {
				return e
			}
		case "event":
			e.name = value
		case "id":
			e.id = value
		case "data":
			e.data, dispatch = value, true
		case "retry":
			equal(s.t, "retry", value, "2000")
		default:
			s.t.Errorf("a line no browser knows: %q", s.lines.Text())
		}
	}
	return nil
}

func (s *eventSource) want(name, data string) *sseEvent {
	s.t.Helper()
	e := s.next()
	if e == nil || e.name != name || !strings.Contains(e.data, data) {
		s.t.Fatalf("got %+v, want %s with %s", e, name, data)
	}
	return e
}

func TestEventsCarryTheirCursor(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		from := map[string]any{"team": owner.TeamID, "after": eventCursor(owner)}
		invite := func(email string) { owner.Invite(email, "billing", "sendEmail", false).OK() }
		invite("ann@x.org")
		invite("bob@x.org")
		s := openEvents(owner, t, w, watch, from, "")
		equal(t, "type", s.header.Get("Content-Type"), "text/event-stream")
		equal(t, "cache", s.header.Get("Cache-Control"), "no-store, no-transform")
		equal(t, "buffering", s.header.Get("X-Accel-Buffering"), "no")
		var ann *sseEvent
		for _, email := range []string{"ann@x.org", "bob@x.org"} {
			e := s.want("next", email)
			if e.id == "" || !strings.Contains(e.data, `"cursor":"`+e.id+`"`) {
				t.Errorf("got the id %q with %s, want the cursor", e.id, e.data)
			}
			if ann == nil {
				ann = e
			}
		}
		if err := s.body.Close(); err != nil {
			t.Error(err)
		}
		invite("carl@x.org")
		const bare = `subscription($team: ID!, $after: EventCursor) { inviteStatusChanged(teamId: $team, after: $after) { invitation { email } } }`
		t.Run("a client that comes back goes on after it", func(t *testing.T) {
			t.Parallel()
			s := openEvents(owner, t, w, bare, map[string]any{"team": owner.TeamID}, ann.id)
			s.want("next", "bob@x.org")
			if e := s.want("next", "carl@x.org"); e.id == "" {
				t.Error("no id, want one though the cursor is not selected")
			}
		})
		t.Run("a client that repeats its request too", func(t *testing.T) {
			t.Parallel()
			s := openEvents(owner, t, w, bare, from, ann.id)
			s.want("next", "bob@x.org")
		})
		t.Run("an argument further on wins", func(t *testing.T) {
			t.Parallel()
			s := openEvents(owner, t, w, bare, map[string]any{"team": owner.TeamID, "after": ann.id}, from["after"].(string))
			s.want("next", "bob@x.org")
		})
		t.Run("a foreign id is refused", func(t *testing.T) {
			t.Parallel()
			s := openEvents(owner, t, w, bare, from, "garbage")
			s.want("next", "BAD_USER_INPUT")
			s.want("complete", "")
		})
	})
}

func TestWhatIsNoSubscriptionIsOneEvent(t *testing.T) {
	t.Parallel()
	w := testkit.New(t, t.TempDir()+"/convoke.db")
	owner := w.SignUp("olivia@acme.test")
	for query, want := range map[string]string{
		`{ viewer { user { email } } }`:              `{"data":{"viewer":{"user":{"email":"olivia@acme.test"}}}}`,
		`{ viewer `:                                  `GRAPHQL_PARSE_FAILED`,
		`subscription { nothing }`:                   `GRAPHQL_VALIDATION_FAILED`,
		strings.Replace(watch, "$team:", "$tem:", 1): `GRAPHQL_VALIDATION_FAILED`,
	} {
		s := openEvents(owner, t, w, query, map[string]any{"team": owner.TeamID}, "garbage")
		if e := s.want("next", want); e.id != "" {
			t.Errorf("got the id %q, want none", e.id)
		}
		s.want("complete", "")
		if e := s.next(); e != nil {
			t.Errorf("got %+v, want the end", e)
		}
	}
}

func TestTheStopCutsEventsOff(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		from := map[string]any{"team": owner.TeamID, "after": eventCursor(owner)}
		owner.Invite("ann@x.org", "billing", "sendEmail", false).OK()
		s := openEvents(owner, t, w, watch, from, "")
		s.want("next", "ann@x.org")
		if err := w.Server.Close(); err != nil {
			t.Error(err)
		}
		if e := s.next(); e != nil {
			t.Errorf("got %+v, want an end that clients come back from", e)
		}
	})
}
