package server_test

import (
	"context"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/server"
)

// repliesTo waits for the nth mail to the address, and returns its Reply-To.
func repliesTo(t *testing.T, m *testkit.MailServer, email string, n int) string {
	t.Helper()
	var found []testkit.Letter
	testkit.Eventually(t, func() bool {
		found = nil
		for _, l := range m.Taken() {
			if l.To == email {
				found = append(found, l)
			}
		}
		return len(found) >= n
	})
	parsed, err := netmail.ReadMessage(strings.NewReader(found[n-1].Data))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(parsed.Header["Reply-To"], " and ")
}

func TestRepliesGoWhereTheSettingSays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ setting, invitation, other string }{
		"HARD-15 without a setting to the sender": {"", "", ""},
		"HARD-15 none is the sender":              {"none", "", ""},
		"HARD-15 inviter is of invitations alone": {"inviter", "<olivia@acme.test>", ""},
		"HARD-15 an address is of all mails":      {"Help@Bücher.example", "<Help@xn--bcher-kva.example>", "<Help@xn--bcher-kva.example>"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachRelayed(t, func(t *testing.T, w *testkit.World, m *testkit.MailServer) {
				w.SignUp("olivia@acme.test").Invite("ann@x.org", "billing").OK()
				equal(t, "invitation", repliesTo(t, m, "ann@x.org", 1), c.invitation)
				w.Anonymous().Mutate("signUp", "verificationSent", "email", "bob@x.org", "password", testkit.Password).OK()
				equal(t, "another mail", repliesTo(t, m, "bob@x.org", 1), c.other)
			}, func(cfg *server.Config) {
				var err error
				if cfg.ReplyTo, err = server.ParseReplyTo(c.setting); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

func TestRepliesGoToAnInviterWhoIsThere(t *testing.T) {
	t.Parallel()
	eachRelayed(t, func(t *testing.T, w *testkit.World, m *testkit.MailServer) {
		owner := w.SignUp("olivia@acme.test")
		keepInvitations(owner)
		ina := owner.Join("ina@acme.test", "account_admin")
		id := ina.Invite("ann@x.org", "billing").OK().Text("inviteUser.invitation.id")
		sent := 0
		replies := func(what, want string) {
			t.Helper()
			if sent++; sent > 1 {
				w.Clock.Advance(25 * time.Hour)
				owner.Mutate("resendInvite", "invitation { id }", "invitationId", id).OK()
			}
			equal(t, "HARD-15 the reply goes to "+what, repliesTo(t, m, "ann@x.org", sent), want)
		}
		prove := func(p user.EmailProof) {
			t.Helper()
			ctx := access.System(t.Context(), "change how an address was proven")
			if err := w.Server.Store.InTx(ctx, func(tx *store.Tx) error { return setProof(ctx, tx, "ina@acme.test", p) }); err != nil {
				t.Fatal(err)
			}
		}
		inas := "<ina@acme.test>"
		replies("the inviter", inas)
		replies("the inviter, although somebody else resends it", inas)
		prove(user.EmailProofTrust)
		replies("nobody at an address that is not proven", "")
		prove(user.EmailProofMail)
		replies("an address that is proven", inas)
		member := owner.MemberID("ina@acme.test")
		owner.Mutate("deactivateMember", "member { id }", "memberId", member).OK()
		replies("nobody who is deactivated", "")
		owner.Mutate("reactivateMember", "member { id }", "memberId", member).OK()
		replies("an inviter who is back", inas)
		owner.Mutate("removeMember", "removedMemberId", "memberId", member).OK()
		replies("nobody who left the team", "")
	}, func(cfg *server.Config) { cfg.ReplyTo = server.ReplyTo{Inviter: true} })
}

func setProof(ctx context.Context, tx *store.Tx, email string, p user.EmailProof) error {
	return tx.User.Update().Where(user.Email(email)).SetEmailProof(p).Exec(ctx)
}

func TestParseReplyTo(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]server.ReplyTo{
		"": {}, "none": {}, "inviter": {Inviter: true}, "help@example.com\n": {Address: "help@example.com"}, "help@example.com": {Address: "help@example.com"},
	} {
		if got, err := server.ParseReplyTo(typed); err != nil || got != want {
			t.Errorf("HARD-15 %q: got %+v, %v, want %+v", typed, got, err, want)
		}
	}
	for _, typed := range []string{
		"None", "INVITER", "owner", "help", "help@", "@example.com", "Help <help@example.com>", "<help@example.com>", "a@example.com, b@example.com",
		"help@example.com\r\nBcc: victim@example.com", "help@example.com\nX: y", "help\x00@example.com", "hélp@example.com", "help@localhost", "help@example.com\u202e",
		strings.Repeat("a", 65) + "@example.com",
	} {
		if got, err := server.ParseReplyTo(typed); err == nil || !strings.Contains(err.Error(), "neither none, inviter nor an address") {
			t.Errorf("HARD-15 %q: got %+v, %v, want a refusal", typed, got, err)
		}
	}
}
