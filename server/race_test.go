package server_test

import (
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/internal/testkit"
)

func TestManyAcceptsOfOneToken(t *testing.T) {
	t.Parallel()
	const atOnce = 64
	rounds := testkit.Rounds(t, 100)
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		stream := owner.Subscribe(watch, map[string]any{"team": owner.TeamID, "after": eventCursor(owner)})
		role := owner.Role("billing")
		t.Run("BEY-5 one of 64 accepts gets in, the others are told", func(t *testing.T) {
			for round := range rounds {
				email := "ann" + itoa(round) + "@example.org"
				owner.Do(testkit.InviteMutation, testkit.Input("teamId", owner.TeamID, "email", email, "roleIds", []string{role})).OK()
				secret := testkit.Token(t, w.Mail.Wait(t, email, 1))
				answers := make([]string, atOnce)
				together(atOnce, func(i int) { answers[i] = outcome(w.Anonymous().Accept(secret, "password", testkit.Password)) })
				got := map[string]int{}
				for _, a := range answers {
					got[a]++
				}
				if got["in"] != 1 || got["INVITATION_ALREADY_ACCEPTED"] != atOnce-1 {
					t.Errorf("round %d: %v, want 1 in and %d already accepted", round, got, atOnce-1)
				}
			}
			members := owner.Do(`query($id: ID!) { team(id: $id) { members { totalCount } } }`, map[string]any{"id": owner.TeamID})
			equal(t, "members", members.Text("team.members.totalCount"), itoa(rounds+1))
			owner.Do(testkit.InviteMutation, testkit.Input("teamId", owner.TeamID, "email", "last@example.org", "roleIds", []string{role})).OK()
			accepted := 0
			for {
				what := seen(stream.Next().OK())
				if what == "CREATED last@example.org" {
					break
				}
				if strings.HasPrefix(what, "ACCEPTED") {
					accepted++
				}
			}
			equal(t, "ACCEPTED events", accepted, rounds)
		})
	})
}

func TestRevokeAgainstAccept(t *testing.T) {
	t.Parallel()
	rounds := testkit.Rounds(t, 20)
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

func TestOneNewcomerInvitedByManyTeams(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		const teams = 8
		secrets := make([]string, teams)
		for i := range secrets {
			owner := w.SignUp("o" + itoa(i) + "@acme.test")
			owner.Invite("ann@example.org", "billing").OK()
			secrets[i] = testkit.Token(t, w.Mail.Wait(t, "ann@example.org", i+1))
		}
		answers := make([]string, teams)
		together(teams, func(i int) { answers[i] = outcome(w.Anonymous().Accept(secrets[i], "password", testkit.Password)) })
		got := map[string]int{}
		for _, a := range answers {
			got[a]++
		}
		if got["in"] != 1 || got["AUTHENTICATION_REQUIRED"] != teams-1 {
			t.Errorf("got %v, want one in and the others to sign in first", got)
		}
		ann := w.SignIn("ann@example.org")
		for _, secret := range secrets {
			ann.Accept(secret).OK()
		}
		equal(t, "memberships", ann.Do(`{ viewer { memberships { totalCount } } }`, nil).OK().Text("viewer.memberships.totalCount"), itoa(teams+1))
	})
}
