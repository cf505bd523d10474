// Package relay pages through lists by keyset, in the shape of the Relay
// cursor connections specification.
package relay

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"entgo.io/ent/dialect/sql"

	"github.com/convoke-dev/convoke/internal/fault"
)

const (
	// DefaultPage is the size of a page nobody asked a size for.
	DefaultPage = 50
	// MaxPage is the largest page.
	MaxPage = 100
)

// Args says which page of a list is wanted: the first n after a cursor, or
// the last n before one.
type Args struct {
	First  *int
	After  *string
	Last   *int
	Before *string
}

// PageInfo says where a page begins and ends.
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

	count func(context.Context) (int, error)
}

// Nodes returns the elements without their positions.
func (c *Connection[T]) Nodes() []T {
	nodes := make([]T, len(c.Edges))
	for i, e := range c.Edges {
		nodes[i] = e.Node
	}
	return nodes
}

// TotalCount counts the whole list; it is called only when it was asked for.
func (c *Connection[T]) TotalCount(ctx context.Context) (int, error) { return c.count(ctx) }

// query is what ent's generated queries have in common.
type query[Q, T any, P, O ~func(*sql.Selector)] interface {
	Where(...P) Q
	Order(...O) Q
	Limit(int) Q
	Clone() Q
	All(context.Context) ([]T, error)
	Count(context.Context) (int, error)
}

// Order is how a list is ordered: by a column of times, and by id where those
// are equal.
type Order[T any] struct {
	Column     string
	Descending bool
	Position   func(T) (at time.Time, id string)
}

// Page reads one page of the query in that order: one statement, whatever the
// length of the list. BAD_USER_INPUT for a size or cursor that makes no sense.
func Page[Q query[Q, T, P, O], T any, P, O ~func(*sql.Selector)](ctx context.Context, q Q, args Args, order Order[T]) (*Connection[T], error) {
	size, backward, err := args.size()
	if err != nil {
		return nil, err
	}
	whole := q.Clone()
	page := q.Clone()
	for _, bound := range []struct {
		cursor *string
		after  bool
	}{{args.After, true}, {args.Before, false}} {
		if bound.cursor == nil {
			continue
		}
		at, id, err := parse(*bound.cursor)
		if err != nil {
			return nil, err
		}
		page = page.Where(beyond[P](order.Column, at, id, bound.after != order.Descending))
	}
	rows, err := page.Order(ordered[O](order.Column, order.Descending != backward)).Limit(size + 1).All(ctx)
	if err != nil {
		return nil, err
	}
	more := len(rows) > size
	if more {
		rows = rows[:size]
	}
	if backward {
		slices.Reverse(rows)
	}
	c := &Connection[T]{Edges: make([]*Edge[T], len(rows)), PageInfo: &PageInfo{}, count: whole.Count}
	for i, row := range rows {
		c.Edges[i] = &Edge[T]{Cursor: encode(order.Position(row)), Node: row}
	}
	if backward {
		c.PageInfo.HasPreviousPage, c.PageInfo.HasNextPage = more, args.Before != nil
	} else {
		c.PageInfo.HasNextPage, c.PageInfo.HasPreviousPage = more, args.After != nil
	}
	if n := len(c.Edges); n > 0 {
		c.PageInfo.StartCursor, c.PageInfo.EndCursor = &c.Edges[0].Cursor, &c.Edges[n-1].Cursor
	}
	return c, nil
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

func ordered[O ~func(*sql.Selector)](column string, descending bool) O {
	return func(s *sql.Selector) {
		if descending {
			s.OrderBy(sql.Desc(s.C(column)), sql.Desc(s.C("id")))
		} else {
			s.OrderBy(s.C(column), s.C("id"))
		}
	}
}

func beyond[P ~func(*sql.Selector)](column string, at time.Time, id string, greater bool) P {
	return func(s *sql.Selector) {
		columns := []string{s.C(column), s.C("id")}
		if greater {
			s.Where(sql.CompositeGT(columns, at, id))
		} else {
			s.Where(sql.CompositeLT(columns, at, id))
		}
	}
}

func encode(at time.Time, id string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(at.UTC().Format(time.RFC3339Nano) + "|" + id))
}

func parse(cursor string) (at time.Time, id string, err error) {
	refused := fault.Refuse(fault.BadUserInput, "The cursor is not one of this list.")
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return at, "", refused
	}
	moment, id, ok := strings.Cut(string(raw), "|")
	if !ok || !utf8.ValidString(id) || strings.ContainsRune(id, 0) {
		return at, "", refused
	}
	if at, err = time.Parse(time.RFC3339Nano, moment); err != nil {
		return at, "", refused
	}
	return at.UTC(), id, nil
}
