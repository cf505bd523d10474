package store

import (
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/mattn/go-sqlite3"

	"github.com/convoke-dev/convoke/internal/fault"
)

// retryAfter is what a client is told to wait when the database cannot take a
// write for the moment.
const retryAfter = 2 * time.Second

// unavailable turns what will pass by itself into TIMEOUT: another process
// holds the SQLite file, the disk is full, PostgreSQL chose this transaction to
// end a deadlock or is short of something (its error classes 40 and 53).
// Nothing was written then. Anything else is returned as it is.
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
