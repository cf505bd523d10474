package server

import (
	"bufio"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/token"
)

// observe gives each request an id, says in the log what came of it, and sets
// the headers of every answer. Neither query strings nor bodies are logged:
// they hold secrets.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := time.Now()
		ip := clientIP(r, s.cfg.TrustedProxies)
		req := event.Request{ID: token.Random("req_")[:20], ClientIP: ip, UserAgent: userAgent(r)}
		h := w.Header()
		h.Set("X-Request-Id", req.ID)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		rec := &recorder{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(rec, r.WithContext(event.WithRequest(r.Context(), req)))
		s.log.Info("request", "request_id", req.ID, "method", r.Method, "path", r.URL.Path,
			"status", rec.status, "duration_ms", float64(time.Since(started).Microseconds())/1000, "client_ip", ip)
	})
}

// maxUserAgent is how much of a User-Agent header is kept, in runes.
const maxUserAgent = 200

// userAgent returns what the client calls itself, as text that can be stored.
func userAgent(r *http.Request) string {
	agent := []rune(strings.ToValidUTF8(r.UserAgent(), "\uFFFD"))
	return string(agent[:min(len(agent), maxUserAgent)])
}

// writeWithin bounds one write to a client that may have stopped reading.
const writeWithin = 30 * time.Second

// recorder remembers the status of an answer, and bounds its writes in time.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Write sends a part of the answer.
func (r *recorder) Write(p []byte) (int, error) {
	if err := http.NewResponseController(r.ResponseWriter).SetWriteDeadline(time.Now().Add(writeWithin)); err != nil {
		return 0, err
	}
	return r.ResponseWriter.Write(p)
}

// FlushError sends what is buffered, for streams.
func (r *recorder) FlushError() error {
	return http.NewResponseController(r.ResponseWriter).Flush()
}

// Hijack gives the connection away, for sockets.
func (r *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	r.status = http.StatusSwitchingProtocols
	return http.NewResponseController(r.ResponseWriter).Hijack()
}

// Unwrap lets http.ResponseController through.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
