package main_test

import (
	"database/sql"
	"fmt"
	"io/fs"
	"testing"

	"github.com/pressly/goose/v3"

	"github.com/convoke-dev/convoke/ent/migrate/migrations"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/testdb"
)

// people is how many members an old database has.
const people = 3000

// oldDatabase brings an empty database to its first schema and fills it.
func oldDatabase(t *testing.T, address string) *sql.DB {
	t.Helper()
	driver, source, dialect, folder := "sqlite3", "file:"+address+"?_foreign_keys=on", goose.DialectSQLite3, "sqlite"
	if store.IsPostgres(address) {
		driver, source, dialect, folder = "pgx", address, goose.DialectPostgres, "postgres"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	files, err := fs.Sub(migrations.Files, folder)
	if err != nil {
		t.Fatal(err)
	}
	p, err := goose.NewProvider(dialect, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), p.ListSources()[0].Version); err != nil {
		t.Fatal(err)
	}
	const at = `'2026-03-14 12:00:00+00:00'`
	each := fmt.Sprintf("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) ", people)
	for _, statement := range []string{
		`INSERT INTO accounts (id, created_at, updated_at, name, preset) VALUES ('acc', ` + at + `, ` + at + `, 'A', 'teams')`,
		`INSERT INTO teams (id, created_at, updated_at, name, is_default, account_id) VALUES ('team', ` + at + `, ` + at + `, 'A', true, 'acc')`,
		`INSERT INTO roles (id, created_at, updated_at, key, name, permissions, account_id) VALUES ('role', ` + at + `, ` + at + `, 'a', 'A', '[]', 'acc')`,
		each + `INSERT INTO users (id, created_at, updated_at, email_verified_at, email, email_key)
			SELECT 'usr' || i, ` + at + `, ` + at + `, ` + at + `, i || '@a.test', i || '@a.test' FROM n`,
		each + `INSERT INTO members (id, created_at, updated_at, account_id, permissions, allowed_domains, team_id, user_id)
			SELECT 'mem' || i, ` + at + `, ` + at + `, 'acc', '[]', '[]', 'team', 'usr' || i FROM n`,
		each + `INSERT INTO member_roles (member_id, role_id) SELECT 'mem' || i, 'role' FROM n`,
		each + `INSERT INTO events (id, created_at, account_id, seq, type, data) SELECT 'evt' || i, ` + at + `, 'acc', i, 'team.created', '{}' FROM n`,
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	return db
}

// kept fails unless the old rows are all there.
func kept(t *testing.T, db *sql.DB) {
	t.Helper()
	for _, table := range []string{"users", "members", "member_roles", "events"} {
		var n int
		if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil || n != people {
			t.Errorf("%d rows in %s, %v, want %d", n, table, err, people)
		}
	}
}

func TestAMigrationOfManyRowsSurvivesKills(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		t.Run("HARD-11 rows of an old database outlive kills in the middle of their migration", func(t *testing.T) {
			db := oldDatabase(t, address)
			migrateWithKills(t, address, func() { kept(t, db) })
		})
	})
}
