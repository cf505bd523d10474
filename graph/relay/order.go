package relay

import (
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
	Text               // string, sorted as the database does
	Number             // int64
)

// Order is the order of a list: by a column that is never null, and for equal values by id
// in the same direction.
type Order[T any] struct {
	// Name is part of every cursor, so that the cursor of another list or order is
	// refused. Both directions have the same name, because a position is valid in both.
	Name       string
	Column     string
	Kind       Kind
	Descending bool
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
		if descending {
			s.OrderBy(sql.Desc(s.C(column)), sql.Desc(s.C("id")))
		} else {
			s.OrderBy(s.C(column), s.C("id"))
		}
	}
}

func beyond[P ~func(*sql.Selector)](column string, p position, greater bool) P {
	return func(s *sql.Selector) {
		columns := []string{s.C(column), s.C("id")}
		if greater {
			s.Where(sql.CompositeGT(columns, p.key, p.id))
		} else {
			s.Where(sql.CompositeLT(columns, p.key, p.id))
		}
	}
}
