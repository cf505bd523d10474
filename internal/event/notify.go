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
	// channel is the PostgreSQL channel that the nodes of one database listen to.
	channel = "convoke_events"
	// notifyRest is the shortest time between two notifications of a node. Accounts
	// that were written to in between go into the next one together.
	notifyRest = 10 * time.Millisecond
	// The wait before a lost connection is opened again doubles from the first to
	// the last. Meanwhile the hub's poll finds new events.
	firstReconnect = 100 * time.Millisecond
	lastReconnect  = 5 * time.Second
	// sayEvery is the shortest time between two lines of the log about a lost connection.
	sayEvery = time.Minute
)

// Notifier wakes the hubs of the other nodes on a PostgreSQL database, and wakes its own
// hub when another node has written. A notification carries only the id of the account
// whose log has grown. A lost one costs a delay, because the hub polls the log too.
//
// The notifier has two connections of its own, because a NOTIFY inside of transactions
// would serialize their commits.
type Notifier struct {
	address string
	node    string // to ignore the node's own notifications
	hub     *Hub
	log     *slog.Logger

	mu      sync.Mutex
	pending map[string]struct{} // accounts
	news    chan struct{}
}

// NewNotifier returns a notifier for the database at the address. The node's name must
// be unique and contain no space.
func NewNotifier(address, node string, hub *Hub, log *slog.Logger) *Notifier {
	return &Notifier{
		address: address, node: node, hub: hub, log: log,
		pending: map[string]struct{}{}, news: make(chan struct{}, 1),
	}
}

// Publish queues a notification that the account's log has grown. It never blocks.
func (n *Notifier) Publish(accountID string) {
	n.mu.Lock()
	n.pending[accountID] = struct{}{}
	n.mu.Unlock()
	select {
	case n.news <- struct{}{}:
	default:
	}
}

// Run sends and receives notifications until ctx ends.
func (n *Notifier) Run(ctx context.Context) {
	var both sync.WaitGroup
	both.Go(func() { n.keep(ctx, "send notifications", n.send) })
	both.Go(func() { n.keep(ctx, "listen for notifications", n.listen) })
	both.Wait()
}

// keep calls work with a connection, and again with a new one when the connection is
// lost, until ctx ends.
func (n *Notifier) keep(ctx context.Context, what string, work func(context.Context, *pgx.Conn) error) {
	wait, failures := firstReconnect, 0
	var quiet <-chan time.Time // receives when the log may have another line
	for ctx.Err() == nil {
		err := n.connected(ctx, func(ctx context.Context, conn *pgx.Conn) error {
			wait = firstReconnect
			return work(ctx, conn)
		})
		if ctx.Err() != nil {
			return
		}
		failures++
		select {
		case <-quiet:
			quiet = nil
		default:
		}
		if quiet == nil {
			n.log.Warn(what, "error", err, "again_in", wait.String(), "failures", failures)
			quiet, failures = time.After(sayEvery), 0
		}
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

// send notifies the other nodes of all pending accounts with one statement, again and
// again until ctx ends or the connection is lost.
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

// listen wakes the hub for the notifications of other nodes, until ctx ends or the
// connection is lost. It polls first, because notifications before LISTEN were lost.
func (n *Notifier) listen(ctx context.Context, conn *pgx.Conn) error {
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	n.hub.Look()
	for {
		notification, err := conn.WaitForNotification(ctx)
		if err != nil {
			return fmt.Errorf("wait: %w", err)
		}
		if node, accountID, ok := strings.Cut(notification.Payload, " "); ok && node != n.node {
			n.hub.Wake(accountID)
		}
	}
}
