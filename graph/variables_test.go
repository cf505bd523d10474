package graph_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"

	"github.com/convoke-dev/convoke/graph"
)

// jsonValues are values of each kind that JSON has.
var jsonValues = map[string]string{
	"a boolean": `true`, "a small number": `2`, "a number of 33 bits": `2147483648`, "a fraction": `2.5`, "an exponent": `1e400`,
	"a digit in a string": `"2"`, "a moment in a string": `"2030-01-31T12:00:00Z"`, "a list of lists": `[["x"]]`, "an object": `{"x":1}`,
}

// accepted are the values in jsonValues that each scalar accepts.
var accepted = map[string][]string{
	"Boolean":       {"a boolean"},
	"Int":           {"a small number"},
	"Float":         {"a small number", "a number of 33 bits", "a fraction"},
	"ID":            {"a small number", "a number of 33 bits", "a digit in a string", "a moment in a string"},
	"String":        {"a digit in a string", "a moment in a string"},
	"DateTime":      {"a moment in a string"},
	"EmailAddress":  {"a digit in a string", "a moment in a string"},
	"PermissionKey": {"a digit in a string", "a moment in a string"},
	"EventCursor":   {"a digit in a string", "a moment in a string"},
}

func TestWhatEachScalarAccepts(t *testing.T) {
	t.Parallel()
	for name, def := range graph.Schema().Types {
		if def.Kind != ast.Scalar {
			continue
		}
		accepts, listed := accepted[name]
		if !listed {
			t.Errorf("no row for scalar %s", name)
		}
		for what, value := range jsonValues {
			wrong := checkVariable(t, name+"!", value)
			want := true
			for _, a := range accepts {
				want = want && a != what
			}
			if (wrong != "") != want {
				t.Errorf("%s, given %s: got %q", name, what, wrong)
			}
			if list := checkVariable(t, "["+name+"!]", value); (list != "") != want && what != "a list of lists" {
				t.Errorf("a list of %s, given %s: got %q", name, what, list)
			}
		}
	}
}

func TestWrongValuesOfVariables(t *testing.T) {
	t.Parallel()
	const noMoment = `Variable "$v" has a wrong value: DateTime is a string in RFC 3339, such as 2030-01-31T12:00:00Z.`
	for _, c := range []struct{ rule, typ, value, want string }{
		{"a missing value", "ID!", "", `Variable "$v" has a wrong value: a value of type "ID!" is required.`},
		{"a missing value that may be missing", "ID", "", ""},
		{"a moment", "DateTime!", `"2030-01-31T12:00:00.5+01:00"`, ""},
		{"a moment with a short hour", "DateTime!", `"2030-01-31T1:00:00Z"`, noMoment},
		{"a moment with a comma", "DateTime!", `"2030-01-31T12:00:00,5Z"`, noMoment},
		{"a moment with an offset of a day", "DateTime!", `"2030-01-31T12:00:00+24:00"`, noMoment},
		{"a moment that is in another year in UTC", "DateTime!", `"9999-12-31T23:59:59-01:00"`, noMoment},
		{"null", "ID!", "null", `Variable "$v" has a wrong value: null is not allowed for type "ID!".`},
		{"null that is allowed", "ID", "null", ""},
		{"a single value for a list", "[ID!]!", `"a"`, ""},
		{"null in a list", "[ID!]", `["a", null]`, `Variable "$v" has a wrong value at "v[1]": null is not allowed for type "ID!".`},
		{"an enum", "OrderDirection", `"ASC"`, ""},
		{"an enum in other letters", "OrderDirection", `"asc"`, `Variable "$v" has a wrong value: it is not one of the values of enum "OrderDirection".`},
		{"an enum's number", "OrderDirection", `0`, `Variable "$v" has a wrong value: it is not one of the values of enum "OrderDirection".`},
		{"an input", "MemberOrder", `{"field": "NAME"}`, ""},
		{"an input without a required field", "MemberOrder", `{}`, `Variable "$v" has a wrong value at "v.field": a value of type "MemberOrderField!" is required.`},
		{"an input with an unknown field", "MemberOrder", `{"field": "NAME", "x": 1}`, `Variable "$v" has a wrong value at "v.x": input "MemberOrder" has no such field.`},
		{"an input that is text", "MemberOrder", `"NAME"`, `Variable "$v" has a wrong value: "MemberOrder" is an input object, and not a string.`},
		{
			"a number as text, deep inside", "InviteUserInput", `{"teamId": "t", "email": "a@x.org", "grant": {"chosen": {"roleIds": ["r"]}}, "expiresInHours": "2"}`,
			`Variable "$v" has a wrong value at "v.expiresInHours": Int cannot be a string.`,
		},
		{
			"an object for a text, deep inside", "InviteUserInput", `{"teamId": "t", "email": "a@x.org", "grant": {"chosen": {"roleIds": [{}]}}}`,
			`Variable "$v" has a wrong value at "v.grant.chosen.roleIds[0]": ID cannot be an object.`,
		},
		{"none of @oneOf", "InvitationReference", `{}`, `Variable "$v" has a wrong value: exactly one field of "InvitationReference" must be set, and not 0.`},
		{"two of @oneOf", "InvitationReference", `{"token": "a", "id": null}`, `Variable "$v" has a wrong value: exactly one field of "InvitationReference" must be set, and not 2.`},
		{"null in @oneOf", "InvitationReference", `{"token": null}`, `Variable "$v" has a wrong value at "v.token": null is not allowed in "InvitationReference".`},
		{"one of @oneOf", "InvitationReference", `{"token": "a"}`, ""},
	} {
		if got := checkVariable(t, c.typ, c.value); got != c.want {
			t.Errorf("%s: got  %s\nwant %s", c.rule, got, c.want)
		}
	}
}

// Errors about a variable neither repeat its value nor become more than ten.
func TestErrorsAboutVariablesAreShort(t *testing.T) {
	t.Parallel()
	doc := parsed(t, "ChangePasswordInput!")
	many := map[string]any{"newPassword": map[string]any{"hunter2": "hunter2"}}
	for i := range 1000 {
		many[strings.Repeat("x", i+1)] = "hunter2"
	}
	wrong := graph.CheckVariables(graph.Schema(), doc, map[string]any{"v": many})
	if len(wrong) != 10 {
		t.Errorf("got %d errors, want 10", len(wrong))
	}
	if text := wrong.Error(); strings.Contains(text, "hunter2") {
		t.Errorf("a value is repeated: %s", text)
	}
}

func parsed(t *testing.T, typ string) *ast.OperationDefinition {
	t.Helper()
	doc, err := parser.ParseQuery(&ast.Source{Input: "query($v: " + typ + ") { __typename }"})
	if err != nil {
		t.Fatal(err)
	}
	return doc.Operations[0]
}

// checkVariable checks one variable of the type with the value in JSON; an empty text
// gives it no value. It returns the first error, empty when there is none.
func checkVariable(t *testing.T, typ, value string) string {
	t.Helper()
	values := map[string]any{}
	if value != "" {
		numbers := json.NewDecoder(strings.NewReader(`{"v":` + value + `}`))
		numbers.UseNumber()
		if err := numbers.Decode(&values); err != nil {
			t.Fatal(err)
		}
	}
	wrong := graph.CheckVariables(graph.Schema(), parsed(t, typ), values)
	if len(wrong) == 0 {
		return ""
	}
	if code := wrong[0].Extensions["code"]; code != "GRAPHQL_VALIDATION_FAILED" {
		t.Errorf("%s given %s: got code %v", typ, value, code)
	}
	return wrong[0].Message
}

// FuzzCheckVariables has the precondition of CheckVariables: the types of variables are
// input types of the schema, which validation ensures.
func FuzzCheckVariables(f *testing.F) {
	for _, value := range jsonValues {
		for _, typ := range []string{"Boolean", "Int!", "Float", "[ID!]!", "[[String]]", "DateTime", "OrderDirection", "InvitationReference", "MemberOrder!", "[InviteUserInput!]"} {
			f.Add(typ, value)
		}
	}
	f.Add("InviteUserInput!", `{"teamId": "t", "email": "a@x.org", "grant": {"chosen": {"roleIds": ["r", {}, null]}}, "expiresInHours": 2.5}`)
	f.Add("InvitationReference", `{"token": "a", "id": null}`)
	f.Add("PersonFilter", `{"status": "ACTIVE", "search": null}`)
	f.Add("Float", `1e999`)
	f.Add("ID", `-9223372036854775809`)
	f.Fuzz(func(t *testing.T, typ, value string) {
		doc, err := parser.ParseQuery(&ast.Source{Input: "query($v: " + typ + ") { __typename }"})
		if err != nil || len(doc.Operations) != 1 || len(doc.Operations[0].VariableDefinitions) != 1 {
			return
		}
		op := doc.Operations[0]
		if def := graph.Schema().Types[op.VariableDefinitions[0].Type.Name()]; def == nil || !def.IsInputType() {
			return
		}
		op.VariableDefinitions[0].Definition = graph.Schema().Types[op.VariableDefinitions[0].Type.Name()]
		var values map[string]any
		numbers := json.NewDecoder(strings.NewReader(`{"v":` + value + `,"secret":0}`))
		numbers.UseNumber()
		if numbers.Decode(&values) != nil {
			return
		}
		_, refused := validator.VariableValues(graph.Schema(), op, values) // comes first, and changes the values
		wrong := graph.CheckVariables(graph.Schema(), op, values)
		if len(wrong) > 10 {
			t.Errorf("%s given %s: got %d errors, want at most 10", typ, value, len(wrong))
		}
		for _, err := range wrong {
			if err.Extensions["code"] != "GRAPHQL_VALIDATION_FAILED" || err.Extensions["variable"] != "$v" {
				t.Errorf("%s given %s: got %v, %v", typ, value, err, err.Extensions)
			}
		}
		// gqlgen accepts more, but nothing less.
		if refused != nil && len(wrong) == 0 {
			t.Errorf("%s given %s is accepted, and by gqlgen %v", typ, value, refused)
		}
	})
}
