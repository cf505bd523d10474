package server_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/testdb"
	"github.com/convoke-dev/convoke/internal/testkit"
)

func TestNoSecretIsKept(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		t.Helper()
		w := testkit.New(t, address)
		owner := w.SignUp("olivia@acme.test")
		stream := owner.Subscribe(watch, map[string]any{"team": owner.TeamID, "after": eventCursor(owner)})
		ann := owner.Join("ann@example.org", "viewer")
		open := owner.Invite("bob@example.org", "billing").OK()
		handed := owner.Invite("carl@example.org", "billing", "sendEmail", false).OK()
		signIn(w, "olivia@acme.test", "a wrong password of somebody").Refused("INVALID_CREDENTIALS")
		signUp(w, "dora@example.org", "the password of a newcomer").OK()
		reset, changed := resetToken(t, w, "ann@example.org"), w.SignUp("carla@example.org")
		in := resetPassword(w.Anonymous(), reset, "the password after a reset").OK()
		changed.Mutate("changePassword", "", "currentPassword", testkit.Password, "newPassword", "the password after a change").OK()
		oldAddress, newAddress := changeTokens(t, owner, w, "liv@new.org")
		confirmEmail(w.Anonymous(), newAddress).OK()
		secrets := map[string]string{
			"a link to an old address": oldAddress,
			"a link to a new address":  newAddress,
			"a used reset":             reset,
			"an open reset":            resetToken(t, w, "carla@example.org"),
			"a session after a reset":  in.Text("resetPassword.sessionToken"),
			"a password after a reset": "the password after a reset",
			"a changed password":       "the password after a change",
			"a session":                ann.Session,
			"the owner's session":      owner.Session,
			"a password":               testkit.Password,
			"a mistyped password":      "a wrong password of somebody",
			"a newcomer's password":    "the password of a newcomer",
			"an accepted invitation":   testkit.Token(t, w.Mail.Wait(t, "ann@example.org", 1)),
			"an open invitation":       testkit.Token(t, w.Mail.Wait(t, "bob@example.org", 1)),
			"a link handed over":       tokenOf(t, handed.Text("inviteUser.inviteUrl")),
			"a used verification":      testkit.Token(t, w.Mail.Wait(t, "olivia@acme.test", 1)),
			"an open verification":     testkit.Token(t, w.Mail.Wait(t, "dora@example.org", 1)),
			"the key of all of tokens": strings.Repeat("k", 32),
		}
		owner.Delivered("bob@example.org")
		answers := owner.Do(`query($id: ID!, $node: ID!) {
			viewer { user { id email } memberships { nodes { id } } }
			node(id: $node) { ... on Invitation { id email note status expiresAt delivery { status error attempts } permissions } }
			team(id: $id) { eventCursor members { edges { cursor node { user { email } effectivePermissions } } } invitations { edges { cursor node { id email } } } } }`,
			map[string]any{"id": owner.TeamID, "node": open.Text("inviteUser.invitation.id")}).OK().Raw
		for range 4 {
			answers += stream.Next().OK().Raw
		}
		t.Run("BEY-19 no token or password can be read from database, log, event or answer", func(t *testing.T) {
			for place, text := range map[string]string{"database": contents(t, address), "log": w.Log.String(), "answers": answers} {
				if len(text) < 500 {
					t.Errorf("the %s has only %d bytes: this test sees nothing", place, len(text))
				}
				for name, secret := range secrets {
					if strings.Contains(text, secret) {
						t.Errorf("%s can be read from the %s", name, place)
					}
				}
			}
		})
	})
}

// contents returns every byte of an SQLite database's files, or every row of a
// PostgreSQL schema as text.
func contents(t *testing.T, address string) string {
	t.Helper()
	var all strings.Builder
	if !store.IsPostgres(address) {
		files, err := filepath.Glob(address + "*")
		if err != nil || len(files) < 2 {
			t.Fatalf("files of the database: %q, %v; want it and its log", files, err)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(text)
		}
		return all.String()
	}
	db, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, table := range texts(t, db, `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()`) {
		for _, row := range texts(t, db, fmt.Sprintf(`SELECT t::text FROM %q t`, table)) {
			all.WriteString(row)
		}
	}
	return all.String()
}

func texts(t *testing.T, db *sql.DB, query string) (all []string) {
	t.Helper()
	rows, err := db.QueryContext(context.Background(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
