package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var (
	rowOfTable = regexp.MustCompile(`(?m)^\| ([A-Z]+-[0-9]+) `)
	behaviour  = regexp.MustCompile(`\b[A-Z]+-[0-9]+\b`)
	notBuilt   = regexp.MustCompile(`(?ms)^## Not built yet$(.*?)(^## |\z)`)
	openLine   = regexp.MustCompile(`(?m)^- [^:]+: (.*)$`)
)

// outOfScope are behaviours that nobody will build.
var outOfScope = []string{"TO-8"}

// unproven compares the document with the ids that tests name, and returns
// what is wrong. The tests are those that name each id.
func unproven(document string, tests map[string][]string) (problems []string) {
	table := map[string]bool{}
	families := map[string]bool{}
	for _, m := range rowOfTable.FindAllStringSubmatch(document, -1) {
		if table[m[1]] {
			problems = append(problems, m[1]+" stands twice in the tables")
		}
		table[m[1]] = true
		families[family(m[1])] = true
	}
	open := listedAsOpen(document)
	for id := range open {
		if !table[id] {
			problems = append(problems, id+" is not built yet, but in no table")
		}
	}
	for id := range table {
		_, proven := tests[id]
		switch {
		case slices.Contains(outOfScope, id):
		case proven && open[id]:
			problems = append(problems, fmt.Sprintf("%s is listed as not built yet, but proven by %v", id, tests[id]))
		case !proven && !open[id]:
			problems = append(problems, id+" is proven by no test and not listed as not built yet")
		}
	}
	for id, where := range tests {
		if families[family(id)] && !table[id] {
			problems = append(problems, fmt.Sprintf("%s is in no table, but named by %v", id, where))
		}
	}
	slices.Sort(problems)
	return problems
}

// listedAsOpen returns the ids under the heading of what is not built.
func listedAsOpen(document string) map[string]bool {
	open := map[string]bool{}
	section := notBuilt.FindStringSubmatch(document)
	if section == nil {
		return open
	}
	for _, line := range openLine.FindAllStringSubmatch(section[1], -1) {
		for _, id := range behaviour.FindAllString(line[1], -1) {
			open[id] = true
		}
	}
	return open
}

// family is what the ids of one table begin with.
func family(id string) string {
	letters, _, _ := strings.Cut(id, "-")
	return letters
}

// named returns the ids that a test file names: in the texts of its Test
// functions, and in the names of subtests wherever they are started.
func named(f *ast.File) (ids []string) {
	texts := func(root ast.Node) {
		ast.Inspect(root, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if text, err := strconv.Unquote(lit.Value); err == nil {
					ids = append(ids, behaviour.FindAllString(text, -1)...)
				}
			}
			return true
		})
	}
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		if strings.HasPrefix(fn.Name.Name, "Test") {
			texts(fn)
			continue
		}
		ast.Inspect(fn, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && len(call.Args) > 0 {
				if sel, ok := call.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "Run" {
					texts(call.Args[0])
				}
			}
			return true
		})
	}
	return ids
}

func TestEveryBehaviourIsProvenOrListedAsNotBuilt(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile(filepath.Join("..", "..", "docs", "behaviours.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !rowOfTable.Match(document) {
		t.Fatal("docs/behaviours.md has no rows, want the tables")
	}
	tests := map[string][]string{}
	for _, s := range sources(t, parser.SkipObjectResolution, func(s source) bool { return s.isTest() && !within(s.path, "internal/archtest") }) {
		for _, id := range named(s.file) {
			if !slices.Contains(tests[id], s.path) {
				tests[id] = append(tests[id], s.path)
			}
		}
	}
	for _, p := range unproven(string(document), tests) {
		t.Error(p)
	}
}

func TestUnprovenBehavioursAreFound(t *testing.T) {
	t.Parallel()
	const document = `# What it must do
| id | behaviour | first needed |
|---|---|---|
| AB-1 | one | P0 |
| AB-2 | two, as AB-1 and UTF-8 | P0 |
| CD-1 | three | P1 |

## Not built yet
- issue 2: AB-2
- issue 3: CD-1, CD-1

## Settings
- issue 4: AB-9
`
	for rule, tt := range map[string]struct {
		from, to string // changes the document
		tests    []string
		want     []string
	}{
		"all is well":                    {tests: []string{"AB-1", "SHA-256"}},
		"a behaviour is proven by none":  {want: []string{"AB-1 is proven by no test and not listed as not built yet"}},
		"a built one is listed as open":  {tests: []string{"AB-1", "AB-2"}, want: []string{"AB-2 is listed as not built yet, but proven by [x_test.go]"}},
		"a test names what is in none":   {tests: []string{"AB-1", "AB-3"}, want: []string{"AB-3 is in no table, but named by [x_test.go]"}},
		"an open one is in no table":     {"issue 2: AB-2", "issue 2: AB-2, AB-7", []string{"AB-1"}, []string{"AB-7 is not built yet, but in no table"}},
		"a row stands twice":             {"| CD-1 |", "| AB-1 |", []string{"AB-1"}, []string{"AB-1 stands twice in the tables", "CD-1 is not built yet, but in no table"}},
		"out of scope needs no test":     {"| CD-1 | three", "| CD-1 | three | P1 |\n| TO-8 | four", []string{"AB-1"}, nil},
		"without the section all are on": {"## Not built yet", "## Something else", []string{"AB-1", "AB-2", "CD-1"}, nil},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			tests := map[string][]string{}
			for _, id := range tt.tests {
				tests[id] = []string{"x_test.go"}
			}
			if got := unproven(strings.Replace(document, tt.from, tt.to, 1), tests); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestNamesOfBehavioursAreFoundInTests(t *testing.T) {
	t.Parallel()
	const file = `package x_test

const outside = "AB-1"

func TestSomething(t *testing.T) {
	t.Run("AB-2 and AB-3 hold", func(t *testing.T) {})
	for rule := range map[string]int{"AB-4 holds": 1} {
		t.Run(rule, func(t *testing.T) {}) // AB-5
	}
}

func stories(t *testing.T) {
	t.Run("AB-6 holds", func(t *testing.T) { t.Error("AB-7") })
}
`
	f, err := parser.ParseFile(token.NewFileSet(), "x_test.go", file, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, id := range named(f) {
		got[id] = true
	}
	want := map[string]bool{"AB-2": true, "AB-3": true, "AB-4": true, "AB-6": true}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
