package archtest

import (
	"go/ast"
	"go/parser"
	"os"
	"path/filepath"
	"slices"
	"testing"

	gql "github.com/vektah/gqlparser/v2/ast"
	gqlparser "github.com/vektah/gqlparser/v2/parser"
)

func TestDomainTakesTimeFromItsClock(t *testing.T) {
	t.Parallel()
	domain := []string{"internal/invite", "internal/roster", "internal/auth", "internal/event", "internal/outbox"}
	for _, s := range sources(t, parser.SkipObjectResolution, func(s source) bool { return slices.Contains(domain, s.dir()) && !s.isTest() }) {
		uses(s, "time", "Now", func(n ast.Node) { t.Errorf("%s: got time.Now, want the clock of the struct", s.at(n)) })
	}
}

func TestTestsWaitForWhatTheyWaitFor(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t, parser.SkipObjectResolution, isTest) {
		uses(s, "time", "Sleep", func(n ast.Node) { t.Errorf("%s: got time.Sleep, want a channel", s.at(n)) })
	}
}

func TestSkippedTestsSayWhy(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t, parser.SkipObjectResolution, isTest) {
		ast.Inspect(s.file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && skipsSilently(call) {
				t.Errorf("%s: got a skip, want its reason with it", s.at(n))
			}
			return true
		})
	}
}

func isTest(s source) bool {
	return s.isTest() || within(s.path, "internal/testkit") || within(s.path, "internal/testdb")
}

// skipsSilently reports whether a call skips a test without a word.
func skipsSilently(call *ast.CallExpr) bool {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	return ok && len(call.Args) == 0 && slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, sel.Sel.Name)
}

// undescribed returns the names in a schema that have no description.
func undescribed(text string) (names []string, err error) {
	document, err := gqlparser.ParseSchema(&gql.Source{Input: text})
	if err != nil {
		return nil, err
	}
	note := func(description, name string) {
		if description == "" {
			names = append(names, name)
		}
	}
	for _, d := range document.Directives {
		note(d.Description, "@"+d.Name)
		for _, a := range d.Arguments {
			note(a.Description, "@"+d.Name+"("+a.Name+")")
		}
	}
	for _, d := range document.Definitions {
		note(d.Description, d.Name)
	}
	for _, d := range slices.Concat(document.Definitions, document.Extensions) {
		for _, f := range d.Fields {
			note(f.Description, d.Name+"."+f.Name)
			for _, a := range f.Arguments {
				note(a.Description, d.Name+"."+f.Name+"("+a.Name+")")
			}
		}
		for _, v := range d.EnumValues {
			note(v.Description, d.Name+"."+v.Name)
		}
	}
	return names, nil
}

func TestEveryNameOfTheSchemaIsDescribed(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("..", "..", "graph", "schema", "*.graphqls"))
	if err != nil || len(files) == 0 {
		t.Fatalf("files = %v, %v, want the schema", files, err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		names, err := undescribed(string(text))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			t.Errorf("%s: %s has no description", filepath.Base(f), name)
		}
	}
}

func TestNamesWithoutDescriptionAreFound(t *testing.T) {
	t.Parallel()
	const schema = `
directive @bare(of: Int "Said." by: Int) on FIELD_DEFINITION
scalar Moment
"Said." type Team { id: ID! "Said." name(short: Boolean "Said." long: Boolean): String! size(of: Int): Int }
extend type Query { team: Team }
"Said." enum Status { ACTIVE "Said." GONE }
"Said." input Filter { search: String "Said." status: Status }
interface Node { "Said." id: ID! }
union Any = Team
`
	want := []string{"@bare", "@bare(of)", "Moment", "Node", "Any", "Team.id", "Team.name(short)", "Team.size", "Team.size(of)", "Status.ACTIVE", "Filter.search", "Query.team"}
	got, err := undescribed(schema)
	slices.Sort(got)
	slices.Sort(want)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}
