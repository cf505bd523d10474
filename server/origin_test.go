package server_test

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/server"
)

const evil = "https://evil.example"

// preflight sends the preflight that a browser sends before such a request.
func preflight(t *testing.T, w *testkit.World, origin, method, headers string) page {
	t.Helper()
	return send(t, http.MethodOptions, w.URL+"/graphql", "", "Origin", origin,
		"Access-Control-Request-Method", method, "Access-Control-Request-Headers", headers)
}

func TestAListedOriginMaySendAnyHeader(t *testing.T) {
	t.Parallel()
	w := surface(t)
	const headers = "apollographql-client-name,authorization,baggage,content-type,sentry-trace,traceparent,x-anything"
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		t.Run("FE-6 "+method, func(t *testing.T) {
			t.Parallel()
			got := preflight(t, w, portal, method, headers)
			equal(t, "status", got.status, http.StatusNoContent)
			equal(t, "origin", got.header.Get("Access-Control-Allow-Origin"), portal)
			equal(t, "headers", got.header.Get("Access-Control-Allow-Headers"), headers)
			equal(t, "method", got.header.Get("Access-Control-Allow-Methods"), method)
			equal(t, "credentials", got.header.Get("Access-Control-Allow-Credentials"), "true")
			if vary := strings.Join(got.header.Values("Vary"), ","); !strings.Contains(vary, "Origin") || !strings.Contains(vary, "Access-Control-Request-Headers") {
				t.Errorf("Vary is %q, want what the response depends on", vary)
			}
		})
	}
	t.Run("FE-6 the response may be read", func(t *testing.T) {
		t.Parallel()
		got := post(t, w, `{"query":"{ serverInfo { version } }"}`, "Origin", portal)
		equal(t, "origin", got.header.Get("Access-Control-Allow-Origin"), portal)
		equal(t, "credentials", got.header.Get("Access-Control-Allow-Credentials"), "true")
		equal(t, "headers", got.header.Get("Access-Control-Expose-Headers"), "X-Request-Id, Retry-After")
	})
}

func TestARefusedOriginIsToldWhy(t *testing.T) {
	t.Parallel()
	var log testkit.Buffer
	w := testkit.New(t, t.TempDir()+"/convoke.db", func(c *server.Config) { c.Log = slog.New(slog.NewJSONHandler(&log, nil)) })
	const reason = "Pages of the origin " + evil + " may not call this server. Its operator can allow them with --cors-origin=" + evil + "."
	for name, got := range map[string]page{
		"a request":   post(t, w, `{"query":"{ serverInfo { version } }"}`, "Origin", evil),
		"a preflight": preflight(t, w, evil, http.MethodPost, "content-type"),
		"a WebSocket": send(t, http.MethodGet, w.URL+"/graphql", "", "Origin", evil, "Connection", "Upgrade", "Upgrade", "websocket",
			"Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol", "graphql-transport-ws"),
	} {
		t.Run("FE-6 "+name, func(t *testing.T) {
			t.Parallel()
			equal(t, "status", got.status, http.StatusForbidden)
			equal(t, "origin", got.header.Get("Access-Control-Allow-Origin"), "")
			if vary := strings.Join(got.header.Values("Vary"), ","); !strings.Contains(vary, "Origin") {
				t.Errorf("Vary is %q, want Origin in it", vary)
			}
			if !strings.Contains(got.body, reason) || !strings.Contains(got.body, `"code":"FORBIDDEN"`) {
				t.Errorf("got %s, want the origin and the flag", got.body)
			}
		})
	}
	t.Run("FE-6 the log says it once", func(t *testing.T) {
		equal(t, "lines", strings.Count(log.String(), reason), 1)
	})
	t.Run("FE-6 the log stays small", func(t *testing.T) {
		for i := range 150 {
			post(t, w, `{}`, "Origin", "https://evil"+itoa(i)+".example")
		}
		equal(t, "lines", strings.Count(log.String(), "origin refused"), 100)
	})
	for name, origin := range map[string]string{
		"FE-6 null": "null", "FE-6 an extension": "chrome-extension://abc", "FE-6 a path": "https://evil.example/path", "FE-6 long": strings.Repeat("x", 1000),
		"HARD-13 long, in characters of two bytes": "x" + strings.Repeat("é", 200), "HARD-13 a user": strings.Replace(w.URL, "://", "://user@", 1),
		"HARD-13 a path of our own host": w.URL + "/x", "HARD-13 another scheme of our own host": strings.Replace(w.URL, "http", "ftp", 1),
	} {
		t.Run(name+" is no origin of pages", func(t *testing.T) {
			t.Parallel()
			got := post(t, w, `{}`, "Origin", origin)
			equal(t, "status", got.status, http.StatusForbidden)
			if !strings.Contains(got.body, "Serve them over HTTP") || len(got.body) > 500 || strings.Contains(got.body, "\uFFFD") {
				t.Errorf("got %s, want the way out", got.body)
			}
		})
	}
}

func TestOnlyTheDemoWelcomesEveryLoopbackOrigin(t *testing.T) {
	t.Parallel()
	for name, all := range map[string]bool{"the demo": true, "a server": false} {
		t.Run("FE-6 "+name, func(t *testing.T) {
			t.Parallel()
			w := testkit.New(t, t.TempDir()+"/convoke.db", func(c *server.Config) { c.LoopbackOrigins = all })
			status := map[bool]int{true: http.StatusOK, false: http.StatusForbidden}[all]
			for _, origin := range []string{"http://localhost:5173", "http://127.0.0.1:3000", "http://[::1]:8081", "https://localhost:5173"} {
				got := post(t, w, `{"query":"{ serverInfo { version } }"}`, "Origin", origin)
				equal(t, origin, got.status, status)
				if all {
					equal(t, origin, preflight(t, w, origin, http.MethodPost, "content-type").header.Get("Access-Control-Allow-Origin"), origin)
				}
			}
			for _, origin := range []string{"http://localhost.evil.example", "http://127.0.0.1.evil.example:80", evil, "null", "ftp://localhost"} {
				equal(t, origin, post(t, w, `{}`, "Origin", origin).status, http.StatusForbidden)
			}
		})
	}
	t.Run("FE-6 the session's cookie goes with a request and a WebSocket", func(t *testing.T) {
		t.Parallel()
		w := testkit.New(t, t.TempDir()+"/convoke.db", func(c *server.Config) { c.LoopbackOrigins = true })
		w.SignUp("olivia@acme.test")
		const vite = "http://localhost:5173"
		signIn := post(t, w, `{"query":"mutation { signIn(input: {email: \"olivia@acme.test\", password: \"`+testkit.Password+`\", transport: COOKIE}) { userErrors { code } } }"}`, "Origin", vite)
		cookie, _, _ := strings.Cut(signIn.header.Get("Set-Cookie"), ";")
		if !strings.Contains(signIn.header.Get("Set-Cookie"), "SameSite=Lax") {
			t.Errorf("got %q, want a cookie of the same site", signIn.header.Get("Set-Cookie"))
		}
		got := post(t, w, `{"query":"{ viewer { user { email } } }"}`, "Origin", vite, "Cookie", cookie)
		if !strings.Contains(got.body, "olivia@acme.test") {
			t.Errorf("got %s, want the viewer of the cookie", got.body)
		}
		dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}}
		conn, res, err := dialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(w.URL, "http")+"/graphql", http.Header{"Origin": {vite}, "Cookie": {cookie}})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _, _ = res.Body.Close(), conn.Close() }()
		for _, m := range []string{`{"type":"connection_init"}`, `{"type":"subscribe","id":"1","payload":{"query":"{ viewer { user { email } } }"}}`} {
			if err := conn.WriteMessage(websocket.TextMessage, []byte(m)); err != nil {
				t.Fatal(err)
			}
		}
		for m := []byte(nil); !strings.Contains(string(m), `"next"`); {
			if _, m, err = conn.ReadMessage(); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(m), `"next"`) && !strings.Contains(string(m), "olivia@acme.test") {
				t.Errorf("got %s, want the viewer of the cookie", m)
			}
		}
	})
}
