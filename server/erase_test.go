package server_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/testdb"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/server"
)

// everything returns all rows of all tables as text, one line for each row.
func everything(t *testing.T, address string) string {
	t.Helper()
	driver, tables := "sqlite3", "SELECT name FROM sqlite_master WHERE type = 'table'"
	dsn := "file:" + address
	if store.IsPostgres(address) {
		driver, tables, dsn = "pgx", "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'", address
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var all strings.Builder
	for _, table := range texts(t, db, tables) {
		query := `SELECT t::text FROM "` + table + `" t`
		if driver == "sqlite3" {
			var names []string
			for _, c := range texts(t, db, "SELECT name FROM pragma_table_info('"+table+"')") {
				names = append(names, "quote(CAST(\""+c+"\" AS TEXT))")
			}
			query = `SELECT ` + strings.Join(names, " || ' ' || ") + ` FROM "` + table + `"`
		}
		for _, row := range texts(t, db, query) {
			fmt.Fprintf(&all, "%s: %s\n", table, row)
		}
	}
	return all.String()
}

// traces returns the lines of everything that contain one of the texts, in any case.
func traces(t *testing.T, address string, of ...string) (found []string) {
	t.Helper()
	for line := range strings.Lines(everything(t, address)) {
		for _, text := range of {
			if strings.Contains(strings.ToLower(line), strings.ToLower(text)) {
				found = append(found, line)
			}
		}
	}
	return found
}

func erase(p *testkit.Person, password string) *testkit.Answer {
	return p.Mutate("eraseMe", "erasedUserId", "password", password)
}

func TestErasure(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		w := testkit.New(t, address)
		owner := w.SignUp("olivia@acme.test")
		zoe := owner.Join("zoe.zimmer@Example.org", "account_admin")
		zoe.Mutate("updateProfile", "user { id }", "firstName", "Zoë", "lastName", "Zimmermann", "jobTitle", "Zookeeper").OK()
		invited := zoe.Invite("friend@x.org", "billing").OK().Text("inviteUser.invitation.id")
		other := w.SignUp("otto@other.test")
		other.Invite("ZOE.zimmer@example.org", "billing", "firstName", "Zoë", "lastName", "Zimmermann", "note", "Dear Zimmermann").OK()
		declined := w.SignUp("third@third.test")
		old := declined.Invite("zoe.zimmer@example.org", "billing").OK().Text("inviteUser.invitation.id")
		declined.Mutate("revokeInvite", "invitation { id }", "invitationId", old).OK()
		w.Anonymous().Do(`mutation($e: EmailAddress!) { requestPasswordReset(input: {email: $e}) { resetSent } }`, map[string]any{"e": "zoe.zimmer@example.org"}).OK()
		before := owner.Ask(`eventCursor`).OK().Text("team.eventCursor")
		stream := zoe.Subscribe(`subscription($team: ID!) { membersChanged(teamId: $team) { type } }`, map[string]any{"team": owner.TeamID})
		member := owner.MemberID("zoe.zimmer@Example.org")
		names := []string{"zimmer", "zoo", "zoë"}
		if len(traces(t, address, names...)) == 0 {
			t.Fatal("the test finds no trace of the person before the erasure")
		}

		t.Run("HARD-17 a wrong password erases nobody", func(*testing.T) {
			erase(zoe, "not the password").Refused("INVALID_CREDENTIALS password")
			zoe.Mutate("eraseMe", "erasedUserId").Refused("INVALID_CREDENTIALS password")
		})
		t.Run("HARD-17 the owner of a team with other people transfers it first", func(*testing.T) {
			erase(owner, testkit.Password).Refused("OWNER_PROTECTED")
		})
		id := zoe.Do(`{ viewer { user { id } } }`, nil).OK().Text("viewer.user.id")
		t.Run("HARD-17 an erased person leaves no address and no name in any table", func(t *testing.T) {
			equal(t, "id", erase(zoe, testkit.Password).OK().Text("eraseMe.erasedUserId"), id)
			if left := traces(t, address, names...); len(left) > 0 {
				t.Errorf("%d rows have a trace of the person:\n%s", len(left), strings.Join(left, ""))
			}
			for line := range strings.Lines(everything(t, address)) {
				if strings.HasPrefix(line, "events:") && strings.Contains(line, id) && strings.Contains(line, "127.0.0.1") {
					t.Errorf("an event has the person's address: %s", line)
				}
			}
		})
		t.Run("HARD-17 their sessions and streams end", func(t *testing.T) {
			equal(t, "session", zoe.Do(`{ viewer { user { id } } }`, nil).Code(), "UNAUTHENTICATED")
			endsWith(t, stream, "UNAUTHENTICATED")
			signIn(w, "zoe.zimmer@example.org", testkit.Password).Refused("INVALID_CREDENTIALS")
		})
		t.Run("HARD-17 others see a pseudonym", func(t *testing.T) {
			a := owner.Do(`query($id: ID!) { node(id: $id) { ... on Invitation { status inviter { ... on User { id email isErased } } } } }`, map[string]any{"id": invited}).OK()
			equal(t, "status", a.Text("node.status"), "REVOKED")
			equal(t, "inviter", a.Text("node.inviter.email"), id+"@erased.invalid")
			equal(t, "erased", a.Text("node.inviter.isErased"), "true")
			b := other.Ask(`invitations { nodes { email status isForgotten firstName note } }`).OK()
			equalList(t, "states", b.List("team.invitations.nodes", "status"), "REVOKED")
			equalList(t, "forgotten", b.List("team.invitations.nodes", "isForgotten"), "true")
			audit := owner.Ask(`account { auditLog(first: 50) { nodes { type actor { ... on User { email } } } } }`).OK()
			if !strings.Contains(audit.Raw, id+"@erased.invalid") {
				t.Errorf("the audit log has no pseudonym: %.500s", audit.Raw)
			}
		})
		t.Run("HARD-17 live lists hear of it", func(t *testing.T) {
			s := owner.Subscribe(`subscription($team: ID!, $after: EventCursor) { membersChanged(teamId: $team, after: $after) { type removedMemberId } }`,
				map[string]any{"team": owner.TeamID, "after": before})
			equal(t, "removed", s.Next().Text("membersChanged.removedMemberId"), member)
		})
		t.Run("HARD-17 the address can sign up again, as somebody new", func(t *testing.T) {
			again := w.SignUp("zoe.zimmer@example.org")
			if got := again.Do(`{ viewer { user { id } } }`, nil).OK().Text("viewer.user.id"); got == id {
				t.Errorf("got the old id %s", got)
			}
		})
		t.Run("HARD-17 an account goes with the only person in it", func(t *testing.T) {
			account := declined.AccountID()
			division := newDivision(declined, "Third division", "")
			newGroup(declined, "Third group", newRole(declined, "third_role", "members.read"))
			newDivision(declined, "Below", division)
			erase(declined, testkit.Password).OK()
			if left := traces(t, address, "third"); len(left) > 0 {
				t.Errorf("%d rows are left:\n%s", len(left), strings.Join(left, ""))
			}
			if !strings.Contains(everything(t, address), account) {
				t.Error("the account's log is gone")
			}
		})
	})
}

func TestEndedInvitationsAreForgotten(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		w := testkit.New(t, address, func(c *server.Config) { c.ForgetAfter = 90 * 24 * time.Hour })
		owner := w.SignUp("olivia@acme.test")
		ids := map[string]string{}
		for _, name := range []string{"revoked", "declined", "expired", "accepted"} {
			first := "Quentin"
			if name == "accepted" {
				first = "Alice" // the user keeps the name
			}
			ids[name] = owner.Invite(name+".Person@example.org", "billing", "firstName", first, "note", "Hello Quentin", "expiresInHours", 720).OK().Text("inviteUser.invitation.id")
		}
		owner.Mutate("revokeInvite", "", "invitationId", ids["revoked"]).OK()
		w.Anonymous().Do(`mutation($t: String!) { declineInvite(input: {invitation: {token: $t}}) { userErrors { code } } }`,
			map[string]any{"t": testkit.Token(t, w.Mail.Wait(t, "declined.Person@example.org", 1))}).OK()
		w.Anonymous().Accept(testkit.Token(t, w.Mail.Wait(t, "accepted.Person@example.org", 1)), "password", testkit.Password).OK()
		sweep := func() {
			t.Helper()
			if err := w.Server.Invites.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := w.Server.Invites.ForgetOld(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		w.Clock.Advance(30*24*time.Hour + time.Minute)
		sweep() // the expired one has expired now
		w.Clock.Advance(60 * 24 * time.Hour)
		sweep()
		forgotten := func() string {
			a := w.SignIn("olivia@acme.test").Ask(`invitations(orderBy: {field: CREATED_AT, direction: ASC}) { nodes { status isForgotten } } counts { invited expired }`).OK()
			var list []string
			for n, status := range a.List("team.invitations.nodes", "status") {
				list = append(list, status+" "+a.List("team.invitations.nodes", "isForgotten")[n])
			}
			return strings.Join(list, ", ") + "; expired " + a.Text("team.counts.expired")
		}
		t.Run("HARD-17 after the retention time of each", func(t *testing.T) {
			equal(t, "after 90 days", forgotten(), "REVOKED true, DECLINED true, EXPIRED false, ACCEPTED true; expired 1")
			w.Clock.Advance(31 * 24 * time.Hour)
			sweep()
			equal(t, "after 121 days", forgotten(), "REVOKED true, DECLINED true, REVOKED true, ACCEPTED true; expired 0")
			sweep() // again is nothing
		})
		t.Run("HARD-17 nothing of the addressees is left", func(t *testing.T) {
			if left := traces(t, address, "quentin", "revoked.person", "declined.person", "expired.person"); len(left) > 0 {
				t.Errorf("%d rows:\n%s", len(left), strings.Join(left, ""))
			}
			if left := traces(t, address, "accepted.person"); len(left) == 0 {
				t.Error("the address of the user who accepted is gone too")
			}
		})
	})
}

func TestAPersonExportsTheirData(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		ann := owner.Join("ann@x.org", "account_admin")
		ann.Invite("secret.friend@x.org", "billing").OK()
		get := func(header ...string) page {
			return send(t, http.MethodGet, w.URL+"/my-data.json", "", header...)
		}
		t.Run("HARD-17 as one file", func(t *testing.T) {
			got := get("Authorization", "Bearer "+ann.Session)
			equal(t, "status", got.status, http.StatusOK)
			equal(t, "disposition", got.header.Get("Content-Disposition"), `attachment; filename="my-data.json"`)
			var data struct {
				User                struct{ Email string }
				Sessions            []struct{ ID string }
				Memberships         []struct{ Team string }
				InvitationsReceived []struct{ Email string }
				InvitationsSent     []struct{ ID string }
				Events              []struct{ Type string }
			}
			if err := json.Unmarshal([]byte(got.body), &data); err != nil {
				t.Fatalf("%v: %s", err, got.body)
			}
			equal(t, "user", data.User.Email, "ann@x.org")
			equal(t, "lists", fmt.Sprint(len(data.Sessions) > 0, len(data.Memberships) > 0, len(data.InvitationsReceived), len(data.InvitationsSent), len(data.Events) > 0), "true true 1 1 true")
			for _, not := range []string{"secret.friend", "@acme.test", "argon2", "hash"} {
				if strings.Contains(strings.ToLower(got.body), not) {
					t.Errorf("the export contains %q: %s", not, got.body)
				}
			}
		})
		t.Run("HARD-17 for oneself alone", func(t *testing.T) {
			equal(t, "nobody", get().status, http.StatusUnauthorized)
			equal(t, "a wrong session", get("Authorization", "Bearer wrong").status, http.StatusUnauthorized)
			equal(t, "another site", get("Authorization", "Bearer "+ann.Session, "Origin", "https://evil.example").status, http.StatusForbidden)
		})
	})
}
