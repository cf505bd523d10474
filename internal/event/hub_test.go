package event_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/store"
)

func TestSubscribeWithoutCursorGetsLaterEventsOnly(t *testing.T) {
	t.Parallel()
	eachNode(t, func(t *testing.T, n node) {
		n.write(t, "acc_A", 3)
		s := n.subscribe(t, -1)
		n.write(t, "acc_A", 2)
		if got, want := numbers(t, s, 5), from(4, 5); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestSubscribeWithCursorReplaysThenGoesLive(t *testing.T) {
	t.Parallel()
	eachNode(t, func(t *testing.T, n node) {
		n.write(t, "acc_A", 450) // more than two batches
		for _, after := range []int64{0, 1, 199, 200, 449, 450} {
			s := n.subscribe(t, after)
			head := n.head(t)
			n.write(t, "acc_A", 1)
			if got, want := numbers(t, s, head+1), from(after+1, head+1); !slices.Equal(got, want) {
				t.Errorf("after %d: got %v, want %v", after, got, want)
			}
		}
	})
}

func TestSubscribersOfOneAccountHearNothingOfAnother(t *testing.T) {
	t.Parallel()
	eachNode(t, func(t *testing.T, n node) {
		s := n.subscribe(t, -1)
		n.write(t, "acc_B", 3)
		n.write(t, "acc_A", 1)
		batch, err := s.Next(t.Context())
		if err != nil || len(batch) != 1 || batch[0].AccountID != "acc_A" {
			t.Errorf("got %v, %v, want the event of acc_A", batch, err)
		}
	})
}

// reader reads from the cut to the end; it returns the numbers it got.
func (n node) reader(ctx context.Context, cut, end int64) (got []int64, err error) {
	s, err := n.listen(ctx, "acc_A", cursor(cut))
	if err != nil {
		return nil, err
	}
	defer s.Close()
	for last := cut; last < end; last = got[len(got)-1] {
		batch, err := s.Next(ctx)
		if err != nil {
			return got, err
		}
		got = append(got, seqs(batch)...)
	}
	return got, nil
}

func TestNoGapAndNoDoubleWhileWritersRun(t *testing.T) {
	t.Parallel()
	eachNode(t, func(t *testing.T, n node) {
		const writers, each, end = 4, 60, 240
		failed := make(chan error, writers)
		for range writers {
			go func() {
				var err error
				for range each {
					err = errors.Join(err, n.append(t.Context(), "acc_A", 1))
				}
				failed <- err
			}()
		}
		type result struct {
			cut int64
			got []int64
			err error
		}
		const readers = 24
		results := make(chan result, readers)
		for range readers {
			cut := rand.Int64N(n.head(t) + 1)
			go func() {
				got, err := n.reader(t.Context(), cut, end)
				results <- result{cut, got, err}
			}()
		}
		for range writers {
			if err := <-failed; err != nil {
				t.Error(err)
			}
		}
		for range readers {
			if r := <-results; r.err != nil || !slices.Equal(r.got, from(r.cut+1, end)) {
				t.Errorf("after %d: got %v, %v, want every number to %d once", r.cut, r.got, r.err, end)
			}
		}
	})
}

func TestASlowSubscriberMissesNothing(t *testing.T) {
	t.Parallel()
	eachNode(t, func(t *testing.T, n node) {
		slow, quick := n.subscribe(t, -1), n.subscribe(t, -1)
		const end = 70 // more than its queue holds
		for seq := int64(1); seq <= end; seq++ {
			n.write(t, "acc_A", 1)
			if got := numbers(t, quick, seq); !slices.Equal(got, from(seq, seq)) {
				t.Fatalf("quick: got %v, want %d", got, seq)
			}
		}
		if got, want := numbers(t, slow, end), from(1, end); !slices.Equal(got, want) {
			t.Errorf("slow: got %v, want %v", got, want)
		}
		n.write(t, "acc_A", 1)
		for name, l := range map[string]*listener{"slow": slow, "quick": quick} {
			if got, want := numbers(t, l, end+1), from(end+1, end+1); !slices.Equal(got, want) {
				t.Errorf("%s afterwards: got %v, want %v", name, got, want)
			}
		}
	})
}

func TestAnEventIsLoadedOnceForAllSubscribers(t *testing.T) {
	t.Parallel()
	var loads atomic.Int64
	eachNode(t, func(t *testing.T, n node) {
		subscriptions := make([]*listener, 50)
		for i := range subscriptions {
			subscriptions[i] = n.subscribe(t, -1)
		}
		n.write(t, "acc_A", 1)
		var first *ent.Event
		for _, s := range subscriptions {
			batch, err := s.Next(t.Context())
			if err != nil || len(batch) != 1 {
				t.Fatalf("got %v, %v, want one event", batch, err)
			}
			if first == nil {
				first = batch[0]
			}
			if batch[0] != first {
				t.Errorf("got %p, want the event %p that the others got", batch[0], first)
			}
		}
	}, store.ObserveStatements(func(query string) {
		if strings.HasPrefix(query, "SELECT") && strings.Contains(query, "events") {
			loads.Add(1)
		}
	}))
	t.Cleanup(func() {
		// Both databases, each a load or two at the start and for the event.
		if got := loads.Load(); got > 16 {
			t.Errorf("events were read %d times, want a few times for 100 subscribers", got)
		}
	})
}

func TestCursorBeyondTheEndIsRefused(t *testing.T) {
	t.Parallel()
	eachNode(t, func(t *testing.T, n node) {
		n.write(t, "acc_A", 2)
		if _, err := n.listen(t.Context(), "acc_A", cursor(3)); !fault.Is(err, fault.BadUserInput) {
			t.Errorf("err = %v, want %s", err, fault.BadUserInput)
		}
		n.subscribe(t, 2)
	})
}

func TestSubscribeToAnUnknownAccountFails(t *testing.T) {
	t.Parallel()
	eachNode(t, func(t *testing.T, n node) {
		if _, err := n.listen(t.Context(), "acc_none", nil); !ent.IsNotFound(err) {
			t.Errorf("err = %v, want not found", err)
		}
	})
}

func TestEventsOfAnotherProcessArriveThroughThePoll(t *testing.T) {
	t.Parallel()
	eachNode(t, func(t *testing.T, n node) {
		s := n.subscribe(t, -1)
		other := start(t, n.Store)
		other.write(t, "acc_A", 3)
		if got, want := numbers(t, s, 3), from(1, 3); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestEndOfRunEndsSubscriptions(t *testing.T) {
	t.Parallel()
	eachNode(t, func(t *testing.T, n node) {
		waiting, idle := n.subscribe(t, -1), n.subscribe(t, -1)
		ended := make(chan error)
		go func() {
			_, err := waiting.Next(t.Context())
			ended <- err
		}()
		n.stop()
		if err := <-ended; !errors.Is(err, event.ErrStopping) {
			t.Errorf("waiting: err = %v, want %v", err, event.ErrStopping)
		}
		if _, err := idle.Next(t.Context()); !errors.Is(err, event.ErrStopping) {
			t.Errorf("idle: err = %v, want %v", err, event.ErrStopping)
		}
		if _, err := n.listen(t.Context(), "acc_A", nil); !errors.Is(err, event.ErrStopping) {
			t.Errorf("subscribe: err = %v, want %v", err, event.ErrStopping)
		}
		n.write(t, "acc_A", 1) // wakes a hub that has stopped
	})
}

func TestSubscriptionsEndByCloseAndByContext(t *testing.T) {
	t.Parallel()
	eachNode(t, func(t *testing.T, n node) {
		closed, expired := n.subscribe(t, -1), n.subscribe(t, -1)
		ended := make(chan error)
		go func() {
			_, err := closed.Next(t.Context())
			ended <- err
		}()
		closed.Close()
		closed.Close()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("closed: err = %v, want %v", err, context.Canceled)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := expired.Next(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("expired: err = %v, want %v", err, context.Canceled)
		}
		n.write(t, "acc_A", 1)
		if got := numbers(t, expired, 1); !slices.Equal(got, from(1, 1)) {
			t.Errorf("with a new context: got %v, want the event", got)
		}
	})
}
