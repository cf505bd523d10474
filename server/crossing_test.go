package server_test

import (
	"slices"
	"testing"

	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/internal/testkit/rounds"
)

// HARD-17: of a change of address, a sign-up and an invitation for one address, which are
// finished at the same moment, one gets the address, and the others are told.
func TestThreeWaysToOneAddress(t *testing.T) {
	t.Parallel()
	rounds := rounds.Of(t, 60)
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		for round := range rounds {
			email := "wanted" + itoa(round) + "@x.org"
			ann := w.SignUp("ann" + itoa(round) + "@x.org")
			old, next := changeTokens(t, ann, w, email)
			confirmEmail(w.Anonymous(), old).OK()
			signUp(w, email, testkit.Password).OK()
			signedUp := testkit.Token(t, w.Mail.Wait(t, email, 2))
			owner.Invite(email, "viewer").OK()
			invited := testkit.Token(t, w.Mail.Wait(t, email, 3))
			outcomes := make([]string, 3)
			together(3, func(i int) {
				switch i {
				case 0:
					outcomes[i] = outcome(confirmEmail(w.Anonymous(), next))
				case 1:
					outcomes[i] = outcome(verify(w, signedUp))
				default:
					outcomes[i] = outcome(w.Anonymous().Accept(invited, "password", testkit.Password))
				}
			})
			refusals := []string{"EMAIL_TAKEN", "INVALID_TOKEN token", "AUTHENTICATION_REQUIRED"}
			in := 0
			for i, got := range outcomes {
				if got == "in" {
					in++
				} else if got != refusals[i] {
					t.Errorf("round %d: way %d: %s, want in or %s", round, i, got, refusals[i])
				}
			}
			equal(t, "how many got the address", in, 1)
		}
	})
}

// HARD-17: a person who joins while their address changes is shown with the new one.
func TestJoiningWhileTheAddressChanges(t *testing.T) {
	t.Parallel()
	rounds := rounds.Of(t, 60)
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		for round := range rounds {
			ann := w.SignUp("ann" + itoa(round) + "@x.org")
			reset := resetToken(t, w, ann.Email)
			id := owner.Invite(ann.Email, "viewer").OK().Text("inviteUser.invitation.id")
			w.Mail.Wait(t, ann.Email, 3)
			old, next := changeTokens(t, ann, w, "new"+itoa(round)+"@x.org")
			confirmEmail(w.Anonymous(), old).OK()
			together(3, func(i int) {
				switch i {
				case 0:
					if got := outcome(confirmEmail(w.Anonymous(), next)); got != "in" && got != "INVALID_TOKEN token" {
						t.Errorf("round %d: confirmation: %s", round, got)
					}
				case 1:
					if got := outcome(ann.Mutate("acceptInvite", "", "id", id)); got != "in" && got != "EMAIL_MISMATCH" && got != "NOT_FOUND" && got != "UNAUTHENTICATED" {
						t.Errorf("round %d: acceptance: %s", round, got)
					}
				default:
					if got := outcome(resetPassword(w.Anonymous(), reset, newPassword)); got != "in" && got != "INVALID_TOKEN token" {
						t.Errorf("round %d: reset: %s", round, got)
					}
				}
			})
		}
		ctx := access.System(t.Context(), "compare the copies of addresses")
		for _, m := range w.Server.Store.Read().Member.Query().WithUser().AllX(ctx) {
			equal(t, "the copy of "+m.Edges.User.Email, m.EmailKey, m.Edges.User.EmailKey)
		}
	})
}

// HARD-1: an acceptance that crosses the demotion of the giver is either before it or refused.
func TestAcceptanceAgainstDemotion(t *testing.T) {
	t.Parallel()
	rounds := rounds.Of(t, 60)
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		keepInvitations(owner)
		viewer := []string{owner.Role("viewer")}
		for round := range rounds {
			n := itoa(round)
			adam := owner.JoinWith("adam"+n+"@acme.test", "allPermissions", true)
			adam.Do(testkit.InviteMutation, testkit.Input("teamId", adam.TeamID, "email", "friend"+n+"@x.org", "allPermissions", true)).OK()
			secret := testkit.Token(t, w.Mail.Wait(t, "friend"+n+"@x.org", 1))
			id := owner.MemberID(adam.Email)
			var accepted string
			together(2, func(i int) {
				if i == 0 {
					accepted = outcome(w.Anonymous().Accept(secret, "password", testkit.Password))
					return
				}
				onMember(owner, "setRoles", id, "roleIds", viewer).OK()
				adam.Mutate("leaveTeam", "", "teamId", adam.TeamID).OK()
			})
			types := logged(owner) // the newest first
			joined := slices.Index(types, "INVITATION_ACCEPTED")
			demoted := slices.Index(types, "MEMBER_UPDATED")
			switch accepted {
			case "in":
				if joined < demoted {
					t.Errorf("round %d: accepted after the demotion: %q", round, types[:max(joined, demoted)+1])
				}
			case "INVITER_LOST_GRANT":
			default:
				t.Errorf("round %d: %s, want in or INVITER_LOST_GRANT", round, accepted)
			}
		}
	})
}

// HARD-17: people who are in each other's accounts are erased at the same moment.
func TestErasuresAtOnce(t *testing.T) {
	t.Parallel()
	rounds := rounds.Of(t, 30)
	each(t, func(t *testing.T, w *testkit.World) {
		for round := range rounds {
			n := itoa(round)
			host, guest := w.SignUp("host"+n+"@x.org"), w.SignUp("guest"+n+"@x.org")
			ann, bob := host.Join("ann"+n+"@x.org", "viewer"), guest.Join("bob"+n+"@x.org", "viewer")
			host.JoinAs(bob, "viewer")
			guest.Invite(ann.Email, "viewer").OK()
			outcomes := make([]string, 4)
			together(4, func(i int) { outcomes[i] = outcome(erase([]*testkit.Person{ann, bob, ann, bob}[i], testkit.Password)) })
			for i, got := range outcomes {
				if got != "in" && got != "UNAUTHENTICATED" && got != "INVALID_CREDENTIALS password" && got != "AUTHENTICATION_REQUIRED" {
					t.Errorf("round %d: erasure %d: %s", round, i, got)
				}
			}
			equalList(t, "members", host.Members(), host.Email)
			equalList(t, "members", guest.Members(), guest.Email)
		}
	})
}
