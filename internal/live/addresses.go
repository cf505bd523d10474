package live

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/convoke-dev/convoke/ent"
	entevent "github.com/convoke-dev/convoke/ent/event"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
)

const (
	// addressesEvery is how late an addressee sees what another node wrote.
	addressesEvery = time.Second
	// addressesRest lies between two rounds, however much is written.
	addressesRest = 50 * time.Millisecond
	// addressesPerRead is how many addresses one statement names.
	addressesPerRead = 1000
	// maxBehind is how many changes a follower may lag behind.
	maxBehind = 64
)

// errSlow ends the subscription of an addressee that lags too far behind. It has no
// cursor to come back with.
var errSlow = fault.Refuse(fault.Timeout, "The subscription could not keep up; subscribe again and read the list of received invitations anew.")

// addressWatch finds the changes of invitations to the addresses that somebody
// follows, in all accounts. One round serves all followers of the node.
type addressWatch struct {
	read    *ent.Client
	log     *slog.Logger
	wakeUps chan struct{}

	mu        sync.Mutex
	addresses map[string]*address // by key
}

// address is what the watch knows of the invitations to one address.
type address struct {
	newest    map[string]int64 // the number of the newest event, by invitation; nil until the first read
	followers map[*follower]struct{}
}

// follower is one subscriber to the invitations to an address.
type follower struct {
	watch *addressWatch
	key   string
	wake  func()

	// Guarded by the watch's mutex.
	changed []string // ids of invitations
	slow    bool     // it lagged too far behind
}

func newAddressWatch(read *ent.Client, log *slog.Logger) *addressWatch {
	return &addressWatch{read: read, log: log, wakeUps: make(chan struct{}, 1), addresses: map[string]*address{}}
}

// wake asks for a round now. It never blocks.
func (w *addressWatch) wake() {
	select {
	case w.wakeUps <- struct{}{}:
	default:
	}
}

// run finds changes until ctx ends.
func (w *addressWatch) run(ctx context.Context) {
	ctx = access.System(ctx, "find changed invitations for their addressees")
	every(ctx, addressesEvery, addressesRest, w.wakeUps, w.log, "find changed invitations for their addressees", w.round)
}

// follow registers a subscriber to the invitations to an address, from now on. wake
// is called when next may return an id after it returned none; it must not block, and
// it is called with the watch locked. The caller closes the follower.
func (w *addressWatch) follow(ctx context.Context, emailKey string, wake func()) (*follower, error) {
	f := &follower{watch: w, key: emailKey, wake: wake}
	w.mu.Lock()
	a := w.addresses[emailKey]
	if a == nil {
		a = &address{followers: map[*follower]struct{}{}}
		w.addresses[emailKey] = a
	}
	a.followers[f] = struct{}{}
	w.mu.Unlock()
	// What has happened so far is no change.
	found, err := w.newestEvents(access.System(ctx, "read what an addressee knows"), []string{emailKey})
	if err != nil {
		f.close()
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if a.newest == nil {
		a.newest = map[string]int64{}
		for _, e := range found {
			a.newest[e.ID] = e.Seq
		}
	}
	return f, nil
}

// next returns the id of an invitation that has changed, or "" when none has. It
// fails with errSlow for a follower that lags too far behind.
func (f *follower) next() (invitationID string, err error) {
	f.watch.mu.Lock()
	defer f.watch.mu.Unlock()
	switch {
	case f.slow:
		return "", errSlow
	case len(f.changed) == 0:
		return "", nil
	}
	id := f.changed[0]
	if f.changed = f.changed[1:]; len(f.changed) == 0 {
		f.changed = nil // an idle follower keeps nothing in memory
	}
	return id, nil
}

// close removes the follower.
func (f *follower) close() {
	f.watch.mu.Lock()
	defer f.watch.mu.Unlock()
	a := f.watch.addresses[f.key]
	if a == nil {
		return
	}
	delete(a.followers, f)
	if len(a.followers) == 0 {
		delete(f.watch.addresses, f.key)
	}
}

// newestEvent is the newest event of an invitation that its addressee sees.
type newestEvent struct {
	ID       string `json:"id"`
	EmailKey string `json:"email_key"`
	Seq      int64  `json:"seq"`
}

func (w *addressWatch) newestEvents(ctx context.Context, keys []string) (found []newestEvent, err error) {
	known := event.TypesFor(func(f event.Facts) bool { return f.Addressee })
	types := make([]any, len(known))
	for i, t := range known {
		types[i] = string(t)
	}
	q := w.read.Invitation.Query().Where(invitation.EmailKeyIn(keys...))
	err = q.Modify(func(s *sql.Selector) {
		e := sql.Table(entevent.Table)
		s.Join(e).On(s.C(invitation.FieldID), e.C(entevent.FieldSubjectID))
		s.Where(sql.In(e.C(entevent.FieldType), types...))
		s.Select(s.C(invitation.FieldID), s.C(invitation.FieldEmailKey), sql.As(sql.Max(e.C(entevent.FieldSeq)), entevent.FieldSeq)).
			GroupBy(s.C(invitation.FieldID), s.C(invitation.FieldEmailKey))
	}).Scan(ctx, &found)
	if err != nil {
		return nil, fmt.Errorf("find the newest events of invitations: %w", err)
	}
	return found, nil
}

// round finds what has changed, and hands it to the followers.
func (w *addressWatch) round(ctx context.Context) error {
	w.mu.Lock()
	keys := make([]string, 0, len(w.addresses))
	for key, a := range w.addresses {
		if a.newest != nil {
			keys = append(keys, key)
		}
	}
	w.mu.Unlock()
	for part := range slices.Chunk(keys, addressesPerRead) {
		found, err := w.newestEvents(ctx, part)
		if err != nil {
			return err
		}
		w.handOut(found)
	}
	return nil
}

// handOut gives each follower the invitations that have changed, and cuts off
// followers that lag too far behind.
func (w *addressWatch) handOut(found []newestEvent) {
	slices.SortFunc(found, func(a, b newestEvent) int { return int(a.Seq - b.Seq) })
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range found {
		a := w.addresses[e.EmailKey]
		if a == nil || a.newest == nil || a.newest[e.ID] >= e.Seq {
			continue
		}
		a.newest[e.ID] = e.Seq
		for f := range a.followers {
			if len(f.changed) == maxBehind {
				f.slow = true
				delete(a.followers, f)
			} else {
				f.changed = append(f.changed, e.ID)
			}
			f.wake()
		}
	}
}
