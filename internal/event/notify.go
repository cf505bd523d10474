package event

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// channel is what the nodes of one PostgreSQL database listen on.
	channel = "convoke_events"
	// notifyRest lies between two notifications of a node: what is written
	// meanwhile goes out with the next one.
	notifyRest = 10 * time.Millisecond
	// The waits before a lost connection is opened anew double from the first to
	// the last. The hub's poll is the net meanwhile.
	firstReconnect = 100 * time.Millisecond
	lastReconnect  = 5 * time.Second
)

// Notifier wakes the hubs of the other nodes on a PostgreSQL database, and its own
// hub for them. What it carries is only that an account's log has grown: the log
// is the truth, and a wake-up that is lost costs a poll's delay.
//
// It has two connections of its own: a NOTIFY inside the transactions would make
// their commits wait for one another.
type Notifier struct {
	address string
	node    string // tells one's own notifications
	hub     *Hub
	log     *slog.Logger

	mu      sync.Mutex
	pending map[string]struct{} // accounts
	news    chan struct{}
}

// NewNotifier returns a notifier of the database at the address, for the node of
// that name, which has no space in it.
func NewNotifier(address, node string, hub *Hub, log *slog.Logger) *Notifier {
	return &Notifier{
		address: address, node: node, hub: hub, log: log,
		pending: map[string]struct{}{}, news: make(chan struct{}, 1),
	}
}

// Publish tells the other nodes that the account's log has grown, soon. It never
// blocks.
func (n *Notifier) Publish(accountID string) {
	n.mu.Lock()
	n.pending[accountID] = struct{}{}
	n.mu.Unlock()
	select {
	case n.news <- struct{}{}:
	default:
	}
}

// Run sends and listens until ctx ends.
func (n *Notifier) Run(ctx context.Context) {
	var both sync.WaitGroup
	both.Go(func() { n.keep(ctx, "send notifications", n.send) })
	both.Go(func() { n.keep(ctx, "listen for notifications", n.listen) })
	both.Wait()
}

// keep does the work on a connection, and on a new one when that is lost, until
// ctx ends.
func (n *Notifier) keep(ctx context.Context, what string, work func(context.Context, *pgx.Conn) error) {
	wait := firstReconnect
	for ctx.Err() == nil {
		err := n.connected(ctx, func(ctx context.Context, conn *pgx.Conn) error {
			wait = firstReconnect
			return work(ctx, conn)
		})
		if ctx.Err() != nil {
			return
		}
		n.log.Warn(what, "error", err, "again_in", wait.String())
		select {
		case <-ctx.Done():
		case <-time.After(wait + rand.N(wait)/4): //nolint:gosec // jitter is no secret
		}
		wait = min(2*wait, lastReconnect)
	}
}

func (n *Notifier) connected(ctx context.Context, work func(context.Context, *pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, n.address)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // it may be lost already
	return work(ctx, conn)
}

// send sends what is pending, all of it with one statement.
func (n *Notifier) send(ctx context.Context, conn *pgx.Conn) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-n.news:
		}
		n.mu.Lock()
		payloads := make([]string, 0, len(n.pending))
		for id := range n.pending {
			payloads = append(payloads, n.node+" "+id)
		}
		clear(n.pending)
		n.mu.Unlock()
		if _, err := conn.Exec(ctx, "SELECT pg_notify($1, p) FROM unnest($2::text[]) p", channel, payloads); err != nil {
			return fmt.Errorf("notify: %w", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(notifyRest):
		}
	}
}

// listen wakes the hub for what other nodes have written. What was missed before
// it listened is looked for at once.
func (n *Notifier) listen(ctx context.Context, conn *pgx.Conn) error {
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	n.hub.Look()
	for {
		heard, err := conn.WaitForNotification(ctx)
		if err != nil {
			return fmt.Errorf("wait: %w", err)
		}
		if node, accountID, ok := strings.Cut(heard.Payload, " "); ok && node != n.node {
			n.hub.Wake(accountID)
		}
	}
}
