package server

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/convoke-dev/convoke/graph"
	"github.com/convoke-dev/convoke/internal/mail"
)

func (s *Server) routes() (http.Handler, error) {
	mux := http.NewServeMux()
	endpoint, err := s.graphql()
	if err != nil {
		return nil, err
	}
	mux.Handle("/graphql", endpoint)
	mux.HandleFunc("GET /schema.graphql", serveSchema)
	mux.HandleFunc("GET /my-data.json", s.export)
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

// serveSchema responds with the schema. Its ETag changes with its text, so a code generator
// that asks with If-None-Match gets 304 while nothing has changed.
func serveSchema(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("ETag", schemaTag())
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(graph.SDL()))
}

var schemaTag = sync.OnceValue(func() string { return fmt.Sprintf(`"%x"`, sha256.Sum256([]byte(graph.SDL()))) })

// mailbox responds with the mails of the demo. It answers only a request for an IP address,
// localhost or the host of the public URL: a page of another site can have its own name
// point to this machine, and could read the mails as pages of its own origin.
func (s *Server) mailbox(w http.ResponseWriter, r *http.Request) {
	if host := (&url.URL{Host: r.Host}).Hostname(); !strings.EqualFold(host, s.cfg.PublicURL.Hostname()) && host != "localhost" && net.ParseIP(host) == nil {
		writeText(w, http.StatusMisdirectedRequest, "The mailbox is not served under this name; open "+s.cfg.PublicURL.String()+"/mailbox.\n")
		return
	}
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
