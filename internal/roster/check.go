package roster

import (
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
