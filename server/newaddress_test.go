package server_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/auth"
	"github.com/convoke-dev/convoke/internal/limit"
	"github.com/convoke-dev/convoke/internal/testdb"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/internal/testkit/rounds"
	"github.com/convoke-dev/convoke/server"
)

func changeEmail(c *testkit.Client, email, password string) *testkit.Answer {
	return c.Mutate("changeEmail", "confirmationSent viewer { user { email } pendingEmailChange { newEmail expiresAt confirmedByOld confirmedByNew } }",
		"newEmail", email, "password", password)
}

func confirmEmail(c *testkit.Client, secret string) *testkit.Answer {
	return c.Mutate("confirmEmailChange", "changed", "token", secret)
}

// changeTokens asks for another address and returns the tokens out of both mails.
func changeTokens(t *testing.T, p *testkit.Person, w *testkit.World, email string) (old, next string) {
	t.Helper()
	toOld, toNew := len(w.Mail.To(p.Email))+1, len(w.Mail.To(email))+1
	changeEmail(p.Client, email, testkit.Password).OK()
	return testkit.Token(t, w.Mail.Wait(t, p.Email, toOld)), testkit.Token(t, w.Mail.Wait(t, email, toNew))
}

const pending = `{ viewer { user { email } pendingEmailChange { newEmail confirmedByOld confirmedByNew } } }`

// pendingOf returns "newEmail byOld byNew" of the pending change; empty for none.
func pendingOf(p *testkit.Client) string {
	a := p.Do(pending, nil).OK()
	if a.At("viewer.pendingEmailChange") == nil {
		return ""
	}
	return strings.Join([]string{a.Text("viewer.pendingEmailChange.newEmail"), a.Text("viewer.pendingEmailChange.confirmedByOld"), a.Text("viewer.pendingEmailChange.confirmedByNew")}, " ")
}

// HARD-17: a person can change their address, once both addresses have confirmed it.
func TestAnAddressChangesWhenBothHaveConfirmed(t *testing.T) {
	t.Parallel()
	for _, newFirst := range []bool{false, true} {
		name := "HARD-17 the old one first"
		if newFirst {
			name = "HARD-17 the new one first"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, w *testkit.World) {
				owner := w.SignUp("olivia@acme.test")
				ann := owner.Join("ann@x.org", "viewer")
				owner.Invite("old@x.org", "viewer").OK()
				other := w.SignIn("ann@x.org")
				stream := owner.Subscribe(`subscription($team: ID!, $after: EventCursor) { membersChanged(teamId: $team, after: $after) { type member { user { email } } } }`,
					map[string]any{"team": owner.TeamID, "after": eventCursor(owner)})
				reset := resetToken(t, w, "ann@x.org")
				old, next := changeTokens(t, ann, w, "Ann@New.org")
				equal(t, "pending", pendingOf(ann.Client), "Ann@New.org false false")
				if newFirst {
					old, next = next, old
				}
				equal(t, "changed by the first", confirmEmail(w.Anonymous(), old).OK().Text("confirmEmailChange.changed"), "false")
				equal(t, "pending after the first", pendingOf(ann.Client), "Ann@New.org "+itoaBool(!newFirst)+" "+itoaBool(newFirst))
				confirmEmail(w.Anonymous(), old).Refused("INVALID_TOKEN token") // each works once
				signIn(w, "ann@x.org", testkit.Password).OK()
				signIn(w, "ann@new.org", testkit.Password).Refused("INVALID_CREDENTIALS")
				equal(t, "changed by the second", confirmEmail(w.Anonymous(), next).OK().Text("confirmEmailChange.changed"), "true")
				confirmEmail(w.Anonymous(), next).Refused("INVALID_TOKEN token")

				for _, c := range []*testkit.Client{ann.Client, other.Client} { // sessions stay
					equal(t, "address", c.Do(whoAmI, nil).OK().Text("viewer.user.email"), "Ann@New.org")
				}
				equal(t, "pending at the end", pendingOf(ann.Client), "")
				signIn(w, "ann@x.org", testkit.Password).Refused("INVALID_CREDENTIALS")
				signIn(w, "ANN@new.org", testkit.Password).OK()
				resetPassword(w.Anonymous(), reset, newPassword).Refused("INVALID_TOKEN token")

				for {
					a := stream.Next().OK()
					if a.Text("membersChanged.type") == "UPDATED" {
						equal(t, "the live list shows", a.Text("membersChanged.member.user.email"), "Ann@New.org")
						break
					}
				}
				found := func(search string) []string {
					return owner.Do(`query($id: ID!, $search: String) { team(id: $id) { members(filter: {search: $search}) { nodes { user { email } } } } }`,
						map[string]any{"id": owner.TeamID, "search": search}).OK().List("team.members.nodes", "user.email")
				}
				equalList(t, "found by the new address", found("new.org"), "Ann@New.org")
				equalList(t, "found by the old address", found("x.org"))
				equal(t, "events", count(logged(owner), "USER_EMAIL_CHANGED"), 1)
				audit := owner.Ask(`account { auditLog { nodes { type summary data { key value } } } }`)
				if raw := strings.ToLower(audit.Raw); audit.Code() == "" && (strings.Contains(raw, "ann@new.org") || strings.Contains(raw, "ann@x.org")) {
					t.Errorf("the log has an address: %s", raw)
				}
				// The old address is free again.
				w.SignUp("ann@x.org")
			})
		})
	}
}

func itoaBool(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

// HARD-17: nothing else than both links changes an address.
func TestWhatDoesNotChangeAnAddress(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		w.Anonymous().Mutate("changeEmail", "", "newEmail", "a@x.org", "password", testkit.Password).Refused("UNAUTHENTICATED")
		for _, c := range []struct{ email, password, want string }{
			{"", testkit.Password, "BLANK newEmail"},
			{"olivia", testkit.Password, "INVALID_EMAIL newEmail"},
			{"olivia@acme.test", testkit.Password, "INVALID_VALUE newEmail"},
			{" OLIVIA@Acme.Test ", testkit.Password, "INVALID_VALUE newEmail"},
			{"liv@new.org", "not the password", "INVALID_CREDENTIALS password"},
			{"liv@new.org", "", "INVALID_CREDENTIALS password"},
			{"liv@new.org", strings.Repeat("x", 5000), "INVALID_CREDENTIALS password"},
		} {
			changeEmail(owner.Client, c.email, c.password).Refused(c.want)
		}
		equal(t, "pending", pendingOf(owner.Client), "")

		// Another wish replaces the one before, also the same one again.
		old1, new1 := changeTokens(t, owner, w, "liv@new.org")
		confirmEmail(w.Anonymous(), new1).OK()
		old2, new2 := changeTokens(t, owner, w, "liv@new.org")
		for _, dead := range []string{old1, new1, "", " ", "nonsense", owner.Session} {
			confirmEmail(w.Anonymous(), dead).Refused("INVALID_TOKEN token")
		}
		equal(t, "pending", pendingOf(owner.Client), "liv@new.org false false")
		verify(w, new2).Refused("INVALID_TOKEN token")
		resetPassword(w.Anonymous(), new2, newPassword).Refused("INVALID_TOKEN token")

		// Canceled by its person, and by a link.
		cancel := func(c *testkit.Client, pairs ...any) *testkit.Answer {
			return c.Mutate("cancelEmailChange", "canceled viewer { pendingEmailChange { newEmail } }", pairs...)
		}
		equal(t, "canceled", cancel(owner.Client).OK().Text("cancelEmailChange.canceled"), "true")
		equal(t, "canceled again", cancel(owner.Client).OK().Text("cancelEmailChange.canceled"), "false")
		cancel(w.Anonymous()).Refused("UNAUTHENTICATED")
		confirmEmail(w.Anonymous(), old2).Refused("INVALID_TOKEN token")
		old, next := changeTokens(t, owner, w, "liv@new.org")
		equal(t, "canceled by a link", cancel(w.Anonymous(), "token", old).OK().Text("cancelEmailChange.canceled"), "true")
		cancel(w.Anonymous(), "token", old).Refused("INVALID_TOKEN token")
		confirmEmail(w.Anonymous(), next).Refused("INVALID_TOKEN token")

		// A new password voids the wish of somebody who knew the old one.
		old, next = changeTokens(t, owner, w, "liv@new.org")
		confirmEmail(w.Anonymous(), next).OK()
		owner.Mutate("changePassword", "", "currentPassword", testkit.Password, "newPassword", newPassword).OK()
		confirmEmail(w.Anonymous(), old).Refused("INVALID_TOKEN token")
		equal(t, "address", owner.Do(whoAmI, nil).OK().Text("viewer.user.email"), "olivia@acme.test")
		equal(t, "events", count(logged(owner), "USER_EMAIL_CHANGED"), 0)
	})
}

// HARD-17: both links are good for 24 hours.
func TestAChangeOfAddressRunsOut(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner, bob := w.SignUp("olivia@acme.test"), w.SignUp("bob@x.org")
		old, next := changeTokens(t, owner, w, "liv@new.org")
		confirmEmail(w.Anonymous(), next).OK()
		w.Clock.Advance(auth.EmailChangeFor - 1)
		ofBob, _ := changeTokens(t, bob, w, "rob@new.org")
		equal(t, "pending to the end", pendingOf(owner.Client), "liv@new.org false true")
		w.Clock.Advance(1)
		equal(t, "pending after the end", pendingOf(owner.Client), "")
		confirmEmail(w.Anonymous(), old).Refused("INVALID_TOKEN token")
		if err := w.Server.Auth.Purge(t.Context()); err != nil {
			t.Error(err)
		}
		left, err := w.Server.Store.Read().EmailChange.Query().Count(access.System(t.Context(), "count changes"))
		if err != nil || left != 1 {
			t.Errorf("changes left: %d, %v, want 1", left, err)
		}
		confirmEmail(w.Anonymous(), ofBob).OK()
	})
}

// HARD-17: the response does not tell whether the new address has a user.
func TestATakenAddressIsAnsweredAlike(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		w.SignUp("taken@x.org")
		ann := w.SignUp("ann@x.org")
		ask := func(email string) string {
			toOld := len(w.Mail.To("ann@x.org")) + 1
			raw := changeEmail(ann.Client, email, testkit.Password).OK().Raw
			secret := testkit.Token(t, w.Mail.Wait(t, "ann@x.org", toOld))
			raw += pendingOf(ann.Client) + confirmEmail(w.Anonymous(), secret).OK().Raw + pendingOf(ann.Client)
			return strings.ReplaceAll(raw, email, "?")
		}
		free := ask("never@x.org")
		w.Mail.Wait(t, "never@x.org", 1)
		equal(t, "about a taken address", ask("taken@x.org"), free)
		text := w.Mail.Wait(t, "taken@x.org", 2).Text
		if strings.Contains(text, "#") || !strings.Contains(text, "belongs to your user") {
			t.Errorf("the user of the address was sent: %s", text)
		}
		if strings.Contains(text, "ann") {
			t.Errorf("the mail says who asked: %s", text)
		}
		signIn(w, "taken@x.org", testkit.Password).OK()
	})
}

// HARD-17: an address that is taken meanwhile is refused to those who read its mail.
func TestAnAddressThatIsTakenMeanwhile(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		ann := w.SignUp("ann@x.org")
		for _, oldFirst := range []bool{true, false} {
			email := "wanted" + itoaBool(oldFirst) + "@x.org"
			old, next := changeTokens(t, ann, w, email)
			if oldFirst {
				confirmEmail(w.Anonymous(), old).OK()
			}
			link := len(w.Mail.To(email)) + 1
			signUp(w, email, testkit.Password).OK()
			verify(w, testkit.Token(t, w.Mail.Wait(t, email, link))).OK()
			a := confirmEmail(w.Anonymous(), next)
			a.Refused("EMAIL_TAKEN")
			if strings.Contains(a.Raw, "@") {
				t.Errorf("the refusal names somebody: %s", a.Raw)
			}
			if !oldFirst { // who reads only the old address's mail learns nothing
				equal(t, "by the old address", confirmEmail(w.Anonymous(), old).OK().Text("confirmEmailChange.changed"), "false")
			}
		}
		equal(t, "address", ann.Do(whoAmI, nil).OK().Text("viewer.user.email"), "ann@x.org")
	})
}

// HARD-17: of confirmations at the same moment, each counts once.
func TestConfirmationsAtOnce(t *testing.T) {
	t.Parallel()
	const atOnce = 8
	rounds := rounds.Of(t, 3)
	eachWith(t, noPersonalAccounts, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		for n := range rounds {
			p := owner.Join("p"+itoa(n)+"@x.org", "viewer")
			old, next := changeTokens(t, p, w, "q"+itoa(n)+"@x.org")
			answers := make([]*testkit.Answer, 2*atOnce)
			together(2*atOnce, func(i int) { answers[i] = confirmEmail(w.Anonymous(), []string{old, next}[i%2]) })
			var outcomes, changed []string
			for _, a := range answers {
				outcomes = append(outcomes, outcome(a))
				if outcome(a) == "in" {
					changed = append(changed, a.Text("confirmEmailChange.changed"))
				}
			}
			slices.Sort(changed)
			equalList(t, "changed", changed, "false", "true")
			equal(t, "refused", count(outcomes, "INVALID_TOKEN token"), 2*atOnce-2)
			equal(t, "address", p.Do(whoAmI, nil).OK().Text("viewer.user.email"), "q"+itoa(n)+"@x.org")
		}
		equal(t, "events", count(logged(owner), "USER_EMAIL_CHANGED"), rounds)
	})
}

// HARD-17: of several users who want one address, one gets it.
func TestTwoUsersWantOneAddress(t *testing.T) {
	t.Parallel()
	const users = 4
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		secrets, people := make([]string, users), make([]*testkit.Person, users)
		for i := range users {
			people[i] = owner.Join("p"+itoa(i)+"@x.org", "viewer")
			old, next := changeTokens(t, people[i], w, "wanted@x.org")
			confirmEmail(w.Anonymous(), old).OK()
			secrets[i] = next
		}
		outcomes := make([]string, users)
		together(users, func(i int) { outcomes[i] = outcome(confirmEmail(w.Anonymous(), secrets[i])) })
		equal(t, "who got it", count(outcomes, "in"), 1)
		equal(t, "who was refused", count(outcomes, "EMAIL_TAKEN"), users-1)
		for i, p := range people {
			want := p.Email
			if outcomes[i] == "in" {
				want = "wanted@x.org"
			}
			equal(t, "address", p.Do(whoAmI, nil).OK().Text("viewer.user.email"), want)
		}
		members := owner.Members()
		slices.Sort(members)
		equal(t, "members with it", count(members, "wanted@x.org"), 1)
	})
}

// HARD-17: wishes of one user at the same moment leave one.
func TestManyWishesAtOnce(t *testing.T) {
	t.Parallel()
	const atOnce = 8
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		together(atOnce, func(i int) { changeEmail(owner.Client, "liv"+itoa(i)+"@new.org", testkit.Password).OK() })
		left, err := w.Server.Store.Read().EmailChange.Query().Count(access.System(t.Context(), "count changes"))
		if err != nil || left != 1 {
			t.Errorf("changes: %d, %v, want 1", left, err)
		}
	})
}

// HARD-17: what is addressed stays so: an invitation to the old address is not the
// person's any more, one to the new address is.
func TestInvitationsAfterAChangeOfAddress(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner, ann := w.SignUp("olivia@acme.test"), w.SignUp("ann@x.org")
		toOld := owner.Invite("ann@x.org", "viewer").OK().Text("inviteUser.invitation.id")
		toNew := owner.Invite("ann@new.org", "billing").OK().Text("inviteUser.invitation.id")
		equalList(t, "before", ann.Do(received, nil).OK().List("viewer.receivedInvitations.nodes", "id"), toOld)
		owner.Delivered("ann@x.org")
		owner.Delivered("ann@new.org")
		stream := ann.Subscribe(`subscription { receivedInvitationsChanged { type cursor } }`, nil)
		w.Mail.Wait(t, "ann@new.org", 1)
		old, next := changeTokens(t, ann, w, "ann@new.org")
		confirmEmail(w.Anonymous(), old).OK()
		confirmEmail(w.Anonymous(), next).OK()
		endsWith(t, stream, "BAD_USER_INPUT") // the list is another one now
		equalList(t, "after", ann.Do(received, nil).OK().List("viewer.receivedInvitations.nodes", "id"), toNew)
		accept := func(id string) *testkit.Answer { return ann.Mutate("acceptInvite", "", "id", id) }
		accept(toOld).Refused("NOT_FOUND")
		accept(toNew).OK()
		equalList(t, "open invitations", owner.Invitations("PENDING"), "ann@x.org PENDING SENT")
	})
}

// HARD-17: a node that has not noticed the change yet accepts nothing for the old address.
func TestANodeThatKnowsTheOldAddressAcceptsNothing(t *testing.T) {
	t.Parallel()
	testdb.Postgres(t, func(t *testing.T, database string) {
		t.Helper()
		w := testkit.New(t, database)
		there := w.Node()
		owner, ann := w.SignUp("olivia@acme.test"), w.SignUp("ann@x.org")
		id := owner.Invite("ann@x.org", "viewer").OK().Text("inviteUser.invitation.id")
		w.Mail.Wait(t, "ann@x.org", 2)
		old, next := changeTokens(t, ann, w, "ann@new.org")
		for _, somebodyElse := range []bool{false, true} {
			equal(t, "there", ann.At(there).Do(whoAmI, nil).OK().Text("viewer.user.email") != "", true) // the viewer is cached there
			if somebodyElse {
				w.SignUp("ann@x.org")
			} else {
				confirmEmail(w.Anonymous(), old).OK()
				confirmEmail(w.Anonymous(), next).OK()
			}
			if got := outcome(ann.At(there).Mutate("acceptInvite", "", "id", id)); got != "EMAIL_MISMATCH" && got != "NOT_FOUND" {
				t.Errorf("accepting the invitation to the old address: %s", got)
			}
		}
		equalList(t, "members", owner.Members(), "olivia@acme.test")
	})
}

// HARD-17: on a server without mail the address changes at once.
func TestAChangeOfAddressWithoutMail(t *testing.T) {
	t.Parallel()
	eachWith(t, func(c *server.Config) { c.Sender = nil }, func(t *testing.T, w *testkit.World) {
		for _, email := range []string{"olivia@acme.test", "taken@x.org"} {
			signUp(w, email, testkit.Password).OK()
		}
		c := w.WithToken(signIn(w, "olivia@acme.test", testkit.Password).OK().Text("signIn.sessionToken"))
		changeEmail(c, "liv@new.org", "not the password").Refused("INVALID_CREDENTIALS password")
		a := changeEmail(c, "taken@x.org", testkit.Password).OK()
		equal(t, "address", a.Text("changeEmail.viewer.user.email"), "olivia@acme.test")
		a = changeEmail(c, "liv@new.org", testkit.Password).OK()
		equal(t, "mailed", a.Text("changeEmail.confirmationSent"), "false")
		equal(t, "address", a.Text("changeEmail.viewer.user.email"), "liv@new.org")
		signIn(w, "olivia@acme.test", testkit.Password).Refused("INVALID_CREDENTIALS")
		signIn(w, "liv@new.org", testkit.Password).OK()
		outcomes := make([]string, 8)
		together(len(outcomes), func(i int) { outcomes[i] = outcome(changeEmail(c, "liv"+itoa(i)+"@new.org", testkit.Password)) })
		equal(t, "how many changed it", count(outcomes, "in")+count(outcomes, "INVALID_CREDENTIALS password"), len(outcomes))
	})
}

// HARD-17: nobody can flood an address by this, neither the old one nor the new one.
func TestHowManyChangesOfAddressAreMailed(t *testing.T) {
	t.Parallel()
	eachWith(t, func(c *server.Config) { c.RateLimits.Mail = limit.Rule{N: 2, Per: time.Hour} }, func(t *testing.T, w *testkit.World) {
		w.SignUp("taken@x.org")
		for n, victim := range []string{"never@x.org", "taken@x.org"} { // alike
			for i := range 2 {
				changeEmail(w.SignUp("a"+itoa(n)+itoa(i)+"@x.org").Client, victim, testkit.Password).OK()
			}
			equal(t, "a third mail to "+victim, changeEmail(w.SignUp("a"+itoa(n)+"x@x.org").Client, victim, testkit.Password).Code(), "RATE_LIMITED")
		}
		ann := w.SignUp("ann@x.org")
		for i := range 2 {
			changeEmail(ann.Client, "new"+itoa(i)+"@x.org", testkit.Password).OK()
		}
		equal(t, "a third mail to the old one", changeEmail(ann.Client, "new9@x.org", testkit.Password).Code(), "RATE_LIMITED")
		bob := w.SignUp("bob@x.org")
		for i := range 2 {
			changeEmail(w.SignUp("m"+itoa(i)+"@x.org").Client, "bob@x.org", testkit.Password).OK()
		}
		changeEmail(bob.Client, "rob@x.org", testkit.Password).OK() // strangers do not use up what Bob can ask for
	})
}

// HARD-17: an erasure finds the former address and the one that is to come.
func TestErasureAfterAChangeOfAddress(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, database string) {
		t.Helper()
		w := testkit.New(t, database)
		owner := w.SignUp("olivia@acme.test")
		zoe := owner.Join("zoe.zimmer@x.org", "viewer")
		old, next := changeTokens(t, zoe, w, "zoe.zimmer@new.org")
		confirmEmail(w.Anonymous(), old).OK()
		confirmEmail(w.Anonymous(), next).OK()
		zoe.Email = "zoe.zimmer@new.org"
		old, next = changeTokens(t, zoe, w, "zoe.zimmer@newer.org")
		erase(zoe, testkit.Password).OK()
		if left := traces(t, database, "zimmer"); len(left) > 0 {
			t.Errorf("%d rows have a trace of the person:\n%s", len(left), strings.Join(left, ""))
		}
		for _, dead := range []string{old, next} {
			confirmEmail(w.Anonymous(), dead).Refused("INVALID_TOKEN token")
		}
	})
}
