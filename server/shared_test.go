package server_test

import (
	"testing"

	"github.com/convoke-dev/convoke/internal/testkit"
)

// A result that subscribers share shows nobody more of an inviter than the viewer may see.
func TestSharedResultsHideAnInviterWhoLeft(t *testing.T) {
	t.Parallel()
	const watchInviter = `subscription($team: ID!, $after: EventCursor) { inviteStatusChanged(teamId: $team, after: $after) {
		type invitation { inviter { ... on User { email lastSeenAt } } } } }`
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		owner.Mutate("updateAccount", "account { id }", "accountId", owner.AccountID(), "keepInvitationsOfRemovedMembers", true).OK()
		xena, ann, bob := w.SignUp("xena@x.org"), w.SignUp("ann@x.org"), w.SignUp("bob@x.org")
		owner.JoinAs(xena, "account_admin")
		owner.JoinAs(ann, "viewer")
		owner.JoinAs(bob, "viewer")
		ann.JoinAs(xena, "viewer") // Ann and Xena stay together there
		id := xena.In(owner.TeamID).Invite("new@x.org", "viewer").OK().Text("inviteUser.invitation.id")
		onMember(owner, "removeMember", owner.MemberID(xena.Email)).OK()
		from := map[string]any{"team": owner.TeamID, "after": eventCursor(owner)}
		together, apart := ann.Subscribe(watchInviter, from), bob.Subscribe(watchInviter, from)
		owner.Mutate("updateInvite", "", "invitationId", id, "note", "Soon").OK()
		seen := func(s *testkit.Stream) any {
			t.Helper()
			a := s.Next().OK()
			equal(t, "inviter", a.Text("inviteStatusChanged.invitation.inviter.email"), xena.Email)
			return a.At("inviteStatusChanged.invitation.inviter.lastSeenAt")
		}
		if at := seen(together); at == nil {
			t.Error("got no last activity of a colleague, want one")
		}
		equal(t, "last activity, for Bob", seen(apart), nil)
		// The cursor leads to the same event once more, while its result is still kept.
		equal(t, "last activity, for Bob again", seen(bob.Subscribe(watchInviter, from)), nil)
	})
}
