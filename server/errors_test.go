package server_test

import (
	"fmt"
	"strings"
	"testing"
)

// A document of 200 kB got a response of 180 MB, because each of many errors repeated a long
// name of it.
func TestErrorsStaySmall(t *testing.T) {
	t.Parallel()
	w := surface(t)
	anyone := w.Anonymous()
	long := strings.Repeat("L", 20_000)
	many := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format+" ", i)
		}
		return b.String()
	}
	for name, document := range map[string]string{
		"variables that are not defined by an operation with a long name": "query " + long + " { nodes(ids: [" + many(900, "$a%d") + "]) { id } }",
		"directives that do not exist":                                    "{ viewer " + many(900, "@a%d") + "{ user { id } } }",
		"variables that are not used":                                     "query(" + many(450, "$a%d: Int") + ") { viewer { user { id } } }",
		"fields that do not exist":                                        "{ " + many(900, "a%d") + "}",
		"fields with a long name that do not exist":                       "{ " + strings.Repeat(long+" ", 10) + "}",
		"arguments that do not exist":                                     "{ viewer(" + many(450, "a%d: 1") + ") { user { id } } }",
		"fragments that do not exist":                                     "{ " + many(600, "...F%d") + "}",
		"fragments that are not used":                                     many(200, "fragment F%d on Viewer { user { id } }") + "{ viewer { user { id } } }",
		"a long alias":                                                    "{ " + long + ": viewer { user { id } } }",
		"a long fragment":                                                 "{ viewer { ..." + long + " } } fragment " + long + " on Viewer { user { id } }",
		"a long variable":                                                 "query($" + long + ": ID!) { node(id: $" + long + ") { id } }",
		"wrong literals":                                                  "{ nodes(ids: [" + many(900, "%d.5") + "]) { id } }",
	} {
		t.Run("HARD-4 "+name, func(t *testing.T) {
			t.Parallel()
			a := anyone.Do(document, map[string]any{long: "x"})
			switch {
			case len(a.Errors) == 0:
				t.Errorf("got no error: %.200s", a.Raw)
			case len(a.Errors) > 20:
				t.Errorf("got %d errors, want at most 20", len(a.Errors))
			case len(a.Raw) > 20*1024:
				t.Errorf("got %d bytes, want at most 20 kB: %.200s", len(a.Raw), a.Raw)
			}
		})
	}
	t.Run("HARD-4 a name as long as generators make them is allowed", func(t *testing.T) {
		t.Parallel()
		name := strings.Repeat("n", 200)
		a := anyone.Do("query "+name+" { "+name+": viewer { user { id } } }", nil)
		if a.Code() == "GRAPHQL_VALIDATION_FAILED" {
			t.Errorf("got %s", a.Raw)
		}
	})
}

// Validation compares each pair of fields with the same name, so that 1,900 of them took
// 135 ms.
func TestAWideDocumentIsRefusedBeforeItIsValidated(t *testing.T) {
	t.Parallel()
	w := surface(t)
	for n, want := range map[int]string{999: "", 1000: "QUERY_TOO_COMPLEX", 1900: "QUERY_TOO_COMPLEX"} {
		t.Run("HARD-4 "+itoa(n)+" fields", func(t *testing.T) {
			t.Parallel()
			for range 2 { // the second time it may be known
				equal(t, "code", w.Anonymous().Do("{ serverInfo { "+strings.Repeat("__typename ", n)+"} }", nil).Code(), want)
			}
		})
	}
}
