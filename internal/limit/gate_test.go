package limit_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/limit"
	"github.com/convoke-dev/convoke/internal/testkit"
)

var (
	ann   = limit.NewParty("ann", []string{"acme"}, "192.0.2.1")
	bob   = limit.NewParty("bob", []string{"acme"}, "192.0.2.2")
	xena  = limit.NewParty("xena", []string{"other"}, "192.0.2.3")
	guest = limit.NewParty("", nil, "192.0.2.4")
)

// enters returns a ticket that must get in at once.
func enters(t testing.TB, g *limit.Gate, p *limit.Party, weight int) *limit.Ticket {
	t.Helper()
	ticket := g.Ask(p, weight, func() {})
	if !ticket.Inside() {
		t.Fatal("it waits, want inside")
	}
	return ticket
}

// order collects the names of tickets in the order in which they get in.
type order struct {
	t    *testing.T
	got  []string
	gate *limit.Gate
	in   map[string]*limit.Ticket
}

func (o *order) ask(p *limit.Party, weight int, name string) {
	o.in[name] = o.gate.Ask(p, weight, func() { o.got = append(o.got, name) })
}

func (o *order) want(names ...string) {
	o.t.Helper()
	if fmt.Sprint(o.got) != fmt.Sprint(names) {
		o.t.Fatalf("got %v in, want %v", o.got, names)
	}
	o.got = nil
}

func ordered(t *testing.T, s limit.Shares) *order {
	t.Helper()
	return &order{t: t, gate: limit.NewGate(s, limit.Wait{}, "things"), in: map[string]*limit.Ticket{}}
}

// HARD-21.
func TestQueuesTakeTurns(t *testing.T) {
	t.Parallel()
	o := ordered(t, limit.Shares{All: 1})
	first := enters(t, o.gate, ann, 1)
	for i := range 4 {
		o.ask(ann, 1, fmt.Sprint("ann", i))
	}
	o.ask(bob, 1, "bob0")
	o.ask(bob, 1, "bob1")
	o.ask(guest, 1, "guest0")
	o.ask(nil, 1, "server0")
	first.Leave()
	for _, name := range []string{"ann0", "bob0", "guest0", "server0", "ann1", "bob1", "ann2", "ann3"} {
		o.want(name)
		o.in[name].Leave()
		o.in[name].Leave() // counts once
	}
	if got := o.gate.Rest(); got != 0 {
		t.Errorf("the gate keeps %d in the end, want nothing", got)
	}
}

func TestAShareIsNotExceeded(t *testing.T) {
	t.Parallel()
	o := ordered(t, limit.Shares{All: 8, User: 2, Account: 3, Address: 4})
	enters(t, o.gate, ann, 1)
	enters(t, o.gate, ann, 1)
	o.ask(ann, 1, "ann: the user's share is used up")
	held := enters(t, o.gate, bob, 1)
	o.ask(bob, 1, "bob: the account's share is used up")
	enters(t, o.gate, xena, 2)
	for range 3 {
		enters(t, o.gate, guest, 1)
	}
	o.want()
	held.Leave()
	o.want("bob: the account's share is used up")
	o.ask(guest, 1, "guest: everything is used up")
	o.want()
}

func TestHeavyWorkIsNotOvertakenForEver(t *testing.T) {
	t.Parallel()
	o := ordered(t, limit.Shares{All: 3, Account: 2})
	a, b := enters(t, o.gate, ann, 1), enters(t, o.gate, xena, 1)
	o.ask(bob, 99, "heavy") // as much as the account may have
	o.ask(ann, 1, "light")
	o.ask(guest, 1, "guest")
	o.want("guest") // another share
	o.in["guest"].Leave()
	a.Leave()
	o.want("heavy")
	o.in["heavy"].Leave()
	b.Leave()
	o.want("light")
}

func TestLeavingTheQueueFreesThePlace(t *testing.T) {
	t.Parallel()
	o := ordered(t, limit.Shares{All: 2})
	first := enters(t, o.gate, ann, 1)
	o.ask(bob, 2, "heavy")
	o.ask(xena, 1, "light")
	o.want()
	o.in["heavy"].Leave()
	o.want("light")
	o.in["light"].Leave()
	first.Leave()
	if got := o.gate.Rest(); got != 0 {
		t.Errorf("the gate keeps %d in the end, want nothing", got)
	}
}

// expired is the code and the wait of the refusal of a ticket whose time has passed.
func expired(t *testing.T, g *limit.Gate, p *limit.Party) (fault.Code, time.Duration) {
	t.Helper()
	now := make(chan time.Time, 1)
	now <- time.Time{}
	g.SetTimer(func(time.Duration) (<-chan time.Time, func() bool) { return now, func() bool { return true } })
	return code(t, g, p)
}

func code(t *testing.T, g *limit.Gate, p *limit.Party) (fault.Code, time.Duration) {
	t.Helper()
	_, err := g.Enter(t.Context(), p, 1)
	var f *fault.Error
	if !errors.As(err, &f) {
		t.Fatalf("got %v, want a refusal", err)
	}
	return f.Code, f.RetryAfter
}

func TestARefusalSaysWhoseWorkIsTooMuch(t *testing.T) {
	t.Parallel()
	g := limit.NewGate(limit.Shares{All: 2, User: 1}, limit.Wait{Within: time.Second}, "things")
	enters(t, g, ann, 1)
	if c, wait := expired(t, g, ann); c != fault.RateLimited || wait <= 0 {
		t.Errorf("own share used up: got %s and %v to wait", c, wait)
	}
	enters(t, g, bob, 1)
	if c, wait := expired(t, g, xena); c != fault.Unavailable || wait <= 0 {
		t.Errorf("everything used up: got %s and %v to wait", c, wait)
	}
	if got := g.Waiting(); got != 0 {
		t.Errorf("%d wait in the end, want none", got)
	}
}

func TestAQueueIsBounded(t *testing.T) {
	t.Parallel()
	never := func(time.Duration) (<-chan time.Time, func() bool) { return nil, func() bool { return true } }
	g := limit.NewGate(limit.Shares{All: 1}, limit.Wait{Within: time.Second, Queue: 2, All: 3}, "things")
	g.SetTimer(never)
	var all sync.WaitGroup
	held := enters(t, g, ann, 1)
	wait := func(p *limit.Party) {
		before := g.Waiting()
		all.Go(func() {
			ticket, err := g.EnterPatiently(t.Context(), p, 1)
			if err != nil {
				t.Errorf("got %v, want none", err)
				return
			}
			ticket.Leave()
		})
		testkit.Eventually(t, func() bool { return g.Waiting() == before+1 })
	}
	wait(ann)
	wait(ann)
	if c, _ := code(t, g, ann); c != fault.RateLimited {
		t.Errorf("the own queue is full: got %s", c)
	}
	wait(bob)
	if c, _ := code(t, g, bob); c != fault.Unavailable {
		t.Errorf("the gate is full: got %s", c)
	}
	wait(xena) // has nothing in a queue yet
	wait(guest)
	wait(nil)
	if c, _ := code(t, g, limit.NewParty("yet another", nil, "")); c != fault.Unavailable {
		t.Errorf("twice as many wait as may: got %s", c)
	}
	held.Leave()
	all.Wait()
	if got := g.Rest(); got != 0 {
		t.Errorf("the gate keeps %d in the end, want nothing", got)
	}
}

func TestAWaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	g := limit.NewGate(limit.Shares{All: 1}, limit.Wait{}, "things")
	held := enters(t, g, ann, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := g.Enter(ctx, bob, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	held.Leave()
	if got := g.Rest(); got != 0 {
		t.Errorf("the gate keeps %d in the end, want nothing", got)
	}
}

// Under any load no share is exceeded, everybody gets in, and nothing is left.
func TestAGateHoldsInParallel(t *testing.T) {
	t.Parallel()
	shares := limit.Shares{All: 6, User: 2, Account: 4, Address: 3}
	g := limit.NewGate(shares, limit.Wait{}, "things")
	var inAll atomic.Int64
	var perUser [5]atomic.Int64
	var all sync.WaitGroup
	for u := range 5 {
		p := limit.NewParty(fmt.Sprint("user", u), []string{fmt.Sprint("account", u%2)}, fmt.Sprint("192.0.2.", u%3))
		for range 20 {
			all.Go(func() {
				for range 50 {
					weight := 1 + rand.IntN(2)
					ticket, err := g.Enter(t.Context(), p, weight)
					if err != nil {
						t.Errorf("got %v, want none", err)
						return
					}
					if n := inAll.Add(int64(weight)); n > 6 {
						t.Errorf("%d are inside, want at most 6", n)
					}
					if n := perUser[u].Add(int64(weight)); n > 2 {
						t.Errorf("%d of a user are inside, want at most 2", n)
					}
					perUser[u].Add(-int64(weight))
					inAll.Add(-int64(weight))
					ticket.Leave()
				}
			})
		}
	}
	all.Wait()
	if got := g.Rest(); got != 0 {
		t.Errorf("the gate keeps %d in the end, want nothing", got)
	}
}

// BenchmarkGate is what a gate costs an operation when nobody waits.
func BenchmarkGate(b *testing.B) {
	g := limit.NewGate(limit.Shares{All: 1 << 20, User: 1 << 19, Account: 1 << 19, Address: 1 << 19}, limit.Wait{Within: time.Second}, "things")
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			ticket, err := g.Enter(b.Context(), ann, 1)
			if err != nil {
				b.Error(err)
				return
			}
			ticket.Leave()
		}
	})
}
