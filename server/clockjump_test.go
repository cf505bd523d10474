package server_test

import (
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/limit"
	"github.com/convoke-dev/convoke/internal/testdb"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/server"
)

// wrongSignIn signs in with a wrong password.
func wrongSignIn(w *testkit.World, email string) *testkit.Answer {
	return w.Anonymous().Mutate("signIn", "sessionToken", "email", email, "password", "wrong", "transport", "BEARER")
}

func TestAJumpOfTheClock(t *testing.T) {
	t.Parallel()
	rules := func(c *server.Config) { c.RateLimits.SignIn = limit.Rule{N: 3, Per: 15 * time.Minute} }
	testdb.Each(t, func(t *testing.T, address string) {
		w := testkit.New(t, address, rules)
		owner := w.SignUp("olivia@acme.test")
		bob := owner.Join("bob@x.org", "billing")
		mailed := func(email string, more ...any) (token string) {
			t.Helper()
			owner.Invite(email, "billing", more...).OK()
			return testkit.Token(t, w.Mail.Wait(t, email, 1))
		}
		overdue := mailed("ann@x.org", "expiresInHours", 1)
		requestReset(w.Anonymous(), "bob@x.org").OK()
		reset := testkit.Token(t, w.Mail.Wait(t, "bob@x.org", 2))
		w.Clock.Advance(61 * time.Minute)
		// Both were refused in the moment after their end, perhaps before anything has stored it.
		w.Anonymous().Accept(overdue, "password", testkit.Password).Refused("INVITATION_EXPIRED")
		resetPassword(w.Anonymous(), reset, newPassword).Refused("INVALID_TOKEN token")
		for range 3 {
			wrongSignIn(w, "bob@x.org")
		}
		wrongSignIn(w, "bob@x.org").Refused("RATE_LIMITED")

		w.Clock.Advance(-time.Hour)
		t.Run("HARD-12 an hour back revives no invitation", func(*testing.T) {
			w.Anonymous().Accept(overdue, "password", testkit.Password).Refused("INVITATION_EXPIRED")
		})
		t.Run("HARD-12 an hour back revives no link", func(*testing.T) {
			resetPassword(w.Anonymous(), reset, newPassword).Refused("INVALID_TOKEN token")
		})
		t.Run("HARD-12 an hour back ends no session, and mail goes out", func(*testing.T) {
			for _, p := range []*testkit.Person{owner, bob} {
				p.Do(whoAmI, nil).OK()
			}
			mailed("carl@x.org")
		})
		t.Run("HARD-12 an hour back locks nobody out for ever", func(*testing.T) {
			wrongSignIn(w, "bob@x.org").Refused("RATE_LIMITED")
			w.Clock.Advance(15 * time.Minute)
			w.SignIn("bob@x.org")
		})
		t.Run("HARD-12 an hour back, and a start of the server, revive nothing that was ended, and mail goes out", func(t *testing.T) {
			again := w.Restart()
			w.Clock.Advance(-time.Hour)
			again.Anonymous().Accept(overdue, "password", testkit.Password).Refused("INVITATION_EXPIRED")
			resetPassword(again.Anonymous(), reset, newPassword).Refused("INVALID_TOKEN token")
			owner.At(again).Do(whoAmI, nil).OK()
			there := *owner
			there.Client = owner.At(again)
			there.Invite("dora@x.org", "billing").OK()
			w.Mail.Wait(t, "dora@x.org", 1)
			w = again
		})
		t.Run("HARD-12 an hour forward ends no session, and what is good for longer stays good", func(t *testing.T) {
			token := testkit.Token(t, w.Mail.Wait(t, "dora@x.org", 1))
			w.Clock.Advance(2 * time.Hour)
			owner.At(w).Do(whoAmI, nil).OK()
			w.Anonymous().Accept(token, "password", testkit.Password).OK()
		})
	})
}
