package auth

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/limit"
)

// What may wait for a hash, for each processor. A processor does about 25 hashes in a
// second, so the line of one client is a good second long, and all lines together are five.
const (
	waitOfClient = 32
	waitInAll    = 128
)

// Turns lets as many hashes run at once as the machine has processors, so that a burst of
// sign-ins cannot take all memory. Other hashes wait in lines, one for each client network,
// and the lines take turns: a flood from one network delays the others by one hash each.
//
// Lines are bounded. When all lines together are full, the newest hash of the longest line
// makes room for a client that waits for less.
type Turns struct {
	ofClient, inAll int

	mu      sync.Mutex
	free    int
	waiting int
	lines   map[string]*line
	next    []*line // the lines in which somebody waits, in the order of their turns
}

// line has those of one client network who wait, the oldest first.
type line struct {
	client  string
	waiting []*turn
}

// turn is one place in a line.
type turn struct {
	called chan error // gets nil when it is this one's turn, or the refusal
}

// NewTurns returns turns for so many hashes at once. ofClient may wait in a line, and inAll
// in all lines.
func NewTurns(atOnce, ofClient, inAll int) *Turns {
	return &Turns{ofClient: ofClient, inAll: inAll, free: atOnce, lines: map[string]*line{}}
}

// turnsOfMachine returns the turns for the machine's processors.
func turnsOfMachine() *Turns {
	n := runtime.GOMAXPROCS(0)
	return NewTurns(n, waitOfClient*n, waitInAll*n)
}

// Waiting returns how many hashes wait.
func (t *Turns) Waiting() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.waiting
}

// Take waits for a turn of the request's client network. The caller calls done after the
// hash. It fails with RATE_LIMITED when too much of this client waits, with UNAVAILABLE
// when too much waits in all, and with the context's error when the context ends.
func (t *Turns) Take(ctx context.Context) (done func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("wait for a turn to hash: %w", err)
	}
	client := limit.Network(event.RequestFrom(ctx).ClientIP)
	own, err := t.arrive(client)
	if err != nil {
		return nil, err
	}
	if own == nil {
		return t.pass, nil
	}
	select {
	case err = <-own.called:
	case <-ctx.Done():
		if err = t.leave(client, own); err == nil {
			t.pass()
		}
		err = fmt.Errorf("wait for a turn to hash: %w", ctx.Err())
	}
	if err != nil {
		return nil, err
	}
	return t.pass, nil
}

// arrive begins a hash, or returns its place in the client's line.
func (t *Turns) arrive(client string) (*turn, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.free > 0 { // nobody waits: pass would have called them
		t.free--
		return nil, nil //nolint:nilnil // it does not wait
	}
	l := t.lines[client]
	if l == nil {
		l = &line{client: client}
	}
	switch {
	case len(l.waiting) >= t.ofClient:
		return nil, tooManyOfClient()
	case t.waiting >= t.inAll && !t.makeRoom(len(l.waiting)):
		if len(l.waiting) > 0 {
			return nil, tooManyOfClient()
		}
		return nil, tooManyInAll()
	}
	if len(l.waiting) == 0 {
		t.lines[client] = l
		t.next = append(t.next, l)
	}
	own := &turn{called: make(chan error, 1)}
	l.waiting = append(l.waiting, own)
	t.waiting++
	return own, nil
}

// makeRoom refuses the newest of the longest line, if that remains longer than a line with
// the number of places would be.
func (t *Turns) makeRoom(than int) bool {
	longest := t.next[0]
	for _, l := range t.next {
		if len(l.waiting) > len(longest.waiting) {
			longest = l
		}
	}
	last := len(longest.waiting) - 1
	if last <= than {
		return false
	}
	longest.waiting[last].called <- tooManyOfClient()
	t.remove(longest, last)
	return true
}

// pass gives the turn of a hash that is done to the first of the next line.
func (t *Turns) pass() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.waiting == 0 {
		t.free++
		return
	}
	l := t.next[0]
	l.waiting[0].called <- nil
	t.remove(l, 0)
	if len(l.waiting) > 0 {
		t.next = append(t.next[1:], l)
	}
}

// leave takes the turn out of its line. When it has been called already, leave returns
// what for; nil means that the caller has to pass the turn on.
func (t *Turns) leave(client string, own *turn) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case err := <-own.called:
		return err
	default:
	}
	l := t.lines[client]
	for i, other := range l.waiting {
		if other == own {
			t.remove(l, i)
			break
		}
	}
	return context.Canceled
}

// remove takes one out of a line, and the line out of the turns when it is empty.
func (t *Turns) remove(l *line, i int) {
	l.waiting = append(l.waiting[:i], l.waiting[i+1:]...)
	t.waiting--
	if len(l.waiting) > 0 {
		return
	}
	delete(t.lines, l.client)
	for n, other := range t.next {
		if other == l {
			t.next = append(t.next[:n], t.next[n+1:]...)
			return
		}
	}
}

func tooManyOfClient() error {
	f := fault.Refuse(fault.RateLimited, "Too many passwords from your network wait to be checked; try again in 2 seconds.")
	f.RetryAfter = time.Second
	return f
}

func tooManyInAll() error {
	f := fault.Refuse(fault.Unavailable, "Too many passwords wait to be checked; try again in 5 seconds.")
	f.RetryAfter = 4 * time.Second
	return f
}
