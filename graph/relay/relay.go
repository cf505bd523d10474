// Package relay pages through lists by keyset, in the shape of the Relay
// cursor connections specification.
package relay

import (
	"context"
	"slices"
	"sync"

	"entgo.io/ent/dialect/sql"

	"github.com/convoke-dev/convoke/internal/fault"
)

const (
	// DefaultPage is the size of a page when the client gives none.
	DefaultPage = 50
	// MaxPage is the largest page.
	MaxPage = 100
)

// Args selects a page of a list: the first n elements after a cursor, or the last n before
// one.
type Args struct {
	First  *int
	After  *string
	Last   *int
	Before *string
}

// PageInfo is the position of a page in its list.
type PageInfo struct {
	HasNextPage     bool
	HasPreviousPage bool
	StartCursor     *string
	EndCursor       *string
}

// Edge is an element with its position in the list.
type Edge[T any] struct {
	Cursor string
	Node   T
}

// Connection is one page of a list.
type Connection[T any] struct {
	Edges    []*Edge[T]
	PageInfo *PageInfo

	count   func(context.Context) (int, error)
	counted sync.Once
	total   int
	err     error
}

// Nodes returns the elements without their positions.
func (c *Connection[T]) Nodes() []T {
	nodes := make([]T, len(c.Edges))
	for i, e := range c.Edges {
		nodes[i] = e.Node
	}
	return nodes
}

// TotalCount returns how many elements the whole list has. It counts them at most once, and
// only when the field is selected. The aliases of a selection may call it at the same time.
func (c *Connection[T]) TotalCount(ctx context.Context) (int, error) {
	c.counted.Do(func() { c.total, c.err = c.count(ctx) })
	return c.total, c.err
}

// CountedBy makes TotalCount call f instead of a query. It returns the same connection.
func (c *Connection[T]) CountedBy(f func(context.Context) (int, error)) *Connection[T] {
	c.count = f
	return c
}

// query is what ent's generated queries have in common.
type query[Q, T any, P, O ~func(*sql.Selector)] interface {
	Where(...P) Q
	Order(...O) Q
	Limit(int) Q
	Clone() Q
	All(context.Context) ([]T, error)
	Count(context.Context) (int, error)
}

// Page reads one page of the query in the given order, with one statement for a list of
// any length. It fails with BAD_USER_INPUT for an invalid size or cursor.
func Page[Q query[Q, T, P, O], T any, P, O ~func(*sql.Selector)](ctx context.Context, q Q, args Args, order Order[T]) (*Connection[T], error) {
	w, err := args.window(order.Name, order.Kind)
	if err != nil {
		return nil, err
	}
	whole := q.Clone()
	rows, err := read(ctx, q, order, w)
	if err != nil {
		return nil, err
	}
	return connect(rows, w, order.Name, whole.Count), nil
}

// window is the part of a list that is read.
type window struct {
	size          int
	backward      bool
	after, before *position
}

// window checks the arguments against the list they are for.
func (a Args) window(name string, kind Kind) (w window, err error) {
	if w.size, w.backward, err = a.size(); err != nil {
		return window{}, err
	}
	for _, bound := range []struct {
		cursor   *string
		position **position
	}{{a.After, &w.after}, {a.Before, &w.before}} {
		if bound.cursor == nil {
			continue
		}
		p, err := parse(*bound.cursor, name, kind)
		if err != nil {
			return window{}, err
		}
		*bound.position = &p
	}
	return w, nil
}

func (a Args) size() (n int, backward bool, err error) {
	wanted, backward := a.First, false
	if a.Last != nil {
		if a.First != nil {
			return 0, false, fault.Refuse(fault.BadUserInput, "Give first or last, not both.")
		}
		wanted, backward = a.Last, true
	}
	if wanted == nil {
		return DefaultPage, a.Before != nil, nil
	}
	if *wanted < 0 || *wanted > MaxPage {
		return 0, false, fault.Refuse(fault.BadUserInput, "A page has between 0 and %d elements.", MaxPage)
	}
	return *wanted, backward, nil
}

// element is a row at its position.
type element[T any] struct {
	position
	node T
}

// read reads the rows of a window, from the end that the window is counted from, and one
// more row if there is one.
func read[Q query[Q, T, P, O], T any, P, O ~func(*sql.Selector)](ctx context.Context, q Q, order Order[T], w window) ([]element[T], error) {
	q = q.Clone()
	if w.after != nil {
		q = q.Where(beyond[P](order, *w.after, !order.Descending))
	}
	if w.before != nil {
		q = q.Where(beyond[P](order, *w.before, order.Descending))
	}
	nodes, err := q.Order(ordered[O](order.Column, order.Descending != w.backward)).Limit(w.size + 1).All(ctx)
	if err != nil {
		return nil, err
	}
	rows := make([]element[T], len(nodes))
	for i, node := range nodes {
		at, err := order.at(node)
		if err != nil {
			return nil, err
		}
		rows[i] = element[T]{position: at, node: node}
	}
	return rows, nil
}

// connect returns the page for the rows that were read for the window.
func connect[T any](rows []element[T], w window, name string, count func(context.Context) (int, error)) *Connection[T] {
	more := len(rows) > w.size
	if more {
		rows = rows[:w.size]
	}
	if w.backward {
		slices.Reverse(rows)
	}
	c := &Connection[T]{Edges: make([]*Edge[T], len(rows)), PageInfo: &PageInfo{}, count: count}
	for i, row := range rows {
		c.Edges[i] = &Edge[T]{Cursor: row.cursor(name), Node: row.node}
	}
	if w.backward {
		c.PageInfo.HasPreviousPage, c.PageInfo.HasNextPage = more, w.before != nil
	} else {
		c.PageInfo.HasNextPage, c.PageInfo.HasPreviousPage = more, w.after != nil
	}
	if n := len(c.Edges); n > 0 {
		c.PageInfo.StartCursor, c.PageInfo.EndCursor = &c.Edges[0].Cursor, &c.Edges[n-1].Cursor
	}
	return c
}

// Map returns the page with its elements converted.
func Map[A, B any](c *Connection[A], f func(A) B) *Connection[B] {
	out := &Connection[B]{Edges: make([]*Edge[B], len(c.Edges)), PageInfo: c.PageInfo, count: c.count}
	for i, e := range c.Edges {
		out.Edges[i] = &Edge[B]{Cursor: e.Cursor, Node: f(e.Node)}
	}
	return out
}
