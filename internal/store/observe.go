package store

import (
	"context"
	"database/sql"
	"fmt"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
)

// watched is a driver that classifies the errors of all statements, and reports each
// statement to the observer before it is sent. Its queries, which are outside of
// transactions, are taken from the allowance of their operation: see allowance.go.
type watched struct {
	dialect.Driver
	store *Store
}

// querier are the methods that ent's drivers have in addition to their interface, for
// statements written by hand.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// begin and commit are what an observer sees of a transaction.
const (
	begin  = "BEGIN"
	commit = "COMMIT"
)

func (d watched) Exec(ctx context.Context, query string, args, v any) error {
	return d.store.exec(ctx, d.Driver, query, args, v)
}

func (d watched) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return d.store.execByHand(ctx, d.Driver, query, args)
}

func (d watched) Tx(ctx context.Context) (dialect.Tx, error) {
	if err := d.store.inject(begin); err != nil {
		return nil, d.store.classify(ctx, err)
	}
	tx, err := d.Driver.Tx(ctx)
	if err != nil {
		return nil, d.store.classify(ctx, err)
	}
	return watchedTx{tx, d.store}, nil
}

// watchedTx is watched for a transaction. The error of a commit is not classified here,
// because its outcome may be unknown: see InTx.
type watchedTx struct {
	dialect.Tx
	store *Store
}

func (t watchedTx) Exec(ctx context.Context, query string, args, v any) error {
	return t.store.exec(ctx, t.Tx, query, args, v)
}

func (t watchedTx) Query(ctx context.Context, query string, args, v any) error {
	return t.store.query(ctx, t.Tx, query, args, v)
}

// ExecContext runs a statement written by hand.
func (t watchedTx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return t.store.execByHand(ctx, t.Tx, query, args)
}

// QueryContext runs a query written by hand.
func (t watchedTx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return t.store.queryByHand(ctx, t.Tx, query, args)
}

func (t watchedTx) Commit() error {
	if err := t.store.inject(commit); err != nil {
		_ = t.Rollback() // as a database does that fails to commit
		return err
	}
	return t.Tx.Commit()
}

func (s *Store) exec(ctx context.Context, on dialect.ExecQuerier, query string, args, v any) error {
	if err := s.before(ctx, query); err != nil {
		return err
	}
	return s.classify(ctx, on.Exec(ctx, query, args, v))
}

func (s *Store) query(ctx context.Context, on dialect.ExecQuerier, query string, args, v any) error {
	if err := s.before(ctx, query); err != nil {
		return err
	}
	if err := on.Query(ctx, query, args, v); err != nil {
		return s.classify(ctx, err)
	}
	if rows, ok := v.(*entsql.Rows); ok {
		rows.ColumnScanner = watchedRows{rows.ColumnScanner, func(err error) error { return s.classify(ctx, err) }}
	}
	return nil
}

func (s *Store) execByHand(ctx context.Context, on any, query string, args []any) (sql.Result, error) {
	by, ok := on.(querier)
	if !ok {
		return nil, fmt.Errorf("%T takes no statements written by hand", on)
	}
	if err := s.before(ctx, query); err != nil {
		return nil, err
	}
	result, err := by.ExecContext(ctx, query, args...)
	return result, s.classify(ctx, err)
}

func (s *Store) queryByHand(ctx context.Context, on any, query string, args []any) (*sql.Rows, error) {
	by, ok := on.(querier)
	if !ok {
		return nil, fmt.Errorf("%T takes no queries written by hand", on)
	}
	if err := s.before(ctx, query); err != nil {
		return nil, err
	}
	rows, err := by.QueryContext(ctx, query, args...)
	return rows, s.classify(ctx, err)
}

// before reports a statement to the observer, and returns the error that a test wants it to
// fail with.
func (s *Store) before(ctx context.Context, query string) error {
	if s.observer != nil {
		s.observer(query)
	}
	return s.classify(ctx, s.inject(query))
}

func (s *Store) inject(query string) error {
	if s.failure == nil {
		return nil
	}
	return s.failure(query)
}

// watchedRows classifies the error that ends rows early.
type watchedRows struct {
	entsql.ColumnScanner
	classify func(error) error
}

// Err returns the error, if any, that ended the rows.
func (r watchedRows) Err() error { return r.classify(r.ColumnScanner.Err()) }
