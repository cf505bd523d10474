package server_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/server"
)

// rawSocket is a client that speaks in frames.
type rawSocket struct {
	*websocket.Conn
	t testing.TB
}

func openSocket(t testing.TB, w *testkit.World) *rawSocket {
	t.Helper()
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}, HandshakeTimeout: patience}
	conn, res, err := dialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(w.URL, "http")+"/graphql", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &rawSocket{Conn: conn, t: t}
}

// socketOf opens a socket as somebody and has it acknowledged.
func socketOf(t testing.TB, w *testkit.World, session string) *rawSocket {
	t.Helper()
	s := openSocket(t, w)
	s.say(`{"type":"connection_init","payload":{"authorization":"Bearer ` + session + `"}}`)
	s.hear(`{"type":"connection_ack"}`)
	return s
}

func (s *rawSocket) say(frame string) {
	s.t.Helper()
	if err := s.WriteMessage(websocket.TextMessage, []byte(frame)); err != nil {
		s.t.Error(err)
	}
}

// ask starts an operation.
func (s *rawSocket) ask(id, query string, variables map[string]any) {
	s.t.Helper()
	if err := s.WriteJSON(map[string]any{"type": "subscribe", "id": id, "payload": map[string]any{"query": query, "variables": testkit.Placed(query, variables)}}); err != nil {
		s.t.Error(err)
	}
}

// hear reads the next frame, which must equal the text, or match the pattern as a
// whole when it stands in slashes.
func (s *rawSocket) hear(want string) string {
	s.t.Helper()
	if err := s.SetReadDeadline(time.Now().Add(patience)); err != nil {
		s.t.Fatal(err)
	}
	_, got, err := s.ReadMessage()
	if err != nil {
		s.t.Fatalf("got %v, want %s", err, want)
	}
	if !matches(string(got), want) {
		s.t.Fatalf("got %s, want %s", got, want)
	}
	return string(got)
}

// said is a message of the server.
type said struct {
	ID, Type string // of the operation and of the message
	Payload  json.RawMessage
}

// next reads the next message.
func (s *rawSocket) next() said {
	s.t.Helper()
	if err := s.SetReadDeadline(time.Now().Add(patience)); err != nil {
		s.t.Fatal(err)
	}
	var m said
	if err := s.ReadJSON(&m); err != nil {
		s.t.Fatalf("got %v, want a message", err)
	}
	return m
}

func matches(got, want string) bool {
	if pattern, ok := strings.CutPrefix(want, "/"); ok {
		return regexp.MustCompile("^(?:" + strings.TrimSuffix(pattern, "/") + ")$").MatchString(got)
	}
	return got == want
}

// quiet proves that nothing comes but the reply to a ping.
func (s *rawSocket) quiet() {
	s.t.Helper()
	s.say(`{"type":"ping"}`)
	s.hear(`{"type":"pong"}`)
}

// end wants the connection to be closed without a frame before.
func (s *rawSocket) end(want string) {
	s.t.Helper()
	if err := s.SetReadDeadline(time.Now().Add(patience)); err != nil {
		s.t.Fatal(err)
	}
	_, frame, err := s.ReadMessage()
	var closed *websocket.CloseError
	if !errors.As(err, &closed) {
		s.t.Fatalf("got %s, %v, want the close %s", frame, err, want)
	}
	if got := strings.TrimSpace(itoa(closed.Code) + " " + closed.Text); !matches(got, want) {
		s.t.Errorf("got the close %s, want %s", got, want)
	}
}

func TestTheRulesOfTheSocketProtocol(t *testing.T) {
	t.Parallel()
	w := testkit.New(t, t.TempDir()+"/convoke.db", func(c *server.Config) { c.StreamsPerUser = 1000 })
	owner := w.SignUp("olivia@acme.test")
	const (
		start   = `> {"type":"connection_init"}`
		ack     = `< {"type":"connection_ack"}`
		ping    = `> {"type":"ping"}`
		pong    = `< {"type":"pong"}`
		ask     = `> {"type":"subscribe","id":"1","payload":{"query":"{ serverInfo { version } }"}}`
		next    = `< {"id":"1","type":"next","payload":{"data":{"serverInfo":{"version":"test"}}}}`
		done    = `< {"id":"1","type":"complete"}`
		follow  = `> {"type":"subscribe","id":"1","payload":{"query":"subscription { inviteStatusChanged(teamId: \"TEAM\") { type } }"}}`
		invalid = `x 4400 Invalid message: `
	)
	signedIn := `> {"type":"connection_init","payload":{"authorization":"Bearer ` + owner.Session + `"}}`
	follows := strings.Replace(follow, "TEAM", owner.TeamID, 1)
	long := strings.Repeat("ü", 80)
	failed := func(id, code string) string {
		return `< /\{"id":"` + id + `","type":"error","payload":\[\{"message":.*"code":"` + code + `".*\]\}/`
	}
	for name, steps := range map[string][]string{
		"init is acknowledged":            {start, ack},
		"init without a payload":          {`> {"type":"connection_init","payload":null}`, ack},
		"init with another payload":       {`> {"type":"connection_init","payload":{"x":[1]}}`, ack},
		"init with no object":             {`> {"type":"connection_init","payload":["x"]}`, invalid + "payload must be an object"},
		"init twice":                      {start, ack, start, "x 4429 Too many initialisation requests"},
		"init twice at once":              {start, start, ack, "x 4429 Too many initialisation requests"},
		"init with a dead session":        {`> {"type":"connection_init","payload":{"authorization":"Bearer nonsense"}}`, "x 4403 Forbidden"},
		"init with no bearer token":       {`> {"type":"connection_init","payload":{"authorization":"Basic b2xpdmlhOngK"}}`, `x 4400 connection_init: authorization has no Bearer token; send {"authorization":"Bearer TOKEN"}`},
		"no init":                         {"x 4408 Connection initialisation timeout"},
		"no init, but pings":              {ping, pong, "x 4408 Connection initialisation timeout"},
		"an operation before init":        {ask, "x 4401 Unauthorized"},
		"complete before init":            {`> {"type":"complete","id":"1"}`, ping, pong},
		"ping":                            {start, ack, ping, pong},
		"ping before init":                {ping, pong, start, ack},
		"ping with a payload":             {start, ack, `> {"type":"ping","payload":{"a":[1,2]}}`, `< {"type":"pong","payload":{"a":[1,2]}}`},
		"ping with no object":             {start, ack, `> {"type":"ping","payload":1}`, invalid + "payload must be an object"},
		"pong":                            {start, ack, `> {"type":"pong"}`, `> {"type":"pong","payload":{"a":1}}`, ping, pong},
		"a query":                         {start, ack, ask, next, done},
		"an id again":                     {start, ack, ask, next, done, ask, next, done},
		"unknown fields of a message":     {`> {"type":"connection_init","extra":1}`, ack},
		"an id that runs":                 {signedIn, ack, follows, follows, "x 4409 Subscriber for 1 already exists"},
		"a query with an id that runs":    {signedIn, ack, follows, ask, "x 4409 Subscriber for 1 already exists"},
		"a long id that runs":             {signedIn, ack, strings.Replace(follows, `"1"`, `"`+long+`"`, 1), strings.Replace(follows, `"1"`, `"`+long+`"`, 1), `x /4409 Subscriber for ü+/`},
		"complete and the same id again":  {signedIn, ack, follows, `> {"type":"complete","id":"1"}`, ask, next, done},
		"complete for an unknown id":      {start, ack, `> {"type":"complete","id":"none"}`, ping, pong},
		"complete for one that is over":   {start, ack, ask, next, done, `> {"type":"complete","id":"1"}`, ping, pong},
		"a syntax error":                  {start, ack, strings.Replace(ask, "version } }", "version", 1), failed("1", "GRAPHQL_PARSE_FAILED"), ping, pong, ask, next, done},
		"an unknown field":                {start, ack, strings.Replace(ask, "version", "vresion", 1), failed("1", "GRAPHQL_VALIDATION_FAILED"), ping, pong, ask, next, done},
		"an unknown operation":            {start, ack, strings.Replace(ask, `"query"`, `"operationName":"x","query"`, 1), failed("1", "GRAPHQL_VALIDATION_FAILED"), ping, pong},
		"an empty query":                  {start, ack, `> {"type":"subscribe","id":"1","payload":{"query":""}}`, failed("1", "GRAPHQL_VALIDATION_FAILED"), ping, pong},
		"nulls":                           {start, ack, strings.Replace(ask, `"query"`, `"operationName":null,"variables":null,"extensions":null,"query"`, 1), next, done},
		"a subscription that is refused":  {signedIn, ack, strings.Replace(follow, "TEAM", "team_none", 1), failed("1", "NOT_FOUND"), ping, pong, ask, next, done},
		"a subscription by a stranger":    {start, ack, follows, failed("1", "UNAUTHENTICATED"), ping, pong},
		"no JSON":                         {start, ack, "> hunter2", invalid + "it must be a JSON object"},
		"nothing":                         {start, ack, "> ", invalid + "it must be a JSON object"},
		"null":                            {start, ack, "> null", invalid + "it must be a JSON object"},
		"an array":                        {start, ack, `> [{"type":"ping"}]`, invalid + "it must be a JSON object"},
		"two messages in one":             {start, ack, `> {"type":"ping"}{"type":"ping"}`, invalid + "it must be a JSON object"},
		"no type":                         {start, ack, `> {"id":"1"}`, invalid + "type must be a string"},
		"a type in capitals":              {start, ack, `> {"Type":"ping"}`, invalid + "type must be a string"},
		"a type that is a number":         {start, ack, `> {"type":1}`, invalid + "type must be a string"},
		"an unknown type":                 {start, ack, `> {"type":"start","id":"1"}`, `x 4400 Unexpected message of type "start"`},
		"a server's type":                 {start, ack, `> {"type":"next","id":"1","payload":{}}`, `x 4400 Unexpected message of type "next"`},
		"an unknown type before init":     {`> {"type":"hello"}`, `x 4400 Unexpected message of type "hello"`},
		"no id":                           {start, ack, `> {"type":"subscribe","payload":{"query":"{ a }"}}`, invalid + "id must be a string that is not empty"},
		"an empty id":                     {start, ack, `> {"type":"subscribe","id":"","payload":{"query":"{ a }"}}`, invalid + "id must be a string that is not empty"},
		"a number for an id":              {start, ack, `> {"type":"subscribe","id":1,"payload":{"query":"{ a }"}}`, invalid + "id must be a string that is not empty"},
		"complete without id":             {start, ack, `> {"type":"complete"}`, invalid + "id must be a string that is not empty"},
		"subscribe without a payload":     {start, ack, `> {"type":"subscribe","id":"1"}`, invalid + "payload must be an object"},
		"subscribe without a query":       {start, ack, `> {"type":"subscribe","id":"1","payload":{}}`, invalid + "it has neither a query nor the id of a document"},
		"a query that is an object":       {start, ack, `> {"type":"subscribe","id":"1","payload":{"query":{}}}`, invalid + "query must be a string"},
		"an operation name of no text":    {start, ack, strings.Replace(ask, `"query"`, `"operationName":1,"query"`, 1), invalid + "operationName must be a string"},
		"variables that are an array":     {start, ack, strings.Replace(ask, `"query"`, `"variables":[],"query"`, 1), invalid + "variables must be an object"},
		"extensions that are a text":      {start, ack, strings.Replace(ask, `"query"`, `"extensions":"x","query"`, 1), invalid + "extensions must be an object"},
		"a binary message":                {start, ack, `b {"type":"ping"}`, invalid + "it must be text"},
		"text that is not UTF-8":          {start, ack, "> {\"type\":\"ping\",\"payload\":{\"a\":\"\xff\"}}", "x 1007 The text is not UTF-8"},
		"a message that is too big":       {start, ack, `> {"type":"ping","payload":{"a":"` + strings.Repeat("x", 300<<10) + `"}}`, "x 1009"},
		"one that is just not":            {start, ack, `> {"type":"pong","payload":{"a":"` + strings.Repeat("x", 255<<10) + `"}}`, ping, pong},
		"a mutation":                      {start, ack, `> {"type":"subscribe","id":"1","payload":{"query":"mutation { declineInvite(input: {invitation: {token: \"none\"}}) { userErrors { code } } }"}}`, `< /\{"id":"1","type":"next","payload":\{"data":\{"declineInvite":\{"userErrors":\[.*/`, done},
		"an error beside data is no end":  {start, ack, `> {"type":"subscribe","id":"1","payload":{"query":"{ accessDecision(input: {teamId: \"team_none\", permission: \"members.read\"}) { allowed } }"}}`, `< /\{"id":"1","type":"next","payload":\{"errors":.*"data":\{"accessDecision":null\}\}\}/`, done},
		"the sub-protocol's older words":  {`> {"type":"connection_terminate"}`, `x 4400 Unexpected message of type "connection_terminate"`},
		"the client's own close, 1000":    {start, ack, "c 1000", "x 1000"},
		"the client's own close, 4499":    {start, ack, "c 4499", "x 4499"},
		"variables":                       {start, ack, `> {"type":"subscribe","id":"1","payload":{"query":"query($n: Int) { viewer { memberships(first: $n) { totalCount } } }","variables":{"n":1}}}`, `< {"id":"1","type":"next","payload":{"data":{"viewer":null}}}`, done},
		"an id with quotes":               {start, ack, strings.Replace(ask, `"1"`, `"a\"b\\"`, 1), strings.Replace(next, `"1"`, `"a\"b\\"`, 1), strings.Replace(done, `"1"`, `"a\"b\\"`, 1)},
		"requests that cross their reply": {start, ask, ack, next, done},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openSocket(t, w)
			for _, step := range steps {
				what, rest := step[:1], step[2:]
				switch what {
				case ">":
					s.say(rest)
				case "b":
					if err := s.WriteMessage(websocket.BinaryMessage, []byte(rest)); err != nil {
						t.Error(err)
					}
				case "<":
					s.hear(rest)
				case "x":
					s.end(rest)
				case "c":
					code := 1000
					if rest == "4499" {
						code = 4499
					}
					if err := s.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(patience)); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
}

func TestASocketTakesAHundredOperations(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		s := socketOf(t, w, owner.Session)
		const follow = `subscription($team: ID!) { inviteStatusChanged(teamId: $team) { invitation { email } } }`
		team := map[string]any{"team": owner.TeamID}
		for i := range 100 {
			s.ask(itoa(i), follow, team)
		}
		s.ask("more", follow, team)
		s.hear(`/\{"id":"more","type":"error","payload":\[.*"code":"RATE_LIMITED".*\]\}/`)
		s.say(`{"type":"complete","id":"7"}`)
		s.ask("more", `{ serverInfo { version } }`, nil)
		s.hear(`{"id":"more","type":"next","payload":{"data":{"serverInfo":{"version":"test"}}}}`)
		s.hear(`{"id":"more","type":"complete"}`)
	})
}

func TestASocketHoldsSoManyBytes(t *testing.T) {
	t.Parallel()
	w := testkit.New(t, t.TempDir()+"/convoke.db")
	owner := w.SignUp("olivia@acme.test")
	t.Run("HARD-22 documents and variables of the operations that wait are bounded together", func(t *testing.T) {
		t.Parallel()
		s := socketOf(t, w, owner.Session)
		follow := "# " + strings.Repeat("x", 200<<10) + "\nsubscription($team: ID!) { inviteStatusChanged(teamId: $team) { invitation { email } } }"
		team := map[string]any{"team": owner.TeamID}
		s.ask("1", follow, team)
		s.ask("2", follow, team)
		s.ask("3", follow, team)
		s.hear(`/\{"id":"3","type":"error","payload":\[.*"code":"RATE_LIMITED".*\]\}/`)
		s.say(`{"type":"complete","id":"1"}`)
		s.ask("4", `{ serverInfo { version } }`, nil)
		s.hear(`{"id":"4","type":"next","payload":{"data":{"serverInfo":{"version":"test"}}}}`)
		s.hear(`{"id":"4","type":"complete"}`)
	})
	t.Run("HARD-22 the id of an operation has at most 200 bytes", func(t *testing.T) {
		t.Parallel()
		s := socketOf(t, w, owner.Session)
		s.ask(strings.Repeat("i", 200), `{ serverInfo { version } }`, nil)
		s.hear(`{"id":"` + strings.Repeat("i", 200) + `","type":"next","payload":{"data":{"serverInfo":{"version":"test"}}}}`)
		s.hear(`{"id":"` + strings.Repeat("i", 200) + `","type":"complete"}`)
		s.ask(strings.Repeat("i", 201), `{ serverInfo { version } }`, nil)
		s.end("/4400 .*at most 200 bytes/")
	})
}

func TestAUserHasSoManySockets(t *testing.T) {
	t.Parallel()
	w := testkit.New(t, t.TempDir()+"/convoke.db", func(c *server.Config) { c.StreamsPerUser = 3 })
	olivia, mallory := w.SignUp("olivia@acme.test"), w.SignUp("mallory@evil.test")
	second := w.SignIn("olivia@acme.test")
	first := socketOf(t, w, olivia.Session)
	socketOf(t, w, olivia.Session).quiet()
	socketOf(t, w, second.Session).quiet()
	socketOf(t, w, mallory.Session).quiet()
	refused := openSocket(t, w)
	refused.say(`{"type":"connection_init","payload":{"authorization":"Bearer ` + olivia.Session + `"}}`)
	refused.end("4429 Too many connections of this user")
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	testkit.Eventually(t, func() bool {
		s := openSocket(t, w)
		s.say(`{"type":"connection_init","payload":{"authorization":"Bearer ` + olivia.Session + `"}}`)
		_, _, err := s.ReadMessage()
		return err == nil
	})
}

func TestCompleteEndsASubscription(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		s := socketOf(t, w, owner.Session)
		const follow = `subscription($team: ID!, $after: EventCursor) { inviteStatusChanged(teamId: $team, after: $after) { invitation { email } } }`
		from := map[string]any{"team": owner.TeamID, "after": eventCursor(owner)}
		s.ask("a", follow, from)
		s.ask("b", follow, from)
		owner.Invite("ann@x.org", "billing", "sendEmail", false).OK()
		for range 2 {
			s.hear(`/\{"id":"[ab]","type":"next","payload":\{"data":\{"inviteStatusChanged":\{"invitation":\{"email":"ann@x.org"\}\}\}\}\}/`)
		}
		s.say(`{"type":"complete","id":"a"}`)
		s.quiet()
		for _, email := range []string{"bob@x.org", "carl@x.org"} {
			owner.Invite(email, "billing", "sendEmail", false).OK()
			s.hear(`{"id":"b","type":"next","payload":{"data":{"inviteStatusChanged":{"invitation":{"email":"` + email + `"}}}}}`)
		}
		s.ask("a", follow, from)
		for _, email := range []string{"ann@x.org", "bob@x.org", "carl@x.org"} {
			s.hear(`{"id":"a","type":"next","payload":{"data":{"inviteStatusChanged":{"invitation":{"email":"` + email + `"}}}}}`)
		}
	})
}

func TestASocketEndsWithItsSession(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		const ended = "4401 The session has ended"
		t.Run("one that is idle", func(t *testing.T) {
			t.Parallel()
			second := w.SignIn("olivia@acme.test")
			s := socketOf(t, w, second.Session)
			second.Do(`mutation { signOut { userErrors { code } } }`, nil).OK()
			s.end(ended)
		})
		t.Run("one that asks", func(t *testing.T) {
			t.Parallel()
			second := w.SignIn("olivia@acme.test")
			s := socketOf(t, w, second.Session)
			second.Do(`mutation { signOut { userErrors { code } } }`, nil).OK()
			s.ask("1", `{ viewer { user { email } } }`, nil)
			s.hear(`/\{"id":"1","type":"error","payload":\[.*"code":"UNAUTHENTICATED".*\]\}/`)
			s.end(ended)
		})
		t.Run("one that follows", func(t *testing.T) {
			t.Parallel()
			second := w.SignIn("olivia@acme.test")
			s := socketOf(t, w, second.Session)
			s.ask("1", watch, map[string]any{"team": owner.TeamID})
			s.quiet()
			second.Do(`mutation { signOut { userErrors { code } } }`, nil).OK()
			s.hear(`/\{"id":"1","type":"error","payload":\[.*"code":"UNAUTHENTICATED".*\]\}/`)
			s.end(ended)
		})
		t.Run("not another one of the same user", func(t *testing.T) {
			t.Parallel()
			second := w.SignIn("olivia@acme.test")
			other, s := socketOf(t, w, owner.Session), socketOf(t, w, second.Session)
			second.Do(`mutation { signOut { userErrors { code } } }`, nil).OK()
			s.end(ended)
			other.quiet()
		})
	})
}

func TestEachOperationOfASocketAsksAnew(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		adam := owner.Join("adam@acme.test", "account_admin")
		s := socketOf(t, w, adam.Session)
		invite := func(id, email string) string {
			s.ask(id, testkit.InviteMutation, testkit.Input("teamId", owner.TeamID, "email", email, "roleIds", []string{owner.Role("billing")}, "sendEmail", false))
			got := s.hear(`/.*"type":"(next|error)".*/`)
			s.hear(`{"id":"` + id + `","type":"complete"}`)
			return got
		}
		var invited struct {
			Payload struct {
				Data struct {
					InviteUser struct{ Invitation struct{ ID string } }
				}
			}
		}
		if err := json.Unmarshal([]byte(invite("1", "ann@x.org")), &invited); err != nil || invited.Payload.Data.InviteUser.Invitation.ID == "" {
			t.Fatalf("got %+v, %v, want an invitation", invited, err)
		}
		log := owner.Do(`query($team: ID!, $subject: ID!) { team(id: $team) { account { auditLog(first: 1, filter: {subjectId: $subject}) { nodes {
			type actor { ... on User { email } } } } } } }`,
			map[string]any{"team": owner.TeamID, "subject": invited.Payload.Data.InviteUser.Invitation.ID})
		if !strings.Contains(log.Raw, "INVITATION_CREATED") || !strings.Contains(log.Raw, "adam@acme.test") {
			t.Errorf("the audit has %s, want Adam's invitation", log.Raw)
		}
		onMember(owner, "setRoles", owner.MemberID("adam@acme.test"), "roleIds", []string{owner.Role("billing")}).OK()
		if got := invite("2", "bob@x.org"); !strings.Contains(got, `"code":"FORBIDDEN"`) {
			t.Errorf("got %s, want FORBIDDEN, because Adam's roles have changed", got)
		}
	})
}

func TestSocketsAreClosedAtTheStop(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		follows, idle, silent := socketOf(t, w, owner.Session), socketOf(t, w, owner.Session), openSocket(t, w)
		follows.ask("1", watch, map[string]any{"team": owner.TeamID})
		follows.quiet()
		silent.quiet()
		stopped := make(chan error, 1)
		go func() { stopped <- w.Server.Close() }() // ends with the sockets
		for _, s := range []*rawSocket{follows, idle, silent} {
			s.end("1012 the server is stopping")
		}
		if err := <-stopped; err != nil {
			t.Error(err)
		}
		if got := send(t, http.MethodGet, w.URL+"/graphql", "", "Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13",
			"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol", "graphql-transport-ws"); got.status != http.StatusServiceUnavailable {
			t.Errorf("afterwards: got %d %s, want 503", got.status, got.body)
		}
	})
}

func TestClientsThatDropLeaveNothingBehind(t *testing.T) { //nolint:paralleltest // it counts goroutines
	w := testkit.New(t, t.TempDir()+"/convoke.db", func(c *server.Config) { c.StreamsPerUser = 1000 })
	owner := w.SignUp("olivia@acme.test")
	team := map[string]any{"team": owner.TeamID}
	drop := func(round int) {
		s := socketOf(t, w, owner.Session)
		s.ask("1", watch, team)
		if round%2 == 0 { // some leave before their subscription has begun
			s.ask("2", `{ serverInfo { version } }`, nil)
			s.hear(`/\{"id":"2","type":"next".*/`)
		}
		if err := s.NetConn().Close(); err != nil {
			t.Error(err)
		}
		e := openEvents(owner, t, w, watch, team, "")
		if err := e.body.Close(); err != nil {
			t.Error(err)
		}
	}
	settled := func() int {
		http.DefaultClient.CloseIdleConnections()
		return runtime.NumGoroutine()
	}
	drop(0)
	var before int
	testkit.Eventually(t, func() bool { // the first ones have left
		same := settled() == before
		before = settled()
		return same
	})
	for i := range 150 {
		drop(i)
	}
	const beside = 5 // what the server may have begun meanwhile
	testkit.Eventually(t, func() bool { return settled() <= before+beside })
}
