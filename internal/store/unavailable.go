package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/mattn/go-sqlite3"

	"github.com/convoke-dev/convoke/internal/fault"
)

// retryAfter is the wait that UNAVAILABLE names when the database is away.
const retryAfter = 2 * time.Second

// away are the beginnings of the codes of PostgreSQL after which the same statement may
// succeed later. Two characters are a whole class. See appendix A of PostgreSQL's manual.
var away = []string{
	"08",    // connection exceptions
	"40",    // the transaction was rolled back: serialization failure, deadlock
	"53",    // insufficient resources: disk full, out of memory, too many connections
	"57P",   // shutdowns, and a server that is starting or in recovery
	"57014", // cancelled: a limit of the operator, or a conflict with recovery
	"58",    // system errors: input and output
	"25006", // the server, or its default, is read-only: a standby
	"25P03", // a transaction was idle, or took, for longer than the operator allows
	"25P04",
	"55P03", // a lock is not available
}

// sqliteAway are the same codes of SQLite.
var sqliteAway = []sqlite3.ErrNo{
	sqlite3.ErrBusy, sqlite3.ErrLocked, sqlite3.ErrFull, sqlite3.ErrIoErr, sqlite3.ErrReadonly, sqlite3.ErrCantOpen,
	sqlite3.ErrNomem, sqlite3.ErrPerm, sqlite3.ErrProtocol, sqlite3.ErrInterrupt,
}

// isAway reports whether the error of a statement or of a connection means that the database
// is away, locked or full. It decides by codes and types alone.
func isAway(err error) bool {
	var lite sqlite3.Error
	if errors.As(err, &lite) {
		return slices.Contains(sqliteAway, lite.Code)
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Severity == "FATAL" || pg.Severity == "PANIC" || // the connection has ended
			slices.ContainsFunc(away, func(code string) bool { return len(pg.Code) == 5 && pg.Code[:len(code)] == code })
	}
	var refused *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &refused) || errors.As(err, &network) || pgconn.SafeToRetry(err) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, errLost) || errors.Is(err, errNoRoom)
}

// Classify returns err with UNAVAILABLE when the database is away, locked or full. Because
// the end of ctx breaks connections too, an error after it is the one of ctx. Other errors
// are returned unchanged.
func Classify(ctx context.Context, err error) error {
	switch {
	case err == nil || fault.Is(err, fault.Unavailable) || !isAway(err):
		return err
	case ctx.Err() == nil:
		return unavailable(err)
	case errors.Is(err, ctx.Err()):
		return err
	}
	return errors.Join(ctx.Err(), err)
}

func unavailable(err error) error {
	f := fault.Refuse(fault.Unavailable, "The database is not available at the moment; nothing was changed. Try again.")
	f.RetryAfter = retryAfter
	return errors.Join(f, err)
}

// uncertain reports whether a transaction may have been committed although its commit failed
// with err: the server may have written the commit before the connection was lost, and
// SQLite may have written it before it failed to flush it. In all other cases the
// transaction was rolled back.
func uncertain(err error) bool {
	var lite sqlite3.Error
	if errors.As(err, &lite) {
		return lite.Code == sqlite3.ErrIoErr
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Severity == "FATAL" || pg.Severity == "PANIC"
	}
	return isAway(err) && !pgconn.SafeToRetry(err)
}

// commitFailed classifies the error of a commit.
func (s *Store) commitFailed(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return errors.Join(ctx.Err(), err) // the driver's error says only that the transaction has ended
	case uncertain(err):
		wrote(ctx)
		s.trouble.note(ctx, err)
		return errors.Join(unknown(), err)
	}
	return s.classify(ctx, err)
}

// unknown is the error of a change that may have happened or not. It is not UNAVAILABLE,
// because that code promises that nothing was changed.
func unknown() *fault.Error {
	f := fault.Refuse(fault.Timeout, "The database was lost during the change, which may have happened or not. Read again before you repeat it.")
	f.RetryAfter = retryAfter
	return f
}
