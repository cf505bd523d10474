// Package store opens the database, brings its schema up to date, installs
// the guard, and runs the transactions of the domain packages.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/account"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/fault"
)

// The largest numbers of connections. SQLite has one writer in addition to its readers, and
// PostgreSQL has one pool for both. A snapshot holds its connection while its operation runs.
const (
	sqliteReaders   = 4
	postgresReaders = 8
	postgresWriters = 8
	maxSnapshots    = 4
)

// Store is an open database behind the guard.
type Store struct {
	dialect  string
	writer   *sql.DB
	reader   *sql.DB
	moments  *sql.DB // for snapshots: a pool of its own, because they hold a connection for long
	write    *ent.Client
	read     *ent.Client
	turns    turns
	observer func(query string)
	failure  func(query string) error
	changes  access.Changes
	trouble  trouble
	files    *sqliteFiles // nil on PostgreSQL
}

// Option changes how a store is opened.
type Option func(*Store)

// ObserveStatements calls f with every statement sent to the database. Tests
// count them with it.
func ObserveStatements(f func(query string)) Option {
	return func(s *Store) { s.observer = f }
}

// Log sets the logger for lines about the database itself: that it is away, or back.
func Log(l *slog.Logger) Option {
	return func(s *Store) { s.trouble.log = l }
}

// FailStatements has each statement for which f returns an error fail with that error, before
// it is sent. f also gets BEGIN and COMMIT. Tests break the database with it.
func FailStatements(f func(query string) error) Option {
	return func(s *Store) { s.failure = f }
}

// IsPostgres reports whether the address is that of a PostgreSQL server, and not the path
// of an SQLite file.
func IsPostgres(address string) bool {
	return strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://")
}

// CheckAddress fails for an address that is neither a postgres:// URL nor the path of a
// file in an existing folder. Its error does not repeat a URL, because a URL may contain
// a password.
func CheckAddress(address string) error {
	switch {
	case IsPostgres(address):
		return nil
	case address == "":
		return errors.New("a database is needed: the path of an SQLite file, or a postgres:// URL")
	case strings.Contains(address, "://"), strings.HasPrefix(address, "file:"), strings.HasPrefix(address, ":memory:"):
		return errors.New("the database must be the path of an SQLite file, or a postgres:// URL")
	}
	if info, err := os.Stat(filepath.Dir(address)); err != nil || !info.IsDir() {
		return fmt.Errorf("there is no folder %s for the database: create it first", filepath.Dir(address))
	}
	return nil
}

// Open opens the database at the address: a postgres:// URL, or the path of an SQLite
// file, which is created when it is missing. It does not change the schema: see Migrate.
func Open(ctx context.Context, address string, options ...Option) (*Store, error) {
	s := &Store{trouble: trouble{log: slog.New(slog.DiscardHandler)}}
	for _, o := range options {
		o(s)
	}
	if err := s.connect(ctx, address); err != nil {
		return nil, errors.Join(fmt.Errorf("open database: %w", err), s.Close())
	}
	s.write = s.client(s.writer)
	s.read = s.client(s.reader)
	s.read.Intercept(s.turns.reading())
	return s, nil
}

func (s *Store) connect(ctx context.Context, address string) (err error) {
	if IsPostgres(address) {
		s.dialect = dialect.Postgres
		s.turns = newTurns(postgresReaders, postgresWriters)
		if s.writer, err = openPostgres(address); err != nil {
			return err
		}
		s.writer.SetMaxOpenConns(postgresReaders + postgresWriters)
		s.writer.SetMaxIdleConns(postgresReaders + postgresWriters)
		s.writer.SetConnMaxIdleTime(5 * time.Minute)
		s.reader = s.writer
		if s.moments, err = openPostgres(address); err != nil {
			return err
		}
		s.moments.SetMaxOpenConns(maxSnapshots)
		return s.writer.PingContext(ctx)
	}
	s.dialect = dialect.SQLite
	s.turns = newTurns(sqliteReaders, 1)
	if err := makeFile(address); err != nil {
		return err
	}
	s.files = &sqliteFiles{path: address, known: map[string]os.FileInfo{}}
	s.writer = openSQLite(address, "_foreign_keys=on&_txlock=immediate", s.files)
	s.writer.SetMaxOpenConns(1)
	// The writer switches a new file to WAL before a reader opens it.
	if err := s.writer.PingContext(ctx); err != nil {
		return err
	}
	const readOnly = "_foreign_keys=on&_query_only=true"
	s.reader = openSQLite(address, readOnly, s.files)
	s.reader.SetMaxOpenConns(sqliteReaders)
	s.reader.SetMaxIdleConns(sqliteReaders)
	s.moments = openSQLite(address, readOnly, s.files)
	s.moments.SetMaxOpenConns(maxSnapshots)
	if err := s.reader.PingContext(ctx); err != nil {
		return err
	}
	return s.files.check() // now all files are there
}

// makeFile creates a missing SQLite file that only its owner can read, and takes the rights
// of others from one that was restored with them. The files that SQLite creates beside it
// get the same mode.
func makeFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, ownersOnly) //nolint:gosec // the operator's own path
	if err != nil {
		return fmt.Errorf("create the database file: %w", err)
	}
	// It fails for a file of somebody else, who then decides about its mode.
	if info, err := f.Stat(); err == nil && info.Mode().Perm()&^ownersOnly != 0 {
		_ = f.Chmod(ownersOnly)
	}
	return f.Close()
}

// ownersOnly is the mode of every file that this program creates.
const ownersOnly = 0o600

// sqliteDSN returns the address for the driver. WAL lets readers work beside the writer.
// FULL keeps acknowledged commits after a power loss. The writer waits 5 s for another
// process. A file that has vanished is not created again.
func sqliteDSN(path, extra string) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() +
		"?mode=rw&_journal_mode=WAL&_busy_timeout=5000&_synchronous=FULL&_loc=UTC&" + extra
}

func (s *Store) client(db *sql.DB) *ent.Client {
	c := ent.NewClient(ent.Driver(watched{entsql.OpenDB(s.dialect, db), s}))
	access.Guard(c, &s.changes)
	return c
}

// Changes counts the writes through this store that may change somebody's rights.
func (s *Store) Changes() *access.Changes { return &s.changes }

// Read returns the guarded client for reading. On SQLite it cannot write.
func (s *Store) Read() *ent.Client { return s.read }

// Close closes the database.
func (s *Store) Close() error {
	var errs []error
	for _, c := range []io.Closer{s.moments, s.reader, s.writer} {
		if db, _ := c.(*sql.DB); db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// Postgres reports whether several servers may share this database.
func (s *Store) Postgres() bool { return s.dialect == dialect.Postgres }

// Tx is one transaction. Its changes are invisible to others before the commit.
type Tx struct {
	*ent.Tx
	after []func()
}

// AfterCommit calls f after the commit, in the order of the calls to AfterCommit. f must
// not block. It is meant for wake-ups.
func (tx *Tx) AfterCommit(f func()) { tx.after = append(tx.after, f) }

// InTx runs f in a transaction. It commits when f returns nil, and rolls back otherwise. f
// must be short, do no input or output of its own, and open no transaction. Until the
// commit, the end of ctx aborts the transaction.
//
// It fails with UNAVAILABLE when the database is away, busy or full and nothing was changed,
// and with TIMEOUT when the database was lost during the commit: then it is not known whether
// the commit has happened.
func (s *Store) InTx(ctx context.Context, f func(tx *Tx) error) error {
	return s.inTx(ctx, nil, f)
}

// inTx is InTx for a change of the accounts, whose turn it waits for.
func (s *Store) inTx(ctx context.Context, accountIDs []string, f func(tx *Tx) error) (err error) {
	turn, err := s.turns.begin(ctx, accountIDs)
	if err != nil {
		return fmt.Errorf("begin: %w", s.waited(ctx, err))
	}
	defer turn.Leave()
	etx, err := s.write.Tx(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", s.waited(ctx, err))
	}
	if err := s.files.check(); err != nil {
		return fmt.Errorf("begin: %w", errors.Join(s.classify(ctx, err), etx.Rollback()))
	}
	tx := &Tx{Tx: etx}
	done := false
	defer func() {
		if !done {
			err = errors.Join(err, ignoreDone(etx.Rollback()))
		}
	}()
	if err := f(tx); err != nil {
		return err
	}
	if err := s.files.check(); err != nil {
		return fmt.Errorf("commit: %w", s.classify(ctx, err))
	}
	if err := etx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", s.commitFailed(ctx, err))
	}
	done = true
	wrote(ctx)
	for _, wake := range tx.after {
		wake()
	}
	return nil
}

// waited makes UNAVAILABLE of a deadline that ended while a transaction waited for its turn,
// because nothing was begun. Other errors stay as they are.
func (s *Store) waited(ctx context.Context, err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		err = unavailable(err)
		s.trouble.note(ctx, err)
	}
	return err
}

// InAccount is InTx for a change inside one account. The changes of an account run one
// after the other, because PostgreSQL locks the account's row, and SQLite has one writer.
// Therefore f may count and compare rows before it changes them. On PostgreSQL it fails
// with NOT_FOUND when there is no such account.
func (s *Store) InAccount(ctx context.Context, accountID string, f func(tx *Tx) error) error {
	return s.InAccounts(ctx, []string{accountID}, f)
}

// InAccounts is InAccount for a change that several accounts show, such as one of a
// person's name. Either the logs of all accounts get it, or none. It locks the accounts
// in the order of their ids, and nothing else locks more than one, so that no deadlock is
// possible.
func (s *Store) InAccounts(ctx context.Context, accountIDs []string, f func(tx *Tx) error) error {
	return s.inTx(ctx, accountIDs, func(tx *Tx) error {
		if s.Postgres() && len(accountIDs) > 0 {
			locked, err := tx.Account.Query().Where(account.IDIn(accountIDs...)).Order(account.ByID()).ForUpdate().
				Select(account.FieldID).Strings(access.System(ctx, "lock the accounts"))
			if err != nil {
				return fmt.Errorf("lock accounts %v: %w", accountIDs, err)
			}
			if len(locked) != len(accountIDs) {
				return fault.Refuse(fault.NotFound, "There is no such account.")
			}
		}
		return f(tx)
	})
}

// SkipLocked returns a query modifier that locks the rows it reads until the transaction
// ends, and skips rows that others have locked. On SQLite it does nothing, because there
// is one writer.
func (s *Store) SkipLocked() func(*entsql.Selector) {
	return func(sel *entsql.Selector) {
		if s.Postgres() {
			sel.ForUpdate(entsql.WithLockAction(entsql.SkipLocked))
		}
	}
}

// ignoreDone ignores the error of rolling back a transaction that a lost connection or
// the end of a context has already ended.
func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}
