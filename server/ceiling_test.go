package server_test

import (
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/internal/roster"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/server"
)

// holds is what the person holds in a team, by their own query.
func holds(p *testkit.Person, teamID string) string {
	a := p.Do(`query($team: ID!) { viewer { permissions(teamId: $team) } }`, map[string]any{"team": teamID}).OK()
	return strings.Join(a.List("viewer.permissions", ""), " ")
}

// joinBy has an existing user join by an invitation with the grant.
func joinBy(p, other *testkit.Person, grant ...any) {
	pairs := append([]any{"teamId", p.TeamID, "email", other.Email}, grant...)
	id := p.Do(testkit.InviteMutation, testkit.Input(pairs...)).OK().Text("inviteUser.invitation.id")
	other.Do(testkit.AcceptMutation, testkit.Input("id", id)).OK()
}

func TestNobodyLiftsHimself(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner, adam := w.SignUp("olivia@acme.test"), w.SignUp("adam@acme.test")
		joinBy(owner, adam, "roleIds", []string{owner.Role("account_admin")})
		adam = adam.In(owner.TeamID)
		secret := owner.In(owner.Mutate("createTeam", "team { id }", "accountId", owner.AccountID(), "name", "Secret").OK().Text("createTeam.team.id"))
		helper := func(key string) string {
			return owner.Mutate("createRole", "role { id }", "accountId", owner.AccountID(), "key", key, "name", key,
				"permissions", []string{"team.read"}).OK().Text("createRole.role.id")
		}
		changed, replaced, shared := helper("changed"), helper("replaced"), helper("shared")
		group := newGroup(owner, "Helpers", shared)
		joinBy(secret, adam, "roleIds", []string{changed, replaced}, "groupIds", []string{group})
		admin := owner.Role("account_admin")
		t.Run("BEY-12 SSL-18 an account admin gets no more in a team where they hold little", func(t *testing.T) {
			adam.Mutate("updateRole", "", "roleId", changed, "permissions", []string{"team.read", "members.read"}).Refused("NOT_GRANTABLE permissions")
			adam.Mutate("updateRole", "", "roleId", shared, "permissions", []string{"team.read", "members.read"}).Refused("NOT_GRANTABLE permissions")
			adam.Mutate("deleteRole", "", "roleId", replaced, "reassignTo", admin).Refused("NOT_GRANTABLE reassignTo")
			adam.Mutate("updateGroup", "", "groupId", group, "roleIds", []string{shared, admin}).Refused("NOT_GRANTABLE roleIds")
			equal(t, "holds", holds(adam, secret.TeamID), "team.read")
			adam.Mutate("updateRole", "", "roleId", changed, "name", "Renamed", "permissions", []string{}).OK()
		})
		t.Run("BEY-12 a restricted member grants nothing beyond their restrictions", func(*testing.T) {
			bella := w.SignUp("bella@acme.test")
			joinBy(owner, bella, "roleIds", []string{owner.Role("viewer")})
			east := newDivision(owner, "East", "")
			onMember(owner, "setRestrictions", owner.MemberID(adam.Email), "divisionIds", []string{east}).OK()
			id := owner.MemberID(bella.Email)
			onMember(adam, "setRoles", id, "roleIds", []string{admin}).Refused("NOT_GRANTABLE roleIds")
			onMember(adam, "setRoles", id, "permissions", []string{"billing.refund"}).Refused("NOT_GRANTABLE permissions")
			own := helper("own")
			onMember(owner, "setRoles", id, "roleIds", []string{own}, "groupIds", []string{group}).OK()
			adam.Mutate("updateRole", "", "roleId", own, "permissions", []string{"team.read", "billing.refund"}).Refused("NOT_GRANTABLE permissions")
			adam.Mutate("updateGroup", "", "groupId", group, "roleIds", []string{shared, admin}).Refused("NOT_GRANTABLE roleIds")
			adam.Mutate("deleteRole", "", "roleId", own, "reassignTo", admin).Refused("NOT_GRANTABLE reassignTo")
			adam.Mutate("createTeam", "", "accountId", owner.AccountID(), "name", "Mine").Refused("NOT_GRANTABLE accountId")
			onMember(adam, "setRoles", id, "groupIds", []string{}).OK() // taking away is free
			onMember(owner, "setRestrictions", id, "divisionIds", []string{east}).OK()
			onMember(adam, "setRoles", id, "roleIds", []string{admin}).OK()
		})
	})
}

func TestWithoutMailOnlyTheLinkCounts(t *testing.T) {
	t.Parallel()
	eachWith(t, func(c *server.Config) { c.Sender = nil }, func(t *testing.T, w *testkit.World) {
		signUp(w, "olivia@acme.test", testkit.Password).OK()
		owner := w.SignIn("olivia@acme.test")
		a := owner.Invite("ann@x.org", "account_admin").OK()
		signUp(w, "ann@x.org", testkit.Password).OK() // by anybody
		ann := w.SignIn("ann@x.org")
		t.Run("BEY-24 where nothing shows whose an address is, it opens nothing", func(t *testing.T) {
			equal(t, "waiting", ann.Do(received, nil).OK().Text("viewer.receivedInvitations.totalCount"), "0")
			id := a.Text("inviteUser.invitation.id")
			ann.Do(testkit.AcceptMutation, testkit.Input("id", id)).Refused("NOT_FOUND")
			equal(t, "node", ann.Do(`query($id: ID!) { node(id: $id) { id } }`, map[string]any{"id": id}).OK().At("node"), nil)
			ann.Accept(tokenOf(t, a.Text("inviteUser.inviteUrl"))).OK()
		})
	})
}

func TestWhatIsSeenOfWhoLeft(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner, ann := w.SignUp("olivia@acme.test"), w.SignUp("ann@x.org")
		joinBy(owner, ann, "roleIds", []string{owner.Role("account_admin")})
		ann.In(owner.TeamID).Invite("bob@x.org", "viewer").OK()
		user := owner.Ask(`invitations(filter: {search: "bob"}) { nodes { id inviter { ... on User { id lastSeenAt } } } }`).OK()
		bob := user.Text("team.invitations.nodes.0.id")
		if user.At("team.invitations.nodes.0.inviter.lastSeenAt") == nil {
			t.Error("a colleague's activity is hidden")
		}
		owner.Do(`mutation($input: UpdateAccountInput!) { updateAccount(input: $input) { userErrors { code } } }`,
			testkit.Input("accountId", owner.AccountID(), "keepInvitationsOfRemovedMembers", true)).OK()
		onMember(owner, "removeMember", owner.MemberID(ann.Email)).OK()
		ann.Mutate("updateProfile", "", "jobTitle", "Somewhere else").OK()
		t.Run("CP-14 what a former member does elsewhere is not seen, who they were is", func(t *testing.T) {
			id := user.Text("team.invitations.nodes.0.inviter.id")
			equal(t, "node", owner.Do(`query($id: ID!) { node(id: $id) { id } }`, map[string]any{"id": id}).OK().At("node"), nil)
			a := owner.Do(`query($id: ID!) { node(id: $id) { ... on Invitation { inviter { ... on User { email jobTitle lastSeenAt } }
				timeline { nodes { actor { ... on User { email jobTitle lastSeenAt } } } } } } }`, map[string]any{"id": bob}).OK()
			for _, at := range []string{"node.inviter.", "node.timeline.nodes.0.actor."} {
				equal(t, at+"email", a.Text(at+"email"), "ann@x.org")
				equal(t, at+"jobTitle", a.Text(at+"jobTitle"), "")
				equal(t, at+"lastSeenAt", a.At(at+"lastSeenAt"), nil)
			}
		})
	})
}

func TestTheLogFollowsTheTeamThatIsShown(t *testing.T) {
	t.Parallel()
	eachWith(t, noPersonalAccounts, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		bella := owner.Join("bella@acme.test", "billing")
		id := owner.MemberID(bella.Email)
		signIns := func() string {
			return owner.Ask(`account { auditLog(filter: {types: [USER_SIGNED_IN]}) { totalCount } }`).OK().Text("team.account.auditLog.totalCount")
		}
		before := signIns()
		onMember(owner, "deactivateMember", id).OK()
		onMember(owner, "reactivateMember", id).OK()
		w.SignIn(bella.Email)
		if signIns() == before {
			t.Errorf("a sign-in after being reactivated is not in the log")
		}
	})
}

func TestAPlanForOneUser(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		id := owner.Invite("ann@x.org", "viewer").OK().Text("inviteUser.invitation.id")
		secret := testkit.Token(t, w.Mail.Wait(t, "ann@x.org", 1))
		plan := false
		if err := w.Server.Roster.SetLimits(t.Context(), owner.AccountID(), roster.Limits{MultiUser: &plan}); err != nil {
			t.Fatal(err)
		}
		t.Run("GR-1 nobody is added to it, not by an earlier invitation either", func(*testing.T) {
			owner.Invite("bob@x.org", "viewer").Refused("FEATURE_NOT_AVAILABLE email")
			resend(owner, id).Refused("FEATURE_NOT_AVAILABLE")
			w.Anonymous().Accept(secret, "password", testkit.Password).Refused("FEATURE_NOT_AVAILABLE")
			revoke(owner, id).OK()
		})
	})
}
