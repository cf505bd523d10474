package server_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/limit"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/server"
)

// limited sets the limits in the change, and no others.
func limited(change func(l *server.RateLimits)) func(*server.Config) {
	return func(c *server.Config) { change(&c.RateLimits) }
}

// tooMany checks that the answer is RATE_LIMITED, to be asked again after so many seconds.
func tooMany(t *testing.T, a *testkit.Answer, seconds string) {
	t.Helper()
	a.Refused("RATE_LIMITED")
	equal(t, "seconds to wait", fmt.Sprint(a.Errors[0].Extensions["retryAfterSeconds"]), seconds)
}

func TestHowManyInvitations(t *testing.T) {
	t.Parallel()
	hour := func(n int) limit.Rule { return limit.Rule{N: n, Per: time.Hour} }
	t.Run("of one user, and of all users of an account", func(t *testing.T) {
		t.Parallel()
		eachWith(t, limited(func(l *server.RateLimits) { l.Inviter, l.Account = hour(10), hour(14) }), func(t *testing.T, w *testkit.World) {
			owner := w.SignUp("olivia@acme.test")
			admin := owner.Join("adam@acme.test", "account_admin") // which is one
			grant := []any{"roleIds", []string{owner.Role("viewer")}}
			inviteAll(owner, addresses("a", 7), grant...).OK()
			tooMany(t, inviteAll(owner, addresses("b", 3), grant...), "361")
			equal(t, "open invitations", len(owner.Invitations("PENDING")), 7)
			equal(t, "those that are made count", inviteAll(owner, append(addresses("a", 7), addresses("b", 2)...), grant...).OK().Text("inviteUsers.invitedCount"), "2")
			tooMany(t, owner.Invite("c@x.org", "viewer"), "361")
			tooMany(t, resend(owner, owner.Ask("invitations(first: 1) { nodes { id } }").OK().Text("team.invitations.nodes.0.id")), "361")
			inviteAll(admin, addresses("d", 4), grant...).OK()
			tooMany(t, admin.Invite("e@x.org", "viewer"), "258")
			w.Clock.Advance(258 * time.Second)
			admin.Invite("e@x.org", "viewer").OK()
			w.SignUp("otto@b.test").Invite("c@x.org", "viewer").OK()
		})
	})
	t.Run("to one address, from wherever they come", func(t *testing.T) {
		t.Parallel()
		eachWith(t, limited(func(l *server.RateLimits) { l.Recipient = limit.Rule{N: 3, Per: 10 * time.Minute} }), func(t *testing.T, w *testkit.World) {
			var owners []*testkit.Person
			for n := range 4 {
				owners = append(owners, w.SignUp(fmt.Sprintf("o%d@acme.test", n)))
			}
			for _, o := range owners[:3] {
				o.Invite("Ann@X.org", "billing").OK()
			}
			owners[0].Invite("ann@x.org", "billing").Refused("ALREADY_INVITED email") // no mail, and not counted
			tooMany(t, owners[3].Invite("ann@x.org", "billing"), "201")
			grant := []any{"roleIds", []string{owners[3].Role("billing")}}
			equalList(t, "of several only this one is not written to", results(inviteAll(owners[3], []string{"bob@x.org", "ann@x.org"}, grant...).OK()),
				"bob@x.org INVITED", "ann@x.org FAILED RESEND_LIMIT_REACHED emails.1")
			owners[3].Invite("ann@x.org", "billing", "sendEmail", false).OK() // no mail
			w.Clock.Advance(201 * time.Second)
			resend(owners[0], owners[0].Ask("invitations { nodes { id } }").Text("team.invitations.nodes.0.id")).OK()
		})
	})
	t.Run("held in parallel", func(t *testing.T) {
		t.Parallel()
		eachWith(t, limited(func(l *server.RateLimits) { l.Inviter = hour(5) }), func(t *testing.T, w *testkit.World) {
			owner := w.SignUp("olivia@acme.test")
			role := owner.Role("viewer")
			var done, refused atomic.Int64
			together(30, func(n int) {
				switch came := outcome(owner.Do(testkit.InviteMutation,
					testkit.Input("teamId", owner.TeamID, "email", fmt.Sprintf("p%d@x.org", n), "roleIds", []string{role}))); came {
				case "in":
					done.Add(1)
				case "RATE_LIMITED":
					refused.Add(1)
				default:
					t.Errorf("got %s, want it done or RATE_LIMITED", came)
				}
			})
			equal(t, "done", done.Load(), 5)
			equal(t, "refused", refused.Load(), 25)
			equal(t, "open invitations", len(owner.Invitations("PENDING")), 5)
		})
	})
}

// fromElsewhere claims to be another client every time.
type fromElsewhere struct{ n *int }

func (f fromElsewhere) RoundTrip(r *http.Request) (*http.Response, error) {
	*f.n++
	r = r.Clone(r.Context())
	r.Header.Set("X-Forwarded-For", fmt.Sprintf("203.0.113.%d", *f.n))
	return http.DefaultTransport.RoundTrip(r)
}

func TestHowMuchOneClientMayAsk(t *testing.T) {
	t.Parallel()
	perClient := limited(func(l *server.RateLimits) { l.Client = limit.Rule{N: 5, Per: 50 * time.Second} })
	eachWith(t, perClient, func(t *testing.T, w *testkit.World) {
		elsewhere := w.WithHTTP(&http.Client{Transport: fromElsewhere{new(int)}})
		signUp := func(n int) string {
			return fmt.Sprintf(`s%d: signUp(input: {email: "p%d@x.org", password: %q}) { userErrors { code } } `, n, n, testkit.Password)
		}
		batch := strings.Builder{}
		for n := range 7 {
			batch.WriteString(signUp(n))
		}
		a := elsewhere.Do("mutation { "+batch.String()+"}", nil)
		equal(t, "aliases that were too many", len(a.Errors), 2)
		equal(t, "the fifth", a.At("s4") == nil, false)
		equal(t, "the sixth", a.At("s5"), nil)
		equal(t, "seconds to wait", fmt.Sprint(a.Errors[0].Extensions["retryAfterSeconds"]), "11")
		tooMany(t, elsewhere.Do("mutation { "+signUp(8)+"}", nil), "11")
		elsewhere.Do(preview, token("x")).OK() // costs no password hash
		w.Clock.Advance(11 * time.Second)
		elsewhere.Do("mutation { "+signUp(9)+"}", nil).OK()
	})
}

// from is a client at an address, behind a proxy the server trusts.
type from string

func (f from) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("X-Forwarded-For", string(f))
	return http.DefaultTransport.RoundTrip(r)
}

// knock signs in from an address.
func knock(w *testkit.World, ip, email, password string) *testkit.Answer {
	return w.WithHTTP(&http.Client{Transport: from(ip)}).Do(
		`mutation($input: SignInInput!) { signIn(input: $input) { sessionToken userErrors { code field } } }`,
		testkit.Input("email", email, "password", password, "transport", "BEARER"))
}

func guessable(c *server.Config) {
	c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	c.RateLimits.SignIn = limit.Rule{N: 10, Per: 15 * time.Minute}
	c.RateLimits.SignInAddress = limit.Rule{N: 30, Per: 24 * time.Hour}
}

func TestGuessingPasswords(t *testing.T) {
	t.Parallel()
	eachWith(t, guessable, func(t *testing.T, w *testkit.World) {
		w.SignUp("olivia@acme.test")
		for _, email := range []string{"olivia@acme.test", "nobody@acme.test"} { // alike
			var wrong, refused atomic.Int64
			together(50, func(int) {
				for range 4 {
					switch came := outcome(knock(w, "192.0.2.1", email, "wrong")); came {
					case "INVALID_CREDENTIALS":
						wrong.Add(1)
					case "RATE_LIMITED":
						refused.Add(1)
					default:
						t.Errorf("got %s", came)
					}
				}
			})
			equal(t, "evaluated", wrong.Load(), 10)
			equal(t, "refused", refused.Load(), 190)
			tooMany(t, knock(w, "192.0.2.1", email, testkit.Password), "91")
		}
		knock(w, "192.0.2.2", "Olivia@ACME.test", testkit.Password).OK() // from elsewhere
		w.Clock.Advance(91 * time.Second)
		knock(w, "192.0.2.1", "olivia@acme.test", testkit.Password).OK()
		knock(w, "192.0.2.1", "olivia@acme.test", "wrong").Refused("INVALID_CREDENTIALS") // the count began anew
	})
}

func TestNobodyIsLockedOutForGood(t *testing.T) {
	t.Parallel()
	eachWith(t, guessable, func(t *testing.T, w *testkit.World) {
		w.SignUp("olivia@acme.test")
		home, away := "198.51.100.7", "198.51.100.8"
		knock(w, home, "olivia@acme.test", testkit.Password).OK()
		for n := range 40 {
			came := outcome(knock(w, fmt.Sprintf("192.0.2.%d", n), "olivia@acme.test", "wrong"))
			want := "INVALID_CREDENTIALS"
			if n >= 30 {
				want = "RATE_LIMITED"
			}
			equal(t, fmt.Sprintf("guess %d", n), came, want)
		}
		tooMany(t, knock(w, away, "olivia@acme.test", testkit.Password), "2881")
		knock(w, home, "olivia@acme.test", "wrong").Refused("INVALID_CREDENTIALS") // counted at home all the same
		knock(w, home, "olivia@acme.test", testkit.Password).OK()
		tooMany(t, knock(w, away, "olivia@acme.test", testkit.Password), "2881")
		w.Anonymous().Mutate("requestPasswordReset", "", "email", "olivia@acme.test").OK()
		mails := len(w.Mail.To("olivia@acme.test"))
		reset := testkit.Token(t, w.Mail.Wait(t, "olivia@acme.test", max(mails, 2)))
		w.Anonymous().Mutate("resetPassword", "sessionToken", "token", reset, "newPassword", "another good pass phrase", "transport", "BEARER").OK()
		knock(w, away, "olivia@acme.test", "another good pass phrase").OK()
	})
}

func TestHowManyMailsAStrangerCauses(t *testing.T) {
	t.Parallel()
	change := limited(func(l *server.RateLimits) {
		l.Mail, l.MailDay = limit.Rule{N: 1, Per: time.Minute}, limit.Rule{N: 3, Per: 24 * time.Hour}
	})
	eachWith(t, change, func(t *testing.T, w *testkit.World) {
		olivia := w.SignUp("olivia@acme.test") // which is one
		nobody := w.Anonymous()
		about := func(email string) map[string]func() *testkit.Answer {
			credentials := []any{"email", email, "password", testkit.Password}
			return map[string]func() *testkit.Answer{
				"signUp":               func() *testkit.Answer { return nobody.Mutate("signUp", "", credentials...) },
				"resendVerification":   func() *testkit.Answer { return nobody.Mutate("resendVerification", "", credentials...) },
				"requestPasswordReset": func() *testkit.Answer { return nobody.Mutate("requestPasswordReset", "", "email", email) },
			}
		}
		nobody.Mutate("signUp", "", "email", "never@acme.test", "password", testkit.Password).OK()
		for _, email := range []string{"olivia@acme.test", "never@acme.test"} { // alike: a user, and a sign-up that waits
			ask := about(email)
			tooMany(t, ask["signUp"](), "61")
			tooMany(t, ask["resendVerification"](), "61")
			// One of the resets at once is granted, and each is answered alike.
			var done, refused atomic.Int64
			together(20, func(int) {
				switch came := outcome(ask["requestPasswordReset"]()); came {
				case "in":
					done.Add(1)
				case "RATE_LIMITED":
					refused.Add(1)
				default:
					t.Errorf("got %s, want it done or RATE_LIMITED", came)
				}
			})
			equal(t, "HARD-23 resets at once for "+email, done.Load(), 1)
			equal(t, "HARD-23 refused at once for "+email, refused.Load(), 19)
		}
		for n := range 2 {
			w.Clock.Advance(time.Minute)
			for _, email := range []string{"olivia@acme.test", "never@acme.test"} {
				about(email)[[]string{"signUp", "resendVerification"}[n]]().OK()
				about(email)["requestPasswordReset"]().OK()
			}
		}
		w.Clock.Advance(time.Minute)
		for _, email := range []string{"olivia@acme.test", "never@acme.test"} {
			for what, ask := range about(email) {
				a := ask()
				a.Refused("RATE_LIMITED")
				if seconds, _ := a.Errors[0].Extensions["retryAfterSeconds"].(float64); seconds < 7*3600 {
					t.Errorf("HARD-23 %s for %s after the cap of the day: try again in %g seconds, want in 8 hours less 3 minutes", what, email, seconds)
				}
			}
		}
		w.SignUp("otto@b.test").Invite(olivia.Email, "viewer").OK() // so nobody can keep invitations from Olivia
	})
}

// HARD-23: the defaults are one a minute and a cap of the day.
func TestTheDefaultsLimitMailsOfStrangers(t *testing.T) {
	t.Parallel()
	d := server.DefaultRateLimits()
	equal(t, "HARD-23 mails", d.Mail, limit.Rule{N: 1, Per: time.Minute})
	equal(t, "HARD-23 mails of a day", d.MailDay, limit.Rule{N: 20, Per: 24 * time.Hour})
}

// HARD-23: a mailbox is not flooded by tags of its address.
func TestTagsOfAnAddressCountTogetherForADay(t *testing.T) {
	t.Parallel()
	change := limited(func(l *server.RateLimits) {
		l.Mail, l.MailDay = limit.Rule{N: 1, Per: time.Minute}, limit.Rule{N: 2, Per: 24 * time.Hour}
	})
	eachWith(t, change, func(_ *testing.T, w *testkit.World) {
		for _, tags := range [][3]string{
			{"ann+1@x.org", "ann+2@x.org", "ann+3@x.org"}, {"a.nn@gmail.com", "an.n@gmail.com", "ann+x@googlemail.com"},
		} {
			for _, email := range tags[:2] { // at once: each has a minute of its own
				signUp(w, email, testkit.Password).OK()
				requestReset(w.Anonymous(), email).OK()
			}
			signUp(w, tags[2], testkit.Password).Refused("RATE_LIMITED")
			requestReset(w.Anonymous(), tags[2]).Refused("RATE_LIMITED")
		}
		for _, email := range []string{"bob@x.org", "b.ob@x.org", "bo.b@x.org"} { // three mailboxes
			signUp(w, email, testkit.Password).OK()
		}
	})
}
