package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

// mechanisms are the files of package graph beside X.resolvers.go and X.go.
var mechanisms = []string{"payload", "input", "nodes", "eager", "filter", "order", "limit", "budget", "validation", "variables", "errors", "resolver"}

// strangers returns the names of files that have no place in package graph: those that
// are neither resolvers, nor the helpers of some, nor a mechanism.
func strangers(names []string) (wrong []string) {
	for _, name := range names {
		base := strings.TrimSuffix(name, ".go")
		if strings.HasSuffix(base, ".resolvers") || strings.HasSuffix(base, "_test") ||
			slices.Contains(mechanisms, base) || slices.Contains(names, base+".resolvers.go") {
			continue
		}
		wrong = append(wrong, name)
	}
	return wrong
}

// passesOn reports whether the whole body of a method is a call of something with the
// same name, in any case of letters, with the same receiver.
func passesOn(fn *ast.FuncDecl) bool {
	if fn.Recv == nil || fn.Body == nil || len(fn.Body.List) != 1 {
		return false
	}
	var call *ast.CallExpr
	switch s := fn.Body.List[0].(type) {
	case *ast.ReturnStmt:
		if len(s.Results) == 1 {
			call, _ = s.Results[0].(*ast.CallExpr)
		}
	case *ast.ExprStmt:
		call, _ = s.X.(*ast.CallExpr)
	}
	if call == nil {
		return false
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || !strings.EqualFold(sel.Sel.Name, fn.Name.Name) {
		return false
	}
	_, own := sel.X.(*ast.Ident)
	return own
}

// writes are the methods of an ent client that begin a write.
var writes = []string{
	"Create", "CreateBulk", "MapCreateBulk", "Update", "UpdateOne", "UpdateOneID", "Delete", "DeleteOne", "DeleteOneID",
}

// builders returns the nodes that begin a write of ent: client.Team.Create() and the
// like, or a builder's type.
func builders(f ast.Node, entities []string) (found []ast.Node) {
	ast.Inspect(f, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		switch x := sel.X.(type) {
		case *ast.SelectorExpr:
			if slices.Contains(entities, x.Sel.Name) && slices.Contains(writes, sel.Sel.Name) {
				found = append(found, n)
			}
		case *ast.Ident:
			for _, entity := range entities {
				if rest, ok := strings.CutPrefix(sel.Sel.Name, entity); ok && x.Name == "ent" && slices.Contains(writes, rest) {
					found = append(found, n)
				}
			}
		}
		return true
	})
	return found
}

// entities returns the names of the tables' types.
func entities(t *testing.T) (names []string) {
	t.Helper()
	for _, s := range sources(t, parser.SkipObjectResolution, func(s source) bool { return s.dir() == "ent/schema" }) {
		ast.Inspect(s.file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if st, ok := spec.Type.(*ast.StructType); ok && len(st.Fields.List) == 1 {
				if sel, ok := st.Fields.List[0].Type.(*ast.SelectorExpr); ok && sel.Sel.Name == "Schema" {
					names = append(names, spec.Name.Name)
				}
			}
			return true
		})
	}
	if !slices.Contains(names, "Invitation") {
		t.Fatalf("got the tables %v, want Invitation among them", names)
	}
	return names
}

func TestFilesOfGraphHaveAPlace(t *testing.T) {
	t.Parallel()
	var names []string
	for _, s := range sources(t, parser.PackageClauseOnly, func(s source) bool { return s.dir() == "graph" }) {
		names = append(names, path.Base(s.path))
	}
	for _, name := range strangers(names) {
		t.Errorf("graph/%s is neither X.resolvers.go, nor X.go beside one, nor a mechanism: %v", name, mechanisms)
	}
}

func TestGraphPassesNothingOnAndWritesNothing(t *testing.T) {
	t.Parallel()
	tables := entities(t)
	ours := func(s source) bool {
		return within(s.path, "graph") && !within(s.path, "graph/generated") && !within(s.path, "graph/model") && !s.isTest()
	}
	for _, s := range sources(t, parser.SkipObjectResolution, ours) {
		for _, d := range s.file.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && passesOn(fn) {
				t.Errorf("%s: the whole body of %s is a call of the same name: write the body here", s.at(fn), fn.Name.Name)
			}
		}
		for _, n := range builders(s.file, tables) {
			t.Errorf("%s: a write of ent: call a verb", s.at(n))
		}
	}
}

func TestBreachesOfTheRulesOfGraphAreFound(t *testing.T) {
	t.Parallel()
	got := strangers([]string{"team.resolvers.go", "team.go", "payload.go", "live_test.go", "helpers.go", "people.go"})
	if want := []string{"helpers.go", "people.go"}; !slices.Equal(got, want) {
		t.Errorf("strangers: got %v, want %v", got, want)
	}
	for body, want := range map[string]bool{
		"func (r *x) Owner(a int) error { return r.owner(a) }":                true,
		"func (r *x) Owner(a int) { r.owner(a) }":                             true,
		"func (r *x) Owner(a int) error { return r.ownerOf(a) }":              false,
		"func (r *x) Owner(a int) error { return r.Roster.Owner(a) }":         false,
		"func (r *x) Owner(a int) error { b := a; return r.owner(b) }":        false,
		"func (r *x) Nodes() []int { return r.page.Nodes() }":                 false,
		"func Owner(a int) error { return r.owner(a) }":                       false,
		"func (r *x) Owner(a int) error { return fail(r.owner(a), \"x\") }":   false,
		"func (r *x) Owner(a int) (int, error) { return r.owner(a), nil }":    false,
		"func (r *x) Owner(a int) error { if a > 0 { }; return r.owner(a) } ": false,
	} {
		f, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+body, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := passesOn(f.Decls[0].(*ast.FuncDecl)); got != want {
			t.Errorf("%s: passes on: got %t, want %t", body, got, want)
		}
	}
	for expr, want := range map[string]bool{
		"r.read(ctx).Team.Create()":            true,
		"tx.Member.UpdateOneID(id).Exec(ctx)":  true,
		"client.Member.Delete().Exec(ctx)":     true,
		"new(ent.MemberCreate)":                true,
		"r.Invites.Update(ctx, a)":             false,
		"r.Roster.Create(ctx)":                 false,
		"r.read(ctx).Team.Query().Only(ctx)":   false,
		"ent.Team{}":                           false,
		"r.Roster.DeleteTeam(ctx, input.Team)": false,
	} {
		x, err := parser.ParseExpr(expr)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(builders(x, []string{"Team", "Member"})) > 0; got != want {
			t.Errorf("%s: a write: got %t, want %t", expr, got, want)
		}
	}
}

func TestEveryTypeOfEventsHasItsFacts(t *testing.T) {
	t.Parallel()
	declared, described := map[string]bool{}, map[string]bool{}
	for _, s := range sources(t, parser.SkipObjectResolution, func(s source) bool { return s.dir() == "internal/event" && !s.isTest() }) {
		ast.Inspect(s.file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if typ, ok := spec.Type.(*ast.Ident); ok && typ.Name == "Type" {
				declared[spec.Names[0].Name] = true
			}
			if spec.Names[0].Name == "facts" {
				for _, e := range spec.Values[0].(*ast.CompositeLit).Elts {
					pair := e.(*ast.KeyValueExpr)
					described[pair.Key.(*ast.Ident).Name] = summarised(pair.Value.(*ast.CompositeLit))
				}
			}
			return true
		})
	}
	if len(declared) == 0 || len(described) == 0 {
		t.Fatalf("got %d types and %d lines of facts, want some", len(declared), len(described))
	}
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		if !described[name] {
			t.Errorf("event.%s has no line in facts, or one without a summary", name)
		}
	}
}

// summarised reports whether a line of facts has a summary that is not empty.
func summarised(line *ast.CompositeLit) bool {
	for _, e := range line.Elts {
		if pair, ok := e.(*ast.KeyValueExpr); ok && pair.Key.(*ast.Ident).Name == "Summary" {
			lit, ok := pair.Value.(*ast.BasicLit)
			return ok && len(lit.Value) > len(`""`)
		}
	}
	return false
}
