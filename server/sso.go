package server

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/convoke-dev/convoke/internal/auth"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
)

// The words in the query of the home page's URL that say why a sign-in by the identity
// provider failed. The URL contains neither the e-mail address nor any text of the
// provider.
const (
	failedBusy        = "busy"
	failedDeactivated = "deactivated"
	failedDenied      = "denied"
	failedExpired     = "expired"
	failedInvalid     = "invalid"
	failedRevoked     = "revoked"
	failedSomehow     = "failed"
	failedUnavailable = "unavailable"
	failedUnknown     = "unknown"
	failedUnverified  = "unverified"
)

// failureOf returns the word for an error.
func failureOf(err error) string {
	var f *fault.Error
	if !errors.As(err, &f) {
		return failedSomehow
	}
	switch f.Code {
	case fault.Timeout, fault.Unavailable:
		return failedUnavailable
	case fault.InvalidToken:
		return failedInvalid
	case fault.EmailNotVerified:
		return failedUnverified
	case fault.NotFound:
		return failedUnknown
	case fault.AccessRevoked:
		return failedRevoked
	case fault.UserDeactivated:
		return failedDeactivated
	case fault.RateLimited:
		return failedBusy
	default:
		return failedSomehow
	}
}

// singleSignOn creates the identity provider if one is configured, and returns the URL
// at which browsers begin to sign in by it.
func (s *Server) singleSignOn() (ssoURL *string) {
	if s.cfg.OIDC == (OIDC{}) {
		return nil
	}
	if s.Auth.NoMail {
		s.log.Warn("people who join while the server has no mail cannot sign in by the identity provider: nothing proves their addresses")
	}
	s.Auth.Provider = &auth.IdentityProvider{
		Issuer: s.cfg.OIDC.Issuer, ClientID: s.cfg.OIDC.ClientID, ClientSecret: s.cfg.OIDC.ClientSecret,
		RedirectURL: s.cfg.PublicURL.JoinPath("sso", "callback").String(), Now: systemClock(s.cfg.Now), Log: s.log,
	}
	at := s.cfg.PublicURL.JoinPath("sso").String()
	return &at
}

// leaveForProvider sends a browser to the identity provider.
func (s *Server) leaveForProvider(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), answerWithin)
	defer cancel()
	if err := takeClient(ctx, s.perClient); err != nil {
		s.failHome(w, r, err)
		return
	}
	f, to, err := s.Auth.Provider.Begin(ctx)
	if err != nil {
		s.failHome(w, r, err)
		return
	}
	s.cookies(w, r).SetFlow(f)
	redirect(w, r, to)
}

// backFromProvider signs in a user who returns from the identity provider, and
// redirects to the home page. A flow can be used once, also when signing in fails.
func (s *Server) backFromProvider(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), answerWithin)
	defer cancel()
	q, cookies := r.URL.Query(), s.cookies(w, r)
	f, ours := cookies.FlowOf(r, q.Get("state"))
	cookies.ClearFlow()
	if !ours {
		s.home(w, r, failedExpired)
		return
	}
	if refusal := q.Get("error"); refusal != "" {
		s.log.Warn("the identity provider refused a sign-in", "code", auth.PlainCode(refusal))
		s.home(w, r, failedDenied)
		return
	}
	if err := takeClient(ctx, s.perClient); err != nil {
		s.failHome(w, r, err)
		return
	}
	in, err := s.Auth.SignInWithCode(ctx, f, q.Get("code"))
	if err == nil {
		err = s.Auth.EndReplaced(ctx, cookies.Replaced(true))
	}
	if err != nil {
		s.failHome(w, r, err)
		return
	}
	cookies.Set(in.Token, in.ExpiresAt)
	s.home(w, r, "")
}

func (s *Server) cookies(w http.ResponseWriter, r *http.Request) *auth.Cookies {
	return auth.NewCookies(w, r, s.secure())
}

// secure reports whether browsers reach the server over TLS.
func (s *Server) secure() bool { return s.cfg.PublicURL.Scheme == "https" }

// failHome redirects to the home page with the word for the error.
func (s *Server) failHome(w http.ResponseWriter, r *http.Request, err error) {
	word := failureOf(err)
	if word == failedSomehow {
		s.log.Error("sign in by the identity provider", "request_id", event.RequestFrom(r.Context()).ID, "error", err)
	}
	s.home(w, r, word)
}

// home redirects to the home page; failure is the word for an error, or empty.
func (s *Server) home(w http.ResponseWriter, r *http.Request, failure string) {
	to := s.cfg.PublicURL.JoinPath("/")
	if failure != "" {
		to.RawQuery = url.Values{"sso": {failure}}.Encode()
	}
	redirect(w, r, to.String())
}

// redirect sends the browser to a URL, which no cache may store.
func redirect(w http.ResponseWriter, r *http.Request, to string) {
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, to, http.StatusSeeOther)
}
