package store

import (
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/mattn/go-sqlite3"

	"github.com/convoke-dev/convoke/internal/fault"
)

// retryAfter is the wait that a client is told when the database cannot write at the
// moment.
const retryAfter = 2 * time.Second

// unavailable returns TIMEOUT for errors after which another attempt may succeed: another
// process holds the SQLite file, the disk is full, or PostgreSQL has aborted this
// transaction for a deadlock or lacks a resource (its error classes 40 and 53). Nothing
// was written in these cases. Other errors are returned unchanged.
func unavailable(err error) error {
	var lite sqlite3.Error
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &lite) && slices.Contains([]sqlite3.ErrNo{sqlite3.ErrBusy, sqlite3.ErrLocked, sqlite3.ErrFull}, lite.Code):
	case errors.As(err, &pg) && (pg.Code[:2] == "40" || pg.Code[:2] == "53"):
	default:
		return err
	}
	passing := fault.Refuse(fault.Timeout, "The database is busy or full; nothing was changed. Try again.")
	passing.RetryAfter = retryAfter
	return errors.Join(passing, err)
}
