package archtest

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	gql "github.com/vektah/gqlparser/v2/ast"
	"golang.org/x/tools/go/packages"

	"github.com/convoke-dev/convoke/graph"
)

// inModule is what the import paths of this module begin with.
const inModule = module + "/"

// impossible are user errors that the code seems to be able to return for a mutation, and
// cannot, with the reason. They are in no description.
var impossible = []struct{ reason, mutations, codes string }{
	{
		"an open invitation is resent, and any other address is invited anew", "inviteUser inviteUsers",
		"INVITATION_ALREADY_ACCEPTED INVITATION_DECLINED INVITATION_EXPIRED INVITATION_REVOKED",
	},
	{"an expired invitation can be resent", "resendInvite resendInvites", "INVITATION_EXPIRED"},
	{"an expired invitation can be revoked, and a revoked one is", "revokeInvite revokeInvites", "INVITATION_EXPIRED INVITATION_REVOKED"},
	{"a declined invitation is", "declineInvite", "INVITATION_DECLINED"},
	{
		"the states of invitations are only asked for", "createDivision updateDivision deleteDivision",
		"INVITATION_ALREADY_ACCEPTED INVITATION_DECLINED INVITATION_EXPIRED INVITATION_REVOKED",
	},
	{
		"the open transfers are looked for in the transaction that closes them",
		"deactivateMember removeMember removeMembers leaveTeam requestOwnershipTransfer", "TRANSFER_NOT_PENDING",
	},
	{
		"open and expired invitations alone are revoked, and their transaction closes the transfers it finds", "eraseMe",
		"INVITATION_ALREADY_ACCEPTED INVITATION_DECLINED INVITATION_EXPIRED INVITATION_REVOKED TRANSFER_NOT_PENDING",
	},
	{"a member may leave, and a key may be revoked, in a suspended account", "leaveTeam revokeApiKey", "ACCOUNT_SUSPENDED"},
	{"a malformed address is answered as an unknown one", "signIn", "BLANK INVALID_EMAIL"},
}

// TestDescriptionsNameTheUserErrors compares the user errors that the description of each
// mutation names with those that the code can return.
func TestDescriptionsNameTheUserErrors(t *testing.T) {
	t.Parallel()
	schema := graph.Schema()
	found := userErrorsOf(t, schema)
	for _, f := range schema.Mutation.Fields {
		want := found[strings.ToLower(f.Name)]
		for _, i := range impossible {
			if !slices.Contains(strings.Fields(i.mutations), f.Name) {
				continue
			}
			for _, code := range strings.Fields(i.codes) {
				if !want[code] {
					t.Errorf("%s: %s is listed as impossible, and nothing returns it", f.Name, code)
				}
				delete(want, code)
			}
		}
		if got, want := namedErrors(f.Description), slices.Sorted(maps.Keys(want)); !slices.Equal(got, want) {
			t.Errorf("%s: the description names the user errors\n%s, want\n%s", f.Name, strings.Join(got, ", "), strings.Join(want, ", "))
		}
	}
}

// namedErrors returns the codes that the description of a mutation names.
func namedErrors(description string) []string {
	m := regexp.MustCompile(`User errors: ([A-Z_, ]+)\.`).FindStringSubmatch(description)
	if m == nil {
		return nil
	}
	return strings.Split(m[1], ", ")
}

// userErrorsOf returns the codes that each mutation can return, by its name in small
// letters: those in its resolver, and in all that the resolver uses. What a function
// passes to another counts for both.
func userErrorsOf(t *testing.T, schema *gql.Schema) map[string]map[string]bool {
	t.Helper()
	const mode = packages.NeedName | packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesInfo | packages.NeedImports | packages.NeedDeps
	loaded, err := packages.Load(&packages.Config{Mode: mode, Dir: "../.."}, "./graph", "./internal/...")
	if err != nil {
		t.Fatal(err)
	}
	bodies := map[string]*body{}
	for _, p := range loaded {
		for _, f := range p.Syntax {
			bodiesOf(p.TypesInfo, f, bodies)
		}
	}
	found := map[string]map[string]bool{}
	for name := range bodies {
		mutation, ok := strings.CutPrefix(name, "(*"+inModule+"graph.mutationResolver).")
		if !ok {
			continue
		}
		codes := map[string]bool{}
		reach(bodies, name, map[string]bool{}, func(code string) {
			if schema.Types["UserErrorCode"].EnumValues.ForName(code) != nil {
				codes[code] = true
			}
		})
		found[strings.ToLower(mutation)] = codes
	}
	return found
}

// body is what a function, or the value of a variable, contains.
type body struct {
	codes []string // of user errors
	uses  []string // functions and variables of this module
}

func reach(bodies map[string]*body, name string, seen map[string]bool, note func(code string)) {
	b := bodies[name]
	if b == nil || seen[name] {
		return
	}
	seen[name] = true
	for _, code := range b.codes {
		note(code)
	}
	for _, used := range b.uses {
		reach(bodies, used, seen, note)
	}
}

func bodiesOf(info *types.Info, f *ast.File, bodies map[string]*body) {
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Body != nil {
				bodies[fullName(info.Defs[d.Name])] = bodyOf(info, d.Body)
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				v, ok := s.(*ast.ValueSpec)
				if !ok || d.Tok != token.VAR {
					continue
				}
				for i, value := range v.Values {
					bodies[fullName(info.Defs[v.Names[i]])] = bodyOf(info, value)
				}
			}
		}
	}
}

// fullName returns the name with its package, and with its receiver.
func fullName(o types.Object) string {
	if f, ok := o.(*types.Func); ok {
		return f.FullName()
	}
	return o.Pkg().Path() + "." + o.Name()
}

func bodyOf(info *types.Info, root ast.Node) *body {
	b := &body{}
	ast.Inspect(root, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr: // a comparison, or an error of the request
			called, ok := n.Fun.(*ast.SelectorExpr)
			return !ok || fullNameOf(info, called.Sel) != inModule+"internal/fault.Is" && fullNameOf(info, called.Sel) != inModule+"internal/fault.Refuse"
		case *ast.BinaryExpr:
			return n.Op != token.EQL && n.Op != token.NEQ
		case *ast.CaseClause:
			for _, s := range n.Body {
				inner := bodyOf(info, s)
				b.codes, b.uses = append(b.codes, inner.codes...), append(b.uses, inner.uses...)
			}
			for _, e := range n.List { // a case may call what returns an error
				b.uses = append(b.uses, bodyOf(info, e).uses...)
			}
			return false
		case *ast.Ident:
			switch o := info.Uses[n].(type) {
			case *types.Const:
				if o.Type().String() == inModule+"internal/fault.Code" {
					b.codes = append(b.codes, constant.StringVal(o.Val()))
				}
			case *types.Func:
				b.uses = append(b.uses, fullName(o))
			case *types.Var:
				if o.Pkg() != nil && o.Parent() == o.Pkg().Scope() {
					b.uses = append(b.uses, fullName(o))
				}
			}
		}
		return true
	})
	return b
}

func fullNameOf(info *types.Info, id *ast.Ident) string {
	if o := info.Uses[id]; o != nil && o.Pkg() != nil {
		return fullName(o)
	}
	return ""
}
