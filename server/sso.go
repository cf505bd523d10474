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

// The words by which the home page learns, in its query, why a sign-in by the
// identity provider failed. A URL holds nothing else of it: no address, no text
// of the provider.
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
	case fault.Timeout:
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

// singleSignOn makes the identity provider of the settings, if there is one, and
// returns where browsers begin to sign in by it.
func (s *Server) singleSignOn() (ssoURL *string) {
	if s.cfg.OIDC == (OIDC{}) {
		return nil
	}
	if s.Auth.NoMail {
		s.log.Warn("nobody can sign in by the identity provider: without mail no address is known to be its user's")
	}
	s.Auth.Provider = &auth.IdentityProvider{
		Issuer: s.cfg.OIDC.Issuer, ClientID: s.cfg.OIDC.ClientID, ClientSecret: s.cfg.OIDC.ClientSecret,
		RedirectURL: s.cfg.PublicURL.JoinPath("sso", "callback").String(), Now: s.now, Log: s.log,
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
	s.cookies(w).SetFlow(f)
	redirect(w, r, to)
}

// backFromProvider signs in who comes back from the identity provider, and
// sends him home. A flow is good for one return, however that ends.
func (s *Server) backFromProvider(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), answerWithin)
	defer cancel()
	q, cookies := r.URL.Query(), s.cookies(w)
	f, ours := cookies.FlowOf(r, q.Get("state"))
	cookies.ClearFlow()
	if !ours {
		s.home(w, r, failedExpired)
		return
	}
	if refusal := q.Get("error"); refusal != "" {
		s.log.Warn("the identity provider let somebody not in", "code", auth.PlainCode(refusal))
		s.home(w, r, failedDenied)
		return
	}
	if err := takeClient(ctx, s.perClient); err != nil {
		s.failHome(w, r, err)
		return
	}
	in, err := s.Auth.SignInWithCode(ctx, f, q.Get("code"))
	if err != nil {
		s.failHome(w, r, err)
		return
	}
	cookies.Set(in.Token, in.ExpiresAt)
	s.home(w, r, "")
}

func (s *Server) cookies(w http.ResponseWriter) *auth.Cookies {
	return auth.NewCookies(w, s.secure())
}

// secure reports whether browsers reach the server over TLS.
func (s *Server) secure() bool { return s.cfg.PublicURL.Scheme == "https" }

// failHome sends a browser home with the word for the error.
func (s *Server) failHome(w http.ResponseWriter, r *http.Request, err error) {
	word := failureOf(err)
	if word == failedSomehow {
		s.log.Error("sign in by the identity provider", "request_id", event.RequestFrom(r.Context()).ID, "error", err)
	}
	s.home(w, r, word)
}

// home sends a browser to the home page, with the word for a failure.
func (s *Server) home(w http.ResponseWriter, r *http.Request, failure string) {
	to := s.cfg.PublicURL.JoinPath("/")
	if failure != "" {
		to.RawQuery = url.Values{"sso": {failure}}.Encode()
	}
	redirect(w, r, to.String())
}

// redirect sends a browser on; no cache keeps where to.
func redirect(w http.ResponseWriter, r *http.Request, to string) {
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, to, http.StatusSeeOther)
}
