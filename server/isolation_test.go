package server_test

import (
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/convoke-dev/convoke/graph/generated"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/internal/uid"
)

// isolationIDs makes one thing of every kind in the person's account, and
// returns their ids by the prefix of their kind.
func isolationIDs(t *testing.T, p *testkit.Person) map[uid.Prefix]string {
	t.Helper()
	ann := p.Join("ann."+p.Email, "viewer")
	ids := map[uid.Prefix]string{
		uid.Account: p.AccountID(), uid.Team: p.TeamID, uid.Role: newRole(p, "custom"), uid.Member: p.MemberID(ann.Email),
		uid.User:       p.Do(`{ viewer { user { id } } }`, nil).OK().Text("viewer.user.id"),
		uid.Invitation: p.Invite("inv."+p.Email, "billing").OK().Text("inviteUser.invitation.id"),
	}
	ids[uid.Group] = newGroup(p, "Crew", ids[uid.Role])
	ids[uid.Division] = p.Mutate("createDivision", "division { id }", "accountId", ids[uid.Account], "name", "North").OK().Text("createDivision.division.id")
	ids[uid.Transfer] = p.Mutate("requestOwnershipTransfer", "transfer { id }", "memberId", ids[uid.Member]).OK().Text("requestOwnershipTransfer.transfer.id")
	ids[uid.Event] = p.Ask(`account { auditLog(first: 1) { nodes { id } } }`).OK().Text("team.account.auditLog.nodes.0.id")
	return ids
}

// kindOf says what an argument or field of type ID names.
var kindOf = map[string]uid.Prefix{
	"accountId": uid.Account, "teamId": uid.Team, "memberId": uid.Member, "userId": uid.User, "resourceOwnerId": uid.User, "actorId": uid.User,
	"roleId": uid.Role, "roleIds": uid.Role, "reassignTo": uid.Role, "groupId": uid.Group, "groupIds": uid.Group,
	"divisionId": uid.Division, "divisionIds": uid.Division, "parentId": uid.Division,
	"invitationId": uid.Invitation, "transferId": uid.Transfer, "subjectId": uid.Member,
}

// ownInput is a good input of one's own for every input type with an id: what
// the id under test replaces one field of.
func ownInput(own map[uid.Prefix]string) map[string]map[string]any {
	return map[string]map[string]any{
		"SetRolesInput":          {"memberId": own[uid.Member], "roleIds": []string{}},
		"SetRestrictionsInput":   {"memberId": own[uid.Member]},
		"CreateTeamInput":        {"name": "x"},
		"UpdateTeamInput":        {"name": "x"},
		"CreateRoleInput":        {"key": "x", "name": "x", "permissions": []string{}},
		"UpdateRoleInput":        {"name": "x"},
		"DeleteRoleInput":        {"roleId": own[uid.Role]},
		"CreateGroupInput":       {"accountId": own[uid.Account], "name": "x", "roleIds": []string{}},
		"UpdateGroupInput":       {"groupId": own[uid.Group]},
		"CreateDivisionInput":    {"accountId": own[uid.Account], "name": "x"},
		"UpdateDivisionInput":    {"divisionId": own[uid.Division]},
		"UpdateAccountInput":     {"name": "x"},
		"InviteUserInput":        {"teamId": own[uid.Team], "email": "new@x.org", "permissions": []string{"team.read"}},
		"UpdateInviteInput":      {"invitationId": own[uid.Invitation]},
		"AccessDecisionInput":    {"teamId": own[uid.Team], "permission": "billing.read"},
		"MemberInput":            {},
		"TeamInput":              {},
		"GroupInput":             {},
		"DivisionInput":          {},
		"OwnershipTransferInput": {},
		"ResendInviteInput":      {},
		"RevokeInviteInput":      {},
		"AcceptInviteInput":      {},
		"DeclineInviteInput":     {},
		"MemberFilter":           {},
		"InvitationFilter":       {},
		"PersonFilter":           {},
		"EventFilter":            {},
	}
}

// probe asks with an id in one place of the schema.
type probe func(id string) *testkit.Answer

// isolationProbes returns a probe for every place in the schema that takes an
// id, and fails for a place it does not know how to fill.
func isolationProbes(t *testing.T, p *testkit.Person, own map[uid.Prefix]string) map[string]probe {
	t.Helper()
	inputs, probes := ownInput(own), map[string]probe{}
	schema := generated.NewExecutableSchema(generated.Config{}).Schema()
	for _, def := range schema.Types {
		if def.Kind != ast.Object || strings.HasPrefix(def.Name, "__") {
			continue
		}
		for _, f := range def.Fields {
			for _, arg := range f.Arguments {
				if strings.HasPrefix(f.Name, "__") {
					continue
				}
				place := def.Name + "." + f.Name + "(" + arg.Name + ")"
				if arg.Type.Name() == "ID" {
					if probes[place] = isolationQuery(p, own, def, f, arg, nil); probes[place] == nil {
						t.Errorf("%s takes an id, and nobody knows how to ask", place)
					}
					continue
				}
				input := schema.Types[arg.Type.Name()]
				if input.Kind != ast.InputObject {
					continue
				}
				for _, field := range input.Fields {
					if field.Type.Name() != "ID" {
						continue
					}
					base, known := inputs[input.Name]
					if _, kind := kindOf[field.Name]; !known || !kind {
						t.Errorf("%s.%s takes an id, and nobody knows how to fill it", input.Name, field.Name)
						continue
					}
					probes[place+"."+field.Name] = isolationQuery(p, own, def, f, arg, func(id string) any { return filled(base, field, id) })
				}
			}
		}
	}
	return probes
}

func filled(base map[string]any, field *ast.FieldDefinition, id string) any {
	input := map[string]any{}
	for k, v := range base {
		input[k] = v
	}
	input[field.Name] = id
	if field.Type.Elem != nil {
		input[field.Name] = []string{id}
	}
	return input
}

// isolationQuery returns what asks for the field with the argument, filled with
// the id itself when fill is nil; nil when it cannot be asked for.
func isolationQuery(p *testkit.Person, own map[uid.Prefix]string, def *ast.Definition, f *ast.FieldDefinition, arg *ast.ArgumentDefinition, fill func(string) any) probe {
	selection := map[string]string{
		"Mutation": `{ userErrors { code field message } }`, "Query": `{ __typename }`, "Subscription": `{ __typename }`,
		"Team": `{ totalCount nodes { __typename } }`, "Account": `{ totalCount nodes { __typename } }`,
	}[def.Name]
	around := map[string]string{
		"Mutation": "mutation(%s) { %s }", "Query": "query(%s) { %s }", "Subscription": "subscription(%s) { %s }", "Viewer": "query(%s) { viewer { %s } }",
		"Team": `query(%s) { team(id: "` + own[uid.Team] + `") { %s } }`, "Account": `query(%s) { account(id: "` + own[uid.Account] + `") { %s } }`,
	}[def.Name]
	if around == "" {
		return nil
	}
	query := strings.Replace(strings.Replace(around, "%s", "$x: "+arg.Type.String(), 1), "%s", f.Name+"("+arg.Name+": $x) "+selection, 1)
	if def.Name == "Query" && strings.HasPrefix(f.Name, "accessDecision") {
		query = strings.Replace(query, "{ __typename }", "{ allowed reason grantedBy { kind } }", 1)
	}
	return func(id string) *testkit.Answer {
		var x any = id
		if fill != nil {
			x = fill(id)
		}
		if arg.Type.Elem != nil {
			x = []any{x}
		}
		if def.Name == "Subscription" {
			return p.SubscribeSSE(query, map[string]any{"x": x}).Next()
		}
		return p.Do(query, map[string]any{"x": x})
	}
}

func TestStrangersIDsAnswerLikeRandomOnes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		acme, evil := w.SignUp("olivia@acme.test"), w.SignUp("mallory@evil.test")
		theirs, own := isolationIDs(t, acme), isolationIDs(t, evil)
		ask := func(p probe, id string) string { return strings.ReplaceAll(p(id).Raw, id, "ID") }
		places := isolationProbes(t, evil, own)
		if len(places) < 50 {
			t.Errorf("%d places take an id, want more", len(places))
		}
		for place, p := range places {
			t.Run("BEY-20 "+place, func(t *testing.T) {
				for kind, id := range theirs { // of the right kind and of all others
					if got, want := ask(p, id), ask(p, uid.New(kind)); got != want {
						t.Errorf("a stranger's %s is answered\n%s\na random one\n%s", kind, got, want)
					}
				}
			})
		}
		t.Run("BEY-20 a node of every type", func(t *testing.T) {
			for _, def := range generated.NewExecutableSchema(generated.Config{}).Schema().Types {
				if def.Kind != ast.Object || !strings.Contains(strings.Join(def.Interfaces, " "), "Node") {
					continue
				}
				prefix, _, _ := strings.Cut(strings.TrimPrefix(def.Fields.ForName("id").Description, "Prefixed with "), "_")
				id := theirs[uid.Prefix(prefix)]
				if id == "" {
					t.Errorf("%s is a Node, and there is none to ask for", def.Name)
					continue
				}
				node := map[string]any{"id": id}
				equal(t, "one's own "+def.Name, acme.Do(`query($id: ID!) { node(id: $id) { __typename id } }`, node).OK().Text("node.__typename"), def.Name)
				equal(t, "a stranger's "+def.Name, evil.Do(`query($id: ID!) { node(id: $id) { __typename id } }`, node).OK().Raw, `{"data":{"node":null}}`)
				equal(t, "among others", evil.Do(`query($id: ID!) { nodes(ids: [$id]) { __typename id } }`, node).OK().Raw, `{"data":{"nodes":[null]}}`)
			}
		})
		t.Run("BEY-20 an address and a cursor", func(t *testing.T) {
			user := func(email string) string {
				return evil.Do(`query($id: ID!, $e: EmailAddress!) { account(id: $id) { user(email: $e) { id } } }`,
					map[string]any{"id": own[uid.Account], "e": email}).OK().Raw
			}
			equal(t, "a stranger's address", user(acme.Email), user("nobody@x.org"))
			cursor := func(c string) string {
				return evil.SubscribeSSE(watch, map[string]any{"team": evil.TeamID, "after": c}).Next().Code()
			}
			equal(t, "a stranger's cursor", cursor(eventCursor(acme)), cursor("nonsense"))
		})
	})
}
