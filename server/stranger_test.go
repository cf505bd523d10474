package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/internal/testdb"
	"github.com/convoke-dev/convoke/internal/testkit"
)

// HARD-19: who signed up with an address that nothing proves neither reads nor ends what
// was sent to it.
func TestAStrangerWithAnAddressNeitherExportsNorErasesItsInvitations(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		w := testkit.New(t, address, withoutMail)
		signUp(w, "victim@x.org", testkit.Password).OK()
		w.Stop()
		w = testkit.New(t, address)
		owner, stranger := w.SignUp("olivia@acme.test"), w.SignIn("victim@x.org")
		id := owner.Invite("victim@x.org", "viewer", "note", "The code of the door is 1234").OK().Text("inviteUser.invitation.id")
		got := send(t, http.MethodGet, w.URL+"/my-data.json", "", "Authorization", "Bearer "+stranger.Session)
		equal(t, "status", got.status, http.StatusOK)
		for _, not := range []string{"1234", id, owner.AccountID()} {
			if strings.Contains(got.body, not) {
				t.Errorf("the export has %q: %s", not, got.body)
			}
		}
		erase(stranger, testkit.Password).OK()
		equalList(t, "invitations", owner.Invitations("PENDING"), "victim@x.org PENDING SENT")
	})
}

// HARD-16: an inviter who holds a link from a time without mail takes back no block.
func TestALinkThatWasHandedOverTakesBackNoBlock(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		w := testkit.New(t, address, withoutMail)
		signUp(w, "olivia@acme.test", testkit.Password).OK()
		owner := w.SignIn("olivia@acme.test")
		link := tokenOf(t, owner.Invite("ann@x.org", "viewer").OK().Text("inviteUser.inviteUrl"))
		w.Stop()
		w = testkit.New(t, address)
		owner, inviter := w.SignIn("olivia@acme.test"), w.Anonymous()
		ann := w.SignUp("ann@x.org")
		id := owner.Ask(`invitations { nodes { id } }`).OK().Text("team.invitations.nodes.0.id")
		ann.Mutate("blockInvitations", "", "id", id).OK()
		blocked := inviter.Do(`query($token: String!) { invitationByToken(token: $token) { accountBlocked } }`, token(link)).OK()
		equal(t, "what the link shows of the block", blocked.Text("invitationByToken.accountBlocked"), "false")
		for _, mutation := range []string{"unblockInvitations", "blockInvitations", "declineInvite"} {
			inviter.Mutate(mutation, "", "token", link).Refused("AUTHENTICATION_REQUIRED")
		}
		owner.Mutate("revokeInvite", "", "invitationId", id).OK()
		tryInvite(owner, "ann@x.org").Refused(coolly)
	})
}
