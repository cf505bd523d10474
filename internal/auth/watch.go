package auth

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/convoke-dev/convoke/ent/session"
	"github.com/convoke-dev/convoke/internal/access"
)

const (
	// watchEvery is how late a session that ended elsewhere is noticed.
	watchEvery = time.Second
	// lookWithin bounds one look at all sessions.
	lookWithin = 10 * time.Second
	// atOnce is how many sessions one statement names: fewer than SQLite has
	// parameters.
	atOnce = 1000
)

// Watch keeps the viewers of open streams as they are now, for all streams of a
// node together: one look serves everybody who waits for it, whatever their
// number.
type Watch struct {
	auth *Service
	log  *slog.Logger

	mu      sync.Mutex
	holders map[string]*holder // by session
	tickets uint64             // counts looks, in the order they began
	looks   map[string]*look   // the newest look by what asked for it: an account's log, or sessions that ended here
}

// look is a look at sessions that serves all who ask for it.
type look struct {
	at   uint64 // everything up to here is seen by it
	done chan struct{}
	err  error // written before done is closed
}

// holder is a session with open streams.
type holder struct {
	session string
	viewer  atomic.Pointer[access.Viewer]
	ended   atomic.Bool

	// The rest is guarded by the watch's mutex.
	seats     map[*Seat]struct{}
	listeners int
	taking    int    // streams whose look is under way
	ticket    uint64 // of the look the viewer is of
	told      bool   // those who listen have said that the session ended
}

// Seat is the place of one stream.
type Seat struct {
	*holder
	watch *Watch
	wake  func()

	// Guarded by the watch's mutex.
	listening bool
	caught    *access.Viewer // who listens has told all that he holds, or held
}

// NewWatch returns a watch over the service's sessions. Nothing that happens on
// another node is noticed before Run.
func NewWatch(s *Service) *Watch {
	return &Watch{auth: s, log: s.Log, holders: map[string]*holder{}, looks: map[string]*look{}}
}

// Run looks after the sessions until ctx ends.
func (w *Watch) Run(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := w.round(ctx); err != nil && ctx.Err() == nil {
				w.log.Error("watch sessions", "error", err)
			}
		}
	}
}

// round looks whether sessions have ended, and what those hold that want to hear
// of it.
func (w *Watch) round(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	listening := w.all(func(h *holder) bool { return h.listeners > 0 })
	if err := w.refresh(ctx, listening); err != nil {
		return err
	}
	return w.checkAlive(ctx, w.all(func(h *holder) bool { return h.listeners == 0 }))
}

func (w *Watch) all(which func(*holder) bool) (some []*holder) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, h := range w.holders {
		if which(h) {
			some = append(some, h)
		}
	}
	return some
}

// Take opens a stream of the session, whose viewer is as he is now: whatever was
// committed before is known. From then on wake is called when the viewer may have
// changed, when the session has ended, and when that has been said; it must not
// block. UNAUTHENTICATED when the session has ended. The caller leaves the seat.
func (w *Watch) Take(ctx context.Context, sessionID string, wake func()) (*Seat, error) {
	return w.take(ctx, sessionID, wake, false)
}

// Listen is Take for a stream that tells what changes in what its viewer holds. The
// watch then looks every second what the viewer holds, not only whether the session
// lives. From the first moment the session's other streams wait for this one before
// they end: see Caught and Heard.
func (w *Watch) Listen(ctx context.Context, sessionID string, wake func()) (*Seat, error) {
	return w.take(ctx, sessionID, wake, true)
}

func (w *Watch) take(ctx context.Context, sessionID string, wake func(), listening bool) (*Seat, error) {
	w.mu.Lock()
	h := w.holders[sessionID]
	if h == nil {
		h = &holder{session: sessionID, seats: map[*Seat]struct{}{}}
		w.holders[sessionID] = h
	}
	s := &Seat{holder: h, watch: w, wake: wake, listening: listening}
	if listening {
		h.listeners++
	}
	h.seats[s] = struct{}{}
	h.taking++
	w.mu.Unlock()
	err := w.refresh(ctx, []*holder{h})
	w.mu.Lock()
	h.taking--
	w.mu.Unlock()
	if s.HasEnded() {
		err = ErrEnded // whatever else went wrong
	}
	if err != nil {
		s.Leave()
		return nil, err
	}
	return s, nil
}

// Streams is how many streams are open.
func (w *Watch) Streams() (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, h := range w.holders {
		if h.ticket > 0 {
			n += len(h.seats)
		}
	}
	return n
}

// Leave closes a stream of the seat.
func (s *Seat) Leave() {
	s.Heard()
	s.watch.mu.Lock()
	defer s.watch.mu.Unlock()
	delete(s.seats, s)
	if len(s.seats) == 0 && s.watch.holders[s.session] == s.holder {
		delete(s.watch.holders, s.session)
	}
	if len(s.watch.holders) == 0 {
		clear(s.watch.looks)
	}
}

// Viewer is who sits there, as he is now.
func (s *Seat) Viewer() *access.Viewer { return s.viewer.Load() }

// HasEnded reports whether the session has ended, as far as is known.
func (s *Seat) HasEnded() bool { return s.ended.Load() }

// Ended is what the holder of a session that ended is told: UNAUTHENTICATED.
func (s *Seat) Ended() error { return ErrEnded }

// Caught says that the stream, which listens, has told all that had changed up to
// this viewer.
func (s *Seat) Caught(v *access.Viewer) {
	s.watch.mu.Lock()
	defer s.watch.mu.Unlock()
	if s.caught != v {
		s.caught = v
		s.wakeAll()
	}
}

// Heard says that the stream has told what there was to tell, and listens no
// more. It may be called more than once.
func (s *Seat) Heard() {
	s.watch.mu.Lock()
	defer s.watch.mu.Unlock()
	if !s.listening {
		return
	}
	s.listening = false
	if s.listeners--; s.listeners == 0 && s.HasEnded() {
		s.tell()
	}
}

// Told reports whether those who listen at the session have said what the viewer
// holds now, or that the session ended: the last word is theirs. For the end they
// are not waited for for long.
func (s *Seat) Told() bool {
	s.watch.mu.Lock()
	defer s.watch.mu.Unlock()
	if s.HasEnded() {
		return s.told
	}
	now := s.viewer.Load()
	for other := range s.seats {
		if other.listening && other.caught != now {
			return false
		}
	}
	return true
}

// After has every viewer in the account be as he is after the event with this
// number, which may have changed what somebody holds. Those whose first look is
// under way are looked at as well: it may have begun before the event.
func (w *Watch) After(ctx context.Context, accountID string, seq int64) error {
	return w.once(ctx, accountID, uint64(seq), func(ctx context.Context) error { //nolint:gosec // numbers of events are positive
		return w.refresh(ctx, w.all(func(h *holder) bool { return h.taking > 0 || h.viewer.Load().In(accountID) }))
	})
}

// Now notices sessions that this process has ended. It looks only if there were
// any since the last look.
func (w *Watch) Now(ctx context.Context) error {
	return w.once(ctx, "", w.auth.Store.Changes().Ended(), func(ctx context.Context) error {
		return w.checkAlive(ctx, w.all(func(*holder) bool { return true }))
	})
}

// once makes a look unless one that began since has seen as much, or waits for
// it.
func (w *Watch) once(ctx context.Context, key string, at uint64, see func(context.Context) error) error {
	w.mu.Lock()
	l := w.looks[key]
	if l != nil && l.at >= at {
		w.mu.Unlock()
		select {
		case <-l.done:
			return l.err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	l = &look{at: at, done: make(chan struct{})}
	w.looks[key] = l
	w.mu.Unlock()
	// It is everybody's look: it goes on when the one who began it leaves.
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookWithin)
	defer cancel()
	l.err = errLook // should it panic
	defer func() {
		close(l.done)
		if l.err != nil {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.looks[key] == l { // the next one looks again
				delete(w.looks, key)
			}
		}
	}()
	l.err = see(bounded)
	return l.err
}

var errLook = errors.New("auth: a look at sessions broke off")

// refresh loads the viewers of the sessions. Of two looks at once the one that
// began later has seen more, and counts.
func (w *Watch) refresh(ctx context.Context, some []*holder) error {
	ctx = access.System(ctx, "look what the viewers of open streams hold")
	for part := range slices.Chunk(some, atOnce) {
		ticket := w.ticket()
		found, err := w.auth.loadAll(ctx, session.IDIn(ids(part)...))
		if err != nil {
			return err
		}
		viewers := make(map[string]*access.Viewer, len(found))
		for _, l := range found {
			viewers[l.session.ID] = l.viewer
		}
		w.mu.Lock()
		for _, h := range part {
			switch v := viewers[h.session]; {
			case v == nil:
				w.end(h)
			case ticket <= h.ticket: // a later look was faster
			case h.viewer.Load() != nil && v.Same(h.viewer.Load()):
				h.ticket = ticket // and all streams share the viewer there is
			default:
				h.ticket = ticket
				h.viewer.Store(v)
				h.wakeAll()
			}
		}
		w.mu.Unlock()
	}
	return nil
}

func (w *Watch) ticket() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tickets++
	return w.tickets
}

// checkAlive ends the streams whose sessions have ended.
func (w *Watch) checkAlive(ctx context.Context, some []*holder) error {
	ended, err := w.auth.Ended(ctx, ids(some))
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, h := range some {
		if slices.Contains(ended, h.session) {
			w.end(h)
		}
	}
	return nil
}

func ids(some []*holder) []string {
	list := make([]string, len(some))
	for i, h := range some {
		list[i] = h.session
	}
	return list
}

// end says that the session has ended; the caller holds the lock. A session
// never comes back, so a new stream begins anew.
func (w *Watch) end(h *holder) {
	if h.ended.Swap(true) {
		return
	}
	if w.holders[h.session] == h {
		delete(w.holders, h.session)
	}
	if h.listeners == 0 {
		h.tell()
		return
	}
	h.wakeAll()
	time.AfterFunc(watchEvery, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		h.tell()
	})
}

// tell notes that the end of the session has been said; the caller holds the
// lock.
func (h *holder) tell() {
	if !h.told {
		h.told = true
		h.wakeAll()
	}
}

// wakeAll has all streams of the session go on; the caller holds the lock.
func (h *holder) wakeAll() {
	for s := range h.seats {
		s.wake()
	}
}
