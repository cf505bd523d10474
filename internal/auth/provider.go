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
	// providerFor is how long its endpoints and keys are kept: a key it has
	// withdrawn is trusted for no longer.
	providerFor = time.Hour
	// clockSkew is how far its clock may be from ours.
	clockSkew = time.Minute
	// maxReason is how much of a library's reason goes to the log, in bytes.
	maxReason = 300
)

// signingAlgorithms are those with a public key. Neither "none" nor a shared
// secret proves who has signed.
var signingAlgorithms = []string{
	oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA,
}

var (
	errNoProvider = fault.Refuse(fault.Timeout, "The identity provider cannot be reached at the moment. Try again later.")
	errIDToken    = fault.Input(fault.InvalidToken, "This is not a valid ID token of this server's identity provider.", "idToken")
)

// IdentityProvider is the operator's OpenID Connect provider. It is found when it
// is first needed, so that a server starts without it.
type IdentityProvider struct {
	Issuer   string
	ClientID string
	// ClientSecret is empty for a public client.
	ClientSecret string
	// RedirectURL is where the provider sends browsers back to.
	RedirectURL string
	Now         func() time.Time
	Log         *slog.Logger

	finding singleflight.Group
	known   atomic.Pointer[endpoints]
}

// endpoints are what the provider says of itself.
type endpoints struct {
	code  oauth2.Config
	keys  *oidc.RemoteKeySet
	until time.Time
}

// Flow is one sign-in of a browser, from leaving for the provider to coming
// back. Its browser alone knows these secrets.
type Flow struct {
	State, Nonce, Verifier string
}

// Begin returns a new flow, and where the browser is to go. TIMEOUT when the
// provider cannot be reached.
func (p *IdentityProvider) Begin(ctx context.Context) (f Flow, to string, err error) {
	at, err := p.find(ctx)
	if err != nil {
		return Flow{}, "", err
	}
	f = Flow{State: token.Random(""), Nonce: token.Random(""), Verifier: oauth2.GenerateVerifier()}
	return f, at.code.AuthCodeURL(f.State, oidc.Nonce(f.Nonce), oauth2.S256ChallengeOption(f.Verifier)), nil
}

// find returns the endpoints. However many ask at once, the provider is asked
// once; that goes on when they have given up, for those who come next.
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
		p.Log.Error("the identity provider is not to be found", "issuer", p.Issuer, "error", reason(err))
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
	// Never by trial: a provider may take a code that came with a wrong sort of
	// authentication for used up.
	at.code.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	const basic = "client_secret_basic" // what is meant when nothing is said (OpenID Connect Discovery 1.0, section 3)
	if p.ClientSecret != "" && (len(says.Methods) == 0 || slices.Contains(says.Methods, basic)) {
		at.code.Endpoint.AuthStyle = oauth2.AuthStyleInHeader
	}
	p.known.Store(at)
	return at, nil
}

// redeem turns the code that a browser came back with into what the provider
// says of the person. TIMEOUT when it cannot be reached, INVALID_TOKEN when it
// does not take the code, or what it says is not about this flow.
func (p *IdentityProvider) redeem(ctx context.Context, f Flow, code string) (*identity, error) {
	at, err := p.find(ctx)
	if err != nil {
		return nil, err
	}
	answer, err := at.code.Exchange(oidc.ClientContext(ctx, &http.Client{Timeout: providerWithin}), code, oauth2.VerifierOption(f.Verifier))
	var refused *oauth2.RetrieveError
	switch {
	case errors.As(err, &refused):
		// Its body is not logged: nobody knows what is in it.
		p.Log.Warn("the identity provider did not take a code", "status", refused.Response.StatusCode, "code", PlainCode(refused.ErrorCode))
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
		return nil, p.refuse("it has another nonce")
	}
	return who, nil
}

// identity is what an ID token says of a person.
type identity struct {
	Email    string `json:"email"`
	Verified yes    `json:"email_verified"`
	Nonce    string `json:"nonce"`
	// Times in seconds, perhaps with a fraction.
	NotBefore float64 `json:"nbf"`
}

// yes is true, as a boolean or, as some providers write it, as text.
type yes bool

// UnmarshalJSON takes anything else for no.
func (y *yes) UnmarshalJSON(b []byte) error {
	text, err := strconv.Unquote(string(b))
	if err != nil {
		text = string(b)
	}
	*y = text == "true"
	return nil
}

// verify returns what an ID token says, once it is known to be the provider's,
// for this server and no other, and of now. INVALID_TOKEN for any other;
// TIMEOUT when the provider's keys cannot be fetched.
func (p *IdentityProvider) verify(ctx context.Context, idToken string) (*identity, error) {
	at, err := p.find(ctx)
	if err != nil {
		return nil, err
	}
	keys := &noted{KeySet: at.keys}
	verifier := oidc.NewVerifier(p.Issuer, keys, &oidc.Config{
		ClientID: p.ClientID, SupportedSigningAlgs: signingAlgorithms, SkipExpiryCheck: true, // below, by our clock and with our skew
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
		return nil, p.refuse("its claims are of no use")
	}
	now := p.Now()
	switch {
	case len(t.Audience) != 1:
		// Whoever else it is for could sign in here with it (OpenID Connect Core 1.0, section 3.1.3.7).
		return nil, p.refuse("it is for others, too")
	case !now.Before(t.Expiry.Add(clockSkew)):
		return nil, p.refuse("it has expired")
	case t.IssuedAt.After(now.Add(clockSkew)), who.NotBefore > float64(now.Add(clockSkew).Unix()):
		return nil, p.refuse("it is of the future")
	}
	return &who, nil
}

// refuse logs why an ID token is not taken; its bearer learns only that.
func (p *IdentityProvider) refuse(why string) error {
	p.Log.Warn("refused an ID token", "reason", why)
	return errIDToken
}

// noted is a key set that remembers whether the keys could be fetched: the
// verifier's error does not tell.
type noted struct {
	oidc.KeySet

	unreached bool
}

// VerifySignature verifies by the key set.
func (n *noted) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	payload, err := n.KeySet.VerifySignature(ctx, jwt)
	// Of its errors only that of fetching has another one inside.
	n.unreached = errors.Unwrap(err) != nil
	return payload, err
}

// reason is an error of a library for the log, where what it quotes of somebody
// else's answer must not fill it.
func reason(err error) string {
	text := err.Error()
	return text[:min(len(text), maxReason)]
}

// PlainCode returns an error code of OAuth for the log, such as access_denied;
// anything that could be more than that is left out.
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
