package server_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/roster"
	"github.com/convoke-dev/convoke/internal/testkit"
)

func TestInvitingManyAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		for _, email := range []string{"max@example.org", "mia@example.org"} {
			owner.Join(email, "member")
		}
		list := addresses("p", 195)
		list = slices.Insert(list, 3, "not an address", "Max@Example.org")
		list = slices.Insert(list, 50, "", "mia@EXAMPLE.org")
		list = append(list, "a@b@example.org")
		list[120] = strings.ToUpper(list[2]) // and so only 194 are new
		roles := []string{owner.Role("billing"), owner.Role("validation")}
		first := inviteAll(owner, list, "roleIds", roles, "note", "Welcome!").OK()
		odd := func(a *testkit.Answer, usual string) (lines []string) {
			for _, line := range results(a) {
				if !strings.HasSuffix(line, " "+usual) {
					lines = append(lines, line)
				}
			}
			return lines
		}
		others := []string{
			"not an address FAILED INVALID_EMAIL emails.3", "Max@Example.org ALREADY_MEMBER ALREADY_MEMBER emails.4",
			"FAILED BLANK emails.50", "mia@EXAMPLE.org ALREADY_MEMBER ALREADY_MEMBER emails.51",
			"P2@EXAMPLE.ORG ALREADY_INVITED ALREADY_INVITED emails.120", "a@b@example.org FAILED INVALID_EMAIL emails.199",
		}
		t.Run("BEY-14 CP-4 200 addresses: 194 invited, six results that say why not, in their order", func(t *testing.T) {
			equal(t, "results", len(results(first)), 200)
			equalList(t, "addresses", first.List("inviteUsers.results", "email"), list...)
			equal(t, "invited", first.Text("inviteUsers.invitedCount"), "194")
			equalList(t, "the others", odd(first, "INVITED"), others...)
			equal(t, "the invitation of the address named twice", first.Text("inviteUsers.results.120.invitation.id"), first.Text("inviteUsers.results.2.invitation.id"))
			equal(t, "in the list", owner.Ask(`counts { invited }`).OK().Text("team.counts.invited"), "194")
		})
		t.Run("CP-5 one grant for all of them", func(t *testing.T) {
			for i := range list {
				at := fmt.Sprintf("inviteUsers.results.%d.", i)
				if first.Text(at+"outcome") == "INVITED" {
					equalList(t, "roles of "+list[i], inOrder(first.List(at+"invitation.roles", "key")), "billing", "validation")
				}
			}
		})
		t.Run("CP-7 every one of them is sent", func(t *testing.T) {
			for i, email := range list {
				if first.Text(fmt.Sprintf("inviteUsers.results.%d.outcome", i)) == "INVITED" {
					m := w.Mail.Wait(t, email, 1)
					if !strings.Contains(m.Text, "Welcome!") {
						t.Errorf("the note is missing in the mail to %s", email)
					}
				}
			}
		})
		t.Run("BEY-14 the same call again sends no mail", func(t *testing.T) {
			// The last mail is there a moment before its job is deleted.
			testkit.Eventually(t, func() bool { return jobs(t, w) == 0 })
			again := inviteAll(owner, list, "roleIds", roles, "note", "Welcome!").OK()
			equal(t, "invited", again.Text("inviteUsers.invitedCount"), "0")
			for i, line := range results(again) {
				was, is := first.Text(fmt.Sprintf("inviteUsers.results.%d.outcome", i)), again.Text(fmt.Sprintf("inviteUsers.results.%d.outcome", i))
				if was == "INVITED" {
					was = "ALREADY_INVITED"
				}
				equal(t, line, is, was)
				equal(t, "invitation of "+line, again.Text(fmt.Sprintf("inviteUsers.results.%d.invitation.id", i)),
					first.Text(fmt.Sprintf("inviteUsers.results.%d.invitation.id", i)))
			}
			equal(t, "mails on their way", jobs(t, w), 0)
			equal(t, "mails to one of them", len(w.Mail.To(list[10])), 1)
		})
		t.Run("with RESEND all of them are sent again, once", func(t *testing.T) {
			again := inviteAll(owner, list, "roleIds", roles, "onConflict", "RESEND").OK()
			equalList(t, "the others", odd(again, "RESENT"), others...)
			w.Mail.Wait(t, list[10], 2)
			at := inviteAll(owner, list[10:12], "roleIds", roles, "onConflict", "RESEND").OK()
			equalList(t, "a moment later", results(at), list[10]+" FAILED RESEND_LIMIT_REACHED emails.0", list[11]+" FAILED RESEND_LIMIT_REACHED emails.1")
		})
		t.Run("one of them who accepts is a member, and the others wait", func(t *testing.T) {
			w.Anonymous().Accept(testkit.Token(t, w.Mail.Wait(t, list[20], 2)), "password", testkit.Password).OK()
			a := owner.Ask(`counts { active invited }`).OK()
			equal(t, "people", a.Text("team.counts.active")+" "+a.Text("team.counts.invited"), "4 193")
		})
	})
}

// jobs returns how many mails wait to be sent.
func jobs(t *testing.T, w *testkit.World) int {
	t.Helper()
	n, err := w.Server.Store.Read().Job.Query().Count(access.System(t.Context(), "count what waits"))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestWhatIsWrongWithAnOfferToMany(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		roles := []string{owner.Role("billing")}
		two := []string{"a@x.org", "b@x.org"}
		inviteAll(owner, []string{}, "roleIds", roles).Refused("BLANK emails")
		inviteAll(owner, addresses("p", 501), "roleIds", roles).Refused("INVALID_VALUE emails")
		inviteAll(owner, two, "roleIds", []string{}).Refused("INVALID_GRANT grant")
		inviteAll(owner, two, "roleIds", []string{"role_none"}).Refused("ROLE_NOT_FOUND grant.chosen.roleIds")
		inviteAll(owner, two, "roleIds", roles, "note", strings.Repeat("x", 501)).Refused("TOO_LONG note")
		adam := owner.JoinWith("adam@acme.test", "permissions", []string{"members.invite", "members.read"})
		inviteAll(adam, two, "roleIds", roles).Refused("NOT_GRANTABLE grant.chosen.roleIds")
		inviteAll(owner.Join("bella@acme.test", "billing"), two, "roleIds", roles).Refused("FORBIDDEN")
		inviteAll(w.SignUp("mallory@evil.test").In(owner.TeamID), two, "roleIds", roles).Refused("NOT_FOUND")
		equal(t, "invited by all that", owner.Ask(`counts { invited }`).OK().Text("team.counts.invited"), "0")

		t.Run("as many are invited as the limits allow, the rest get the reason", func(t *testing.T) {
			account := owner.AccountID()
			limit := func(l roster.Limits) {
				if err := w.Server.Roster.SetLimits(t.Context(), account, l); err != nil {
					t.Fatal(err)
				}
			}
			one, five, plan := 1, 5, false
			limit(roster.Limits{MaxPendingInvitations: &roster.Limit{Most: &one}})
			equalList(t, "one may be open", results(inviteAll(owner, []string{"c@x.org", "bad", "d@x.org", "d@x.org"}, "roleIds", roles).OK()),
				"c@x.org INVITED", "bad FAILED INVALID_EMAIL emails.1", "d@x.org FAILED PENDING_LIMIT_REACHED emails.2", "d@x.org FAILED PENDING_LIMIT_REACHED emails.3")
			limit(roster.Limits{MaxPendingInvitations: &roster.Limit{}, MaxMembersPerTeam: &roster.Limit{Most: &five}})
			owner.Mutate("updateAccount", "", "accountId", account, "countPendingAsSeats", true).OK()
			equalList(t, "one seat is left", results(inviteAll(owner, []string{"e@x.org", "f@x.org"}, "roleIds", roles).OK()),
				"e@x.org INVITED", "f@x.org FAILED SEAT_LIMIT_REACHED emails.1")
			limit(roster.Limits{MultiUser: &plan})
			equalList(t, "on a plan for one", results(inviteAll(owner, []string{"f@x.org"}, "roleIds", roles).OK()), "f@x.org FAILED FEATURE_NOT_AVAILABLE emails.0")
		})
	})
}

func TestManyInvitesOfOneAddress(t *testing.T) {
	t.Parallel()
	const atOnce = 32
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		role := owner.Role("billing")
		t.Run("BEY-6 32 invites of one address at once make one invitation and one mail", func(t *testing.T) {
			spelt := []string{"Ann@x.org", "ann@X.ORG"}
			answers := make([]string, atOnce)
			together(atOnce, func(i int) {
				if i%4 == 3 {
					answers[i] = strings.Fields(results(inviteAll(owner, spelt, "roleIds", []string{role}).OK())[0])[1]
					return
				}
				a := owner.Do(testkit.InviteMutation, testkit.Input("teamId", owner.TeamID, "email", spelt[i%2], "roleIds", []string{role}))
				answers[i] = strings.TrimSuffix(outcome(a), " email")
			})
			got := map[string]int{}
			for _, a := range answers {
				got[a]++
			}
			equal(t, "invited", got["in"]+got["INVITED"], 1)
			equal(t, "told that it is", got["ALREADY_INVITED"], atOnce-1)
			equal(t, "open invitations", len(owner.Invitations("PENDING")), 1)
			owner.Delivered("ann@x.org")
			equal(t, "mails", len(w.Mail.To("ann@x.org")), 1)
		})
		t.Run("API-11 an address that is there already is a typed conflict, and can be looked up", func(t *testing.T) {
			a := owner.Mutate("inviteUser", "invitation { id email status }", "teamId", owner.TeamID, "email", "ANN@x.org", "roleIds", []string{role}).
				Refused("ALREADY_INVITED email")
			id := a.Text("inviteUser.invitation.id")
			equal(t, "the open invitation", owner.Do(`query($id: ID!) { node(id: $id) { ... on Invitation { status } } }`, map[string]any{"id": id}).OK().Text("node.status"), "PENDING")
			w.Anonymous().Accept(testkit.Token(t, w.Mail.Wait(t, "ann@x.org", 1)), "password", testkit.Password).OK()
			owner.Invite("ANN@x.org", "billing").Refused("ALREADY_MEMBER email")
			found := owner.Ask(`account { user(email: "ANN@x.org") { id email } }`).OK()
			equal(t, "the user", found.Text("team.account.user.email"), owner.Ask(`members(filter: {search: "ann@x.org"}) { nodes { user { email } } }`).OK().Text("team.members.nodes.0.user.email"))
		})
		t.Run("CP-9 from an invited user's row: resent, and taken away", func(t *testing.T) {
			owner.Invite("bob@x.org", "billing").OK()
			row := owner.Ask(`people(filter: {status: [INVITED]}) { nodes { ... on Invitation { id email viewerCanResend viewerCanRevoke } } }`).OK()
			equal(t, "row", row.Text("team.people.nodes.0.email")+row.Text("team.people.nodes.0.viewerCanResend")+row.Text("team.people.nodes.0.viewerCanRevoke"), "bob@x.orgtruetrue")
			id := row.Text("team.people.nodes.0.id")
			w.Mail.Wait(t, "bob@x.org", 1) // sent again too early, it goes out once
			resend(owner, id).OK()
			w.Mail.Wait(t, "bob@x.org", 2)
			revoke(owner, id).OK()
			equal(t, "rows", len(owner.Ask(`people(filter: {status: [INVITED]}) { nodes { __typename } }`).OK().List("team.people.nodes", "__typename")), 0)
		})
	})
}

func TestTheSameCallAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		roles := []string{owner.Role("billing")}
		one := func(p *testkit.Person, email, key string, more ...any) *testkit.Answer {
			return p.Mutate("inviteUser", "invitation { id email status } inviteUrl",
				append([]any{"teamId", p.TeamID, "email", email, "roleIds", roles, "idempotencyKey", key}, more...)...)
		}
		t.Run("BEY-15 the same call with the same key has the same answer, and does nothing", func(t *testing.T) {
			first := one(owner, "ann@x.org", "k1").OK()
			equal(t, "again", one(owner, "ann@x.org", "k1").OK().Raw, first.Raw)
			link := one(owner, "bob@x.org", "k2", "sendEmail", false).OK()
			equal(t, "again, with the link", one(owner, "bob@x.org", "k2", "sendEmail", false).OK().Raw, link.Raw)
			all := inviteAll(owner, []string{"bad", "carl@x.org", "ann@x.org"}, "roleIds", roles, "idempotencyKey", "k3").OK()
			equalList(t, "results", results(all), "bad FAILED INVALID_EMAIL emails.0", "carl@x.org INVITED", "ann@x.org ALREADY_INVITED ALREADY_INVITED emails.2")
			owner.Delivered("carl@x.org")
			equalList(t, "again", results(inviteAll(owner, []string{"bad", "carl@x.org", "ann@x.org"}, "roleIds", roles, "idempotencyKey", "k3").OK()), results(all)...)
			equal(t, "mails to Carl", len(w.Mail.To("carl@x.org")), 1)
			equal(t, "invited", owner.Ask(`counts { invited }`).OK().Text("team.counts.invited"), "3")
		})
		t.Run("BEY-15 the key with another input is refused", func(*testing.T) {
			one(owner, "dora@x.org", "k1").Refused("IDEMPOTENCY_KEY_REUSED idempotencyKey")
			one(owner, "ann@x.org", "k1", "note", "Hi").Refused("IDEMPOTENCY_KEY_REUSED idempotencyKey")
			inviteAll(owner, []string{"ann@x.org"}, "roleIds", roles, "idempotencyKey", "k1").Refused("IDEMPOTENCY_KEY_REUSED idempotencyKey")
			one(owner, "dora@x.org", "").Refused("BLANK idempotencyKey")
			one(owner, "dora@x.org", strings.Repeat("k", 256)).Refused("TOO_LONG idempotencyKey")
		})
		t.Run("a refused address is tried again", func(*testing.T) {
			one(owner, "eve@x.org", "k4", "roleIds", []string{"role_none"}).Refused("ROLE_NOT_FOUND grant.chosen.roleIds")
			one(owner, "eve@x.org", "k4").OK()
			one(owner, "eve@x.org", "k5").Refused("ALREADY_INVITED email")
			revoke(owner, one(owner, "eve@x.org", "k4").OK().Text("inviteUser.invitation.id")).OK()
			one(owner, "eve@x.org", "k5").OK()
		})
		t.Run("a link that is good no more is not shown again", func(t *testing.T) {
			revoke(owner, one(owner, "bob@x.org", "k2", "sendEmail", false).OK().Text("inviteUser.invitation.id")).OK()
			again := one(owner, "bob@x.org", "k2", "sendEmail", false).OK()
			equal(t, "answer", again.Text("inviteUser.invitation.status")+again.Text("inviteUser.inviteUrl"), "REVOKED")
		})
		t.Run("keys of others are apart, and of calls at once one does it", func(t *testing.T) {
			adam := owner.Join("adam@acme.test", "account_admin")
			one(adam, "frank@x.org", "k1").OK()
			answers := make([]string, 16)
			together(len(answers), func(i int) { answers[i] = one(owner, "gina@x.org", "k6").OK().Raw })
			equal(t, "answers", len(slices.Compact(answers)), 1)
		})
		t.Run("after a day the key is forgotten", func(t *testing.T) {
			w.Clock.Advance(24 * time.Hour)
			testkit.Eventually(t, func() bool { return outcome(one(owner, "ann@x.org", "k1")) == "ALREADY_INVITED email" })
		})
	})
}

// BenchmarkInviteUsers is one call with 500 new addresses, mails written to the
// outbox.
func BenchmarkInviteUsers(b *testing.B) {
	w := testkit.New(b, b.TempDir()+"/convoke.db")
	n := 0
	for b.Loop() {
		b.StopTimer()
		n++
		owner := w.SignUp("o" + itoa(n) + "@acme.test")
		role := owner.Role("billing")
		list := addresses("b"+itoa(n)+".", 500)
		b.StartTimer()
		inviteAll(owner, list, "roleIds", []string{role}).OK()
	}
}
