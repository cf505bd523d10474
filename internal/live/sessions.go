package live

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/auth"
)

const (
	// sessionsEvery is how late the watch notices a session that another node ended.
	sessionsEvery = time.Second
	// checkWithin bounds one check of all sessions.
	checkWithin = 10 * time.Second
	// sessionsPerCheck is how many sessions one statement names: fewer than SQLite has
	// parameters.
	sessionsPerCheck = 1000
)

var errChecking = errors.New("live: a check of sessions panicked")

// sessionWatch keeps the viewers of the sessions with open streams up to date, and
// notices when a session ends. Streams share its checks: one serves all streams of the
// node that need it, whatever their number.
type sessionWatch struct {
	auth *auth.Service
	log  *slog.Logger

	mu       sync.Mutex
	sessions map[string]*session // by id
	reads    uint64              // how many reads of viewers have begun
	checks   map[string]*check   // the newest shared check, by account; endChecks for the ends of sessions
}

// endChecks is the key of the check for sessions that this process ended. It is no
// account's id.
const endChecks = ""

// check is a check that all who need it share.
type check struct {
	upTo uint64        // it covers everything up to this number
	done chan struct{} // closed when the check is over
	err  error         // written before done is closed
}

// session is a session with open streams.
type session struct {
	id     string
	viewer atomic.Pointer[access.Viewer] // nil until the first read
	ended  atomic.Bool

	// Guarded by the watch's mutex.
	listeners map[*listener]struct{}
	opening   int    // listeners whose first read is under way
	read      uint64 // the number of the read that the viewer comes from
	word      lastWord
}

// listener is one stream's registration with the watch.
type listener struct {
	*session
	watch    *sessionWatch
	wake     func()
	reporter *reporter // nil unless it is a rights stream
}

func newSessionWatch(a *auth.Service) *sessionWatch {
	return &sessionWatch{auth: a, log: a.Log, sessions: map[string]*session{}, checks: map[string]*check{}}
}

// run checks the sessions until ctx ends.
func (w *sessionWatch) run(ctx context.Context) {
	every(ctx, sessionsEvery, 0, nil, w.log, "check the sessions of streams", w.round)
}

// round reads the viewers of sessions with rights streams, and whether the other
// sessions have ended.
func (w *sessionWatch) round(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	reporting := func(s *session) bool { return len(s.word.reporters) > 0 }
	if err := w.refresh(ctx, w.pick(reporting)); err != nil {
		return err
	}
	return w.findEnded(ctx, w.pick(func(s *session) bool { return !reporting(s) }))
}

// pick returns the sessions that which selects; it is called with the mutex held.
func (w *sessionWatch) pick(which func(*session) bool) (some []*session) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.sessions {
		if which(s) {
			some = append(some, s)
		}
	}
	return some
}

// open registers a stream of the session. Its viewer is read now, so that everything
// committed before is known. wake is called when the viewer may have changed, when the
// session has ended, and when the stream may end; it must not block, and it is called
// with the watch locked. A stream that reports is a rights stream: see lastWord. It
// fails with UNAUTHENTICATED when the session has ended. The caller closes the listener.
func (w *sessionWatch) open(ctx context.Context, sessionID string, wake func(), reports bool) (*listener, error) {
	l := w.register(sessionID, wake, reports)
	err := w.refresh(ctx, []*session{l.session})
	w.mu.Lock()
	l.opening--
	w.mu.Unlock()
	if ended := l.alive(); ended != nil {
		err = ended // more to the point than any other error
	}
	if err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

func (w *sessionWatch) register(sessionID string, wake func(), reports bool) *listener {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.sessions[sessionID]
	if s == nil {
		s = &session{id: sessionID, listeners: map[*listener]struct{}{}}
		s.word.mu, s.word.wake = &w.mu, s.wakeAll
		w.sessions[sessionID] = s
	}
	l := &listener{session: s, watch: w, wake: wake}
	if reports {
		l.reporter = s.word.join()
	}
	s.listeners[l] = struct{}{}
	s.opening++
	return l
}

// close removes the stream. It is called once.
func (l *listener) close() {
	l.stopReporting()
	w := l.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(l.listeners, l)
	if len(l.listeners) == 0 {
		l.word.stop()
		w.forget(l.session)
	}
	if len(w.sessions) == 0 {
		clear(w.checks)
	}
}

// forget drops a session from the watch, unless its id stands for a newer entry.
func (w *sessionWatch) forget(s *session) {
	if w.sessions[s.id] == s {
		delete(w.sessions, s.id)
	}
}

// streams returns how many streams are open.
func (w *sessionWatch) streams() (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.sessions {
		if s.read > 0 {
			n += len(s.listeners)
		}
	}
	return n
}

// alive fails with UNAUTHENTICATED when the session is known to have ended.
func (l *listener) alive() error {
	if l.ended.Load() {
		return auth.ErrEnded
	}
	return nil
}

// current returns the viewer as they are now. It fails with UNAUTHENTICATED when the
// session has ended, by this process a moment ago, too.
func (l *listener) current(ctx context.Context) (*access.Viewer, error) {
	if err := l.watch.afterEnds(ctx); err != nil {
		return nil, err
	}
	return l.viewer.Load(), l.alive()
}

// mayEnd, report and stopReporting are lastWord's, with the watch locked.
func (l *listener) mayEnd() bool {
	l.watch.mu.Lock()
	defer l.watch.mu.Unlock()
	return l.word.mayEnd()
}

func (l *listener) report(v *access.Viewer) {
	l.watch.mu.Lock()
	defer l.watch.mu.Unlock()
	l.word.report(l.reporter, v)
}

func (l *listener) stopReporting() {
	l.watch.mu.Lock()
	defer l.watch.mu.Unlock()
	l.word.leave(l.reporter)
}

// afterEvent brings every viewer of the account up to date with the event of this
// number, which may have changed somebody's permissions. A session whose first read
// is under way is read again: that read may have begun before the event.
func (w *sessionWatch) afterEvent(ctx context.Context, accountID string, seq int64) error {
	return w.share(ctx, accountID, uint64(seq), func(ctx context.Context) error { //nolint:gosec // numbers of events are positive
		return w.refresh(ctx, w.pick(func(s *session) bool { return s.opening > 0 || s.viewer.Load().In(accountID) }))
	})
}

// afterEnds notices the sessions that this process has ended. It costs a statement
// only if there were any since the last check.
func (w *sessionWatch) afterEnds(ctx context.Context) error {
	return w.share(ctx, endChecks, w.auth.Store.Changes().Ended(), func(ctx context.Context) error {
		return w.findEnded(ctx, w.pick(func(*session) bool { return true }))
	})
}

// share runs the check, unless one that covers as much has begun: then it waits for
// that one.
func (w *sessionWatch) share(ctx context.Context, key string, upTo uint64, run func(context.Context) error) error {
	w.mu.Lock()
	c := w.checks[key]
	if c != nil && c.upTo >= upTo {
		w.mu.Unlock()
		select {
		case <-c.done:
			return c.err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	c = &check{upTo: upTo, done: make(chan struct{})}
	w.checks[key] = c
	w.mu.Unlock()
	// Others wait for it: it goes on when the stream that began it ends.
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkWithin)
	defer cancel()
	c.err = errChecking // should run panic
	defer func() {
		close(c.done)
		if c.err != nil {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.checks[key] == c { // so that the next caller tries again
				delete(w.checks, key)
			}
		}
	}()
	c.err = run(bounded)
	return c.err
}

// refresh reads the viewers of the sessions. Of two reads at once the one that began
// later counts: it has seen more.
func (w *sessionWatch) refresh(ctx context.Context, some []*session) error {
	for part := range slices.Chunk(some, sessionsPerCheck) {
		number := w.beginRead()
		viewers, err := w.auth.Viewers(ctx, ids(part))
		if err != nil {
			return err
		}
		w.mu.Lock()
		for _, s := range part {
			w.update(s, viewers[s.id], number)
		}
		w.mu.Unlock()
	}
	return nil
}

func (w *sessionWatch) beginRead() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reads++
	return w.reads
}

// update notes what a read has found: no viewer when the session has ended. The
// caller holds the mutex.
func (w *sessionWatch) update(s *session, v *access.Viewer, read uint64) {
	known := s.viewer.Load()
	switch {
	case s.ended.Load(): // a read that began before the end changes nothing any more
	case v == nil:
		w.end(s)
	case read <= s.read: // a read that began later is here already
	case known != nil && v.Same(known):
		s.read = read // and all streams go on sharing the viewer they have
	default:
		s.read = read
		s.viewer.Store(v)
		s.word.change(v)
		s.wakeAll()
	}
}

// findEnded ends the streams whose sessions have ended.
func (w *sessionWatch) findEnded(ctx context.Context, some []*session) error {
	ended, err := w.auth.Ended(ctx, ids(some))
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range some {
		if slices.Contains(ended, s.id) {
			w.end(s)
		}
	}
	return nil
}

func ids(some []*session) []string {
	list := make([]string, len(some))
	for i, s := range some {
		list[i] = s.id
	}
	return list
}

// end notes that the session has ended. Its id never comes back to life: a stream
// that opens later gets a new entry and is refused. The caller holds the mutex.
func (w *sessionWatch) end(s *session) {
	if s.ended.Swap(true) {
		return
	}
	w.forget(s)
	s.word.end()
	s.wakeAll()
}

// wakeAll wakes all streams of the session. The caller holds the mutex.
func (s *session) wakeAll() {
	for l := range s.listeners {
		l.wake()
	}
}
