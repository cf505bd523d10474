package main_test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/testdb"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/internal/testkit/rounds"
)

// kills is how often the server is killed: a few times, or as often as make crash
// says in the environment.
func kills(t *testing.T, address string) int {
	t.Helper()
	name, few := "CONVOKE_TEST_KILLS", 10
	if store.IsPostgres(address) {
		name, few = "CONVOKE_TEST_KILLS_POSTGRES", 3
	}
	value := os.Getenv(name)
	if value == "" {
		return rounds.Of(t, few)
	}
	n, err := strconv.Atoi(value)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// acknowledged are the invitations the server has confirmed: addresses by id.
type acknowledged struct {
	// lenient ignores refusals, because they promise nothing.
	lenient bool

	mu sync.Mutex
	by map[string]string
}

func (a *acknowledged) add(id, email string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.by[id] = email
}

func (a *acknowledged) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.by)
}

// invite invites one address after another until the server is gone.
func (a *acknowledged) invite(p *process, session, team, prefix string) {
	for n := 0; ; n++ {
		email := fmt.Sprintf("%s.%d@x.org", prefix, n)
		answer := p.graphql(session, `mutation { inviteUser(input: {teamId: "`+team+`", email: "`+email+`", grant: {chosen: {permissions: ["team.read"]}}}) {
			invitation { id } userErrors { code message } } }`)
		var said struct {
			Data struct {
				InviteUser struct {
					Invitation struct{ ID string }
					UserErrors []struct{ Code string }
				}
			}
			Errors []struct{ Message string }
		}
		if err := json.Unmarshal([]byte(answer), &said); err != nil {
			return // no answer, or half of one: nothing was promised
		}
		if len(said.Errors)+len(said.Data.InviteUser.UserErrors) > 0 {
			if a.lenient {
				continue
			}
			p.t.Errorf("invite %s: %s", email, answer)
			return
		}
		a.add(said.Data.InviteUser.Invitation.ID, email)
	}
}

// intact fails unless the SQLite file is in order.
func intact(t *testing.T, address string) {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, check := range []string{"integrity_check", "foreign_key_check"} {
		// A row, and of foreign keys any row, is a complaint, but for a plain ok.
		var found string
		err := db.QueryRowContext(t.Context(), "SELECT * FROM pragma_"+check).Scan(&found)
		if found != "ok" && !errors.Is(err, sql.ErrNoRows) {
			t.Errorf("%s: %s %v", check, found, err)
		}
	}
}

func TestNothingIsLostByKills(t *testing.T) {
	testdb.Each(t, func(t *testing.T, address string) {
		t.Run("BEY-17 what was acknowledged is there, and its mail goes out", func(t *testing.T) {
			const inviters = 4
			m, promised := newMailServer(t), &acknowledged{by: map[string]string{}}
			args := append(serveArgs(address, m), "--rate-limits=off")
			p := start(t, args...)
			session, team := owner(t, p, m)
			account := field(t, p.graphql(session, `{ team(id: "`+team+`") { account { id } } }`), "id")
			unlimited := exec.CommandContext(t.Context(), binary, "account", "limits", "--db", address, account, "--max-pending-invitations", "none")
			if out, err := unlimited.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			rounds := kills(t, address)
			for round := range rounds {
				var all sync.WaitGroup
				for n := range inviters {
					all.Go(func() { promised.invite(p, session, team, fmt.Sprintf("r%d.w%d", round, n)) })
				}
				before := promised.count()
				testkit.Eventually(t, func() bool { return promised.count() > before })
				// Once it is under load any moment will do, so a random one is waited for.
				<-time.After(rand.N(150 * time.Millisecond))
				if err := p.stop(syscall.SIGKILL); err == nil {
					t.Error("a killed process ended well")
				}
				all.Wait()
				if !store.IsPostgres(address) {
					intact(t, address)
				}
				p = start(t, args...)
			}
			t.Logf("%d kills, %d invitations acknowledged", rounds, len(promised.by))
			if len(promised.by) < rounds {
				t.Errorf("%d invitations were acknowledged in %d rounds: that proves nothing", len(promised.by), rounds)
			}
			for id, email := range promised.by {
				if answer := p.graphql(session, `{ node(id: "`+id+`") { ... on Invitation { email } } }`); !strings.Contains(answer, email) {
					t.Errorf("%s of %s is lost: %s", id, email, answer)
				}
			}
			mails := 0
			// A lease of the last dead worker on PostgreSQL, and a mail that it was about to send.
			testkit.EventuallyWithin(t, 3*time.Minute, func() bool {
				mails = 0
				for _, email := range promised.by {
					if len(m.to(email)) == 0 {
						return false
					}
					mails += len(m.to(email))
				}
				return true
			})
			twice := mails - len(promised.by)
			t.Logf("%d mails, %d of them twice", mails, twice)
			if twice > rounds {
				t.Errorf("HARD-11: %d mails went out twice, want at most one for each kill", twice)
			}
		})
	})
}
