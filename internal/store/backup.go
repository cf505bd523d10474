package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// partial is the end of the name of a backup that is not complete.
const partial = ".partial"

// backupInfix stands between the name of a database and the version in the name of its backup.
const backupInfix = ".backup-"

// backUp copies an SQLite database, whose schema has the version, into a file beside it, which
// only its owner can read. The file gets its name when it is complete and on disk.
func backUp(ctx context.Context, db *sql.DB, path string, version int64) (backup string, err error) {
	backup = fmt.Sprintf("%s%s%d-%s", path, backupInfix, version, time.Now().UTC().Format("20060102T150405Z"))
	begun := backup + partial
	if err := removePartial(path); err != nil {
		return "", fmt.Errorf("back up the database: %w", err)
	}
	// VACUUM INTO takes an empty file, and keeps its mode.
	f, err := os.OpenFile(begun, os.O_RDWR|os.O_CREATE|os.O_EXCL, ownersOnly) //nolint:gosec // beside the operator's own path
	if err != nil {
		return "", fmt.Errorf("back up the database: %w", err)
	}
	_, err = db.ExecContext(ctx, "VACUUM INTO ?", begun)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(begun, backup)
	}
	if err != nil {
		if gone := os.Remove(begun); !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
		return "", fmt.Errorf("back up the database before its upgrade: %w (nothing was upgraded; see --upgrade-backup)", err)
	}
	syncFolder(filepath.Dir(backup))
	return backup, nil
}

// removePartial removes the incomplete backups that a kill has left, with their journals. No
// other process makes a backup now, because the caller has claimed the database.
func removePartial(path string) error {
	folder, prefix := filepath.Dir(path), filepath.Base(path)+backupInfix
	files, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, f := range files {
		rest, ours := strings.CutPrefix(f.Name(), prefix)
		if !ours || !strings.HasSuffix(strings.TrimSuffix(rest, "-journal"), partial) {
			continue
		}
		if err := os.Remove(filepath.Join(folder, f.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// syncFolder writes the names in a folder to disk, where the system can.
func syncFolder(folder string) {
	if d, err := os.Open(folder); err == nil { //nolint:gosec // the folder of the operator's own path
		_ = d.Sync() // some systems cannot
		_ = d.Close()
	}
}
