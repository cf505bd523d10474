package server

import (
	"encoding/json"
	"io"
	"net/http"

	"github.com/rs/cors"

	"github.com/convoke-dev/convoke/graph"
	"github.com/convoke-dev/convoke/internal/mail"
)

func (s *Server) routes() (http.Handler, error) {
	mux := http.NewServeMux()
	mux.Handle("/graphql", s.graphql())
	mux.HandleFunc("GET /schema.graphql", serveSchema)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { writeText(w, http.StatusOK, "ok\n") })
	mux.HandleFunc("GET /readyz", s.ready)
	if s.cfg.MailHookSecret != "" {
		mux.HandleFunc("POST /hooks/mail", s.mailHook)
	}
	if s.Auth.Provider != nil {
		mux.HandleFunc("GET /sso", s.leaveForProvider)
		mux.HandleFunc("GET /sso/callback", s.backFromProvider)
	}
	if err := s.pages(mux); err != nil {
		return nil, err
	}
	if s.cfg.Mailbox != nil {
		mux.HandleFunc("GET /mailbox.json", s.mailbox)
	}
	return s.observe(s.cors(mux)), nil
}

// cors allows requests from pages of the configured origins, compared exactly, and of
// no others.
func (s *Server) cors(next http.Handler) http.Handler {
	if len(s.cfg.CORSOrigins) == 0 {
		return next
	}
	return cors.New(cors.Options{
		AllowedOrigins:   s.cfg.CORSOrigins,
		AllowedMethods:   []string{http.MethodGet, http.MethodPost},
		AllowedHeaders:   []string{"Authorization", "Content-Type", "Last-Event-ID"},
		ExposedHeaders:   []string{"X-Request-Id", "Retry-After"},
		AllowCredentials: true,
		MaxAge:           600,
	}).Handler(next)
}

// ready responds whether the server accepts requests: the database is writable, and
// the server is not stopping.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	if s.stopping.Load() {
		writeText(w, http.StatusServiceUnavailable, "stopping\n")
		return
	}
	if err := s.Store.Ready(r.Context()); err != nil {
		s.log.Error("not ready", "error", err)
		writeText(w, http.StatusServiceUnavailable, "database not writable\n")
		return
	}
	writeText(w, http.StatusOK, "ready\n")
}

func serveSchema(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, graph.SDL()) // the client may have gone
}

func (s *Server) mailbox(w http.ResponseWriter, _ *http.Request) {
	entries := s.cfg.Mailbox.Entries()
	if entries == nil {
		entries = []mail.Entry{}
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, entries)
}

func writeText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // the client may have gone
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client may have gone
}
