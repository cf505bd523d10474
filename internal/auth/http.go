package auth

import (
	"context"
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/fault"
)

// Cookies sets and clears the cookies of one HTTP response: one for the session, one for
// a flow.
type Cookies struct {
	w      http.ResponseWriter
	secure bool
	// carries is true while the cookie holds the viewer's session.
	carries bool
	// token is the session token that the browser has in its cookie, bearer the one in the
	// request's header. Both may be invalid.
	token, bearer string
}

// NewCookies returns the cookies of the response to a request. They are secure when the
// public URL is https.
func NewCookies(w http.ResponseWriter, r *http.Request, secure bool) *Cookies {
	c := &Cookies{w: w, secure: secure, bearer: Bearer(r.Header.Get("Authorization"))}
	if sent, err := r.Cookie(cookieName(sessionCookie, secure)); err == nil {
		c.token = sent.Value
	}
	return c
}

const (
	sessionCookie = "convoke_session"
	flowCookie    = "convoke_sso"
	// flowFor is how long a person may take at the identity provider.
	flowFor = 10 * time.Minute
)

// cookieName returns the name of a cookie. Its __Host- prefix has browsers keep the cookie
// to this host and to TLS (RFC 6265bis, section 4.1.3.2).
func cookieName(name string, secure bool) string {
	if secure {
		return "__Host-" + name
	}
	return name
}

// Set stores the session's token in the browser.
func (c *Cookies) Set(sessionToken string, expires time.Time) {
	c.carries, c.token = true, sessionToken
	c.write(sessionCookie, sessionToken, expires, 0)
}

// Clear deletes the session's token from the browser.
func (c *Cookies) Clear() {
	c.carries, c.token = false, ""
	c.write(sessionCookie, "", time.Time{}, -1)
}

// Carries reports whether the cookie holds the viewer's session, and not a bearer token.
// It is false for nil, as on a socket.
func (c *Cookies) Carries() bool { return c != nil && c.carries }

// Replaced returns the token whose place the token of a new session takes at the client:
// that of the cookie, or else that of the header. It is empty when there is none, and for
// nil, because a socket keeps its session.
func (c *Cookies) Replaced(byCookie bool) string {
	switch {
	case c == nil:
		return ""
	case byCookie:
		return c.token
	default:
		return c.bearer
	}
}

// SetFlow stores the flow in the browser until the identity provider sends the browser
// back. That is a request from another site, which SameSite=Lax lets carry the cookie.
func (c *Cookies) SetFlow(f Flow) {
	c.write(flowCookie, strings.Join([]string{f.State, f.Nonce, f.Verifier}, "."), time.Time{}, int(flowFor.Seconds()))
}

// ClearFlow deletes the flow from the browser.
func (c *Cookies) ClearFlow() { c.write(flowCookie, "", time.Time{}, -1) }

// FlowOf returns the flow in the request's cookie; ok is false unless its state is the one
// given, compared in constant time.
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
	http.SetCookie(c.w, &http.Cookie{ //nolint:gosec // Secure is false only where the public URL is plain http
		Name: cookieName(name, c.secure), Value: value, Path: "/", Expires: expires, MaxAge: maxAge,
		HttpOnly: true, Secure: c.secure, SameSite: http.SameSiteLaxMode,
	})
}

type cookiesKey struct{}

// CookiesFrom returns the cookies of the context's HTTP response, or nil on a socket.
func CookiesFrom(ctx context.Context) *Cookies {
	c, _ := ctx.Value(cookiesKey{}).(*Cookies)
	return c
}

// Bearer returns the token of an Authorization header (RFC 6750, section 2.1), empty for
// another scheme or none.
func Bearer(authorization string) string {
	scheme, t, ok := strings.Cut(strings.TrimSpace(authorization), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(t)
}

// Identify returns a context with the viewer of an HTTP request: by its Authorization
// header, or else by its X-API-Key header, or else by its cookie. A header that is not valid
// fails with UNAUTHENTICATED, because a program must learn that its session has ended. A
// cookie that is not valid is deleted, and the request is a visitor's, so that they can sign
// in.
func (s *Service) Identify(w http.ResponseWriter, r *http.Request, secure bool) (context.Context, error) {
	cookies := NewCookies(w, r, secure)
	ctx := context.WithValue(r.Context(), cookiesKey{}, cookies)
	if r.Header.Get("Authorization") != "" {
		v, err := s.Authenticate(ctx, cookies.bearer)
		return access.WithViewer(ctx, v), err
	}
	if secret := r.Header.Get("X-API-Key"); secret != "" {
		v, err := s.Authenticate(ctx, secret)
		if err == nil && !v.IsKey() {
			v, err = nil, access.ErrKeyEnded
		}
		return access.WithViewer(ctx, v), err
	}
	if cookies.token == "" {
		return access.WithViewer(ctx, nil), nil
	}
	v, err := s.Authenticate(ctx, cookies.token)
	cookies.carries = err == nil
	if fault.Is(err, fault.Unauthenticated) {
		cookies.Clear()
		err = nil
	}
	return access.WithViewer(ctx, v), err
}

type socketKey struct{}

// OnSocket marks a context as a socket's. A socket may outlive its session.
func OnSocket(ctx context.Context) context.Context {
	return context.WithValue(ctx, socketKey{}, true)
}

// ForOperation returns the context of one operation. On a socket it loads the viewer
// again, because the session may have ended since the socket was opened. It fails like
// Authenticate.
func (s *Service) ForOperation(ctx context.Context) (context.Context, error) {
	if on, _ := ctx.Value(socketKey{}).(bool); !on {
		return ctx, nil
	}
	v := access.ViewerFrom(ctx)
	if v == nil {
		return access.WithViewer(ctx, nil), nil
	}
	v, err := s.known(v.SessionID, func() (*Known, error) { return s.reload(ctx, v.SessionID) })
	return access.WithViewer(ctx, v), err
}
