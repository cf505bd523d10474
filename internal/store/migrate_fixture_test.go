package store_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/testdb"
)

// tablesOf returns the tables of a database, but for the one of goose.
func tablesOf(t *testing.T, db *sql.DB, address string) []string {
	t.Helper()
	query := `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'goose_db_version'`
	if store.IsPostgres(address) {
		query = `SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename <> 'goose_db_version'`
	}
	found := column(t, db, query)
	slices.Sort(found)
	return found
}

// columnsOf returns the columns of a table that need a value, as "name type parent": those
// without a default that are not null, and those that refer to a parent.
func columnsOf(t *testing.T, db *sql.DB, address, table string) []string {
	t.Helper()
	query := fmt.Sprintf(`SELECT c.name || ' ' || c.type || ' ' || coalesce(f."table", '') FROM pragma_table_info('%[1]s') AS c
		LEFT JOIN pragma_foreign_key_list('%[1]s') AS f ON f."from" = c.name
		WHERE c."notnull" AND c.dflt_value IS NULL OR f."table" IS NOT NULL AND f."table" <> '%[1]s'`, table)
	if store.IsPostgres(address) {
		query = fmt.Sprintf(`SELECT c.column_name || ' ' || replace(c.data_type, ' ', '_') || ' ' || coalesce(f.parent, '') FROM information_schema.columns AS c
			LEFT JOIN (SELECT k.column_name, u.table_name AS parent FROM information_schema.key_column_usage AS k
				JOIN information_schema.referential_constraints AS r ON r.constraint_name = k.constraint_name AND r.constraint_schema = k.constraint_schema
				JOIN information_schema.constraint_column_usage AS u ON u.constraint_name = k.constraint_name AND u.constraint_schema = k.constraint_schema
				WHERE k.table_schema = current_schema() AND k.table_name = '%[1]s') AS f ON f.column_name = c.column_name
			WHERE c.table_schema = current_schema() AND c.table_name = '%[1]s'
				AND (c.is_nullable = 'NO' AND c.column_default IS NULL OR f.parent IS NOT NULL AND f.parent <> '%[1]s')`, table)
	}
	return column(t, db, query)
}

// valueFor returns a value for a column, as SQL.
func valueFor(table, name, typ, parent string) string {
	switch typ = strings.ToLower(typ); {
	case parent != "":
		return "(SELECT min(id) FROM " + parent + ")"
	case strings.Contains(typ, "time"):
		return "'2026-03-14 12:00:00+00:00'"
	case strings.Contains(typ, "json") && name == "data":
		return "'{}'"
	case strings.Contains(typ, "json"):
		return "'[]'"
	case strings.Contains(typ, "int"):
		return "1"
	case strings.Contains(typ, "bool"):
		return "false"
	default:
		return "'" + table + "." + name + "'"
	}
}

// fillAll puts a row into each table that has none, children too, whatever the schema, and
// returns the tables.
func fillAll(t *testing.T, db *sql.DB, address string) (tables []string) {
	t.Helper()
	tables = tablesOf(t, db, address)
	counts := rowCounts(t, db, tables)
	for range tables { // in rounds, because a child needs its parents
		for _, table := range tables {
			if counts[table] > 0 {
				continue
			}
			var names, values []string
			ready := true
			for _, c := range columnsOf(t, db, address, table) {
				parts := strings.SplitN(c, " ", 3)
				ready = ready && (parts[2] == "" || counts[parts[2]] > 0)
				names, values = append(names, parts[0]), append(values, valueFor(table, parts[0], parts[1], parts[2]))
			}
			if ready {
				exec(t, db, "INSERT INTO "+table+" ("+strings.Join(names, ", ")+") VALUES ("+strings.Join(values, ", ")+")")
				counts[table] = 1
			}
		}
	}
	for _, table := range tables {
		if counts[table] == 0 {
			t.Fatalf("there is no row in %s", table)
		}
	}
	return tables
}

// atVersion returns whether the database was brought to the version, with a row in each of
// its tables.
func atVersion(t *testing.T, address string, version int64) (before map[string]int, tables []string) {
	t.Helper()
	p, _ := sources(t, address)
	if _, err := p.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
	db := raw(t, address)
	tables = fillAll(t, db, address)
	return rowCounts(t, db, tables), tables
}

// upgraded fails unless the database has the newest schema, the rows it had, and nothing that
// ent cannot read.
func upgraded(t *testing.T, address string, before map[string]int, tables []string) {
	t.Helper()
	if after := rowCounts(t, raw(t, address), tables); !maps.Equal(before, after) {
		t.Errorf("rows after = %v, want %v", after, before)
	}
	if err := store.CheckMigrated(t.Context(), address); err != nil {
		t.Errorf("the schema: %v", err)
	}
	s, err := store.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	ctx := access.System(t.Context(), "test")
	read := s.Read()
	_, accounts := read.Account.Query().All(ctx)
	_, members := read.Member.Query().WithRoles().WithUser().WithTeam().All(ctx)
	_, invitations := read.Invitation.Query().WithRoles().WithInviter().All(ctx)
	_, sessions := read.Session.Query().WithUser().All(ctx)
	_, events := read.Event.Query().All(ctx)
	_, jobs := read.Job.Query().All(ctx)
	if err := errors.Join(accounts, members, invitations, sessions, events, jobs, s.Ready(t.Context()), s.Close()); err != nil {
		t.Errorf("it does not open: %v", err)
	}
}

func TestEverySchemaUpgrades(t *testing.T) {
	t.Parallel()
	_, all := sources(t, t.TempDir()+"/list.db")
	for _, from := range versions(all) {
		t.Run(fmt.Sprintf("HARD-11 from %d, with a row in each table", from), func(t *testing.T) {
			t.Parallel()
			testdb.Each(t, func(t *testing.T, address string) {
				before, tables := atVersion(t, address, from)
				migrated(t, address)
				upgraded(t, address, before, tables)
			})
		})
	}
}

// cut is a connection that fails from the nth statement on, as one does whose program or
// server is gone.
type cut struct {
	driver.Conn
	left *int
}

var errCut = errors.New("cut off")

func (c cut) spend() error {
	*c.left--
	if *c.left <= 0 {
		return errCut
	}
	return nil
}

func (c cut) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if err := c.spend(); err != nil {
		return nil, err
	}
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, query, args)
}

func (c cut) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
}

func (c cut) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, options)
}

// cutConnector opens connections that share the statements that are left.
type cutConnector struct {
	base driver.Driver
	dsn  string
	left *int
}

func (c cutConnector) Connect(context.Context) (driver.Conn, error) {
	conn, err := c.base.Open(c.dsn)
	return cut{conn, c.left}, err
}

func (c cutConnector) Driver() driver.Driver { return c.base }

// migrateUntil migrates until as many statements have run.
func migrateUntil(t *testing.T, address string, statements int) error {
	t.Helper()
	made, name, files, err := store.MigrationTarget(address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = made.Close() }()
	dsn := address
	if !store.IsPostgres(address) {
		dsn = store.MigrationDSN(address)
	}
	db := sql.OpenDB(cutConnector{made.Driver(), dsn, &statements})
	defer func() { _ = db.Close() }()
	p, err := store.Provider(name, db, files)
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Up(t.Context())
	return err
}

// A migration that ends in the middle, at any of its statements, leaves the schema before it,
// and the next start completes it.
func TestAMigrationThatEndsInTheMiddle(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		t.Run("HARD-11 at any statement, it leaves a schema that the next start completes", func(t *testing.T) {
			p, all := sources(t, address)
			before, tables := atVersion(t, address, all[0].Version)
			// Each round runs one statement more before it is cut off.
			for statements := 1; ; statements++ {
				err := migrateUntil(t, address, statements)
				version, got := p.GetDBVersion(t.Context())
				if got != nil || !slices.Contains(versions(all), version) {
					t.Fatalf("after %d statements (%v): version %d, %v", statements, err, version, got)
				}
				if after := rowCounts(t, raw(t, address), tables); !maps.Equal(before, after) {
					t.Fatalf("after %d statements: rows %v, want %v", statements, after, before)
				}
				if err == nil {
					t.Logf("%d statements at once were enough", statements)
					break
				}
				if !errors.Is(err, errCut) {
					t.Fatal(err)
				}
			}
			upgraded(t, address, before, tables)
		})
	})
}
