package server_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/internal/testkit"
)

func TestAnAddressIsOneHoweverItIsTyped(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		other := w.SignUp("oscar@other.test")
		const typed, key = "Ann@BÜCHER.example", "ann@xn--bcher-kva.example"
		sent := owner.Invite(" "+typed+"\t", "billing").OK()
		secret := testkit.Token(t, w.Mail.Wait(t, typed, 1))
		owner.Delivered(typed)
		t.Run("BEY-28 the address is shown as typed, trimmed", func(t *testing.T) {
			equal(t, "email", sent.Text("inviteUser.invitation.email"), typed)
			equalList(t, "pending", owner.Invitations("PENDING"), typed+" PENDING SENT")
		})
		t.Run("BEY-28 it is invited once, however it is typed", func(*testing.T) {
			for _, again := range []string{key, "ANN@XN--BCHER-KVA.EXAMPLE", "ann@bu\u0308cher.example", "\u00A0ann@bücher。example ", "ann@ｂücher.example"} {
				owner.Invite(again, "billing").Refused("ALREADY_INVITED email")
			}
			many := owner.Mutate("inviteUsers", "results { outcome }", "teamId", owner.TeamID,
				"emails", []string{key, "bea@example.org", "BEA@example.org"}, "roleIds", []string{owner.Role("billing")})
			equalList(t, "outcomes", many.List("inviteUsers.results", "outcome"), "ALREADY_INVITED", "INVITED", "ALREADY_INVITED")
		})
		t.Run("BEY-28 what differs in more than writing is another address", func(*testing.T) {
			for _, apart := range []string{"ann@bucher.example", "a.nn@bücher.example", "ann+work@bücher.example"} {
				owner.Invite(apart, "billing").OK()
			}
		})
		t.Run("BEY-28 what cannot be told from another address is none", func(*testing.T) {
			for _, in := range []string{"аnn@bücher.example", "ann\u200B@bücher.example", "ann@bücher.example\u202E", "ann＠bücher.example", "İnfo@example.org"} {
				owner.Invite(in, "billing").Refused("INVALID_EMAIL email")
			}
		})
		t.Run("BEY-28 who accepted is one user, by every way to type the address", func(t *testing.T) {
			joined := w.Anonymous().Accept(secret, "password", testkit.Password).OK()
			equal(t, "user", joined.Text("acceptInvite.viewer.user.email"), typed)
			for _, again := range []string{typed, key, " ANN@bücher.EXAMPLE "} {
				equal(t, "signed in", signIn(w, again, testkit.Password).OK().Text("signIn.viewer.user.email"), typed)
				owner.Invite(again, "billing").Refused("ALREADY_MEMBER email")
			}
			signUp(w, key, testkit.Password).OK()
			if mail := w.Mail.Wait(t, typed, 2); !strings.Contains(mail.Subject, "already") {
				t.Errorf("signing up again is answered by %q, to %s", mail.Subject, mail.To)
			}
			equal(t, "mails to the other form", len(w.Mail.To(key)), 0)
		})
		t.Run("BEY-28 another team invites the same user", func(t *testing.T) {
			other.Invite(key, "billing").OK()
			w.SignIn(typed).Accept(testkit.Token(t, w.Mail.Wait(t, key, 1))).OK()
			equalList(t, "members", other.Members(), "oscar@other.test", typed)
		})
		t.Run("BEY-28 a member is found by every way to type the address", func(t *testing.T) {
			a := owner.Ask(fmt.Sprintf(`account { user(email: %q) { email } }`, key)).OK()
			equal(t, "found", a.Text("team.account.user.email"), typed)
		})
	})
}
