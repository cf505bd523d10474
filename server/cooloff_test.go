package server_test

import (
	"strings"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/invite"
	"github.com/convoke-dev/convoke/internal/outbox"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/server"
)

const (
	aDay   = 24 * time.Hour
	coolly = "INVITE_COOL_OFF email"
)

// unlimited lifts the rate limits, so that nothing but a cool-off refuses.
func unlimited(c *server.Config) { c.RateLimits = server.RateLimits{} }

// mailed invites by mail and returns the token and the id.
func mailed(w *testkit.World, p *testkit.Person, t *testing.T, email string, more ...any) (token, id string) {
	t.Helper()
	before := len(w.Mail.To(email))
	id = p.Do(testkit.InviteMutation, testkit.Input(append([]any{"teamId", p.TeamID, "email", email, "permissions", []string{"team.read"}}, more...)...)).
		OK().Text("inviteUser.invitation.id")
	return testkit.Token(t, w.Mail.Wait(t, email, before+1)), id
}

func tryInvite(p *testkit.Person, email string) *testkit.Answer {
	return p.Mutate("inviteUser", "invitation { id }", "teamId", p.TeamID, "email", email, "permissions", []string{"team.read"}, "sendEmail", false)
}

// HARD-16: an address that declined is left alone for a while, whatever the account tries.
func TestAnAddressThatDeclinedHasACoolOff(t *testing.T) {
	t.Parallel()
	eachWith(t, unlimited, func(t *testing.T, w *testkit.World) {
		owner, foreign := w.SignUp("olivia@acme.test"), w.SignUp("oscar@other.test")
		second := owner.In(owner.Mutate("createTeam", "team { id }", "accountId", owner.AccountID(), "name", "Second").OK().Text("createTeam.team.id"))
		admin := owner.JoinWith("adam@acme.test", "allPermissions", true)
		_, open := mailed(w, second, t, "ann@x.org")
		token, _ := mailed(w, owner, t, "ann@x.org")
		w.Anonymous().Mutate("declineInvite", "", "token", token).OK()
		t.Run("HARD-16 another team, inviter or spelling does not go around it", func(*testing.T) {
			for _, p := range []*testkit.Person{owner, admin} {
				for _, email := range []string{"ann@x.org", "ANN@X.ORG", "ann+work@x.org", "Ann+a+b@x.org"} {
					tryInvite(p, email).Refused(coolly)
				}
			}
			resend(second, open).Refused("INVITE_COOL_OFF invitationId")
			second.Mutate("inviteUser", "", "teamId", second.TeamID, "email", "ann@x.org", "permissions", []string{"team.read"}, "onConflict", "RESEND").Refused(coolly)
			revoke(second, open).OK()
			tryInvite(second, "ann@x.org").Refused(coolly)
			resend(second, open).Refused("INVITATION_REVOKED")
			third := owner.In(owner.Mutate("createTeam", "team { id }", "accountId", owner.AccountID(), "name", "Third").OK().Text("createTeam.team.id"))
			tryInvite(third, "ann@x.org").Refused(coolly)
		})
		t.Run("HARD-16 nor does a resend of an expired invitation", func(t *testing.T) {
			_, id := mailed(w, second, t, "eve@x.org", "expiresInHours", 1)
			w.Clock.Advance(2 * time.Hour)
			no, _ := mailed(w, owner, t, "eve@x.org")
			w.Anonymous().Mutate("declineInvite", "", "token", no).OK()
			resend(second, id).Refused("INVITE_COOL_OFF invitationId")
			a := second.Mutate("resendInvites", "results { outcome userErrors { code field message } }", "teamId", second.TeamID, "invitationIds", []string{id}).OK()
			equal(t, "code", a.Text("resendInvites.results.0.userErrors.0.code"), "INVITE_COOL_OFF")
			w.Clock.Advance(-2 * time.Hour)
		})
		t.Run("HARD-16 nor do bulk forms, and the others are invited", func(t *testing.T) {
			a := owner.Mutate("inviteUsers", "results { outcome userErrors { code field message retryAfterSeconds } }", "teamId", owner.TeamID,
				"emails", []string{"bob@x.org", "ann@x.org", "a.n.n+x@x.org"}, "permissions", []string{"team.read"}).OK()
			equalList(t, "outcomes", a.List("inviteUsers.results", "outcome"), "INVITED", "FAILED", "INVITED")
			equal(t, "code", a.Text("inviteUsers.results.1.userErrors.0.code"), "INVITE_COOL_OFF")
			equal(t, "field", a.Text("inviteUsers.results.1.userErrors.0.field.1"), "1")
		})
		t.Run("HARD-16 the inviter is told when, and not why", func(t *testing.T) {
			a := owner.Do(`mutation($input: InviteUserInput!) { inviteUser(input: $input) { userErrors { code field message retryAfterSeconds } } }`,
				testkit.Input("teamId", owner.TeamID, "email", "ann@x.org", "permissions", []string{"team.read"})).Refused(coolly)
			equal(t, "seconds", a.Text("inviteUser.userErrors.0.retryAfterSeconds"), itoa((7*24-2)*60*60+1)) // the server's clock did not go back by the two hours
			message := a.Text("inviteUser.userErrors.0.message")
			equal(t, "message", message, "This address takes no invitations from this account until 14 January 2030, 12:00 UTC.")
		})
		t.Run("HARD-16 other accounts are not concerned, and learn nothing", func(*testing.T) {
			tryInvite(foreign, "ann@x.org").OK()
		})
		t.Run("HARD-16 it ends by itself, and lasts longer the next time", func(*testing.T) {
			for _, days := range []int{7, 30, 90, 90} {
				w.Clock.Advance(time.Duration(days)*aDay - time.Minute)
				owner = w.SignIn(owner.Email).In(owner.TeamID)
				tryInvite(owner, "ann@x.org").Refused(coolly)
				w.Clock.Advance(time.Minute)
				again, _ := mailed(w, owner, t, "ann@x.org")
				w.Anonymous().Mutate("declineInvite", "", "token", again).OK()
			}
		})
		t.Run("HARD-16 who declined by mistake ends it, and accepting ends it", func(t *testing.T) {
			last := testkit.Token(t, w.Mail.Wait(t, "ann@x.org", len(w.Mail.To("ann@x.org"))))
			w.Anonymous().Mutate("unblockInvitations", "unblockedId", "token", last).OK()
			again, _ := mailed(w, owner, t, "ann@x.org")
			w.Anonymous().Accept(again, "password", testkit.Password).OK()
		})
	})
}

// HARD-16: so is one that was invited and revoked again and again.
func TestAnAddressThatIsRevokedAgainAndAgain(t *testing.T) {
	t.Parallel()
	eachWith(t, unlimited, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		team := func(name string) *testkit.Person {
			return owner.In(owner.Mutate("createTeam", "team { id }", "accountId", owner.AccountID(), "name", name).OK().Text("createTeam.team.id"))
		}
		t.Run("HARD-16 by one, by many at once, and with their team", func(*testing.T) {
			_, id := mailed(w, owner, t, "ann@x.org")
			revoke(owner, id).OK()
			_, id = mailed(w, owner, t, "ann+again@x.org")
			owner.Mutate("revokeInvites", "results { outcome }", "teamId", owner.TeamID, "invitationIds", []string{id}).OK()
			short := team("Short")
			mailed(w, short, t, "ann@x.org")
			short.Mutate("deleteTeam", "", "teamId", short.TeamID).OK()
			tryInvite(owner, "ann@x.org").Refused(coolly)
			tryInvite(team("Other"), "Ann@X.org").Refused(coolly)
			w.Clock.Advance(7 * aDay)
			owner = w.SignIn(owner.Email).In(owner.TeamID)
			tryInvite(owner, "ann@x.org").OK()
		})
		t.Run("HARD-16 or by a short validity", func(*testing.T) {
			for range 3 {
				mailed(w, owner, t, "bob@x.org", "expiresInHours", 1)
				w.Clock.Advance(2 * time.Hour)
				owner = w.SignIn(owner.Email).In(owner.TeamID)
			}
			mailed(w, owner, t, "bob@x.org", "expiresInHours", 1)
			w.Clock.Advance(2 * time.Hour)
			owner = w.SignIn(owner.Email).In(owner.TeamID)
			tryInvite(owner, "bob@x.org").Refused(coolly)
		})
		t.Run("HARD-16 what is long over is forgotten", func(t *testing.T) {
			w.Clock.Advance(200 * aDay)
			owner = w.SignIn(owner.Email).In(owner.TeamID)
			_, id := mailed(w, owner, t, "dora@x.org")
			revoke(owner, id).OK()
			n, err := w.Server.Store.Read().CoolOff.Query().Count(access.System(t.Context(), "count the cool-offs"))
			if err != nil || n != 1 {
				t.Errorf("%d cool-offs are stored, %v; want that of the last address", n, err)
			}
		})
		t.Run("HARD-16 what was never mailed troubled nobody", func(*testing.T) {
			for range 5 {
				revoke(owner, tryInvite(owner, "carl@x.org").OK().Text("inviteUser.invitation.id")).OK()
			}
		})
	})
}

// HARD-16: the addressee says "never from this account", with or without a user.
func TestNeverFromThisAccount(t *testing.T) {
	t.Parallel()
	eachWith(t, unlimited, func(t *testing.T, w *testkit.World) {
		owner, foreign := w.SignUp("olivia@acme.test"), w.SignUp("oscar@other.test")
		blocks := func(p *testkit.Person) []string {
			return p.Do(`{ viewer { invitationBlocks { totalCount nodes { id accountName blockedAt } } } }`, nil).OK().List("viewer.invitationBlocks.nodes", "accountName")
		}
		blockID := func(p *testkit.Person) string {
			return p.Do(`{ viewer { invitationBlocks { nodes { id } } } }`, nil).OK().Text("viewer.invitationBlocks.nodes.0.id")
		}
		previewOf := func(c *testkit.Client, token string) any {
			return c.Do(`query($token: String!) { invitationByToken(token: $token) { accountBlocked } }`, map[string]any{"token": token}).OK().At("invitationByToken.accountBlocked")
		}
		name := owner.Ask(`account { name }`).OK().Text("team.account.name")
		token, _ := mailed(w, owner, t, "ann@x.org")
		t.Run("HARD-16 by the link, without a user; no time ends it, and nobody is told why", func(t *testing.T) {
			equal(t, "blocked", previewOf(w.Anonymous(), token), any(false))
			a := w.Anonymous().Mutate("declineInvite", "", "token", token, "blockAccount", true).OK()
			equal(t, "the account learns it", strings.Contains(a.Raw, "block"), false)
			equal(t, "blocked", previewOf(w.Anonymous(), token), any(true))
			equal(t, "blocked, for somebody else", previewOf(owner.Client, token), any(false))
			w.Clock.Advance(1000 * aDay)
			owner, foreign = w.SignIn(owner.Email), w.SignIn(foreign.Email)
			a = owner.Do(`mutation($input: InviteUserInput!) { inviteUser(input: $input) { userErrors { code field message retryAfterSeconds } } }`,
				testkit.Input("teamId", owner.TeamID, "email", "Ann@x.org", "permissions", []string{"team.read"})).Refused(coolly)
			equal(t, "seconds", a.At("inviteUser.userErrors.0.retryAfterSeconds"), nil)
			tryInvite(owner, "ann+tag@x.org").Refused(coolly)
			tryInvite(foreign, "ann@x.org").OK()
		})
		ann := w.SignUp("ann@x.org")
		t.Run("HARD-16 the addressee sees it and takes it back", func(t *testing.T) {
			equalList(t, "blocks", blocks(ann), name)
			equalList(t, "the owner's blocks", blocks(owner))
			id := blockID(ann)
			foreign.Mutate("unblockInvitations", "", "blockId", id).Refused("NOT_FOUND")
			w.Anonymous().Mutate("unblockInvitations", "", "blockId", id).Refused("UNAUTHENTICATED")
			equal(t, "unblocked", ann.Mutate("unblockInvitations", "unblockedId", "blockId", id).OK().Text("unblockInvitations.unblockedId"), id)
			ann.Mutate("unblockInvitations", "", "blockId", id).Refused("NOT_FOUND")
			equalList(t, "blocks", blocks(ann))
			token, _ = mailed(w, owner, t, "ann@x.org")
		})
		t.Run("HARD-16 by the link of any state, twice, and back; not by who holds a link that was not mailed", func(t *testing.T) {
			w.Anonymous().Mutate("blockInvitations", "block { id }", "token", token).OK()
			equal(t, "block", ann.Mutate("blockInvitations", "block { id accountName }", "token", token).OK().Text("blockInvitations.block.accountName"), name)
			foreign.Mutate("blockInvitations", "", "token", token).Refused("EMAIL_MISMATCH")
			foreign.Mutate("unblockInvitations", "", "token", token).Refused("EMAIL_MISMATCH")
			w.Clock.Advance(100 * aDay)
			owner, ann, foreign = w.SignIn(owner.Email), w.SignIn(ann.Email), w.SignIn(foreign.Email)
			tryInvite(owner, "ann@x.org").Refused(coolly)
			w.Anonymous().Mutate("unblockInvitations", "", "token", token).OK()
			a := tryInvite(owner, "bob@x.org").OK()
			handed := owner.Mutate("resendInvite", "inviteUrl", "invitationId", a.Text("inviteUser.invitation.id"), "sendEmail", false).OK().Text("resendInvite.inviteUrl")
			w.Anonymous().Mutate("blockInvitations", "", "token", tokenOf(t, handed)).Refused("AUTHENTICATION_REQUIRED")
			w.Anonymous().Mutate("unblockInvitations", "", "token", tokenOf(t, handed)).Refused("AUTHENTICATION_REQUIRED")
			equal(t, "blocked", previewOf(w.Anonymous(), tokenOf(t, handed)), any(false))
		})
		t.Run("HARD-16 an open invitation stays, and no mail goes out for it", func(t *testing.T) {
			_, id := mailed(w, owner, t, "ann@x.org")
			ann.Mutate("blockInvitations", "block { id }", "id", id).OK()
			resend(owner, id).Refused("INVITE_COOL_OFF invitationId")
			equal(t, "waiting", ann.Do(received, nil).OK().Text("viewer.receivedInvitations.totalCount"), "1")
			ann.Do(testkit.AcceptMutation, testkit.Input("id", id)).OK()
			equalList(t, "blocks", blocks(ann), name) // accepting one invitation is no wish for more
		})
	})
}

// HARD-16: a mail that waits in the queue is not sent any more.
func TestNoMailAfterABlock(t *testing.T) {
	t.Parallel()
	eachWith(t, unlimited, func(t *testing.T, w *testkit.World) {
		owner, ann := w.SignUp("olivia@acme.test"), w.SignUp("ann@x.org")
		id := tryInvite(owner, "ann@x.org").OK().Text("inviteUser.invitation.id")
		ann.Mutate("blockInvitations", "block { id }", "id", id).OK()
		// A resend is refused, so the test puts the mail into the queue itself.
		ctx := access.System(t.Context(), "queue a mail")
		account := owner.AccountID()
		err := w.Server.Store.InAccount(ctx, account, func(tx *store.Tx) error {
			return w.Server.Invites.Outbox.Enqueue(ctx, tx, outbox.Draft{Kind: invite.MailInvitation, AccountID: account, SubjectID: id, Generation: 1})
		})
		if err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, func() bool {
			a := owner.Do(`query($id: ID!) { node(id: $id) { ... on Invitation { delivery { status error } } } }`, map[string]any{"id": id}).OK()
			return a.Text("node.delivery.status") == "FAILED" && a.Text("node.delivery.error") == "The address takes no invitations from this account."
		})
		equal(t, "mails", len(w.Mail.To("ann@x.org")), 1) // of the sign-up
	})
}
