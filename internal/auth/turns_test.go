package auth_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/internal/auth"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/testkit"
)

// clients take turns, each in a goroutine of its own while it waits.
type clients struct {
	*testing.T
	turns *auth.Turns
	began chan begun
}

// begun is a client whose turn it is, or who was refused.
type begun struct {
	client string
	done   func()
	err    error
}

func at(t *testing.T, ip string) context.Context {
	t.Helper()
	return event.WithRequest(t.Context(), event.Request{ClientIP: ip})
}

// waits has a client take a turn that is not free, and returns when it is in line.
func (c *clients) waits(ctx context.Context, client string) {
	c.Helper()
	n := c.turns.Waiting()
	c.begins(ctx, client)
	testkit.Eventually(c.T, func() bool { return c.turns.Waiting() > n })
}

func (c *clients) begins(ctx context.Context, client string) {
	go func() { // ends when the turn is taken or refused
		done, err := c.turns.Take(ctx)
		c.began <- begun{client, done, err}
	}()
}

// order lets those who wait have their turns, and returns them in this order.
func (c *clients) order(done func()) string {
	c.Helper()
	var names []string
	for c.turns.Waiting() > 0 {
		done()
		b := <-c.began
		if b.err != nil {
			c.Fatalf("%s: %v", b.client, b.err)
		}
		names, done = append(names, b.client), b.done
	}
	done()
	return strings.Join(names, " ")
}

// HARD-5: a flood from one network delays everybody else by one hash for each network, and
// is refused beyond its line.
func TestClientsTakeTurnsForHashes(t *testing.T) {
	t.Parallel()
	c := &clients{t, auth.NewTurns(1, 5, 20), make(chan begun, 99)}
	done, err := c.turns.Take(at(t, "192.0.2.1"))
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		c.waits(at(t, "2001:db8:1:2::1"), "flood")
	}
	for range 400 {
		if _, err := c.turns.Take(at(t, "2001:db8:1:2:ffff::7")); !fault.Is(err, fault.RateLimited) {
			t.Fatalf("beyond the line: got %v, want %s", err, fault.RateLimited)
		}
	}
	c.waits(at(t, "192.0.2.7"), "ann")
	c.waits(at(t, "192.0.2.8"), "bob")
	c.waits(at(t, "192.0.2.8"), "bob")
	if got, want := c.order(done), "flood ann bob flood bob flood flood flood"; got != want {
		t.Errorf("the turns: got %s, want %s", got, want)
	}
}

// HARD-5: when all lines are full, the longest one makes room, and only where nobody waits
// for more than one hash the server as a whole has no room.
func TestTheLongestLineMakesRoom(t *testing.T) {
	t.Parallel()
	c := &clients{t, auth.NewTurns(1, 3, 4), make(chan begun, 99)}
	done, err := c.turns.Take(at(t, "192.0.2.1"))
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		c.waits(at(t, "192.0.2.1"), "flood")
	}
	c.waits(at(t, "192.0.2.2"), "ann")
	for _, next := range []string{"192.0.2.3", "192.0.2.4"} {
		c.begins(at(t, next), next)
		if b := <-c.began; b.client != "flood" || !fault.Is(b.err, fault.RateLimited) {
			t.Errorf("who made room for %s: got %s, %v", next, b.client, b.err)
		}
	}
	if _, err := c.turns.Take(at(t, "192.0.2.2")); !fault.Is(err, fault.RateLimited) {
		t.Errorf("a second one of ann: got %v, want %s", err, fault.RateLimited)
	}
	_, err = c.turns.Take(at(t, "192.0.2.5"))
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != fault.Unavailable || f.RetryAfter == 0 {
		t.Errorf("the fifth network: got %v, want %s, to be tried again", err, fault.Unavailable)
	}
	if got, want := c.order(done), "flood ann 192.0.2.3 192.0.2.4"; got != want {
		t.Errorf("the turns: got %s, want %s", got, want)
	}
}

// HARD-5: waiting for a hash ends with the request.
func TestWaitingForAHashEndsWithTheRequest(t *testing.T) {
	t.Parallel()
	c := &clients{t, auth.NewTurns(1, 3, 9), make(chan begun, 99)}
	gone, cancel := context.WithCancel(at(t, "192.0.2.1"))
	done, err := c.turns.Take(gone)
	if err != nil {
		t.Fatal(err)
	}
	c.waits(gone, "gone")
	c.waits(at(t, "192.0.2.1"), "ann")
	c.waits(gone, "gone")
	cancel()
	for range 2 {
		if b := <-c.began; b.client != "gone" || !errors.Is(b.err, context.Canceled) {
			t.Errorf("got %s, %v, want gone and %v", b.client, b.err, context.Canceled)
		}
	}
	if got, want := c.order(done), "ann"; got != want {
		t.Errorf("the turns: got %s, want %s", got, want)
	}
	if _, err := c.turns.Take(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("with a free turn: got %v, want %v", err, context.Canceled)
	}
	if done, err = c.turns.Take(at(t, "192.0.2.1")); err != nil {
		t.Errorf("a turn was lost: %v", err)
	} else {
		done()
	}
}

func TestAHashBesideAnotherCostsNoMoreToCompare(t *testing.T) {
	t.Parallel()
	h := cheapHasher(t)
	first, err := h.Hash(t.Context(), "the first")
	if err != nil {
		t.Fatal(err)
	}
	beside, err := h.HashBeside(t.Context(), "the second", first)
	if err != nil {
		t.Fatal(err)
	}
	apart, err := h.HashBeside(t.Context(), "the third", "")
	if err != nil {
		t.Fatal(err)
	}
	if i := strings.LastIndex(first, "$"); first[:i] != beside[:i] || first == beside {
		t.Errorf("beside %s: got %s, want all but the key alike", first, beside)
	}
	for _, tt := range []struct {
		password string
		hashes   []string
		want     int
		runs     int64
	}{
		{"the first", []string{first, beside}, 0, 1},
		{"the second", []string{first, beside}, 1, 1},
		{"another", []string{first, beside}, -1, 1},
		{"the third", []string{first, beside, apart}, 2, 2},
		{"the third", []string{"", apart}, 1, 1},
		{"another", []string{"", ""}, -1, 1},
		{"nobody has this password", []string{"", ""}, -1, 1},
	} {
		before := h.Runs()
		got, err := h.Which(t.Context(), tt.password, tt.hashes...)
		if err != nil || got != tt.want || h.Runs()-before != tt.runs {
			t.Errorf("%s among %d: got %d, %v for %d hashes, want %d for %d", tt.password, len(slices.DeleteFunc(tt.hashes, func(s string) bool { return s == "" })),
				got, err, h.Runs()-before, tt.want, tt.runs)
		}
	}
}
