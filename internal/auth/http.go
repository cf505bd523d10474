package auth

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/convoke-dev/convoke/ent/session"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/fault"
)

// Cookies sets and clears the cookies of one HTTP answer: the session's, and that
// of a flow.
type Cookies struct {
	w      http.ResponseWriter
	secure bool
	// carries is true while the viewer's session is held by the cookie.
	carries bool
}

// NewCookies returns the cookies of an answer; secure ones when the public URL
// is https.
func NewCookies(w http.ResponseWriter, secure bool) *Cookies {
	return &Cookies{w: w, secure: secure}
}

const (
	sessionCookie = "convoke_session"
	flowCookie    = "convoke_sso"
	// flowFor is how long a person may take at the identity provider.
	flowFor = 10 * time.Minute
)

// cookieName: the __Host- prefix ties the cookie to this host and to TLS
// (RFC 6265bis, section 4.1.3.2).
func cookieName(name string, secure bool) string {
	if secure {
		return "__Host-" + name
	}
	return name
}

// Set hands the session's token to the browser.
func (c *Cookies) Set(sessionToken string, expires time.Time) {
	c.carries = true
	c.write(sessionCookie, sessionToken, expires, 0)
}

// Clear takes the session's token away again.
func (c *Cookies) Clear() {
	c.carries = false
	c.write(sessionCookie, "", time.Time{}, -1)
}

// Carries reports whether the viewer's session is held by the cookie, and not
// by a bearer token. There is none where there are no cookies.
func (c *Cookies) Carries() bool { return c != nil && c.carries }

// SetFlow has the browser remember the flow until it comes back. It comes back
// from another site, so the cookie is SameSite=Lax as the session's is.
func (c *Cookies) SetFlow(f Flow) {
	c.write(flowCookie, strings.Join([]string{f.State, f.Nonce, f.Verifier}, "."), time.Time{}, int(flowFor.Seconds()))
}

// ClearFlow takes the flow away: it has ended, well or not.
func (c *Cookies) ClearFlow() { c.write(flowCookie, "", time.Time{}, -1) }

// FlowOf returns the flow that the request's browser began and whose state it
// has brought back.
func (c *Cookies) FlowOf(r *http.Request, state string) (f Flow, ok bool) {
	sent, err := r.Cookie(cookieName(flowCookie, c.secure))
	if err != nil {
		return Flow{}, false
	}
	parts := strings.Split(sent.Value, ".")
	if len(parts) != 3 || slices.Contains(parts, "") || subtle.ConstantTimeCompare([]byte(parts[0]), []byte(state)) != 1 {
		return Flow{}, false
	}
	return Flow{State: parts[0], Nonce: parts[1], Verifier: parts[2]}, true
}

func (c *Cookies) write(name, value string, expires time.Time, maxAge int) {
	http.SetCookie(c.w, &http.Cookie{ //nolint:gosec // not Secure only where the public URL is plain http
		Name: cookieName(name, c.secure), Value: value, Path: "/", Expires: expires, MaxAge: maxAge,
		HttpOnly: true, Secure: c.secure, SameSite: http.SameSiteLaxMode,
	})
}

type cookiesKey struct{}

// CookiesFrom returns the cookies of the HTTP answer the context belongs to, or
// nil where there is none: on a socket.
func CookiesFrom(ctx context.Context) *Cookies {
	c, _ := ctx.Value(cookiesKey{}).(*Cookies)
	return c
}

// Bearer returns the token of an Authorization value (RFC 6750, section 2.1),
// empty when there is none.
func Bearer(authorization string) string {
	scheme, t, ok := strings.Cut(strings.TrimSpace(authorization), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(t)
}

// Identify finds out who sends an HTTP request: by its bearer token, or else by
// its cookie. A bearer token that is not good fails with UNAUTHENTICATED: a
// program must learn that its session has ended. A cookie that is not good is
// taken away, and its sender a stranger, who can sign in.
func (s *Service) Identify(w http.ResponseWriter, r *http.Request, secure bool) (context.Context, error) {
	cookies := NewCookies(w, secure)
	ctx := context.WithValue(r.Context(), cookiesKey{}, cookies)
	if authorization := r.Header.Get("Authorization"); authorization != "" {
		v, err := s.Authenticate(ctx, Bearer(authorization))
		return access.WithViewer(ctx, v), err
	}
	sent, err := r.Cookie(cookieName(sessionCookie, secure))
	if err != nil {
		return access.WithViewer(ctx, nil), nil //nolint:nilerr // no cookie is a stranger, not a failure
	}
	v, err := s.Authenticate(ctx, sent.Value)
	cookies.carries = err == nil
	var f *fault.Error
	if errors.As(err, &f) {
		cookies.Clear()
		err = nil
	}
	return access.WithViewer(ctx, v), err
}

type socketKey struct{}

// OnSocket marks a context as a socket's, which outlives what its viewer holds.
func OnSocket(ctx context.Context) context.Context {
	return context.WithValue(ctx, socketKey{}, true)
}

// ForOperation returns the context of one operation. On a socket the viewer is
// found anew, as for a request, for the session may have ended since the socket
// was opened. It fails like Authenticate.
func (s *Service) ForOperation(ctx context.Context) (context.Context, error) {
	if on, _ := ctx.Value(socketKey{}).(bool); !on {
		return ctx, nil
	}
	v := access.ViewerFrom(ctx)
	if v == nil {
		return access.WithViewer(ctx, nil), nil
	}
	v, err := s.known(ctx, v.SessionID, session.ID(v.SessionID))
	return access.WithViewer(ctx, v), err
}
