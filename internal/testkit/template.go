package testkit

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/convoke-dev/convoke/internal/store"
)

// migrated returns the bytes of an SQLite file that has all migrations and no
// rows. It is made once in a process, because the migrations of a new file take
// longer than most tests.
var migrated = sync.OnceValues(func() (file []byte, err error) {
	dir, err := os.MkdirTemp("", "convoke-template-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "convoke.db")
	// Migrate closes its connection, so everything stands in the file itself.
	if _, err := store.Migrate(context.Background(), path); err != nil {
		return nil, err
	}
	return os.ReadFile(path) //nolint:gosec // the path is made above
})

// prepare puts a migrated file where a test wants a new SQLite database. A file
// that is there already is left alone, and PostgreSQL is migrated by the server.
func prepare(t testing.TB, address string) {
	t.Helper()
	if store.IsPostgres(address) {
		return
	}
	if _, err := os.Stat(address); err == nil {
		return
	}
	file, err := migrated()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(address, file, 0o600); err != nil {
		t.Fatal(err)
	}
}
