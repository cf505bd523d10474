package server_test

import (
	"strings"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/testkit"
)

// A platform on- and offboards people with a key alone.
func TestAPlatformProvisionsPeople(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		account, team := owner.AccountID(), owner.TeamID
		k := newKey(w, owner, []string{
			"account.read", "account.update", "team.read", "members.read", "members.invite", "members.deactivate", "members.remove", "roles.read",
			"billing.read", "pricing.read", "certificates.read", "orders.read", "validation.read", "settings.read", "audit.read",
		})
		of := map[string]any{"account": account, "team": team}
		var division, role string
		t.Run("API-3 divisions are listed", func(t *testing.T) {
			division = k.Mutate("createDivision", "division { id }", "accountId", account, "name", "North").OK().Text("createDivision.division.id")
			a := k.Do(`query($account: ID!) { account(id: $account) { divisions { nodes { id name } } } }`, map[string]any{"account": account}).OK()
			equalList(t, "divisions", a.List("account.divisions.nodes", "id"), division)
		})
		t.Run("API-4 a query lists the roles that can be assigned", func(t *testing.T) {
			a := k.Do(`query($team: ID!) { team(id: $team) { assignableRoles { id name key } } }`, map[string]any{"team": team}).OK()
			for i, key := range a.List("team.assignableRoles", "key") {
				if key == "viewer" {
					role = a.Text("team.assignableRoles." + itoa(i) + ".id")
				}
			}
			if role == "" {
				t.Fatalf("no role viewer: %s", a.Raw)
			}
		})
		invite := func(email, again string) *testkit.Answer {
			return k.Do(testkit.InviteMutation, testkit.Input("teamId", team, "email", email, "firstName", "Nina", "lastName", "N", "roleIds", []string{role}, "idempotencyKey", again))
		}
		var id string
		t.Run("API-8 the response carries the id, and API-9 the status can be polled by it", func(t *testing.T) {
			id = invite("nina@x.org", "1").OK().Text("inviteUser.invitation.id")
			status := func() string {
				return k.Do(`query($id: ID!) { node(id: $id) { ... on Invitation { status member { id } } } }`, map[string]any{"id": id}).OK().Text("node.status")
			}
			equal(t, "before", status(), "PENDING")
			w.Anonymous().Accept(testkit.Token(t, w.Mail.Wait(t, "nina@x.org", 1)), "password", testkit.Password).OK()
			equal(t, "after", status(), "ACCEPTED")
		})
		t.Run("TO-3 the trigger may repeat, also 32 times at once", func(t *testing.T) {
			ids := make([]string, 32)
			together(len(ids), func(i int) { ids[i] = invite("otto@x.org", "2").OK().Text("inviteUser.invitation.id") })
			for _, got := range ids {
				equal(t, "invitation", got, ids[0])
			}
			owner.Delivered("otto@x.org")
			equalList(t, "invitations", owner.Invitations("PENDING"), "otto@x.org PENDING SENT")
		})
		t.Run("API-10 a field that is missing or misspelt is named", func(t *testing.T) {
			for field, input := range map[string]string{
				"email":   `{teamId: "` + team + `", grant: {chosen: {roleIds: []}}}`,
				"emial":   `{teamId: "` + team + `", emial: "a@x.org", email: "b@x.org", grant: {chosen: {roleIds: []}}}`,
				"roleIdz": `{teamId: "` + team + `", email: "b@x.org", grant: {chosen: {roleIdz: []}}}`,
			} {
				a := k.Do(`mutation { inviteUser(input: `+input+`) { userErrors { code } } }`, nil)
				if a.Code() != "GRAPHQL_VALIDATION_FAILED" || !strings.Contains(a.Raw, field) {
					t.Errorf("%s: %s", field, a.Raw)
				}
			}
			equalList(t, "errors", invite("no address", "3").UserErrors(), "INVALID_EMAIL email")
		})
		var user, member string
		t.Run("API-13 a user is found by their address", func(t *testing.T) {
			a := k.Do(`query($account: ID!, $team: ID!) { account(id: $account) { user(email: "NINA@x.org") { id firstName } }
				team(id: $team) { members(filter: {search: "nina"}) { nodes { id } } } }`, of).OK()
			user, member = a.Text("account.user.id"), a.Text("team.members.nodes.0.id")
			if user == "" || member == "" {
				t.Errorf("got %s", a.Raw)
			}
		})
		t.Run("TO-5 the account counts its people in one query", func(t *testing.T) {
			a := k.Do(`query($account: ID!) { account(id: $account) { counts { active invited deactivated seatsUsed } } }`, map[string]any{"account": account}).OK()
			equal(t, "active", a.At("account.counts.active"), any(float64(2)))
			equal(t, "invited", a.At("account.counts.invited"), any(float64(1)))
		})
		t.Run("TO-6 idle people are found, and the idlest comes first", func(t *testing.T) {
			w.Clock.Advance(time.Hour)
			w.SignIn("nina@x.org")
			a := k.Do(`query($team: ID!) { team(id: $team) { members(orderBy: {field: LAST_SEEN_AT, direction: ASC}) { nodes { lastSeenAt user { email } } } } }`, map[string]any{"team": team}).OK()
			equalList(t, "members", a.List("team.members.nodes", "user.email"), owner.Email, "nina@x.org")
		})
		t.Run("API-8 the ids work for a deactivation", func(t *testing.T) {
			equal(t, "status", k.Mutate("deactivateMember", "member { status user { id } }", "memberId", member).OK().Text("deactivateMember.member.user.id"), user)
			k.Mutate("removeMember", "", "memberId", member).OK()
		})
	})
}
