package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// scratch is how many bytes of room an SQLite database needs after a write has failed: more
// than any change takes. One small write may succeed on a full disk, because it overwrites a
// part of the log.
const scratch = 256 << 10

// readyWithin limits an attempt of Watch to write.
const readyWithin = 5 * time.Second

// Ready fails when a write would fail now. It finds out by a small write: it changes a time
// in the table of migrations, which every database has and nobody reads. After a real write
// has failed, SQLite also needs room on its disk.
func (s *Store) Ready(ctx context.Context) error {
	err := s.InTx(ctx, func(tx *Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE goose_db_version SET tstamp = $1 WHERE id = (SELECT MIN(id) FROM goose_db_version)", time.Now().UTC())
		return err
	})
	if err == nil && s.files != nil && s.trouble.recent() {
		err = s.classify(ctx, room(filepath.Dir(s.files.path)))
	}
	if err != nil {
		return fmt.Errorf("database not writable: %w", err)
	}
	s.trouble.over(ctx)
	return nil
}

// Away reports whether a statement has found the database away since the last success of
// Ready.
func (s *Store) Away() bool { return s.trouble.recent() }

// errNoRoom is the error for a disk without room for a change.
var errNoRoom = errors.New("the disk has no room")

// room fails unless the folder has room for scratch bytes.
func room(folder string) error {
	f, err := os.CreateTemp(folder, ".convoke-room-*")
	if err != nil {
		return fmt.Errorf("%w: %w", errNoRoom, err)
	}
	_, err = f.Write(make([]byte, scratch))
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close(), os.Remove(f.Name())); err != nil {
		return fmt.Errorf("%w: %w", errNoRoom, err)
	}
	return nil
}

// Watch looks every second whether the files of an SQLite database are still the ones that
// were opened, and whether a database that was away is back, until ctx ends. Writes notice
// both too; because of Watch, the log also says it when nobody writes.
func (s *Store) Watch(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := s.files.check(); err != nil {
			_ = s.classify(ctx, err) // it logs the error
		} else if s.trouble.recent() {
			bounded, cancel := context.WithTimeout(ctx, readyWithin)
			_ = s.Ready(bounded) // it logs the end of the outage
			cancel()
		}
	}
}
