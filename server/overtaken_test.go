package server_test

import (
	"testing"

	"github.com/convoke-dev/convoke/ent/emailchange"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/session"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/internal/testkit/rounds"
)

// A sign-in that is under way while the password changes begins no session that
// outlives the change: its password is the old one.
func TestASignInUnderWayDoesNotOutliveTheOldPassword(t *testing.T) {
	t.Parallel()
	const atOnce = 8
	rounds := rounds.Of(t, 100)
	each(t, func(t *testing.T, w *testkit.World) {
		w.SignUp("olivia@acme.test")
		passwords := []string{testkit.Password, newPassword}
		for round := range rounds {
			now, next := passwords[round%2], passwords[(round+1)%2]
			owner := w.WithToken(signIn(w, "olivia@acme.test", now).OK().Text("signIn.sessionToken"))
			answers := make([]*testkit.Answer, atOnce)
			together(atOnce+1, func(i int) {
				if i == atOnce {
					owner.Mutate("changePassword", "", "currentPassword", now, "newPassword", next).OK()
					return
				}
				answers[i] = signIn(w, "olivia@acme.test", now)
			})
			for _, a := range answers {
				switch got := outcome(a); got {
				case "in":
					ended(t, "a session by the old password", w.WithToken(a.Text("signIn.sessionToken")))
				case "INVALID_CREDENTIALS", "UNAUTHENTICATED": // also when the session has ended before the answer is written
				default:
					t.Errorf("round %d: %s, want in or INVALID_CREDENTIALS", round, got)
				}
			}
			owner.Do(whoAmI, nil).OK()
		}
	})
}

// HARD-17: a sign-in that is under way while the person is erased leaves no session.
func TestASignInUnderWayDoesNotOutliveTheErasure(t *testing.T) {
	t.Parallel()
	const atOnce = 8
	rounds := rounds.Of(t, 30)
	each(t, func(t *testing.T, w *testkit.World) {
		for round := range rounds {
			zoe := w.SignUp("zoe" + itoa(round) + "@x.org")
			id := userID(zoe)
			together(atOnce+1, func(i int) {
				if i == atOnce {
					erase(zoe, testkit.Password).OK()
					return
				}
				if got := outcome(signIn(w, zoe.Email, testkit.Password)); got != "in" && got != "INVALID_CREDENTIALS" && got != "UNAUTHENTICATED" && got != "ACCESS_REVOKED" {
					t.Errorf("round %d: %s", round, got)
				}
			})
			left, err := w.Server.Store.Read().Session.Query().Where(session.UserID(id)).Count(access.System(t.Context(), "count sessions"))
			if err != nil || left > 0 {
				t.Errorf("round %d: %d sessions of an erased user, %v", round, left, err)
			}
		}
	})
}

// HARD-17: nobody is erased by an old password after a new one has been set.
func TestAnErasureUnderWayDoesNotOutliveTheOldPassword(t *testing.T) {
	t.Parallel()
	rounds := rounds.Of(t, 60)
	each(t, func(t *testing.T, w *testkit.World) {
		for round := range rounds {
			zoe := w.SignUp("zoe" + itoa(round) + "@x.org")
			reset := resetToken(t, w, zoe.Email)
			var erased, changed string
			together(2, func(i int) {
				if i == 0 {
					erased = outcome(erase(zoe, testkit.Password))
					return
				}
				changed = outcome(resetPassword(w.Anonymous(), reset, newPassword))
			})
			switch {
			case erased == "in" && (changed == "INVALID_TOKEN token" || changed == "ACCESS_REVOKED"):
			case changed == "in" && (erased == "UNAUTHENTICATED" || erased == "INVALID_CREDENTIALS password" || erased == "CONFLICT"):
			default:
				t.Errorf("round %d: the erasure: %s, the new password: %s, want one of them in", round, erased, changed)
			}
		}
	})
}

// HARD-17: whatever a person does while they are erased, nothing of it is left.
func TestWhatIsUnderWayDoesNotOutliveTheErasure(t *testing.T) {
	t.Parallel()
	rounds := rounds.Of(t, 40)
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		role := owner.Role("viewer")
		for round := range rounds {
			zoe := w.SignUp("zoe" + itoa(round) + "@x.org")
			id, mine := userID(zoe), zoe.AccountID()
			zoe.Join("partner"+itoa(round)+"@x.org", "viewer") // so that the account stays, and the erasure of its owner is refused at first
			handOver(zoe, "partner"+itoa(round)+"@x.org", w)
			var erased *testkit.Answer
			together(5, func(i int) {
				switch i {
				case 0:
					erased = erase(zoe, testkit.Password)
				case 1: // an account that the erasure has not locked
					a := owner.Do(testkit.InviteMutation, testkit.Input("teamId", owner.TeamID, "email", zoe.Email, "roleIds", []string{role})).OK()
					zoe.Mutate("acceptInvite", "", "id", a.Text("inviteUser.invitation.id"))
				case 2:
					changeEmail(zoe.Client, "next"+itoa(round)+"@x.org", testkit.Password)
				case 3:
					zoe.Mutate("updateProfile", "", "firstName", "Zoe")
				default:
					zoe.Mutate("createDivision", "", "accountId", mine, "name", "Zoe's", "idempotencyKey", "k")
				}
			})
			if got := outcome(erased); got == "CONFLICT" {
				erase(zoe, testkit.Password).OK()
			} else if got != "in" {
				t.Errorf("round %d: %s, want in or CONFLICT", round, got)
			}
			ctx, read := access.System(t.Context(), "look what is left"), w.Server.Store.Read()
			u := read.User.GetX(ctx, id)
			equal(t, "erased", u.ErasedAt != nil, true)
			equal(t, "name", u.FirstName, "")
			equal(t, "sessions", read.Session.Query().Where(session.UserID(id)).CountX(ctx), 0)
			equal(t, "memberships", read.Member.Query().Where(member.UserID(id)).CountX(ctx), 0)
			equal(t, "changes of address", read.EmailChange.Query().Where(emailchange.UserID(id)).CountX(ctx), 0)
		}
	})
}

// handOver makes another member the owner of p's team.
func handOver(p *testkit.Person, email string, w *testkit.World) {
	offer := p.Mutate("requestOwnershipTransfer", "transfer { id }", "memberId", p.MemberID(email)).OK().Text("requestOwnershipTransfer.transfer.id")
	w.SignIn(email).Mutate("acceptOwnershipTransfer", "", "transferId", offer).OK()
}
