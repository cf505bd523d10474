package server_test

import (
	"testing"

	"github.com/convoke-dev/convoke/internal/testkit"
)

// HARD-24: everywhere where a token is taken, white space around it changes nothing, and
// neither does a whole link in its place.
func TestWhiteSpaceAroundATokenChangesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		around := func(token string) []string {
			return []string{" " + token + " ", token + "\r\n", "\t" + token, "\u00A0" + token + "\u00A0", "\u200B" + token + "\uFEFF", w.URL + "/accept#" + token}
		}
		t.Run("HARD-24 to preview, accept and decline", func(t *testing.T) {
			for n, typed := range around("TOKEN") {
				for _, verb := range []string{"accept", "decline"} {
					email := verb + itoa(n) + "@x.org"
					owner.Invite(email, "viewer").OK()
					token := around(testkit.Token(t, w.Mail.Wait(t, email, 1)))[n]
					a := w.Anonymous().Do(`query($token: String!) { invitationByToken(token: $token) { maskedEmail } }`, map[string]any{"token": token}).OK()
					if a.At("invitationByToken") == nil {
						t.Errorf("no preview by %+q", typed)
					}
					if verb == "accept" {
						w.Anonymous().Accept(token, "password", testkit.Password).OK()
					} else {
						w.Anonymous().Mutate("declineInvite", "", "token", token).OK()
					}
				}
			}
		})
		t.Run("HARD-24 to verify an address and to reset a password", func(t *testing.T) {
			for n := range around("TOKEN") {
				email := "new" + itoa(n) + "@x.org"
				signUp(w, email, testkit.Password).OK()
				w.Anonymous().Mutate("verifyEmail", "", "token", around(testkit.Token(t, w.Mail.Wait(t, email, 1)))[n], "transport", "BEARER").OK()
				w.Anonymous().Mutate("requestPasswordReset", "", "email", email).OK()
				w.Anonymous().Mutate("resetPassword", "", "token", around(testkit.Token(t, w.Mail.Wait(t, email, 2)))[n],
					"newPassword", "a quite different pass phrase", "transport", "BEARER").OK()
			}
		})
		t.Run("HARD-24 to change an address", func(t *testing.T) {
			p := w.SignUp("wanda0@x.org")
			for n := range around("TOKEN") {
				email := "wanda" + itoa(n+1) + "@x.org"
				old, next := changeTokens(t, p, w, email)
				confirmEmail(w.Anonymous(), around(old)[n]).OK()
				confirmEmail(w.Anonymous(), around(next)[n]).OK()
				p.Email = email
			}
		})
		t.Run("HARD-24 of a session", func(*testing.T) {
			for _, token := range []string{owner.Session + " ", "\t" + owner.Session} {
				w.WithToken(token).Do(`{ viewer { user { email } } }`, nil).OK()
			}
		})
		t.Run("HARD-24 nor does a refusal depend on it", func(*testing.T) {
			for _, wrong := range append(around("nonsense"), "nonsense") {
				w.Anonymous().Accept(wrong, "password", testkit.Password).Refused("INVALID_TOKEN invitation.token")
				w.Anonymous().Mutate("declineInvite", "", "token", wrong).Refused("INVALID_TOKEN invitation.token")
				w.Anonymous().Mutate("verifyEmail", "", "token", wrong).Refused("INVALID_TOKEN token")
				w.Anonymous().Mutate("resetPassword", "", "token", wrong, "newPassword", testkit.Password).Refused("INVALID_TOKEN token")
			}
			for _, none := range []string{"", " ", "\n", "\u200B"} {
				w.Anonymous().Accept(none, "password", testkit.Password).Refused("INVALID_VALUE invitation")
				w.Anonymous().Mutate("declineInvite", "", "token", none).Refused("INVALID_VALUE invitation")
				w.Anonymous().Mutate("verifyEmail", "", "token", none).Refused("INVALID_TOKEN token")
			}
		})
	})
}
