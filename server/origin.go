package server

import (
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/gorilla/websocket"
	"github.com/rs/cors"

	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/server/graphqlws"
)

// maxOrigin is how much of an Origin header is repeated, in bytes. The name of a host
// has at most 253.
const maxOrigin = 300

// cors allows requests from pages of the origins that are welcome, with every header:
// libraries add headers of their own, such as traceparent. A preflight from another
// origin is refused with the reason.
func (s *Server) cors(next http.Handler) http.Handler {
	allowed := cors.New(cors.Options{
		AllowOriginRequestFunc: func(r *http.Request, origin string) bool { return s.welcome(origin, r.Host) },
		AllowedMethods:         []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete},
		AllowedHeaders:         []string{"*"}, // those that the preflight names; with credentials, browsers ignore a literal *
		ExposedHeaders:         []string{"X-Request-Id", "Retry-After"},
		AllowCredentials:       true,
		MaxAge:                 600,
	}).Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		preflight := r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
		if preflight && origin != "" && !s.welcome(origin, r.Host) {
			w.Header().Add("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers")
			s.refuseOrigin(w, r, origin)
			return
		}
		allowed.ServeHTTP(w, r)
	})
}

// fromOurPages refuses requests from pages of foreign origins, and WebSockets with
// another sub-protocol. It returns false when it has responded.
func (s *Server) fromOurPages(w http.ResponseWriter, r *http.Request, upgrade bool) bool {
	origin := r.Header.Get("Origin")
	if origin != "" && !s.welcome(origin, r.Host) {
		s.refuseOrigin(w, r, origin)
		return false
	}
	if !upgrade {
		return true
	}
	if !slices.Contains(websocket.Subprotocols(r), graphqlws.Protocol) {
		refuse(w, r, http.StatusBadRequest, fault.BadUserInput, "The sub-protocol must be "+graphqlws.Protocol+".")
		return false
	}
	if origin == "" {
		// The client is no browser. Without an origin, a cookie proves nothing.
		r.Header.Del("Cookie")
	}
	return true
}

// refuseOrigin responds to a request from a page of a foreign origin. Browsers show the
// response to developers only, not to the page, so the log says the same.
func (s *Server) refuseOrigin(w http.ResponseWriter, r *http.Request, origin string) {
	origin = cut(origin, maxOrigin)
	message := "Pages of the origin " + origin + " may not call this server. "
	if isOrigin(origin) {
		message += "Its operator can allow them with --cors-origin=" + origin + "."
	} else {
		message += "Serve them over HTTP from an origin that the operator allows with --cors-origin."
	}
	if s.refused.first(origin) {
		s.log.Warn("origin refused", "origin", origin, "reason", message)
	}
	refuse(w, r, http.StatusForbidden, fault.Forbidden, message)
}

// webOrigin is the origin of pages that are served over HTTP, as browsers write it.
var webOrigin = regexp.MustCompile(`^https?://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[1-9][0-9]{0,4})?$`)

// isOrigin reports whether the text is the origin of pages that are served over HTTP, as
// browsers write it: in lower case and in ASCII, without a path and without the port that
// goes without saying.
func isOrigin(text string) bool {
	u, err := url.Parse(text)
	return err == nil && webOrigin.MatchString(text) && u.Host == withoutPort(u)
}

// withoutPort returns the host of a URL without the port that its scheme has by default.
func withoutPort(u *url.URL) string {
	return strings.TrimSuffix(u.Host, map[string]string{"http": ":80", "https": ":443"}[u.Scheme])
}

// maxOrigins is how many refused origins are logged. A client can send any number.
const maxOrigins = 100

// origins are the refused origins that have been logged.
type origins struct {
	mu     sync.Mutex
	logged map[string]bool
}

// first reports whether the origin is new and to be logged.
func (o *origins) first(origin string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.logged[origin] || len(o.logged) == maxOrigins {
		return false
	}
	if o.logged == nil {
		o.logged = map[string]bool{}
	}
	o.logged[origin] = true
	return true
}

// welcome reports whether a page of that origin may send requests: the server's own
// pages, those of the configured origins, and in the demo those of every port of
// loopback. The origin "null" may not.
func (s *Server) welcome(origin, host string) bool {
	u, err := url.Parse(origin)
	if err != nil || !isOrigin(origin) {
		return false
	}
	own := s.cfg.PublicURL
	return u.Scheme == own.Scheme && u.Host == own.Host ||
		slices.Contains(s.cfg.CORSOrigins, origin) ||
		s.cfg.LoopbackOrigins && loopback(u.Hostname()) ||
		// All names of loopback mean the same machine.
		u.Host == host && loopback(u.Hostname()) && loopback(own.Hostname())
}

func loopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
