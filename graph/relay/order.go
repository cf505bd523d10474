package relay

import (
	"cmp"
	"fmt"
	"time"

	"entgo.io/ent/dialect/sql"
)

// Kind is the type of an order's column and keys.
type Kind int

// The kinds of keys. Stored times are whole microseconds, which is PostgreSQL's precision.
// The cursor of a finer time would be refused.
const (
	Time   Kind = iota // time.Time
	Text               // string, sorted by bytes: on PostgreSQL the column has the collation "C"
	Number             // int64
)

// Order is the order of a list: by a column that is never null, and for equal values by id
// in the same direction. Without a column, all rows have the same key.
type Order[T any] struct {
	// Name is part of every cursor, so that the cursor of another list or order is
	// refused. Both directions have the same name, because a position is valid in both.
	Name       string
	Column     string
	Kind       Kind
	Descending bool
	// Same is the key of every row, for an order without a column.
	Same any
	// Position returns the value of the column, which has the order's kind, and the id.
	// Reading a page fails when the key is of another kind.
	Position func(T) (key any, id string)
}

// In returns the order in that direction.
func (o Order[T]) In(descending bool) Order[T] {
	o.Descending = descending
	return o
}

func (o Order[T]) at(row T) (position, error) {
	p := position{}
	p.key, p.id = o.Position(row)
	ok := false
	switch o.Kind {
	case Time:
		_, ok = p.key.(time.Time)
	case Text:
		_, ok = p.key.(string)
	case Number:
		_, ok = p.key.(int64)
	}
	if !ok {
		return position{}, fmt.Errorf("order %s: the key of %s is a %T, not of its kind", o.Name, p.id, p.key)
	}
	return p, nil
}

func ordered[O ~func(*sql.Selector)](column string, descending bool) O {
	return func(s *sql.Selector) {
		columns := []string{s.C("id")}
		if column != "" {
			columns = []string{s.C(column), s.C("id")}
		}
		for _, c := range columns {
			if descending {
				c = sql.Desc(c)
			}
			s.OrderBy(c)
		}
	}
}

func beyond[P ~func(*sql.Selector), T any](o Order[T], p position, greater bool) P {
	return func(s *sql.Selector) {
		columns, keys := []string{s.C(o.Column), s.C("id")}, []any{p.key, p.id}
		if o.Column == "" {
			if c := compareKeys(o.Same, p.key); c != 0 {
				if (c > 0) != greater {
					s.Where(sql.False())
				}
				return
			}
			columns, keys = columns[1:], keys[1:]
		}
		if greater {
			s.Where(sql.CompositeGT(columns, keys...))
		} else {
			s.Where(sql.CompositeLT(columns, keys...))
		}
	}
}

// compareKeys compares two keys of the same kind as the database does.
func compareKeys(a, b any) int {
	switch a := a.(type) {
	case time.Time:
		b, _ := b.(time.Time)
		return a.Compare(b)
	case int64:
		b, _ := b.(int64)
		return cmp.Compare(a, b)
	case string:
		b, _ := b.(string)
		return cmp.Compare(a, b)
	default:
		return 0
	}
}
