package server_test

import (
	sqldriver "database/sql/driver"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/mattn/go-sqlite3"

	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/testdb"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/server"
)

// outage breaks the database of a server: while it is set, the statements that it selects
// fail.
type outage struct {
	f atomic.Pointer[func(query string) error]
}

func (o *outage) fail(query string) error {
	if f := o.f.Load(); f != nil {
		return (*f)(query)
	}
	return nil
}

// begin lets every statement fail with err.
func (o *outage) begin(err error) { o.only(func(string) error { return err }) }

func (o *outage) only(f func(query string) error) { o.f.Store(&f) }

func (o *outage) end() { o.f.Store(nil) }

// breakable is a setting that puts the database into the hands of the outage.
func breakable(o *outage) func(*server.Config) {
	return func(c *server.Config) {
		c.StoreOptions = append(c.StoreOptions, store.FailStatements(o.fail))
		c.MailHookSecret = "0123456789abcdef"
	}
}

// eachBreakable is each with an outage to break the database with.
func eachBreakable(t *testing.T, story func(t *testing.T, w *testkit.World, o *outage)) {
	t.Helper()
	testdb.Each(t, func(t *testing.T, address string) {
		t.Helper()
		o := &outage{}
		story(t, testkit.New(t, address, breakable(o)), o)
	})
}

func pgError(code string) error { return &pgconn.PgError{Severity: "ERROR", Code: code} }

// passing are errors of a database that is away, locked or full.
var passing = map[string]error{
	"PostgreSQL is stopped by its admin":     &pgconn.PgError{Severity: "FATAL", Code: "57P01"},
	"PostgreSQL has crashed":                 &pgconn.PgError{Severity: "FATAL", Code: "57P02"},
	"PostgreSQL is starting":                 &pgconn.PgError{Severity: "FATAL", Code: "57P03"},
	"PostgreSQL has no connection left":      pgError("53300"),
	"PostgreSQL's disk is full":              pgError("53100"),
	"PostgreSQL lost the connection":         pgError("08006"),
	"PostgreSQL gives up a transaction":      pgError("40001"),
	"PostgreSQL breaks a deadlock":           pgError("40P01"),
	"PostgreSQL is a standby":                pgError("25006"),
	"PostgreSQL cannot write its files":      pgError("58030"),
	"the connection was reset":               &net.OpError{Op: "read", Err: syscall.ECONNRESET},
	"the connection was closed in an answer": io.ErrUnexpectedEOF,
	"the driver found the connection closed": sqldriver.ErrBadConn,
	"SQLite's disk is full":                  sqlite3.Error{Code: sqlite3.ErrFull},
	"SQLite is busy":                         sqlite3.Error{Code: sqlite3.ErrBusy},
	"SQLite's table is locked":               sqlite3.Error{Code: sqlite3.ErrLocked},
	"SQLite cannot read or write":            sqlite3.Error{Code: sqlite3.ErrIoErr},
	"SQLite's file is read-only":             sqlite3.Error{Code: sqlite3.ErrReadonly},
	"SQLite cannot open its file":            sqlite3.Error{Code: sqlite3.ErrCantOpen},
}

// isUnavailable fails unless the answer is UNAVAILABLE with a time to wait, and nothing
// else.
func isUnavailable(t *testing.T, what string, got page) {
	t.Helper()
	equal(t, what+": status", got.status, http.StatusServiceUnavailable)
	equal(t, what+": Retry-After", got.header.Get("Retry-After"), "3")
	if !strings.Contains(got.body, `"code":"UNAVAILABLE"`) || !strings.Contains(got.body, `"retryAfterSeconds":3`) || strings.Contains(got.body, `"data"`) {
		t.Errorf("%s: got %s, want UNAVAILABLE, retryAfterSeconds, and no data", what, got.body)
	}
}

func TestWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	eachBreakable(t, func(t *testing.T, w *testkit.World, o *outage) {
		owner := w.SignUp("olivia@acme.test")
		bearer := []string{"Authorization", "Bearer " + owner.Session}
		const read = `{"query":"{ viewer { user { email } activeTeam { members { totalCount } } } }"}`
		_, refused := pgconn.Connect(t.Context(), "postgres://127.0.0.1:1/x?sslmode=disable")
		all := maps.Clone(passing)
		all["nothing listens there"] = refused
		for name, err := range all {
			t.Run("HARD-10 "+name, func(t *testing.T) {
				o.begin(err)
				defer o.end()
				for _, accept := range []string{"application/json", "application/graphql-response+json"} {
					isUnavailable(t, "a query of "+accept, post(t, w, read, append(bearer, "Accept", accept)...))
				}
				invite := `{"query":"mutation { inviteUser(input: {teamId: \"` + owner.TeamID + `\", email: \"ann@x.org\", grant: {allPermissions: true}}) { userErrors { code } } }"}`
				isUnavailable(t, "a mutation", post(t, w, invite, bearer...))
				signIn := `{"query":"mutation { signIn(input: {email: \"olivia@acme.test\", password: \"` + testkit.Password + `\"}) { userErrors { code } } }"}`
				isUnavailable(t, "a sign-in", post(t, w, signIn))
				isUnavailable(t, "a session that is not known yet", post(t, w, read, "Authorization", "Bearer "+strings.Replace(owner.Session, "cvs_", "cvs_x", 1)))
				byCookie := post(t, w, read, "Cookie", "convoke_session=x"+owner.Session)
				isUnavailable(t, "a cookie", byCookie)
				equal(t, "cookies that were cleared", byCookie.cookies, 0)
				hook := send(t, http.MethodPost, w.URL+"/hooks/mail", `{"type": "bounced", "email": "ann@x.org"}`,
					"Content-Type", "application/json", "Authorization", "Bearer 0123456789abcdef")
				equal(t, "the mail hook: status", hook.status, http.StatusServiceUnavailable)
				equal(t, "the mail hook: Retry-After", hook.header.Get("Retry-After"), "3")
				o.end()
				owner.Do(`{ team(id: "`+owner.TeamID+`") { invitations { totalCount } } }`, nil).OK()
			})
		}
		t.Run("HARD-10 the log has a line about it once a minute", func(t *testing.T) {
			if n := strings.Count(w.Log.String(), `"the database is not available"`); n != 1 {
				t.Errorf("%d lines, want 1", n)
			}
			if strings.Contains(w.Log.String(), `"level":"ERROR","msg":"request failed"`) {
				t.Error("requests were logged one by one")
			}
		})
		t.Run("HARD-10 every other error is INTERNAL", func(t *testing.T) {
			for name, err := range map[string]error{
				"a statement that is wrong": pgError("42601"), "a unique index": pgError("23505"), "a corrupt file": sqlite3.Error{Code: sqlite3.ErrCorrupt},
				"anything else": errors.New("away"),
			} {
				o.begin(err)
				got := post(t, w, read, bearer...)
				o.end()
				if !strings.Contains(got.body, `"code":"INTERNAL"`) {
					t.Errorf("%s: got %s, want INTERNAL", name, got.body)
				}
			}
		})
	})
}

// UNAVAILABLE promises that nothing was changed.
func TestACommitWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	eachBreakable(t, func(t *testing.T, w *testkit.World, o *outage) {
		owner := w.SignUp("olivia@acme.test")
		for name, err := range map[string]error{
			"the connection was lost": io.ErrUnexpectedEOF, "the server was stopped": &pgconn.PgError{Severity: "FATAL", Code: "57P01"},
			"SQLite could not flush": sqlite3.Error{Code: sqlite3.ErrIoErr},
		} {
			t.Run("HARD-10 an unknown outcome is TIMEOUT: "+name, func(*testing.T) {
				o.only(func(query string) error {
					if query == "COMMIT" {
						return err
					}
					return nil
				})
				defer o.end()
				owner.Invite("ann@x.org", "billing").Refused("TIMEOUT")
			})
		}
		t.Run("HARD-10 a commit that was refused is UNAVAILABLE", func(*testing.T) {
			o.only(func(query string) error {
				if query == "COMMIT" {
					return sqlite3.Error{Code: sqlite3.ErrFull}
				}
				return nil
			})
			defer o.end()
			owner.Invite("ann@x.org", "billing").Refused("UNAVAILABLE")
		})
		t.Run("HARD-10 what was changed and cannot be read is TIMEOUT", func(t *testing.T) {
			var invited, committed atomic.Bool // the server commits other things, too
			o.only(func(query string) error {
				switch {
				case committed.Load() && strings.HasPrefix(query, "SELECT"):
					return sqldriver.ErrBadConn
				case strings.HasPrefix(query, "INSERT INTO") && strings.Contains(query, "invitations"):
					invited.Store(true)
				case query == "COMMIT" && invited.Load():
					committed.Store(true)
				}
				return nil
			})
			defer o.end()
			owner.Invite("ann@x.org", "billing").Refused("TIMEOUT")
			o.end()
			equalList(t, "invited", owner.Do(`{ team(id: "`+owner.TeamID+`") { invitations { nodes { email } } } }`, nil).OK().List("team.invitations.nodes", "email"), "ann@x.org")
		})
	})
}

func TestStreamsWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	const changes = `subscription($team: ID!, $after: EventCursor) { inviteStatusChanged(teamId: $team, after: $after) { cursor invitation { email } } }`
	eachBreakable(t, func(t *testing.T, w *testkit.World, o *outage) {
		owner := w.SignUp("olivia@acme.test")
		from := owner.Do(`{ team(id: "`+owner.TeamID+`") { eventCursor } }`, nil).OK().Text("team.eventCursor")
		invite := func(email string) {
			t.Helper()
			delivered(t, owner, owner.Invite(email, "billing").OK().Text("inviteUser.invitation.id"), "SENT 1") // the last event of it
		}
		invite("ann@x.org")
		variables := map[string]any{"team": owner.TeamID, "after": from}
		for name, open := range map[string]func(string, map[string]any) *testkit.Stream{"sockets": owner.Subscribe, "event streams": owner.SubscribeSSE} {
			t.Run("HARD-10 "+name+" that wait go on, and new ones end with UNAVAILABLE", func(t *testing.T) {
				testkit.Eventually(t, func() bool { return w.Server.Streams() == 0 })
				waiting := open(changes, map[string]any{"team": owner.TeamID})
				defer waiting.Close()
				testkit.Eventually(t, func() bool { return w.Server.Streams() == 1 })
				o.begin(io.ErrUnexpectedEOF)
				defer o.end()
				endsWith(t, open(changes, variables), "UNAVAILABLE")
				o.end()
				again := open(changes, variables)
				defer again.Close()
				equal(t, "after its cursor", again.Next().Text("inviteStatusChanged.invitation.email"), "ann@x.org")
				email := strings.ReplaceAll(name, " ", ".") + "@x.org"
				invite(email)
				equal(t, "the stream that waited", waiting.Next().Text("inviteStatusChanged.invitation.email"), email)
			})
		}
	})
}
