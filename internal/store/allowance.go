package store

import (
	"context"
	"database/sql"
	"math"
	"sync/atomic"

	entsql "entgo.io/ent/dialect/sql"

	"github.com/convoke-dev/convoke/internal/fault"
)

// StatementRows is how many rows a statement counts as, beside those that it returns:
// sending one takes as long as reading about as many rows.
const StatementRows = 40

// Allowance is how many rows one operation may still read outside of transactions. A
// transaction changes something, and its size is limited by the verb.
type Allowance struct {
	left atomic.Int64
}

// NewAllowance returns an allowance of so many rows.
func NewAllowance(rows int) *Allowance {
	a := &Allowance{}
	a.left.Store(int64(rows))
	return a
}

// Spent reports whether a read was refused.
func (a *Allowance) Spent() bool { return a.left.Load() < 0 }

// Stop refuses all further reads.
func (a *Allowance) Stop() { a.left.Store(math.MinInt64 / 2) }

// take takes rows from the allowance. QUERY_TOO_COMPLEX.
func (a *Allowance) take(rows int) error {
	if a == nil || a.left.Add(-int64(rows)) >= 0 {
		return nil
	}
	return fault.Refuse(fault.QueryTooComplex, "The operation reads too much.")
}

type allowanceKey struct{}

// WithAllowance returns a context in which reads are taken from the allowance. They fail with
// QUERY_TOO_COMPLEX once it is spent. Nil is no limit.
func WithAllowance(ctx context.Context, a *Allowance) context.Context {
	return context.WithValue(ctx, allowanceKey{}, a)
}

func allowanceOf(ctx context.Context) *Allowance {
	a, _ := ctx.Value(allowanceKey{}).(*Allowance)
	return a
}

func (d watched) Query(ctx context.Context, query string, args, v any) error {
	a := allowanceOf(ctx)
	if err := a.take(StatementRows); err != nil {
		return err
	}
	if err := d.store.query(ctx, d.Driver, query, args, v); err != nil {
		return err
	}
	if rows, ok := v.(*entsql.Rows); ok && a != nil {
		rows.ColumnScanner = &allowedRows{ColumnScanner: rows.ColumnScanner, of: a}
	}
	return nil
}

func (d watched) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := allowanceOf(ctx).take(StatementRows); err != nil {
		return nil, err
	}
	return d.store.queryByHand(ctx, d.Driver, query, args)
}

// allowedRows ends rows when the allowance is spent, so that the rest is neither read nor
// kept.
type allowedRows struct {
	entsql.ColumnScanner
	of      *Allowance
	refused error
}

// Next reports whether there is another row that may be read.
func (r *allowedRows) Next() bool {
	if r.refused != nil || !r.ColumnScanner.Next() {
		return false
	}
	r.refused = r.of.take(1)
	return r.refused == nil
}

// Err returns the error, if any, that ended the rows.
func (r *allowedRows) Err() error {
	if r.refused != nil {
		return r.refused
	}
	return r.ColumnScanner.Err()
}
