package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"

	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/testdb"
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

func exec(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func migrated(t *testing.T, address string) []string {
	t.Helper()
	applied, err := store.Migrate(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	return applied
}

// sources returns the migrations there are, with a way to apply them one by
// one.
func sources(t *testing.T, address string) (*goose.Provider, []*goose.Source) {
	t.Helper()
	db, name, files, err := store.MigrationTarget(address)
	if err != nil {
		t.Fatal(err)
	}
	p, err := store.Provider(name, db, files)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p, p.ListSources()
}

func versions(all []*goose.Source) []int64 {
	found := make([]int64, len(all))
	for i, s := range all {
		found[i] = s.Version
	}
	return found
}

func TestMigrateAppliesEachMigrationOnce(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		_, all := sources(t, address)
		want := make([]string, len(all))
		for i, s := range all {
			want[i] = s.Path
		}
		if got := migrated(t, address); !slices.Equal(got, want) {
			t.Errorf("first time: applied %v, want %v", got, want)
		}
		before := shape(t, address)
		if got := migrated(t, address); len(got) != 0 {
			t.Errorf("second time: applied %v, want nothing", got)
		}
		if after := shape(t, address); !slices.Equal(after, before) {
			t.Errorf("shape after = %v, want %v", after, before)
		}
	})
}

func TestMigrateRefusesANewerDatabase(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		migrated(t, address)
		_, all := sources(t, address)
		const newer = 29991231000000
		exec(t, raw(t, address), fmt.Sprintf("INSERT INTO goose_db_version (version_id, is_applied) VALUES (%d, true)", newer))
		applied, err := store.Migrate(t.Context(), address)
		ours := fmt.Sprint(all[len(all)-1].Version)
		if err == nil || !strings.Contains(err.Error(), fmt.Sprint(newer)) || !strings.Contains(err.Error(), ours) || len(applied) != 0 {
			t.Errorf("applied %v, err = %v, want a refusal that names %d and %s", applied, err, newer, ours)
		}
	})
}

// Only PostgreSQL is shared by servers that start together.
func TestServersMayMigrateTogether(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		servers := 4
		if !store.IsPostgres(address) {
			servers = 1
		}
		type result struct {
			applied []string
			err     error
		}
		start, results := make(chan struct{}), make(chan result, servers)
		for range servers {
			go func() {
				<-start
				applied, err := store.Migrate(context.WithoutCancel(t.Context()), address)
				results <- result{applied, err}
			}()
		}
		close(start)
		var applied []string
		for range servers {
			r := <-results
			if r.err != nil {
				t.Errorf("err = %v, want none", r.err)
			}
			applied = append(applied, r.applied...)
		}
		_, all := sources(t, address)
		if len(applied) != len(all) {
			t.Errorf("applied %v, want each of %d once", applied, len(all))
		}
	})
}

func TestEventsCannotBeChanged(t *testing.T) {
	t.Parallel()
	for what, statement := range map[string]string{
		"update":            `UPDATE events SET type = 'forged'`,
		"update of one":     `UPDATE events SET seq = 2 WHERE id = 'evt_A'`,
		"delete":            `DELETE FROM events WHERE id = 'evt_A'`,
		"delete everything": `DELETE FROM events`,
		"upsert":            insertEvent + ` ON CONFLICT (id) DO UPDATE SET type = 'forged'`,
		"replace":           strings.Replace(insertEvent, "INSERT", "REPLACE", 1),
		"truncate":          `TRUNCATE events`,
		"another address":   `UPDATE events SET client_ip = '192.0.2.2'`,
		"another program":   `UPDATE events SET user_agent = 'forged'`,
		"another addressee": `UPDATE events SET data = '{"addressee":"forged","memberId":"mem_A"}'`,
		"another key":       `UPDATE events SET data = '{"addressee":"abc","memberId":"mem_A","reason":"forged"}'`,
		"one key less":      `UPDATE events SET data = '{"addressee":"abc"}'`,
		"a later time":      `UPDATE events SET created_at = '2027-03-14 12:00:00+00:00'`,
		"another actor":     `UPDATE events SET client_ip = '', actor_id = 'usr_B'`,
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			testdb.Each(t, func(t *testing.T, address string) {
				migrated(t, address)
				db := raw(t, address)
				exec(t, db, insertEvent)
				if _, err := db.ExecContext(t.Context(), strings.Replace(statement, "'team.created'", "'forged'", 1)); err == nil {
					t.Errorf("err = nil, want a refusal")
				}
				if got := column(t, db, `SELECT id || ' ' || type || ' ' || client_ip FROM events`); !slices.Equal(got, []string{"evt_A team.created 192.0.2.1"}) {
					t.Errorf("events = %v, want the one as it was", got)
				}
			})
		})
	}
}

// The log may only forget what is personal.
func TestEventsForgetWhatIsPersonal(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		migrated(t, address)
		db := raw(t, address)
		exec(t, db, insertEvent)
		exec(t, db, `UPDATE events SET client_ip = '', user_agent = '', data = '{"memberId":"mem_A"}'`)
		exec(t, db, `UPDATE events SET client_ip = '', user_agent = '', data = '{"memberId":"mem_A"}'`)
		if got := column(t, db, `SELECT client_ip || user_agent || CAST(data AS TEXT) FROM events`); len(got) != 1 || strings.ReplaceAll(got[0], " ", "") != `{"memberId":"mem_A"}` {
			t.Errorf("events = %v, want one without what is personal", got)
		}
	})
}

const insertEvent = `INSERT INTO events (id, created_at, account_id, seq, type, data, client_ip, user_agent)
	VALUES ('evt_A', '2026-03-14 12:00:00+00:00', 'acc_A', 1, 'team.created', '{"addressee":"abc","memberId":"mem_A"}', '192.0.2.1', 'test')`

// rowCounts returns how many rows each table has.
func rowCounts(t *testing.T, db *sql.DB, tables []string) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for _, table := range tables {
		counts[table] = len(column(t, db, "SELECT 'row' FROM "+table))
	}
	return counts
}

func TestMigrationsKeepTheRows(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		p, all := sources(t, address)
		if _, err := p.UpTo(t.Context(), all[0].Version); err != nil {
			t.Fatal(err)
		}
		db := raw(t, address)
		tables := fill(t, db)
		before := rowCounts(t, db, tables)
		if got := migrated(t, address); len(got) != len(all)-1 {
			t.Errorf("applied %v, want all but the first of %d", got, len(all))
		}
		if after := rowCounts(t, db, tables); !maps.Equal(before, after) || before["member_roles"] == 0 {
			t.Errorf("rows after = %v, want %v", after, before)
		}
	})
}

// fill puts a row into each table of the first migration, parents first, and
// returns the tables.
func fill(t *testing.T, db *sql.DB) (tables []string) {
	t.Helper()
	const at = `'2026-03-14 12:00:00+00:00'`
	for _, row := range []struct{ table, columns, values string }{
		{"accounts", "id, created_at, updated_at, name, preset", `'acc', ` + at + `, ` + at + `, 'A', 'teams'`},
		{"teams", "id, created_at, updated_at, name, is_default, account_id", `'team', ` + at + `, ` + at + `, 'A', true, 'acc'`},
		{"users", "id, created_at, updated_at, email_verified_at, email, email_key", `'usr', ` + at + `, ` + at + `, ` + at + `, 'a@a.test', 'a@a.test'`},
		{"sign_ups", "id, created_at, email, email_key, password_hash, token_hash, expires_at", `'sup', ` + at + `, 'c@a.test', 'c@a.test', 'hash', 'hash', ` + at},
		{"roles", "id, created_at, updated_at, key, name, permissions, account_id", `'role', ` + at + `, ` + at + `, 'a', 'A', '[]', 'acc'`},
		{
			"members", "id, created_at, updated_at, account_id, permissions, allowed_domains, team_id, user_id",
			`'mem', ` + at + `, ` + at + `, 'acc', '[]', '[]', 'team', 'usr'`,
		},
		{"member_roles", "member_id, role_id", `'mem', 'role'`},
		{
			"invitations", "id, created_at, updated_at, account_id, permissions, allowed_domains, team_id, inviter_id, email, email_key, expires_at, token_hash",
			`'inv', ` + at + `, ` + at + `, 'acc', '[]', '[]', 'team', 'usr', 'b@a.test', 'b@a.test', ` + at + `, 'hash'`,
		},
		{"invitation_roles", "invitation_id, role_id", `'inv', 'role'`},
		{"sessions", "id, created_at, user_id, token_hash, last_seen_at, expires_at", `'ses', ` + at + `, 'usr', 'hash', ` + at + `, ` + at},
		{"events", "id, created_at, account_id, seq, type, data", `'evt', ` + at + `, 'acc', 1, 'team.created', '{}'`},
		{"jobs", "id, created_at, kind, account_id, subject_id, run_at", `'job', ` + at + `, 'mail', 'acc', 'inv', ` + at},
	} {
		exec(t, db, "INSERT INTO "+row.table+" ("+row.columns+") VALUES ("+row.values+")")
		tables = append(tables, row.table)
	}
	return tables
}
