package graph

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/convoke-dev/convoke/graph/model"
)

// maxWrongValues is the greatest number of errors about the variables of one request.
const maxWrongValues = 10

// CheckVariables checks the values of an operation's variables, as JSON has them with
// numbers as json.Number, by the rules for input coercion: sections 3.5, 3.6, 3.9 to 3.12
// and 6.1.2 of the GraphQL specification, September 2025. gqlparser accepts more: "2" for
// an Int, 7 for a String, enum values in any case, and anything for a custom scalar. The
// operation must have been validated: its types are those of the schema.
//
// Each error has the code GRAPHQL_VALIDATION_FAILED and names the variable and the path in
// it. No error repeats a value, because it may be a password.
func CheckVariables(schema *ast.Schema, op *ast.OperationDefinition, values map[string]any) gqlerror.List {
	var wrong gqlerror.List
	for _, v := range op.VariableDefinitions {
		c := coercion{schema: schema, variable: v}
		value, given := values[v.Variable]
		switch {
		case !given && v.DefaultValue == nil && v.Type.NonNull:
			c.refuse(nil, "a value of type %q is required", v.Type)
		case given:
			c.check(v.Type, value, nil)
		}
		wrong = append(wrong, c.wrong...)
	}
	return wrong[:min(len(wrong), maxWrongValues)]
}

// coercion checks the value of one variable.
type coercion struct {
	schema   *ast.Schema
	variable *ast.VariableDefinition
	wrong    gqlerror.List
}

func (c *coercion) refuse(path ast.Path, format string, args ...any) {
	if len(c.wrong) == maxWrongValues {
		return
	}
	name := "$" + c.variable.Variable
	at := ""
	if len(path) > 0 {
		at = fmt.Sprintf(" at %q", c.variable.Variable+dotted(path))
	}
	err := gqlerror.ErrorPosf(c.variable.Position, "Variable %q has a wrong value%s: %s.", name, at, fmt.Sprintf(format, args...))
	errcode.Set(err, errcode.ValidationFailed)
	err.Extensions["variable"] = name
	if len(path) > 0 {
		err.Extensions["inputPath"] = path
	}
	c.wrong = append(c.wrong, err)
}

// dotted returns the path as it follows the name of a variable: .grant.chosen.roleIds[0].
func dotted(path ast.Path) string {
	text := path.String()
	if strings.HasPrefix(text, "[") {
		return text
	}
	return "." + text
}

func (c *coercion) check(typ *ast.Type, value any, path ast.Path) {
	switch {
	case value == nil:
		if typ.NonNull {
			c.refuse(path, "null is not allowed for type %q", typ)
		}
	case typ.Elem != nil:
		c.checkList(typ.Elem, value, path)
	default:
		c.checkNamed(c.schema.Types[typ.NamedType], value, path)
	}
}

// checkList accepts a single value for a list of one. gqlparser has replaced such a value
// inside of an input by a list of its type, such as []string.
func (c *coercion) checkList(elem *ast.Type, value any, path ast.Path) {
	list := reflect.ValueOf(value)
	if list.Kind() != reflect.Slice {
		c.check(elem, value, path)
		return
	}
	for i := range list.Len() {
		c.check(elem, list.Index(i).Interface(), append(slices.Clone(path), ast.PathIndex(i)))
	}
}

func (c *coercion) checkNamed(def *ast.Definition, value any, path ast.Path) {
	if text, is := value.(string); is {
		if problem := textProblem(text); problem != "" {
			c.refuse(path, "%s", problem)
			return
		}
	}
	switch def.Kind {
	case ast.InputObject:
		c.checkInput(def, value, path)
	case ast.Enum:
		name, isText := value.(string)
		if !isText || def.EnumValues.ForName(name) == nil {
			c.refuse(path, "it is not one of the values of enum %q", def.Name)
		}
	default:
		if problem := scalarProblem(def.Name, value); problem != "" {
			c.refuse(path, "%s", problem)
		}
	}
}

func (c *coercion) checkInput(def *ast.Definition, value any, path ast.Path) {
	fields, isObject := value.(map[string]any)
	if !isObject {
		c.refuse(path, "%q is an input object, and not %s", def.Name, kindOf(value))
		return
	}
	below := func(field string) ast.Path { return append(slices.Clone(path), ast.PathName(field)) }
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if def.Fields.ForName(name) == nil {
			c.refuse(below(name), "input %q has no such field", def.Name)
		}
	}
	if def.Directives.ForName("oneOf") != nil {
		c.checkOneOf(def, fields, path)
	}
	for _, f := range def.Fields {
		v, given := fields[f.Name]
		switch {
		case given:
			c.check(f.Type, v, below(f.Name))
		case f.Type.NonNull && f.DefaultValue == nil:
			c.refuse(below(f.Name), "a value of type %q is required", f.Type)
		}
	}
}

func (c *coercion) checkOneOf(def *ast.Definition, fields map[string]any, path ast.Path) {
	if len(fields) != 1 {
		c.refuse(path, "exactly one field of %q must be set, and not %d", def.Name, len(fields))
		return
	}
	for name, v := range fields {
		if v == nil {
			c.refuse(append(slices.Clone(path), ast.PathName(name)), "null is not allowed in %q", def.Name)
		}
	}
}

// scalarProblem returns what is wrong with the value of a scalar; empty when it is right.
func scalarProblem(scalar string, value any) string {
	number, isNumber := value.(json.Number)
	_, isText := value.(string)
	switch scalar {
	case "Boolean":
		if _, is := value.(bool); is {
			return ""
		}
	case "Int":
		if isNumber {
			return intProblem(number)
		}
	case "Float":
		if f, err := strconv.ParseFloat(string(number), 64); isNumber && err == nil && !math.IsInf(f, 0) {
			return ""
		}
	case "ID":
		if isText {
			return ""
		}
		if _, err := number.Int64(); isNumber && err == nil {
			return ""
		}
	case "DateTime":
		if _, err := model.UnmarshalDateTime(value); err == nil {
			return ""
		}
		return "DateTime is a string in RFC 3339, such as 2030-01-31T12:00:00Z"
	default: // String, and custom scalars that are texts
		if isText {
			return ""
		}
	}
	return fmt.Sprintf("%s cannot be %s", scalar, kindOf(value))
}

// intProblem accepts whole numbers of 32 bits that are written without fraction and exponent.
func intProblem(n json.Number) string {
	if i, err := n.Int64(); err != nil || i < math.MinInt32 || i > math.MaxInt32 {
		return "Int is a whole number of at most 32 bits"
	}
	return ""
}

// kindOf names the JSON type of a value.
func kindOf(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case json.Number:
		return "a number"
	case string:
		return "a string"
	case []any:
		return "a list"
	default:
		return "an object"
	}
}
