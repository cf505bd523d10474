package server_test

import (
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/server"
)

const portal = "https://portal.example"

func surface(t *testing.T) *testkit.World {
	t.Helper()
	return testkit.New(t, t.TempDir()+"/convoke.db", func(c *server.Config) { c.CORSOrigins = []string{portal} })
}

// post sends a body to the endpoint, as JSON unless a header says otherwise.
func post(t *testing.T, w *testkit.World, body string, header ...string) page {
	t.Helper()
	return send(t, http.MethodPost, w.URL+"/graphql", body, append([]string{"Content-Type", "application/json"}, header...)...)
}

func TestOnlyWellFormedRequestsAreAnswered(t *testing.T) {
	t.Parallel()
	w := surface(t)
	const ask = `{"query":"{ serverInfo { version } }"}`
	deep := "{ viewer { activeTeam " + strings.Repeat("{ account { teams { nodes ", 5) + "{ id }" + strings.Repeat(" } } }", 5) + " } }"
	for name, c := range map[string]struct {
		body   string
		header []string
		status int
		code   string
	}{
		"a query":               {ask, nil, 200, ""},
		"no JSON":               {`{"password": hunter2hunter2`, nil, 400, "BAD_USER_INPUT"},
		"no query":              {`{}`, nil, 400, "BAD_USER_INPUT"},
		"a batch":               {"[" + ask + "," + ask + "]", nil, 400, "BAD_USER_INPUT"},
		"variables of no shape": {`{"query":"{ viewer { user { id } } }","variables":"hunter2hunter2"}`, nil, 400, "BAD_USER_INPUT"},
		"a form":                {"query=mutation", []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "BAD_USER_INPUT"},
		"plain text":            {ask, []string{"Content-Type", "text/plain"}, 415, "BAD_USER_INPUT"},
		"multipart":             {ask, []string{"Content-Type", "multipart/form-data; boundary=x"}, 415, "BAD_USER_INPUT"},
		"no content type":       {ask, []string{"Content-Type", ""}, 415, "BAD_USER_INPUT"},
		"a large body":          {`{"query":"` + strings.Repeat(" ", 300<<10) + `"}`, nil, 413, "BAD_USER_INPUT"},
		"a syntax error":        {`{"query":"{ viewer "}`, nil, 200, "GRAPHQL_PARSE_FAILED"},
		"an unknown field":      {`{"query":"{ veiwer { user { id } } }"}`, nil, 200, "GRAPHQL_VALIDATION_FAILED"},
		"introspection":         {`{"query":"{ __schema { types { name } } }"}`, nil, 200, "GRAPHQL_VALIDATION_FAILED"},
		"a deferred fragment":   {`{"query":"{ serverInfo { ... @defer { version } } }"}`, nil, 200, "GRAPHQL_VALIDATION_FAILED"},
		"a deferred spread":     {`{"query":"{ serverInfo { ...f @defer } } fragment f on ServerInfo { version }"}`, nil, 200, "GRAPHQL_VALIDATION_FAILED"},
		"a dead bearer token":   {ask, []string{"Authorization", "Bearer nonsense"}, 401, "UNAUTHENTICATED"},
		"another scheme":        {ask, []string{"Authorization", "Basic b2xpdmlhOngK"}, 401, "UNAUTHENTICATED"},
		"a foreign origin":      {ask, []string{"Origin", "https://evil.example"}, 403, "FORBIDDEN"},
		"the origin null":       {ask, []string{"Origin", "null"}, 403, "FORBIDDEN"},
		"a portal's origin":     {ask, []string{"Origin", portal}, 200, ""},
		"our own origin":        {ask, []string{"Origin", w.URL}, 200, ""},
		"a syntax error, newer": {`{"query":"{ viewer "}`, []string{"Accept", "application/graphql-response+json"}, 400, "GRAPHQL_PARSE_FAILED"},
		"a deep query":          {`{"query":"` + deep + `"}`, nil, 200, "QUERY_TOO_COMPLEX"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := post(t, w, c.body, c.header...)
			if got.status != c.status || c.code != "" && !strings.Contains(got.body, `"code":"`+c.code+`"`) {
				t.Errorf("got %d %s, want %d %s", got.status, got.body, c.status, c.code)
			}
			if c.code != "" && strings.Contains(got.body, `"data"`) {
				t.Errorf("a request that did not run has data: %s", got.body)
			}
			if strings.Contains(got.body, "hunter2") || strings.Contains(got.body, "Did you mean") {
				t.Errorf("the answer tells too much: %s", got.body)
			}
			equal(t, "sniffing", got.header.Get("X-Content-Type-Options"), "nosniff")
			if !strings.HasPrefix(got.header.Get("X-Request-Id"), "req_") {
				t.Errorf("no request id: %v", got.header)
			}
		})
	}
}

func TestFragmentsAreMeasuredOnce(t *testing.T) {
	t.Parallel()
	w := surface(t)
	// Each fragment spreads the next one twice: 2^60 fields, if one walked them.
	var q strings.Builder
	q.WriteString("{ viewer { activeTeam { ...f0 } } }")
	for i := range 60 {
		q.WriteString(" fragment f" + itoa(i) + " on Team { ...f" + itoa(i+1) + " account { teams { nodes { ...f" + itoa(i+1) + " } } } }")
	}
	q.WriteString(" fragment f60 on Team { id }")
	if got := post(t, w, `{"query":"`+q.String()+`"}`); !strings.Contains(got.body, "QUERY_TOO_COMPLEX") {
		t.Errorf("got %d %s, want QUERY_TOO_COMPLEX", got.status, got.body)
	}
}

func TestCrossOriginRequests(t *testing.T) {
	t.Parallel()
	w := surface(t)
	preflight := func(origin string) http.Header {
		return send(t, http.MethodOptions, w.URL+"/graphql", "", "Origin", origin,
			"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization,content-type").header
	}
	equal(t, "the portal", preflight(portal).Get("Access-Control-Allow-Origin"), portal)
	equal(t, "its credentials", preflight(portal).Get("Access-Control-Allow-Credentials"), "true")
	for _, origin := range []string{"https://evil.example", "null", portal + ".evil.example", "http://portal.example"} {
		equal(t, origin, preflight(origin).Get("Access-Control-Allow-Origin"), "")
	}
	if vary := preflight(portal).Values("Vary"); !strings.Contains(strings.Join(vary, ","), "Origin") {
		t.Errorf("Vary is %q, want Origin in it", vary)
	}
}

func TestSocketsCheckTheirOrigin(t *testing.T) {
	t.Parallel()
	w := surface(t)
	for name, c := range map[string]struct {
		protocol, origin string
		status           int
	}{
		"a program":         {"graphql-transport-ws", "", http.StatusSwitchingProtocols},
		"the portal":        {"graphql-transport-ws", portal, http.StatusSwitchingProtocols},
		"a foreign page":    {"graphql-transport-ws", "https://evil.example", http.StatusForbidden},
		"no origin at all":  {"graphql-transport-ws", "null", http.StatusForbidden},
		"the legacy speech": {"graphql-ws", portal, http.StatusBadRequest},
		"no sub-protocol":   {"", portal, http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			header := http.Header{}
			if c.origin != "" {
				header.Set("Origin", c.origin)
			}
			dialer := websocket.Dialer{}
			if c.protocol != "" {
				dialer.Subprotocols = []string{c.protocol}
			}
			conn, res, err := dialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(w.URL, "http")+"/graphql", header)
			if res == nil {
				t.Fatal(err)
			}
			defer func() { _ = res.Body.Close() }()
			if conn != nil {
				defer func() { _ = conn.Close() }()
			}
			equal(t, "status", res.StatusCode, c.status)
		})
	}
}

func TestACookieAloneOpensNoSocket(t *testing.T) {
	t.Parallel()
	w := surface(t)
	owner := w.SignUp("olivia@acme.test")
	cookie := "convoke_session=" + owner.Session
	for name, c := range map[string]struct{ origin, want string }{
		"without an origin": {"", "null"},
		"from our own page": {w.URL, `{"user":{"email":"olivia@acme.test"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			header := http.Header{"Cookie": {cookie}}
			if c.origin != "" {
				header.Set("Origin", c.origin)
			}
			dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}}
			conn, res, err := dialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(w.URL, "http")+"/graphql", header)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _, _ = res.Body.Close(), conn.Close() }()
			for _, m := range []string{`{"type":"connection_init"}`, `{"type":"subscribe","id":"1","payload":{"query":"{ viewer { user { email } } }"}}`} {
				if err := conn.WriteMessage(websocket.TextMessage, []byte(m)); err != nil {
					t.Fatal(err)
				}
			}
			for {
				_, m, err := conn.ReadMessage()
				if err != nil {
					t.Fatal(err)
				}
				if strings.Contains(string(m), `"next"`) {
					if !strings.Contains(string(m), `"viewer":`+c.want) {
						t.Errorf("got %s, want viewer %s", m, c.want)
					}
					return
				}
			}
		})
	}
}

func TestPagesAndProbes(t *testing.T) {
	t.Parallel()
	w := surface(t)
	for path, want := range map[string]int{
		"/": 200, "/accept": 200, "/verify": 200, "/reset": 200, "/address": 200, "/schema.graphql": 200, "/healthz": 200, "/readyz": 200,
		"/graphiql": 404, "/mailbox": 404, "/mailbox.json": 404, "/assets/": 404, "/nothing": 404,
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			got := fetch(t, http.MethodGet, w.URL+path)
			equal(t, "status", got.status, want)
			equal(t, "referrer", got.header.Get("Referrer-Policy"), "no-referrer")
			if policy := got.header.Get("Content-Security-Policy"); path == "/" && !strings.Contains(policy, "frame-ancestors 'none'") {
				t.Errorf("policy: %q", policy)
			}
		})
	}
	if text := fetch(t, http.MethodGet, w.URL+"/schema.graphql").body; !strings.Contains(text, "inviteStatusChanged") {
		t.Errorf("the schema has no subscription:\n%.500s", text)
	}
}

func TestAPublicHostIsWrittenInASCII(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"https://Bücher.example:8443": "https://xn--bcher-kva.example:8443", "http://My_Host:8080": "http://my_host:8080", "http://[::1]:8080": "http://[::1]:8080",
		"https://team.example:443/": "https://team.example", // HARD-13: as browsers write it
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			u, err := url.Parse(typed)
			if err != nil {
				t.Fatal(err)
			}
			w := testkit.New(t, filepath.Join(t.TempDir(), "convoke.db"), func(c *server.Config) { c.PublicURL = u })
			owner := w.SignUp("olivia@acme.test")
			link := owner.Invite("ann@example.org", "viewer", "sendEmail", false).OK().Text("inviteUser.inviteUrl")
			owner.Invite("bob@example.org", "viewer").OK()
			mail := w.Mail.Wait(t, "bob@example.org", 1)
			if !strings.HasPrefix(link, want+"/accept#") || !strings.Contains(mail.Text, "\n"+want+"/accept#") || !strings.Contains(mail.HTML, `href="`+want+`/accept#`) {
				t.Errorf("a link handed over is %s, and the mail\n%s\n%s\nwant %s", link, mail.Text, mail.HTML, want)
			}
			dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}}
			conn, res, err := dialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(w.URL, "http")+"/graphql", http.Header{"Origin": {want}})
			if err != nil {
				t.Fatalf("a socket of our own pages: %v", err)
			}
			equal(t, "status", res.StatusCode, http.StatusSwitchingProtocols)
			_, _ = conn.Close(), res.Body.Close()
		})
	}
}

func TestSettingsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*server.Config){
		"public URL":  func(c *server.Config) { c.PublicURL = nil },
		"public host": func(c *server.Config) { c.PublicURL = &url.URL{Scheme: "https", Host: "a\u202Eb.example"} },
		"database":    func(c *server.Config) { c.Database = "" },
		"sign-up":     func(c *server.Config) { c.SignUp = "maybe" },
		"CORS origin": func(c *server.Config) { c.CORSOrigins = []string{"*"} },
		// HARD-13: which no browser sends, so that they would never match
		"public user": func(c *server.Config) {
			c.PublicURL = &url.URL{Scheme: "https", Host: "a.example", User: url.User("ann")}
		},
		"public port":              func(c *server.Config) { c.PublicURL = &url.URL{Scheme: "https", Host: "a.example:0"} },
		"CORS origin of any host":  func(c *server.Config) { c.CORSOrigins = []string{"https://*.example"} },
		"CORS origin in capitals":  func(c *server.Config) { c.CORSOrigins = []string{"https://Portal.example"} },
		"CORS origin with a port":  func(c *server.Config) { c.CORSOrigins = []string{"https://portal.example:443"} },
		"CORS origin with a colon": func(c *server.Config) { c.CORSOrigins = []string{"https://portal.example:"} },
		"role preset":              func(c *server.Config) { c.Preset = "kings" },
		"secret key":               func(c *server.Config) { c.SecretKeys = [][]byte{[]byte("short")} },
		"no secret key":            func(c *server.Config) { c.SecretKeys = nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := testkit.Settings(t, t.TempDir()+"/convoke.db")
			change(&cfg)
			s, err := server.New(t.Context(), cfg)
			if err == nil {
				t.Error("the server was built", s.Close())
			}
		})
	}
}
