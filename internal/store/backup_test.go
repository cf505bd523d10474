package store_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/store"
)

// older returns an SQLite file that lacks the newest migration, with rows in it, and its
// tables.
func older(t *testing.T) (address string, tables []string) {
	t.Helper()
	address = filepath.Join(t.TempDir(), "convoke.db")
	p, all := sources(t, address)
	if _, err := p.UpTo(t.Context(), all[len(all)-2].Version); err != nil {
		t.Fatal(err)
	}
	return address, fill(t, raw(t, address))
}

// backups returns the backups beside the database.
func backups(t *testing.T, address string) []string {
	t.Helper()
	found, err := filepath.Glob(address + ".backup-*")
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestAnUpgradeBacksUpFirst(t *testing.T) {
	t.Parallel()
	t.Run("HARD-23 the backup has the old schema and all rows, and only its owner can read it", func(t *testing.T) {
		t.Parallel()
		address, tables := older(t)
		before := rowCounts(t, raw(t, address), tables)
		version := column(t, raw(t, address), "SELECT max(version_id) FROM goose_db_version")
		if err := os.Chmod(address, 0o644); err != nil { // as a file is that was restored by hand
			t.Fatal(err)
		}
		var said string
		applied, err := store.Upgrade{BackedUp: func(path string) { said = path }}.Migrate(t.Context(), address)
		if err != nil || len(applied) != 1 {
			t.Fatalf("applied %v, %v", applied, err)
		}
		if got := backups(t, address); len(got) != 1 || got[0] != said {
			t.Fatalf("backups %v, said %q", got, said)
		}
		for _, file := range []string{said, address} {
			info, err := os.Stat(file)
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v, %v, want mode 0600", file, info.Mode(), err)
			}
		}
		db := raw(t, said)
		if after := rowCounts(t, db, tables); !maps.Equal(before, after) {
			t.Errorf("rows of the backup %v, want %v", after, before)
		}
		if got := column(t, db, "SELECT max(version_id) FROM goose_db_version"); got[0] != version[0] {
			t.Errorf("version of the backup %v, want %v", got, version)
		}
		if got := column(t, db, "PRAGMA integrity_check"); got[0] != "ok" {
			t.Errorf("integrity of the backup: %v", got)
		}
		if _, err := store.Migrate(t.Context(), said); err != nil {
			t.Errorf("the backup does not upgrade: %v", err)
		}
	})
	t.Run("HARD-23 it stays when the upgrade fails", func(t *testing.T) {
		t.Parallel()
		address, _ := older(t)
		db, _, _, err := store.MigrationTarget(address)
		if err != nil {
			t.Fatal(err)
		}
		exec(t, db, "DELETE FROM teams")
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Migrate(t.Context(), address); err == nil {
			t.Error("err = nil, want rows without their parents")
		}
		if got := backups(t, address); len(got) != 1 {
			t.Errorf("backups %v, want one", got)
		}
	})
	t.Run("HARD-23 without room for it nothing is upgraded", func(t *testing.T) {
		t.Parallel()
		address, _ := older(t)
		before := shape(t, address)
		if err := os.Chmod(filepath.Dir(address), 0o500); err != nil { // a folder needs x
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Chmod(filepath.Dir(address), 0o700) })
		if os.Getuid() == 0 {
			t.Skip("root may write everywhere")
		}
		if _, err := store.Migrate(t.Context(), address); err == nil || !strings.Contains(err.Error(), "nothing was upgraded") {
			t.Errorf("err = %v, want a refusal", err)
		}
		if after := shape(t, address); strings.Join(before, "\n") != strings.Join(after, "\n") {
			t.Error("the schema has changed")
		}
	})
	t.Run("HARD-23 a new file, one that is up to date, and one whose owner wants none have no backup", func(t *testing.T) {
		t.Parallel()
		address := filepath.Join(t.TempDir(), "convoke.db")
		migrated(t, address)
		migrated(t, address)
		if got := backups(t, address); len(got) != 0 {
			t.Errorf("backups %v, want none", got)
		}
		old, _ := older(t)
		if _, err := (store.Upgrade{NoBackup: true}).Migrate(t.Context(), old); err != nil {
			t.Fatal(err)
		}
		if got := backups(t, old); len(got) != 0 {
			t.Errorf("backups %v, want none", got)
		}
	})
}

// A kill leaves a part of a backup, and the next start has the same second in its names.
func TestAnUpgradeRemovesBackupsThatWereCutOff(t *testing.T) {
	t.Parallel()
	t.Run("HARD-11 they do not stop the next upgrade, and other files stay", func(t *testing.T) {
		t.Parallel()
		address, _ := older(t)
		version := column(t, raw(t, address), "SELECT max(version_id) FROM goose_db_version")[0]
		whole, other := address+".backup-1-20260314T120000Z", address+"2.backup-1-20260314T120000Z.partial"
		left := []string{whole, other, whole + ".partial", whole + ".partial-journal"}
		for now, n := time.Now().UTC(), 0; n < 60; n++ { // the second in which the upgrade begins is one of these
			left = append(left, address+".backup-"+version+"-"+now.Add(time.Duration(n)*time.Second).Format("20060102T150405Z")+".partial")
		}
		for _, name := range left {
			if err := os.WriteFile(name, []byte("half"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var made string
		if _, err := (store.Upgrade{BackedUp: func(path string) { made = path }}).Migrate(t.Context(), address); err != nil {
			t.Fatal(err)
		}
		want := []string{whole, made}
		slices.Sort(want)
		if got := backups(t, address); !slices.Equal(got, want) {
			t.Errorf("backups %v, want %v", got, want)
		}
		if _, err := os.Stat(other); err != nil {
			t.Errorf("the file of another database: %v", err)
		}
	})
}
