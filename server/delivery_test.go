package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/mail"
	"github.com/convoke-dev/convoke/internal/roster"
	"github.com/convoke-dev/convoke/internal/testdb"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/server"
)

// relay sends mail through a real conversation, but for the people of the house.
type relay struct {
	*mail.SMTP
	house mail.Sender
}

func (r relay) Send(ctx context.Context, m mail.Message) error {
	if strings.HasSuffix(m.To, "@acme.test") {
		return r.house.Send(ctx, m)
	}
	return r.SMTP.Send(ctx, m)
}

func (r relay) SendWhen(ctx context.Context, m mail.Message, turn func(context.Context) error) error {
	if !strings.HasSuffix(m.To, "@acme.test") {
		return r.SMTP.SendWhen(ctx, m, turn)
	}
	if err := turn(ctx); err != nil {
		return err
	}
	return r.house.Send(ctx, m)
}

// eachRelayed is each with a mail server of its own.
func eachRelayed(t *testing.T, story func(t *testing.T, w *testkit.World, m *testkit.MailServer), options ...func(*server.Config)) {
	t.Helper()
	testdb.Each(t, func(t *testing.T, address string) {
		t.Helper()
		m := testkit.NewMailServer(t)
		story(t, testkit.New(t, address, append(options, throughSMTP(t, m))...), m)
	})
}

func throughSMTP(t testing.TB, m *testkit.MailServer) func(*server.Config) {
	t.Helper()
	s, err := mail.NewSMTP(m.URL(), "Convoke <no-reply@convoke.test>")
	if err != nil {
		t.Fatal(err)
	}
	return func(c *server.Config) { c.Sender = relay{s, c.Sender} }
}

// deliveryOf is "STATUS attempts reason" of an invitation's mail.
func deliveryOf(p *testkit.Person, id string) string {
	a := p.Do(`query($id: ID!) { node(id: $id) { ... on Invitation { delivery { status attempts error } } } }`, map[string]any{"id": id}).OK()
	return strings.TrimSpace(a.Text("node.delivery.status") + " " + a.Text("node.delivery.attempts") + " " + a.Text("node.delivery.error"))
}

// delivered waits until the delivery is as wanted.
func delivered(t *testing.T, p *testkit.Person, id, want string) {
	t.Helper()
	got := ""
	defer func() { equal(t, "delivery", got, want) }()
	testkit.Eventually(t, func() bool { got = deliveryOf(p, id); return got == want })
}

// timeline is what happened to an invitation, and who did it.
func timeline(p *testkit.Person, id string) (lines []string) {
	a := p.Do(`query($id: ID!) { node(id: $id) { ... on Invitation { timeline { nodes { type at actor { ... on User { email } ... on SystemActor { name } } } } } } }`,
		map[string]any{"id": id}).OK()
	types, by, names := a.List("node.timeline.nodes", "type"), a.List("node.timeline.nodes", "actor.email"), a.List("node.timeline.nodes", "actor.name")
	for i, what := range types {
		lines = append(lines, what+" "+by[i]+names[i])
	}
	return lines
}

func TestMailServersThatFail(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name           string
		command, reply string
		fails          string // the delivery after the first attempt
		log            string // the type of the event that says so
	}{
		{"BEY-16 451 to the recipient is tried again", "RCPT", "451 4.7.1 try later", "QUEUED 1 451 4.7.1 try later", ""},
		{"BEY-16 451 to the message is tried again", "END", "451 busy", "QUEUED 1 451 busy", ""},
		{"BEY-16 a refusal at the door is tried again", "CONNECT", "554 not now", "QUEUED 1 554 not now", ""},
		{"BEY-16 a refused message is not", "END", "554 5.7.1 no", "FAILED 1 554 5.7.1 no", "INVITATION_FAILED Convoke"},
		{"BEY-16 GR-10 a refused recipient is not, and known as a bounce", "RCPT", "550 5.1.1 no such user", "BOUNCED 1 550 5.1.1 no such user", "INVITATION_BOUNCED Convoke"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			eachRelayed(t, func(t *testing.T, w *testkit.World, m *testkit.MailServer) {
				owner := w.SignUp("olivia@acme.test")
				m.Answer(c.command, c.reply)
				id := owner.Invite("ann@x.org", "billing").OK().Text("inviteUser.invitation.id")
				delivered(t, owner, id, c.fails)
				m.Answer(c.command, "")
				w.Clock.Advance(15 * time.Second)
				if c.log != "" {
					bob := owner.Invite("bob@x.org", "billing").OK().Text("inviteUser.invitation.id")
					delivered(t, owner, bob, "SENT 1")
					equal(t, "delivery", deliveryOf(owner, id), c.fails)
					equalList(t, "timeline", timeline(owner, id), "INVITATION_CREATED olivia@acme.test", "INVITATION_QUEUED olivia@acme.test", c.log)
					t.Run("SEC-14 the admin hands over a new link", func(t *testing.T) {
						a := owner.Mutate("resendInvite", "inviteUrl", "invitationId", id, "sendEmail", false).OK()
						w.SignUp("ann@acme.test").Accept(tokenOf(t, a.Text("resendInvite.inviteUrl"))).Refused("EMAIL_MISMATCH")
					})
					return
				}
				delivered(t, owner, id, "SENT 2")
				equal(t, "letters", len(m.Taken()), 1)
			})
		})
	}
}

func TestMailServersThatBreakOff(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, command, reply string }{
		{"BEY-16 a message that was not answered for goes out again under its id", "END", testkit.MailDrop},
		{"BEY-16 a server that keeps silent", "CONNECT", testkit.MailHang},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			eachRelayed(t, func(t *testing.T, w *testkit.World, m *testkit.MailServer) {
				owner := w.SignUp("olivia@acme.test")
				m.Answer(c.command, c.reply)
				id := owner.Invite("ann@x.org", "billing").OK().Text("inviteUser.invitation.id")
				equal(t, "delivery", deliveryOf(owner, id)[:6], "QUEUED")
				testkit.Eventually(t, func() bool {
					m.HangUp()                                           // as a server does that is ended
					return len(deliveryOf(owner, id)) > len("QUEUED 1 ") // it says why
				})
				m.Answer(c.command, "")
				w.Clock.Advance(15 * time.Second)
				delivered(t, owner, id, "SENT 2")
				letters := slices.Concat(m.Dropped(), m.Taken())
				equal(t, "to", letters[0].To, "ann@x.org")
				for _, l := range letters {
					equal(t, "Message-ID", l.MessageID, letters[0].MessageID)
				}
			})
		})
	}
}

func TestEverythingGoesOutOnceTheMailServerIsBack(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		ail, mend func(m *testkit.MailServer)
	}{
		{"BEY-16 after it was down", (*testkit.MailServer).Down, (*testkit.MailServer).Up},
		{"BEY-16 after it was busy", func(m *testkit.MailServer) { m.Answer("RCPT", "451 busy") }, func(m *testkit.MailServer) { m.Answer("RCPT", "") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			eachRelayed(t, func(t *testing.T, w *testkit.World, m *testkit.MailServer) {
				const n = 40
				owner := w.SignUp("olivia@acme.test")
				c.ail(m)
				emails := make([]string, n)
				for i := range emails {
					emails[i] = fmt.Sprintf("p%d@x.org", i)
				}
				ids := inviteAll(owner, emails, "roleIds", []string{owner.Role("billing")}).OK().List("inviteUsers.results", "invitation.id")
				attempted := func(times string) {
					t.Helper()
					testkit.Eventually(t, func() bool {
						return !slices.ContainsFunc(ids, func(id string) bool { return !strings.HasPrefix(deliveryOf(owner, id), "QUEUED "+times+" ") })
					})
				}
				attempted("1")
				// Each next attempt is due at the latest after 15, 30, 60 seconds …
				w.Clock.Advance(15 * time.Second)
				attempted("2")
				c.mend(m)
				// … but once the server works, no mail waits out its back-off.
				testkit.Eventually(t, func() bool {
					w.Clock.Advance(100 * time.Millisecond)
					return len(m.Taken()) == n
				})
				testkit.Eventually(t, func() bool {
					return !slices.ContainsFunc(ids, func(id string) bool { return !strings.HasPrefix(deliveryOf(owner, id), "SENT") })
				})
			})
		})
	}
}

func TestAMailNobodyNeeds(t *testing.T) {
	t.Parallel()
	eachRelayed(t, func(t *testing.T, w *testkit.World, m *testkit.MailServer) {
		owner := w.SignUp("olivia@acme.test")
		m.Answer("RCPT", "451 later")
		id := owner.Invite("ann@x.org", "billing").OK().Text("inviteUser.invitation.id")
		delivered(t, owner, id, "QUEUED 1 451 later")
		t.Run("BEY-18 the mail of an invitation revoked meanwhile is not sent", func(t *testing.T) {
			revoke(owner, id).OK()
			m.Answer("RCPT", "")
			w.Clock.Advance(15 * time.Second)
			delivered(t, owner, id, "FAILED 1 It was revoked before the mail went out.")
			equal(t, "letters", len(m.Taken()), 0)
		})
		t.Run("BEY-21 the timeline tells it, with who did what", func(t *testing.T) {
			equalList(t, "timeline", timeline(owner, id), "INVITATION_CREATED olivia@acme.test", "INVITATION_QUEUED olivia@acme.test",
				"INVITATION_REVOKED olivia@acme.test", "INVITATION_FAILED Convoke")
		})
	})
}

// hook reports to the mail hook and returns status and body.
func hook(t *testing.T, w *testkit.World, secret, body string) (status int, answer map[string]any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.URL+"/hooks/mail", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if secret != "" {
		req.Header.Set("Authorization", "Bearer "+secret)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		t.Fatalf("%d %s: %v", res.StatusCode, raw, err)
	}
	return res.StatusCode, answer
}

func TestTheMailHook(t *testing.T) {
	t.Parallel()
	const secret = "0123456789abcdef"
	eachRelayed(t, func(t *testing.T, w *testkit.World, m *testkit.MailServer) {
		owner := w.SignUp("olivia@acme.test")
		sent := func(email string) (id, messageID string) {
			id = owner.Invite(email, "billing").OK().Text("inviteUser.invitation.id")
			delivered(t, owner, id, "SENT 1")
			letters := m.Taken()
			return id, letters[len(letters)-1].MessageID
		}
		t.Run("GR-10 a provider reports a bounce by the Message-ID", func(t *testing.T) {
			id, messageID := sent("ann@x.org")
			stream := owner.Subscribe(watch, map[string]any{"team": owner.TeamID, "after": eventCursor(owner)})
			report := fmt.Sprintf(`{"type": "bounced", "messageId": "<%s>", "reason": "mailbox\r\nunavailable", "provider": "any"}`, messageID)
			for want := range slices.Values([]float64{1, 0}) { // the second time it is known
				status, answer := hook(t, w, secret, report)
				equal(t, "status", status, 200)
				equal(t, "invitations", answer["invitations"], any(want))
			}
			equal(t, "delivery", deliveryOf(owner, id), "BOUNCED 1 mailbox unavailable")
			equal(t, "seen live", seen(stream.Next().OK()), "DELIVERY_CHANGED ann@x.org")
			equalList(t, "timeline", timeline(owner, id), "INVITATION_CREATED olivia@acme.test", "INVITATION_QUEUED olivia@acme.test",
				"INVITATION_SENT Convoke", "INVITATION_BOUNCED Convoke")
			owner.Mutate("resendInvite", "", "invitationId", id).OK()
			delivered(t, owner, id, "SENT 1")
			_, answer := hook(t, w, secret, report)
			equal(t, "an older mail", answer["invitations"], any(0.0))
		})
		t.Run("GR-10 or by the address", func(t *testing.T) {
			id, _ := sent("Bob@x.org")
			status, answer := hook(t, w, "", `{"type": "bounced", "email": "bob@X.org", "secret": "`+secret+`"}`)
			equal(t, "status", status, 200)
			equal(t, "invitations", answer["invitations"], any(1.0))
			equal(t, "delivery", deliveryOf(owner, id), "BOUNCED 1 The mail came back.")
		})
		t.Run("HARD-13 the provider's own fields in other letters are ignored", func(t *testing.T) {
			id, messageID := sent("cat@x.org")
			status, answer := hook(t, w, secret, `{"type": "bounced", "messageId": "`+messageID+`", "Type": "HardBounce", "MessageID": 7, "Email": "dan@x.org"}`)
			equal(t, "status", status, 200)
			equal(t, "invitations", answer["invitations"], any(1.0))
			equal(t, "delivery", deliveryOf(owner, id), "BOUNCED 1 The mail came back.")
		})
		for _, bad := range []struct {
			secret, body, field string
			status              int
		}{
			{"", `{"type": "bounced", "email": "bob@x.org"}`, "", 401},
			{"wrong", `{"type": "bounced", "email": "bob@x.org"}`, "", 401},
			{secret, `{"type": "opened", "email": "bob@x.org"}`, "type", 400},
			{secret, `{"type": "bounced"}`, "messageId", 400},
			{secret, `{"type": "bounced", "email": "bob"}`, "email", 400},
			{secret, `[]`, "", 400},
			{secret, `null`, "", 400}, // HARD-13
			{secret, `{"type": "bounced", "email": "bob@x.org"} {}`, "", 400},
			{secret, `{"type": "` + strings.Repeat("x", 65<<10) + `"}`, "", 413},
		} {
			status, answer := hook(t, w, bad.secret, bad.body)
			field, _ := answer["field"].(string)
			equal(t, "status of "+bad.body[:min(40, len(bad.body))], status, bad.status)
			equal(t, "field", field, bad.field)
		}
		for _, id := range []string{"<x@y>", "a.b.c@d", "job_1.inv_1.1@x", "a.b.99999999999999999999@d", `a.b\u0000.1@d`} {
			status, answer := hook(t, w, secret, `{"type": "bounced", "messageId": "`+id+`"}`)
			equal(t, "status", status, 200)
			equal(t, "invitations", answer["invitations"], any(0.0))
		}
	}, func(c *server.Config) { c.MailHookSecret = secret })
}

// BenchmarkInviteWhileTheMailServer is one invitation after another while the
// mail server behaves well or badly: inviting must take as long.
func BenchmarkInviteWhileTheMailServer(b *testing.B) {
	for _, c := range []struct{ does, command, reply string }{
		{"takes", "RCPT", ""},
		{"is_busy", "RCPT", "451 busy"},
		{"refuses", "RCPT", "550 no"},
		{"hangs", "CONNECT", testkit.MailHang},
		{"breaks_off", "END", testkit.MailDrop},
		{"is_down", "", ""},
	} {
		b.Run(c.does, func(b *testing.B) {
			m := testkit.NewMailServer(b)
			w := testkit.New(b, b.TempDir()+"/convoke.db", throughSMTP(b, m))
			owner := w.SignUp("olivia@acme.test")
			role := owner.Role("billing")
			if err := w.Server.Roster.SetLimits(b.Context(), owner.AccountID(), roster.Limits{MaxPendingInvitations: &roster.Limit{}}); err != nil {
				b.Fatal(err)
			}
			if c.command == "" {
				m.Down()
			} else {
				m.Answer(c.command, c.reply)
			}
			n := 0
			for b.Loop() {
				n++
				owner.Do(testkit.InviteMutation, testkit.Input("teamId", owner.TeamID, "email", "p"+itoa(n)+"@example.org", "roleIds", []string{role})).OK()
			}
			b.StopTimer()
			m.HangUp()
		})
	}
}
