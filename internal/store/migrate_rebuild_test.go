package store_test

import (
	"database/sql"
	"maps"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/pressly/goose/v3"

	"github.com/convoke-dev/convoke/internal/store"
)

// newTable matches how a table was made, or renamed after having been made anew.
var newTable = regexp.MustCompile("^CREATE TABLE [`\"][a-z_]+[`\"]")

// rebuild returns the migration that changes an SQLite table as generated
// ones do: a new table takes the rows and the name of the old one.
func rebuild(t *testing.T, db *sql.DB, table string) fstest.MapFS {
	t.Helper()
	made := column(t, db, `SELECT sql FROM sqlite_master WHERE type = 'table' AND name = '`+table+`'`)[0]
	statements := append([]string{
		"PRAGMA foreign_keys = off",
		newTable.ReplaceAllString(made, "CREATE TABLE `new_"+table+"`"),
		"INSERT INTO `new_" + table + "` SELECT * FROM `" + table + "`",
		"DROP TABLE `" + table + "`",
		"ALTER TABLE `new_" + table + "` RENAME TO `" + table + "`",
	}, column(t, db, `SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = '`+table+`'`)...)
	statements = append(statements, "PRAGMA foreign_keys = on")
	return fstest.MapFS{"29991231000000_rebuild.sql": &fstest.MapFile{
		Data: []byte("-- +goose Up\n" + strings.Join(statements, ";\n") + ";\n"),
	}}
}

// apply runs the migration through the connection and returns how many rows
// there are before and after.
func apply(t *testing.T, db *sql.DB, address string, files fstest.MapFS, tables []string) (before, after map[string]int, err error) {
	t.Helper()
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files)
	if err != nil {
		t.Fatal(err)
	}
	rows := raw(t, address)
	before = rowCounts(t, rows, tables)
	_, err = p.Up(t.Context())
	return before, rowCounts(t, rows, tables), err
}

func TestRebuildingATableKeepsTheRowsOfItsChildren(t *testing.T) {
	t.Parallel()
	for _, table := range []string{"accounts", "teams", "users", "roles", "members", "invitations"} {
		t.Run(table, func(t *testing.T) {
			t.Parallel()
			address := filepath.Join(t.TempDir(), "convoke.db")
			migrated(t, address)
			tables := fill(t, raw(t, address))
			db, _, _, err := store.MigrationTarget(address)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := db.Close(); err != nil {
					t.Error(err)
				}
			})
			before, after, err := apply(t, db, address, rebuild(t, db, table), tables)
			if err != nil || !maps.Equal(before, after) {
				t.Errorf("rows after = %v, %v, want %v", after, err, before)
			}
			if err := store.CheckForeignKeys(t.Context(), db); err != nil {
				t.Errorf("foreign keys: %v, want them in order", err)
			}
		})
	}
}

// With foreign keys on, as the server has them, the same migration fails or
// empties the children: without that the test above would prove nothing.
func TestRebuildingATableWithForeignKeysOnLosesRows(t *testing.T) {
	t.Parallel()
	for _, table := range []string{"teams", "members"} {
		t.Run(table, func(t *testing.T) {
			t.Parallel()
			address := filepath.Join(t.TempDir(), "convoke.db")
			migrated(t, address)
			db := raw(t, address)
			tables := fill(t, db)
			before, after, err := apply(t, db, address, rebuild(t, db, table), tables)
			if err == nil && maps.Equal(before, after) {
				t.Errorf("rows after = %v, no error, want rows lost or an error", after)
			}
		})
	}
}

func TestMigrateFindsRowsWithoutParents(t *testing.T) {
	t.Parallel()
	address := filepath.Join(t.TempDir(), "convoke.db")
	// The newest migration has yet to come, so that there is one to check after.
	p, all := sources(t, address)
	if _, err := p.UpTo(t.Context(), all[len(all)-2].Version); err != nil {
		t.Fatal(err)
	}
	fill(t, raw(t, address))
	db, _, _, err := store.MigrationTarget(address)
	if err != nil {
		t.Fatal(err)
	}
	exec(t, db, "DELETE FROM teams")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Migrate(t.Context(), address); err == nil || !strings.Contains(err.Error(), "without their parents") {
		t.Errorf("err = %v, want it to tell of rows without their parents", err)
	}
}
