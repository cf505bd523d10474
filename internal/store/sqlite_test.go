package store_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/internal/store"
)

// pragma asks a connection how it is set.
func pragma(t *testing.T, c querier, name string) string {
	t.Helper()
	return strings.Join(column(t, c, "PRAGMA "+name), " ")
}

func TestSQLiteConnectionsAreSetAsPromised(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "convoke.db"))
	common := map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000"}
	err := s.InTx(t.Context(), func(tx *store.Tx) error {
		for name, want := range common {
			if got := pragma(t, tx, name); got != want {
				t.Errorf("writer: %s = %s, want %s", name, got, want)
			}
		}
		if got := pragma(t, tx, "query_only"); got != "0" {
			t.Errorf("writer: query_only = %s, want 0", got)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	common["query_only"] = "1"
	for name, want := range common {
		if got := pragma(t, s.Read(), name); got != want {
			t.Errorf("reader: %s = %s, want %s", name, got, want)
		}
	}
}

func TestSQLiteReaderCannotWrite(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "convoke.db"))
	err := s.Read().Account.Create().SetID("acc_new").SetCreatedAt(noon).SetUpdatedAt(noon).SetName("new").SetPreset("teams").Exec(system(t))
	if got := accounts(t, s); err == nil || len(got) != 0 {
		t.Errorf("accounts = %v, err = %v, want none and a refusal", got, err)
	}
	if _, err := s.Read().ExecContext(t.Context(), "DELETE FROM accounts"); err == nil {
		t.Error("err = nil, want a refusal of raw SQL too")
	}
}

func TestSQLiteReadersReadWhileSomebodyWrites(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "convoke.db"))
	err := s.InTx(t.Context(), func(tx *store.Tx) error {
		if err := newAccount(tx, "acc_new").Exec(system(t)); err != nil {
			return err
		}
		if got := accounts(t, s); len(got) != 0 {
			t.Errorf("accounts = %v, want none before the commit", got)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSQLiteFilesMayHaveAnyName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"with space.db", "what?.db", "a#b.db", "50%25.db", "a&mode=memory.db", "jörg.db", "file:x.db", "plus+.db"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), name)
			s := open(t, path)
			if err := s.InTx(t.Context(), func(tx *store.Tx) error { return newAccount(tx, "acc_new").Exec(system(t)) }); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(path); err != nil {
				t.Errorf("stat: %v, want the file under its name", err)
			}
			if got := accounts(t, s); len(got) != 1 {
				t.Errorf("accounts = %v, want the one", got)
			}
		})
	}
}
