package store

import (
	"context"

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
