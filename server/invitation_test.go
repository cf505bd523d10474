package server_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/testkit"
)

func TestTheWholeWayOfAnInvitation(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		sent := owner.Invite("Ann@Example.org", "billing")
		t.Run("SEC-2 an address is enough", func(*testing.T) { sent.OK() })
		t.Run("SEC-6 a send is confirmed", func(t *testing.T) {
			equal(t, "status", sent.Text("inviteUser.invitation.status"), "PENDING")
			equal(t, "sentAt", sent.Text("inviteUser.invitation.lastSentAt"), "2030-01-07T12:00:00Z")
			equal(t, "mails", sent.Text("inviteUser.invitation.sendCount"), "1")
		})
		t.Run("DC-19 the invitee is in the list at once, as pending", func(t *testing.T) {
			list := owner.Invitations("PENDING")
			if len(list) != 1 || !strings.HasPrefix(list[0], "Ann@Example.org PENDING ") {
				t.Errorf("pending: %q", list)
			}
		})
		mail := w.Mail.Wait(t, "Ann@Example.org", 1)
		secret := testkit.Token(t, mail)
		t.Run("SEC-7 a mail with a link goes to the address", func(t *testing.T) {
			for _, part := range []string{mail.Text, mail.HTML} {
				if !strings.Contains(part, w.URL+"/accept#"+secret) {
					t.Errorf("the link to this server is missing:\n%s", part)
				}
			}
		})
		owner.Delivered("ann@example.org")
		t.Run("SEC-8 the link opens a page that changes nothing", func(t *testing.T) {
			equal(t, "page", fetch(t, http.MethodGet, w.URL+"/accept").status, http.StatusOK)
			before := w.Anonymous().Do(preview, token(secret)).OK()
			equal(t, "address", before.Text("invitationByToken.maskedEmail"), "A•••@E•••.org")
			equal(t, "next step", before.Text("invitationByToken.nextStep"), "SIGN_UP")
			equal(t, "role", before.Text("invitationByToken.roleNames.0"), "Billing")
			equal(t, "still", owner.Invitations()[0], "Ann@Example.org PENDING SENT")
		})
		t.Run("GR-7 before accepting, the normal login does not work", func(*testing.T) {
			signIn(w, "ann@example.org", testkit.Password).Refused("INVALID_CREDENTIALS")
		})
		t.Run("CP-11 the link asks for a password, by the rules", func(*testing.T) {
			w.Anonymous().Accept(secret).Refused("PASSWORD_REQUIRED password")
			w.Anonymous().Accept(secret, "password", "short").Refused("WEAK_PASSWORD password")
			w.Anonymous().Accept(secret, "password", "password123").Refused("WEAK_PASSWORD password")
		})
		accepted := w.Anonymous().Accept(secret, "password", testkit.Password, "firstName", "Ann")
		t.Run("SEC-9 accepting makes the user", func(t *testing.T) {
			accepted.OK()
			equal(t, "user", accepted.Text("acceptInvite.member.user.email"), "Ann@Example.org")
			equal(t, "active team", accepted.Text("acceptInvite.viewer.activeTeam.id"), owner.TeamID)
		})
		t.Run("DC-20 the link lets the invitee choose a password and finish", func(t *testing.T) {
			equal(t, "name", accepted.Text("acceptInvite.member.user.firstName"), "Ann")
			viewer := w.WithToken(accepted.Text("acceptInvite.sessionToken")).Do(`{ viewer { user { email emailVerified } } }`, nil).OK()
			equal(t, "verified", viewer.Text("viewer.user.emailVerified"), "true")
		})
		t.Run("SEC-10 then the user can sign in", func(*testing.T) { signIn(w, "ann@example.org", testkit.Password).OK() })
		t.Run("DC-5 the address is the username, whatever its case", func(*testing.T) {
			signIn(w, " ANN@EXAMPLE.ORG ", testkit.Password).OK()
		})
		t.Run("CP-12 with the chosen password and no other", func(*testing.T) {
			signIn(w, "ann@example.org", testkit.Password+"!").Refused("INVALID_CREDENTIALS")
		})
		t.Run("CP-13 the user is active and no longer invited", func(t *testing.T) {
			equalList(t, "active", owner.Members(), "olivia@acme.test", "Ann@Example.org")
			equalList(t, "invited", owner.Invitations("PENDING"))
		})
		t.Run("DC-6 the inviter never sets or sees the password", func(t *testing.T) {
			for _, typ := range []string{"InviteUserInput", "User", "Member", "Invitation"} {
				fields := introspect(t, w, typ)
				if slices.ContainsFunc(fields, func(f string) bool { return strings.Contains(strings.ToLower(f), "password") }) {
					t.Errorf("%s has a password among %q", typ, fields)
				}
			}
		})
	})
}

func TestResend(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		id := owner.Invite("ann@example.org", "billing").OK().Text("inviteUser.invitation.id")
		first := testkit.Token(t, w.Mail.Wait(t, "ann@example.org", 1))
		w.Clock.Advance(71 * time.Hour)
		t.Run("GR-9 a row can be sent again", func(t *testing.T) {
			a := resend(owner, id).OK()
			equal(t, "mails", a.Text("resendInvite.invitation.sendCount"), "2")
		})
		second := testkit.Token(t, w.Mail.Wait(t, "ann@example.org", 2))
		owner.Delivered("ann@example.org")
		t.Run("SEC-12 a second mail, still one invitation", func(t *testing.T) {
			equalList(t, "pending", owner.Invitations("PENDING"), "ann@example.org PENDING SENT")
		})
		t.Run("BEY-11 the old link is dead, the new one works, expiry renewed, limits hold", func(t *testing.T) {
			w.Anonymous().Accept(first, "password", testkit.Password).Refused("INVALID_TOKEN invitation.token")
			equal(t, "old preview", w.Anonymous().Do(preview, token(first)).OK().At("invitationByToken"), nil)
			equal(t, "end", w.Anonymous().Do(preview, token(second)).Text("invitationByToken.expiresAt"), "2030-01-13T11:00:00Z")
			resend(owner, id).Refused("RESEND_LIMIT_REACHED")
			for range 4 {
				owner.Delivered("ann@example.org")
				w.Clock.Advance(time.Minute)
				resend(owner, id).OK()
			}
			owner.Delivered("ann@example.org")
			w.Clock.Advance(time.Minute)
			resend(owner, id).Refused("RESEND_LIMIT_REACHED")
			w.Clock.Advance(73 * time.Hour)
			equalList(t, "expired", owner.Invitations("EXPIRED"), "ann@example.org EXPIRED SENT")
			resend(owner, id).OK()
			last := testkit.Token(t, w.Mail.Wait(t, "ann@example.org", 7))
			w.Anonymous().Accept(last, "password", testkit.Password).OK()
			resend(owner, id).Refused("INVITATION_ALREADY_ACCEPTED")
		})
	})
}

func TestValidity(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		more []any
		end  time.Duration
	}{
		{"SSL-6 valid for 72 hours", nil, 72 * time.Hour},
		{"CP-10 valid for seven days", []any{"expiresInHours", 168}, 168 * time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, w *testkit.World) {
				owner := w.SignUp("olivia@acme.test")
				for _, email := range []string{"early@example.org", "late@example.org"} {
					owner.Invite(email, "billing", c.more...).OK()
				}
				early := testkit.Token(t, w.Mail.Wait(t, "early@example.org", 1))
				late := testkit.Token(t, w.Mail.Wait(t, "late@example.org", 1))
				owner.Delivered("late@example.org")
				w.Clock.Advance(c.end - time.Second)
				w.Anonymous().Accept(early, "password", testkit.Password).OK()
				w.Clock.Advance(2 * time.Second)
				w.Anonymous().Accept(late, "password", testkit.Password).Refused("INVITATION_EXPIRED")
				equalList(t, "expired", owner.Invitations("EXPIRED"), "late@example.org EXPIRED SENT")
			})
		})
	}
}

func TestWhatTheInviterWrites(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		t.Run("GR-6 names and address are taken", func(t *testing.T) {
			a := owner.Invite("ann@example.org", "billing", "firstName", "Ann", "lastName", "Ames", "jobTitle", "Buyer").OK()
			got := owner.Do(`query($id: ID!) { node(id: $id) { ... on Invitation { firstName lastName jobTitle email } } }`,
				map[string]any{"id": a.Text("inviteUser.invitation.id")}).OK()
			equal(t, "name", got.Text("node.firstName")+" "+got.Text("node.lastName")+", "+got.Text("node.jobTitle"), "Ann Ames, Buyer")
		})
		t.Run("an addressee of all permissions is told so", func(t *testing.T) {
			owner.Do(testkit.InviteMutation, testkit.Input("teamId", owner.TeamID, "email", "all@example.org", "allPermissions", true)).OK()
			mail := w.Mail.Wait(t, "all@example.org", 1)
			if !strings.Contains(mail.Text, "All permissions") {
				t.Errorf("the mail says %q, want all permissions in it", mail.Text)
			}
			equalList(t, "preview", w.Anonymous().Do(preview, token(testkit.Token(t, mail))).OK().List("invitationByToken.roleNames", ""), "All permissions")
		})
		t.Run("DC-18 a note is shown in the mail, escaped and bounded", func(t *testing.T) {
			owner.Invite("bob@example.org", "billing", "note", "See <b>you</b>\nsoon").OK()
			mail := w.Mail.Wait(t, "bob@example.org", 1)
			if !strings.Contains(mail.Text, "See <b>you</b>") || !strings.Contains(mail.HTML, "See &lt;b&gt;you&lt;/b&gt;") {
				t.Errorf("the note is missing or not escaped:\n%s\n%s", mail.Text, mail.HTML)
			}
			owner.Invite("bea@example.org", "billing", "note", strings.Repeat("x", 501)).Refused("TOO_LONG note")
		})
		t.Run("GR-5 members are listed, invited and invited again", func(t *testing.T) {
			owner.Join("carl@example.org", "member")
			equalList(t, "members", owner.Members(), "olivia@acme.test", "carl@example.org")
			a := owner.Do(`query($id: ID!) { team(id: $id) { invitations(filter: {search: "BOB@"}) { nodes { id viewerCanResend } } } }`,
				map[string]any{"id": owner.TeamID}).OK()
			equal(t, "may resend", a.Text("team.invitations.nodes.0.viewerCanResend"), "true")
			resend(owner, a.Text("team.invitations.nodes.0.id")).OK()
		})
	})
}

func TestRobotsDoNotUseUpTheLink(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		owner.Invite("ann@example.org", "billing").OK()
		secret := testkit.Token(t, w.Mail.Wait(t, "ann@example.org", 1))
		owner.Delivered("ann@example.org")
		cursor := eventCursor(owner)
		t.Run("BEY-9 20 GET and HEAD of the link change nothing", func(t *testing.T) {
			for i := range 20 {
				method := []string{http.MethodGet, http.MethodHead}[i%2]
				opened := fetch(t, method, w.URL+"/accept#"+secret)
				equal(t, "status", opened.status, http.StatusOK)
				equal(t, "cookies", opened.cookies, 0)
				w.Anonymous().Do(preview, token(secret)).OK()
			}
			equal(t, "event cursor", eventCursor(owner), cursor)
		})
		t.Run("GR-11 a link-opening robot does not use the invitation up", func(*testing.T) {
			w.Anonymous().Accept(secret, "password", testkit.Password).OK()
		})
	})
}

// introspect returns the names of a type's fields, read from the schema the
// server shows.
func introspect(t *testing.T, w *testkit.World, typ string) (fields []string) {
	t.Helper()
	schema := fetch(t, http.MethodGet, w.URL+"/schema.graphql").body
	begin := regexp.MustCompile(`(?m)^(type|input) ` + typ + ` `).FindStringIndex(schema)
	if begin == nil {
		t.Fatalf("no type %s in the schema", typ)
	}
	def, _, _ := strings.Cut(schema[begin[1]:], "\n}")
	for line := range strings.SplitSeq(def, "\n") {
		name, _, is := strings.Cut(strings.TrimSpace(line), ":")
		if is {
			fields = append(fields, name)
		}
	}
	return fields
}
