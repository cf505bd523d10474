package server_test

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/internal/testdb"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/server"
)

// introspection is the part of the schema that TestTheShapeOfInputs reads.
const introspection = `{ __schema {
	mutationType { fields { name args { name type { ofType { name } } } type { name } } }
	types { name kind isOneOf specifiedByURL inputFields { name type { name ofType { name ofType { name ofType { name } } } } } } } }`

func TestTheShapeOfInputs(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		t.Helper()
		w := testkit.New(t, address, func(c *server.Config) { c.Introspection = true })
		a := w.Anonymous().Do(introspection, nil).OK()
		t.Run("FE-12 each mutation has an input and a payload of its own", func(t *testing.T) {
			for _, f := range objects(a.At("__schema.mutationType.fields")) {
				name := f["name"].(string)
				own := strings.ToUpper(name[:1]) + name[1:]
				equal(t, "payload of "+name, f["type"].(map[string]any)["name"], any(own+"Payload"))
				for _, arg := range objects(f["args"]) {
					equal(t, "argument of "+name, arg["name"], any("input"))
					equal(t, "input of "+name, arg["type"].(map[string]any)["ofType"].(map[string]any)["name"], any(own+"Input"))
				}
			}
		})
		t.Run("FE-12 inputs have the scalars of the outputs", func(t *testing.T) {
			for _, d := range objects(a.At("__schema.types")) {
				for _, f := range objects(d["inputFields"]) {
					if name := f["name"].(string); name == "email" || name == "emails" {
						equal(t, d["name"].(string)+"."+name, innermost(f["type"]), "EmailAddress")
					}
				}
			}
		})
		t.Run("FE-12 scalars of our own say where they are specified, and a choice of one is @oneOf", func(t *testing.T) {
			var oneOf []string
			for _, d := range objects(a.At("__schema.types")) {
				name := d["name"].(string)
				switch name {
				case "Int", "String", "Boolean", "ID", "Float":
				default:
					if url, _ := d["specifiedByURL"].(string); d["kind"] == "SCALAR" && !strings.HasPrefix(url, "https://") {
						t.Errorf("%s is specified by %q", name, url)
					}
				}
				if d["isOneOf"] == true {
					oneOf = append(oneOf, name)
				}
			}
			equalList(t, "@oneOf", oneOf, "InvitationGrantInput", "InvitationReference", "UnblockInvitationsInput")
		})
	})
}

func TestTheSchemaIsUnderGuard(t *testing.T) {
	t.Parallel()
	w := surface(t)
	snapshot, err := os.ReadFile("../graph/guard/schema.graphql")
	if err != nil {
		t.Fatal(err)
	}
	served := fetch(t, http.MethodGet, w.URL+"/schema.graphql")
	t.Run("FE-17 the server serves what the snapshot has", func(t *testing.T) {
		t.Parallel()
		if served.body != string(snapshot) {
			t.Error("/schema.graphql is not graph/guard/schema.graphql: run make generate")
		}
	})
	t.Run("FE-17 /schema.graphql has an ETag", func(t *testing.T) {
		t.Parallel()
		tag := served.header.Get("ETag")
		equal(t, "an unchanged schema", send(t, http.MethodGet, w.URL+"/schema.graphql", "", "If-None-Match", tag).status, http.StatusNotModified)
		equal(t, "a changed schema", send(t, http.MethodGet, w.URL+"/schema.graphql", "", "If-None-Match", `"other"`).status, http.StatusOK)
	})
}

// objects returns the elements of a JSON list of objects; none of null.
func objects(list any) []map[string]any {
	elements, _ := list.([]any)
	found := make([]map[string]any, len(elements))
	for i, e := range elements {
		found[i], _ = e.(map[string]any)
	}
	return found
}

// innermost returns the name of the type within all lists and non-nulls.
func innermost(typ any) string {
	t, _ := typ.(map[string]any)
	for t["ofType"] != nil {
		t, _ = t["ofType"].(map[string]any)
	}
	name, _ := t["name"].(string)
	return name
}
