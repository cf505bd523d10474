package server_test

import (
	"encoding/base64"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/limit"
	"github.com/convoke-dev/convoke/internal/testdb"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/server"
)

// eachTrusting is each, in worlds that trust an identity provider of their own.
func eachTrusting(t *testing.T, story func(t *testing.T, w *testkit.World, p *testkit.Provider), options ...func(*server.Config)) {
	t.Helper()
	testdb.Each(t, func(t *testing.T, address string) {
		t.Helper()
		p := testkit.NewProvider(t)
		story(t, testkit.New(t, address, append(options, p.Trusted)...), p)
	})
}

// surfer is a browser that follows links, and all it has seen on its way.
type surfer struct {
	*testkit.Client
	http  *http.Client
	url   string
	went  []*http.Request
	set   []*http.Cookie
	moved []string // where it was sent on to
}

func newSurfer(t *testing.T, w *testkit.World) *surfer {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &surfer{url: w.URL}
	s.http = &http.Client{Jar: jar, Transport: onAnswer(func(r *http.Response) {
		s.went, s.set, s.moved = append(s.went, r.Request), append(s.set, r.Cookies()...), append(s.moved, r.Header.Get("Location"))
	})}
	s.Client = w.WithHTTP(s.http)
	return s
}

// open opens a page and returns where that led.
func (s *surfer) open(t *testing.T, page string) *url.URL {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, page, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := s.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		t.Fatal(err)
	}
	equal(t, "status of "+res.Request.URL.Path, res.StatusCode, http.StatusOK)
	return res.Request.URL
}

// signIn signs in by the provider, and returns why that failed: empty when it
// did not.
func (s *surfer) signIn(t *testing.T) string {
	t.Helper()
	at := s.open(t, s.url+"/sso")
	equal(t, "where it ends", at.Scheme+"://"+at.Host+at.Path, s.url+"/")
	return at.Query().Get("sso")
}

// leave begins a sign-in and goes no further than to the provider's door: it
// returns the way back that the provider would send it.
func (s *surfer) leave(t *testing.T) *url.URL {
	t.Helper()
	back := &url.URL{}
	s.http.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if r.URL.Path == "/sso/callback" {
			*back = *r.URL
			return http.ErrUseLastResponse
		}
		return nil
	}
	defer func() { s.http.CheckRedirect = nil }()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/sso", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := s.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil || back.Path == "" {
		t.Fatalf("no way back: %v, status %d", err, res.StatusCode)
	}
	return back
}

// who is the address the browser is signed in with.
func (s *surfer) who() any { return s.Do(whoAmI, nil).OK().At("viewer.user.email") }

func withIDToken(c *testkit.Client, idToken string, more ...any) *testkit.Answer {
	return c.Mutate("signInWithIdToken", "sessionToken expiresAt viewer { user { email } }", append([]any{"idToken", idToken}, more...)...)
}

func TestSigningInByTheIdentityProvider(t *testing.T) {
	t.Parallel()
	eachTrusting(t, func(t *testing.T, w *testkit.World, p *testkit.Provider) {
		owner := w.SignUp("olivia@acme.test")
		owner.Invite("Ann@Example.org", "billing").OK()
		p.Is("ann@EXAMPLE.org")
		ann := newSurfer(t, w)
		t.Run("GR-7 before accepting, nobody gets in by the provider either", func(t *testing.T) {
			equal(t, "failure", ann.signIn(t), "unknown")
			withIDToken(ann.Client, p.IDToken("ann@example.org")).Refused("NOT_FOUND")
			equal(t, "who", ann.who(), nil)
		})
		w.Anonymous().Accept(testkit.Token(t, w.Mail.Wait(t, "Ann@Example.org", 1)), "password", testkit.Password).OK()
		t.Run("GR-8 afterwards the normal sign-in, by SSO", func(t *testing.T) {
			before := w.Log.String()
			equal(t, "failure", ann.signIn(t), "")
			equal(t, "who", ann.who(), any("Ann@Example.org"))
			set := ann.set[len(ann.set)-1]
			if set.Name != "convoke_session" || !set.HttpOnly || set.SameSite != http.SameSiteLaxMode || set.MaxAge < 0 {
				t.Errorf("got cookie %v, want a session", set)
			}
			equal(t, "sign-ins in the log", count(logged(owner), "USER_SIGNED_IN"), 1)
			nothingLeaks(t, ann, strings.TrimPrefix(w.Log.String(), before))
		})
		t.Run("GR-8 afterwards by a token that the dashboard holds", func(t *testing.T) {
			in := withIDToken(w.Anonymous(), p.IDToken("ann@example.org", "email_verified", "true"), "transport", "BEARER").OK()
			equal(t, "who", in.Text("signInWithIdToken.viewer.user.email"), "Ann@Example.org")
			w.WithToken(in.Text("signInWithIdToken.sessionToken")).Do(whoAmI, nil).OK()
			c := newSurfer(t, w)
			equal(t, "token beside the cookie", withIDToken(c.Client, p.IDToken("ann@example.org")).OK().At("signInWithIdToken.sessionToken"), nil)
			equal(t, "who by the cookie", c.who(), any("Ann@Example.org"))
			overSocket := w.Anonymous().Subscribe(`mutation($input: SignInWithIdTokenInput!) { signInWithIdToken(input: $input) { userErrors { code field message } } }`,
				testkit.Input("idToken", p.IDToken("ann@example.org")))
			overSocket.Next().Refused("INVALID_VALUE transport")
		})
		equal(t, "how often the provider was looked for", p.Asked("/.well-known/openid-configuration"), 1)
	})
}

// jwtBegins is how every signed token begins: {"alg": in base64. The first three
// letters of it alone come up in random ids too.
const jwtBegins = "eyJhbGci"

// nothingLeaks looks at all addresses a browser was sent to, and at the log, for
// secrets.
func nothingLeaks(t *testing.T, s *surfer, log string) {
	t.Helper()
	var codes []string
	for _, r := range s.went {
		if code := r.URL.Query().Get("code"); code != "" {
			codes = append(codes, code, r.URL.Query().Get("state"))
		}
	}
	if len(codes) < 2 || !strings.Contains(log, `"path":"/sso/callback"`) {
		t.Fatalf("codes %q and log %q: this test sees nothing", codes, log)
	}
	for _, secret := range append(codes, "ann@", jwtBegins, testkit.ClientSecret) {
		if strings.Contains(strings.ToLower(log), strings.ToLower(secret)) {
			t.Errorf("%s can be read from the log", secret)
		}
	}
	for _, to := range s.moved {
		if strings.Contains(to, "ann") || strings.Contains(to, jwtBegins) || strings.Contains(to, "cvs_") {
			t.Errorf("too much stands in %s", to)
		}
	}
}

func TestIDTokensThatAreNotTaken(t *testing.T) {
	t.Parallel()
	eachTrusting(t, func(t *testing.T, w *testkit.World, p *testkit.Provider) {
		w.SignUp("olivia@acme.test")
		now := w.Clock.Now()
		good := p.IDToken("olivia@acme.test")
		parts := strings.Split(good, ".")
		other := testkit.SigningKey(t)
		of := map[string]any{"iss": p.URL, "aud": testkit.ClientID, "sub": "x", "exp": now.Add(time.Minute).Unix(), "email": "olivia@acme.test", "email_verified": true}
		none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + parts[1] + "."
		const invalid, unverified = "INVALID_TOKEN idToken", "EMAIL_NOT_VERIFIED"
		for name, c := range map[string]struct{ token, want string }{
			"a good one":                     {good, ""},
			"nothing":                        {"", invalid},
			"nonsense":                       {"a.b.c", invalid},
			"of another client":              {p.IDToken("olivia@acme.test", "aud", "another"), invalid},
			"of nobody":                      {p.IDToken("olivia@acme.test", "aud", nil), invalid},
			"for another client, too":        {p.IDToken("olivia@acme.test", "aud", []string{testkit.ClientID, "another"}), invalid},
			"for one client in a list":       {p.IDToken("olivia@acme.test", "aud", []string{testkit.ClientID}), ""},
			"of another provider":            {p.IDToken("olivia@acme.test", "iss", p.URL+"/"), invalid},
			"expired a minute ago":           {p.IDToken("olivia@acme.test", "exp", now.Add(-time.Minute).Unix()), invalid},
			"expired just before":            {p.IDToken("olivia@acme.test", "exp", now.Add(-59*time.Second).Unix()), ""},
			"without an end":                 {p.IDToken("olivia@acme.test", "exp", nil), invalid},
			"issued in the future":           {p.IDToken("olivia@acme.test", "iat", now.Add(61*time.Second).Unix()), invalid},
			"of a clock a little ahead":      {p.IDToken("olivia@acme.test", "iat", now.Add(59*time.Second).Unix()), ""},
			"not good yet":                   {p.IDToken("olivia@acme.test", "nbf", now.Add(61*time.Second).Unix()), invalid},
			"signed by somebody else":        {p.Sign(other, of), invalid},
			"signed by the client's secret":  {p.Sign([]byte(testkit.ClientSecret), of), invalid},
			"not signed":                     {none, invalid},
			"changed after it was signed":    {parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"x"}`)) + "." + parts[2], invalid},
			"with a changed signature":       {parts[0] + "." + parts[1] + "." + strings.Map(shift, parts[2]), invalid},
			"of an address not verified":     {p.IDToken("olivia@acme.test", "email_verified", false), unverified},
			"of one not verified, as text":   {p.IDToken("olivia@acme.test", "email_verified", "false"), unverified},
			"that says nothing of verifying": {p.IDToken("olivia@acme.test", "email_verified", nil), unverified},
			"without an address":             {p.IDToken("olivia@acme.test", "email", nil), unverified},
			"of an empty address":            {p.IDToken(""), unverified},
			"of what is no address":          {p.IDToken("olivia"), "NOT_FOUND"},
			"of an address of nobody here":   {p.IDToken("nobody@acme.test"), "NOT_FOUND"},
			"of an address in another case":  {p.IDToken("OLIVIA@Acme.test"), ""},
			"of an address as a number":      {p.IDToken("olivia@acme.test", "email", 7), invalid},
		} {
			t.Run(name, func(t *testing.T) {
				a := withIDToken(w.Anonymous(), c.token, "transport", "BEARER")
				if c.want == "" {
					a.OK()
					return
				}
				a.Refused(c.want)
				if strings.Contains(a.Raw, "oidc") || strings.Contains(a.Raw, "jose") {
					t.Errorf("the answer repeats a library: %s", a.Raw)
				}
			})
		}
		if log := w.Log.String(); strings.Contains(log, parts[1]) || !strings.Contains(log, "it has expired") {
			t.Errorf("the log has a token, or no reasons:\n%s", log)
		}
		w.Clock.Advance(6*time.Minute - time.Nanosecond)
		withIDToken(w.Anonymous(), good).OK()
		w.Clock.Advance(time.Nanosecond)
		withIDToken(w.Anonymous(), good).Refused(invalid)
	})
}

// shift changes a letter of base64 into another one.
func shift(r rune) rune {
	if r == 'A' {
		return 'B'
	}
	return 'A'
}

func TestWhoComesBackWithAnotherFlowIsNotSignedIn(t *testing.T) {
	t.Parallel()
	w, p := trusting(t)
	w.SignUp("olivia@acme.test")
	p.Is("olivia@acme.test")
	change := func(back *url.URL, key, value string) string {
		q := back.Query()
		q.Set(key, value)
		to := *back
		to.RawQuery = q.Encode()
		return to.String()
	}
	for name, c := range map[string]struct {
		page func(t *testing.T, s *surfer) string
		want string
	}{
		"as it should be": {func(t *testing.T, s *surfer) string { t.Helper(); return s.leave(t).String() }, ""},
		"another state":   {func(t *testing.T, s *surfer) string { t.Helper(); return change(s.leave(t), "state", "x") }, "expired"},
		"no state":        {func(t *testing.T, s *surfer) string { t.Helper(); return change(s.leave(t), "state", "") }, "expired"},
		"no flow":         {func(_ *testing.T, s *surfer) string { return s.url + "/sso/callback?state=&code=x" }, "expired"},
		"the flow of somebody else": {func(t *testing.T, s *surfer) string {
			t.Helper()
			s.leave(t)
			return newSurfer(t, w).leave(t).String()
		}, "expired"},
		"an invented code": {func(t *testing.T, s *surfer) string { t.Helper(); return change(s.leave(t), "code", "x") }, "invalid"},
		"no code":          {func(t *testing.T, s *surfer) string { t.Helper(); return change(s.leave(t), "code", "") }, "invalid"},
		// The verifier of the one is no match for the challenge of the other.
		"the code of somebody else": {func(t *testing.T, s *surfer) string {
			t.Helper()
			return change(s.leave(t), "code", newSurfer(t, w).leave(t).Query().Get("code"))
		}, "invalid"},
		"an error of the provider": {func(t *testing.T, s *surfer) string {
			t.Helper()
			return change(s.leave(t), "error", "access_denied olivia@acme.test")
		}, "denied"},
		"an error and another state": {func(t *testing.T, s *surfer) string {
			t.Helper()
			return change(s.leave(t), "state", "x") + "&error=access_denied"
		}, "expired"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSurfer(t, w)
			page := c.page(t, s)
			equal(t, "failure", s.open(t, page).Query().Get("sso"), c.want)
			equal(t, "signed in", s.who() != nil, c.want == "")
			// A flow is over after one return, however it ended.
			equal(t, "failure at once more", s.open(t, page).Query().Get("sso"), "expired")
			if strings.Contains(w.Log.String(), "access_denied olivia") {
				t.Error("words of the provider are in the log")
			}
		})
	}
}

// trusting is a world on SQLite that trusts a provider: for what does not depend
// on the database.
func trusting(t *testing.T, options ...func(*server.Config)) (*testkit.World, *testkit.Provider) {
	t.Helper()
	p := testkit.NewProvider(t)
	return testkit.New(t, t.TempDir()+"/convoke.db", append(options, p.Trusted)...), p
}

func TestTokensOfOtherFlowsAreNotTaken(t *testing.T) {
	t.Parallel()
	w, p := trusting(t)
	w.SignUp("olivia@acme.test")
	for name, claim := range map[string][2]any{
		"another nonce":    {"nonce", "of an earlier flow"},
		"no nonce":         {"nonce", nil},
		"another audience": {"aud", "another"},
		"another issuer":   {"iss", "https://evil.example"},
		"expired":          {"exp", w.Clock.Now().Add(-time.Hour).Unix()},
	} {
		s := newSurfer(t, w)
		p.Is("olivia@acme.test", claim[0], claim[1])
		equal(t, name, s.signIn(t), "invalid")
		equal(t, name+": who", s.who(), nil)
	}
}

func TestWhoIsNotAdmittedByTheProviderEither(t *testing.T) {
	t.Parallel()
	eachTrusting(t, func(t *testing.T, w *testkit.World, p *testkit.Provider) {
		owner := w.SignUp("olivia@acme.test")
		for _, c := range []struct{ mutation, code, word string }{
			{"deactivateMember", "USER_DEACTIVATED", "deactivated"},
			{"removeMember", "ACCESS_REVOKED", "revoked"},
		} {
			email := c.word + "@example.org"
			owner.Join(email, "viewer")
			p.Is(email)
			s := newSurfer(t, w)
			equal(t, "failure before", s.signIn(t), "")
			onMember(owner, c.mutation, owner.MemberID(email)).OK()
			equal(t, "the password's answer", signIn(w, email, testkit.Password).UserErrors()[0], c.code)
			withIDToken(w.Anonymous(), p.IDToken(email)).Refused(c.code)
			equal(t, "failure", s.signIn(t), c.word)
			equal(t, "who", s.who(), nil)
		}
		p.Is("olivia@acme.test", "email_verified", false)
		equal(t, "an address the provider has not verified", newSurfer(t, w).signIn(t), "unverified")
	}, noPersonalAccounts)
}

func TestNobodyIsHandedWhatAStrangerMade(t *testing.T) {
	t.Parallel()
	eachTrusting(t, func(t *testing.T, w *testkit.World, p *testkit.Provider) {
		// Without mail a stranger can sign up with anybody's address.
		signUp(w, "ann@example.org", "the stranger's password").OK()
		signIn(w, "ann@example.org", "the stranger's password").OK()
		withIDToken(w.Anonymous(), p.IDToken("ann@example.org")).Refused("EMAIL_NOT_VERIFIED")
		p.Is("ann@example.org")
		equal(t, "failure", newSurfer(t, w).signIn(t), "unverified")
	}, func(c *server.Config) { c.Sender = nil })
	eachTrusting(t, func(_ *testing.T, w *testkit.World, p *testkit.Provider) {
		// With it, such a sign-up is no user, and the provider makes none of it.
		signUp(w, "ann@example.org", "the stranger's password").OK()
		withIDToken(w.Anonymous(), p.IDToken("ann@example.org")).Refused("NOT_FOUND")
		signIn(w, "ann@example.org", "the stranger's password").Refused("EMAIL_NOT_VERIFIED")
	})
}

func TestTheProviderMayBeAwayAtTheStart(t *testing.T) {
	t.Parallel()
	p := testkit.NewProvider(t)
	p.Down(true)
	w := testkit.New(t, t.TempDir()+"/convoke.db", p.Trusted)
	w.SignUp("olivia@acme.test")
	p.Is("olivia@acme.test")
	s := newSurfer(t, w)
	equal(t, "failure", s.signIn(t), "unavailable")
	withIDToken(w.Anonymous(), p.IDToken("olivia@acme.test")).Refused("TIMEOUT")
	if !strings.Contains(w.Log.String(), "discover the identity provider") {
		t.Error("the log does not say that the provider was not found")
	}
	p.Down(false)
	back := s.leave(t)
	p.Down(true) // its keys were not fetched yet
	withIDToken(w.Anonymous(), p.IDToken("olivia@acme.test")).Refused("TIMEOUT")
	equal(t, "failure on the way back", s.open(t, back.String()).Query().Get("sso"), "unavailable")
	p.Down(false)
	equal(t, "failure once it is there", s.signIn(t), "")
	equal(t, "who", s.who(), any("olivia@acme.test"))
	p.Denies(true)
	equal(t, "who refuses at the provider", newSurfer(t, w).signIn(t), "denied")
	// The provider's configuration is kept for an hour.
	p.Down(true)
	w.Clock.Advance(time.Hour - time.Second)
	withIDToken(w.Anonymous(), p.IDToken("olivia@acme.test")).OK()
	w.Clock.Advance(time.Second)
	withIDToken(w.Anonymous(), p.IDToken("olivia@acme.test")).Refused("TIMEOUT")
}

func TestWithoutAProvider(t *testing.T) {
	t.Parallel()
	w := surface(t)
	w.SignUp("olivia@acme.test")
	equal(t, "URL", w.Anonymous().Do(`{ serverInfo { ssoUrl } }`, nil).OK().At("serverInfo.ssoUrl"), nil)
	withIDToken(w.Anonymous(), "x").Refused("FEATURE_NOT_AVAILABLE")
	for _, path := range []string{"/sso", "/sso/callback"} {
		equal(t, path, fetch(t, http.MethodGet, w.URL+path).status, http.StatusNotFound)
	}
}

func TestOnlyThePublicURLSaysWhereToComeBack(t *testing.T) {
	t.Parallel()
	w, p := trusting(t, func(c *server.Config) { c.PublicURL = &url.URL{Scheme: "https", Host: "team.example.com", Path: "/"} })
	equal(t, "URL", w.Anonymous().Do(`{ serverInfo { ssoUrl } }`, nil).OK().Text("serverInfo.ssoUrl"), "https://team.example.com/sso")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.URL+"/sso", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "evil.example"
	req.Header.Set("X-Forwarded-Host", "evil.example")
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	to, err := res.Location()
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "provider", to.Scheme+"://"+to.Host, p.URL)
	equal(t, "back to", to.Query().Get("redirect_uri"), "https://team.example.com/sso/callback")
	equal(t, "cached", res.Header.Get("Cache-Control"), "no-store")
	c := res.Cookies()[0]
	if c.Name != "__Host-convoke_sso" || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.MaxAge != 600 {
		t.Errorf("got cookie %v, want one of this host alone, for ten minutes", c)
	}
	req.URL.Path = "/sso/callback"
	lost, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lost.Body.Close() }()
	equal(t, "home", lost.Header.Get("Location"), "https://team.example.com/?sso=expired")
}

func TestSigningInByTheProviderIsLimited(t *testing.T) {
	t.Parallel()
	w, p := trusting(t, limited(func(l *server.RateLimits) { l.Client = limit.Rule{N: 4, Per: time.Hour} }))
	p.Is("nobody@acme.test")
	s := newSurfer(t, w)
	equal(t, "the first", s.signIn(t), "unknown") // there and back
	back := s.leave(t)
	withIDToken(w.Anonymous(), "x").Refused("INVALID_TOKEN idToken")
	withIDToken(w.Anonymous(), "x").Refused("RATE_LIMITED")
	equal(t, "coming back", s.open(t, back.String()).Query().Get("sso"), "busy")
	equal(t, "leaving", s.signIn(t), "busy")
}

func TestHalfAProviderMakesNoSense(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		oidc server.OIDC
		want string
	}{
		"no client id":          {server.OIDC{Issuer: "https://login.example"}, "client id"},
		"no issuer":             {server.OIDC{ClientID: "x"}, "issuer"},
		"a secret alone":        {server.OIDC{ClientSecret: "hunter2"}, "issuer"},
		"plain http":            {server.OIDC{Issuer: "http://login.example", ClientID: "x"}, "https"},
		"no URL":                {server.OIDC{Issuer: "login.example", ClientID: "x"}, "https"},
		"a password in the URL": {server.OIDC{Issuer: "https://a:hunter2@login.example", ClientID: "x"}, "https"},
		"a query":               {server.OIDC{Issuer: "https://login.example?a=b", ClientID: "x"}, "https"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := testkit.Settings(t, t.TempDir()+"/convoke.db")
			cfg.OIDC = c.oidc
			s, err := server.New(t.Context(), cfg)
			if err == nil {
				t.Fatal("the server was built", s.Close())
			}
			if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %q, want a sentence about %q", err, c.want)
			}
		})
	}
	for _, issuer := range []string{"https://login.example/realm", "http://localhost:9000", "http://[::1]:9000/x"} {
		cfg := testkit.Settings(t, t.TempDir()+"/convoke.db")
		cfg.OIDC = server.OIDC{Issuer: issuer, ClientID: "x"}
		s, err := server.New(t.Context(), cfg)
		if err != nil {
			t.Fatalf("%s: %v", issuer, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
