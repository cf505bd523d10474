// Package archtest holds the tests of the tree itself: what imports what,
// which behaviours are proven, and what no linter knows to look for.
package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/convoke-dev/convoke"

// source is a Go file of the module. Its path is relative to the root.
type source struct {
	path string
	file *ast.File
	set  *token.FileSet
}

func (s source) dir() string  { return path.Dir(s.path) }
func (s source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

// at returns where a node stands, for a message.
func (s source) at(n ast.Node) string {
	return s.path + ":" + strconv.Itoa(s.set.Position(n.Pos()).Line)
}

// sources parses the Go files of the module that are wanted, in the mode.
func sources(t *testing.T, mode parser.Mode, wanted func(source) bool) (all []source) {
	t.Helper()
	root := os.DirFS(filepath.Join("..", ".."))
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != "." && (strings.HasPrefix(d.Name(), ".") || slices.Contains([]string{"node_modules", "testdata", "dist", "bin"}, d.Name())) {
				return fs.SkipDir
			}
			return nil
		}
		s := source{path: name, set: token.NewFileSet()}
		if path.Ext(name) != ".go" || !wanted(s) {
			return nil
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		s.file, err = parser.ParseFile(s.set, name, text, mode)
		all = append(all, s)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("no files found, want some")
	}
	return all
}

// uses visits the uses of a name of a package, such as time.Now.
func uses(s source, pkg, name string, visit func(ast.Node)) {
	ast.Inspect(s.file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == name {
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == pkg {
				visit(n)
			}
		}
		return true
	})
}
