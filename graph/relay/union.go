package relay

import (
	"cmp"
	"context"
	"errors"

	"entgo.io/ent/dialect/sql"
)

// Source is one of the queries a Union reads as one list.
type Source[T any] struct {
	name       string
	kind       Kind
	descending bool
	read       func(context.Context, window) ([]element[T], error)
	count      func(context.Context) (int, error)
}

// From returns a source for a query in the given order. as converts its rows to elements
// of the union.
func From[Q query[Q, R, P, O], R, T any, P, O ~func(*sql.Selector)](q Q, order Order[R], as func(R) T) Source[T] {
	q = q.Clone()
	return Source[T]{
		name: order.Name, kind: order.Kind, descending: order.Descending,
		read: func(ctx context.Context, w window) ([]element[T], error) {
			rows, err := read(ctx, q, order, w)
			if err != nil {
				return nil, err
			}
			elements := make([]element[T], len(rows))
			for i, row := range rows {
				elements[i] = element[T]{position: row.position, node: as(row.node)}
			}
			return elements, nil
		},
		count: func(ctx context.Context) (int, error) { return q.Clone().Count(ctx) },
	}
}

// Union reads one page of one or more queries as one list, with one statement for each.
// Their orders must have the same name, kind and direction. Merging compares keys as the
// database does: texts by their bytes, and ids too, which are lower-case ASCII. It fails with
// BAD_USER_INPUT for an invalid size or cursor.
func Union[T any](ctx context.Context, args Args, sources ...Source[T]) (*Connection[T], error) {
	if len(sources) == 0 {
		return nil, errors.New("union of no sources")
	}
	first := sources[0]
	for _, s := range sources {
		if s.name != first.name || s.descending != first.descending || s.kind != first.kind {
			return nil, errors.New("union of " + first.name + " and " + s.name + ": their orders differ")
		}
	}
	w, err := args.window(first.name, first.kind)
	if err != nil {
		return nil, err
	}
	lists := make([][]element[T], len(sources))
	for i, s := range sources {
		if lists[i], err = s.read(ctx, w); err != nil {
			return nil, err
		}
	}
	rows := merge(lists, w.size+1, first.descending != w.backward)
	return connect(rows, w, first.name, func(ctx context.Context) (total int, err error) {
		for _, s := range sources {
			n, err := s.count(ctx)
			if err != nil {
				return 0, err
			}
			total += n
		}
		return total, nil
	}), nil
}

// merge returns the first n elements of several ordered lists.
func merge[T any](lists [][]element[T], n int, descending bool) []element[T] {
	var merged []element[T]
	for len(merged) < n {
		next := -1
		for i, list := range lists {
			if len(list) > 0 && (next < 0 || precedes(list[0].position, lists[next][0].position, descending)) {
				next = i
			}
		}
		if next < 0 {
			break
		}
		merged, lists[next] = append(merged, lists[next][0]), lists[next][1:]
	}
	return merged
}

func precedes(a, b position, descending bool) bool {
	order := cmp.Or(compareKeys(a.key, b.key), cmp.Compare(a.id, b.id))
	if descending {
		return order > 0
	}
	return order < 0
}
