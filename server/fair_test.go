package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/limit"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/testdb"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/server"
)

// Half of the connections for snapshots stay free of a user whose queries are
// heavy, and nobody waits for them. The user's own queries wait, and none is refused.
func TestOneUserDoesNotStarveTheOthers(t *testing.T) {
	t.Parallel()
	const dashboard = `eventCursor counts { invited } invitations { nodes { email } }`
	const heavy = `eventCursor counts { invited } invitations(filter: {search: "ann"}) { nodes { email } }`
	testdb.Each(t, func(t *testing.T, address string) {
		arrived, held := make(chan struct{}, 100), make(chan struct{})
		w := testkit.New(t, address, func(c *server.Config) {
			c.StoreOptions = []store.Option{store.ObserveStatements(func(query string) {
				if strings.Contains(query, "LIKE") {
					arrived <- struct{}{}
					<-held
				}
			})}
		})
		release := sync.OnceFunc(func() { close(held) })
		defer release()
		olivia, mallory := w.SignUp("olivia@acme.test"), w.SignUp("mallory@evil.test")
		colleague := w.SignUp("colleague@x.org")
		olivia.JoinAs(colleague, "viewer")
		t.Run("HARD-21 nobody waits for the heavy queries of one user", func(t *testing.T) {
			var all sync.WaitGroup
			for range 20 {
				all.Go(func() { mallory.Ask(heavy).OK() })
			}
			<-arrived
			<-arrived
			equal(t, "of another account", olivia.Ask(dashboard).OK().Text("team.counts.invited"), "0")
			colleague.In(olivia.TeamID).Ask(dashboard).OK()
			olivia.Invite("ben@x.org", "viewer").OK()
			equal(t, "of the heavy queries", len(arrived), 0)
			release()
			all.Wait()
		})
	})
}

// full is a gate of four that refuses after a moment. A user has one of its places, an
// account two, and an address three.
func full(w *testkit.World) *limit.Gate {
	g := limit.NewGate(limit.Shares{All: 4, User: 1, Account: 2, Address: 3}, limit.Wait{Within: time.Millisecond}, "operations")
	w.Server.SetGate(g)
	return g
}

// takes takes so much of the gate for the party.
func takes(t *testing.T, g *limit.Gate, p *limit.Party, n int) (leave func()) {
	t.Helper()
	ticket := g.Ask(p, n, func() {})
	if !ticket.Inside() {
		t.Fatal("the gate is not free")
	}
	return ticket.Leave
}

const loopback = "127.0.0.1"

// What is refused is refused in the same way on every transport: for the own excess
// RATE_LIMITED with 429, for that of the server UNAVAILABLE with 503, and with the time to
// wait. Others are answered.
func TestTooMuchAtOnceIsRefusedEarly(t *testing.T) { //nolint:tparallel // one story
	t.Parallel()
	w := testkit.New(t, t.TempDir()+"/convoke.db")
	olivia, mallory := w.SignUp("olivia@acme.test"), w.SignUp("mallory@evil.test")
	colleague := w.SignUp("colleague@x.org")
	olivia.JoinAs(colleague, "viewer")
	noPersonal := colleague.In(olivia.TeamID)
	account, user := olivia.AccountID(), userID(olivia)
	over := map[string]func(t *testing.T, p *testkit.Person) string{
		"HTTP": func(t *testing.T, p *testkit.Person) string {
			t.Helper()
			got := send(t, http.MethodPost, w.URL+"/graphql", `{"query":"{ serverInfo { version } }"}`,
				"Content-Type", "application/json", "Accept", "application/graphql-response+json", "Authorization", "Bearer "+p.Session)
			if status := map[int]bool{http.StatusOK: true, http.StatusTooManyRequests: true, http.StatusServiceUnavailable: true}; !status[got.status] {
				t.Errorf("got status %d", got.status)
			}
			equal(t, "Retry-After", got.header.Get("Retry-After") != "", got.status != http.StatusOK)
			return got.body
		},
		"GET": func(t *testing.T, p *testkit.Person) string {
			t.Helper()
			return send(t, http.MethodGet, w.URL+"/graphql?query="+url.QueryEscape(versionQuery), "", "Authorization", "Bearer "+p.Session).body
		},
		"a WebSocket": func(t *testing.T, p *testkit.Person) string {
			t.Helper()
			s := socketOf(t, w, p.Session)
			s.ask("1", versionQuery, nil)
			_, frame, err := s.ReadMessage()
			if err != nil {
				t.Fatal(err)
			}
			return string(frame)
		},
		"one event stream": func(t *testing.T, p *testkit.Person) string {
			t.Helper()
			s := openOne(t, w, p.Session)
			s.ask("1", versionQuery, nil)
			return s.next().data
		},
		"events": func(t *testing.T, p *testkit.Person) string {
			t.Helper()
			return openEvents(p, t, w, versionQuery, nil, "").next().data
		},
	}
	g := full(w)
	t.Run("HARD-21 a refusal says whose work is too much, and when to come again", func(t *testing.T) {
		for _, c := range []struct {
			what  string
			party *limit.Party
			n     int
			codes map[*testkit.Person]string
		}{
			{"a user's share", limit.NewParty(user, nil, ""), 1, map[*testkit.Person]string{olivia: "RATE_LIMITED", noPersonal: "", mallory: ""}},
			{"an account's share", limit.NewParty("", []string{account}, ""), 2, map[*testkit.Person]string{olivia: "RATE_LIMITED", noPersonal: "RATE_LIMITED", mallory: ""}},
			{"an address's share", limit.NewParty("", nil, loopback), 3, map[*testkit.Person]string{mallory: "RATE_LIMITED"}},
			{"everything", nil, 4, map[*testkit.Person]string{mallory: "UNAVAILABLE"}},
		} {
			leave := takes(t, g, c.party, c.n)
			for p, code := range c.codes {
				for transport, ask := range over {
					want := `"version":"test"`
					if code != "" {
						want = `"code":"` + code + `","retryAfterSeconds":`
					}
					if got := ask(t, p); !strings.Contains(got, want) {
						t.Errorf("%s is used up, %s over %s: got %s, want %s", c.what, p.Email, transport, got, want)
					}
				}
			}
			leave()
		}
	})
	takes(t, g, nil, 4)()
}

// HARD-21: a subscription waits for its turn, because a refusal would end it.
func TestASubscriptionWaitsForItsTurn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner, admin := w.SignUp("olivia@acme.test"), w.SignUp("admin@x.org")
		owner.JoinAs(admin, "account_admin")
		from := map[string]any{"team": owner.TeamID, "after": eventCursor(owner)}
		id := userID(owner)
		owner.Invite("ann@x.org", "billing", "sendEmail", false).OK()
		g := full(w)
		leave := takes(t, g, limit.NewParty(id, nil, ""), 1)
		socket := owner.Subscribe(watch, from)
		events := openEvents(owner, t, w, watch, from, "")
		one := openOne(t, w, owner.Session)
		one.ask("1", watch, from)
		testkit.Eventually(t, func() bool { return g.Waiting() == 3 })
		leave()
		socket.Next().OK()
		events.want("next", "ann@x.org")
		one.hears("next", "1", "ann@x.org")

		// So does each of their later responses.
		drained := func() bool { return g.Waiting() == 0 && isFree(g) }
		testkit.Eventually(t, drained)
		leave = takes(t, g, limit.NewParty(id, nil, ""), 1)
		admin.In(owner.TeamID).Invite("ben@x.org", "billing", "sendEmail", false).OK()
		testkit.Eventually(t, func() bool { return g.Waiting() == 3 })
		_ = one.body.Close() // who leaves waits no more
		testkit.Eventually(t, func() bool { return g.Waiting() == 2 })
		leave()
		socket.Next().OK()
		events.want("next", "ben@x.org")
		testkit.Eventually(t, drained)
	})
}

// isFree reports whether nothing is inside of the gate, which has four places.
func isFree(g *limit.Gate) bool {
	ticket := g.Ask(nil, 4, func() {})
	defer ticket.Leave()
	return ticket.Inside()
}

// A page that asks for much at once is never refused, over HTTP or a socket, though
// its user may run one operation at a time only.
func TestAPageMayAskForMuchAtOnce(t *testing.T) {
	t.Parallel()
	eachWith(t, func(c *server.Config) { c.Operations = 4 }, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		t.Run("HARD-21 a page is never refused", func(t *testing.T) {
			together(50, func(int) { owner.Ask(`eventCursor counts { invited }`).OK() })
			s := socketOf(t, w, owner.Session)
			for i := range 100 {
				s.ask(itoa(i), versionQuery, nil)
			}
			for range 200 {
				_, frame, err := s.ReadMessage()
				if err != nil || strings.Contains(string(frame), "error") {
					t.Fatalf("got %s, %v", frame, err)
				}
			}
		})
	})
}

// HARD-21: whatever ends an operation, its turn ends.
func TestEveryOperationGivesItsTurnBack(t *testing.T) {
	t.Parallel()
	eachWith(t, func(c *server.Config) { c.Operations = 4 }, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		for range 5 {
			owner.Do(`{ node(id: "nonsense") { id } }`, nil)
			owner.Do(`{ nonsense }`, nil)
			w.Anonymous().Do(`{ viewer { id } }`, nil)
			owner.Mutate("updateAccount", "account { id }", "accountId", "acc_nonsense")
			owner.Do(`subscription { invitationsNonsense }`, nil)
			owner.Do(followEmails, map[string]any{"team": "team_nonsense"})
			s := socketOf(t, w, owner.Session)
			s.ask("1", followEmails, map[string]any{"team": owner.TeamID})
			s.ask("2", versionQuery, nil)
			_ = s.Close()
		}
		testkit.Eventually(t, func() bool { return isFree(w.Server.Gate()) })
	})
}
