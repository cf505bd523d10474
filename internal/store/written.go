package store

import (
	"context"
	"sync/atomic"

	"github.com/convoke-dev/convoke/internal/fault"
)

type writtenKey struct{}

// Track returns a context that remembers whether a transaction was committed in it. It is
// meant for one mutation: see Shown.
func Track(ctx context.Context) context.Context {
	return context.WithValue(ctx, writtenKey{}, new(atomic.Bool))
}

// wrote remembers a commit.
func wrote(ctx context.Context) {
	if w, ok := ctx.Value(writtenKey{}).(*atomic.Bool); ok {
		w.Store(true)
	}
}

// Shown returns the fault as a client may see it. UNAVAILABLE promises that nothing was
// changed. In a context of Track in which something was committed that is not true, so the
// fault becomes TIMEOUT.
func Shown(ctx context.Context, f *fault.Error) *fault.Error {
	w, ok := ctx.Value(writtenKey{}).(*atomic.Bool)
	if !ok || f.Code != fault.Unavailable || !w.Load() {
		return f
	}
	partly := fault.Refuse(fault.Timeout, "The database was lost in the middle: something was changed, and the rest could not be done or read. Read again before you repeat it.")
	partly.RetryAfter = f.RetryAfter
	return partly
}
