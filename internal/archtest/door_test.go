package archtest

import (
	"go/ast"
	"go/parser"
	"slices"
	"strings"
	"testing"
)

// pastTheDoor are the places that may open a transaction themselves, with the
// reason: a folder, or a function of one. Every other write passes through
// act.Door.
var pastTheDoor = map[string]string{
	"internal/act":                      "is the door",
	"internal/store":                    "has the transactions",
	"internal/outbox":                   "the worker sends mails and stores what became of them: it acts for nobody",
	"internal/idempotency":              "deletes old keys: it acts for nobody",
	"internal/auth":                     "changes what belongs to a user and not to an account: sign-ups, sessions, passwords, the profile",
	"internal/demo.openAccount":         "fills the demo before anybody can sign in",
	"internal/demo.completeInvitations": "fills the demo before anybody can sign in",

	"internal/roster.operate":       "is the operator's: no viewer, and suspended accounts too",
	"internal/roster.SetActiveTeam": "changes the user's own row alone",

	"internal/roster.ExpireTransfers": "stores what has expired: it acts for nobody",

	"internal/person.Erase": "changes all accounts of a person at once, whether or not they may change anything there",

	"internal/invite.ForgetOld": "forgets old addresses: it acts for nobody",
	"internal/invite.Sweep":     "stores what has expired: it acts for nobody",
	"internal/invite.bounce":    "stores the report of a mail provider: it acts for nobody",
}

var transactions = []string{"InTx", "InAccount", "InAccounts"}

// opens reports whether the call opens a transaction of the store.
// access.Loader has a method InAccount too.
func opens(call *ast.CallExpr) bool {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || !slices.Contains(transactions, method.Sel.Name) {
		return false
	}
	on, ok := method.X.(*ast.SelectorExpr)
	return !ok || on.Sel.Name != "Access"
}

func TestWritesPassThroughTheDoor(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for _, s := range sources(t, 0, func(s source) bool {
		return !s.isTest() && !within(s.path, "ent") && !within(s.path, "internal/testkit")
	}) {
		for _, decl := range s.file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok || !opens(call) {
					return true
				}
				place := s.dir() + "." + f.Name.Name
				if _, all := pastTheDoor[s.dir()]; all {
					place = s.dir()
				}
				if _, may := pastTheDoor[place]; !may {
					t.Errorf("%s: %s opens a transaction past act.Door", s.at(n), place)
				}
				used[place] = true
				return true
			})
		}
	}
	for place := range pastTheDoor {
		if !used[place] {
			t.Errorf("%s opens no transaction: take it off the list", place)
		}
	}
}

func TestTransactionsAreFound(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]bool{
		"s.Store.InAccount(ctx, id, f)":       true,
		"s.Store.InAccounts(ctx, ids, f)":     true,
		"s.Store.InTx(ctx, f)":                true,
		"st.InTx(ctx, f)":                     true,
		"st.InAccount(ctx, id, f)":            true,
		"s.Access.InAccount(ctx, c, id, u)":   false,
		"s.Door.Do(ctx, rule, f)":             false,
		"access.RequireInAccount(ctx, id, p)": false,
	} {
		e, err := parser.ParseExpr(code)
		if err != nil {
			t.Fatal(err)
		}
		call, ok := e.(*ast.CallExpr)
		if !ok || opens(call) != want {
			t.Errorf("%s opens a transaction: got %t, want %t", strings.TrimSpace(code), !want, want)
		}
	}
}
