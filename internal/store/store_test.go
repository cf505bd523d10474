package store_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/account"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/testdb"
)

func newAccount(tx *store.Tx, id string) *ent.AccountCreate {
	return tx.Account.Create().SetID(id).SetCreatedAt(noon).SetUpdatedAt(noon).SetName(id).SetPreset("teams")
}

func eachStore(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Helper()
	testdb.Each(t, func(t *testing.T, address string) { test(t, open(t, address)) })
}

// accounts returns the ids of all accounts.
func accounts(t *testing.T, s *store.Store) []string {
	t.Helper()
	ids, err := s.Read().Account.Query().Order(account.ByID()).IDs(system(t))
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func TestInTxCommitsWithoutAnError(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		var seenInside, seenOutside []string
		err := s.InTx(t.Context(), func(tx *store.Tx) (err error) {
			if err := newAccount(tx, "acc_new").Exec(system(t)); err != nil {
				return err
			}
			seenOutside = accounts(t, s)
			seenInside, err = tx.Account.Query().IDs(system(t))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if want := []string{"acc_new"}; !slices.Equal(seenInside, want) || len(seenOutside) != 0 || !slices.Equal(accounts(t, s), want) {
			t.Errorf("inside %v, outside %v, afterwards %v, want %v, none, %v", seenInside, seenOutside, accounts(t, s), want, want)
		}
	})
}

func TestInTxRollsBackOnAnError(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		err := s.InTx(t.Context(), func(tx *store.Tx) error {
			if err := newAccount(tx, "acc_new").Exec(system(t)); err != nil {
				return err
			}
			return errUndo
		})
		if got := accounts(t, s); !errors.Is(err, errUndo) || len(got) != 0 {
			t.Errorf("accounts = %v, err = %v, want none, %v", got, err, errUndo)
		}
	})
}

func TestPanicInTxRollsBackAndFreesTheWriter(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		panicked := func() (value any) {
			defer func() { value = recover() }()
			return s.InTx(t.Context(), func(tx *store.Tx) error {
				tx.AfterCommit(func() { t.Error("called after a panic, want no call") })
				if err := newAccount(tx, "acc_lost").Exec(system(t)); err != nil {
					return err
				}
				panic("stop")
			})
		}()
		if panicked != "stop" {
			t.Errorf("recovered %v, want the panic to go through", panicked)
		}
		if err := s.InTx(t.Context(), func(tx *store.Tx) error { return newAccount(tx, "acc_next").Exec(system(t)) }); err != nil {
			t.Errorf("next transaction: %v, want none", err)
		}
		if got, want := accounts(t, s), []string{"acc_next"}; !slices.Equal(got, want) {
			t.Errorf("accounts = %v, want %v", got, want)
		}
	})
}

func TestExpiredContextRollsBackAndFreesTheWriter(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		err := s.InTx(ctx, func(tx *store.Tx) error {
			defer cancel()
			return newAccount(tx, "acc_lost").Exec(access.System(ctx, "test"))
		})
		if err == nil {
			t.Error("err = nil, want the commit refused")
		}
		if err := s.Ready(t.Context()); err != nil {
			t.Errorf("ready: %v, want none", err)
		}
		if got := accounts(t, s); len(got) != 0 {
			t.Errorf("accounts = %v, want none", got)
		}
	})
}

func TestAfterCommitRunsOnceCommittedInOrder(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		var calls []string
		for id, result := range map[string]error{"acc_new": nil, "acc_lost": errUndo} {
			err := s.InTx(t.Context(), func(tx *store.Tx) error {
				for _, name := range []string{"first", "second", "third"} {
					tx.AfterCommit(func() { calls = append(calls, name+" sees "+strings.Join(accounts(t, s), " ")) })
				}
				if err := newAccount(tx, id).Exec(system(t)); err != nil {
					return err
				}
				return result
			})
			if !errors.Is(err, result) {
				t.Fatalf("err = %v, want %v", err, result)
			}
		}
		want := []string{"first sees acc_new", "second sees acc_new", "third sees acc_new"}
		if !slices.Equal(calls, want) {
			t.Errorf("calls = %q, want %q", calls, want)
		}
	})
}

func TestObserverSeesEveryStatement(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		var seen []string
		s := open(t, address, store.ObserveStatements(func(query string) { seen = append(seen, query) }))
		if err := s.InTx(t.Context(), func(tx *store.Tx) error { return newAccount(tx, "acc_new").Exec(system(t)) }); err != nil {
			t.Fatal(err)
		}
		accounts(t, s)
		if len(seen) != 2 || !strings.HasPrefix(seen[0], "INSERT") || !strings.HasPrefix(seen[1], "SELECT") {
			t.Errorf("seen %q, want an INSERT and a SELECT", seen)
		}
	})
}

func TestOpenRefusesWhatIsNoDatabase(t *testing.T) {
	t.Parallel()
	text := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(text, []byte(strings.Repeat("no database at all\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for what, address := range map[string]string{
		"a folder that is missing":  filepath.Join(t.TempDir(), "missing", "convoke.db"),
		"a file of another kind":    text,
		"a URL that cannot be read": "postgres://user:secret@host:port/x",
		"a server that is not here": "postgres://user:secret@127.0.0.1:1/x?connect_timeout=1",
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s, err := store.Open(t.Context(), address)
			if err == nil {
				t.Fatalf("Open = %v, nil, want an error", s)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("err = %v, want no password in it", err)
			}
		})
	}
}

func TestInAccountOfAnUnknownAccountIsNotFound(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		called := false
		err := s.InAccount(t.Context(), "acc_none", func(*store.Tx) error { called = true; return nil })
		if s.Postgres() && (!fault.Is(err, fault.NotFound) || called) {
			t.Errorf("err = %v, called %t, want NOT_FOUND before the call", err, called)
		}
		// On SQLite there is no row to lock; the verb finds out by itself.
		if !s.Postgres() && (err != nil || !called) {
			t.Errorf("err = %v, called %t, want the call", err, called)
		}
	})
}

func TestWritersOfOneAccountAreSerial(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		ctx := system(t)
		if err := s.InTx(ctx, func(tx *store.Tx) error { return newAccount(tx, "acc_A").Exec(ctx) }); err != nil {
			t.Fatal(err)
		}
		const writers = 32
		start, errs := make(chan struct{}), make(chan error, writers)
		for range writers {
			go func() {
				<-start
				errs <- s.InAccount(ctx, "acc_A", func(tx *store.Tx) error {
					a, err := tx.Account.Get(ctx, "acc_A")
					if err != nil {
						return err
					}
					return tx.Account.UpdateOneID("acc_A").SetEventSeq(a.EventSeq + 1).Exec(ctx)
				})
			}()
		}
		close(start)
		for range writers {
			if err := <-errs; err != nil {
				t.Errorf("err = %v, want none", err)
			}
		}
		if a, err := s.Read().Account.Get(ctx, "acc_A"); err != nil || a.EventSeq != writers {
			t.Errorf("counter = %v, %v, want %d", a, err, writers)
		}
	})
}
