package server_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/convoke-dev/convoke/graph/generated"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/testdb"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/internal/uid"
)

// matrixWorld is one account with a member for every role of its preset, and
// things to act on.
type matrixWorld struct {
	*testkit.World
	owner, stranger *testkit.Person
	account, team   string
	ownerMember     string
	role, group     string
	division        string
	invitation      string // revoked
	transfer        string // declined
	from            string // a cursor before everything
}

// asker is who tries a cell.
type asker struct {
	*testkit.Client
	email string
	holds access.Set // nil for who is no member
	owner bool
}

func (a asker) has(any ...string) bool { return slices.ContainsFunc(any, a.holds.Has) }

// row is a line of the matrix: what is tried, and who may.
type row struct {
	needs string // a permission, or empty
	// sees says who may know of the thing that is acted upon: FORBIDDEN for him
	// without the right, NOT_FOUND for others. Nil is every member.
	sees func(asker) bool
	// may says who may where a permission does not.
	may func(asker) bool
	try func(m *matrixWorld, c asker) *testkit.Answer
}

func anybody(asker) bool      { return true }
func members(a asker) bool    { return a.holds != nil }
func theOwner(a asker) bool   { return a.owner }
func nobodyElse(asker) bool   { return false }
func seesPeople(a asker) bool { return a.has(access.MembersRead) }
func seesRoles(a asker) bool {
	return a.has("roles.read", "roles.assign", "roles.manage", "members.read", "members.invite")
}
func signedInAt(a asker) bool { return a.email != "" }
func mutate(name string, pairs func(m *matrixWorld) []any) func(*matrixWorld, asker) *testkit.Answer {
	return func(m *matrixWorld, c asker) *testkit.Answer { return c.Mutate(name, "", pairs(m)...) }
}

func ofAccount(selection string) func(*matrixWorld, asker) *testkit.Answer {
	return func(m *matrixWorld, c asker) *testkit.Answer {
		return c.Do(`query($id: ID!) { account(id: $id) { `+selection+` } }`, map[string]any{"id": m.account})
	}
}

func ofTeam(selection string) func(*matrixWorld, asker) *testkit.Answer {
	return func(m *matrixWorld, c asker) *testkit.Answer {
		return c.Do(`query($id: ID!) { team(id: $id) { `+selection+` } }`, map[string]any{"id": m.team})
	}
}

// onOwner acts on the owner, which is refused once the right is there.
func onOwner(name string, more ...any) func(*matrixWorld, asker) *testkit.Answer {
	return mutate(name, func(m *matrixWorld) []any { return append([]any{"memberId", m.ownerMember}, more...) })
}

func onInvitation(name string) func(*matrixWorld, asker) *testkit.Answer {
	return mutate(name, func(m *matrixWorld) []any { return []any{"invitationId", m.invitation} })
}

func onTransfer(name string) func(*matrixWorld, asker) *testkit.Answer {
	return mutate(name, func(m *matrixWorld) []any { return []any{"transferId", m.transfer} })
}

// nameless changes nothing: an empty name is refused once the right is there.
func nameless(mutation, field string, of func(m *matrixWorld) string, more ...any) func(*matrixWorld, asker) *testkit.Answer {
	return mutate(mutation, func(m *matrixWorld) []any { return append([]any{field, of(m), "name", ""}, more...) })
}

func accountOf(m *matrixWorld) string  { return m.account }
func teamOf(m *matrixWorld) string     { return m.team }
func roleOf(m *matrixWorld) string     { return m.role }
func groupOf(m *matrixWorld) string    { return m.group }
func divisionOf(m *matrixWorld) string { return m.division }

// matrixRows: every mutation and subscription, and every field that needs a
// right. What is tried changes nothing, or nothing that others look at.
var matrixRows = map[string]row{
	"Account.settings": {needs: "account.read", try: ofAccount(`settings { invitationTtlHours }`)},
	"Account.limits":   {needs: "account.read", try: ofAccount(`limits { maxTeams }`)},
	"Account.counts":   {needs: "account.read", try: ofAccount(`counts { active }`)},
	"Account.roles":    {needs: "roles.read", may: seesRoles, try: ofAccount(`roles { nodes { id } }`)},
	"Account.groups":   {may: seesRoles, try: ofAccount(`groups { nodes { id } }`)},
	"Account.auditLog": {needs: "audit.read", try: ofAccount(`auditLog { nodes { id } }`)},
	"Team.members":     {needs: "members.read", try: ofTeam(`members { nodes { id } }`)},
	"Team.invitations": {needs: "members.read", try: ofTeam(`invitations { nodes { id } }`)},
	"Team.people":      {needs: "members.read", try: ofTeam(`people { nodes { __typename } }`)},
	"Team.counts":      {needs: "members.read", try: ofTeam(`counts { active }`)},
	"Subscription.inviteStatusChanged": {needs: "members.read", try: func(m *matrixWorld, c asker) *testkit.Answer {
		s := c.SubscribeSSE(watch, map[string]any{"team": m.team, "after": m.from})
		defer s.Close()
		return s.Next()
	}},

	"Mutation.setRoles":         {needs: "roles.assign", try: onOwner("setRoles", "roleIds", []string{})},
	"Mutation.setRestrictions":  {needs: "members.update", try: onOwner("setRestrictions")},
	"Mutation.deactivateMember": {needs: "members.deactivate", try: onOwner("deactivateMember")},
	"Mutation.reactivateMember": {needs: "members.deactivate", try: onOwner("reactivateMember")},
	"Mutation.removeMember":     {needs: "members.remove", try: onOwner("removeMember")},
	"Mutation.inviteUser": {needs: "members.invite", try: mutate("inviteUser", func(m *matrixWorld) []any {
		return []any{"teamId", m.team, "email", ""}
	})},
	"Mutation.resendInvite": {needs: "members.invite", sees: seesPeople, try: onInvitation("resendInvite")},
	"Mutation.updateInvite": {needs: "members.invite", sees: seesPeople, try: onInvitation("updateInvite")},
	"Mutation.revokeInvite": {needs: "members.invite", sees: seesPeople, try: onInvitation("revokeInvite")},
	"Mutation.createTeam":   {needs: "team.create", try: nameless("createTeam", "accountId", accountOf)},
	"Mutation.updateTeam":   {needs: "team.update", try: nameless("updateTeam", "teamId", teamOf)},
	"Mutation.deleteTeam":   {needs: "team.delete", try: mutate("deleteTeam", func(m *matrixWorld) []any { return []any{"teamId", m.team} })},
	"Mutation.createRole": {needs: "roles.manage", try: nameless("createRole", "accountId", accountOf,
		"key", "", "permissions", []string{})},
	"Mutation.updateRole": {needs: "roles.manage", sees: seesRoles, try: nameless("updateRole", "roleId", roleOf)},
	"Mutation.deleteRole": {needs: "roles.manage", sees: seesRoles, try: mutate("deleteRole", func(m *matrixWorld) []any {
		return []any{"roleId", m.role, "reassignTo", m.role}
	})},
	"Mutation.createGroup": {needs: "roles.manage", try: nameless("createGroup", "accountId", accountOf, "roleIds", []string{})},
	"Mutation.updateGroup": {needs: "roles.manage", sees: seesRoles, try: nameless("updateGroup", "groupId", groupOf)},
	"Mutation.deleteGroup": {needs: "roles.manage", sees: seesRoles, try: func(m *matrixWorld, c asker) *testkit.Answer {
		return c.Mutate("deleteGroup", "deletedGroupId", "groupId", newGroup(m.owner, "To go"))
	}},
	"Mutation.createDivision": {needs: "account.update", try: nameless("createDivision", "accountId", accountOf)},
	"Mutation.updateDivision": {needs: "account.update", try: nameless("updateDivision", "divisionId", divisionOf)},
	"Mutation.deleteDivision": {needs: "account.update", try: mutate("deleteDivision", func(m *matrixWorld) []any {
		return []any{"divisionId", m.division}
	})},
	"Mutation.updateAccount": {needs: "account.update", try: nameless("updateAccount", "accountId", accountOf)},

	"Mutation.requestOwnershipTransfer": {may: theOwner, try: onOwner("requestOwnershipTransfer")},
	"Mutation.acceptOwnershipTransfer":  {may: nobodyElse, sees: seesPeople, try: onTransfer("acceptOwnershipTransfer")},
	"Mutation.declineOwnershipTransfer": {may: nobodyElse, sees: seesPeople, try: onTransfer("declineOwnershipTransfer")},
	"Mutation.cancelOwnershipTransfer":  {may: theOwner, sees: seesPeople, try: onTransfer("cancelOwnershipTransfer")},
	"Mutation.setActiveTeam": {may: members, try: mutate("setActiveTeam", func(m *matrixWorld) []any {
		return []any{"teamId", m.team}
	})},
	"Mutation.leaveTeam": {may: members, try: func(m *matrixWorld, c asker) *testkit.Answer {
		if c.holds != nil && !c.owner {
			return c.Do(`{ viewer { user { id } } }`, nil) // everybody can, and would be gone
		}
		return c.Mutate("leaveTeam", "removedMemberId", "teamId", m.team)
	}},
	"Mutation.signOut": {may: signedInAt, try: func(m *matrixWorld, c asker) *testkit.Answer {
		if c.email != "" {
			return m.SignIn(c.email).Do(`mutation { signOut { userErrors { code } } }`, nil)
		}
		return c.Do(`mutation { signOut { userErrors { code } } }`, nil)
	}},
	"Mutation.signUp":        {may: anybody, try: mutate("signUp", func(*matrixWorld) []any { return []any{"email", "", "password", ""} })},
	"Mutation.signIn":        {may: anybody, try: mutate("signIn", func(*matrixWorld) []any { return []any{"email", "", "password", ""} })},
	"Mutation.verifyEmail":   {may: anybody, try: mutate("verifyEmail", func(*matrixWorld) []any { return []any{"token", "x"} })},
	"Mutation.acceptInvite":  {may: anybody, try: mutate("acceptInvite", func(*matrixWorld) []any { return []any{"token", "x"} })},
	"Mutation.declineInvite": {may: anybody, try: mutate("declineInvite", func(*matrixWorld) []any { return []any{"token", "x"} })},
}

// want is the code a cell is answered with, empty when it is not refused.
func (r row) want(name string, a asker) string {
	may := r.may
	if may == nil {
		may = func(a asker) bool { return a.has(r.needs) }
	}
	mutation := strings.HasPrefix(name, "Mutation.") || strings.HasPrefix(name, "Subscription.")
	switch {
	case may(a):
		return ""
	case !mutation && a.holds == nil:
		return "" // null
	case a.email == "":
		return "UNAUTHENTICATED"
	case a.holds == nil, r.sees != nil && !r.sees(a):
		return "NOT_FOUND"
	default:
		return "FORBIDDEN"
	}
}

var needsOf = regexp.MustCompile("Needs `([a-z.]+)`")

// matrixFields returns the fields that must have a row, with the permission
// their description names.
func matrixFields() map[string]string {
	fields := map[string]string{}
	for _, def := range generated.NewExecutableSchema(generated.Config{}).Schema().Types {
		if def.Kind != ast.Object || def.BuiltIn {
			continue
		}
		for _, f := range def.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			needs := ""
			if found := needsOf.FindStringSubmatch(f.Description); found != nil {
				needs = found[1]
			}
			if needs != "" || strings.Contains(f.Description, "Needs ") || def.Name == "Mutation" || def.Name == "Subscription" {
				fields[def.Name+"."+f.Name] = needs
			}
		}
	}
	return fields
}

func TestEveryFieldThatNeedsARightHasARow(t *testing.T) {
	t.Parallel()
	fields := matrixFields()
	for name, needs := range fields {
		if r, ok := matrixRows[name]; !ok {
			t.Errorf("%s has no row in the matrix", name)
		} else if r.needs != needs {
			t.Errorf("%s needs %q by its row, %q by its description", name, r.needs, needs)
		}
	}
	for name := range matrixRows {
		if _, ok := fields[name]; !ok {
			t.Errorf("%s has a row, and is no field that needs one", name)
		}
	}
}

func newMatrixWorld(t *testing.T, address, preset string) (m *matrixWorld, askers map[string]asker) {
	t.Helper()
	w := testkit.New(t, address, testkit.Preset(preset))
	m = &matrixWorld{World: w, owner: w.SignUp("olivia@acme.test"), stranger: w.SignUp("mallory@evil.test")}
	o := m.owner
	m.team, m.account, m.from, m.ownerMember = o.TeamID, o.AccountID(), eventCursor(o), o.MemberID(o.Email)
	c, err := access.NewCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.Preset(preset)
	if err != nil {
		t.Fatal(err)
	}
	askers = map[string]asker{
		"owner":     {o.Client, o.Email, c.All(), true},
		"stranger":  {m.stranger.Client, m.stranger.Email, nil, false},
		"anonymous": {w.Anonymous(), "", nil, false},
	}
	for _, r := range p.Roles {
		member := o.Join(r.Key+"@acme.test", r.Key)
		askers[r.Key] = asker{member.Client, member.Email, access.NewSet(r.Permissions...), false}
	}
	m.role = newRole(o, "custom")
	m.group = newGroup(o, "Crew", m.role)
	m.division = o.Mutate("createDivision", "division { id }", "accountId", m.account, "name", "North").OK().Text("createDivision.division.id")
	o.Mutate("createDivision", "division { id }", "accountId", m.account, "name", "City", "parentId", m.division).OK()
	m.invitation = o.Do(testkit.InviteMutation, testkit.Input("teamId", m.team, "email", "gone@x.org", "permissions", []string{"team.read"})).OK().Text("inviteUser.invitation.id")
	revoke(o, m.invitation).OK()
	target := o.JoinWith("target@acme.test", "permissions", []string{"team.read"})
	m.transfer = o.Mutate("requestOwnershipTransfer", "transfer { id }", "memberId", o.MemberID(target.Email)).OK().Text("requestOwnershipTransfer.transfer.id")
	target.Mutate("declineOwnershipTransfer", "transfer { status }", "transferId", m.transfer).OK()
	return m, askers
}

func TestPermissionMatrix(t *testing.T) {
	t.Parallel()
	for _, preset := range []string{"teams", "departments", "portal", "holder"} {
		t.Run(preset, func(t *testing.T) {
			t.Parallel()
			testdb.Each(t, func(t *testing.T, address string) {
				t.Helper()
				m, askers := newMatrixWorld(t, address, preset)
				for who, a := range askers {
					for name, r := range matrixRows {
						answer, want := r.try(m, a), r.want(name, a)
						if got := answer.Code(); got != want {
							t.Errorf("%s by %s: %q, want %q: %s", name, who, got, want, answer.Raw)
						}
					}
				}
				matrixStories(t, preset, m, askers)
			})
		})
	}
}

// matrixStories are what products of each kind promise of their roles.
func matrixStories(t *testing.T, preset string, m *matrixWorld, askers map[string]asker) {
	t.Helper()
	refused := func(t *testing.T, who string, rows ...string) {
		t.Helper()
		for _, name := range rows {
			if code := matrixRows[name].try(m, askers[who]).Code(); code != "FORBIDDEN" && code != "NOT_FOUND" {
				t.Errorf("%s by %s: %q, want it refused", name, who, code)
			}
		}
	}
	users := []string{"Mutation.inviteUser", "Mutation.removeMember", "Mutation.deactivateMember", "Mutation.setRoles", "Mutation.setRestrictions"}
	switch preset {
	case "teams":
		t.Run("BEY-22 DC-13 the matrix of roles and permissions is one query", func(t *testing.T) {
			a := m.owner.Do(`query($id: ID!) { team(id: $id) { account { roles { nodes { key permissions } } } } permissions { key permissions { key name } } }`,
				map[string]any{"id": m.team}).OK()
			for i, key := range a.List("team.account.roles.nodes", "key") {
				if who, ok := askers[key]; ok {
					equalList(t, key, a.List(fmt.Sprintf("team.account.roles.nodes.%d.permissions", i), ""), who.holds.Keys()...)
				}
			}
			equal(t, "modules", len(a.List("permissions", "key")) > 10, true)
		})
		t.Run("DC-3 CP-2 a role without the management of users is refused by the server", func(t *testing.T) {
			for _, who := range []string{"billing", "validation", "installer", "member", "viewer"} {
				refused(t, who, users...)
			}
		})
	case "departments":
		t.Run("DC-11 the viewer only reads: every mutation that needs a right is refused", func(t *testing.T) {
			for name, r := range matrixRows {
				if strings.HasPrefix(name, "Mutation.") && r.needs != "" {
					refused(t, "viewer", name)
				}
			}
		})
	case "portal":
		t.Run("CP-6 the user never reaches pricing, payment and the management of users; the admin does", func(t *testing.T) {
			refused(t, "user", append(users, "Team.members", "Account.roles", "Mutation.createRole")...)
			user, admin := &testkit.Person{Client: askers["user"].Client, TeamID: m.team}, &testkit.Person{Client: askers["admin"].Client, TeamID: m.team}
			for _, key := range []string{"pricing.read", "billing.read", "billing.transactions", "billing.profiles", "billing.refund", "members.read", "members.invite"} {
				equal(t, "user "+key, may(user, key), false)
				equal(t, "admin "+key, may(admin, key), true)
			}
		})
	case "holder":
		t.Run("GR-3 GR-4 additional users cannot manage users or the account", func(t *testing.T) {
			refused(t, "full", append(users, "Mutation.createTeam", "Mutation.updateAccount", "Mutation.deleteTeam")...)
		})
	}
}

func TestARightInOneTeamGivesNothingInAnother(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		account := owner.AccountID()
		second := owner.In(owner.Mutate("createTeam", "team { id }", "accountId", account, "name", "Second").OK().Text("createTeam.team.id"))
		adam := second.Join("adam@acme.test", "account_admin")
		t.Run("SSL-18 an admin of a second team is nothing in the first, and not account-wide", func(t *testing.T) {
			adam.Invite("x@x.org", "billing").OK()
			adam.In(owner.TeamID).Ask(`name`).OK()
			equal(t, "the other team", adam.In(owner.TeamID).Ask(`name`).OK().At("team"), any(nil))
			adam.Mutate("inviteUser", "inviteUrl", "teamId", owner.TeamID, "email", "y@x.org").Refused("NOT_FOUND")
			for name, r := range matrixRows {
				if r.needs != "account.update" && r.needs != "roles.manage" && r.needs != "team.create" {
					continue
				}
				m := &matrixWorld{
					World: w, owner: owner, account: account, team: second.TeamID, role: owner.Role("billing"), group: newGroup(owner, "Crew"),
					division: owner.Mutate("createDivision", "division { id }", "accountId", account, "name", "North").OK().Text("createDivision.division.id"),
				}
				if code := r.try(m, asker{Client: adam.Client}).Code(); code != "FORBIDDEN" {
					t.Errorf("%s: %q, want FORBIDDEN", name, code)
				}
			}
			equal(t, "may bill there", may(adam, "billing.refund"), true)
			equal(t, "may bill here", may(adam.In(owner.TeamID), "billing.refund"), false)
			adam.Do(`query($id: ID!) { account(id: $id) { auditLog { totalCount } } }`, map[string]any{"id": account}).Refused("FORBIDDEN")
			adam.Mutate("createTeam", "team { id }", "accountId", uid.New(uid.Account), "name", "x").Refused("NOT_FOUND")
		})
	})
}
