package server

import (
	"bufio"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/limit"
	"github.com/convoke-dev/convoke/internal/token"
)

// observe gives each request an id, logs its result, and sets the headers that every
// response has. It logs neither query strings nor bodies, because they contain secrets.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := time.Now()
		ip := clientIP(r, s.cfg.TrustedProxies)
		req := event.Request{ID: token.Random("req_")[:20], ClientIP: ip, UserAgent: userAgent(r)}
		h := w.Header()
		h.Set("X-Request-Id", req.ID)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		if s.draining.Load() {
			h.Set("Connection", "close") // so that no later request meets a closed connection
		}
		rec := &recorder{ResponseWriter: w, status: http.StatusOK}
		ctx := limit.WithParty(event.WithRequest(r.Context(), req), limit.NewParty("", nil, ip))
		next.ServeHTTP(rec, r.WithContext(ctx))
		s.log.Info("request", "request_id", req.ID, "method", r.Method, "path", r.URL.Path,
			"status", rec.status, "duration_ms", float64(time.Since(started).Microseconds())/1000, "client_ip", ip)
	})
}

// maxUserAgent is how much of a User-Agent header is kept, in runes.
const maxUserAgent = 200

// userAgent returns the User-Agent header as text that a database can store.
func userAgent(r *http.Request) string {
	agent := []rune(strings.ToValidUTF8(r.UserAgent(), "\uFFFD"))
	return string(agent[:min(len(agent), maxUserAgent)])
}

// writeWithin limits the time of one write, because the client may have stopped
// reading.
const writeWithin = 30 * time.Second

// recorder records the status of a response, and limits the time of each write.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Write writes a part of the response. It fails when the client does not read it in
// time.
func (r *recorder) Write(p []byte) (int, error) {
	if err := http.NewResponseController(r.ResponseWriter).SetWriteDeadline(time.Now().Add(writeWithin)); err != nil {
		return 0, err
	}
	return r.ResponseWriter.Write(p)
}

// FlushError sends buffered data to the client. Streams need it.
func (r *recorder) FlushError() error {
	return http.NewResponseController(r.ResponseWriter).Flush()
}

// Hijack hands over the connection. WebSockets need it.
func (r *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	r.status = http.StatusSwitchingProtocols
	return http.NewResponseController(r.ResponseWriter).Hijack()
}

// Unwrap gives http.ResponseController access to the wrapped writer.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
