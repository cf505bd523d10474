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
	seats   map[string]*Seat // by session
	tickets uint64           // counts looks, in the order they began
	looks   map[string]*look // the newest look by what asked for it: an account's log, or sessions that ended here
}

// look is a look at sessions that serves all who ask for it.
type look struct {
	at   uint64 // everything up to here is seen by it
	done chan struct{}
	err  error // written before done is closed
}

// Seat is a session with open streams.
type Seat struct {
	watch   *Watch
	session string
	viewer  atomic.Pointer[access.Viewer]
	gone    chan struct{} // closed when the session has ended

	// The rest is guarded by the watch's mutex.
	streams, listeners int
	taking             int           // streams whose look is under way
	ticket             uint64        // of the look the viewer is of
	moved              chan struct{} // closed, and made anew, when the viewer may have changed
	told               chan struct{} // closed when a listener has said that the session ended
	tell               sync.Once     // closes told
}

// NewWatch returns a watch over the service's sessions. Nothing that happens on
// another node is noticed before Run.
func NewWatch(s *Service) *Watch {
	return &Watch{auth: s, log: s.Log, seats: map[string]*Seat{}, looks: map[string]*look{}}
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
	listening := w.all(func(s *Seat) bool { return s.listeners > 0 })
	if err := w.refresh(ctx, listening); err != nil {
		return err
	}
	return w.checkAlive(ctx, w.all(func(s *Seat) bool { return s.listeners == 0 }))
}

func (w *Watch) all(which func(*Seat) bool) (seats []*Seat) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.seats {
		if which(s) {
			seats = append(seats, s)
		}
	}
	return seats
}

// Take opens a stream of the session, whose viewer is as he is now: whatever was
// committed before is known. UNAUTHENTICATED when the session has ended. The
// caller leaves the seat.
func (w *Watch) Take(ctx context.Context, sessionID string) (*Seat, error) {
	w.mu.Lock()
	s := w.seats[sessionID]
	if s == nil {
		s = &Seat{watch: w, session: sessionID, gone: make(chan struct{}), moved: make(chan struct{}), told: make(chan struct{})}
		w.seats[sessionID] = s
	}
	s.streams++
	s.taking++
	w.mu.Unlock()
	err := w.refresh(ctx, []*Seat{s})
	w.mu.Lock()
	s.taking--
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
	for _, s := range w.seats {
		if s.ticket > 0 {
			n += s.streams
		}
	}
	return n
}

// Leave closes a stream of the seat.
func (s *Seat) Leave() {
	s.watch.mu.Lock()
	defer s.watch.mu.Unlock()
	s.streams--
	if s.streams == 0 && s.watch.seats[s.session] == s {
		delete(s.watch.seats, s.session)
	}
	if len(s.watch.seats) == 0 {
		clear(s.watch.looks)
	}
}

// Viewer is who sits there, as he is now.
func (s *Seat) Viewer() *access.Viewer { return s.viewer.Load() }

// Gone is closed when the session has ended.
func (s *Seat) Gone() <-chan struct{} { return s.gone }

// HasEnded reports whether the session has ended, as far as is known.
func (s *Seat) HasEnded() bool {
	select {
	case <-s.gone:
		return true
	default:
		return false
	}
}

// Ended is what the holder of a session that ended is told: UNAUTHENTICATED.
func (s *Seat) Ended() error { return ErrEnded }

// Listen has the watch look after what the viewer holds, not only whether the
// session is; it is looked every second. The caller calls the returned function
// when he listens no more, having told what there was to tell.
func (s *Seat) Listen() (done func()) {
	s.watch.mu.Lock()
	defer s.watch.mu.Unlock()
	s.listeners++
	return sync.OnceFunc(func() {
		s.watch.mu.Lock()
		defer s.watch.mu.Unlock()
		s.listeners--
		if s.HasEnded() && s.listeners == 0 {
			s.tell.Do(func() { close(s.told) })
		}
	})
}

// Moved is closed when the viewer may have changed after this call.
func (s *Seat) Moved() <-chan struct{} {
	s.watch.mu.Lock()
	defer s.watch.mu.Unlock()
	return s.moved
}

// Told waits, not for long, until whoever listens at the seat has said that the
// session ended: the last word is his.
func (s *Seat) Told(ctx context.Context) {
	s.watch.mu.Lock()
	listening := s.listeners > 0
	s.watch.mu.Unlock()
	if !listening {
		return
	}
	late := time.NewTimer(watchEvery)
	defer late.Stop()
	select {
	case <-s.told:
	case <-late.C:
	case <-ctx.Done():
	}
}

// After has every viewer in the account be as he is after the event with this
// number, which may have changed what somebody holds. Those whose first look is
// under way are looked at as well: it may have begun before the event.
func (w *Watch) After(ctx context.Context, accountID string, seq int64) error {
	return w.once(ctx, accountID, uint64(seq), func(ctx context.Context) error { //nolint:gosec // numbers of events are positive
		return w.refresh(ctx, w.all(func(s *Seat) bool { return s.taking > 0 || s.viewer.Load().In(accountID) }))
	})
}

// Now notices sessions that this process has ended. It looks only if there were
// any since the last look.
func (w *Watch) Now(ctx context.Context) error {
	return w.once(ctx, "", w.auth.Store.Changes().Ended(), func(ctx context.Context) error {
		return w.checkAlive(ctx, w.all(func(*Seat) bool { return true }))
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

// refresh loads the viewers of the seats. Of two looks at once the one that
// began later has seen more, and counts.
func (w *Watch) refresh(ctx context.Context, seats []*Seat) error {
	ctx = access.System(ctx, "look what the viewers of open streams hold")
	for part := range slices.Chunk(seats, atOnce) {
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
		for _, s := range part {
			switch v := viewers[s.session]; {
			case v == nil:
				w.end(s)
			case ticket <= s.ticket: // a later look was faster
			case s.viewer.Load() != nil && v.Same(s.viewer.Load()):
				s.ticket = ticket // and all streams share the viewer there is
			default:
				s.ticket = ticket
				s.viewer.Store(v)
				close(s.moved)
				s.moved = make(chan struct{})
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

// checkAlive ends the seats whose sessions have ended.
func (w *Watch) checkAlive(ctx context.Context, seats []*Seat) error {
	ended, err := w.auth.Ended(ctx, ids(seats))
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range seats {
		if slices.Contains(ended, s.session) {
			w.end(s)
		}
	}
	return nil
}

func ids(seats []*Seat) []string {
	list := make([]string, len(seats))
	for i, s := range seats {
		list[i] = s.session
	}
	return list
}

// end says that the session has ended; the caller holds the lock. A session
// never comes back, so a new stream gets a seat of its own.
func (w *Watch) end(s *Seat) {
	if s.HasEnded() {
		return
	}
	close(s.gone)
	if w.seats[s.session] == s {
		delete(w.seats, s.session)
	}
}
