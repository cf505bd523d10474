package relay

import (
	"fmt"
	"time"

	"entgo.io/ent/dialect/sql"
)

// Kind is what the column of an order holds, and its keys are.
type Kind int

// The kinds of keys. Stored times are whole microseconds, as exact as
// PostgreSQL keeps them: the cursor of a finer one would be refused.
const (
	Time   Kind = iota // time.Time
	Text               // string, sorted as the database does
	Number             // int64
)

// Order is how a list is ordered: by a column that is never null, and by id in
// the same direction where that is equal.
type Order[T any] struct {
	// Name stands in every cursor, so that those of another list or order are
	// refused. Both directions share it: a position is good in either.
	Name       string
	Column     string
	Kind       Kind
	Descending bool
	// Position returns the value of the column, of the order's kind, and the
	// id. Reading a page fails when the key is of another kind.
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
