package server_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/graph"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/testdb"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/server"
)

// everyKind returns the values of the schema's EventKind.
func everyKind() string {
	var kinds []string
	for _, v := range graph.Schema().Types["EventKind"].EnumValues {
		kinds = append(kinds, v.Name)
	}
	return strings.Join(kinds, ", ")
}

const described = `{ __schema {
	directives { name description args { name description } }
	types { name description inputFields { name description } enumValues { name description }
		fields { name description args { name description } } } } }`

func TestTheSchemaExplainsItself(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		t.Helper()
		w := testkit.New(t, address, func(c *server.Config) { c.Introspection = true })
		t.Run("FE-15 types, fields, arguments and values are described", func(t *testing.T) {
			a := w.Anonymous().Do(described, nil).OK()
			seen := 0
			var walk func(in string, o map[string]any)
			walk = func(in string, o map[string]any) {
				at := in + "." + o["name"].(string)
				seen++
				if text, _ := o["description"].(string); text == "" {
					t.Errorf("%s has no description", at)
				}
				for _, below := range []string{"fields", "inputFields", "enumValues", "args"} {
					for _, o := range objects(o[below]) {
						walk(at, o)
					}
				}
			}
			for _, kind := range []string{"types", "directives"} {
				for _, o := range objects(a.At("__schema." + kind)) {
					if !strings.HasPrefix(o["name"].(string), "__") {
						walk(kind, o)
					}
				}
			}
			if seen < 500 {
				t.Errorf("%d names were looked at, want all of them", seen)
			}
		})
	})
}

func TestErrorsAreListed(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	testdb.Each(t, func(t *testing.T, address string) {
		t.Helper()
		w := testkit.New(t, address, func(c *server.Config) { c.Introspection = true })
		t.Run("FE-15 docs/errors.md has every code of a user error", func(t *testing.T) {
			for _, code := range w.Anonymous().Do(`{ __type(name: "UserErrorCode") { enumValues { name } } }`, nil).OK().List("__type.enumValues", "name") {
				if !strings.Contains(string(page), "| `"+code+"` |") {
					t.Errorf("%s is not listed", code)
				}
			}
		})
		t.Run("FE-15 docs/errors.md has the codes of requests", func(t *testing.T) {
			owner := w.SignUp("olivia@acme.test")
			clerk := owner.Join("clerk@acme.test", "billing")
			for query, want := range map[string]string{
				`{`:           "GRAPHQL_PARSE_FAILED",
				`{ nothing }`: "GRAPHQL_VALIDATION_FAILED",
				`mutation { updateTeam(input: {teamId: "` + owner.TeamID + `", name: "New"}) { userErrors { code } } }`: "FORBIDDEN",
				`mutation { updateTeam(input: {teamId: "team_none", name: "New"}) { userErrors { code } } }`:            "NOT_FOUND",
				`{ team(id: "` + owner.TeamID + `") { account { teams(first: 101) { totalCount } } } }`:                 "BAD_USER_INPUT",
			} {
				equal(t, query, clerk.Do(query, nil).Code(), want)
				if !strings.Contains(string(page), "| `"+want+"` |") {
					t.Errorf("%s is not listed", want)
				}
			}
		})
	})
}

func TestTypesOfEventsAreAnEnum(t *testing.T) {
	t.Parallel()
	t.Run("FE-15 the enum has each type that is written, and no other", func(t *testing.T) {
		t.Parallel()
		var names, listed []string
		for _, typ := range event.TypesFor(func(event.Facts) bool { return true }) {
			names = append(names, typ.Name())
			kind, _, _ := strings.Cut(string(typ), ".")
			if !slices.Contains(strings.Split(everyKind(), ", "), strings.ToUpper(kind)) {
				t.Errorf("%s is of no kind of EventKind", typ)
			}
		}
		for _, v := range graph.Schema().Types["EventType"].EnumValues {
			if v.Name != event.Type("written.by a newer version").Name() {
				listed = append(listed, v.Name)
			}
		}
		equalList(t, "EventType", inOrder(listed), inOrder(names)...)
	})
}
