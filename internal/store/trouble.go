package store

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/convoke-dev/convoke/internal/fault"
)

// sayEvery is the shortest time between two lines of the log about a database that is away.
const sayEvery = time.Minute

// trouble logs that the database is away: at once, and then at most once a minute with the
// number of statements that failed since. Nobody else logs these errors, because each
// request and each worker has them.
type trouble struct {
	log *slog.Logger

	mu       sync.Mutex
	said     time.Time // zero before the first line
	failures int       // since that line
	away     bool      // a statement has failed since the last successful probe
	silent   bool      // the log has no line about it yet
}

// note counts a failure.
func (t *trouble) note(ctx context.Context, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.away {
		t.away, t.silent = true, true
	}
	t.failures++
	if now := time.Now(); t.said.IsZero() || now.Sub(t.said) >= sayEvery {
		t.log.ErrorContext(ctx, "the database is not available", "error", err, "failures", t.failures)
		t.said, t.failures, t.silent = now, 0, false
	}
}

// recent reports whether something has failed since the last call of over.
func (t *trouble) recent() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.away
}

// over notes that a probe has found the database writable.
func (t *trouble) over(ctx context.Context) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.away && !t.silent {
		t.log.InfoContext(ctx, "the database is available again", "failures", t.failures)
		t.failures = 0
	}
	t.away = false
}

// classify is Classify, and counts the error when the database is away.
func (s *Store) classify(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	known := fault.Is(err, fault.Unavailable)
	err = Classify(ctx, err)
	if !known && fault.Is(err, fault.Unavailable) {
		s.trouble.note(ctx, err)
	}
	return err
}
