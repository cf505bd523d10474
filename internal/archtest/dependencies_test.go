package archtest

import (
	"cmp"
	"go/parser"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var (
	// required is a line of go.mod for a module that the code imports itself.
	required = regexp.MustCompile(`(?m)^\t(\S+) v\S+$`)
	// dependency is a row of docs/dependencies.md: a module, the reason and the folders.
	dependency = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| ([^|]+) \\| ([^|]+) \\|$")
)

// importer is a folder with a file that imports a module, and whether the file is part of
// the server.
type importer struct {
	dir     string
	shipped bool
}

// unexplained returns what is wrong with the page of dependencies, for the modules of go.mod
// and who imports them.
func unexplained(page, mod string, importers map[string][]importer) (wrong []string) {
	modules := map[string]bool{}
	for _, m := range required.FindAllStringSubmatch(mod, -1) {
		modules[m[1]] = true
	}
	server, rest, _ := strings.Cut(page, "\n## In tests only\n")
	for section, shipped := range map[string]bool{server: true, rest: false} {
		for _, row := range dependency.FindAllStringSubmatch(section, -1) {
			name := row[1]
			if !modules[name] {
				wrong = append(wrong, name+" is listed and not required")
				continue
			}
			delete(modules, name)
			if got := slices.ContainsFunc(importers[name], func(i importer) bool { return i.shipped }); got != shipped {
				wrong = append(wrong, name+" is in the wrong table")
			}
			for _, dir := range quotedPath.FindAllStringSubmatch(row[3], -1) {
				if !slices.ContainsFunc(importers[name], func(i importer) bool {
					return i.shipped == shipped && strings.HasPrefix(i.dir+"/", dir[1]+"/")
				}) {
					wrong = append(wrong, dir[1]+" does not import "+name)
				}
			}
		}
	}
	for name := range modules {
		wrong = append(wrong, name+" has no reason")
	}
	slices.Sort(wrong)
	return wrong
}

var quotedPath = regexp.MustCompile("`([^`]+)`")

func TestEveryDependencyHasAReason(t *testing.T) {
	t.Parallel()
	root := os.DirFS(filepath.Join("..", ".."))
	page, err := fs.ReadFile(root, "docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := fs.ReadFile(root, "go.mod")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range required.FindAllStringSubmatch(string(mod), -1) {
		names = append(names, m[1])
	}
	// The longest first, because a module may be below another.
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	importers := map[string][]importer{}
	for _, s := range sources(t, parser.ImportsOnly, func(source) bool { return true }) {
		for _, i := range s.file.Imports {
			imported, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range names {
				if strings.HasPrefix(imported+"/", name+"/") {
					forTests := s.isTest() || slices.Contains([]string{"internal/testkit", "internal/testdb"}, s.dir())
					importers[name] = append(importers[name], importer{s.dir(), !forTests})
					break
				}
			}
		}
	}
	for _, w := range unexplained(string(page), string(mod), importers) {
		t.Error(w)
	}
}

func TestUnexplainedDependenciesAreFound(t *testing.T) {
	t.Parallel()
	const (
		mod  = "require (\n\texample.org/a v1.0.0\n\texample.org/b/v2 v2.1.0\n\texample.org/c v1.0.0\n\texample.org/d v1.0.0 // indirect\n)\n"
		page = "| `example.org/a` | why | `internal/x`, `internal/y` |\n| `example.org/e` | why | `server` |\n" +
			"\n## In tests only\n| `example.org/b/v2` | why | `server` |\n"
	)
	got := unexplained(page, mod, map[string][]importer{
		"example.org/a":    {{dir: "internal/x/z", shipped: true}, {dir: "internal/y"}},
		"example.org/b/v2": {{dir: "server", shipped: true}},
	})
	want := []string{
		"example.org/b/v2 is in the wrong table", "example.org/c has no reason", "example.org/e is listed and not required",
		"internal/y does not import example.org/a", "server does not import example.org/b/v2",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
