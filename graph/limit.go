package graph

import (
	"context"
	"math"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/convoke-dev/convoke/internal/fault"
)

// Limits refuses operations that are too deep or select too many fields,
// before they run. Fragments are measured once each, however often they are
// spread.
type Limits struct {
	Depth  int
	Fields int
	// Introspection lets clients ask for the schema.
	Introspection bool
}

// ExtensionName names the extension to gqlgen.
func (Limits) ExtensionName() string { return "ConvokeLimits" }

// Validate has nothing to check of the schema.
func (Limits) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext changes nothing; it measures, and refuses with
// QUERY_TOO_COMPLEX, or with GRAPHQL_VALIDATION_FAILED for introspection.
func (l Limits) MutateOperationContext(_ context.Context, op *graphql.OperationContext) *gqlerror.Error {
	m := measure{fragments: map[*ast.FragmentDefinition]extent{}}
	e := m.set(op.Operation.SelectionSet)
	switch {
	case e.introspects && !l.Introspection:
		return refuse(errcode.ValidationFailed, "Introspection is off here; read /schema.graphql.")
	case e.depth > l.Depth:
		return refuse(string(fault.QueryTooComplex), "The operation is %d levels deep, at most %d are allowed.", e.depth, l.Depth)
	case e.fields > l.Fields:
		return refuse(string(fault.QueryTooComplex), "The operation selects too many fields, at most %d are allowed.", l.Fields)
	}
	return nil
}

func refuse(code, format string, args ...any) *gqlerror.Error {
	err := gqlerror.Errorf(format, args...)
	errcode.Set(err, code)
	return err
}

// extent is how deep and how wide a selection is, and whether it asks for the
// schema, which is not measured: it has a switch of its own.
type extent struct {
	depth, fields int
	introspects   bool
}

type measure struct {
	fragments map[*ast.FragmentDefinition]extent
}

func (m measure) set(selections ast.SelectionSet) extent {
	var whole extent
	for _, s := range selections {
		var e extent
		switch s := s.(type) {
		case *ast.Field:
			if strings.HasPrefix(s.Name, "__") {
				whole.introspects = whole.introspects || s.Name != "__typename"
				continue
			}
			e = m.set(s.SelectionSet)
			e.depth++
			e.fields = add(e.fields, 1)
		case *ast.InlineFragment:
			e = m.set(s.SelectionSet)
		case *ast.FragmentSpread:
			e = m.fragment(s.Definition)
		}
		whole.depth = max(whole.depth, e.depth)
		whole.fields = add(whole.fields, e.fields)
		whole.introspects = whole.introspects || e.introspects
	}
	return whole
}

func (m measure) fragment(f *ast.FragmentDefinition) extent {
	e, measured := m.fragments[f]
	if !measured {
		e = m.set(f.SelectionSet)
		m.fragments[f] = e
	}
	return e
}

// add stops at the largest number instead of running over it.
func add(a, b int) int {
	if a > math.MaxInt-b {
		return math.MaxInt
	}
	return a + b
}
