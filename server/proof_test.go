package server_test

import (
	"context"
	"testing"

	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/server"
)

const amIVerified = `{ viewer { user { emailVerified } } }`

// HARD-19: a person who joined while the server had no mail has an address that nothing proves,
// also when there is mail later: what was sent to the address is not theirs before they have
// opened a mail there.
func TestAnAddressThatWasTrustedIsNotProven(t *testing.T) {
	t.Parallel()
	eachTrusting(t, func(t *testing.T, old *testkit.World, provider *testkit.Provider) {
		signUp(old, "olivia@acme.test", testkit.Password).OK()
		owner := old.SignIn("olivia@acme.test")
		// Without mail anybody can sign up with any address, and open a link that was handed over.
		signUp(old, "ann@example.org", testkit.Password).OK()
		handedOver := func(email string) string {
			return tokenOf(t, owner.Invite(email, "billing").OK().Text("inviteUser.inviteUrl"))
		}
		bobs, carls := handedOver("bob@example.org"), handedOver("carl@example.org")
		old.Anonymous().Accept(bobs, "password", testkit.Password).OK()

		w := old.Restart()
		owner.Client = owner.At(w)
		stranger := w.SignIn("ann@example.org")
		equal(t, "HARD-19 verified", stranger.Do(amIVerified, nil).OK().Text("viewer.user.emailVerified"), "false")
		id := owner.Invite("ann@example.org", "viewer").OK().Text("inviteUser.invitation.id")
		equal(t, "HARD-19 received by a stranger", stranger.Do(received, nil).OK().Text("viewer.receivedInvitations.totalCount"), "0")
		equal(t, "the invitation itself", stranger.Do(`query($id: ID!) { node(id: $id) { id } }`, map[string]any{"id": id}).OK().At("node"), nil)
		for _, mutation := range []string{"acceptInvite", "declineInvite"} {
			stranger.Mutate(mutation, "", "id", id).Refused("NOT_FOUND")
		}
		withIDToken(w.Anonymous(), provider.IDToken("ann@example.org")).Refused("EMAIL_NOT_VERIFIED")
		provider.Is("ann@example.org")
		equal(t, "failure of SSO", newSurfer(t, w).signIn(t), "unverified")

		w.Mail.Wait(t, "ann@example.org", 1) // the invitation
		// The owner of the address resets the password by mail, which proves it.
		in := resetPassword(w.Anonymous(), resetToken(t, w, "ann@example.org"), newPassword).OK()
		ann := w.WithToken(in.Text("resetPassword.sessionToken"))
		equal(t, "verified after the reset", ann.Do(amIVerified, nil).OK().Text("viewer.user.emailVerified"), "true")
		equal(t, "received after the reset", ann.Do(received, nil).OK().Text("viewer.receivedInvitations.totalCount"), "1")
		ann.Mutate("acceptInvite", "", "id", id).OK()
		equal(t, "failure of SSO after the reset", newSurfer(t, w).signIn(t), "")

		// So does the link of an invitation that was mailed, and none that was handed over.
		carl := w.WithToken(w.Anonymous().Accept(carls, "password", testkit.Password).OK().Text("acceptInvite.sessionToken"))
		equal(t, "verified by a link that was handed over", carl.Do(amIVerified, nil).OK().Text("viewer.user.emailVerified"), "false")
		bob, host := w.SignIn("bob@example.org"), w.SignUp("henry@host.test")
		equal(t, "verified at a server with mail", host.Do(amIVerified, nil).OK().Text("viewer.user.emailVerified"), "true")
		host.Invite("bob@example.org", "viewer").OK()
		equal(t, "received by link only", bob.Do(received, nil).OK().Text("viewer.receivedInvitations.totalCount"), "0")
		bob.Accept(testkit.Token(t, w.Mail.Wait(t, "bob@example.org", 1))).OK()
		equal(t, "verified by a link that was mailed", bob.Do(amIVerified, nil).OK().Text("viewer.user.emailVerified"), "true")
	}, func(c *server.Config) { c.Sender = nil })
}

// HARD-19: users from before proofs were stored are settled once, by whether the server has
// mail at the first start after the upgrade.
func TestOldUsersAreSettledAtTheFirstStart(t *testing.T) {
	t.Parallel()
	for _, noMail := range []bool{true, false} {
		eachWith(t, func(c *server.Config) {
			if noMail {
				c.Sender = nil
			}
		}, func(t *testing.T, w *testkit.World) {
			ctx := access.System(t.Context(), "make old users")
			settle(t, w, "olivia@acme.test")
			settle(t, w, "otto@acme.test")
			set := func(f func(ctx context.Context, tx *store.Tx) error) {
				t.Helper()
				if err := w.Server.Store.InTx(ctx, func(tx *store.Tx) error { return f(ctx, tx) }); err != nil {
					t.Fatal(err)
				}
			}
			other := user.EmailProofTrust
			if noMail {
				other = user.EmailProofMail
			}
			set(func(ctx context.Context, tx *store.Tx) error {
				return tx.User.Update().Where(user.Email("olivia@acme.test")).ClearEmailProof().Exec(ctx)
			})
			set(func(ctx context.Context, tx *store.Tx) error {
				return tx.User.Update().Where(user.Email("otto@acme.test")).SetEmailProof(other).Exec(ctx)
			})
			equal(t, "HARD-19 verified before it is settled", w.SignIn("olivia@acme.test").Do(amIVerified, nil).OK().Text("viewer.user.emailVerified"), "false")
			if err := w.Server.Auth.SettleProofs(t.Context()); err != nil {
				t.Fatal(err)
			}
			for email, proven := range map[string]bool{"olivia@acme.test": !noMail, "otto@acme.test": noMail} {
				got := w.SignIn(email).Do(amIVerified, nil).OK().At("viewer.user.emailVerified")
				equal(t, "HARD-19 verified: "+email, got, any(proven))
			}
		})
	}
}
