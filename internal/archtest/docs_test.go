package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ +(.+)$`)
	notSlug = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	fenced  = regexp.MustCompile("(?ms)^```.*?^```$")

	// declaredIn is the form in which a document says where something is: one name or more
	// in backquotes, "in", and a link to a Go file.
	declaredIn = regexp.MustCompile("((?:`[\\w.]+`(?:,|\\s|and|or)*)+)in\\s+\\[[^\\]]+\\]\\(([^)\\s]+\\.go)\\)")
	quoted     = regexp.MustCompile("`([\\w.]+)`")

	// layoutLine is a line of the layout in CONTRIBUTING.md: paths and a description.
	layoutLine = regexp.MustCompile(`(?m)^ {4}( {2})?([^\s,]+(?:, [^\s,]+)*) +\S`)

	// arrow is a line of the picture in docs/architecture.md: packages of one folder, and
	// what they may import of internal.
	arrow = regexp.MustCompile(`(?m)^[ │]*(internal|graph)/([a-z, ]+?) +──▶ ([a-z, ]+)$`)
)

// anchors returns the anchors that GitHub makes of a document's headings. A heading that
// occurs again gets a number.
func anchors(text string) (names []string) {
	seen := map[string]int{}
	for _, m := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		name := notSlug.ReplaceAllString(strings.ToLower(strings.TrimSpace(m[1])), "")
		name = strings.ReplaceAll(name, " ", "-")
		if n := seen[name]; n > 0 {
			names = append(names, name+"-"+strconv.Itoa(n))
		} else {
			names = append(names, name)
		}
		seen[name]++
	}
	return names
}

// broken returns the relative links of a document that lead nowhere in the tree.
func broken(root fs.FS, name, text string) (links []string) {
	for _, m := range link.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		to, anchor, _ := strings.Cut(m[1], "#")
		if strings.Contains(to, ":") { // another site
			continue
		}
		file := name
		if to != "" {
			file = path.Join(path.Dir(name), to)
		}
		if _, err := fs.Stat(root, file); err != nil {
			links = append(links, m[1])
			continue
		}
		if anchor == "" || path.Ext(file) != ".md" {
			continue
		}
		target, err := fs.ReadFile(root, file)
		if err != nil || !slices.Contains(anchors(string(target)), anchor) {
			links = append(links, m[1])
		}
	}
	return links
}

// documents returns the names of the documents at the root and under docs.
func documents(t *testing.T, root fs.FS) []string {
	t.Helper()
	names, err := fs.Glob(root, "*.md")
	if err != nil || !slices.Contains(names, "README.md") {
		t.Fatalf("got %v, %v, want the documents at the root", names, err)
	}
	err = fs.WalkDir(root, "docs", func(name string, _ fs.DirEntry, err error) error {
		if path.Ext(name) == ".md" {
			names = append(names, name)
		}
		return err
	})
	if err != nil || !slices.Contains(names, "docs/decisions/README.md") {
		t.Fatalf("got %v, %v, want those under docs too", names, err)
	}
	return names
}

// unnamed returns the folders whose whole path the text does not have.
func unnamed(text string, folders []string) (missing []string) {
	for _, f := range folders {
		if !regexp.MustCompile(`(^|[^\w-])` + regexp.QuoteMeta(f) + `($|[^\w/-])`).MatchString(text) {
			missing = append(missing, f)
		}
	}
	return missing
}

// declared returns the names that a file declares, each as a document may write it:
// Name, and with its package, Type.Name for methods and fields, and with both.
func declared(f *ast.File) map[string]bool {
	names := map[string]bool{}
	add := func(parts ...string) {
		for n := range parts {
			names[strings.Join(parts[n:], ".")] = true
		}
	}
	pkg := f.Name.Name
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				add(pkg, d.Name.Name)
				continue
			}
			receiver := d.Recv.List[0].Type
			if star, ok := receiver.(*ast.StarExpr); ok {
				receiver = star.X
			}
			if generic, ok := receiver.(*ast.IndexExpr); ok {
				receiver = generic.X
			}
			if typ, ok := receiver.(*ast.Ident); ok {
				add(pkg, typ.Name, d.Name.Name)
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.ValueSpec:
					for _, n := range s.Names {
						add(pkg, n.Name)
					}
				case *ast.TypeSpec:
					add(pkg, s.Name.Name)
					if st, ok := s.Type.(*ast.StructType); ok {
						for _, field := range st.Fields.List {
							for _, n := range field.Names {
								add(pkg, s.Name.Name, n.Name)
							}
						}
					}
				}
			}
		}
	}
	return names
}

// misplaced returns the names that a document says are in a Go file that does not
// declare them, and how many names it has checked.
func misplaced(root fs.FS, name, text string) (wrong []string, checked int) {
	for _, m := range declaredIn.FindAllStringSubmatch(text, -1) {
		file := path.Join(path.Dir(name), m[2])
		code, err := fs.ReadFile(root, file)
		if err != nil {
			wrong = append(wrong, file)
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, code, parser.SkipObjectResolution)
		if err != nil {
			wrong = append(wrong, file)
			continue
		}
		names := declared(f)
		for _, q := range quoted.FindAllStringSubmatch(m[1], -1) {
			if checked++; !names[q[1]] {
				wrong = append(wrong, q[1]+" in "+file)
			}
		}
	}
	return wrong, checked
}

// split returns the names of a list, sorted. "leaves" stands for all of them, "nothing"
// for none.
func split(list string) (names []string) {
	for name := range strings.SplitSeq(list, ",") {
		switch name = strings.TrimSpace(name); name {
		case "leaves":
			names = append(names, leaves...)
		case "nothing", "and nothing else of internal":
		default:
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// misdrawn returns what differs between the arrows of a picture and those that
// TestArrowsPointDown enforces. A picture has the packages in an order in which all
// arrows point down.
func misdrawn(text string) (wrong []string) {
	drawn, above := map[string][]string{}, map[string]bool{}
	for _, m := range arrow.FindAllStringSubmatch(text, -1) {
		if m[1] == "graph" {
			drawn["graph/"+m[2]] = split(m[3])
			continue
		}
		for _, to := range split(m[3]) {
			if above[to] {
				wrong = append(wrong, m[2]+": the arrow to "+to+" points up")
			}
		}
		for _, from := range split(m[2]) {
			drawn[from], above[from] = split(m[3]), true
		}
	}
	enforced := map[string][]string{"graph/stream": streams}
	maps.Copy(enforced, siblings)
	for name, to := range enforced {
		have, ok := drawn[name]
		if want := slices.Sorted(slices.Values(to)); !ok || !slices.Equal(have, want) {
			wrong = append(wrong, name)
		}
		delete(drawn, name)
	}
	wrong = slices.AppendSeq(wrong, maps.Keys(drawn))
	slices.Sort(wrong)
	return wrong
}

func TestLinksOfTheDocsLeadSomewhere(t *testing.T) {
	t.Parallel()
	root := os.DirFS(filepath.Join("..", ".."))
	for _, name := range documents(t, root) {
		text, err := fs.ReadFile(root, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range broken(root, name, string(text)) {
			t.Errorf("%s: the link %s leads nowhere", name, l)
		}
		wrong, _ := misplaced(root, name, string(text))
		for _, w := range wrong {
			t.Errorf("%s: there is no %s", name, w)
		}
	}
}

func TestThePageOfTheArchitectureIsComplete(t *testing.T) {
	t.Parallel()
	const page = "docs/architecture.md"
	root := os.DirFS(filepath.Join("..", ".."))
	text, err := fs.ReadFile(root, page)
	if err != nil {
		t.Fatal(err)
	}
	folders := map[string]bool{}
	for _, s := range sources(t, parser.PackageClauseOnly, func(s source) bool {
		return within(s.path, "internal") || within(s.path, "graph") || within(s.path, "server") || within(s.path, "cmd")
	}) {
		folders[s.dir()] = true
	}
	for _, f := range unnamed(string(text), slices.Sorted(maps.Keys(folders))) {
		t.Errorf("%s does not name the package %s", page, f)
	}
	for _, w := range misdrawn(string(text)) {
		t.Errorf("%s draws other arrows than arrows_test.go allows: %s", page, w)
	}
	if _, checked := misplaced(root, page, string(text)); checked == 0 {
		t.Errorf("%s names nothing in the form `Name` in [file.go](file.go), want functions", page)
	}
}

// laidOut returns the folders that the section "Layout" of a document names. A line has one
// path or more and a description. The paths of a line that is indented further are below
// the folder of the line above, and all paths of a line are in the folder of the first.
func laidOut(text string) map[string]bool {
	_, section, _ := strings.Cut(text, "\n## Layout\n")
	section, _, _ = strings.Cut(section, "\n## ")
	named, above := map[string]bool{}, ""
	for _, m := range layoutLine.FindAllStringSubmatch(section, -1) {
		in := "."
		if m[1] != "" {
			in = above
		}
		for n, name := range strings.Split(m[2], ", ") {
			folder := path.Join(in, name)
			if path.Ext(folder) != "" { // files of a folder
				folder = path.Dir(folder)
			}
			if n == 0 && m[1] == "" {
				in, above = path.Dir(folder), folder
			}
			named[folder] = true
		}
	}
	return named
}

func TestTheLayoutNamesEveryPackage(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "CONTRIBUTING.md"))
	if err != nil {
		t.Fatal(err)
	}
	named, packages := laidOut(string(text)), map[string]bool{}
	for _, s := range sources(t, parser.PackageClauseOnly, func(s source) bool {
		return within(s.path, "internal") || within(s.path, "graph") || within(s.path, "server") || within(s.path, "cmd")
	}) {
		packages[s.dir()] = true
	}
	for _, p := range slices.Sorted(maps.Keys(packages)) {
		if !named[p] {
			t.Errorf("the layout in CONTRIBUTING.md does not name the package %s", p)
		}
	}
}

func TestTheFoldersOfALayoutAreRead(t *testing.T) {
	t.Parallel()
	const text = `# Page

## Layout

The word event is no package.

    graph/                resolvers, and so on
      schema/*.graphqls   the schema
      generated/, model/models_gen.go   machine-written
    internal/idempotency/ one space
    internal/address, text   two

## Next

    internal/live/        is elsewhere
`
	want := []string{
		"graph", "graph/generated", "graph/model", "graph/schema",
		"internal/address", "internal/idempotency", "internal/text",
	}
	if got := slices.Sorted(maps.Keys(laidOut(text))); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestLinksThatLeadNowhereAreFound(t *testing.T) {
	t.Parallel()
	root := fstest.MapFS{
		"README.md":    {Data: []byte("# One\n## Two, `three` & four\n```text\n# no heading\n```\n# One\n# Où est …?")},
		"docs/page.md": {Data: []byte("# Page")},
	}
	for text, want := range map[string][]string{
		"[a](docs/page.md)":            nil,
		"[a](docs/page.md#page)":       nil,
		"[a](docs)":                    nil,
		"[a](#two-three--four)":        nil,
		"[a](#one-1)":                  nil,
		"[a](#où-est-)":                nil,
		"[a](https://example.com/x)":   nil,
		"[a](docs/gone.md)":            {"docs/gone.md"},
		"[a](docs/page.md#gone)":       {"docs/page.md#gone"},
		"[a](#no-heading)":             {"#no-heading"},
		"[a](#one-2)":                  {"#one-2"},
		"[a](#one) [b](../outside)":    {"../outside"},
		"```text\n[a](gone.md)\n```\n": nil,
	} {
		if got := broken(root, "README.md", text); !slices.Equal(got, want) {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}

func TestNamesInTheWrongFileAreFound(t *testing.T) {
	t.Parallel()
	root := fstest.MapFS{"a/b.go": {Data: []byte(`package b
const limit = 1
type Cache[K any] struct { size, Age int }
func (c *Cache[K]) Get() {}
func New() {}
`)}}
	for text, want := range map[string][]string{
		"`New` in [a/b.go](../a/b.go)":                            nil,
		"`b.New`, `limit` and `Cache` in\n   [a/b.go](../a/b.go)": nil,
		"`Cache.Get` or `b.Cache.size` in [b.go](../a/b.go)":      nil,
		"`Get`, `Age` in [b.go](../a/b.go)":                       nil,
		"`Put` in [b.go](../a/b.go)":                              {"Put in a/b.go"},
		"`New` and `Old` in [b.go](../a/b.go)":                    {"Old in a/b.go"},
		"`Store.Get` in [b.go](../a/b.go)":                        {"Store.Get in a/b.go"},
		"`New` in [c.go](../a/c.go)":                              {"a/c.go"},
		"`Old`: see [b.go](../a/b.go)":                            nil,
	} {
		if got, _ := misplaced(root, "docs/page.md", text); !slices.Equal(got, want) {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}

func TestPackagesWithoutANameAreFound(t *testing.T) {
	t.Parallel()
	const text = "[graph](../graph), [relay](../graph/relay), internal/liver, internal/event/hub.go"
	got := unnamed(text, []string{"graph", "graph/relay", "internal/live", "internal/event"})
	if want := []string{"internal/live", "internal/event"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestWrongArrowsOfThePictureAreFound(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	for change, want := range map[[2]string][]string{
		{"", ""}: nil,
		{"internal/store       ──▶ fault, limit, text, access", "internal/store       ──▶ fault"}:   {"store"},
		{"internal/access      ──▶ fault,", "internal/access      ──▶ fault, store,"}:               {"access", "access: the arrow to store points up"},
		{"internal/demo        ──▶", "internal/novelty     ──▶"}:                                    {"demo", "novelty"},
		{"graph/stream ──▶ live,", "graph/stream ──▶ live, invite,"}:                                {"graph/stream"},
		{"internal/lifecycle, limit           ──▶ fault", "internal/lifecycle           ──▶ fault"}: {"limit"},
	} {
		text := string(page)
		if change[0] != "" && strings.Count(text, change[0]) != 1 {
			t.Fatalf("got %d times %q, want once", strings.Count(text, change[0]), change[0])
		}
		if got := misdrawn(strings.Replace(text, change[0], change[1], 1)); !slices.Equal(got, want) {
			t.Errorf("with %q: got %v, want %v", change[1], got, want)
		}
	}
}
