package server_test

import (
	"net/http"
	"net/http/cookiejar"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/auth"
	"github.com/convoke-dev/convoke/internal/testdb"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/server"
)

const myTeams = `{ viewer { memberships { nodes { isOwner team { id name isDefault members { totalCount } owner { user { email } } } } } } }`

func TestANewUserHasATeamOfHisOwn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		teams := owner.Do(myTeams, nil).OK()
		t.Run("SSL-2 a new user gets a default team", func(t *testing.T) {
			equalList(t, "default teams", teams.List("viewer.memberships.nodes", "team.isDefault"), "true")
		})
		t.Run("SSL-3 with exactly one member, its owner", func(t *testing.T) {
			equal(t, "members", teams.Text("viewer.memberships.nodes.0.team.members.totalCount"), "1")
			equal(t, "owner", teams.Text("viewer.memberships.nodes.0.team.owner.user.email"), "olivia@acme.test")
			equal(t, "is owner", teams.Text("viewer.memberships.nodes.0.isOwner"), "true")
		})
		t.Run("SSL-4 a team of one works fully", func(t *testing.T) {
			a := owner.Do(`query($id: ID!) { team(id: $id) { viewerCanInvite viewerMembership { effectivePermissions }
				invitations { totalCount } assignableRoles { key } } permissions { permissions { key } } }`,
				map[string]any{"id": owner.TeamID}).OK()
			var all int
			for i := range a.List("permissions", "") {
				all += len(a.List("permissions."+itoa(i)+".permissions", "key"))
			}
			equal(t, "permissions", len(a.List("team.viewerMembership.effectivePermissions", "")), all)
			equal(t, "roles to give", len(a.List("team.assignableRoles", "key")), 6)
		})
		t.Run("SSL-5 the owner can invite by e-mail", func(*testing.T) { owner.Invite("ann@example.org", "billing").OK() })
		t.Run("SSL-21 login and password", func(*testing.T) {
			signIn(w, "olivia@acme.test", testkit.Password).OK()
			signIn(w, "olivia@acme.test", "not the password").Refused("INVALID_CREDENTIALS")
		})
		t.Run("SSL-2 an invited newcomer has one too", func(t *testing.T) {
			ann := w.Anonymous().Accept(testkit.Token(t, w.Mail.Wait(t, "ann@example.org", 1)), "password", testkit.Password).OK()
			teams := w.WithToken(ann.Text("acceptInvite.sessionToken")).Do(`{ viewer { memberships { nodes { isOwner } } } }`, nil).OK()
			equalList(t, "owner of", teams.List("viewer.memberships.nodes", "isOwner"), "false", "true")
		})
	})
}

func TestSignUpAnswersAlike(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		w.SignUp("olivia@acme.test")
		known := signUp(w, "Olivia@Acme.test", testkit.Password)
		equal(t, "answer", known.Raw, signUp(w, "nobody@acme.test", testkit.Password).Raw)
		// The owner of the address gets a mail; their password is as it was.
		w.Mail.Wait(t, "olivia@acme.test", 2)
		signIn(w, "olivia@acme.test", testkit.Password).OK()
	})
}

func TestNobodyLiesInWaitOnAnAddress(t *testing.T) {
	t.Parallel()
	const squatters = "the squatter's password"
	for name, order := range map[string][]string{
		"the squatter first": {squatters, testkit.Password},
		"the squatter last":  {testkit.Password, squatters},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, w *testkit.World) {
				links := map[string]string{}
				for i, password := range order {
					signUp(w, "ann@example.org", password).OK()
					links[password] = testkit.Token(t, w.Mail.Wait(t, "ann@example.org", i+1))
				}
				signIn(w, "ann@example.org", order[0]).Refused("INVALID_CREDENTIALS")
				signIn(w, "ann@example.org", order[1]).Refused("EMAIL_NOT_VERIFIED")
				// The link Ann asked for sets the password Ann typed, whatever came before or after.
				verify(w, links[testkit.Password]).OK()
				verify(w, links[testkit.Password]).Refused("INVALID_TOKEN token")
				verify(w, links[squatters]).Refused("INVALID_TOKEN token")
				signIn(w, "ann@example.org", squatters).Refused("INVALID_CREDENTIALS")
				signIn(w, "ann@example.org", testkit.Password).OK()
			})
		})
	}
}

func TestSignUpsOfOneAddressAreBounded(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		var links []string
		for i := range 6 {
			signUp(w, "ann@example.org", testkit.Password+itoa(i)).OK()
			links = append(links, testkit.Token(t, w.Mail.Wait(t, "ann@example.org", i+1)))
		}
		verify(w, links[0]).Refused("INVALID_TOKEN token")
		together(2, func(i int) { links[i] = outcome(verify(w, links[5-i])) })
		slices.Sort(links[:2])
		equalList(t, "two links at once", links[:2], "INVALID_TOKEN token", "in")
	})
}

func TestAnInvitationTakesAnUnverifiedSignUpOver(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		signUp(w, "ann@example.org", "the squatter's password").OK()
		verification := testkit.Token(t, w.Mail.Wait(t, "ann@example.org", 1))
		owner := w.SignUp("olivia@acme.test")
		owner.Invite("ann@example.org", "billing").OK()
		invitation := testkit.Token(t, w.Mail.Wait(t, "ann@example.org", 2))
		equal(t, "next step", w.Anonymous().Do(preview, token(invitation)).Text("invitationByToken.nextStep"), "SIGN_UP")
		w.Anonymous().Accept(invitation, "password", testkit.Password).OK()
		verify(w, verification).Refused("INVALID_TOKEN token")
		signIn(w, "ann@example.org", "the squatter's password").Refused("INVALID_CREDENTIALS")
		signIn(w, "ann@example.org", testkit.Password).OK()
	})
}

func TestAVerificationLinkRunsOut(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		signUp(w, "ann@example.org", testkit.Password).OK()
		late := testkit.Token(t, w.Mail.Wait(t, "ann@example.org", 1))
		w.Clock.Advance(auth.VerificationFor)
		verify(w, late).Refused("INVALID_TOKEN token")
		if err := w.Server.Auth.Purge(t.Context()); err != nil {
			t.Error(err)
		}
		signIn(w, "ann@example.org", testkit.Password).Refused("INVALID_CREDENTIALS")
	})
}

func TestSessions(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		const who = `{ viewer { user { email } } }`
		t.Run("signing out ends the session at once", func(t *testing.T) {
			other := w.SignIn("olivia@acme.test")
			other.Do(`mutation { signOut { userErrors { code } } }`, nil).OK()
			gone := other.Do(who, nil)
			equal(t, "status", gone.Status, http.StatusUnauthorized)
			equal(t, "code", gone.Code(), "UNAUTHENTICATED")
			owner.Do(who, nil).OK()
		})
		t.Run("a session left alone ends", func(t *testing.T) {
			idle := w.SignIn("olivia@acme.test")
			w.Clock.Advance(13 * 24 * time.Hour)
			idle.Do(who, nil).OK()
			w.Clock.Advance(14 * 24 * time.Hour)
			equal(t, "code", idle.Do(who, nil).Code(), "UNAUTHENTICATED")
		})
		t.Run("a session in use ends after 30 days", func(t *testing.T) {
			busy := w.SignIn("olivia@acme.test")
			for range 3 {
				w.Clock.Advance(9 * 24 * time.Hour)
				busy.Do(who, nil).OK()
			}
			w.Clock.Advance(3 * 24 * time.Hour)
			equal(t, "code", busy.Do(who, nil).Code(), "UNAUTHENTICATED")
		})
	})
}

func TestTheCookie(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		w.SignUp("olivia@acme.test")
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		var set []*http.Cookie
		browser := w.WithHTTP(&http.Client{Jar: jar, Transport: onAnswer(func(r *http.Response) { set = append(set, r.Cookies()...) })})
		in := browser.Do(`mutation($input: SignInInput!) { signIn(input: $input) { sessionToken viewer { user { email } } userErrors { code } } }`,
			testkit.Input("email", "olivia@acme.test", "password", testkit.Password)).OK()
		equal(t, "token in the answer", in.At("signIn.sessionToken"), nil)
		equal(t, "viewer", in.Text("signIn.viewer.user.email"), "olivia@acme.test")
		if len(set) != 1 || !set[0].HttpOnly || set[0].SameSite != http.SameSiteLaxMode || set[0].Path != "/" {
			t.Fatalf("cookies: %+v, want one, HttpOnly and SameSite=Lax", set)
		}
		equal(t, "viewer", browser.Do(`{ viewer { user { email } } }`, nil).OK().Text("viewer.user.email"), "olivia@acme.test")
		planted := *set[0]
		browser.Do(`mutation { signOut { userErrors { code } } }`, nil).OK()
		equal(t, "viewer after signing out", browser.Do(`{ viewer { user { email } } }`, nil).OK().At("viewer"), nil)
		equal(t, "cookie taken away", set[len(set)-1].MaxAge, -1)
		// A request with a dead cookie is anonymous and no error, so that it can sign in.
		dead := w.WithHTTP(&http.Client{Transport: onRequest(func(r *http.Request) { r.AddCookie(&planted) })})
		equal(t, "viewer by a dead cookie", dead.Do(`{ viewer { user { email } } }`, nil).OK().At("viewer"), nil)
	})
}

func TestAServerForInvitedPeopleOnly(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		t.Helper()
		w := testkit.New(t, address, func(c *server.Config) { c.SignUp = auth.InviteOnly })
		signUp(w, "ann@example.org", testkit.Password).Refused("FORBIDDEN")
	})
}

func TestAServerWithoutMail(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		t.Helper()
		w := testkit.New(t, address, func(c *server.Config) { c.Sender = nil })
		equal(t, "mailed", signUp(w, "olivia@acme.test", testkit.Password).OK().Text("signUp.verificationSent"), "false")
		owner := w.SignIn("olivia@acme.test")
		a := owner.Invite("ann@example.org", "billing").OK()
		equal(t, "delivery", a.Text("inviteUser.invitation.delivery.status"), "NOT_REQUESTED")
		w.Anonymous().Accept(tokenOf(t, a.Text("inviteUser.inviteUrl")), "password", testkit.Password).OK()
		equalList(t, "members", owner.Members(), "olivia@acme.test", "ann@example.org")
	})
}

func TestMailsGreetByNameOrNotAtAll(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		for email, greets := range map[string]string{"ann@x.org": "Hello,\n", "bea@x.org": "Hello Bea Brown,\n"} {
			var first, last string
			if email == "bea@x.org" {
				first, last = "Bea", "Brown"
			}
			again := func() {
				w.Anonymous().Mutate("signUp", "verificationSent", "email", email, "password", testkit.Password, "firstName", first, "lastName", last).OK()
			}
			again()
			verify(w, testkit.Token(t, w.Mail.Wait(t, email, 1))).OK()
			again()
			w.Mail.Wait(t, email, 2)
			w.Anonymous().Mutate("requestPasswordReset", "resetSent", "email", email).OK()
			w.Mail.Wait(t, email, 3)
			for _, mail := range w.Mail.To(email) {
				if !strings.HasPrefix(mail.Text, greets) || mail.ToName != strings.TrimSpace(first+" "+last) {
					t.Errorf("%q to %q greets\n%.40s\nwant %q", mail.Subject, mail.ToName, mail.Text, greets)
				}
			}
		}
	})
}

func TestSigningInAfterSigningUpTellsNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		w.SignUp("olivia@acme.test")
		const guess = "a guess of somebody else"
		for _, email := range []string{"olivia@acme.test", "nobody@acme.test"} {
			signUp(w, email, guess).OK()
			signIn(w, email, guess).Refused("EMAIL_NOT_VERIFIED")
		}
		w.Mail.Wait(t, "olivia@acme.test", 2)
		if text := w.Mail.To("olivia@acme.test")[1].Text; strings.Contains(text, "/verify#") {
			t.Errorf("a known address was sent a link that verifies: %s", text)
		}
		signIn(w, "olivia@acme.test", testkit.Password).OK()
	})
}

func TestAnOddUserAgent(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, w *testkit.World) {
		w.SignUp("olivia@acme.test")
		odd := w.WithHTTP(&http.Client{Transport: onRequest(func(r *http.Request) {
			r.Header.Set("User-Agent", strings.Repeat("x", 199)+"é caf\xe9"+strings.Repeat("y", 5000))
		})})
		odd.Do(`mutation($input: SignInInput!) { signIn(input: $input) { userErrors { code } } }`,
			testkit.Input("email", "olivia@acme.test", "password", testkit.Password, "transport", "BEARER")).OK()
	})
}
