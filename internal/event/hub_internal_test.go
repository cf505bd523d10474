package event

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/store"
)

// quiet returns a store with the account acc_A and a hub that runs.
func quiet(t *testing.T) (*store.Store, *Hub) {
	t.Helper()
	address := filepath.Join(t.TempDir(), "convoke.db")
	if _, err := store.Migrate(t.Context(), address); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	err = s.InTx(t.Context(), func(tx *store.Tx) error {
		return tx.Account.Create().SetID("acc_A").SetCreatedAt(time.Time{}).SetUpdatedAt(time.Time{}).SetName("A").SetPreset("teams").
			Exec(access.System(t.Context(), "test"))
	})
	if err != nil {
		t.Fatal(err)
	}
	h := NewHub(s.Read(), slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { // ends with ctx
		defer close(ended)
		h.Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return s, h
}

// unheard is the wake-up of a subscriber that does not wait.
func unheard() {}

// followed returns how many accounts the hub follows.
func (h *Hub) followed() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.tails)
}

func TestNoTailIsLeftWithoutSubscribers(t *testing.T) {
	t.Parallel()
	_, h := quiet(t)
	first, err := h.Subscribe(t.Context(), "acc_A", nil, unheard)
	if err != nil {
		t.Fatal(err)
	}
	second, err := h.Subscribe(t.Context(), "acc_A", nil, unheard)
	if err != nil {
		t.Fatal(err)
	}
	first.Close()
	if got := h.followed(); got != 1 {
		t.Errorf("after one has left: %d tails, want 1", got)
	}
	second.Close()
	second.Close()
	if got := h.followed(); got != 0 {
		t.Errorf("after both have left: %d tails, want 0", got)
	}
}

func TestRefusedSubscriptionsLeaveNoTail(t *testing.T) {
	t.Parallel()
	_, h := quiet(t)
	if _, err := h.Subscribe(t.Context(), "acc_none", nil, unheard); err == nil {
		t.Error("unknown account: err = nil, want an error")
	}
	if _, err := h.Subscribe(t.Context(), "acc_A", &Cursor{AccountID: "acc_A", Seq: 1}, unheard); err == nil {
		t.Error("cursor beyond the end: err = nil, want an error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Subscribe(ctx, "acc_A", nil, unheard); err == nil {
		t.Error("expired context: err = nil, want an error")
	}
	if got := h.followed(); got != 0 {
		t.Errorf("%d tails, want 0", got)
	}
}

func TestSlowSubscriptionsHaveAShortQueue(t *testing.T) {
	t.Parallel()
	_, h := quiet(t)
	s, err := h.Subscribe(t.Context(), "acc_A", nil, unheard)
	if err != nil {
		t.Fatal(err)
	}
	for seq := range int64(3*queueLength + 1) {
		h.handOut("acc_A", []*ent.Event{{Seq: seq + 1}})
		if len(s.queue) > queueLength {
			t.Fatalf("%d batches wait, want at most %d", len(s.queue), queueLength)
		}
	}
	if len(s.queue) != 1 || s.reason != nil {
		t.Errorf("%d batches wait, and it has ended with %v; want the last batch, and no end", len(s.queue), s.reason)
	}
	s.Close()
	if got := h.followed(); got != 0 {
		t.Errorf("%d tails, want 0", got)
	}
}

func TestWakingAnAccountNobodyFollowsKeepsNothing(t *testing.T) {
	t.Parallel()
	_, h := quiet(t)
	h.Wake("acc_A")
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.pending) != 0 || len(h.news) != 0 {
		t.Errorf("pending = %v, news %d, want none", h.pending, len(h.news))
	}
}

// patience is how long a test waits for something that should come at once.
const patience = 30 * time.Second

type pauseKey struct{}

// pause is where a query waits after it has been answered.
type pause struct{ reached, goOn chan struct{} }

// Of two who subscribe at once, the first to ask may be the last to be
// answered. The first gets what was written in between all the same, and at once.
func TestTwoFirstSubscribersMissNothing(t *testing.T) {
	t.Parallel()
	s, h := quiet(t)
	s.Read().Account.Intercept(ent.InterceptFunc(func(next ent.Querier) ent.Querier {
		return ent.QuerierFunc(func(ctx context.Context, q ent.Query) (ent.Value, error) {
			v, err := next.Query(ctx, q)
			if p, ok := ctx.Value(pauseKey{}).(pause); ok {
				close(p.reached)
				<-p.goOn
			}
			return v, err
		})
	}))
	p := pause{make(chan struct{}), make(chan struct{})}
	first, woken := make(chan *Subscription, 1), make(chan struct{}, 64)
	go func() {
		defer close(first)
		s, err := h.Subscribe(context.WithValue(t.Context(), pauseKey{}, p), "acc_A", nil, func() { woken <- struct{}{} })
		if err != nil {
			t.Error(err)
			return
		}
		first <- s
	}()
	<-p.reached // the first knows where the log stood
	log := NewLog(h, func() time.Time { return time.Time{} })
	err := s.InAccount(t.Context(), "acc_A", func(tx *store.Tx) error {
		return log.Append(t.Context(), tx, "acc_A", Draft{Type: TeamCreated})
	})
	if err != nil {
		t.Fatal(err)
	}
	second, err := h.Subscribe(t.Context(), "acc_A", nil, unheard)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	close(p.goOn)
	sub, ok := <-first
	if !ok {
		t.FailNow()
	}
	defer sub.Close()
	batch, err := sub.Next(t.Context())
	for len(batch) == 0 && err == nil {
		select {
		case <-woken:
			batch, err = sub.Next(t.Context())
		case <-time.After(patience):
			t.Fatal("the subscriber was not woken")
		}
	}
	if err != nil || len(batch) != 1 || batch[0].Seq != 1 {
		t.Errorf("got %v, %v, want event 1", batch, err)
	}
}
