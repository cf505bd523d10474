package server_test

import (
	"testing"

	"github.com/convoke-dev/convoke/internal/testdb"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/server"
)

func withoutMail(c *server.Config) { c.Sender = nil }

// HARD-19: a link that was mailed to one address of a user proves no other address, which
// the user has taken while the server had no mail.
func TestAnOldLinkProvesNoOtherAddress(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		w := testkit.New(t, address)
		owner := w.SignUp("olivia@acme.test")
		owner.Invite("mallory@x.org", "viewer").OK()
		link := testkit.Token(t, w.Mail.Wait(t, "mallory@x.org", 1))
		w.Anonymous().Accept(link, "password", testkit.Password).OK()
		w.Stop()
		w = testkit.New(t, address, withoutMail)
		changeEmail(w.SignIn("mallory@x.org").Client, "victim@x.org", testkit.Password).OK()
		w.Stop()
		w = testkit.New(t, address)
		mallory := w.SignIn("victim@x.org")
		equal(t, "accepted before", mallory.Accept(link).OK().Text("acceptInvite.alreadyAccepted"), "true")
		equal(t, "verified by the link to another address", mallory.Do(amIVerified, nil).OK().Text("viewer.user.emailVerified"), "false")
	})
}
