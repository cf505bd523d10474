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
