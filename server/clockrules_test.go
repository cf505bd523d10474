package server_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/mail"
	"github.com/convoke-dev/convoke/internal/testdb"
	"github.com/convoke-dev/convoke/internal/testkit"
)

// jumps are what happens to the clock, one after the other. Where the server starts anew, it
// knows nothing of the time before.
var jumps = []struct {
	name  string
	by    time.Duration
	start bool
}{
	{"an hour forward", time.Hour, false},
	{"an hour back", -time.Hour, false},
	{"an hour back once more", -time.Hour, false},
	{"an hour back and a start", -time.Hour, true},
	{"two hours forward", 2 * time.Hour, false},
}

// What has ended by an act stays so, and what is good for long stays so, whatever the clock
// does.
func TestJumpsOfTheClockChangeNoState(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		w := testkit.New(t, address, unlimited)
		owner := w.SignUp("olivia@acme.test")
		heir := owner.JoinWith("adam@acme.test", "allPermissions", true)
		revoked, revokedID := mailed(w, owner, t, "ann@x.org")
		revoke(owner, revokedID).OK()
		declined, _ := mailed(w, owner, t, "dan@x.org")
		decline(w.Anonymous(), declined).OK()
		open, _ := mailed(w, owner, t, "eve@x.org")
		spent := resetToken(t, w, heir.Email)
		resetPassword(w.Anonymous(), spent, testkit.Password).OK()
		signUp(w, "nina@acme.test", testkit.Password).OK()
		verification := testkit.Token(t, w.Mail.Wait(t, "nina@acme.test", 1))
		gone := heir.Client // the reset ended this session
		heir = w.SignIn(heir.Email).In(owner.TeamID)
		offer := func() string {
			return owner.Mutate("requestOwnershipTransfer", "transfer { id }", "memberId", owner.MemberID(heir.Email)).OK().Text("requestOwnershipTransfer.transfer.id")
		}
		refused := offer()
		heir.Mutate("declineOwnershipTransfer", "", "transferId", refused).OK()
		pending := offer()
		call := func() string {
			return owner.Mutate("createTeam", "team { id }", "accountId", owner.AccountID(), "name", "Second", "idempotencyKey", "once").OK().Text("createTeam.team.id")
		}
		team := call()
		for _, jump := range jumps {
			if jump.start {
				w = w.Restart()
				owner.Client, heir.Client, gone = owner.At(w), heir.At(w), gone.At(w)
			}
			w.Clock.Advance(jump.by)
			t.Run("HARD-12 "+jump.name, func(t *testing.T) {
				ended(t, "the ended session", gone)
				for _, p := range []*testkit.Person{owner, heir} {
					equal(t, p.Email, p.Do(whoAmI, nil).Status, http.StatusOK)
				}
				w.Anonymous().Accept(revoked, "password", testkit.Password).Refused("INVITATION_REVOKED")
				w.Anonymous().Accept(declined, "password", testkit.Password).Refused("INVITATION_DECLINED")
				tryInvite(owner, "dan@x.org").Refused(coolly)
				resetPassword(w.Anonymous(), spent, newPassword).Refused("INVALID_TOKEN token")
				heir.Mutate("acceptOwnershipTransfer", "", "transferId", refused).Refused("TRANSFER_NOT_PENDING transferId")
				equal(t, "team of the repeated call", call(), team)
			})
		}
		t.Run("HARD-12 after all of that, what is open is taken", func(*testing.T) {
			w.Anonymous().Accept(open, "password", testkit.Password).OK()
			verify(w, verification).OK()
			heir.Mutate("acceptOwnershipTransfer", "", "transferId", pending).OK()
		})
	})
}

// What ended by time stays ended after a jump back, also when nothing has stored its end.
func TestAnHourBackRevivesNothingThatRanOut(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		w := testkit.New(t, address, unlimited)
		owner := w.SignUp("olivia@acme.test")
		heir := owner.JoinWith("adam@acme.test", "allPermissions", true)
		transfer := owner.Mutate("requestOwnershipTransfer", "transfer { id }", "memberId", owner.MemberID(heir.Email)).OK().Text("requestOwnershipTransfer.transfer.id")
		signUp(w, "nina@acme.test", testkit.Password).OK()
		verification := testkit.Token(t, w.Mail.Wait(t, "nina@acme.test", 1))
		w.Clock.Advance(31 * aDay) // longer than any of them is good
		ended(t, "the session", owner.Client)
		for _, by := range []time.Duration{0, -time.Hour} {
			w.Clock.Advance(by)
			t.Run("HARD-12 by "+by.String(), func(t *testing.T) {
				ended(t, "the session", owner.Client)
				verify(w, verification).Refused("INVALID_TOKEN token")
				there := w.SignIn(heir.Email)
				there.Mutate("acceptOwnershipTransfer", "", "transferId", transfer).Refused("TRANSFER_NOT_PENDING transferId")
			})
		}
	})
}

// A mail that waits for its next attempt goes out after a jump, and a resend is possible after
// its cooldown.
func TestJumpsOfTheClockHoldNoMailBack(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		w := testkit.New(t, address, unlimited)
		owner := w.SignUp("olivia@acme.test")
		_, id := mailed(w, owner, t, "bob@x.org")
		resend(owner, id).OK()
		w.Mail.Wait(t, "bob@x.org", 2)
		// The server runs at half speed after a jump back, from when it has noticed the jump.
		move := func(by time.Duration) {
			w.Clock.Advance(by)
			owner.Do(whoAmI, nil).OK()
		}
		for i, by := range []time.Duration{time.Hour, -time.Hour} {
			t.Run("HARD-12 a mail that is tried again, by "+by.String(), func(t *testing.T) {
				w.Mail.Break(&mail.Error{Temporary: true, Reason: "not now"})
				email := itoa(i) + "@x.org"
				tried := owner.Mutate("inviteUser", "invitation { id }", "teamId", owner.TeamID, "email", email, "permissions", []string{"team.read"}).OK()
				testkit.Eventually(t, func() bool {
					return owner.Do(`query($id: ID!) { node(id: $id) { ... on Invitation { delivery { attempts } } } }`,
						map[string]any{"id": tried.Text("inviteUser.invitation.id")}).OK().Text("node.delivery.attempts") == "1"
				})
				w.Mail.Break(nil)
				move(by)
				move(2 * time.Minute)
				w.Mail.Wait(t, email, 1)
			})
		}
		t.Run("HARD-12 a resend after its cooldown", func(*testing.T) {
			move(-time.Hour)
			move(2*time.Minute + time.Second)
			resend(owner, id).OK()
		})
	})
}
