package server_test

import (
	"testing"

	"github.com/convoke-dev/convoke/internal/testkit"
)

// HARD-1: an invitation that is restricted to a division or a domain gives nothing elsewhere,
// also to a member without a restriction, who takes its address.
func TestARestrictedInvitationGivesAMemberNothingElsewhere(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		east := newDivision(owner, "East", "")
		take := func(p *testkit.Person, email string) {
			t.Helper()
			old, next := changeTokens(t, p, w, email)
			confirmEmail(w.Anonymous(), old).OK()
			confirmEmail(w.Anonymous(), next).OK()
		}
		for n, restriction := range [][]any{{"divisionIds", []string{east}}, {"allowedDomains", []string{"acme.test"}}} {
			mallory := owner.Join("mallory"+itoa(n)+"@x.org", "viewer")
			email := "second" + itoa(n) + "@x.org"
			id := owner.Do(testkit.InviteMutation, testkit.Input(append([]any{"teamId", owner.TeamID, "email", email, "allPermissions", true}, restriction...)...)).
				OK().Text("inviteUser.invitation.id")
			w.Mail.Wait(t, email, 1)
			take(mallory, email)
			mallory.Mutate("acceptInvite", "", "id", id).Refused("INVITER_LOST_GRANT")
			equalList(t, "roles", roleKeys(owner, email), "viewer")
			// As soon as they may act nowhere else, it is theirs.
			onMember(owner, "setRestrictions", owner.MemberID(email), restriction...).OK()
			mallory.Mutate("acceptInvite", "", "id", id).OK()
		}
	})
}
