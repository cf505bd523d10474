package archtest

import (
	"go/parser"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ +(.+)$`)
	notSlug = regexp.MustCompile(`[^a-z0-9 _-]`)
	fenced  = regexp.MustCompile("(?ms)^```.*?^```$")
)

// anchors returns the anchors that GitHub makes of a document's headings.
func anchors(text string) (names []string) {
	for _, m := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		name := notSlug.ReplaceAllString(strings.ToLower(strings.TrimSpace(m[1])), "")
		names = append(names, strings.ReplaceAll(name, " ", "-"))
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

func TestLinksOfTheDocsLeadSomewhere(t *testing.T) {
	t.Parallel()
	root := os.DirFS(filepath.Join("..", ".."))
	var files []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/decisions/*.md"} {
		found, err := fs.Glob(root, pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: got %v, %v, want files", pattern, found, err)
		}
		files = append(files, found...)
	}
	for _, f := range files {
		text, err := fs.ReadFile(root, f)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range broken(root, f, string(text)) {
			t.Errorf("%s: the link %s leads nowhere", f, l)
		}
	}
}

func TestTheDocsNameEveryPackage(t *testing.T) {
	t.Parallel()
	root := os.DirFS(filepath.Join("..", ".."))
	dirs := map[string]bool{}
	for _, s := range sources(t, parser.PackageClauseOnly, func(s source) bool {
		return !within(s.path, "ent") && !within(s.path, "graph/generated") && !within(s.path, "graph/model") && !within(s.path, "web")
	}) {
		if s.dir() != "." {
			dirs[path.Base(s.dir())] = true
		}
	}
	for _, doc := range []string{"CONTRIBUTING.md", "docs/architecture.md"} {
		text, err := fs.ReadFile(root, doc)
		if err != nil {
			t.Fatal(err)
		}
		for name := range dirs {
			if !regexp.MustCompile(`\b` + name + `\b`).Match(text) {
				t.Errorf("%s does not name the package %s", doc, name)
			}
		}
	}
}

func TestLinksThatLeadNowhereAreFound(t *testing.T) {
	t.Parallel()
	root := fstest.MapFS{
		"README.md":    {Data: []byte("# One\n## Two, `three` & four\n```text\n# no heading\n```\n")},
		"docs/page.md": {Data: []byte("# Page")},
	}
	for text, want := range map[string][]string{
		"[a](docs/page.md)":            nil,
		"[a](docs/page.md#page)":       nil,
		"[a](docs)":                    nil,
		"[a](#two-three--four)":        nil,
		"[a](https://example.com/x)":   nil,
		"[a](docs/gone.md)":            {"docs/gone.md"},
		"[a](docs/page.md#gone)":       {"docs/page.md#gone"},
		"[a](#no-heading)":             {"#no-heading"},
		"[a](#one) [b](../outside)":    {"../outside"},
		"```text\n[a](gone.md)\n```\n": nil,
	} {
		if got := broken(root, "README.md", text); !slices.Equal(got, want) {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}
