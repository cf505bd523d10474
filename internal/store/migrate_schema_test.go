package store_test

import (
	"context"
	"database/sql"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/schema"

	"github.com/convoke-dev/convoke/ent/migrate"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/testdb"
)

// shape describes a database: its tables and indexes, and the statements that
// ent would turn it into the schema with. PostgreSQL rewrites the conditions
// of indexes, which ent takes for a difference: hence the comparison with a
// database that ent has made.
func shape(t *testing.T, address string) (lines []string) {
	t.Helper()
	db := raw(t, address)
	query := `SELECT 'table ' || name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
		UNION ALL SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL`
	if store.IsPostgres(address) {
		query = `SELECT 'table ' || tablename FROM pg_tables WHERE schemaname = current_schema()
			UNION ALL SELECT replace(indexdef, current_schema(), '') FROM pg_indexes WHERE schemaname = current_schema()`
	}
	for _, line := range append(column(t, db, query), strings.Split(drift(t, address), "\n")...) {
		if line != "" && !strings.Contains(line, "goose_db_version") && !byHand.MatchString(line) {
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	return lines
}

// byHand matches the indexes of join tables, which ent's schema cannot name,
// and what stands around their removal on SQLite.
var byHand = regexp.MustCompile(`(member|invitation|group)_(roles|groups|divisions)_by_|^PRAGMA foreign_keys = `)

// querier is a database, a transaction or a client.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// column returns what a query of one column finds.
func column(t *testing.T, db querier, query string) (texts []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer func() {
		if err := rows.Close(); err != nil {
			t.Error(err)
		}
	}()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		texts = append(texts, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return texts
}

// drift returns the statements that would turn the database into the ent
// schema.
func drift(t *testing.T, address string) string {
	t.Helper()
	var statements strings.Builder
	create(t, address, func(d dialect.Driver) dialect.Driver {
		return &schema.WriteDriver{Writer: &statements, Driver: d}
	})
	return statements.String()
}

// create turns the database into the ent schema, through the driver that
// wrap returns.
func create(t *testing.T, address string, wrap func(dialect.Driver) dialect.Driver) {
	t.Helper()
	name := dialect.SQLite
	if store.IsPostgres(address) {
		name = dialect.Postgres
	}
	tables, err := schema.CopyTables(migrate.Tables) // ent writes into them
	if err != nil {
		t.Fatal(err)
	}
	s := migrate.NewSchema(wrap(entsql.OpenDB(name, raw(t, address))))
	if err := migrate.Create(t.Context(), s, tables, schema.WithDropColumn(true), schema.WithDropIndex(true)); err != nil {
		t.Fatal(err)
	}
}

// reference returns a second database, made by ent itself.
func reference(t *testing.T, address string) string {
	t.Helper()
	second := address + ".reference"
	if store.IsPostgres(address) {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		name := q.Get("search_path") + "_reference"
		db := raw(t, address)
		exec(t, db, "CREATE SCHEMA "+name)
		t.Cleanup(func() {
			if _, err := db.Exec("DROP SCHEMA " + name + " CASCADE"); err != nil {
				t.Error(err)
			}
		})
		q.Set("search_path", name)
		u.RawQuery = q.Encode()
		second = u.String()
	}
	create(t, second, func(d dialect.Driver) dialect.Driver { return d })
	return second
}

func TestMigrationsEqualTheSchema(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		migrated(t, address)
		got, want := shape(t, address), shape(t, reference(t, address))
		if !slices.Equal(got, want) {
			t.Errorf("got, but not in the schema:\n%s\nwant, but not in the migrations:\n%s",
				strings.Join(except("", got, want), "\n"), strings.Join(except("", want, got), "\n"))
		}
	})
}

func TestDriftFromTheSchemaIsFound(t *testing.T) {
	t.Parallel()
	for what, statements := range map[string]string{
		"an index is gone":           `DROP INDEX invitation_email_key`,
		"an index is too many":       `CREATE INDEX extra ON teams (name)`,
		"a column is too many":       `ALTER TABLE teams ADD COLUMN extra text`,
		"a column is gone":           `ALTER TABLE jobs DROP COLUMN last_error`,
		"a table is gone":            `DROP TABLE jobs`,
		"a table is too many":        `CREATE TABLE extra (id text)`,
		"an index is for all rows":   `DROP INDEX member_owner_of_team; CREATE UNIQUE INDEX member_owner_of_team ON members (team_id)`,
		"an index is for other rows": `DROP INDEX invitation_pending_by_expiry; CREATE INDEX invitation_pending_by_expiry ON invitations (expires_at) WHERE status = 'EXPIRED'`,
		"an index is unique no more": `DROP INDEX users_email_key_key; CREATE INDEX users_email_key_key ON users (email_key)`,
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			testdb.Each(t, func(t *testing.T, address string) {
				migrated(t, address)
				before := shape(t, address)
				for s := range strings.SplitSeq(statements, ";") {
					exec(t, raw(t, address), s)
				}
				if after := shape(t, address); slices.Equal(before, after) {
					t.Errorf("got the shape of before, want a difference")
				}
			})
		})
	}
}
