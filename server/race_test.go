package server_test

import (
	"sync"
	"testing"

	"github.com/convoke-dev/convoke/internal/testkit"
)

// together calls f n times at once and waits for all.
func together(n int, f func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	wg.Wait()
}

func TestManyAcceptsOfOneToken(t *testing.T) {
	t.Parallel()
	const atOnce = 64
	rounds := 5
	if testing.Short() {
		rounds = 1
	}
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		t.Run("BEY-5 one of 64 accepts gets in, the others are told", func(t *testing.T) {
			for round := range rounds {
				email := "ann" + itoa(round) + "@example.org"
				owner.Invite(email, "billing").OK()
				secret := testkit.Token(t, w.Mail.Wait(t, email, 1))
				owner.Delivered(email)
				stream := owner.Subscribe(watch, map[string]any{"team": owner.TeamID, "after": eventCursor(owner)})
				answers := make([]*testkit.Answer, atOnce)
				together(atOnce, func(i int) { answers[i] = w.Anonymous().Accept(secret, "password", testkit.Password) })
				got := map[string]int{}
				for _, a := range answers {
					got[outcome(a)]++
				}
				if got["in"] != 1 || got["INVITATION_ALREADY_ACCEPTED"] != atOnce-1 {
					t.Errorf("round %d: %v, want 1 in and %d already accepted", round, got, atOnce-1)
				}
				equal(t, "members", len(owner.Members()), round+2)
				// One ACCEPTED and no more: what comes next is of the next invitation.
				equal(t, "event", stream.Next().Text("inviteStatusChanged.type"), "ACCEPTED")
				owner.Invite("next"+email, "billing").OK()
				equal(t, "event", stream.Next().Text("inviteStatusChanged.type"), "CREATED")
				stream.Close()
			}
		})
	})
}

func TestRevokeAgainstAccept(t *testing.T) {
	t.Parallel()
	const rounds = 20
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		in := 0
		for round := range rounds {
			a := owner.Invite("ann"+itoa(round)+"@example.org", "billing", "sendEmail", true).OK()
			secret := testkit.Token(t, w.Mail.Wait(t, "ann"+itoa(round)+"@example.org", 1))
			var accepted, revoked *testkit.Answer
			together(2, func(i int) {
				if i == 0 {
					accepted = w.Anonymous().Accept(secret, "password", testkit.Password)
				} else {
					revoked = revoke(owner, a.Text("inviteUser.invitation.id"))
				}
			})
			if (outcome(accepted) == "in") == (outcome(revoked) == "in") {
				t.Errorf("round %d: accept %s, revoke %s; want exactly one to win", round, outcome(accepted), outcome(revoked))
			}
			if outcome(accepted) == "in" {
				in++
			}
		}
		equal(t, "members", len(owner.Members()), in+1)
	})
}

func TestManyInvitesOfOneAddress(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		role := owner.Role("billing")
		answers := make([]*testkit.Answer, 16)
		together(len(answers), func(i int) {
			answers[i] = owner.Do(testkit.InviteMutation, testkit.Input(
				"teamId", owner.TeamID, "email", []string{"Ann@x.org", "ann@X.ORG"}[i%2], "roleIds", []string{role}))
		})
		got := map[string]int{}
		for _, a := range answers {
			got[outcome(a)]++
		}
		if got["in"] != 1 || got["ALREADY_INVITED email"] != len(answers)-1 {
			t.Errorf("got %v, want one sent", got)
		}
		equal(t, "pending", len(owner.Invitations("PENDING")), 1)
	})
}

// outcome is "in" for an answer without errors, else the first error.
func outcome(a *testkit.Answer) string {
	if code := a.Code(); code != "" {
		return code
	}
	if errs := a.UserErrors(); len(errs) > 0 {
		return errs[0]
	}
	return "in"
}
