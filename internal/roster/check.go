package roster

import (
	"context"
	"fmt"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/text"
)

// conflict is CONFLICT: another transaction has changed the row first.
func conflict(field ...string) *fault.Error {
	return fault.Input(fault.Conflict, "Somebody else has changed this in the meantime. Load it again.", field...)
}

// checkVersion fails with CONFLICT when the client expects another version than
// the current one. A client that expects none passes.
func checkVersion(expected *int, current int) *fault.Error {
	if expected != nil && *expected != current {
		return conflict("expectedVersion")
	}
	return nil
}

// changed returns CONFLICT when a compare-and-set has changed no row.
func changed(n int, err error) error {
	if err != nil {
		return fmt.Errorf("change: %w", err)
	}
	if n == 0 {
		return conflict("expectedVersion")
	}
	return nil
}

// checkName returns the name without spaces around it. Fails with BLANK or
// TOO_LONG.
func checkName(typed string) (string, *fault.Error) {
	clean, bad := text.Line(typed, "name")
	if bad == nil && clean == "" {
		bad = fault.Input(fault.Blank, "Enter a name.", "name")
	}
	return clean, bad
}

// found turns ent's not-found error into NOT_FOUND. what names the kind of row for
// the message.
func found[T any](row T, err error, what string) (T, error) {
	if ent.IsNotFound(err) {
		return row, fault.Refuse(fault.NotFound, "There is no such %s.", what)
	}
	if err != nil {
		return row, fmt.Errorf("find the %s: %w", what, err)
	}
	return row, nil
}

// query is a query of any table.
type query interface {
	Exist(ctx context.Context) (bool, error)
}

// anyExists reports whether one of the queries finds a row.
func anyExists(ctx context.Context, queries ...query) (bool, error) {
	for _, q := range queries {
		if found, err := q.Exist(ctx); err != nil || found {
			return found, err
		}
	}
	return false, nil
}

// step is a statement of a change that needs several.
type step struct {
	name string
	do   func() error
}

// inOrder runs the steps. The error names the step that failed.
func inOrder(change string, steps []step) error {
	for _, s := range steps {
		if err := s.do(); err != nil {
			return fmt.Errorf("%s: %s: %w", change, s.name, err)
		}
	}
	return nil
}
