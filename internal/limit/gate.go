package limit

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/convoke-dev/convoke/internal/fault"
)

// Shares is how much may be done at once: in all, and of it by one user, for one account,
// and from one client address. A share of zero is no limit of its own.
type Shares struct {
	All, User, Account, Address int
}

// Wait is how long something may wait before a gate, and how much may wait: in one queue, and
// in all. A party with nothing in its queue is refused only when twice as much as All waits.
// Zero is no limit.
type Wait struct {
	Within     time.Duration
	Queue, All int
}

// Gate lets a limited amount of work run at once. Beyond that, the work waits in queues, one
// for each user, and one for each client address of visitors who are not signed in. The
// queues take turns. So somebody who asks for a lot waits for themselves, and delays others
// by little. Within a queue the order is kept. Nothing is overtaken for ever: a ticket that
// waits for nothing but room holds up all later ones.
type Gate struct {
	shares Shares
	wait   Wait
	what   string
	// after is time.NewTimer; tests replace it.
	after func(time.Duration) (expired <-chan time.Time, stop func() bool)

	mu      sync.Mutex
	free    int
	held    map[key]int
	queues  map[key]*queue
	turns   []*queue // those in which somebody waits, the next one first
	waiting int
}

// queue has the tickets of one user or address that wait, the oldest first.
type queue struct {
	key     key
	tickets []*Ticket
}

// Ticket is a place in a gate, or in a queue before it. Its holder calls Leave in the end.
type Ticket struct {
	gate   *Gate
	party  *Party
	weight int
	wake   func() // called when the ticket gets in

	state state // guarded by gate.mu
}

type state int

const (
	waits state = iota
	inside
	over
)

// NewGate returns a gate. what completes the sentence of a refusal, such as "operations".
func NewGate(s Shares, w Wait, what string) *Gate {
	return &Gate{
		shares: s, wait: w, what: what, free: s.All, held: map[key]int{}, queues: map[key]*queue{},
		after: func(d time.Duration) (<-chan time.Time, func() bool) {
			t := time.NewTimer(d)
			return t.C, t.Stop
		},
	}
}

// Enter waits until the party may do something of the weight. It fails when the queue is too
// long or the wait is: with RATE_LIMITED when the party's own share or queue is used up, and
// with UNAVAILABLE otherwise. It fails with the context's error when the context ends.
func (g *Gate) Enter(ctx context.Context, p *Party, weight int) (*Ticket, error) {
	return g.enter(ctx, p, weight, g.wait.Within)
}

// EnterPatiently is Enter without a limit of the time.
func (g *Gate) EnterPatiently(ctx context.Context, p *Party, weight int) (*Ticket, error) {
	return g.enter(ctx, p, weight, 0)
}

func (g *Gate) enter(ctx context.Context, p *Party, weight int, within time.Duration) (*Ticket, error) {
	t := &Ticket{gate: g, party: p, weight: weight}
	ready, err := g.arrive(t)
	if err != nil || ready == nil {
		return t, err
	}
	var expired <-chan time.Time
	if within > 0 {
		var stop func() bool
		expired, stop = g.after(within)
		defer stop()
	}
	select {
	case <-ready:
		return t, nil
	case <-expired:
		if err := t.giveUp(); err != nil {
			return nil, err
		}
		return t, nil // it got in at the last moment
	case <-ctx.Done():
		t.Leave()
		return nil, fmt.Errorf("wait for other %s: %w", g.what, ctx.Err())
	}
}

// arrive lets the ticket in, or puts it into its queue and returns a channel that is closed
// when it gets in. It refuses the ticket when too many wait.
func (g *Gate) arrive(t *Ticket) (ready chan struct{}, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.fit(t)
	if g.passes(t) {
		return nil, nil //nolint:nilnil // it does not wait
	}
	var own int
	if q := g.queues[t.party.queue()]; q != nil {
		own = len(q.tickets)
	}
	switch w := g.wait; {
	case w.Queue > 0 && own >= w.Queue:
		return nil, g.refusal(true)
	case w.All > 0 && (g.waiting >= w.All && own > 0 || g.waiting >= 2*w.All):
		return nil, g.refusal(g.exceeds(t))
	}
	ready = make(chan struct{})
	t.wake = func() { close(ready) }
	g.join(t)
	return ready, nil
}

// Ask is Enter for a caller that cannot wait: the ticket is inside, or wake is called when
// it may be. It is never refused. wake must not block, and must not use the gate.
func (g *Gate) Ask(p *Party, weight int, wake func()) *Ticket {
	t := &Ticket{gate: g, party: p, weight: weight, wake: wake}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.fit(t)
	if !g.passes(t) {
		g.join(t)
	}
	return t
}

// Inside reports whether the ticket is in.
func (t *Ticket) Inside() bool {
	t.gate.mu.Lock()
	defer t.gate.mu.Unlock()
	return t.state == inside
}

// Waiting returns how many tickets wait.
func (g *Gate) Waiting() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.waiting
}

// Leave frees the place of the ticket, inside or in its queue. Calling it again does nothing.
func (t *Ticket) Leave() {
	g := t.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	switch t.state {
	case inside:
		g.take(t, -1)
	case waits:
		g.drop(t)
	case over:
		return
	}
	t.state = over
	g.admit()
}

// giveUp ends the wait of a ticket, and returns its refusal; nil when it is inside.
func (t *Ticket) giveUp() error {
	g := t.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	if t.state == inside {
		return nil
	}
	g.drop(t)
	t.state = over
	refusal := g.refusal(g.exceeds(t))
	g.admit()
	return refusal
}

// fit reduces the weight to the smallest share of the party, so that the ticket gets in some
// time.
func (g *Gate) fit(t *Ticket) {
	most := g.shares.All
	for _, k := range t.party.counted() {
		most = min(most, g.share(k))
	}
	t.weight = max(1, min(t.weight, most))
}

func (g *Gate) share(k key) int {
	var share int
	switch k.kind {
	case ofServer: // has no share
	case ofUser:
		share = g.shares.User
	case ofAccount:
		share = g.shares.Account
	case ofAddress:
		share = g.shares.Address
	}
	if share == 0 {
		return math.MaxInt
	}
	return share
}

// passes lets a ticket in that overtakes nobody.
func (g *Gate) passes(t *Ticket) bool {
	if len(g.turns) > 0 || g.free < t.weight || g.exceeds(t) {
		// With others waiting, the ticket gets in by admit, in its turn.
		return false
	}
	g.take(t, 1)
	return true
}

// exceeds reports whether a share of the party has less left than the ticket weighs.
func (g *Gate) exceeds(t *Ticket) bool {
	for _, k := range t.party.counted() {
		if g.held[k] > g.share(k)-t.weight {
			return true
		}
	}
	return false
}

// take counts the ticket as inside, or as outside when sign is -1.
func (g *Gate) take(t *Ticket, sign int) {
	t.state = inside
	g.free -= sign * t.weight
	for _, k := range t.party.counted() {
		if g.held[k] += sign * t.weight; g.held[k] == 0 {
			delete(g.held, k)
		}
	}
}

// join puts the ticket into its queue, and admits all tickets that may get in.
func (g *Gate) join(t *Ticket) {
	k := t.party.queue()
	q := g.queues[k]
	if q == nil {
		q = &queue{key: k}
		g.queues[k] = q
		g.turns = append(g.turns, q)
	}
	q.tickets = append(q.tickets, t)
	g.waiting++
	g.admit()
}

// drop takes a ticket that waits out of its queue.
func (g *Gate) drop(t *Ticket) {
	q := g.queues[t.party.queue()]
	for i, other := range q.tickets {
		if other == t {
			q.tickets = append(q.tickets[:i], q.tickets[i+1:]...)
			g.waiting--
			break
		}
	}
	if len(q.tickets) > 0 {
		return
	}
	delete(g.queues, q.key)
	for i, other := range g.turns {
		if other == q {
			g.turns = append(g.turns[:i], g.turns[i+1:]...)
			break
		}
	}
}

// admit lets the tickets in that may get in, one of each queue by turns.
func (g *Gate) admit() {
	var short map[key]bool // the shares that somebody earlier waits for
	for i := 0; i < len(g.turns) && g.free > 0; {
		q := g.turns[i]
		t := q.tickets[0]
		if g.mayNot(t, &short) {
			i++
			continue
		}
		if g.free < t.weight {
			return
		}
		g.turns = append(g.turns[:i], g.turns[i+1:]...)
		q.tickets[0] = nil
		if q.tickets = q.tickets[1:]; len(q.tickets) > 0 {
			g.turns = append(g.turns, q)
		} else {
			delete(g.queues, q.key)
		}
		g.waiting--
		g.take(t, 1)
		t.wake()
	}
}

// mayNot reports whether a share of the ticket is used up, or somebody in an earlier queue
// waits for it. It adds the shares that the ticket waits for to short.
func (g *Gate) mayNot(t *Ticket, short *map[key]bool) (wait bool) {
	for _, k := range t.party.counted() {
		if (*short)[k] {
			wait = true
			continue
		}
		if g.held[k] > g.share(k)-t.weight {
			wait = true
			if *short == nil {
				*short = map[key]bool{}
			}
			(*short)[k] = true
		}
	}
	return wait
}

// refusal returns why a ticket does not get in: its party has too much, or all have.
func (g *Gate) refusal(own bool) error {
	if own {
		f := fault.Refuse(fault.RateLimited, "Too many %s of yours, of your account or from your network address run at once; try again in a second.", g.what)
		f.RetryAfter = time.Second / 2
		return f
	}
	f := fault.Refuse(fault.Unavailable, "Too many %s run at once; try again in 2 seconds.", g.what)
	f.RetryAfter = time.Second + time.Second/2
	return f
}
