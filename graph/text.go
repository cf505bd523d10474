package graph

import (
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/core"
)

// maxText is the greatest length of one text in a document or in its variables, in bytes.
// Most fields have a smaller limit of their own. ID tokens are the longest texts that
// are of use.
const maxText = 16 << 10

// textProblem returns what is wrong with the length of a text; empty when it is right.
func textProblem(text string) string {
	if len(text) <= maxText {
		return ""
	}
	return fmt.Sprintf("a text has at most %d bytes, and not %d", maxText, len(text))
}

// textLength refuses literals that are longer than maxText.
func textLength(observers *core.Events, addError core.AddErrFunc) {
	observers.OnValue(func(_ *core.Walker, value *ast.Value) {
		if value.Kind != ast.StringValue && value.Kind != ast.BlockValue {
			return
		}
		if problem := textProblem(value.Raw); problem != "" {
			addError(core.Message("A literal is too long: %s.", problem), core.At(value.Position))
		}
	})
}
