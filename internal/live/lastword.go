package live

import (
	"slices"
	"sync"
	"time"

	"github.com/convoke-dev/convoke/internal/access"
)

// lastWordWithin is how long the streams of a session wait for its rights streams.
const lastWordWithin = time.Second

// lastWord decides when the streams of one session may end.
//
// A removal ends the streams of a team, a sign-out every stream of a session. A client
// should learn why: the session's rights stream (viewerAccessChanged) reports REVOKED or
// SIGNED_OUT, the others only fail with FORBIDDEN or UNAUTHENTICATED, and after
// UNAUTHENTICATED the transport closes the connection. So the rights streams report first, and the others wait:
//
//	           change                   all reported, or 1 s is over
//	settled ────────────▶ owing ──────────────────────────────────▶ settled
//	   │                    │
//	   └────────┬───────────┘
//	            │ end                   all reported, or 1 s is over
//	            └───────▶ ending ─────────────────────────────────▶ over
//
// "All" are the session's rights streams; one that has closed needs no report.
// In settled and over a stream may end. In owing and ending it may not: it asks
// again when wake is called. A session that opens a rights stream is owing until that
// stream has reported for the first time.
//
// The second begins when the first stream asks in vain, and no later change extends it.
// It bounds the wait for a rights stream whose client does not read.
//
// The caller of every method holds mu.
type lastWord struct {
	mu   sync.Locker
	wake func() // wakes all streams of the session; called with mu held

	viewer    *access.Viewer // as the session's streams know them
	over      bool           // the session has ended
	reporters []*reporter
	gaveUp    bool        // the second is over: nothing is waited for until the next change
	deadline  *time.Timer // of that second; nil while it does not run
	waits     int         // how many of these seconds were stopped
}

// reporter is one rights stream of the session.
type reporter struct {
	reported *access.Viewer // all changes up to this viewer have reached the client
}

// join adds a rights stream. It must leave.
func (w *lastWord) join() *reporter {
	r := &reporter{}
	w.reporters = append(w.reporters, r)
	return r
}

// leave removes a rights stream: it has closed, or has reported the end of the
// session. It may be called more than once.
func (w *lastWord) leave(r *reporter) {
	if n := slices.Index(w.reporters, r); n >= 0 {
		w.reporters = slices.Delete(w.reporters, n, n+1)
		w.settle()
	}
}

// report notes that the rights stream has reported all changes up to the viewer.
func (w *lastWord) report(r *reporter, v *access.Viewer) {
	if r.reported != v {
		r.reported = v
		w.settle()
	}
}

// change notes that the session's viewer is another one now.
func (w *lastWord) change(v *access.Viewer) {
	w.viewer, w.gaveUp = v, false
}

// end notes that the session has ended. It is final.
func (w *lastWord) end() {
	w.over, w.gaveUp = true, false
}

// mayEnd reports whether a stream of the session may end now.
func (w *lastWord) mayEnd() bool {
	if w.gaveUp || !w.owes() {
		return true
	}
	if w.deadline == nil {
		n := w.waits
		w.deadline = time.AfterFunc(lastWordWithin, func() { w.giveUp(n) })
	}
	return false
}

// owes reports whether a rights stream has yet to report.
func (w *lastWord) owes() bool {
	if w.over {
		return len(w.reporters) > 0
	}
	return slices.ContainsFunc(w.reporters, func(r *reporter) bool { return r.reported != w.viewer })
}

func (w *lastWord) settle() {
	if !w.owes() {
		w.stop()
		w.wake()
	}
}

func (w *lastWord) stop() {
	if w.deadline != nil {
		w.deadline.Stop()
		w.deadline = nil
		w.waits++
	}
}

// giveUp ends the wait of this number, unless it was stopped while its timer waited for
// the lock.
func (w *lastWord) giveUp(wait int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waits != wait {
		return
	}
	w.deadline, w.gaveUp = nil, true
	w.wake()
}
