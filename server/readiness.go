package server

import (
	"context"
	"net/http"
	"sync"
	"time"
)

const (
	// readyFor is how long the result of one attempt to write stands.
	readyFor = time.Second
	// readyWithin is how long a request for readiness waits for that result.
	readyWithin = 3 * time.Second
	// probeWithin limits one attempt to write.
	probeWithin = 5 * time.Second
)

// readiness knows whether a write would succeed now. One attempt runs at a time, and at most
// once in readyFor, however many requests ask. A success stands only until a request fails.
type readiness struct {
	write func(ctx context.Context) error
	// away reports whether a request has failed since the last attempt that did not.
	away func() bool

	mu      sync.Mutex
	running chan struct{} // closed when the attempt is over; nil when none runs
	at      time.Time     // the end of the last attempt
	err     error         // its result
}

// check returns the result of the newest attempt, or begins one and waits for it. The
// attempt goes on when ctx ends, for those who ask next.
func (r *readiness) check(ctx context.Context) error {
	r.mu.Lock()
	if r.running == nil && !r.at.IsZero() && time.Since(r.at) < readyFor && (r.err != nil || !r.away()) {
		defer r.mu.Unlock()
		return r.err
	}
	if r.running == nil {
		r.running = make(chan struct{})
		go r.attempt(context.WithoutCancel(ctx)) // ends after probeWithin
	}
	running := r.running
	r.mu.Unlock()
	bounded, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	select {
	case <-running:
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.err
	case <-bounded.Done():
		return bounded.Err()
	}
}

func (r *readiness) attempt(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, probeWithin)
	defer cancel()
	err := r.write(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at, r.err = time.Now(), err
	close(r.running)
	r.running = nil
}

// ready responds whether the server accepts requests: a write would succeed now, and the
// server is not stopping. The store logs why not, once a minute.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	switch {
	case s.draining.Load():
		writeText(w, http.StatusServiceUnavailable, "stopping\n")
	case s.readiness.check(r.Context()) != nil:
		writeText(w, http.StatusServiceUnavailable, "database not writable\n")
	default:
		writeText(w, http.StatusOK, "ready\n")
	}
}

// drain has load balancers and clients leave before anything is closed: /readyz responds
// with 503, and each response asks its client to close the connection. It returns after the
// time of the setting. Requests are answered as before.
func (s *Server) drain() {
	s.draining.Store(true)
	if s.cfg.Drain > 0 {
		s.log.Info("draining", "for", s.cfg.Drain.String())
		<-time.After(s.cfg.Drain)
	}
}
