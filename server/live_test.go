package server_test

import (
	"sync"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/mail"
	"github.com/convoke-dev/convoke/internal/testkit"
)

func TestTheDashboardSeesEveryChange(t *testing.T) {
	t.Parallel()
	onBothTransports(t, func(t *testing.T, w *testkit.World, subscribe func(*testkit.Person, map[string]any) *testkit.Stream) {
		owner := w.SignUp("olivia@acme.test")
		billing := owner.Join("bella@acme.test", "billing") // may not see people
		stranger := w.SignUp("mallory@evil.test")
		from := map[string]any{"team": owner.TeamID, "after": eventCursor(owner)}
		t.Run("BEY-1 every change is pushed to those who may see it, and to nobody else", func(t *testing.T) {
			subscribe(stranger, map[string]any{"team": owner.TeamID}).Next().Refused("NOT_FOUND")
			subscribe(billing, map[string]any{"team": owner.TeamID}).Next().Refused("FORBIDDEN")
			stream := subscribe(owner, from)
			next := func(want, previous string) *testkit.Answer {
				t.Helper()
				a := stream.Next().OK()
				equal(t, "event", seen(a), want)
				equal(t, "previous status of "+want, a.Text("inviteStatusChanged.previousStatus"), previous)
				return a
			}
			ann := owner.Invite("ann@x.org", "billing").OK()
			next("CREATED ann@x.org", "")
			equal(t, "delivery", next("DELIVERY_CHANGED ann@x.org", "").Text("inviteStatusChanged.invitation.delivery.status"), "SENT")
			resend(owner, ann.Text("inviteUser.invitation.id")).OK()
			next("RESENT ann@x.org", "PENDING")
			next("DELIVERY_CHANGED ann@x.org", "")
			w.Anonymous().Accept(testkit.Token(t, w.Mail.Wait(t, "ann@x.org", 2)), "password", testkit.Password).OK()
			accepted := next("ACCEPTED ann@x.org", "PENDING")
			equal(t, "member", accepted.Text("inviteStatusChanged.member.user.email"), "ann@x.org")
			equal(t, "status", accepted.Text("inviteStatusChanged.invitation.status"), "ACCEPTED")

			owner.Invite("bob@x.org", "billing").OK()
			next("CREATED bob@x.org", "")
			next("DELIVERY_CHANGED bob@x.org", "")
			decline(w.Anonymous(), testkit.Token(t, w.Mail.Wait(t, "bob@x.org", 1))).OK()
			next("DECLINED bob@x.org", "PENDING")

			carl := owner.Invite("carl@x.org", "billing").OK()
			next("CREATED carl@x.org", "")
			next("DELIVERY_CHANGED carl@x.org", "")
			revoke(owner, carl.Text("inviteUser.invitation.id")).OK()
			next("REVOKED carl@x.org", "PENDING")

			w.Mail.Break(&mail.Error{Code: 550, Reason: "550 no such user"})
			owner.Invite("dora@x.org", "billing").OK()
			next("CREATED dora@x.org", "")
			failed := next("DELIVERY_CHANGED dora@x.org", "")
			equal(t, "reason", failed.Text("inviteStatusChanged.invitation.delivery.error"), "550 no such user")
			w.Clock.Advance(72 * time.Hour)
			if err := w.Server.Invites.Sweep(t.Context()); err != nil {
				t.Error(err)
			}
			next("EXPIRED dora@x.org", "PENDING")
		})
	})
}

func TestListThenSubscribe(t *testing.T) {
	t.Parallel()
	onBothTransports(t, func(t *testing.T, w *testkit.World, subscribe func(*testkit.Person, map[string]any) *testkit.Stream) {
		owner := w.SignUp("olivia@acme.test")
		role := owner.Role("billing")
		invite := func(email string) {
			owner.Do(testkit.InviteMutation, testkit.Input("teamId", owner.TeamID, "email", email, "roleIds", []string{role}, "sendEmail", false)).OK()
		}
		t.Run("BEY-3 listing with eventCursor, then subscribing with it, leaves no gap and no double", func(t *testing.T) {
			const writers, each = 4, 12
			var written sync.WaitGroup
			written.Go(func() {
				together(writers, func(i int) {
					for n := range each {
						invite("p" + itoa(i) + "-" + itoa(n) + "@x.org")
					}
				})
			})
			// In the midst of it: the list first, where the log stands after it.
			var lists []*testkit.Answer
			for range 8 {
				lists = append(lists, owner.Do(`query($id: ID!) { team(id: $id) { invitations(first: 100) { nodes { email } } eventCursor } }`,
					map[string]any{"id": owner.TeamID}).OK())
			}
			written.Wait()
			invite("last@x.org")
			for _, list := range lists {
				known := map[string]int{}
				for _, email := range list.List("team.invitations.nodes", "email") {
					known[email]++
				}
				stream := subscribe(owner, map[string]any{"team": owner.TeamID, "after": list.Text("team.eventCursor")})
				for known["last@x.org"] == 0 {
					known[stream.Next().OK().Text("inviteStatusChanged.invitation.email")]++
				}
				stream.Close()
				equal(t, "people", len(known), writers*each+1)
				for email, n := range known {
					equal(t, "times "+email+" was listed or told", n, 1)
				}
			}
		})
	})
}

func TestAStreamEndsWithTheSession(t *testing.T) {
	t.Parallel()
	onBothTransports(t, func(t *testing.T, w *testkit.World, subscribe func(*testkit.Person, map[string]any) *testkit.Stream) {
		owner := w.SignUp("olivia@acme.test")
		second := w.SignIn("olivia@acme.test")
		stream := subscribe(second, map[string]any{"team": owner.TeamID, "after": eventCursor(owner)})
		owner.Invite("ann@x.org", "billing", "sendEmail", false).OK()
		equal(t, "event", seen(stream.Next().OK()), "CREATED ann@x.org")
		second.Do(`mutation { signOut { userErrors { code } } }`, nil).OK()
		rest := stream.Ended()
		if len(rest) != 1 || rest[0].Code() != "UNAUTHENTICATED" {
			t.Errorf("after signing out came %d answers, want one, UNAUTHENTICATED", len(rest))
		}
	})
}

func TestCursorsAreTheAccountsOwn(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, w *testkit.World) {
		owner, stranger := w.SignUp("olivia@acme.test"), w.SignUp("mallory@evil.test")
		for _, cursor := range []string{eventCursor(stranger), "", "garbage", "YWNj"} {
			owner.Subscribe(watch, map[string]any{"team": owner.TeamID, "after": cursor}).Next().Refused("BAD_USER_INPUT")
		}
	})
}

func TestACursorInAMutation(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		role := []string{owner.Role("billing")}
		invite := func(email string) map[string]any {
			return testkit.Input("teamId", owner.TeamID, "email", email, "roleIds", role, "sendEmail", false)["input"].(map[string]any)
		}
		together(12, func(i int) {
			a := owner.Do(`mutation($a: InviteUserInput!, $b: InviteUserInput!) {
				a: inviteUser(input: $a) { invitation { id team { eventCursor } } userErrors { code } }
				b: inviteUser(input: $b) { invitation { id } userErrors { code } } }`,
				map[string]any{"a": invite("a" + itoa(i) + "@x.org"), "b": invite("b" + itoa(i) + "@x.org")})
			if a.Text("b.invitation.id") == "" {
				t.Errorf("the second invitation does not see itself: %s", a.Raw)
			}
		})
	})
}

func TestASubscriptionNeedsAStream(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		owner.Do(watch, map[string]any{"team": owner.TeamID}).Refused("BAD_USER_INPUT")
	})
}

func TestAMailServerThatIsNotReady(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		w.Mail.Break(&mail.Error{Temporary: true, Code: 451, Reason: "451 try later"})
		id := owner.Invite("ann@x.org", "billing").OK().Text("inviteUser.invitation.id")
		delivery := func() *testkit.Answer {
			return owner.Do(`query($id: ID!) { node(id: $id) { ... on Invitation { delivery { status attempts error } } } }`, map[string]any{"id": id}).OK()
		}
		testkit.Eventually(t, func() bool { return delivery().Text("node.delivery.attempts") == "1" })
		equal(t, "reason", delivery().Text("node.delivery.error"), "451 try later")
		equal(t, "status", delivery().Text("node.delivery.status"), "QUEUED")
		w.Mail.Break(nil)
		w.Clock.Advance(15 * time.Second)
		owner.Delivered("ann@x.org")
		equal(t, "attempts", delivery().Text("node.delivery.attempts"), "2")
		equal(t, "mails", len(w.Mail.To("ann@x.org")), 1)
	})
}

func TestAStreamEndsWithASessionOfAnotherAccount(t *testing.T) {
	t.Parallel()
	onBothTransports(t, func(t *testing.T, w *testkit.World, subscribe func(*testkit.Person, map[string]any) *testkit.Stream) {
		owner, ann := w.SignUp("olivia@acme.test"), w.SignUp("ann@x.org")
		owner.Invite("ann@x.org", "viewer").OK()
		ann.Accept(testkit.Token(t, w.Mail.Wait(t, "ann@x.org", 2))).OK()
		owner.Delivered("ann@x.org")
		stream := subscribe(ann, map[string]any{"team": owner.TeamID, "after": eventCursor(owner)})
		owner.Invite("bob@x.org", "billing", "sendEmail", false).OK()
		equal(t, "event", seen(stream.Next().OK()), "CREATED bob@x.org")
		// The event goes to the log of Ann's own account, not to the watched one.
		ann.Do(`mutation { signOut { userErrors { code } } }`, nil).OK()
		rest := stream.Ended()
		if len(rest) != 1 || rest[0].Code() != "UNAUTHENTICATED" {
			t.Errorf("after signing out came %d answers, want one, UNAUTHENTICATED", len(rest))
		}
	})
}
