package server_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/convoke-dev/convoke/graph"
	"github.com/convoke-dev/convoke/internal/testkit"
)

// refusalStart is a place where a viewer gets objects of one type. The document has %s where
// fields of the type are selected.
type refusalStart struct{ name, document, typ string }

// refusalWalk selects every field of every type of the schema.
type refusalWalk struct {
	types     map[string]*ast.Definition
	possible  map[string][]*ast.Definition
	arguments map[string]string // what required arguments get, by name
}

// field returns a field with its required arguments.
func (w refusalWalk) field(t *testing.T, f *ast.FieldDefinition) string {
	t.Helper()
	var given []string
	for _, arg := range f.Arguments {
		if arg.Name == "first" {
			given = append(given, "first: 2") // or the operation would cost too much
		}
		if !arg.Type.NonNull || arg.DefaultValue != nil {
			continue
		}
		value, known := w.arguments[arg.Name]
		if !known {
			t.Errorf("the argument %s of %s is required: say what this test gives it", arg.Name, f.Name)
		}
		given = append(given, arg.Name+": "+value)
	}
	if len(given) == 0 {
		return f.Name
	}
	return f.Name + "(" + strings.Join(given, ", ") + ")"
}

func (w refusalWalk) leaf(typ *ast.Type) bool { return w.types[typ.Name()].IsLeafType() }

// fields selects each field of the type, of composite ones only their type.
func (w refusalWalk) fields(t *testing.T, def *ast.Definition) string {
	t.Helper()
	all := []string{"__typename"}
	for _, f := range def.Fields {
		switch {
		case strings.HasPrefix(f.Name, "__"):
		case w.leaf(f.Type):
			all = append(all, w.field(t, f))
		default:
			all = append(all, w.field(t, f)+" { __typename }")
		}
	}
	return strings.Join(all, " ")
}

// walk calls visit with selections on the type, which together select every field down to the
// depth: always all fields of one type beside each other.
func (w refusalWalk) walk(t *testing.T, def *ast.Definition, depth int, visit func(selection string)) {
	t.Helper()
	visit(w.fields(t, def))
	if depth == 0 {
		return
	}
	for _, f := range def.Fields {
		if strings.HasPrefix(f.Name, "__") || w.leaf(f.Type) {
			continue
		}
		below, inside := w.types[f.Type.Name()], "%s"
		if nodes := below.Fields.ForName("nodes"); nodes != nil {
			below, inside = w.types[nodes.Type.Name()], "__typename totalCount edges { cursor } pageInfo { hasNextPage } nodes { %s }"
		}
		for _, typ := range w.possible[below.Name] {
			on := inside
			if typ.Kind != ast.Object {
				continue
			}
			if typ.Name != below.Name {
				on = fmt.Sprintf(inside, "__typename ... on "+typ.Name+" { %s }")
			}
			w.walk(t, typ, depth-1, func(selection string) {
				visit("__typename " + w.field(t, f) + " { " + fmt.Sprintf(on, selection) + " }")
			})
		}
	}
}

// flagsInAdvance returns which flag announces the refusal of which field, as the descriptions of
// the flags say: "Type.field" to "viewerCanSee…".
func flagsInAdvance() map[string]string {
	flags, quoted := map[string]string{"Team.eventCursor": "viewerMembership"}, regexp.MustCompile("`([a-zA-Z]+)`")
	for _, def := range graph.Schema().Types {
		for _, f := range def.Fields {
			if strings.HasPrefix(f.Name, "viewerCanSee") {
				for _, named := range quoted.FindAllStringSubmatch(f.Description, -1) {
					flags[def.Name+"."+named[1]] = f.Name
				}
			}
		}
	}
	return flags
}

// pathOf returns the path of an error in the form that answers are read by.
func pathOf(path []any) string {
	steps := make([]string, len(path))
	for i, s := range path {
		steps[i] = fmt.Sprint(s)
	}
	return strings.Join(steps, ".")
}

// refusalsIn checks an answer: each refusal stands at its own field, and nulls nothing else.
// refused gets the object that each refusal stands in.
func refusalsIn(t *testing.T, a *testkit.Answer, refused func(object map[string]any, field string)) {
	t.Helper()
	for _, e := range a.Errors {
		code := fmt.Sprint(e.Extensions["code"])
		if code != "FORBIDDEN" && code != "UNAUTHENTICATED" || len(e.Path) == 0 {
			t.Errorf("got %s at %v, want no error but a refusal: %s", code, e.Path, e.Message)
			continue
		}
		steps := strings.Split(pathOf(e.Path), ".")
		field := steps[len(steps)-1]
		parent, whole := a.At(strings.Join(steps[:len(steps)-1], ".")).(map[string]any)
		if len(steps) == 1 {
			parent, whole = a.Data, a.Data != nil
		}
		if !whole {
			t.Errorf("the refusal of %s nulls more than itself", strings.Join(steps, "."))
			continue
		}
		if parent[field] != nil {
			t.Errorf("%s is refused and not null", strings.Join(steps, "."))
		}
		refused(parent, field)
	}
}

// announced checks that the flags of an object say which of its fields are refused.
func announced(t *testing.T, value any, flags map[string]string, refused map[string]bool) {
	t.Helper()
	switch v := value.(type) {
	case []any:
		for _, element := range v {
			announced(t, element, flags, refused)
		}
	case map[string]any:
		typ := fmt.Sprint(v["__typename"])
		for field, flag := range flags {
			name, of := strings.CutPrefix(field, typ+".")
			says, selected := v[flag]
			if _, there := v[name]; !of || !selected || !there {
				continue
			}
			if can, is := says != nil && says != false, refused[fmt.Sprintf("%p.%s", v, name)]; can == is {
				t.Errorf("%s says %v, and that %s is refused is %t", flag, says, field, is)
			}
		}
		for _, below := range v {
			announced(t, below, flags, refused)
		}
	}
}

func TestARefusalNullsOnlyItsField(t *testing.T) {
	t.Parallel()
	preset, err := matrixCatalogue(t).Preset("teams")
	if err != nil {
		t.Fatal(err)
	}
	each(t, func(t *testing.T, w *testkit.World) {
		m := isolationStage(w, w.SignUp("olivia@acme.test"))
		nodes := isolationNodes(m)
		columns := append(matrixColumns(w, m, preset),
			matrixColumn{Person: m.owner.JoinWith("nothing@acme.test", "roleIds", []string{m.things["role"]}), name: "a member without permissions"},
			matrixColumn{Person: m.owner.JoinWith("inviter@acme.test", "permissions", []string{"members.invite"}), name: "a member who only invites"},
			matrixColumn{Person: m.owner.JoinWith("clerk.account@acme.test", "permissions", []string{"account.read"}), name: "a member who reads the account"},
			matrixColumn{Person: w.SignUp("pending@x.org"), name: "an addressee"},
		)
		newTeam(m.owner, "Second").OK()
		everything := []any{"roleIds", []string{m.things["role"]}, "groupIds", []string{m.things["group"]}, "divisionIds", []string{m.things["division"]}}
		offered := w.SignUp("offered@x.org")
		m.owner.Do(testkit.InviteMutation, testkit.Input(append([]any{"teamId", m.owner.TeamID, "email", offered.Email}, everything...)...)).OK()
		columns = append(columns, matrixColumn{Person: offered, name: "an addressee who is offered everything"})
		decliner := w.SignUp("decliner@x.org")
		declined := m.owner.Do(testkit.InviteMutation, testkit.Input(append([]any{"teamId", m.owner.TeamID, "email", decliner.Email}, everything...)...)).
			OK().Text("inviteUser.invitation.id")
		declinedToken := testkit.Token(t, w.Mail.Wait(t, decliner.Email, 2))
		removed := w.SignUp("removed@x.org")
		m.owner.JoinAs(removed, "billing")
		onMember(m.owner, "removeMember", m.owner.MemberID(removed.Email)).OK()
		columns = append(columns, matrixColumn{Person: decliner, name: "a decliner"}, matrixColumn{Person: removed, name: "a removed member"})

		schema, flags := graph.Schema(), flagsInAdvance()
		walk := refusalWalk{types: schema.Types, possible: schema.PossibleTypes, arguments: map[string]string{
			"id": `"` + m.things["account"] + `"`, "ids": `["` + m.things["team"] + `", "` + m.things["clerk"] + `"]`, "teamId": `"` + m.things["team"] + `"`,
			"token": `"x"`, "email": `"` + m.owner.Email + `"`,
			"input": `{teamId: "` + m.things["team"] + `", userId: "` + m.things["user"] + `", permission: "team.read"}`,
		}}
		walk.arguments["inputs"] = "[" + walk.arguments["input"] + "]"
		common := []refusalStart{
			{"Query", `query { %s }`, "Query"},
			{"Viewer", `query { viewer { %s } }`, "Viewer"},
			{"an addressee's invitation", `query { viewer { receivedInvitations { nodes { %s } } } }`, "Invitation"},
		}
		for _, typ := range slices.Sorted(maps.Keys(nodes)) {
			common = append(common, refusalStart{"a node of type " + typ, `query { node(id: "` + nodes[typ] + `") { __typename ... on ` + typ + ` { %s } } }`, typ})
		}
		byID := refusalStart{"a declined invitation", `mutation { declineInvite(input: {invitation: {id: "` + declined + `"}}) { invitation { %s } } }`, "Invitation"}
		byToken := refusalStart{"a declined invitation by its link", `mutation { declineInvite(input: {invitation: {token: "` + declinedToken + `"}}) { invitation { %s } } }`, "Invitation"}
		refusals := 0
		for _, c := range columns {
			starts, depth := common, map[string]int{}
			switch {
			case c.name == "a decliner":
				starts = append(slices.Clone(common), byID)
			case c.Email == "":
				starts = append(slices.Clone(common), byToken)
			}
			for _, s := range []refusalStart{byID, byToken, common[2]} {
				depth[s.name] = 2 // what an addressee sees of a team is found here only
			}
			t.Run("FE-10 a refusal nulls only its field, for "+c.name, func(t *testing.T) {
				for _, s := range starts {
					walk.walk(t, schema.Types[s.typ], max(depth[s.name], 1), func(selection string) {
						a := c.Do(fmt.Sprintf(s.document, selection), nil)
						refused := map[string]bool{}
						refusalsIn(t, a, func(object map[string]any, field string) {
							refusals++
							refused[fmt.Sprintf("%p.%s", object, field)] = true
							if typ := fmt.Sprint(object["__typename"]); s.typ != "Query" && flags[typ+"."+field] == "" {
								t.Errorf("%s.%s is refused, and no flag says so in advance", typ, field)
							}
						})
						announced(t, a.Data, flags, refused)
						if t.Failed() {
							t.Logf("%s: %s\n%s", s.name, selection, a.Raw)
							t.FailNow()
						}
					})
				}
			})
		}
		if refusals < 100 {
			t.Errorf("%d refusals were seen, want more", refusals)
		}
	})
}

// The queries of the issue, as they are.
func TestRefusalsOfTheFirstHour(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		ann := w.SignUp("ann@x.org")
		installer := owner.Join("ines@x.org", "installer")
		t.Run("FE-10 an installer keeps the team when its people are refused", func(t *testing.T) {
			a := installer.Do(`{ team { name viewerCanSeeMembers people { totalCount } } }`, nil)
			equal(t, "name", a.Text("team.name") != "", true)
			equal(t, "flag", a.At("team.viewerCanSeeMembers"), any(false))
			equal(t, "code and path", fmt.Sprint(a.Code(), a.Errors[0].Path), "FORBIDDEN[team people]")
		})
		t.Run("FE-10 a decliner keeps the invitation when its timeline is refused", func(t *testing.T) {
			id := owner.Invite("ann@x.org", "billing").OK().Text("inviteUser.invitation.id")
			a := ann.Do(`mutation($id: ID!) { declineInvite(input: {invitation: {id: $id}}) { invitation { status viewerCanSeeTimeline timeline { totalCount } } } }`,
				map[string]any{"id": id})
			equal(t, "status", a.Text("declineInvite.invitation.status"), "DECLINED")
			equal(t, "flag", a.At("declineInvite.invitation.viewerCanSeeTimeline"), any(false))
			equal(t, "code and path", fmt.Sprint(a.Code(), a.Errors[0].Path), "FORBIDDEN[declineInvite invitation timeline]")
		})
	})
}
