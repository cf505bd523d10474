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
	// queueLength is how many batches of a subscriber wait in memory.
	queueLength = 64
	// batchSize is how many events are read at a time.
	batchSize = 200
	// pollEvery is the longest delay after a lost wake-up, and of an event that
	// another process has written.
	pollEvery = 2 * time.Second
	// loadWithin limits the time of one read. The next poll tries again.
	loadWithin = 10 * time.Second
)

// ErrStopping ends every subscription when the server stops.
var ErrStopping = errors.New("event: the hub is stopping")

// Hub follows the logs of the accounts that have subscribers on this node. It reads each
// new event once, for all of them.
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

	again   chan struct{}       // requests a poll at once
	pending map[string]struct{} // accounts that were woken, guarded by mu
	news    chan struct{}       // holds one token when pending is not empty
}

// tail is the state of one account that has subscribers. seq is the number of the last
// event that was handed out. It is -1 until the first subscriber has read the end of
// the log; nothing is handed out before.
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

// Look requests a poll at once. It never blocks.
func (h *Hub) Look() {
	select {
	case h.again <- struct{}{}:
	default:
	}
}

// Wake makes the hub read the account's log, because it has grown. It never blocks.
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

// Run delivers events until ctx ends. Then it ends all subscriptions, like Stop.
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
		if err != nil && ctx.Err() == nil && !fault.Is(err, fault.Unavailable) { // which the store logs
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

// Stopping is closed when the hub stops. Streams without a subscription end by it.
func (h *Hub) Stopping() <-chan struct{} { return h.stopping }

// poll wakes the accounts whose log has grown beyond their tail.
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

// deliver reads the new events of the pending accounts and hands them out. When it
// fails, the next poll wakes the accounts again.
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
			return nil // later events come with a wake-up of their own
		}
	}
}

// position returns the account's tail. followed is false when the account has no
// subscribers, or when the first one has not read the end of the log yet.
func (h *Hub) position(accountID string) (seq int64, followed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.tails[accountID]
	if t == nil || t.seq < 0 {
		return 0, false
	}
	return t.seq, true
}

// handOut queues the batch for every subscriber. If
// the tail was dropped and created again while the batch was read, subscribers may get
// events twice or miss some. Next notices both by the numbers.
func (h *Hub) handOut(accountID string, batch []*ent.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.tails[accountID]
	if t == nil {
		return
	}
	t.seq = max(t.seq, batch[len(batch)-1].Seq)
	for s := range t.subscribers {
		s.put(batch)
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

// Head returns the number of the account's newest event. The client decides in which
// snapshot it is read.
func Head(ctx context.Context, client *ent.Client, accountID string) (int64, error) {
	a, err := client.Account.Query().Where(account.ID(accountID)).
		Select(account.FieldID, account.FieldEventSeq).
		Only(access.System(ctx, "read the end of the event log"))
	if err != nil {
		return 0, fmt.Errorf("read the event log's head of %s: %w", accountID, err)
	}
	return a.EventSeq, nil
}

// Subscribe follows the account's log after the cursor, or from now on when it is nil.
// After Next has returned nothing, wake is called when Next may return something else;
// it may be called more often than that. wake must neither block nor call the
// subscription. Subscribe fails with BAD_USER_INPUT for a cursor beyond the end of the
// log. The caller closes the subscription.
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
		// Wake-ups since head was read had no effect while seq was -1.
		h.wake(accountID)
	case t.seq > head:
		// Another subscriber has read a later end of the log and begun the tail there.
		// The events between are replayed.
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

// Subscription reads an account's log for one subscriber. Only Close is safe for
// concurrent use. A waiting subscription has no goroutine.
type Subscription struct {
	hub       *Hub
	accountID string
	last      int64 // the number of the last event returned
	head      int64 // events up to this number are read from the log, not from the queue
	wake      func()

	// Guarded by the hub's mutex.
	queue  [][]*ent.Event
	reason error // why it has ended, or nil
}

// Last returns the number of the last event returned, or of the event that the
// subscription begins after.
func (s *Subscription) Last() int64 { return s.last }

// Next returns the next events in order, each once. It returns none when there are none
// yet. It fails with ErrStopping, the context's error, or when the log cannot be read.
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
		// The log has no gaps. Events that are missing before this batch are replayed:
		// they were written before the tail began, or put has dropped them.
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

// take returns the oldest batch of the queue. When the queue is empty, it returns the
// reason why the subscription has ended, or nothing.
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

// put queues the batch. It drops a full queue first, whose events Next reads from the log.
// The caller holds the hub's mutex.
func (s *Subscription) put(batch []*ent.Event) {
	if len(s.queue) == queueLength {
		s.queue = nil
	}
	s.queue = append(s.queue, batch)
	if len(s.queue) == 1 {
		s.wake()
	}
}

// end ends the subscription; the first reason counts. Next still returns what is in the
// queue before the reason. The caller holds the hub's mutex.
func (s *Subscription) end(reason error) {
	if s.reason == nil {
		s.reason = reason
		s.wake()
	}
}
