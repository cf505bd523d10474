package archtest

import (
	"go/ast"
	"go/parser"
	"strings"
	"testing"
)

// comparesState reports whether the expression is a predicate on the stored
// state or the expiry of an invitation or a transfer. Package lifecycle has them
// all: two columns together decide the state, so each alone is half a rule.
func comparesState(n ast.Node) bool {
	predicate, ok := n.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	entity, ok := predicate.X.(*ast.Ident)
	if !ok || entity.Name != "invitation" && entity.Name != "ownershiptransfer" {
		return false
	}
	switch name := predicate.Sel.Name; {
	case strings.HasPrefix(name, "Status"):
		return strings.HasSuffix(name, "EQ") || strings.HasSuffix(name, "In")
	case strings.HasPrefix(name, "ExpiresAt"):
		return name != "ExpiresAt"
	}
	return false
}

// mayCompareState are the folders that need no predicate of package lifecycle,
// with the reason.
var mayCompareState = map[string]string{
	"internal/lifecycle": "has the predicates",
	"internal/invite":    "changes a state by compare-and-set on the state it has read",
}

func TestStatesAreComparedInOnePackage(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t, 0, func(s source) bool {
		return !s.isTest() && !within(s.path, "ent") && !within(s.path, "graph/generated")
	}) {
		if _, may := mayCompareState[s.dir()]; may {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if comparesState(n) {
				t.Errorf("%s compares a stored state or expiry: use a predicate of package lifecycle", s.at(n))
			}
			return true
		})
	}
}

func TestComparisonsOfStatesAreFound(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]bool{
		"invitation.StatusEQ":              true,
		"invitation.StatusNEQ":             true,
		"invitation.StatusIn":              true,
		"invitation.StatusNotIn":           true,
		"invitation.ExpiresAtGT":           true,
		"invitation.ExpiresAtLTE":          true,
		"ownershiptransfer.StatusEQ":       true,
		"ownershiptransfer.ExpiresAtLT":    true,
		"invitation.StatusPending":         false,
		"invitation.ByExpiresAt":           false,
		"invitation.FieldStatus":           false,
		"member.StatusEQ":                  false,
		"session.ExpiresAtGT":              false,
		"lifecycle.Open":                   false,
		"ownershiptransfer.StatusDeclined": false,
	} {
		e, err := parser.ParseExpr(code)
		if err != nil {
			t.Fatal(err)
		}
		if got := comparesState(e); got != want {
			t.Errorf("%s: got %t, want %t", code, got, want)
		}
	}
}
