package roster

import (
	"context"
	"fmt"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/text"
)

// expect fails with CONFLICT when the client has seen another version.
func expect(version *int, current int) *fault.Error {
	if version != nil && *version != current {
		return fault.Input(fault.Conflict, "Somebody else has changed this meanwhile; look at it again.", "expectedVersion")
	}
	return nil
}

// name returns a name that must not be empty. BLANK, TOO_LONG.
func name(typed string) (string, *fault.Error) {
	clean, bad := text.Line(typed, "name")
	if bad == nil && clean == "" {
		bad = fault.Input(fault.Blank, "A name is needed.", "name")
	}
	return clean, bad
}

// found turns ent's not-found error about the thing acted upon into NOT_FOUND.
func found[T any](row T, err error, what string) (T, error) {
	if ent.IsNotFound(err) {
		return row, fault.Refuse(fault.NotFound, "There is no such %s.", what)
	}
	if err != nil {
		return row, fmt.Errorf("find the %s: %w", what, err)
	}
	return row, nil
}

// anyExists reports whether one of the queries finds a row. It stops at the
// first that does.
func anyExists(ctx context.Context, queries ...interface {
	Exist(ctx context.Context) (bool, error)
}) (bool, error) {
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
