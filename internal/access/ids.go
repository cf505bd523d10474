package access

import (
	"slices"

	"entgo.io/ent/dialect/sql"
)

// idSet is a set of ids of rows: sorted, and without repeats.
type idSet []string

// newIDSet returns the set of the ids. It sorts the slice in place and keeps it.
func newIDSet(ids []string) idSet {
	slices.Sort(ids)
	return slices.Compact(ids)
}

// has reports whether the id is in the set.
func (s idSet) has(id string) bool {
	_, found := slices.BinarySearch(s, id)
	return found
}

// isIn is the condition that a column holds one of the ids. No row satisfies it
// when the set is empty.
func isIn(column string, ids idSet) *sql.Predicate {
	args := make([]any, len(ids)) // the only form that sql.In takes
	for i, id := range ids {
		args[i] = id
	}
	return sql.In(column, args...)
}
