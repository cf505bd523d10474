package graph

import (
	"encoding/json"
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

const (
	// maxViolations is the greatest number of validation errors of one document.
	maxViolations = 20
	// maxName is the greatest length of a name in a document, in bytes. Response keys are
	// repeated in each element of a list, and names of operations in each error about them.
	maxName = 200
)

// ValidationRules are the rules of the GraphQL specification, one for the literals of
// custom scalars, which the specification leaves to the server, and two for the length of
// names and texts. Their errors are bounded in number, because a short document can cause many
// errors that each repeat a long name. The rules are those of one document: they
// count its errors.
func ValidationRules() *rules.Rules {
	all := rules.NewDefaultRules()
	all.AddRule("CustomScalarLiterals", customScalarLiterals)
	all.AddRule("NameLength", nameLength)
	all.AddRule("TextLength", textLength)
	reported := 0
	for name, rule := range all.GetInner() {
		all.ReplaceRule(name, func(observers *core.Events, addError core.AddErrFunc) {
			rule(observers, func(options ...core.ErrorOption) {
				if reported++; reported <= maxViolations {
					addError(options...)
				}
			})
		})
	}
	return all
}

func customScalarLiterals(observers *core.Events, addError core.AddErrFunc) {
	observers.OnValue(func(_ *core.Walker, value *ast.Value) {
		if value.Definition == nil || value.Definition.Kind != ast.Scalar || value.Definition.BuiltIn ||
			value.Kind == ast.Variable || value.Kind == ast.NullValue {
			return
		}
		if value.ExpectedType != nil && value.ExpectedType.Elem != nil && value.Kind == ast.ListValue {
			return // its elements are observed by themselves
		}
		if problem := scalarProblem(value.Definition.Name, literal(value)); problem != "" {
			addError(core.Message("%s.", problem), core.At(value.Position))
		}
	})
}

// nameLength refuses names that are longer than maxName, where a client chooses them. The
// other names in a valid document are those of the schema.
func nameLength(observers *core.Events, addError core.AddErrFunc) {
	check := func(what, name string, at *ast.Position) {
		if len(name) > maxName {
			addError(core.Message("The name of %s has %d bytes, at most %d are allowed.", what, len(name), maxName), core.At(at))
		}
	}
	observers.OnField(func(_ *core.Walker, f *ast.Field) { check("a field", f.Alias, f.Position) })
	observers.OnFragment(func(_ *core.Walker, f *ast.FragmentDefinition) { check("a fragment", f.Name, f.Position) })
	observers.OnOperation(func(_ *core.Walker, o *ast.OperationDefinition) {
		check("an operation", o.Name, o.Position)
		for _, v := range o.VariableDefinitions {
			check("a variable", v.Variable, v.Position)
		}
	})
}

// literal returns the value of a literal as JSON would have it, as far as kindOf and the
// custom scalars need it.
func literal(value *ast.Value) any {
	switch value.Kind {
	case ast.StringValue, ast.BlockValue:
		return value.Raw
	case ast.IntValue, ast.FloatValue:
		return json.Number(value.Raw)
	case ast.BooleanValue:
		return value.Raw == "true"
	case ast.ListValue:
		return []any{}
	default:
		return map[string]any{}
	}
}

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
