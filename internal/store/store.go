// Package store opens the database, brings its schema up to date, installs
// the guard, and runs the transactions of the domain packages.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	_ "github.com/mattn/go-sqlite3" // the driver for SQLite

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/account"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/fault"
)

// How many connections are opened at the most. SQLite has one writer beside
// its readers; a snapshot holds its connection while its operation runs.
const (
	sqliteReaders   = 4
	postgresMaxOpen = 16
	maxSnapshots    = 4
)

// Store is an open database behind the guard.
type Store struct {
	dialect  string
	writer   *sql.DB
	reader   *sql.DB
	moments  *sql.DB // for snapshots, which hold a connection while others read
	write    *ent.Client
	read     *ent.Client
	observer func(query string)
	changes  access.Changes
}

// Option changes how a store is opened.
type Option func(*Store)

// ObserveStatements calls f with every statement sent to the database. Tests
// count them with it.
func ObserveStatements(f func(query string)) Option {
	return func(s *Store) { s.observer = f }
}

// IsPostgres reports whether the address names a PostgreSQL server rather
// than an SQLite file.
func IsPostgres(address string) bool {
	return strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://")
}

// CheckAddress refuses what is neither a postgres:// URL nor the path of a file
// in a folder that exists. It does not repeat the address: it may hold a
// password.
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
		return fmt.Errorf("there is no folder %s for the database: make it first", filepath.Dir(address))
	}
	return nil
}

// Open opens the database at the address: a postgres:// URL, or the path of an
// SQLite file, which is created when it is missing. Its schema is left alone:
// see Migrate.
func Open(ctx context.Context, address string, options ...Option) (*Store, error) {
	s := &Store{}
	for _, o := range options {
		o(s)
	}
	if err := s.connect(ctx, address); err != nil {
		return nil, errors.Join(fmt.Errorf("open database: %w", err), s.Close())
	}
	s.write = s.client(s.writer)
	s.read = s.write
	if s.reader != s.writer {
		s.read = s.client(s.reader)
	}
	return s, nil
}

func (s *Store) connect(ctx context.Context, address string) (err error) {
	if IsPostgres(address) {
		s.dialect = dialect.Postgres
		if s.writer, err = openPostgres(address); err != nil {
			return err
		}
		s.writer.SetMaxOpenConns(postgresMaxOpen)
		s.writer.SetMaxIdleConns(postgresMaxOpen)
		s.writer.SetConnMaxIdleTime(5 * time.Minute)
		s.reader = s.writer
		if s.moments, err = openPostgres(address); err != nil {
			return err
		}
		s.moments.SetMaxOpenConns(maxSnapshots)
		return s.writer.PingContext(ctx)
	}
	s.dialect = dialect.SQLite
	if err := makeFile(address); err != nil {
		return err
	}
	if s.writer, err = sql.Open("sqlite3", sqliteDSN(address, "_foreign_keys=on&_txlock=immediate")); err != nil {
		return err
	}
	s.writer.SetMaxOpenConns(1)
	// The writer makes the file and turns it to WAL before any reader opens it.
	if err := s.writer.PingContext(ctx); err != nil {
		return err
	}
	readOnly := sqliteDSN(address, "_foreign_keys=on&_query_only=true")
	if s.reader, err = sql.Open("sqlite3", readOnly); err != nil {
		return err
	}
	s.reader.SetMaxOpenConns(sqliteReaders)
	s.reader.SetMaxIdleConns(sqliteReaders)
	if s.moments, err = sql.Open("sqlite3", readOnly); err != nil {
		return err
	}
	s.moments.SetMaxOpenConns(maxSnapshots)
	return s.reader.PingContext(ctx)
}

// makeFile makes a missing SQLite file that nobody but its owner can read; the
// files beside it take over its mode.
func makeFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the operator's own path
	if err != nil {
		return fmt.Errorf("make the database file: %w", err)
	}
	return f.Close()
}

// sqliteDSN: WAL for readers beside the writer; FULL so that what was
// acknowledged survives a power loss; 5 s of patience with another process.
func sqliteDSN(path, extra string) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() +
		"?_journal_mode=WAL&_busy_timeout=5000&_synchronous=FULL&_loc=UTC&" + extra
}

func (s *Store) client(db *sql.DB) *ent.Client {
	var drv dialect.Driver = entsql.OpenDB(s.dialect, db)
	if s.observer != nil {
		drv = observed{drv, s.observer}
	}
	c := ent.NewClient(ent.Driver(drv))
	access.Guard(c, &s.changes)
	return c
}

// Changes counts the writes to this store that may change what anybody may do.
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

// Ready reports whether the database answers; on SQLite also whether its one
// writer is free.
func (s *Store) Ready(ctx context.Context) error {
	tx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("database not writable: %w", err)
	}
	return tx.Rollback()
}

// Postgres reports whether several servers may share this database.
func (s *Store) Postgres() bool { return s.dialect == dialect.Postgres }

// Tx is one transaction. What it does is seen by nobody before the commit.
type Tx struct {
	*ent.Tx
	after []func()
}

// AfterCommit has f called once the transaction is committed, in the order of
// the calls. f must not block; it is for waking somebody.
func (tx *Tx) AfterCommit(f func()) { tx.after = append(tx.after, f) }

// InTx runs f in a transaction: committed when f returns nil, else rolled back.
// It fails with TIMEOUT when the database is busy or full for the moment.
// f is short, does no input or output of its own, and opens no transaction. It
// may be cut off by ctx up to the commit.
func (s *Store) InTx(ctx context.Context, f func(tx *Tx) error) (err error) {
	etx, err := s.write.Tx(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", unavailable(err))
	}
	tx := &Tx{Tx: etx}
	done := false
	defer func() {
		if !done {
			err = errors.Join(err, ignoreDone(etx.Rollback()))
		}
	}()
	if err := f(tx); err != nil {
		return unavailable(err)
	}
	if err := etx.Commit(); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err() // the driver only says that the transaction is over
		}
		return fmt.Errorf("commit: %w", unavailable(err))
	}
	done = true
	for _, wake := range tx.after {
		wake()
	}
	return nil
}

// InAccount is InTx for a change inside one account. All of them are in one
// order: PostgreSQL locks the account's row, SQLite has one writer. So f may
// count and compare what it is about to change. On PostgreSQL NOT_FOUND when
// there is no such account.
func (s *Store) InAccount(ctx context.Context, accountID string, f func(tx *Tx) error) error {
	return s.InAccounts(ctx, []string{accountID}, f)
}

// InAccounts is InAccount for a change of one thing that several accounts show,
// such as a person's name: all of them hear of it, or none. It locks them in
// the order of their ids, so that two such changes never wait for each other;
// and nothing else holds more than one.
func (s *Store) InAccounts(ctx context.Context, accountIDs []string, f func(tx *Tx) error) error {
	return s.InTx(ctx, func(tx *Tx) error {
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

// SkipLocked returns a query modifier that locks the rows it reads until the
// transaction ends, and skips rows locked by others; on SQLite, where there is
// one writer, it does nothing.
func (s *Store) SkipLocked() func(*entsql.Selector) {
	return func(sel *entsql.Selector) {
		if s.Postgres() {
			sel.ForUpdate(entsql.WithLockAction(entsql.SkipLocked))
		}
	}
}

// ignoreDone drops the complaint of rolling back what a lost connection or
// an expired context has already ended.
func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}
