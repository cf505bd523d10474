package store_test

import (
	"database/sql"
	"strings"
	"testing"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/schema"

	"github.com/convoke-dev/convoke/ent/migrate"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/testkit"
)

// raw opens the database past the store, with foreign keys on.
func raw(t *testing.T, address string) *sql.DB {
	t.Helper()
	driver, source := "sqlite3", "file:"+address+"?_foreign_keys=on"
	if store.IsPostgres(address) {
		driver, source = "pgx", address
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func migrated(t *testing.T, address string) []string {
	t.Helper()
	applied, err := store.Migrate(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	return applied
}

func exec(t *testing.T, db *sql.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// drift returns the statements that would turn the database into the ent
// schema.
func drift(t *testing.T, address string) string {
	t.Helper()
	name := dialect.SQLite
	if store.IsPostgres(address) {
		name = dialect.Postgres
	}
	var statements strings.Builder
	to := &schema.WriteDriver{Writer: &statements, Driver: entsql.OpenDB(name, raw(t, address))}
	tables, err := schema.CopyTables(migrate.Tables) // ent writes into them
	if err != nil {
		t.Fatal(err)
	}
	err = migrate.Create(t.Context(), migrate.NewSchema(to), tables, schema.WithDropColumn(true), schema.WithDropIndex(true))
	if err != nil {
		t.Fatal(err)
	}
	return statements.String()
}

func TestMigrationsEqualTheSchema(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, address string) {
		migrated(t, address)
		if got := drift(t, address); got != "" {
			t.Errorf("the migrations lack:\n%s", got)
		}
	})
}

func TestDriftFromTheSchemaIsFound(t *testing.T) {
	t.Parallel()
	for what, statement := range map[string]string{
		"an index is gone":           `DROP INDEX invitation_email_key`,
		"an index is too many":       `CREATE INDEX extra ON teams (name)`,
		"a column is too many":       `ALTER TABLE teams ADD COLUMN extra text`,
		"a column is gone":           `ALTER TABLE jobs DROP COLUMN last_error`,
		"a table is gone":            `DROP TABLE jobs`,
		"an index is for all rows":   `DROP INDEX member_owner_of_team; CREATE UNIQUE INDEX member_owner_of_team ON members (team_id)`,
		"an index is unique no more": `DROP INDEX users_email_key_key; CREATE INDEX users_email_key_key ON users (email_key)`,
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			testkit.EachDatabase(t, func(t *testing.T, address string) {
				migrated(t, address)
				db := raw(t, address)
				for s := range strings.SplitSeq(statement, ";") {
					exec(t, db, s)
				}
				if got := drift(t, address); got == "" {
					t.Error("got no drift, want some")
				}
			})
		})
	}
}
