package limit_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/limit"
	"github.com/convoke-dev/convoke/internal/testkit"
)

func bucket(t testing.TB, r limit.Rule, now func() time.Time) *limit.Bucket {
	t.Helper()
	b, err := limit.NewBucket(r, "things", now)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func guesses(t testing.TB, r limit.Rule, now func() time.Time) *limit.Guesses {
	t.Helper()
	g, err := limit.NewGuesses(r, "guesses", now)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// wait is how long a refusal says to wait; -1 for none.
func wait(t testing.TB, err error) time.Duration {
	t.Helper()
	if err == nil {
		return -1
	}
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != fault.RateLimited || f.RetryAfter <= 0 {
		t.Fatalf("err = %v, want RATE_LIMITED with a time to wait", err)
	}
	return f.RetryAfter
}

func TestABucket(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock()
	b := bucket(t, limit.Rule{N: 10, Per: 10 * time.Minute}, clock.Now)
	for _, step := range []struct {
		after time.Duration
		key   string
		n     int
		want  time.Duration
	}{
		{0, "a", 8, -1},
		{0, "a", 3, time.Minute}, // there are two: one is missing, and none of the three is counted
		{0, "a", 2, -1},
		{0, "b", 10, -1}, // each key has its own limit
		{30 * time.Second, "a", 1, 30 * time.Second},
		{30 * time.Second, "a", 1, -1},
		{0, "a", 0, -1},
		{time.Hour, "a", 11, -1}, // more than ever allowed: all of it
		{0, "a", 1, time.Minute},
	} {
		clock.Advance(step.after)
		if got := wait(t, b.Take(step.key, step.n)); got != step.want {
			t.Errorf("%+v: got %v", step, got)
		}
	}
}

func TestABucketHoldsInParallel(t *testing.T) {
	t.Parallel()
	b := bucket(t, limit.Rule{N: 10, Per: time.Hour}, testkit.NewClock().Now)
	var taken atomic.Int64
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			if b.Take("a", 1) == nil {
				taken.Add(1)
			}
		})
	}
	all.Wait()
	if got := taken.Load(); got != 10 {
		t.Errorf("got %d, want 10", got)
	}
}

func TestNoRuleLimitsNothing(t *testing.T) {
	t.Parallel()
	b, g := bucket(t, limit.Rule{}, time.Now), guesses(t, limit.Rule{}, time.Now)
	for range 100 {
		if err := b.Take("a", 100); err != nil {
			t.Fatal(err)
		}
		end, err := g.Begin(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		end(limit.Wrong)
	}
	g.Forget("a")
}

func TestWrongGuessesInParallel(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock()
	g := guesses(t, limit.Rule{N: 10, Per: 15 * time.Minute}, clock.Now)
	var made, refused atomic.Int64
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			end, err := g.Begin(t.Context(), "a")
			if err != nil {
				refused.Add(1)
				return
			}
			made.Add(1)
			end(limit.Wrong)
		})
	}
	all.Wait()
	if made.Load() != 10 || refused.Load() != 190 {
		t.Errorf("got %d made and %d refused, want 10 and 190", made.Load(), refused.Load())
	}
	_, err := g.Begin(t.Context(), "a")
	if got := wait(t, err); got != 90*time.Second {
		t.Errorf("got %v to wait, want 90 s", got)
	}
	g.Forget("a")
	if _, err := g.Begin(t.Context(), "a"); err != nil {
		t.Errorf("after Forget: %v, want none", err)
	}
}

func TestRightGuessesAreNeverTooMany(t *testing.T) {
	t.Parallel()
	g := guesses(t, limit.Rule{N: 3, Per: time.Hour}, testkit.NewClock().Now)
	var underWay, most atomic.Int64
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			end, err := g.Begin(t.Context(), "a")
			if err != nil {
				t.Errorf("got %v, want none", err)
				return
			}
			now := underWay.Add(1)
			for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
			}
			underWay.Add(-1)
			end(limit.Right)
		})
	}
	all.Wait()
	if got := most.Load(); got < 1 || got > 3 {
		t.Errorf("%d were under way at once, want no more than may be wrong", got)
	}
}

func TestARightGuessForgetsTheWrongOnes(t *testing.T) {
	t.Parallel()
	g := guesses(t, limit.Rule{N: 3, Per: time.Hour}, testkit.NewClock().Now)
	for i := range 30 {
		end, err := g.Begin(t.Context(), "a")
		if err != nil {
			t.Fatalf("guess %d: %v", i, err)
		}
		end([]limit.Outcome{limit.Wrong, limit.Wrong, limit.Right, limit.NotMade}[i%4])
	}
}

func TestAGuessThatWaitsEndsWithItsContext(t *testing.T) {
	t.Parallel()
	g := guesses(t, limit.Rule{N: 1, Per: time.Hour}, testkit.NewClock().Now)
	if _, err := g.Begin(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := g.Begin(ctx, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestNetworks(t *testing.T) {
	t.Parallel()
	for ip, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "::ffff:192.0.2.7": "::ffff:192.0.2.7", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
		"fe80::1%eth0": "fe80::/64", "@": "@",
	} {
		if got := limit.Network(ip); got != want {
			t.Errorf("%s: got %s, want %s", ip, got, want)
		}
	}
}

// heap is how much is in use after a collection, in bytes.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkAMillionKeys says how much memory is kept of a million keys: see
// MiB-kept.
func BenchmarkAMillionKeys(b *testing.B) {
	const keys = 1_000_000
	for b.Loop() {
		bk, g := bucket(b, limit.Rule{N: 10, Per: time.Hour}, time.Now), guesses(b, limit.Rule{N: 10, Per: time.Hour}, time.Now)
		before := heap()
		for i := range keys {
			key := fmt.Sprintf("somebody.%d@example.org 192.0.2.1", i)
			if err := bk.Take(key, 1); err != nil {
				b.Fatal(err)
			}
			end, err := g.Begin(b.Context(), key)
			if err != nil {
				b.Fatal(err)
			}
			end(limit.Wrong)
		}
		b.ReportMetric(float64(heap()-before)/(1<<20), "MiB-kept")
		if bk.Take("somebody.1@example.org 192.0.2.1", 1) != nil { // keeps both alive
			b.Fatal("limited")
		}
		g.Forget("a")
	}
}
