package auth_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/auth"
)

func TestBearerTokens(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		"Bearer cvs_1":        "cvs_1",
		"bearer cvs_1":        "cvs_1",
		"BEARER cvs_1":        "cvs_1",
		"  Bearer   cvs_1  ":  "cvs_1",
		"Bearer\tcvs_1":       "",
		"Bearer":              "",
		"Bearer ":             "",
		"Bearercvs_1":         "",
		"cvs_1":               "",
		"Basic Y3ZzXzE6":      "",
		"Basic Bearer cvs_1":  "",
		"":                    "",
		"Bearer cvs_1, cvs_2": "cvs_1, cvs_2", // no token, so no session has it
		"Bearer: cvs_1":       "",
		"Token Bearer":        "",
	} {
		if got := auth.Bearer(header); got != want {
			t.Errorf("%q: got %q, want %q", header, got, want)
		}
	}
}

var (
	noon = time.Date(2030, 1, 7, 12, 0, 0, 0, time.UTC)
	flow = auth.Flow{State: "state", Nonce: "nonce", Verifier: "verifier"}
)

func TestCookies(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		what   string
		does   func(*auth.Cookies)
		secure bool
		want   http.Cookie // but for what all have
	}{
		{"a session", func(c *auth.Cookies) { c.Set("cvs_1", noon) }, false, http.Cookie{Name: "convoke_session", Value: "cvs_1", Expires: noon}},
		{"a session by TLS", func(c *auth.Cookies) { c.Set("cvs_1", noon) }, true, http.Cookie{Name: "__Host-convoke_session", Value: "cvs_1", Expires: noon}},
		{"no session", func(c *auth.Cookies) { c.Clear() }, false, http.Cookie{Name: "convoke_session", MaxAge: -1}},
		{"no session by TLS", func(c *auth.Cookies) { c.Clear() }, true, http.Cookie{Name: "__Host-convoke_session", MaxAge: -1}},
		{"a flow", func(c *auth.Cookies) { c.SetFlow(flow) }, false, http.Cookie{Name: "convoke_sso", Value: "state.nonce.verifier", MaxAge: 600}},
		{"a flow by TLS", func(c *auth.Cookies) { c.SetFlow(flow) }, true, http.Cookie{Name: "__Host-convoke_sso", Value: "state.nonce.verifier", MaxAge: 600}},
		{"no flow", func(c *auth.Cookies) { c.ClearFlow() }, false, http.Cookie{Name: "convoke_sso", MaxAge: -1}},
		{"no flow by TLS", func(c *auth.Cookies) { c.ClearFlow() }, true, http.Cookie{Name: "__Host-convoke_sso", MaxAge: -1}},
	} {
		w := httptest.NewRecorder()
		tt.does(auth.NewCookies(w, httptest.NewRequest(http.MethodPost, "/graphql", http.NoBody), tt.secure))
		set := w.Result().Cookies()
		if len(set) != 1 {
			t.Fatalf("%s: got %v, want one cookie", tt.what, set)
		}
		got, want := set[0], tt.want
		if got.Name != want.Name || got.Value != want.Value || !got.Expires.Equal(want.Expires) || got.MaxAge != want.MaxAge {
			t.Errorf("%s: got %v, want %v", tt.what, got, &want)
		}
		// __Host- needs Secure, Path=/ and no Domain.
		if got.Path != "/" || got.Domain != "" || !got.HttpOnly || got.SameSite != http.SameSiteLaxMode || got.Secure != tt.secure {
			t.Errorf("%s: got %v, want it for this host, HttpOnly, SameSite=Lax and Secure=%t", tt.what, got, tt.secure)
		}
	}
}

func TestTheCookieCarriesTheSessionUntilItIsCleared(t *testing.T) {
	t.Parallel()
	c := auth.NewCookies(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/graphql", http.NoBody), true)
	for _, step := range []struct {
		after string
		does  func()
		want  bool
	}{
		{"nothing", func() {}, false},
		{"a flow", func() { c.SetFlow(flow) }, false},
		{"a sign-in", func() { c.Set("cvs_1", noon) }, true},
		{"the end of a flow", func() { c.ClearFlow() }, true},
		{"a sign-out", func() { c.Clear() }, false},
	} {
		step.does()
		if got := c.Carries(); got != step.want {
			t.Errorf("after %s: carries = %t, want %t", step.after, got, step.want)
		}
	}
	var onSocket *auth.Cookies
	if onSocket.Carries() || auth.CookiesFrom(t.Context()) != nil {
		t.Error("a socket has cookies")
	}
}

func TestAFlowIsThatOfItsBrowser(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		what, name, value, state string
		secure, want             bool
	}{
		{"its state", "convoke_sso", "state.nonce.verifier", "state", false, true},
		{"its state by TLS", "__Host-convoke_sso", "state.nonce.verifier", "state", true, true},
		{"a cookie that another host may have set", "convoke_sso", "state.nonce.verifier", "state", true, false},
		{"another state", "convoke_sso", "state.nonce.verifier", "other", false, false},
		{"a part of the state", "convoke_sso", "state.nonce.verifier", "stat", false, false},
		{"no state", "convoke_sso", "state.nonce.verifier", "", false, false},
		{"no state in either", "convoke_sso", ".nonce.verifier", "", false, false},
		{"no nonce", "convoke_sso", "state..verifier", "state", false, false},
		{"no verifier", "convoke_sso", "state.nonce.", "state", false, false},
		{"too few parts", "convoke_sso", "state.nonce", "state", false, false},
		{"too many parts", "convoke_sso", "state.nonce.verifier.more", "state", false, false},
		{"a session", "convoke_session", "state.nonce.verifier", "state", false, false},
		{"nothing", "", "", "state", false, false},
	} {
		r := httptest.NewRequest(http.MethodGet, "/sso/callback", http.NoBody)
		if tt.name != "" {
			r.AddCookie(&http.Cookie{Name: tt.name, Value: tt.value})
		}
		got, ok := auth.NewCookies(httptest.NewRecorder(), r, tt.secure).FlowOf(r, tt.state)
		if ok != tt.want || tt.want && got != flow || !tt.want && got != (auth.Flow{}) {
			t.Errorf("%s: got %v, %t, want %t", tt.what, got, ok, tt.want)
		}
	}
}

func FuzzBearer(f *testing.F) {
	for _, in := range []string{"Bearer cvs_1", "bearer  cvs_1 ", "Bearer", "Bearer\tcvs_1", "Basic a", "Bearer: a", "\u00a0Bearer a\u00a0", "ßearer a"} {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got := auth.Bearer(in)
		if again := auth.Bearer("Bearer " + got); again != got || got != "" && !strings.Contains(in, got) {
			t.Errorf("%q: got %q, and of that %q", in, got, again)
		}
	})
}

func FuzzFlowOf(f *testing.F) {
	for _, in := range []string{"state.nonce.verifier", "state..", "..", "state.a.b.c", "state.a", "other.a.b", "", "state.a.b\r\n"} {
		f.Add(in, "state")
	}
	f.Add("..", "")
	f.Add(".a.b", "")
	f.Fuzz(func(t *testing.T, value, state string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/sso/callback", http.NoBody)
		r.Header.Set("Cookie", "convoke_sso="+value)
		c := auth.NewCookies(httptest.NewRecorder(), r, false)
		got, ok := c.FlowOf(r, state)
		if !ok {
			if got != (auth.Flow{}) {
				t.Errorf("%q: got %+v, want nothing", value, got)
			}
			return
		}
		if got.State != state || got.State == "" || got.Nonce == "" || got.Verifier == "" || !strings.Contains(value, state+"."+got.Nonce+"."+got.Verifier) {
			t.Errorf("%q: got %+v", value, got)
		}
	})
}
