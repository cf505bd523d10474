package invite

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
)

const (
	// inboxEvery is how late an addressee sees what another node wrote.
	inboxEvery = time.Second
	// inboxRest lies between two looks, however much is written.
	inboxRest = 50 * time.Millisecond
	// inboxes is how many addresses one statement names.
	inboxes = 1000
	// inboxLength is how many changes an addressee may lag behind.
	inboxLength = 64
)

// forAddressees are the events that an addressee hears of: whether a mail went
// out is not his concern.
var forAddressees = []string{
	string(event.InvitationCreated), string(event.InvitationUpdated), string(event.InvitationResent), string(event.InvitationAccepted),
	string(event.InvitationDeclined), string(event.InvitationRevoked), string(event.InvitationExpired),
}

// Inbox tells addressees what becomes of the invitations to their addresses,
// in whatever account: one look for all of them on a node.
type Inbox struct {
	read *ent.Client
	log  *slog.Logger
	news chan struct{}

	mu    sync.Mutex
	boxes map[string]*box // by address
}

// box is what is known of the invitations to one address.
type box struct {
	seen      map[string]int64 // the newest event by invitation
	listeners map[*Listener]struct{}
}

// Listener is one addressee who listens. Nothing runs for him while he waits.
type Listener struct {
	inbox *Inbox
	key   string
	wake  func()

	// Guarded by the inbox's mutex.
	ids  []string
	slow bool
}

// NewInbox returns an inbox that reads with the client. Nothing is told before
// Run.
func NewInbox(read *ent.Client, log *slog.Logger) *Inbox {
	return &Inbox{read: read, log: log, news: make(chan struct{}, 1), boxes: map[string]*box{}}
}

// Wake has it look now. It never blocks.
func (n *Inbox) Wake() {
	select {
	case n.news <- struct{}{}:
	default:
	}
}

// Run tells what is new until ctx ends.
func (n *Inbox) Run(ctx context.Context) {
	ctx = access.System(ctx, "look for news of addressees")
	tick := time.NewTicker(inboxEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.news:
		case <-tick.C:
		}
		if err := n.look(ctx); err != nil && ctx.Err() == nil {
			n.log.Error("look for news of addressees", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(inboxRest):
		}
	}
}

// Listen hears of invitations to the address from now on. wake is called when
// Next may return something else after it returned nothing; it must not block, nor
// call the listener. The caller closes the listener.
func (n *Inbox) Listen(ctx context.Context, emailKey string, wake func()) (*Listener, error) {
	l := &Listener{inbox: n, key: emailKey, wake: wake}
	n.mu.Lock()
	b := n.boxes[emailKey]
	if b == nil {
		b = &box{listeners: map[*Listener]struct{}{}}
		n.boxes[emailKey] = b
	}
	b.listeners[l] = struct{}{}
	n.mu.Unlock()
	// What there is already is no news.
	found, err := n.newest(access.System(ctx, "see what an addressee knows"), []string{emailKey})
	if err != nil {
		l.Close()
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if b.seen == nil {
		b.seen = map[string]int64{}
		for _, f := range found {
			b.seen[f.ID] = f.Seq
		}
	}
	return l, nil
}

// Next returns the id of an invitation something has become of, or an empty one
// when nothing more has. event.ErrSlow for who lags too far behind.
func (l *Listener) Next() (invitationID string, err error) {
	l.inbox.mu.Lock()
	defer l.inbox.mu.Unlock()
	switch {
	case l.slow:
		return "", event.ErrSlow
	case len(l.ids) == 0:
		return "", nil
	}
	id := l.ids[0]
	if l.ids = l.ids[1:]; len(l.ids) == 0 {
		l.ids = nil // who waits keeps nothing
	}
	return id, nil
}

// Close ends the listening.
func (l *Listener) Close() {
	l.inbox.mu.Lock()
	defer l.inbox.mu.Unlock()
	b := l.inbox.boxes[l.key]
	if b == nil {
		return
	}
	delete(b.listeners, l)
	if len(b.listeners) == 0 {
		delete(l.inbox.boxes, l.key)
	}
}

// newestEvent is the newest event of an invitation.
type newestEvent struct {
	ID       string `json:"id"`
	EmailKey string `json:"email_key"`
	Seq      int64  `json:"seq"`
}

func (n *Inbox) newest(ctx context.Context, keys []string) (found []newestEvent, err error) {
	q := n.read.Invitation.Query().Where(invitation.EmailKeyIn(keys...))
	err = q.Modify(func(s *sql.Selector) {
		e := sql.Table(entevent.Table)
		s.Join(e).On(s.C(invitation.FieldID), e.C(entevent.FieldSubjectID))
		s.Where(sql.In(e.C(entevent.FieldType), anys(forAddressees)...))
		s.Select(s.C(invitation.FieldID), s.C(invitation.FieldEmailKey), sql.As(sql.Max(e.C(entevent.FieldSeq)), entevent.FieldSeq)).
			GroupBy(s.C(invitation.FieldID), s.C(invitation.FieldEmailKey))
	}).Scan(ctx, &found)
	if err != nil {
		return nil, fmt.Errorf("find the newest events of invitations: %w", err)
	}
	return found, nil
}

func anys(list []string) []any {
	all := make([]any, len(list))
	for i, s := range list {
		all[i] = s
	}
	return all
}

// look tells everybody who listens what is new.
func (n *Inbox) look(ctx context.Context) error {
	n.mu.Lock()
	keys := make([]string, 0, len(n.boxes))
	for key, b := range n.boxes {
		if b.seen != nil {
			keys = append(keys, key)
		}
	}
	n.mu.Unlock()
	for part := range slices.Chunk(keys, inboxes) {
		found, err := n.newest(ctx, part)
		if err != nil {
			return err
		}
		n.tell(found)
	}
	return nil
}

func (n *Inbox) tell(found []newestEvent) {
	slices.SortFunc(found, func(a, b newestEvent) int { return int(a.Seq - b.Seq) })
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, f := range found {
		b := n.boxes[f.EmailKey]
		if b == nil || b.seen == nil || b.seen[f.ID] >= f.Seq {
			continue
		}
		b.seen[f.ID] = f.Seq
		for l := range b.listeners {
			if len(l.ids) == inboxLength {
				l.slow = true
				delete(b.listeners, l)
			} else {
				l.ids = append(l.ids, f.ID)
			}
			l.wake()
		}
	}
}
