package server_test

import (
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/testkit"
)

func TestNoInvitationBecomesAnOfferOfNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		invite := func(email string, pairs ...any) string {
			return owner.Mutate("inviteUser", "invitation { id }", append([]any{"teamId", owner.TeamID, "email", email, "sendEmail", false}, pairs...)...).
				OK().Text("inviteUser.invitation.id")
		}
		deleteGroup := func(id string) *testkit.Answer { return owner.Mutate("deleteGroup", "", "groupId", id) }
		t.Run("FE-14 a group that an open invitation needs cannot be deleted", func(*testing.T) {
			crew, other := newGroup(owner, "Crew"), newGroup(owner, "Other")
			only := invite("only@x.org", "groupIds", []string{crew})
			invite("both@x.org", "groupIds", []string{crew, other})
			invite("role@x.org", "groupIds", []string{crew}, "roleIds", []string{owner.Role("billing")})
			invite("direct@x.org", "groupIds", []string{crew}, "permissions", []string{"team.read"})
			deleteGroup(crew).Refused("GROUP_IN_USE groupId")
			revoke(owner, only).OK()
			deleteGroup(crew).OK()
			deleteGroup(other).Refused("GROUP_IN_USE groupId") // both@x.org has nothing else by now
		})
		t.Run("FE-14 a role that an open invitation needs cannot be deleted, but replaced", func(t *testing.T) {
			pilot := newRole(owner, "pilot", "team.read")
			id := invite("pilot@x.org", "roleIds", []string{pilot})
			owner.Mutate("deleteRole", "", "roleId", pilot).Refused("ROLE_IN_USE reassignTo")
			owner.Mutate("deleteRole", "", "roleId", pilot, "reassignTo", owner.Role("viewer")).OK()
			a := owner.Do(`query($id: ID!) { node(id: $id) { ... on Invitation { roles { key } } } }`, map[string]any{"id": id}).OK()
			equalList(t, "offered", a.List("node.roles", "key"), "viewer")
		})
		t.Run("FE-14 an expired invitation that grants nothing any more is not offered again", func(t *testing.T) {
			crew, pilot := newGroup(owner, "Old crew"), newRole(owner, "old_pilot", "team.read")
			byGroup, byRole := invite("a@x.org", "groupIds", []string{crew}), invite("b@x.org", "roleIds", []string{pilot})
			w.Clock.Advance(73 * time.Hour)
			again := w.SignIn(owner.Email).In(owner.TeamID)
			again.Mutate("deleteGroup", "", "groupId", crew).OK()
			again.Mutate("deleteRole", "", "roleId", pilot).OK()
			for _, id := range []string{byGroup, byRole} {
				a := again.Do(`query($id: ID!) { node(id: $id) { ... on Invitation { status viewerCanResend viewerCannotResendReasons } } }`, map[string]any{"id": id}).OK()
				equalList(t, "reasons", a.List("node.viewerCannotResendReasons", ""), "GRANTS_NOTHING")
				equal(t, "status", a.Text("node.status"), "EXPIRED")
				equal(t, "may be resent", a.Text("node.viewerCanResend"), "false")
				resend(again, id).Refused("INVALID_GRANT invitationId")
			}
		})
	})
}

func TestAcceptingAndDeletingTheGroupAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		for i := range 8 {
			crew := newGroup(owner, "Crew", owner.Role("viewer"))
			email := "ann" + itoa(i) + "@x.org"
			owner.Mutate("inviteUser", "", "teamId", owner.TeamID, "email", email, "groupIds", []string{crew}).OK()
			link := testkit.Token(t, w.Mail.Wait(t, email, 1))
			var accepted, deleted *testkit.Answer
			together(2, func(n int) {
				if n == 0 {
					accepted = w.Anonymous().Accept(link, "password", testkit.Password)
				} else {
					deleted = owner.Mutate("deleteGroup", "", "groupId", crew)
				}
			})
			accepted.OK() // whichever was first: the group cannot go while the offer is open
			if got := outcome(deleted); got != "in" && got != "GROUP_IN_USE groupId" {
				t.Errorf("deleting the group: got %s, want success or GROUP_IN_USE", got)
			}
		}
	})
}
