package auth

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/convoke-dev/convoke/ent/session"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/fault"
)

// Cookies sets and clears the session cookie of one HTTP answer.
type Cookies struct {
	w      http.ResponseWriter
	secure bool
	// carries is true while the viewer's session is held by the cookie.
	carries bool
}

// cookieName: the __Host- prefix ties the cookie to this host and to TLS
// (RFC 6265bis, section 4.1.3.2).
func cookieName(secure bool) string {
	if secure {
		return "__Host-convoke_session"
	}
	return "convoke_session"
}

// Set hands the session's token to the browser.
func (c *Cookies) Set(sessionToken string, expires time.Time) {
	c.carries = true
	c.write(sessionToken, expires, 0)
}

// Clear takes the session's token away again.
func (c *Cookies) Clear() {
	c.carries = false
	c.write("", time.Time{}, -1)
}

// Carries reports whether the viewer's session is held by the cookie, and not
// by a bearer token. There is none where there are no cookies.
func (c *Cookies) Carries() bool { return c != nil && c.carries }

func (c *Cookies) write(value string, expires time.Time, maxAge int) {
	http.SetCookie(c.w, &http.Cookie{ //nolint:gosec // not Secure only where the public URL is plain http
		Name: cookieName(c.secure), Value: value, Path: "/", Expires: expires, MaxAge: maxAge,
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
	cookies := &Cookies{w: w, secure: secure}
	ctx := context.WithValue(r.Context(), cookiesKey{}, cookies)
	if authorization := r.Header.Get("Authorization"); authorization != "" {
		v, err := s.Authenticate(ctx, Bearer(authorization))
		return access.WithViewer(ctx, v), err
	}
	sent, err := r.Cookie(cookieName(secure))
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
