package server_test

import (
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/testkit"
)

const received = `{ viewer { receivedInvitations { totalCount nodes { id status note
	team { name account { name } } inviter { ... on User { email } } roles { key } groups { name roles { key } } divisions { name } } } } }`

func TestInvitationsThatWait(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner, ann := w.SignUp("olivia@acme.test"), w.SignUp("Ann@X.org")
		crew := newGroup(owner, "Crew", owner.Role("installer"))
		north := newDivision(owner, "North", "")
		id := owner.Invite("ann@x.org", "billing", "note", "Join us", "groupIds", []string{crew}, "divisionIds", []string{north}).
			OK().Text("inviteUser.invitation.id")
		node := func(p *testkit.Person, id, selection string) *testkit.Answer {
			return p.Do(`query($id: ID!) { node(id: $id) { ... on `+selection+` } }`, map[string]any{"id": id})
		}

		t.Run("BEY-24 the addressee sees what the invitation offers, where and by whom", func(t *testing.T) {
			a := ann.Do(received, nil).OK()
			const first = "viewer.receivedInvitations.nodes.0."
			for path, want := range map[string]string{
				"id": id, "status": "PENDING", "note": "Join us", "inviter.email": "olivia@acme.test",
				"team.name": owner.Ask("name").OK().Text("team.name"), "team.account.name": owner.Ask("account { name }").OK().Text("team.account.name"),
				"roles.0.key": "billing", "groups.0.name": "Crew", "groups.0.roles.0.key": "installer", "divisions.0.name": "North",
			} {
				equal(t, path, a.Text(first+path), want)
			}
			equal(t, "node", node(ann, id, "Invitation { status }").OK().Text("node.status"), "PENDING")
			equal(t, "total", a.Text("viewer.receivedInvitations.totalCount"), "1")
		})
		t.Run("BEY-24 but nothing else of the team, and may do nothing to it", func(t *testing.T) {
			for secret, code := range map[string]string{
				"team { counts { active } }": "FORBIDDEN", "team { members { nodes { id } } }": "FORBIDDEN", "team { invitations { nodes { id } } }": "FORBIDDEN",
				"team { people { totalCount } }": "FORBIDDEN", "team { eventCursor }": "FORBIDDEN",
				"team { account { settings { invitationTtlHours } } }": "FORBIDDEN", "team { account { roles { totalCount } } }": "FORBIDDEN",
				"timeline { nodes { id } }": "FORBIDDEN", "groups { memberCount }": "FORBIDDEN",
			} {
				node(ann, id, "Invitation { "+secret+" }").Refused(code)
			}
			equal(t, "the owner", node(ann, id, "Invitation { team { owner { id } } }").OK().At("node.team.owner"), nil)
			equal(t, "team", ann.In(owner.TeamID).Ask("name").OK().At("team"), nil)
			equal(t, "team by id", node(ann, owner.TeamID, "Team { name }").OK().At("node"), nil)
			equal(t, "account by id", node(ann, owner.AccountID(), "Account { name }").OK().At("node"), nil)
			for _, mutation := range []string{"resendInvite", "revokeInvite", "updateInvite"} {
				ann.Mutate(mutation, "", "invitationId", id).Refused("FORBIDDEN")
			}
			carl := w.SignUp("carl@x.org")
			equal(t, "to somebody else", carl.Do(received, nil).OK().Text("viewer.receivedInvitations.totalCount"), "0")
			equal(t, "node", node(carl, id, "Invitation { status }").OK().At("node"), nil)
			equal(t, "to nobody", w.Anonymous().Do(received, nil).OK().At("viewer"), nil)
		})
		t.Run("BEY-24 and accepts without the mail, also an invitation that was handed over", func(t *testing.T) {
			equal(t, "member", ann.Do(testkit.AcceptMutation, testkit.Input("id", id)).OK().Text("acceptInvite.member.user.email"), "Ann@X.org")
			equal(t, "left", ann.Do(received, nil).OK().Text("viewer.receivedInvitations.totalCount"), "0")
			second := w.SignUp("otto@b.test")
			handed := second.Invite("ann@x.org", "viewer", "sendEmail", false).OK().Text("inviteUser.invitation.id")
			ann.Do(testkit.AcceptMutation, testkit.Input("id", handed)).OK()
		})
		t.Run("BEY-24 a declined, revoked or expired invitation waits no more", func(t *testing.T) {
			other := w.SignUp("bob@x.org")
			for _, end := range []func(id string){
				func(id string) { revoke(owner, id).OK() },
				func(string) { w.Clock.Advance(72 * time.Hour) },
				func(id string) { other.Mutate("declineInvite", "", "id", id).OK() },
			} {
				id := owner.Invite("bob@x.org", "billing").OK().Text("inviteUser.invitation.id")
				equalList(t, "waiting", other.Do(received, nil).OK().List("viewer.receivedInvitations.nodes", "id"), id)
				owner.Delivered("bob@x.org")
				end(id)
				equalList(t, "waiting", other.Do(received, nil).OK().List("viewer.receivedInvitations.nodes", "id"))
			}
		})
	})
}
