package server_test

import (
	"maps"
	"net/http"
	"net/http/cookiejar"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/address"
	"github.com/convoke-dev/convoke/internal/auth"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/testdb"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/server"
)

// Two addresses of one length; only the first has a user.
const (
	knownAddress   = "known@acme.test"
	unknownAddress = "never@acme.test"
)

// alike is a server that only answers, with the user of the known address.
type alike struct {
	*testkit.World
	statements *atomic.Int64
	asker      *testkit.Client // for operations without a session
	owner      *testkit.Client // of a team the known user is not in
	teamID     string
	header     http.Header // of the newest answer
}

func newAlike(t testing.TB, database string, options ...func(*server.Config)) *alike {
	t.Helper()
	a := &alike{statements: &atomic.Int64{}}
	a.World = testkit.Idle(t, database, append(options, func(c *server.Config) {
		c.StoreOptions = []store.Option{store.ObserveStatements(func(string) { a.statements.Add(1) })}
	})...)
	for _, email := range []string{knownAddress, "owner@host.test"} {
		settle(t, a.World, email)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	noted := onAnswer(func(r *http.Response) { a.header = r.Header })
	a.asker = a.WithHTTP(&http.Client{Transport: noted})
	a.owner = a.WithHTTP(&http.Client{Transport: noted, Jar: jar})
	a.owner.Mutate("signIn", "", "email", "owner@host.test", "password", testkit.Password).OK()
	a.teamID = a.owner.Do(`{ viewer { activeTeam { id } } }`, nil).OK().Text("viewer.activeTeam.id")
	return a
}

// settle makes a user with a personal team, without any mail.
func settle(t testing.TB, w *testkit.World, email string) {
	t.Helper()
	ctx := access.System(t.Context(), "make a user")
	hash, err := w.Server.Auth.Hasher.Hash(ctx, testkit.Password)
	if err != nil {
		t.Fatal(err)
	}
	err = w.Server.Store.InTx(ctx, func(tx *store.Tx) error {
		u, err := w.Server.Auth.CreateUser(ctx, tx, auth.NewUser{Address: address.Address{Typed: email, Key: email}, PasswordHash: hash})
		if err == nil {
			_, err = w.Server.Auth.OpenPersonalAccount(ctx, tx, u, "")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// questions are all operations that anybody may ask about an address, and
// inviting, whose sender may know the people of their own team only.
func (a *alike) questions() map[string]func(email string) *testkit.Answer {
	return map[string]func(email string) *testkit.Answer{
		"signing up": func(email string) *testkit.Answer {
			return a.asker.Mutate("signUp", "verificationSent", "email", email, "password", newPassword)
		},
		"signing in": func(email string) *testkit.Answer {
			return a.asker.Mutate("signIn", "sessionToken expiresAt viewer { user { id } }", "email", email, "password", "a wrong password")
		},
		"signing in with the password of a sign-up": func(email string) *testkit.Answer {
			a.asker.Mutate("signUp", "", "email", email, "password", newPassword).OK()
			return a.asker.Mutate("signIn", "sessionToken expiresAt viewer { user { id } }", "email", email, "password", newPassword)
		},
		"asking for a reset": func(email string) *testkit.Answer {
			return a.asker.Mutate("requestPasswordReset", "resetSent", "email", email)
		},
		"asking for a verification once more": func(email string) *testkit.Answer {
			return a.asker.Mutate("resendVerification", "verificationSent", "email", email, "password", "a wrong password")
		},
		"asking for the verification of a sign-up once more": func(email string) *testkit.Answer {
			a.asker.Mutate("signUp", "", "email", email, "password", newPassword).OK()
			return a.asker.Mutate("resendVerification", "verificationSent", "email", email, "password", newPassword)
		},
		"changing one's own address to it": func(email string) *testkit.Answer {
			return a.owner.Mutate("changeEmail", "confirmationSent viewer { pendingEmailChange { newEmail confirmedByOld confirmedByNew } }",
				"newEmail", email, "password", testkit.Password)
		},
		"inviting": func(email string) *testkit.Answer {
			return a.owner.Mutate("inviteUser", "inviteUrl invitation { id status email firstName lastName expiresAt acceptedBy { id } member { id } delivery { status } }",
				"teamId", a.teamID, "email", email, "permissions", []string{"team.read"})
		},
		"inviting several": func(email string) *testkit.Answer {
			return a.owner.Mutate("inviteUsers", "invitedCount results { email outcome invitation { id status } userErrors { code } }",
				"teamId", a.teamID, "emails", []string{email}, "permissions", []string{"team.read"})
		},
	}
}

var idInAnswer = regexp.MustCompile(`\b[a-z]{3,4}_[0-9a-hjkmnp-tv-z]{26}\b`)

// told is the content of an answer, without ids and without the address in
// question.
func (a *alike) told(answer *testkit.Answer, email string) string {
	lines := []string{http.StatusText(answer.Status)}
	for _, name := range slices.Sorted(maps.Keys(a.header)) {
		if name != "X-Request-Id" && name != "Date" {
			lines = append(lines, name+": "+strings.Join(a.header[name], ", "))
		}
	}
	body := idInAnswer.ReplaceAllString(strings.ReplaceAll(answer.Raw, email, "ADDRESS"), "ID")
	return strings.Join(append(lines, body), "\n")
}

// work counts an answer's statements and its runs of the password hash, because
// these take time.
func (a *alike) work(ask func()) (statements, hashes int64) {
	statements, hashes = a.statements.Load(), a.Server.Auth.Hasher.Runs()
	ask()
	return a.statements.Load() - statements, a.Server.Auth.Hasher.Runs() - hashes
}

func TestNobodyLearnsWhoHasAUser(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, database string) {
		t.Helper()
		a := newAlike(t, database)
		for what, ask := range a.questions() {
			t.Run("BEY-29 "+what+" is answered alike, after the same work, for a known and an unknown address", func(t *testing.T) {
				ask("third@acme.test") // fill the caches
				for round := range 7 { // more rounds than there are sign-ups kept for one address
					var told [2]string
					var statements, hashes [2]int64
					for i, email := range []string{knownAddress, unknownAddress} {
						statements[i], hashes[i] = a.work(func() { told[i] = a.told(ask(email), email) })
					}
					equal(t, "answer about the known address", told[0], told[1])
					equal(t, "statements for the known address in round "+itoa(round), statements[0], statements[1])
					equal(t, "hashes for the known address in round "+itoa(round), hashes[0], hashes[1])
					if statements[0] == 0 || len(told[0]) < 50 {
						t.Fatalf("%d statements, %d bytes: this test sees nothing", statements[0], len(told[0]))
					}
				}
			})
		}
	})
}

// BenchmarkKnownAndUnknown asks about a known and an unknown address in turns
// and compares the medians.
func BenchmarkKnownAndUnknown(b *testing.B) {
	for what := range (&alike{}).questions() {
		b.Run(strings.ReplaceAll(what, " ", "-"), func(b *testing.B) {
			a := newAlike(b, b.TempDir()+"/convoke.db")
			ask := a.questions()[what]
			var took [2][]time.Duration
			n := 0
			for b.Loop() {
				for i, email := range []string{knownAddress, unknownAddress} {
					if n%2 == 1 {
						i, email = 1-i, []string{unknownAddress, knownAddress}[i]
					}
					began := time.Now()
					ask(email)
					took[i] = append(took[i], time.Since(began))
				}
				n++
			}
			median := func(d []time.Duration) float64 {
				slices.Sort(d)
				return float64(d[len(d)/2].Microseconds())
			}
			known, unknown := median(took[0]), median(took[1])
			b.ReportMetric(known, "µs-known")
			b.ReportMetric(unknown, "µs-unknown")
			b.ReportMetric(known-unknown, "µs-apart")
		})
	}
}
