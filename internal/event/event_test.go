package event_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/ent"
	entevent "github.com/convoke-dev/convoke/ent/event"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/testdb"
)

var noon = time.Date(2026, time.March, 14, 12, 0, 0, 0, time.UTC)

func now() time.Time { return noon }

// node is one server: a database, a hub that runs, and a log.
type node struct {
	*store.Store
	hub  *event.Hub
	log  *event.Log
	stop func() // ends the hub and waits for it
}

// eachNode runs the test on a node with the accounts acc_A and acc_B.
func eachNode(t *testing.T, test func(t *testing.T, n node), options ...store.Option) {
	t.Helper()
	testdb.Each(t, func(t *testing.T, address string) {
		if _, err := store.Migrate(t.Context(), address); err != nil {
			t.Fatal(err)
		}
		s, err := store.Open(t.Context(), address, options...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		err = s.InTx(t.Context(), func(tx *store.Tx) error {
			for _, id := range []string{"acc_A", "acc_B"} {
				err := tx.Account.Create().SetID(id).SetCreatedAt(noon).SetUpdatedAt(noon).SetName(id).SetPreset("teams").Exec(system(t))
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		test(t, start(t, s))
	})
}

func system(t *testing.T) context.Context { return access.System(t.Context(), "test") }

// start runs a hub on the store until the test ends.
func start(t *testing.T, s *store.Store) node {
	t.Helper()
	hub := event.NewHub(s.Read(), slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { // ends with ctx
		defer close(ended)
		hub.Run(ctx)
	}()
	stop := func() {
		cancel()
		<-ended
	}
	t.Cleanup(stop)
	return node{Store: s, hub: hub, log: event.NewLog(hub, now), stop: stop}
}

// append writes events of the account in one transaction.
func (n node) append(ctx context.Context, accountID string, amount int) error {
	return n.InAccount(ctx, accountID, func(tx *store.Tx) error {
		drafts := make([]event.Draft, amount)
		for i := range drafts {
			drafts[i] = event.Draft{Type: event.TeamCreated}
		}
		return n.log.Append(ctx, tx, accountID, drafts...)
	})
}

func (n node) write(t *testing.T, accountID string, amount int) {
	t.Helper()
	if err := n.append(t.Context(), accountID, amount); err != nil {
		t.Fatal(err)
	}
}

// head returns where the log of acc_A stands.
func (n node) head(t *testing.T) int64 {
	t.Helper()
	head, err := event.Head(t.Context(), n.Read(), "acc_A")
	if err != nil {
		t.Fatal(err)
	}
	return head
}

// subscribe follows acc_A after the number, or from now on when it is -1.
func (n node) subscribe(t *testing.T, after int64) *listener {
	t.Helper()
	s, err := n.listen(t.Context(), "acc_A", cursor(after))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// listener is a subscriber that waits until it is woken.
type listener struct {
	*event.Subscription
	woken chan struct{}
}

func (n node) listen(ctx context.Context, accountID string, after *event.Cursor) (*listener, error) {
	l := &listener{woken: make(chan struct{}, 1)}
	var err error
	l.Subscription, err = n.hub.Subscribe(ctx, accountID, after, func() {
		select {
		case l.woken <- struct{}{}:
		default:
		}
	})
	return l, err
}

// Next waits for the next events.
func (l *listener) Next(ctx context.Context) ([]*ent.Event, error) {
	for {
		batch, err := l.Subscription.Next(ctx)
		if err != nil || len(batch) > 0 {
			return batch, err
		}
		select {
		case <-l.woken:
		case <-ctx.Done():
		}
	}
}

func cursor(after int64) *event.Cursor {
	if after < 0 {
		return nil
	}
	return &event.Cursor{AccountID: "acc_A", Seq: after}
}

// numbers reads the subscription until the number until has come.
func numbers(t *testing.T, s *listener, until int64) (got []int64) {
	t.Helper()
	for len(got) == 0 || got[len(got)-1] < until {
		batch, err := s.Next(t.Context())
		if err != nil {
			t.Fatalf("after %v: %v", got, err)
		}
		got = append(got, seqs(batch)...)
	}
	return got
}

func seqs(batch []*ent.Event) []int64 {
	list := make([]int64, len(batch))
	for i, e := range batch {
		list[i] = e.Seq
	}
	return list
}

// from returns the numbers first to last.
func from(first, last int64) (list []int64) {
	for i := first; i <= last; i++ {
		list = append(list, i)
	}
	return list
}

func TestNumbersAreGaplessUnderConcurrentWriters(t *testing.T) {
	t.Parallel()
	eachNode(t, func(t *testing.T, n node) {
		const writers, each = 16, 5
		begin, errs := make(chan struct{}), make(chan error, writers)
		for w := range writers {
			go func() {
				<-begin
				var err error
				for range each {
					err = errors.Join(err, n.append(t.Context(), "acc_A", 1+w%3))
				}
				errs <- err
			}()
		}
		close(begin)
		for range writers {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		all, err := n.Read().Event.Query().Where(entevent.AccountID("acc_A")).Order(entevent.BySeq()).All(system(t))
		if err != nil {
			t.Fatal(err)
		}
		head := n.head(t)
		if got, want := seqs(all), from(1, int64(len(all))); !slices.Equal(got, want) || head != int64(len(all)) {
			t.Errorf("numbers = %v, head %d, want %v", got, head, want)
		}
	})
}

func TestAppendKeepsWhatItWasToldAndWhoAsked(t *testing.T) {
	t.Parallel()
	eachNode(t, func(t *testing.T, n node) {
		request := event.Request{ID: "req", ClientIP: "192.0.2.1", UserAgent: "test"}
		ctx := event.WithRequest(t.Context(), request)
		err := n.InAccount(ctx, "acc_A", func(tx *store.Tx) error {
			return n.log.Append(ctx, tx, "acc_A",
				event.Draft{Type: event.InvitationRevoked, ActorID: "usr", TeamID: "team", SubjectID: "inv", Data: map[string]string{event.PreviousStatus: "PENDING"}},
				event.Draft{Type: event.InvitationExpired})
		})
		if err != nil {
			t.Fatal(err)
		}
		all, err := n.Read().Event.Query().Order(entevent.BySeq()).All(system(t))
		if err != nil || len(all) != 2 {
			t.Fatalf("events = %v, %v, want two", all, err)
		}
		got := all[0]
		if got.Type != "invitation.revoked" || got.ActorID != "usr" || got.TeamID != "team" || got.SubjectID != "inv" || got.Data["previousStatus"] != "PENDING" ||
			!got.CreatedAt.Equal(noon) || got.RequestID != request.ID || got.ClientIP != request.ClientIP || got.UserAgent != request.UserAgent {
			t.Errorf("got %v, want what was appended", got)
		}
		if all[1].ActorID != "" || all[1].Data == nil || all[0].ID == all[1].ID {
			t.Errorf("got %v, want the system's, with data and an id of its own", all[1])
		}
	})
}

func TestRolledBackEventsUseUpNoNumber(t *testing.T) {
	t.Parallel()
	eachNode(t, func(t *testing.T, n node) {
		s := n.subscribe(t, -1)
		undo := errors.New("undo")
		err := n.InAccount(t.Context(), "acc_A", func(tx *store.Tx) error {
			return errors.Join(n.log.Append(t.Context(), tx, "acc_A", event.Draft{Type: event.MemberJoined}), undo)
		})
		if !errors.Is(err, undo) {
			t.Fatal(err)
		}
		n.write(t, "acc_A", 1)
		batch, err := s.Next(t.Context())
		if err != nil || len(batch) != 1 || batch[0].Seq != 1 || batch[0].Type != string(event.TeamCreated) {
			t.Errorf("got %v, %v, want the committed event as number 1", batch, err)
		}
	})
}

func TestAppendToAnUnknownAccountFails(t *testing.T) {
	t.Parallel()
	eachNode(t, func(t *testing.T, n node) {
		err := n.InTx(t.Context(), func(tx *store.Tx) error {
			return n.log.Append(t.Context(), tx, "acc_none", event.Draft{Type: event.TeamCreated})
		})
		if !ent.IsNotFound(err) {
			t.Errorf("err = %v, want not found", err)
		}
	})
}
