package live

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/auth"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
)

// Source is what one subscription is fed from. One goroutine uses it at a time, and
// nothing runs for it while it has no items.
type Source interface {
	// Next returns the next item. It returns nil when there is none yet: the wake
	// function of the opener is then called when there may be one. An error is final.
	Next(ctx context.Context) (*Item, error)
	// Viewer returns the subscriber with the permissions they hold now, or the error
	// that keeps the item from them: UNAUTHENTICATED, FORBIDDEN.
	Viewer(ctx context.Context) (*access.Viewer, error)
	// MayEnd reports whether the subscription may end now. It is false while another
	// stream of the session has yet to say why: see lastWord. The wake function is
	// called when it may have become true, after a second at the latest.
	MayEnd() bool
	// Close releases everything. It is called once.
	Close()
}

// Item is one thing to tell a subscriber: an event of a log, or a change of the viewer's
// rights.
type Item struct {
	Viewer *access.Viewer // who is told, with the permissions they hold now
	Rights *RightsChange
	Event  *ent.Event
	// InvitationID is the invitation that an addressee is told of.
	InvitationID string
	// Own is true when subscribers with other permissions see something else of the item,
	// or nothing: its result is not shared.
	Own bool

	positions string // the cursor of an addressee
}

// Cursor returns where a subscription goes on after this item; empty for rights.
func (it *Item) Cursor() string {
	if it.Event == nil || it.positions != "" {
		return it.positions
	}
	return event.CursorOf(it.Event).String()
}

// Service opens the sources of one node. Its two watches are shared by all of them.
type Service struct {
	read      *ent.Client
	hub       *event.Hub
	sessions  *sessionWatch
	addresses *addressWatch
	now       func() time.Time
}

// New returns a service on the store, clock and logger of auth. It takes the hub's
// OnWake, so it is called before the hub runs. Changes of other nodes are not
// noticed before Run.
func New(a *auth.Service, hub *event.Hub) *Service {
	s := &Service{
		read: a.Store.Read(), hub: hub, now: a.Now,
		sessions: newSessionWatch(a), addresses: newAddressWatch(a.Store.Read(), a.Log),
	}
	hub.OnWake = s.addresses.wake
	return s
}

// Run runs the watches until ctx ends.
func (s *Service) Run(ctx context.Context) {
	var both sync.WaitGroup
	both.Go(func() { s.sessions.run(ctx) })
	both.Go(func() { s.addresses.run(ctx) })
	both.Wait()
}

// Streams returns how many sources are open.
func (s *Service) Streams() int { return s.sessions.streams() }

// every calls round at each tick and at each wake-up until ctx ends, with at least
// rest between two rounds. It logs what fails: the next round tries again.
func every(ctx context.Context, tick, rest time.Duration, wakeUps <-chan struct{}, log *slog.Logger, what string, round func(context.Context) error) {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-wakeUps:
		case <-ticker.C:
		}
		if err := round(ctx); err != nil && ctx.Err() == nil && !fault.Is(err, fault.Unavailable) { // which the store logs
			log.Error(what, "error", err)
		}
		if rest == 0 {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(rest):
		}
	}
}
