package event

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/account"
	entevent "github.com/convoke-dev/convoke/ent/event"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/fault"
)

const (
	// queueLength is how many batches a subscriber may lag behind.
	queueLength = 64
	// batchSize is how many events are read at a time.
	batchSize = 200
	// pollEvery is the net under the wake-ups: how late an event written by
	// another process is seen at the most.
	pollEvery = 2 * time.Second
	// loadWithin bounds one round of reading: a database that hangs is asked again.
	loadWithin = 10 * time.Second
)

// ErrSlow ends a subscription whose reader lags too far behind. He comes back
// with his last cursor and misses nothing.
var ErrSlow = fault.Refuse(fault.Timeout, "The subscription could not keep up; subscribe again with the last cursor.")

// ErrStopping ends every subscription when the server stops.
var ErrStopping = errors.New("event: the hub is stopping")

// Hub follows the logs of the accounts somebody listens to. Each new event is
// loaded once on a node, however many subscribers it has.
type Hub struct {
	read *ent.Client
	log  *slog.Logger

	// OnWake, when set, is called at every wake-up, of accounts without subscribers
	// too. It is set before Run, and must not block.
	OnWake func()

	stopping chan struct{} // closed by Stop

	mu      sync.Mutex
	tails   map[string]*tail // by account; only those with subscribers
	stopped bool

	again   chan struct{}       // asks for a poll at once
	pending map[string]struct{} // accounts with news, guarded by mu
	news    chan struct{}       // holds one token when pending is not empty
}

// tail is where a node stands in one account's log. seq is -1 until the first
// subscriber has read where the log stood.
type tail struct {
	seq         int64
	subscribers map[*Subscription]struct{}
}

// NewHub returns a hub that reads with the client. Nothing is delivered
// before Run.
func NewHub(read *ent.Client, log *slog.Logger) *Hub {
	return &Hub{
		read: read, log: log,
		stopping: make(chan struct{}),
		tails:    map[string]*tail{}, pending: map[string]struct{}{}, news: make(chan struct{}, 1),
		again: make(chan struct{}, 1),
	}
}

// Look has the hub look at all logs it follows now. It never blocks.
func (h *Hub) Look() {
	select {
	case h.again <- struct{}{}:
	default:
	}
}

// Wake says that the account's log has grown. It never blocks.
func (h *Hub) Wake(accountID string) {
	if h.OnWake != nil {
		h.OnWake()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wake(accountID)
}

func (h *Hub) wake(accountID string) {
	if _, followed := h.tails[accountID]; !followed {
		return
	}
	h.pending[accountID] = struct{}{}
	select {
	case h.news <- struct{}{}:
	default:
	}
}

// Run delivers events until ctx ends; then it ends all subscriptions.
func (h *Hub) Run(ctx context.Context) {
	ctx = access.System(ctx, "follow the event logs")
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	defer h.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-h.news:
			err = h.deliver(ctx)
		case <-h.again:
			err = h.poll(ctx)
		case <-poll.C:
			err = h.poll(ctx)
		}
		if err != nil && ctx.Err() == nil {
			h.log.Error("event delivery", "error", err)
		}
	}
}

// Stop ends every subscription and refuses new ones. It may be called more
// than once.
func (h *Hub) Stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.stopped {
		h.stopped = true
		close(h.stopping)
	}
	for _, t := range h.tails {
		for s := range t.subscribers {
			s.queue = nil
			s.end(ErrStopping)
		}
	}
	clear(h.tails)
}

// Stopping is closed when the hub stops, for streams of other things.
func (h *Hub) Stopping() <-chan struct{} { return h.stopping }

// poll wakes the accounts whose log has grown without a wake-up.
func (h *Hub) poll(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, loadWithin)
	defer cancel()
	h.mu.Lock()
	known := make(map[string]int64, len(h.tails))
	for id, t := range h.tails {
		known[id] = t.seq
	}
	h.mu.Unlock()
	if len(known) == 0 {
		return nil
	}
	ids := make([]string, 0, len(known))
	for id := range known {
		ids = append(ids, id)
	}
	accounts, err := h.read.Account.Query().Where(account.IDIn(ids...)).
		Select(account.FieldID, account.FieldEventSeq).All(ctx)
	if err != nil {
		return fmt.Errorf("poll the event logs: %w", err)
	}
	for _, a := range accounts {
		if a.EventSeq > known[a.ID] {
			h.Wake(a.ID)
		}
	}
	return nil
}

// deliver loads what is new in the pending accounts and hands it out. The
// poll tries again what fails.
func (h *Hub) deliver(ctx context.Context) error {
	h.mu.Lock()
	ids := make([]string, 0, len(h.pending))
	for id := range h.pending {
		ids = append(ids, id)
	}
	clear(h.pending)
	h.mu.Unlock()
	for _, id := range ids {
		if err := h.advance(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// advance moves one account's tail to the end of its log.
func (h *Hub) advance(ctx context.Context, accountID string) error {
	for {
		seq, followed := h.position(accountID)
		if !followed {
			return nil
		}
		bounded, cancel := context.WithTimeout(ctx, loadWithin)
		batch, err := h.load(bounded, accountID, seq)
		cancel()
		if err != nil {
			return err
		}
		if len(batch) > 0 {
			h.handOut(accountID, batch)
		}
		if len(batch) < batchSize {
			return nil // what is written from now on wakes the hub anew
		}
	}
}

// position returns where the account's tail stands; followed is false when
// nobody listens, or the first who does has yet to look where the log stands.
func (h *Hub) position(accountID string) (seq int64, followed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.tails[accountID]
	if t == nil || t.seq < 0 {
		return 0, false
	}
	return t.seq, true
}

// handOut gives the batch to everybody who listens, and cuts off who lags. A
// tail that began anew meanwhile may get events twice or find some missing:
// subscribers tell by the numbers.
func (h *Hub) handOut(accountID string, batch []*ent.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.tails[accountID]
	if t == nil {
		return
	}
	t.seq = max(t.seq, batch[len(batch)-1].Seq)
	for s := range t.subscribers {
		if !s.put(batch) {
			s.end(ErrSlow)
			delete(t.subscribers, s)
		}
	}
}

func (h *Hub) load(ctx context.Context, accountID string, after int64) ([]*ent.Event, error) {
	batch, err := h.read.Event.Query().
		Where(entevent.AccountID(accountID), entevent.SeqGT(after)).
		Order(entevent.BySeq()).Limit(batchSize).
		All(access.System(ctx, "read the event log for subscribers"))
	if err != nil {
		return nil, fmt.Errorf("read events of %s after %d: %w", accountID, after, err)
	}
	return batch, nil
}

// Head returns the number of the account's newest event, as the client sees it.
func Head(ctx context.Context, client *ent.Client, accountID string) (int64, error) {
	a, err := client.Account.Query().Where(account.ID(accountID)).
		Select(account.FieldID, account.FieldEventSeq).
		Only(access.System(ctx, "read where the event log stands"))
	if err != nil {
		return 0, fmt.Errorf("read the event log's head of %s: %w", accountID, err)
	}
	return a.EventSeq, nil
}

// Subscribe follows the account's log after the cursor, or from now on when
// it is nil. wake is called, perhaps more than once, when Next may return
// something else after it returned nothing; it must not block, nor call the
// subscription. BAD_USER_INPUT for a cursor beyond the end. The caller closes
// the subscription.
func (h *Hub) Subscribe(ctx context.Context, accountID string, after *Cursor, wake func()) (*Subscription, error) {
	s := &Subscription{hub: h, accountID: accountID, wake: wake}
	if err := h.join(s); err != nil {
		return nil, err
	}
	head, err := Head(ctx, h.read, accountID)
	if err == nil && after != nil && after.Seq > head {
		err = fault.Refuse(fault.BadUserInput, "The cursor is beyond the end of the event log.")
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	s.last, s.head = head, head
	if after != nil {
		s.last = after.Seq
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	switch t := h.tails[accountID]; {
	case t == nil:
	case t.seq < 0:
		t.seq = head
		// What was committed since head was read may have found nobody to wake.
		h.wake(accountID)
	case t.seq > head:
		// Another subscriber has begun the tail further on: what lies between is
		// read from the log.
		s.head = t.seq
	}
	return s, nil
}

func (h *Hub) join(s *Subscription) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped {
		return ErrStopping
	}
	t := h.tails[s.accountID]
	if t == nil {
		t = &tail{seq: -1, subscribers: map[*Subscription]struct{}{}}
		h.tails[s.accountID] = t
	}
	t.subscribers[s] = struct{}{}
	return nil
}

// Subscription is one reader of an account's log. It is not safe for
// concurrent use, but for Close. Nothing runs for it while it waits.
type Subscription struct {
	hub       *Hub
	accountID string
	last      int64 // the number of the last event returned
	head      int64 // where the log stood at the start; up to here it is replayed
	wake      func()

	// Guarded by the hub's mutex.
	queue  [][]*ent.Event
	reason error // why it ended
}

// Next returns the next events in order, each once, or none when there are none
// yet. It fails with ErrSlow, ErrStopping, or the context's error.
func (s *Subscription) Next(ctx context.Context) ([]*ent.Event, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if s.last < s.head {
			return s.replay(ctx)
		}
		batch, err := s.take()
		if err != nil || batch == nil {
			return nil, err
		}
		// Numbers have no gaps: one that is missing here was written before
		// the tail began, and is read from the log.
		if batch[0].Seq > s.last+1 {
			s.head = batch[len(batch)-1].Seq
			continue
		}
		if fresh := after(batch, s.last); len(fresh) > 0 {
			s.last = fresh[len(fresh)-1].Seq
			return fresh, nil
		}
	}
}

// take returns the batch that waits longest, or else why there will be no more.
func (s *Subscription) take() ([]*ent.Event, error) {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	if len(s.queue) == 0 {
		return nil, s.reason
	}
	batch := s.queue[0]
	if s.queue = s.queue[1:]; len(s.queue) == 0 {
		s.queue = nil // an idle subscription keeps nothing
	}
	return batch, nil
}

func (s *Subscription) replay(ctx context.Context) ([]*ent.Event, error) {
	batch, err := s.hub.load(ctx, s.accountID, s.last)
	if err != nil {
		return nil, err
	}
	if len(batch) == 0 {
		return nil, fmt.Errorf("event log of %s ends before %d", s.accountID, s.head)
	}
	s.last = batch[len(batch)-1].Seq
	return batch, nil
}

func after(batch []*ent.Event, seq int64) []*ent.Event {
	for i, e := range batch {
		if e.Seq > seq {
			return batch[i:]
		}
	}
	return nil
}

// Close ends the subscription. It may be called more than once.
func (s *Subscription) Close() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	if t := s.hub.tails[s.accountID]; t != nil {
		delete(t.subscribers, s)
		if len(t.subscribers) == 0 {
			delete(s.hub.tails, s.accountID)
		}
	}
	s.queue = nil
	s.end(context.Canceled)
}

// put has the subscriber read the batch, unless he lags too far behind; the
// caller holds the hub's mutex.
func (s *Subscription) put(batch []*ent.Event) (ok bool) {
	if len(s.queue) == queueLength {
		return false
	}
	s.queue = append(s.queue, batch)
	if len(s.queue) == 1 {
		s.wake()
	}
	return true
}

// end ends the subscription, after what waits in its queue; the caller holds
// the hub's mutex.
func (s *Subscription) end(reason error) {
	if s.reason == nil {
		s.reason = reason
		s.wake()
	}
}
