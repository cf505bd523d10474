package server_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/ent/passwordreset"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/auth"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/internal/testkit/rounds"
	"github.com/convoke-dev/convoke/server"
)

func TestAForgottenPassword(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		other := w.SignIn("olivia@acme.test")
		bystander := w.SignUp("bystander@acme.test")
		stream := other.Subscribe(watch, map[string]any{"team": owner.TeamID, "after": eventCursor(owner)})
		earlier := resetToken(t, w, "olivia@acme.test")
		secret := resetToken(t, w, "OLIVIA@acme.test")

		resetPassword(w.Anonymous(), secret, "short").Refused("WEAK_PASSWORD newPassword")
		resetPassword(w.Anonymous(), secret, "iloveyou").Refused("WEAK_PASSWORD newPassword")
		resetPassword(w.Anonymous(), secret, "").Refused("BLANK newPassword")
		in := resetPassword(w.Anonymous(), secret, newPassword).OK()
		equal(t, "viewer", in.Text("resetPassword.viewer.user.email"), "olivia@acme.test")

		ended(t, "the first session", owner.Client)
		ended(t, "the second session", other.Client)
		stream.Ended()
		bystander.Do(whoAmI, nil).OK()
		now := w.WithToken(in.Text("resetPassword.sessionToken"))
		equal(t, "the new session is whose", now.Do(whoAmI, nil).OK().Text("viewer.user.email"), "olivia@acme.test")

		resetPassword(w.Anonymous(), secret, newPassword+"!").Refused("INVALID_TOKEN token")
		resetPassword(w.Anonymous(), earlier, newPassword+"!").Refused("INVALID_TOKEN token")
		signIn(w, "olivia@acme.test", testkit.Password).Refused("INVALID_CREDENTIALS")
		again := signIn(w, "olivia@acme.test", newPassword).OK()
		p := *owner
		p.Client = w.WithToken(again.Text("signIn.sessionToken"))
		equal(t, "changes of the password in the log", count(logged(&p), "USER_PASSWORD_CHANGED"), 1)
	})
}

func TestAResetLinkRunsOut(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		w.SignUp("olivia@acme.test")
		first := resetToken(t, w, "olivia@acme.test")
		w.Clock.Advance(auth.ResetFor - 1)
		second := resetToken(t, w, "olivia@acme.test")
		w.Clock.Advance(1)
		resetPassword(w.Anonymous(), first, newPassword).Refused("INVALID_TOKEN token")
		if err := w.Server.Auth.Purge(t.Context()); err != nil {
			t.Error(err)
		}
		left, err := w.Server.Store.Read().PasswordReset.Query().Count(access.System(t.Context(), "count resets"))
		if err != nil || left != 1 {
			t.Errorf("resets left: %d, %v, want 1", left, err)
		}
		resetPassword(w.Anonymous(), second, newPassword).OK()
	})
}

func TestTokensOfAnotherKindResetNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		owner.Invite("ann@example.org", "billing").OK()
		signUp(w, "bob@example.org", testkit.Password).OK()
		reset := resetToken(t, w, "olivia@acme.test")
		for _, email := range []string{"ann@example.org", "bob@example.org"} {
			resetPassword(w.Anonymous(), testkit.Token(t, w.Mail.Wait(t, email, 1)), newPassword).Refused("INVALID_TOKEN token")
		}
		resetPassword(w.Anonymous(), "", newPassword).Refused("INVALID_TOKEN token")
		resetPassword(w.Anonymous(), owner.Session, newPassword).Refused("INVALID_TOKEN token")
		verify(w, reset).Refused("INVALID_TOKEN token")
		w.Anonymous().Accept(reset, "password", newPassword).Refused("INVALID_TOKEN invitation.token")
		signIn(w, "olivia@acme.test", testkit.Password).OK()
	})
}

func TestResetsOfOneAddressAreBounded(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		w.SignUp("olivia@acme.test")
		var links []string
		for range 21 {
			links = append(links, resetToken(t, w, "olivia@acme.test"))
			requestReset(w.Anonymous(), "nobody@acme.test").OK()
		}
		resets := w.Server.Store.Read().PasswordReset.Query()
		for _, email := range []string{"olivia@acme.test", "nobody@acme.test"} {
			n, err := resets.Clone().Where(passwordreset.EmailKey(email)).Count(access.System(t.Context(), "count resets"))
			if err != nil || n != 20 {
				t.Errorf("open resets of %s: %d, %v, want 20", email, n, err)
			}
		}
		testkit.Eventually(t, func() bool {
			n, err := w.Server.Store.Read().Job.Query().Count(access.System(t.Context(), "count jobs"))
			return err == nil && n == 0
		})
		equal(t, "mails to nobody", len(w.Mail.To("nobody@acme.test")), 0)
		resetPassword(w.Anonymous(), links[0], newPassword).Refused("INVALID_TOKEN token")
		resetPassword(w.Anonymous(), links[1], newPassword).OK()
	})
}

func TestManyResetsWithOneToken(t *testing.T) {
	t.Parallel()
	const atOnce = 64
	rounds := rounds.Of(t, 5)
	each(t, func(t *testing.T, w *testkit.World) {
		w.SignUp("olivia@acme.test")
		for range rounds {
			secret := resetToken(t, w, "olivia@acme.test")
			answers := make([]*testkit.Answer, atOnce)
			together(atOnce, func(i int) { answers[i] = resetPassword(w.Anonymous(), secret, newPassword+itoa(i)) })
			outcomes, winner := make([]string, atOnce), 0
			for i, a := range answers {
				if outcomes[i] = outcome(a); outcomes[i] == "in" {
					winner = i
				}
			}
			equal(t, "how many got in", count(outcomes, "in"), 1)
			equal(t, "how many were refused", count(outcomes, "INVALID_TOKEN token"), atOnce-1)
			// The password is the winner's, and the winner's session has survived the others.
			signIn(w, "olivia@acme.test", newPassword+itoa(winner)).OK()
			w.WithToken(answers[winner].Text("resetPassword.sessionToken")).Do(whoAmI, nil).OK()
		}
	})
}

func TestAResetAdmitsNobodyWhoCouldNotSignIn(t *testing.T) {
	t.Parallel()
	eachWith(t, noPersonalAccounts, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		for _, c := range []struct{ mutation, want string }{{"deactivateMember", "USER_DEACTIVATED"}, {"removeMember", "ACCESS_REVOKED"}} {
			email := strings.ToLower(c.want) + "@example.org"
			owner.Join(email, "viewer")
			secret := resetToken(t, w, email)
			id := owner.MemberID(email)
			owner.Mutate(c.mutation, "", "memberId", id).OK()
			resetPassword(w.Anonymous(), secret, newPassword).Refused(c.want)
			signIn(w, email, newPassword).Refused("INVALID_CREDENTIALS")
			// The token is good as soon as the user may sign in again.
			if c.mutation == "deactivateMember" {
				owner.Mutate("reactivateMember", "", "memberId", id).OK()
			} else {
				owner.Invite(email, "viewer").OK()
			}
			resetPassword(w.Anonymous(), secret, newPassword).OK()
		}
	})
}

func TestASocketTakesNoCookie(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		secret := resetToken(t, w, "olivia@acme.test")
		over := func(transport string) *testkit.Answer {
			return w.Anonymous().Subscribe(`mutation($input: ResetPasswordInput!) { resetPassword(input: $input) { sessionToken userErrors { code field message } } }`,
				testkit.Input("token", secret, "newPassword", newPassword, "transport", transport)).Next()
		}
		over("COOKIE").Refused("INVALID_VALUE transport")
		in := over("BEARER").OK()
		ended(t, "the session before", owner.Client)
		w.WithToken(in.Text("resetPassword.sessionToken")).Do(whoAmI, nil).OK()
	})
}

func TestAServerWithoutMailResetsNothing(t *testing.T) {
	t.Parallel()
	eachWith(t, func(c *server.Config) { c.Sender = nil }, func(t *testing.T, w *testkit.World) {
		signUp(w, "olivia@acme.test", testkit.Password).OK()
		for _, email := range []string{"olivia@acme.test", "nobody@acme.test"} {
			equal(t, "sent to "+email, requestReset(w.Anonymous(), email).OK().Text("requestPasswordReset.resetSent"), "false")
			a := w.Anonymous().Mutate("resendVerification", "verificationSent", "email", email, "password", testkit.Password).OK()
			equal(t, "resent to "+email, a.Text("resendVerification.verificationSent"), "false")
		}
	})
}

func TestChangingThePassword(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		other := w.SignIn("olivia@acme.test")
		bystander := w.SignUp("bystander@acme.test")
		stream := other.Subscribe(watch, map[string]any{"team": owner.TeamID, "after": eventCursor(owner)})
		reset := resetToken(t, w, "olivia@acme.test")
		change := func(current, next string) *testkit.Answer {
			return owner.Mutate("changePassword", "", "currentPassword", current, "newPassword", next)
		}
		change("not the password", newPassword).Refused("INVALID_CREDENTIALS currentPassword")
		change("", newPassword).Refused("INVALID_CREDENTIALS currentPassword")
		change(strings.Repeat("x", 5000), newPassword).Refused("INVALID_CREDENTIALS currentPassword")
		change(testkit.Password, "short").Refused("WEAK_PASSWORD newPassword")
		other.Do(whoAmI, nil).OK()

		change(testkit.Password, newPassword).OK()
		ended(t, "the other session", other.Client)
		stream.Ended()
		owner.Do(whoAmI, nil).OK()
		bystander.Do(whoAmI, nil).OK()
		resetPassword(w.Anonymous(), reset, newPassword).Refused("INVALID_TOKEN token")
		signIn(w, "olivia@acme.test", testkit.Password).Refused("INVALID_CREDENTIALS")
		signIn(w, "olivia@acme.test", newPassword).OK()
		equal(t, "changes of the password in the log", count(logged(owner), "USER_PASSWORD_CHANGED"), 1)
	})
}

func TestTwoChangesOfThePasswordAtOnce(t *testing.T) {
	t.Parallel()
	const atOnce = 8
	each(t, func(t *testing.T, w *testkit.World) {
		w.SignUp("olivia@acme.test")
		people := make([]*testkit.Person, atOnce)
		for i := range people {
			people[i] = w.SignIn("olivia@acme.test")
		}
		outcomes := make([]string, atOnce)
		together(atOnce, func(i int) {
			outcomes[i] = outcome(people[i].Mutate("changePassword", "", "currentPassword", testkit.Password, "newPassword", newPassword+itoa(i)))
		})
		equal(t, "who changed it", count(outcomes, "in"), 1)
		// The others had a wrong password by then, or no session.
		equal(t, "how many were refused", count(outcomes, "INVALID_CREDENTIALS currentPassword")+count(outcomes, "UNAUTHENTICATED"), atOnce-1)
		signIn(w, "olivia@acme.test", newPassword+itoa(slices.Index(outcomes, "in"))).OK()
	})
}

func TestACookieIsAnotherOneAfterEverySignIn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		w.SignUp("olivia@acme.test")
		// A cookie planted before the sign-in is not the one after it.
		planted := http.Cookie{Name: "convoke_session", Value: "cvs_planted", Path: "/"}
		c, set := browser(t, w)
		in := withCookie(w, planted).Mutate("signIn", "viewer { user { email } }", "email", "olivia@acme.test", "password", testkit.Password).OK()
		equal(t, "viewer", in.Text("signIn.viewer.user.email"), "olivia@acme.test")
		equal(t, "whose the planted cookie is", withCookie(w, planted).Do(whoAmI, nil).OK().At("viewer"), nil)

		newest := func() http.Cookie { return *(*set)[len(*set)-1] }
		c.Mutate("signIn", "expiresAt", "email", "olivia@acme.test", "password", testkit.Password).OK()
		first := newest()
		for _, step := range []struct {
			name string
			does func() *testkit.Answer
		}{
			{"changing the password", func() *testkit.Answer {
				return c.Mutate("changePassword", "", "currentPassword", testkit.Password, "newPassword", newPassword)
			}},
			{"resetting it", func() *testkit.Answer {
				return resetPassword(c, resetToken(t, w, "olivia@acme.test"), testkit.Password, "transport", "COOKIE")
			}},
			{"signing in anew", func() *testkit.Answer {
				return c.Mutate("signIn", "expiresAt", "email", "olivia@acme.test", "password", testkit.Password)
			}},
		} {
			before := newest()
			if a := step.does().OK(); strings.Contains(a.Raw, "cvs_") {
				t.Errorf("%s: the answer holds a token: %s", step.name, a.Raw)
			}
			after := newest()
			if after.Value == before.Value || after.MaxAge < 0 || !after.HttpOnly {
				t.Errorf("%s: got cookie %v after %v, want another one", step.name, after, before)
			}
			equal(t, "viewer after "+step.name, c.Do(whoAmI, nil).OK().Text("viewer.user.email"), "olivia@acme.test")
			if step.name != "signing in anew" {
				equal(t, "viewer by the cookie before "+step.name, withCookie(w, before).Do(whoAmI, nil).OK().At("viewer"), nil)
			}
		}
		equal(t, "viewer by the first cookie", withCookie(w, first).Do(whoAmI, nil).OK().At("viewer"), nil)
	})
}

func TestASignUpWhoseMailGotLost(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		w.SignUp("olivia@acme.test")
		again := func(email, password string) *testkit.Answer {
			return w.Anonymous().Mutate("resendVerification", "verificationSent", "email", email, "password", password)
		}
		signUp(w, "ann@example.org", "an older password").OK()
		signUp(w, "ann@example.org", testkit.Password).OK()
		w.Mail.Wait(t, "ann@example.org", 2)
		want := again("nobody@acme.test", testkit.Password).OK().Raw
		for _, c := range [][2]string{
			{"olivia@acme.test", testkit.Password},
			{"olivia@acme.test", "a guess"},
			{"ann@example.org", "a guess"},
			{"ann@example.org", ""},
			{"ann@example.org", "an older password"},
			{"nobody@acme.test", strings.Repeat("x", 5000)},
		} {
			equal(t, "answer about "+c[0], again(c[0], c[1]).OK().Raw, want)
		}
		again("ann", testkit.Password).Refused("INVALID_EMAIL email")
		equal(t, "answer to who knows the password", again("Ann@example.org", testkit.Password).OK().Raw, want)
		link := testkit.Token(t, w.Mail.Wait(t, "ann@example.org", 3))
		verify(w, link).OK()
		signIn(w, "ann@example.org", testkit.Password).OK()
		// Of an address that has a user, its owner is told so; no link goes out.
		signUp(w, "olivia@acme.test", newPassword).OK()
		equal(t, "answer about a user", again("olivia@acme.test", newPassword).OK().Raw, want)
		if text := w.Mail.Wait(t, "olivia@acme.test", 3).Text; strings.Contains(text, "/verify#") {
			t.Errorf("a known address was sent a link that verifies: %s", text)
		}
		equal(t, "mails to ann", len(w.Mail.To("ann@example.org")), 3)
	})
}
