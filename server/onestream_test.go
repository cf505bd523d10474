package server_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/server"
)

const (
	followEmails = `subscription($team: ID!, $after: EventCursor) { inviteStatusChanged(teamId: $team, after: $after) { invitation { email } } }`
	versionQuery = `{ serverInfo { version } }`
)

// oneStream is a client of the single connection mode.
type oneStream struct {
	*eventSource
	t       *testing.T
	url     string
	session string
	token   string
}

// reserve reserves a stream.
func reserve(t *testing.T, w *testkit.World, session string) *oneStream {
	t.Helper()
	s := &oneStream{t: t, url: w.URL + "/graphql", session: session}
	got := s.put()
	equal(t, "status", got.status, http.StatusCreated)
	equal(t, "type", got.header.Get("Content-Type"), "text/plain; charset=utf-8")
	equal(t, "cache", got.header.Get("Cache-Control"), "no-store")
	s.token = got.body
	return s
}

// openOne reserves a stream and opens it.
func openOne(t *testing.T, w *testkit.World, session string) *oneStream {
	t.Helper()
	s := reserve(t, w, session)
	s.open()
	return s
}

func (s *oneStream) request(method, more, body string) page {
	s.t.Helper()
	header := []string{"X-GraphQL-Event-Stream-Token", s.token, "Content-Type", "application/json"}
	if s.session != "" {
		header = append(header, "Authorization", "Bearer "+s.session)
	}
	return send(s.t, method, s.url+more, body, header...)
}

func (s *oneStream) put() page { s.t.Helper(); return s.request(http.MethodPut, "", "") }

// open opens the stream, as a browser's EventSource does.
func (s *oneStream) open() {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.url+"?token="+s.token, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Authorization", "Bearer "+s.session)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = res.Body.Close() })
	equal(s.t, "status", res.StatusCode, http.StatusOK)
	s.eventSource = &eventSource{t: s.t, header: res.Header, lines: bufio.NewScanner(res.Body), body: res.Body}
}

// post starts an operation; more is the JSON of its extensions.
func (s *oneStream) post(extensions any, query string, variables map[string]any) page {
	s.t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": testkit.Placed(query, variables), "extensions": extensions})
	if err != nil {
		s.t.Fatal(err)
	}
	return s.request(http.MethodPost, "", string(body))
}

// ask starts an operation that is accepted.
func (s *oneStream) ask(id, query string, variables map[string]any) {
	s.t.Helper()
	if got := s.post(map[string]any{"operationId": id}, query, variables); got.status != http.StatusAccepted || got.body != "" {
		s.t.Fatalf("got %d %s, want 202", got.status, got.body)
	}
}

// complete ends an operation.
func (s *oneStream) complete(id string) {
	s.t.Helper()
	equal(s.t, "status", s.request(http.MethodDelete, "?operationId="+id, "").status, http.StatusOK)
}

// hears waits for the next event, which must be of that operation.
func (s *oneStream) hears(name, id, data string) {
	s.t.Helper()
	if e := s.want(name, data); e.id != "" || !strings.HasPrefix(e.data, `{"id":"`+id+`"`) {
		s.t.Fatalf("got %+v, want one of %s without an id", e, id)
	}
}

// ends waits for the end of the stream, without an event.
func (s *oneStream) ends() {
	s.t.Helper()
	if e := s.next(); e != nil {
		s.t.Errorf("got %+v, want the end", e)
	}
}

// gone waits until the reservation is unknown.
func (s *oneStream) gone() {
	s.t.Helper()
	testkit.Eventually(s.t, func() bool { return s.request(http.MethodDelete, "?operationId=1", "").status == http.StatusNotFound })
}

func TestOneEventStream(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		from := map[string]any{"team": owner.TeamID, "after": eventCursor(owner)}
		invite := func(email string) { owner.Invite(email, "billing", "sendEmail", false).OK() }
		t.Run("FE-9 many subscriptions, queries and mutations run over one stream", func(t *testing.T) {
			s := openOne(t, w, owner.Session)
			equal(t, "type", s.header.Get("Content-Type"), "text/event-stream")
			equal(t, "cache", s.header.Get("Cache-Control"), "no-store, no-transform")
			const many = 12
			for i := range many {
				s.ask(itoa(i), followEmails, from)
			}
			s.ask("q", versionQuery, nil)
			s.want("next", `{"id":"q","payload":{"data":{"serverInfo":{"version":"test"}}}}`)
			s.want("complete", `{"id":"q"}`)
			s.ask("m", testkit.InviteMutation, testkit.Input("teamId", owner.TeamID, "email", "ann@x.org", "sendEmail", false,
				"roleIds", []string{owner.Role("billing")}))
			var heard []string
			for range many + 2 { // the mutation has two events
				e := s.next()
				var data struct{ ID string }
				if e == nil || json.Unmarshal([]byte(e.data), &data) != nil {
					t.Fatalf("got %+v, want an event with an id", e)
				}
				if data.ID != "m" {
					equal(t, "data", e.data, `{"id":"`+data.ID+`","payload":{"data":{"inviteStatusChanged":{"invitation":{"email":"ann@x.org"}}}}}`)
					heard = append(heard, data.ID)
				}
			}
			slices.Sort(heard)
			equal(t, "subscriptions that heard of it", len(slices.Compact(heard)), many)
			for i := range many - 1 {
				s.complete(itoa(i))
			}
			s.complete("unknown")
			invite("bob@x.org")
			s.hears("next", itoa(many-1), "bob@x.org")
			s.ask("0", followEmails, from) // its id is free
			s.hears("next", "0", "ann@x.org")
			s.hears("next", "0", "bob@x.org")
		})
		t.Run("FE-9 a client comes back with the cursor of each operation", func(t *testing.T) {
			s := openOne(t, w, owner.Session)
			s.ask("1", watch, map[string]any{"team": owner.TeamID, "after": from["after"]})
			e := s.want("next", "ann@x.org")
			_ = s.body.Close()
			s.gone()
			_, rest, _ := strings.Cut(e.data, `"cursor":"`)
			cursor, _, _ := strings.Cut(rest, `"`)
			again := openOne(t, w, owner.Session)
			again.ask("1", watch, map[string]any{"team": owner.TeamID, "after": cursor})
			again.hears("next", "1", "bob@x.org")
		})
		t.Run("FE-9 events are kept until the stream opens", func(t *testing.T) {
			s := reserve(t, w, owner.Session)
			s.ask("1", versionQuery, nil)
			s.ask("2", followEmails, from)
			s.open()
			var heard []string
			for range 4 {
				if e := s.next(); e != nil {
					heard = append(heard, e.name+" "+e.data[:len(`{"id":"1"`)])
				}
			}
			equalList(t, "events", inOrder(heard), `complete {"id":"1"`, `next {"id":"1"`, `next {"id":"2"`, `next {"id":"2"`)
		})
		t.Run("FE-9 an operation that is refused has its error on the stream", func(t *testing.T) {
			mallory := w.SignUp("mallory@evil.test")
			s := openOne(t, w, mallory.Session)
			s.ask("1", followEmails, map[string]any{"team": owner.TeamID})
			s.hears("next", "1", `"code":"NOT_FOUND"`)
			s.hears("complete", "1", "")
			for code, query := range map[string]string{"GRAPHQL_PARSE_FAILED": `{ viewer `, "GRAPHQL_VALIDATION_FAILED": `{ veiwer { id } }`} {
				s.ask("1", query, nil)
				s.hears("next", "1", `"code":"`+code+`"`)
				s.hears("complete", "1", "")
			}
			s.ask("1", followEmails, map[string]any{"team": true})
			s.hears("next", "1", `"code":"GRAPHQL_VALIDATION_FAILED"`)
			s.hears("complete", "1", "")
			s.ask("1", versionQuery, nil)
			s.hears("next", "1", `"version":"test"`)
		})
	})
}

func TestOneEventStreamRefuses(t *testing.T) {
	t.Parallel()
	w := testkit.New(t, t.TempDir()+"/convoke.db", func(c *server.Config) { c.StreamsPerUser = 1000 })
	olivia, mallory := w.SignUp("olivia@acme.test"), w.SignUp("mallory@evil.test")
	second := w.SignIn("olivia@acme.test")
	team := map[string]any{"team": olivia.TeamID}
	for name, c := range map[string]struct {
		does   func(s *oneStream) page
		status int
		code   string
	}{
		"a second stream": {func(s *oneStream) page { return s.request(http.MethodGet, "", "") }, 409, "BAD_USER_INPUT"},
		"an id that is in use": {func(s *oneStream) page {
			s.ask("1", followEmails, team)
			return s.post(map[string]any{"operationId": "1"}, versionQuery, nil)
		}, 409, "BAD_USER_INPUT"},
		"no id":                 {func(s *oneStream) page { return s.post(nil, versionQuery, nil) }, 400, "BAD_USER_INPUT"},
		"an empty id":           {func(s *oneStream) page { return s.post(map[string]any{"operationId": ""}, versionQuery, nil) }, 400, "BAD_USER_INPUT"},
		"an id that is no text": {func(s *oneStream) page { return s.post(map[string]any{"operationId": 1}, versionQuery, nil) }, 400, "BAD_USER_INPUT"},
		"an end without an id":  {func(s *oneStream) page { return s.request(http.MethodDelete, "", "") }, 400, "BAD_USER_INPUT"},
		"a body of no JSON":     {func(s *oneStream) page { return s.request(http.MethodPost, "", "hunter2") }, 400, "BAD_USER_INPUT"},
		"a form of another site": {func(s *oneStream) page {
			return send(t, http.MethodPost, s.url+"?token="+s.token, `{"query":"{__typename}"}`, "Content-Type", "text/plain", "Authorization", "Bearer "+s.session)
		}, 415, "BAD_USER_INPUT"},
		"a page of another site": {func(s *oneStream) page {
			return send(t, http.MethodPut, s.url, "", "Origin", "https://evil.test", "Authorization", "Bearer "+s.session)
		}, 403, "FORBIDDEN"},
		"a visitor":                {func(s *oneStream) page { s.session = ""; return s.put() }, 401, "UNAUTHENTICATED"},
		"a session that has ended": {func(s *oneStream) page { s.session = "nonsense"; return s.request(http.MethodGet, "", "") }, 401, "UNAUTHENTICATED"},
	} {
		t.Run("FE-9 "+name, func(t *testing.T) {
			t.Parallel()
			s := openOne(t, w, olivia.Session)
			got := c.does(s)
			equal(t, "status", got.status, c.status)
			equal(t, "type", got.header.Get("Content-Type"), "application/graphql-response+json; charset=utf-8")
			if !strings.Contains(got.body, `"code":"`+c.code+`"`) || strings.Contains(got.body, "hunter2") {
				t.Errorf("got %s, want %s", got.body, c.code)
			}
			s.session = olivia.Session
			s.ask("after", versionQuery, nil)
			s.hears("next", "after", `"version":"test"`) // the stream goes on
		})
	}
	for name, change := range map[string]func(s *oneStream){
		"the token of another user":            func(s *oneStream) { s.session = mallory.Session },
		"the token of another session":         func(s *oneStream) { s.session = second.Session },
		"the token without a session":          func(s *oneStream) { s.session = "" },
		"a token that was never handed out":    func(s *oneStream) { s.token = "est_nonsense" },
		"the token of a stream that was ended": func(s *oneStream) { _ = s.body.Close(); s.gone() },
	} {
		t.Run("FE-9 "+name+" is unknown", func(t *testing.T) {
			t.Parallel()
			s := openOne(t, w, olivia.Session)
			change(s)
			for _, got := range []page{
				s.request(http.MethodGet, "", ""), s.request(http.MethodDelete, "?operationId=1", ""),
				s.post(map[string]any{"operationId": "1"}, versionQuery, nil),
			} {
				equal(t, "status", got.status, http.StatusNotFound)
				if !strings.Contains(got.body, `"code":"NOT_FOUND"`) {
					t.Errorf("got %s, want NOT_FOUND", got.body)
				}
			}
		})
	}
	t.Run("FE-9 a page of a listed origin may use every method", func(t *testing.T) {
		t.Parallel()
		for _, method := range []string{http.MethodPut, http.MethodGet, http.MethodPost, http.MethodDelete} {
			got := send(t, http.MethodOptions, w.URL+"/graphql", "", "Origin", w.URL, "Access-Control-Request-Method", method,
				"Access-Control-Request-Headers", "x-graphql-event-stream-token")
			equal(t, "method", got.header.Get("Access-Control-Allow-Methods"), method)
			equal(t, "header", got.header.Get("Access-Control-Allow-Headers"), "x-graphql-event-stream-token")
		}
	})
}

func TestOneEventStreamHasLimits(t *testing.T) {
	t.Parallel()
	w := testkit.New(t, t.TempDir()+"/convoke.db", func(c *server.Config) { c.StreamsPerUser = 3 })
	olivia := w.SignUp("olivia@acme.test")
	mallory, ben := w.SignUp("mallory@evil.test"), w.SignUp("ben@x.org")
	t.Run("FE-9 a stream counts as one of the user's connections", func(t *testing.T) {
		t.Parallel()
		second := w.SignIn("olivia@acme.test")
		socketOf(t, w, olivia.Session).quiet()
		one := openOne(t, w, second.Session)
		never := reserve(t, w, olivia.Session)
		openOne(t, w, mallory.Session)
		full := &oneStream{t: t, url: w.URL + "/graphql", session: olivia.Session}
		got := full.put()
		equal(t, "status", got.status, http.StatusTooManyRequests)
		if !strings.Contains(got.body, `"code":"RATE_LIMITED"`) {
			t.Errorf("got %s, want RATE_LIMITED", got.body)
		}
		never.gone() // nobody has opened it in time
		testkit.Eventually(t, func() bool { return full.put().status == http.StatusCreated })
		_ = one.body.Close()
		testkit.Eventually(t, func() bool { return full.put().status == http.StatusCreated })
	})
	t.Run("FE-9 a stream has so many operations", func(t *testing.T) {
		t.Parallel()
		s := openOne(t, w, mallory.Session)
		for i := range 100 {
			s.ask(itoa(i), followEmails, map[string]any{"team": mallory.TeamID})
		}
		s.ask("more", versionQuery, nil)
		s.hears("next", "more", `"code":"RATE_LIMITED"`)
		s.hears("complete", "more", "")
		s.complete("7")
		s.ask("more", versionQuery, nil)
		s.hears("next", "more", `"version":"test"`)
	})
	t.Run("FE-9 a reservation keeps so many events", func(t *testing.T) {
		t.Parallel()
		inviteMany(ben, 0, 20)
		var long strings.Builder
		for i := range 10 {
			fmt.Fprintf(&long, " n%d: note", i)
		}
		s := reserve(t, w, ben.Session)
		for i := range 20 { // of 100 kB each
			got := s.post(map[string]any{"operationId": itoa(i)}, `query($team: ID!) { team(id: $team) { invitations(first: 20) { nodes { email`+long.String()+` } } } }`,
				map[string]any{"team": ben.TeamID})
			if got.status != http.StatusAccepted {
				equal(t, "status", got.status, http.StatusNotFound)
				break
			}
		}
		testkit.Eventually(t, func() bool { return strings.Contains(w.Log.String(), "too many events before the stream was opened") })
		s.gone()
	})
}

func TestOneEventStreamEnds(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		t.Run("FE-9 with its session, after a last word for each operation", func(t *testing.T) {
			second := w.SignIn("olivia@acme.test")
			s := openOne(t, w, second.Session)
			s.ask("rights", watchAccess, nil)
			s.ask("follow", followEmails, map[string]any{"team": owner.TeamID})
			testkit.Eventually(t, func() bool { return w.Server.Streams() == 2 })
			owner.Invite("ann@x.org", "billing", "sendEmail", false).OK()
			s.hears("next", "follow", "ann@x.org") // it is open
			second.Do(`mutation { signOut { userErrors { code } } }`, nil).OK()
			s.hears("next", "rights", `"type":"SIGNED_OUT"`)
			var heard []string
			for e := s.next(); e != nil; e = s.next() {
				heard = append(heard, e.name+" "+e.data)
				if e.name == "next" && !strings.Contains(e.data, "UNAUTHENTICATED") {
					t.Errorf("got %+v, want UNAUTHENTICATED", e)
				}
			}
			equal(t, "last words", strings.Count(strings.Join(heard, "\n"), "complete"), 2)
			equal(t, "another reservation", s.put().status, http.StatusUnauthorized)
		})
		t.Run("FE-9 with its session, while it is idle", func(t *testing.T) {
			second := w.SignIn("olivia@acme.test")
			s := openOne(t, w, second.Session)
			second.Do(`mutation { signOut { userErrors { code } } }`, nil).OK()
			s.ends()
		})
		t.Run("FE-9 a lost right ends an operation, not the stream", func(t *testing.T) {
			bella := w.SignUp("bella@acme.test")
			joinBy(owner, bella, "roleIds", []string{owner.Role("account_admin")})
			s := openOne(t, w, bella.Session)
			s.ask("1", followEmails, map[string]any{"team": owner.TeamID})
			testkit.Eventually(t, func() bool { return w.Server.Streams() == 1 })
			owner.Invite("bob@x.org", "billing", "sendEmail", false).OK()
			s.want("next", "inviteStatusChanged") // it is open
			onMember(owner, "removeMember", owner.MemberID(bella.Email)).OK()
			e := s.want("next", "")
			for strings.Contains(e.data, "inviteStatusChanged") { // of the mail to Bella
				e = s.want("next", "")
			}
			if !strings.Contains(e.data, `"code":"FORBIDDEN"`) {
				t.Errorf("got %+v, want FORBIDDEN", e)
			}
			s.hears("complete", "1", "")
			s.ask("1", versionQuery, nil)
			s.hears("next", "1", `"version":"test"`)
			s.hears("complete", "1", "")
		})
		t.Run("FE-9 without complete when the server stops", func(t *testing.T) {
			s := openOne(t, w, owner.Session)
			s.ask("1", followEmails, map[string]any{"team": owner.TeamID})
			testkit.Eventually(t, func() bool { return w.Server.Streams() == 1 })
			reserve(t, w, owner.Session)
			if err := w.Server.Close(); err != nil {
				t.Error(err)
			}
			s.ends()
		})
	})
}

func TestASlowEventStreamDelaysNobody(t *testing.T) {
	t.Parallel()
	// Without mail, nothing follows the events that the other client hears.
	w := testkit.New(t, t.TempDir()+"/convoke.db", withoutMail)
	signUp(w, "olivia@acme.test", testkit.Password).OK()
	owner := w.SignIn("olivia@acme.test")
	from := map[string]any{"team": owner.TeamID, "after": eventCursor(owner)}
	slow := openOne(t, w, owner.Session)
	for i := range 3 {
		slow.ask(itoa(i), watchAtLength, from)
	}
	other := openOne(t, w, owner.Session)
	other.ask("1", followEmails, from)
	testkit.Eventually(t, func() bool { return w.Server.Streams() == 4 })
	t.Run("FE-9 a client that does not read delays no other", func(t *testing.T) {
		t.Parallel()
		const invited = 400
		inviteMany(owner, 0, invited)
		for range invited {
			other.hears("next", "1", "inviteStatusChanged")
		}
		_ = slow.body.Close()
		testkit.Eventually(t, func() bool { return w.Server.Streams() == 1 })
	})
}

func TestEventStreamsLeaveNothingBehind(t *testing.T) { //nolint:paralleltest // it counts goroutines
	w := testkit.New(t, t.TempDir()+"/convoke.db", func(c *server.Config) { c.StreamsPerUser = 1000 })
	owner := w.SignUp("olivia@acme.test")
	team := map[string]any{"team": owner.TeamID}
	drop := func(round int) {
		s := openOne(t, w, owner.Session)
		for i := range 8 {
			s.ask(itoa(i), followEmails, team)
		}
		switch round % 3 {
		case 0: // some leave while a query runs
			s.ask("q", versionQuery, nil)
		case 1: // and some while operations are being ended
			s.complete("3")
		}
		if err := s.body.Close(); err != nil {
			t.Error(err)
		}
	}
	settled := func() int {
		http.DefaultClient.CloseIdleConnections()
		return runtime.NumGoroutine()
	}
	drop(0)
	var before int
	testkit.Eventually(t, func() bool { // the first one has left
		same := settled() == before
		before = settled()
		return same
	})
	for i := range 50 {
		drop(i)
	}
	t.Run("FE-9 no goroutine and no subscription is left", func(t *testing.T) {
		const beside = 5 // what the server may have begun meanwhile
		testkit.Eventually(t, func() bool { return settled() <= before+beside && w.Server.Streams() == 0 })
	})
}
