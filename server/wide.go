package server

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/convoke-dev/convoke/internal/fault"
)

// maxSelections is the greatest number of fields, fragments and spreads in one document.
// Validation compares each pair of fields with the same name: 1,900 of them take 135 ms,
// and 1,000 take 35 ms.
const maxSelections = 1000

// wide refuses documents with too many selections before they are validated. The limit of
// fields of an operation comes later: it needs a valid document.
type wide struct {
	parsed graphql.Cache[*ast.QueryDocument]
}

// ExtensionName returns the name of this gqlgen extension.
func (wide) ExtensionName() string { return "ConvokeWideDocuments" }

// Validate accepts every schema.
func (wide) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationParameters leaves the operation as it is. It fails with QUERY_TOO_COMPLEX.
func (w wide) MutateOperationParameters(ctx context.Context, params *graphql.RawParams) *gqlerror.Error {
	if len(params.Query) < 2*maxSelections { // a selection takes at least two bytes
		return nil
	}
	if _, validated := w.parsed.Get(ctx, params.Query); validated {
		return nil
	}
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: params.Query}, maxTokens)
	if err != nil {
		return nil //nolint:nilerr // gqlgen parses it again, and reports the error
	}
	n := len(doc.Fragments)
	for _, o := range doc.Operations {
		n += selections(o.SelectionSet)
	}
	for _, f := range doc.Fragments {
		n += selections(f.SelectionSet)
	}
	if n <= maxSelections {
		return nil
	}
	refused := gqlerror.Errorf("The document has %d fields and fragments, at most %d are allowed.", n, maxSelections)
	refused.Extensions = fault.Extensions(fault.QueryTooComplex)
	return refused
}

// selections counts the fields, fragments and spreads in a selection.
func selections(set ast.SelectionSet) int {
	n := len(set)
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			n += selections(s.SelectionSet)
		case *ast.InlineFragment:
			n += selections(s.SelectionSet)
		}
	}
	return n
}
