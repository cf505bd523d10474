package testkit

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/convoke-dev/convoke/server"
)

// The client id and secret that the server and its identity provider share.
const (
	ClientID     = "convoke"
	ClientSecret = "the client's secret at the provider"
)

// Provider is an OpenID Connect provider at which one person at a time is signed
// in.
type Provider struct {
	t   testing.TB
	URL string
	now func() time.Time
	key *ecdsa.PrivateKey

	mu    sync.Mutex
	who   map[string]any        // the claims about the person
	down  bool                  // it answers nothing
	deny  bool                  // the person does not agree
	codes map[string]url.Values // the requests whose codes are not redeemed
	asked []string              // the paths asked for
}

// NewProvider starts a provider that stops with the test.
func NewProvider(t testing.TB) *Provider {
	t.Helper()
	p := &Provider{t: t, now: time.Now, key: SigningKey(t), codes: map[string]url.Values{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.configuration)
	mux.HandleFunc("GET /keys", p.keys)
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.asked = append(p.asked, r.URL.Path)
		if p.down {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(web.Close)
	p.URL = web.URL
	return p
}

// SigningKey returns a new key to sign ID tokens with.
func SigningKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Trusted is the option of a world that trusts the provider and goes by the same
// clock.
func (p *Provider) Trusted(c *server.Config) {
	p.now = c.Now
	c.OIDC = server.OIDC{Issuer: p.URL, ClientID: ClientID, ClientSecret: ClientSecret}
}

// Is has the person be whom the claims say: in pairs, beside or in the place of
// those of a good ID token. Nil leaves a claim out.
func (p *Provider) Is(email string, more ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.who = claims(email, more...)
}

// Denies has the person refuse to be signed in, or not any more.
func (p *Provider) Denies(yes bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deny = yes
}

// Down has the provider answer nothing of use, or serve again.
func (p *Provider) Down(yes bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = yes
}

// Asked returns how often a path was asked for.
func (p *Provider) Asked(path string) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range p.asked {
		if a == path {
			n++
		}
	}
	return n
}

func claims(email string, more ...any) map[string]any {
	of := map[string]any{"email": email, "email_verified": true}
	maps.Copy(of, Input(more...)["input"].(map[string]any))
	return of
}

// IDToken returns a good ID token about the address, but for these claims.
func (p *Provider) IDToken(email string, more ...any) string {
	return p.Sign(p.key, p.full(claims(email, more...)))
}

// full returns the claims with those that every ID token has.
func (p *Provider) full(of map[string]any) map[string]any {
	now := p.now()
	all := map[string]any{"iss": p.URL, "aud": ClientID, "sub": "somebody", "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix()}
	maps.Copy(all, of)
	maps.DeleteFunc(all, func(_ string, v any) bool { return v == nil })
	return all
}

// Sign returns the claims as a token under the key.
func (p *Provider) Sign(key any, of map[string]any) string {
	p.t.Helper()
	text, err := json.Marshal(of)
	if err != nil {
		p.t.Fatal(err)
	}
	algorithm := jose.ES256
	if _, shared := key.([]byte); shared {
		algorithm = jose.HS256
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", "1"))
	if err != nil {
		p.t.Fatal(err)
	}
	signed, err := signer.Sign(text)
	if err != nil {
		p.t.Fatal(err)
	}
	compact, err := signed.CompactSerialize()
	if err != nil {
		p.t.Fatal(err)
	}
	return compact
}

func (p *Provider) configuration(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{
		"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
		"response_types_supported": []string{"code"}, "id_token_signing_alg_values_supported": []string{"ES256", "HS256", "none"},
	})
}

func (p *Provider) keys(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: p.key.Public(), KeyID: "1", Use: "sig", Algorithm: "ES256"}}})
}

// authorize sends the browser back with a code, as if the person had just
// signed in.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("response_type") != "code" || q.Get("client_id") != ClientID || q.Get("scope") != "openid email" ||
		q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 || len(q.Get("nonce")) < 40 || len(q.Get("state")) < 40 {
		http.Error(w, "not a good request: "+r.URL.RawQuery, http.StatusBadRequest)
		return
	}
	back := url.Values{"state": {q.Get("state")}}
	if p.deny {
		back.Set("error", "access_denied")
		back.Set("error_description", "secret words of the provider")
	} else {
		code := "code_" + rand.Text()
		p.codes[code] = q
		back.Set("code", code)
	}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound) //nolint:gosec // it serves one test
}

// token takes a code once, from the client that has its verifier.
func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	id, secret, _ := r.BasicAuth()
	if id != ClientID || secret != url.QueryEscape(ClientSecret) { // RFC 6749, section 2.3.1
		answer(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
		return
	}
	code := r.PostFormValue("code")
	asked, known := p.codes[code]
	delete(p.codes, code)
	challenge := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if !known || base64.RawURLEncoding.EncodeToString(challenge[:]) != asked.Get("code_challenge") || r.PostFormValue("redirect_uri") != asked.Get("redirect_uri") {
		answer(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant"})
		return
	}
	of := map[string]any{"nonce": asked.Get("nonce")}
	maps.Copy(of, p.who)
	answer(w, http.StatusOK, map[string]any{
		"access_token": "an access token", "token_type": "Bearer", "expires_in": 300, "id_token": p.Sign(p.key, p.full(of)),
	})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client may have gone
}
