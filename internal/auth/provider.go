package auth

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"

	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/token"
)

const (
	// providerWithin bounds one request to the identity provider.
	providerWithin = 10 * time.Second
	// providerFor is how long the provider's endpoints and keys are cached, and so how
	// long a key that it has withdrawn is trusted at the most.
	providerFor = time.Hour
	// clockSkew is the tolerated difference between the provider's clock and ours.
	clockSkew = time.Minute
	// maxReason bounds how much of a library's error goes to the log, in bytes.
	maxReason = 300
)

// signingAlgorithms are those with a public key. The others, "none" and shared secrets, do
// not prove who signed.
var signingAlgorithms = []string{
	oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA,
}

var (
	errNoProvider = fault.Refuse(fault.Timeout, "The identity provider cannot be reached at the moment. Try again later.")
	errIDToken    = fault.Input(fault.InvalidToken, "This is not a valid ID token of this server's identity provider.", "idToken")
)

// IdentityProvider is the operator's OpenID Connect provider. Its endpoints are discovered
// when they are first needed, so that the server starts while the provider is down.
type IdentityProvider struct {
	Issuer   string
	ClientID string
	// ClientSecret is empty for a public client.
	ClientSecret string
	// RedirectURL is where the provider sends browsers after sign-in.
	RedirectURL string
	Now         func() time.Time
	Log         *slog.Logger

	finding singleflight.Group
	known   atomic.Pointer[endpoints]
}

// endpoints are the provider's discovered endpoints and keys.
type endpoints struct {
	code  oauth2.Config
	keys  *oidc.RemoteKeySet
	until time.Time
}

// Flow has the secrets of one sign-in of a browser by the identity provider. They are
// stored in that browser's cookie and nowhere else.
type Flow struct {
	State, Nonce, Verifier string
}

// Begin returns a new flow, and the URL to which the browser goes. TIMEOUT when the
// provider cannot be reached.
func (p *IdentityProvider) Begin(ctx context.Context) (f Flow, to string, err error) {
	at, err := p.find(ctx)
	if err != nil {
		return Flow{}, "", err
	}
	f = Flow{State: token.Random(""), Nonce: token.Random(""), Verifier: oauth2.GenerateVerifier()}
	return f, at.code.AuthCodeURL(f.State, oidc.Nonce(f.Nonce), oauth2.S256ChallengeOption(f.Verifier)), nil
}

// find returns the endpoints, discovered at most once at the same time. The discovery
// continues when all callers have given up, so that the next caller finds its result.
func (p *IdentityProvider) find(ctx context.Context) (*endpoints, error) {
	if at := p.known.Load(); at != nil && p.Now().Before(at.until) {
		return at, nil
	}
	found := p.finding.DoChan("", func() (any, error) { // its goroutine ends after providerWithin at the latest
		return p.discover(context.WithoutCancel(ctx))
	})
	select {
	case <-ctx.Done():
		return nil, errNoProvider
	case r := <-found:
		at, _ := r.Val.(*endpoints)
		return at, r.Err
	}
}

func (p *IdentityProvider) discover(ctx context.Context) (*endpoints, error) {
	ctx = oidc.ClientContext(ctx, &http.Client{Timeout: providerWithin})
	var says struct {
		Keys    string   `json:"jwks_uri"`
		Methods []string `json:"token_endpoint_auth_methods_supported"`
	}
	provider, err := oidc.NewProvider(ctx, p.Issuer)
	if err == nil {
		err = provider.Claims(&says)
	}
	if err != nil {
		p.Log.Error("discover the identity provider", "issuer", p.Issuer, "error", reason(err))
		return nil, errNoProvider
	}
	at := &endpoints{
		code: oauth2.Config{
			ClientID: p.ClientID, ClientSecret: p.ClientSecret, RedirectURL: p.RedirectURL,
			Endpoint: provider.Endpoint(), Scopes: []string{oidc.ScopeOpenID, "email"},
		},
		keys:  oidc.NewRemoteKeySet(ctx, says.Keys),
		until: p.Now().Add(providerFor),
	}
	// oauth2 would find out by trial, but a provider may invalidate a code that came with
	// the wrong kind of authentication.
	at.code.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	const basic = "client_secret_basic" // the default (OpenID Connect Discovery 1.0, section 3)
	if p.ClientSecret != "" && (len(says.Methods) == 0 || slices.Contains(says.Methods, basic)) {
		at.code.Endpoint.AuthStyle = oauth2.AuthStyleInHeader
	}
	p.known.Store(at)
	return at, nil
}

// redeem exchanges the code that a browser brought back for the identity of the person.
// TIMEOUT when the provider cannot be reached, INVALID_TOKEN when it refuses the code or
// its ID token is not valid for this flow.
func (p *IdentityProvider) redeem(ctx context.Context, f Flow, code string) (*identity, error) {
	at, err := p.find(ctx)
	if err != nil {
		return nil, err
	}
	answer, err := at.code.Exchange(oidc.ClientContext(ctx, &http.Client{Timeout: providerWithin}), code, oauth2.VerifierOption(f.Verifier))
	var refused *oauth2.RetrieveError
	switch {
	case errors.As(err, &refused):
		// The body is not logged, because it may hold a secret.
		p.Log.Warn("the identity provider refused a code", "status", refused.Response.StatusCode, "code", PlainCode(refused.ErrorCode))
		if refused.Response.StatusCode >= http.StatusInternalServerError {
			return nil, errNoProvider
		}
		return nil, errIDToken
	case err != nil:
		p.Log.Error("redeem a code at the identity provider", "error", reason(err))
		return nil, errNoProvider
	}
	idToken, _ := answer.Extra("id_token").(string)
	who, err := p.verify(ctx, idToken)
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare([]byte(who.Nonce), []byte(f.Nonce)) != 1 {
		return nil, p.refuse("its nonce is not that of the flow")
	}
	return who, nil
}

// identity is the claims of an ID token about a person.
type identity struct {
	Email    string `json:"email"`
	Verified yes    `json:"email_verified"`
	Nonce    string `json:"nonce"`
	// NotBefore is in seconds, and may have a fraction.
	NotBefore float64 `json:"nbf"`
}

// yes is a boolean that some providers write as a string.
type yes bool

// UnmarshalJSON reads true and "true" as true, and anything else as false.
func (y *yes) UnmarshalJSON(b []byte) error {
	text, err := strconv.Unquote(string(b))
	if err != nil {
		text = string(b)
	}
	*y = text == "true"
	return nil
}

// verify returns the identity in an ID token. INVALID_TOKEN unless the provider signed it,
// for this server alone, and it is valid now; TIMEOUT when the provider's keys cannot be
// fetched.
func (p *IdentityProvider) verify(ctx context.Context, idToken string) (*identity, error) {
	at, err := p.find(ctx)
	if err != nil {
		return nil, err
	}
	keys := &fetching{KeySet: at.keys}
	verifier := oidc.NewVerifier(p.Issuer, keys, &oidc.Config{
		ClientID: p.ClientID, SupportedSigningAlgs: signingAlgorithms, SkipExpiryCheck: true, // checked below, with our clock and skew
	})
	t, err := verifier.Verify(ctx, idToken)
	switch {
	case keys.unreached:
		p.Log.Error("fetch the keys of the identity provider", "error", reason(err))
		return nil, errNoProvider
	case err != nil:
		return nil, p.refuse(reason(err))
	}
	var who identity
	if err := t.Claims(&who); err != nil {
		return nil, p.refuse("its claims cannot be read")
	}
	now := p.Now()
	switch {
	case len(t.Audience) != 1:
		// Another recipient could use it to sign in here (OpenID Connect Core 1.0, section 3.1.3.7).
		return nil, p.refuse("it has more than one audience")
	case !now.Before(t.Expiry.Add(clockSkew)):
		return nil, p.refuse("it has expired")
	case t.IssuedAt.After(now.Add(clockSkew)), who.NotBefore > float64(now.Add(clockSkew).Unix()):
		return nil, p.refuse("it is not valid yet")
	}
	return &who, nil
}

// refuse logs why an ID token is not valid. The returned error does not say why.
func (p *IdentityProvider) refuse(why string) error {
	p.Log.Warn("refused an ID token", "reason", why)
	return errIDToken
}

// fetching is a key set that records whether the keys could be fetched, because the
// verifier's error does not tell.
type fetching struct {
	oidc.KeySet

	unreached bool
}

// VerifySignature verifies with the key set.
func (f *fetching) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	payload, err := f.KeySet.VerifySignature(ctx, jwt)
	// Only the error of fetching wraps another one.
	f.unreached = errors.Unwrap(err) != nil
	return payload, err
}

// reason returns the text of a library's error for the log. It is cut, because it may
// quote the response of another server.
func reason(err error) string {
	text := err.Error()
	return text[:min(len(text), maxReason)]
}

// PlainCode returns an error code of OAuth for the log, such as access_denied. Of anything
// else it returns the length only.
func PlainCode(code string) string {
	plain := len(code) <= 40
	for _, r := range code {
		plain = plain && (r >= 'a' && r <= 'z' || r == '_')
	}
	if !plain {
		return fmt.Sprintf("(%d bytes)", len(code))
	}
	return code
}
