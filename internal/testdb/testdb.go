// Package testdb gives tests databases of their own.
package testdb

import (
	"context"
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver for PostgreSQL

	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/uid"
)

// PostgresEnv names the environment variable with the URL of a PostgreSQL
// server on which tests may make schemas.
const PostgresEnv = "CONVOKE_TEST_POSTGRES"

// Each runs the test on an empty SQLite file, and on an empty
// PostgreSQL schema when PostgresEnv is set. Both are gone afterwards. The
// address is what store.Open takes.
func Each(t *testing.T, test func(t *testing.T, address string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, filepath.Join(t.TempDir(), "convoke.db"))
	})
	Postgres(t, test)
}

// Postgres runs the test on PostgreSQL alone, when PostgresEnv is set.
func Postgres(t *testing.T, test func(t *testing.T, address string)) {
	t.Helper()
	if server := os.Getenv(PostgresEnv); server != "" {
		t.Run("postgres", func(t *testing.T) {
			t.Parallel()
			test(t, postgresSchema(t, server))
		})
	}
}

// Open brings the schema of the database up to date and opens it. It is closed at the
// end of the test.
func Open(t *testing.T, address string) *store.Store {
	t.Helper()
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
	return s
}

// postgresSchema makes a schema of the test's own and drops it at its end.
func postgresSchema(t *testing.T, server string) string {
	t.Helper()
	db, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	name := "convoke_" + strings.TrimPrefix(uid.New("t"), "t_")
	if _, err := db.ExecContext(t.Context(), "CREATE SCHEMA "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// The test's own context has ended by now.
		if _, err := db.ExecContext(context.Background(), "DROP SCHEMA "+name+" CASCADE"); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	return u.String()
}
