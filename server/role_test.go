package server_test

import (
	"github.com/convoke-dev/convoke/internal/testkit"
)

const decide = `query($input: AccessDecisionInput!) { accessDecision(input: $input) {
	allowed reason grantedBy { kind role { key } group { name } permission } } }`

// decision asks whether p may do something in his team; more of the question
// may follow in pairs.
func decision(p *testkit.Person, permission string, more ...any) *testkit.Answer {
	return p.Do(decide, testkit.Input(append([]any{"teamId", p.TeamID, "permission", permission}, more...)...))
}

// may is the answer in one word.
func may(p *testkit.Person, permission string, more ...any) bool {
	return decision(p, permission, more...).OK().At("accessDecision.allowed") == true
}

func newRole(p *testkit.Person, key string, permissions ...string) (id string) {
	return p.Mutate("createRole", "role { id }", "accountId", p.AccountID(), "key", key, "name", "The "+key, "permissions", append([]string{}, permissions...)).
		OK().Text("createRole.role.id")
}

func newGroup(p *testkit.Person, name string, roleIDs ...string) (id string) {
	return p.Mutate("createGroup", "group { id }", "accountId", p.AccountID(), "name", name, "roleIds", append([]string{}, roleIDs...)).
		OK().Text("createGroup.group.id")
}
