package server_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/convoke-dev/convoke/graph"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/internal/uid"
)

// isolationAsk is a good operation of one's own but for $id, which stands where
// the schema takes an id.
type isolationAsk struct {
	asks string
	own  string // a thing of one's own that is answered in another way than an unknown id
}

// isolationAsks has a line for every place in the schema that takes an id.
func isolationAsks() map[string]isolationAsk {
	const decide = `", permission: "orders.read"}) { allowed reason grantedBy { permission } }`
	return map[string]isolationAsk{
		"Query.node(id)":                                      {`node(id: "$id") { __typename }`, "team"},
		"Query.nodes(ids)":                                    {`nodes(ids: ["$team", "$id"]) { __typename }`, "account"},
		"Query.account(id)":                                   {`account(id: "$id") { name }`, "account"},
		"Query.team(id)":                                      {`team(id: "$id") { name }`, "team"},
		"Viewer.permissions(teamId)":                          {`viewer { permissions(teamId: "$id") }`, "team"},
		"Query.accessDecision(input.teamId)":                  {`accessDecision(input: {teamId: "$id` + decide, "team"},
		"Query.accessDecision(input.userId)":                  {`accessDecision(input: {teamId: "$team", userId: "$id` + decide, "clerkUser"},
		"Query.accessDecision(input.divisionId)":              {`accessDecision(input: {teamId: "$team", userId: "$clerkUser", divisionId: "$id` + decide, "division"},
		"Query.accessDecision(input.resourceOwnerId)":         {`accessDecision(input: {teamId: "$team", userId: "$clerkUser", resourceOwnerId: "$id", permission: "certificates.read"}) { allowed reason }`, "clerkUser"},
		"Query.accessDecisions(inputs.teamId)":                {`accessDecisions(inputs: {teamId: "$id` + decide, "team"},
		"Query.accessDecisions(inputs.userId)":                {`accessDecisions(inputs: {teamId: "$team", userId: "$id` + decide, "clerkUser"},
		"Query.accessDecisions(inputs.divisionId)":            {`accessDecisions(inputs: {teamId: "$team", userId: "$clerkUser", divisionId: "$id` + decide, "division"},
		"Query.accessDecisions(inputs.resourceOwnerId)":       {`accessDecisions(inputs: {teamId: "$team", userId: "$clerkUser", resourceOwnerId: "$id", permission: "certificates.read"}) { allowed reason }`, "clerkUser"},
		"Account.auditLog(filter.actorId)":                    {`account(id: "$account") { auditLog(filter: {actorId: "$id"}) { totalCount nodes { type } } }`, "user"},
		"Account.auditLog(filter.subjectId)":                  {`account(id: "$account") { auditLog(filter: {subjectId: "$id"}) { totalCount nodes { type } } }`, "role"},
		"Team.members(filter.roleId)":                         {`team(id: "$team") { members(filter: {roleId: "$id"}) { totalCount nodes { id } } }`, "role"},
		"Team.members(filter.groupId)":                        {`team(id: "$team") { members(filter: {groupId: "$id"}) { totalCount nodes { id } } }`, "group"},
		"Team.members(filter.divisionId)":                     {`team(id: "$team") { members(filter: {divisionId: "$id"}) { totalCount nodes { id } } }`, "division"},
		"Team.invitations(filter.roleId)":                     {`team(id: "$team") { invitations(filter: {roleId: "$id"}) { totalCount nodes { id } } }`, "role"},
		"Team.invitations(filter.groupId)":                    {`team(id: "$team") { invitations(filter: {groupId: "$id"}) { totalCount nodes { id } } }`, "group"},
		"Team.invitations(filter.divisionId)":                 {`team(id: "$team") { invitations(filter: {divisionId: "$id"}) { totalCount nodes { id } } }`, "division"},
		"Team.people(filter.groupId)":                         {`team(id: "$team") { people(filter: {groupId: "$id"}) { totalCount nodes { id } } }`, "group"},
		"Team.people(filter.divisionId)":                      {`team(id: "$team") { people(filter: {divisionId: "$id"}) { totalCount nodes { id } } }`, "division"},
		"Team.people(filter.roleId)":                          {`team(id: "$team") { people(filter: {roleId: "$id"}) { totalCount nodes { __typename } } }`, "role"},
		"Subscription.inviteStatusChanged(teamId)":            {`inviteStatusChanged(teamId: "$id", after: "$start") { type }`, "team"},
		"Subscription.membersChanged(teamId)":                 {`membersChanged(teamId: "$id", after: "$start") { type }`, "team"},
		"Subscription.teamChanged(teamId)":                    {`teamChanged(teamId: "$id", after: "$start") { type }`, "team"},
		"Mutation.updateAccount(input.accountId)":             {`updateAccount(input: {accountId: "$id", name: "New"})`, "account"},
		"Mutation.createApiKey(input.accountId)":              {`createApiKey(input: {accountId: "$id", name: "", permissions: ["team.read"]})`, "account"},
		"Mutation.createApiKey(input.teamId)":                 {`createApiKey(input: {accountId: "$account", teamId: "$id", name: "New", permissions: ["team.read"]})`, "team"},
		"Mutation.updateApiKey(input.apiKeyId)":               {`updateApiKey(input: {apiKeyId: "$id", name: ""})`, "key"},
		"Mutation.revokeApiKey(input.apiKeyId)":               {`revokeApiKey(input: {apiKeyId: "$id"})`, "key"},
		"Mutation.createTeam(input.accountId)":                {`createTeam(input: {accountId: "$id", name: "New"})`, "account"},
		"Mutation.updateTeam(input.teamId)":                   {`updateTeam(input: {teamId: "$id", name: "New"})`, "team"},
		"Mutation.deleteTeam(input.teamId)":                   {`deleteTeam(input: {teamId: "$id"})`, "team"},
		"Mutation.leaveTeam(input.teamId)":                    {`leaveTeam(input: {teamId: "$id"})`, "team"},
		"Mutation.setActiveTeam(input.teamId)":                {`setActiveTeam(input: {teamId: "$id"})`, "team"},
		"Mutation.revokeSession(input.sessionId)":             {`revokeSession(input: {sessionId: "$id"})`, "newSession"},
		"Mutation.createRole(input.accountId)":                {`createRole(input: {accountId: "$id", key: "new", name: "New", permissions: []})`, "account"},
		"Mutation.updateRole(input.roleId)":                   {`updateRole(input: {roleId: "$id", name: "New"})`, "role"},
		"Mutation.deleteRole(input.roleId)":                   {`deleteRole(input: {roleId: "$id"})`, "role"},
		"Mutation.deleteRole(input.reassignTo)":               {`deleteRole(input: {roleId: "$role", reassignTo: "$id"})`, "role"},
		"Mutation.createGroup(input.accountId)":               {`createGroup(input: {accountId: "$id", name: "New", roleIds: []})`, "account"},
		"Mutation.createGroup(input.roleIds)":                 {`createGroup(input: {accountId: "$account", name: "New", roleIds: ["$id"]})`, "role"},
		"Mutation.updateGroup(input.groupId)":                 {`updateGroup(input: {groupId: "$id", name: "New"})`, "group"},
		"Mutation.updateGroup(input.roleIds)":                 {`updateGroup(input: {groupId: "$group", roleIds: ["$role", "$id"]})`, "role"},
		"Mutation.deleteGroup(input.groupId)":                 {`deleteGroup(input: {groupId: "$id"})`, "newGroup"},
		"Mutation.createDivision(input.accountId)":            {`createDivision(input: {accountId: "$id", name: "New"})`, "account"},
		"Mutation.createDivision(input.parentId)":             {`createDivision(input: {accountId: "$account", name: "New", parentId: "$id"})`, "division"},
		"Mutation.updateDivision(input.divisionId)":           {`updateDivision(input: {divisionId: "$id", name: "New"})`, "division"},
		"Mutation.updateDivision(input.parentId)":             {`updateDivision(input: {divisionId: "$division", parentId: "$id"})`, "division"},
		"Mutation.deleteDivision(input.divisionId)":           {`deleteDivision(input: {divisionId: "$id"})`, "division"},
		"Mutation.inviteUser(input.teamId)":                   {`inviteUser(input: {teamId: "$id", email: "new@x.org", grant: {chosen: {permissions: ["team.read"]}}})`, "team"},
		"Mutation.inviteUser(input.grant.chosen.roleIds)":     {`inviteUser(input: {teamId: "$team", email: "new@x.org", grant: {chosen: {roleIds: ["$role", "$id"]}}})`, "role"},
		"Mutation.inviteUser(input.grant.chosen.groupIds)":    {`inviteUser(input: {teamId: "$team", email: "new@x.org", grant: {chosen: {groupIds: ["$id"]}}})`, "group"},
		"Mutation.inviteUser(input.divisionIds)":              {`inviteUser(input: {teamId: "$team", email: "new@x.org", grant: {chosen: {permissions: ["team.read"]}}, divisionIds: ["$id"]})`, "division"},
		"Mutation.inviteUsers(input.teamId)":                  {`inviteUsers(input: {teamId: "$id", emails: ["new@x.org"], grant: {chosen: {permissions: ["team.read"]}}})`, "team"},
		"Mutation.inviteUsers(input.grant.chosen.roleIds)":    {`inviteUsers(input: {teamId: "$team", emails: ["new@x.org"], grant: {chosen: {roleIds: ["$role", "$id"]}}})`, "role"},
		"Mutation.inviteUsers(input.grant.chosen.groupIds)":   {`inviteUsers(input: {teamId: "$team", emails: ["new@x.org"], grant: {chosen: {groupIds: ["$id"]}}})`, "group"},
		"Mutation.inviteUsers(input.divisionIds)":             {`inviteUsers(input: {teamId: "$team", emails: ["new@x.org"], grant: {chosen: {permissions: ["team.read"]}}, divisionIds: ["$id"]})`, "division"},
		"Mutation.resendInvite(input.invitationId)":           {`resendInvite(input: {invitationId: "$id"})`, "pending"},
		"Mutation.updateInvite(input.invitationId)":           {`updateInvite(input: {invitationId: "$id", note: "New"})`, "pending"},
		"Mutation.updateInvite(input.grant.chosen.roleIds)":   {`updateInvite(input: {invitationId: "$pending", grant: {chosen: {roleIds: ["$id"]}}})`, "role"},
		"Mutation.updateInvite(input.grant.chosen.groupIds)":  {`updateInvite(input: {invitationId: "$pending", grant: {chosen: {groupIds: ["$id"]}}})`, "group"},
		"Mutation.updateInvite(input.divisionIds)":            {`updateInvite(input: {invitationId: "$pending", divisionIds: ["$id"]})`, "division"},
		"Mutation.revokeInvite(input.invitationId)":           {`revokeInvite(input: {invitationId: "$id"})`, "revoked"},
		"Mutation.resendInvites(input.teamId)":                {`resendInvites(input: {teamId: "$id", invitationIds: ["inv_none"]})`, "team"},
		"Mutation.resendInvites(input.invitationIds)":         {itsResults(`resendInvites(input: {teamId: "$team", invitationIds: ["$id"]})`), "pending"},
		"Mutation.revokeInvites(input.teamId)":                {`revokeInvites(input: {teamId: "$id", invitationIds: ["inv_none"]})`, "team"},
		"Mutation.revokeInvites(input.invitationIds)":         {itsResults(`revokeInvites(input: {teamId: "$team", invitationIds: ["$id"]})`), "revoked"},
		"Mutation.removeMembers(input.teamId)":                {`removeMembers(input: {teamId: "$id", memberIds: ["mem_none"]})`, "team"},
		"Mutation.removeMembers(input.memberIds)":             {itsResults(`removeMembers(input: {teamId: "$team", memberIds: ["$id"]})`), "owner"},
		"Mutation.setRolesOfMembers(input.teamId)":            {`setRolesOfMembers(input: {teamId: "$id", items: [{memberId: "mem_none"}]})`, "team"},
		"Mutation.setRolesOfMembers(input.items.memberId)":    {itsResults(`setRolesOfMembers(input: {teamId: "$team", items: [{memberId: "$id", permissions: ["team.read"]}]})`), "colleague"},
		"Mutation.setRolesOfMembers(input.items.roleIds)":     {itsResults(`setRolesOfMembers(input: {teamId: "$team", items: [{memberId: "$colleague", roleIds: ["$role", "$id"]}]})`), "role"},
		"Mutation.setRolesOfMembers(input.items.groupIds)":    {itsResults(`setRolesOfMembers(input: {teamId: "$team", items: [{memberId: "$colleague", groupIds: ["$id"]}]})`), "group"},
		"Mutation.acceptInvite(input.invitation.id)":          {`acceptInvite(input: {invitation: {id: "$id"}})`, "received"},
		"Mutation.declineInvite(input.invitation.id)":         {`declineInvite(input: {invitation: {id: "$id"}})`, "received"},
		"Mutation.blockInvitations(input.invitation.id)":      {`blockInvitations(input: {invitation: {id: "$id"}})`, "received"},
		"Mutation.unblockInvitations(input.blockId)":          {`unblockInvitations(input: {blockId: "$id"})`, "block"},
		"Mutation.setRoles(input.memberId)":                   {`setRoles(input: {memberId: "$id", permissions: ["team.read"]})`, "colleague"},
		"Mutation.setRoles(input.roleIds)":                    {`setRoles(input: {memberId: "$colleague", roleIds: ["$role", "$id"]})`, "role"},
		"Mutation.setRoles(input.groupIds)":                   {`setRoles(input: {memberId: "$colleague", groupIds: ["$id"]})`, "group"},
		"Mutation.setRestrictions(input.memberId)":            {`setRestrictions(input: {memberId: "$id"})`, "colleague"},
		"Mutation.setRestrictions(input.divisionIds)":         {`setRestrictions(input: {memberId: "$colleague", divisionIds: ["$id"]})`, "division"},
		"Mutation.deactivateMember(input.memberId)":           {`deactivateMember(input: {memberId: "$id"})`, "colleague"},
		"Mutation.reactivateMember(input.memberId)":           {`reactivateMember(input: {memberId: "$id"})`, "owner"},
		"Mutation.removeMember(input.memberId)":               {`removeMember(input: {memberId: "$id"})`, "owner"},
		"Mutation.requestOwnershipTransfer(input.memberId)":   {`requestOwnershipTransfer(input: {memberId: "$id"})`, "owner"},
		"Mutation.acceptOwnershipTransfer(input.transferId)":  {`acceptOwnershipTransfer(input: {transferId: "$id"})`, "declined"},
		"Mutation.declineOwnershipTransfer(input.transferId)": {`declineOwnershipTransfer(input: {transferId: "$id"})`, "declined"},
		"Mutation.cancelOwnershipTransfer(input.transferId)":  {`cancelOwnershipTransfer(input: {transferId: "$id"})`, "declined"},
	}
}

// itsResults also asks for the results of a mutation on many objects. GraphQL merges both
// selections into one.
func itsResults(mutation string) string {
	return mutation + ` { results { outcome userErrors { code field message } } } ` + mutation
}

// isolationPlaces returns every place in the schema that takes an id.
func isolationPlaces() (places []string) {
	schema := graph.Schema()
	var walk func(field, path string, typ *ast.Type, within []string)
	walk = func(field, path string, typ *ast.Type, within []string) {
		def := schema.Types[typ.Name()]
		switch {
		case typ.Name() == "ID":
			places = append(places, field+"("+path+")")
		case def.Kind == ast.InputObject && !slices.Contains(within, def.Name):
			for _, f := range def.Fields {
				walk(field, path+"."+f.Name, f.Type, append(within, def.Name))
			}
		}
	}
	for _, def := range schema.Types {
		if def.Kind != ast.Object && def.Kind != ast.Interface || def.BuiltIn {
			continue
		}
		for _, f := range def.Fields {
			for _, arg := range f.Arguments {
				walk(def.Name+"."+f.Name, arg.Name, arg.Type, nil)
			}
		}
	}
	return places
}

// isolationStage is a stage with a few things more: somebody who holds what ids
// in questions and filters name, and an invitation to the owner.
func isolationStage(w *testkit.World, owner *testkit.Person) *matrixStage {
	m := newMatrixStage(owner, "billing")
	clerk := owner.JoinWith("clerk."+owner.Email, "groupIds", []string{m.things["group"]}, "divisionIds", []string{m.things["division"]},
		"permissions", []string{"orders.read", "certificates.read:own"})
	m.things["clerk"] = owner.MemberID(clerk.Email)
	m.things["pending"] = owner.Do(testkit.InviteMutation, testkit.Input("teamId", owner.TeamID, "email", "pending@x.org", "roleIds", []string{m.things["role"]})).OK().Text("inviteUser.invitation.id")
	m.things["transfer"] = owner.Mutate("requestOwnershipTransfer", "transfer { id }", "memberId", m.things["clerk"]).OK().Text("requestOwnershipTransfer.transfer.id")
	for name, p := range map[string]*testkit.Person{"user": owner, "clerkUser": clerk} {
		m.things[name] = p.Do(`{ viewer { user { id } } }`, nil).OK().Text("viewer.user.id")
	}
	m.things["session"] = newSession(owner)
	m.things["event"] = owner.Ask(`account { auditLog(first: 1) { nodes { id } } }`).OK().Text("team.account.auditLog.nodes.0.id")
	host := w.SignUp("host." + owner.Email)
	host.JoinAs(owner, "viewer")
	m.things["received"] = host.Ask(`invitations { nodes { id } }`).OK().Text("team.invitations.nodes.0.id")
	m.things["block"] = owner.Mutate("blockInvitations", "block { id }", "id", m.things["received"]).OK().Text("blockInvitations.block.id")
	return m
}

// isolationNodes are things of a stage, one of every type that has an id.
func isolationNodes(m *matrixStage) map[string]string {
	nodes := map[string]string{}
	for typ, name := range map[string]string{
		"Account": "account", "Team": "team", "User": "clerkUser", "Member": "clerk", "Role": "role", "Group": "group", "Division": "division",
		"Invitation": "pending", "OwnershipTransfer": "transfer", "Event": "event", "Session": "session", "InvitationBlock": "block", "ApiKey": "key",
	} {
		nodes[typ] = m.things[name]
	}
	return nodes
}

// isolationAnswer is the whole answer, with ID in the place of the id.
func isolationAnswer(t *testing.T, m *matrixStage, c *testkit.Client, place, asks, id string) string {
	t.Helper()
	with := *m
	with.things = maps.Clone(m.things)
	with.things["id"] = id
	field, _, _ := strings.Cut(place, "(")
	_, a := matrixRow{field: field, does: asks}.try(t, &with, c)
	return strings.ReplaceAll(a.Raw, id, "ID")
}

// isolationElsewhere is the answer to the owner of one stage who names nothing
// but things of the other, or random ones in their place.
func isolationElsewhere(t *testing.T, other, m *matrixStage, place string, ask isolationAsk, random bool) string {
	t.Helper()
	elsewhere, names := *m, []string{}
	elsewhere.things = map[string]string{"start": m.things["start"]}
	for name, id := range other.things {
		if name == "start" {
			continue
		}
		if random {
			id = isolationRandom(t, id)
		}
		elsewhere.things[name] = id
		names = append(names, id, name)
	}
	own := strings.NewReplacer("newGroup", "group", "newSession", "session").Replace(ask.own)
	field, _, _ := strings.Cut(place, "(")
	_, a := matrixRow{field: field, does: strings.ReplaceAll(ask.asks, "$id", "$"+own)}.try(t, &elsewhere, m.owner.Client)
	return strings.NewReplacer(names...).Replace(a.Raw)
}

func isolationRandom(t *testing.T, id string) string {
	t.Helper()
	prefix, err := uid.Of(id)
	if err != nil {
		t.Fatal(err)
	}
	return uid.New(prefix)
}

func TestStrangersIDsAnswerLikeRandomOnes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		acme, evil := isolationStage(w, w.SignUp("olivia@acme.test")), isolationStage(w, w.SignUp("mallory@evil.test"))
		theirs, before, asks := isolationNodes(acme), acme.state(), isolationAsks()
		key := newKey(w, evil.owner, matrixCatalogue(t).All().Keys())
		for _, place := range isolationPlaces() {
			ask, known := asks[place]
			delete(asks, place)
			if !known {
				t.Errorf("%s takes an id, and nobody asks", place)
				continue
			}
			t.Run("BEY-20 "+place, func(t *testing.T) {
				unknown := ""
				for typ, id := range theirs { // of the right type and of all others
					for who, c := range map[string]*testkit.Client{"a stranger": evil.owner.Client, "a stranger's key": key.Client, "nobody": w.Anonymous()} {
						random := isolationRandom(t, id)
						got, want := isolationAnswer(t, evil, c, place, ask.asks, id), isolationAnswer(t, evil, c, place, ask.asks, random)
						if got != want {
							t.Errorf("%s by %s: got\n%s, want as for a random one\n%s", typ, who, got, want)
						}
						if who == "a stranger" && typ == "Account" {
							unknown = want
						}
					}
				}
				// Or else the id would not have been looked at.
				if got := isolationAnswer(t, evil, evil.owner.Client, place, ask.asks, evil.thing(ask.own)); got == unknown {
					t.Errorf("one's own %s: got %s, as for an unknown one", ask.own, got)
				}
			})
		}
		for place := range asks {
			t.Errorf("%s is asked about, and takes no id", place)
		}
		t.Run("BEY-20 everything of another account at once", func(t *testing.T) {
			for place, ask := range isolationAsks() {
				got, want := isolationElsewhere(t, acme, evil, place, ask, false), isolationElsewhere(t, acme, evil, place, ask, true)
				if got != want {
					t.Errorf("%s: got\n%s, want as for random ids\n%s", place, got, want)
				}
			}
		})
		t.Run("BEY-20 a node of every type", func(t *testing.T) { isolationOfNodes(t, acme.owner, evil.owner, theirs) })
		t.Run("BEY-20 an address", func(t *testing.T) {
			user := func(email string) string {
				a := evil.owner.Do(`query($id: ID!, $e: EmailAddress!) { account(id: $id) { user(email: $e) { id } } }`,
					map[string]any{"id": evil.things["account"], "e": email}).OK()
				return strings.ReplaceAll(a.Raw, email, "EMAIL")
			}
			for _, email := range []string{acme.owner.Email, "clerk." + acme.owner.Email, "pending@x.org", "host." + evil.owner.Email} {
				equal(t, email, user(email), user("nobody@x.org"))
			}
			equal(t, "one's own is found", strings.Contains(user("clerk."+evil.owner.Email), evil.things["clerkUser"]), true)
		})
		t.Run("BEY-20 a cursor of the log", func(t *testing.T) {
			stranger, err := event.ParseCursor(eventCursor(acme.owner), acme.things["account"])
			if err != nil {
				t.Fatal(err)
			}
			random := stranger
			random.AccountID = uid.New(uid.Account)
			answer := func(cursor string) string {
				return isolationAnswer(t, evil, evil.owner.Client, "Subscription.inviteStatusChanged(after)", `inviteStatusChanged(teamId: "$team", after: "$id") { type }`, cursor)
			}
			equal(t, "a stranger's", answer(stranger.String()), answer(random.String()))
			equal(t, "one's own is followed", answer(evil.things["start"]) == answer(random.String()), false)
		})
		equal(t, "what the strangers have", acme.state(), before)
	})
}

// isolationOfNodes asks for a thing of every type that has an id.
func isolationOfNodes(t *testing.T, owner, stranger *testkit.Person, theirs map[string]string) {
	t.Helper()
	schema := graph.Schema()
	for _, def := range schema.PossibleTypes["Node"] {
		id := theirs[def.Name]
		if id == "" {
			t.Errorf("%s is a Node, and there is none to ask for", def.Name)
			continue
		}
		ask := func(p *testkit.Person, id string) string {
			a := p.Do(`query($id: ID!) { node(id: $id) { __typename } nodes(ids: [$id]) { __typename } }`, map[string]any{"id": id})
			return strings.ReplaceAll(a.Raw, id, "ID")
		}
		its := `{"__typename":"` + def.Name + `"}`
		equal(t, "one's own "+def.Name, ask(owner, id), `{"data":{"node":`+its+`,"nodes":[`+its+`]}}`)
		equal(t, "a stranger's "+def.Name, ask(stranger, id), `{"data":{"node":null,"nodes":[null]}}`)
		equal(t, "a random "+def.Name, ask(stranger, isolationRandom(t, id)), `{"data":{"node":null,"nodes":[null]}}`)
	}
}

func TestARightInOneTeamGivesNothingInAnother(t *testing.T) {
	t.Parallel()
	accountWide := regexp.MustCompile(`^(account\.|audit\.|apikeys\.|team\.create$|roles\.(read|manage)$)`)
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		second := owner.In(owner.Mutate("createTeam", "team { id }", "accountId", owner.AccountID(), "name", "Second").OK().Text("createTeam.team.id"))
		here, there := newMatrixStage(owner, "billing"), newMatrixStage(second, "billing")
		// tried does all that needs a right, account-wide or not, and compares.
		tried := func(t *testing.T, p *testkit.Person, m *matrixStage, wide bool, want func(matrixRow) string) {
			t.Helper()
			for _, r := range matrixRows() {
				if r.needs == "" || accountWide.MatchString(r.needs) != wide {
					continue
				}
				if got, a := r.try(t, m, p.Client); got != want(r) {
					t.Errorf("%s of %s: got %q, want %q: %s", r.field, r.of, got, want(r), a.Raw)
				}
			}
		}
		unknown := func(r matrixRow) string { return r.want(matrixColumn{Person: owner}) }
		t.Run("SSL-18 an admin of a second team is nothing account-wide, and a stranger in the default team", func(t *testing.T) {
			adam := second.Join("adam@acme.test", "account_admin")
			adam.Invite("x@x.org", "billing").OK()
			tried(t, adam, here, true, func(r matrixRow) string {
				if r.needs == "roles.read" { // in one of its teams
					return ""
				}
				return "FORBIDDEN"
			})
			tried(t, adam, here, false, unknown)
			equal(t, "Adam may there", may(adam, "billing.refund"), true)
			equal(t, "Adam may here", may(adam.In(owner.TeamID), "billing.refund"), false)
		})
		t.Run("SSL-18 an admin of the default team sees that there is a second one, and can do nothing in it", func(t *testing.T) {
			tried(t, owner.Join("anna@acme.test", "account_admin"), there, false, func(r matrixRow) string {
				if r.sees != nil {
					return "NOT_FOUND"
				}
				return "FORBIDDEN"
			})
		})
		t.Run("SSL-18 any other role in the default team is nothing in a second one", func(t *testing.T) {
			tried(t, owner.Join("bella@acme.test", "billing"), there, false, unknown)
		})
	})
}
