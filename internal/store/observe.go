package store

import (
	"context"
	"database/sql"

	"entgo.io/ent/dialect"
)

// observed is a driver that reports every statement before it is sent.
type observed struct {
	dialect.Driver
	report func(query string)
}

func (d observed) Exec(ctx context.Context, query string, args, v any) error {
	d.report(query)
	return d.Driver.Exec(ctx, query, args, v)
}

func (d observed) Query(ctx context.Context, query string, args, v any) error {
	d.report(query)
	return d.Driver.Query(ctx, query, args, v)
}

func (d observed) Tx(ctx context.Context) (dialect.Tx, error) {
	tx, err := d.Driver.Tx(ctx)
	if err != nil {
		return nil, err
	}
	return observedTx{tx, d.report}, nil
}

// executor is a method that ent's drivers have in addition to their interface, for
// statements written by hand.
type executor interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

type observedTx struct {
	dialect.Tx
	report func(query string)
}

func (t observedTx) Exec(ctx context.Context, query string, args, v any) error {
	t.report(query)
	return t.Tx.Exec(ctx, query, args, v)
}

func (t observedTx) Query(ctx context.Context, query string, args, v any) error {
	t.report(query)
	return t.Tx.Query(ctx, query, args, v)
}

// ExecContext runs a statement written by hand.
func (t observedTx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	t.report(query)
	return t.Tx.(executor).ExecContext(ctx, query, args...) //nolint:forcetypeassert // ent's own transaction is one
}
