package server

import (
	"context"
	"net/http"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/convoke-dev/convoke/graph"
)

// strict is a transport whose operations have variables as the specification has them.
type strict struct{ graphql.Transport }

// Do executes the operation with checked variables.
func (t strict) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	t.Transport.Do(w, r, strictExecutor{exec})
}

// strictExecutor checks variables before an operation runs. gqlgen's executor accepts more
// than the specification, but nothing less.
type strictExecutor struct{ graphql.GraphExecutor }

const (
	// maxRefusals is the greatest number of errors of an operation that cannot run. gqlgen
	// adds rules of its own to the bounded graph.ValidationRules.
	maxRefusals = 20
	// maxRefusalText is the greatest length of the message of one, in bytes. The message may
	// repeat a name of the document.
	maxRefusalText = 500
)

// CreateOperationContext returns the operation, or why it cannot run. Errors in the document
// come before errors in the variables, and these before a limit.
func (e strictExecutor) CreateOperationContext(ctx context.Context, params *graphql.RawParams) (*graphql.OperationContext, gqlerror.List) {
	op, refused := e.GraphExecutor.CreateOperationContext(ctx, params)
	refused = refused[:min(len(refused), maxRefusals)]
	for _, err := range refused {
		err.Message = cut(err.Message, maxRefusalText)
	}
	if op.Operation == nil {
		return op, refused
	}
	if wrong := graph.CheckVariables(graph.Schema(), op.Operation, params.Variables); len(wrong) > 0 {
		return op, wrong
	}
	return op, refused
}

// cut returns at most so many bytes of a text, without half of a character at the end, and
// an ellipsis when something is missing.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
