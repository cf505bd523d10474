package graph

import (
	"context"
	"encoding/json"
	"math"
	"reflect"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/convoke-dev/convoke/graph/relay"
	"github.com/convoke-dev/convoke/internal/fault"
)

// Limits refuses operations that are too deep, select too many fields, or may return too
// many values, before they run. Each fragment is measured once, however often it is spread.
type Limits struct {
	Cost
	// Introspection lets clients ask for the schema.
	Introspection bool
}

// Cost is the size of an operation, or the largest size that is allowed.
type Cost struct {
	// Depth is how many levels deep fields are selected.
	Depth int `json:"depth"`
	// Fields is how many fields are selected, each spread of a fragment anew.
	Fields int `json:"fields"`
	// Values counts each field as often as the lists it stands in have elements. Before an
	// operation runs, these are the sizes of its pages.
	Values int `json:"values"`
}

// CostOf measures an operation.
func CostOf(op *graphql.OperationContext) Cost { return extentOf(op).Cost }

func extentOf(op *graphql.OperationContext) extent {
	m := measure{variables: op.Variables, fragments: map[*ast.FragmentDefinition]extent{}}
	return m.set(op.Operation.SelectionSet)
}

// ExtensionName returns the name of this gqlgen extension.
func (Limits) ExtensionName() string { return "ConvokeLimits" }

// Validate accepts every schema.
func (Limits) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext measures the operation and leaves it as it is. It fails with
// QUERY_TOO_COMPLEX, or with GRAPHQL_VALIDATION_FAILED for introspection.
func (l Limits) MutateOperationContext(_ context.Context, op *graphql.OperationContext) *gqlerror.Error {
	e := extentOf(op)
	switch {
	case e.introspects && !l.Introspection:
		return refuse(errcode.ValidationFailed, "Introspection is off here; read /schema.graphql.")
	case e.Depth > l.Depth:
		return refuse(string(fault.QueryTooComplex), "The operation is %d levels deep, at most %d are allowed.", e.Depth, l.Depth)
	case e.Fields > l.Fields:
		return refuse(string(fault.QueryTooComplex), "The operation selects %d fields, at most %d are allowed.", e.Fields, l.Fields)
	case e.Values > l.Values:
		return refuse(string(fault.QueryTooComplex), "The operation may answer with %d values, at most %d are allowed: ask for smaller pages.", e.Values, l.Values)
	}
	return nil
}

func refuse(code, format string, args ...any) *gqlerror.Error {
	err := gqlerror.Errorf(format, args...)
	errcode.Set(err, code)
	return err
}

// extent is the cost of a selection, and whether it asks for the schema. Introspection is not
// measured: a setting of its own allows it.
type extent struct {
	Cost
	introspects bool
}

// measure measures selections. Each object may say its __typename once without a charge,
// because clients with a cache ask for it everywhere. Under other names it is charged.
type measure struct {
	variables map[string]any
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
				if s.Name == "__typename" && s.Alias != s.Name {
					whole.Values = add(whole.Values, 1)
				}
				continue
			}
			e = m.set(s.SelectionSet)
			e.Depth++
			e.Fields = add(e.Fields, 1)
			e.Values = add(times(e.Values, m.elements(s)), 1)
		case *ast.InlineFragment:
			e = m.set(s.SelectionSet)
		case *ast.FragmentSpread:
			e = m.fragment(s.Definition)
		}
		whole.Depth = max(whole.Depth, e.Depth)
		whole.Fields = add(whole.Fields, e.Fields)
		whole.Values = add(whole.Values, e.Values)
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

// elements returns how many elements a field may have: the page size for a connection,
// for a list as many as one of its arguments names, one for anything else. What other
// lists hold is charged when it is known: see budget.
func (m measure) elements(f *ast.Field) int {
	switch {
	case f.Definition == nil:
		return 1
	case f.Definition.Type.Elem != nil && len(f.Arguments) > 0:
		named := 1
		for _, value := range f.ArgumentMap(m.variables) {
			if list := reflect.ValueOf(value); list.Kind() == reflect.Slice {
				named = max(named, list.Len())
			}
		}
		return named
	case !strings.HasSuffix(f.Definition.Type.Name(), "Connection"):
		return 1
	}
	args := f.ArgumentMap(m.variables)
	for _, name := range []string{"first", "last"} {
		switch n := args[name].(type) {
		case int64:
			return int(max(n, 1))
		case int:
			return max(n, 1)
		case json.Number:
			if n, err := n.Int64(); err == nil {
				return int(max(n, 1))
			}
		}
	}
	return relay.DefaultPage
}

func times(a, b int) int {
	if a != 0 && b > math.MaxInt/a {
		return math.MaxInt
	}
	return a * b
}

// add returns the sum, or the largest integer where that would overflow.
func add(a, b int) int {
	if a > math.MaxInt-b {
		return math.MaxInt
	}
	return a + b
}
