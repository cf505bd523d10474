package main_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/convoke-dev/convoke/internal/testdb"
	"github.com/convoke-dev/convoke/internal/testkit"
)

// load is how much a soak asks of the server: requests in all, one every so often, and
// sockets that are open at a time. A socket closes after as many events.
type load struct {
	requests int
	every    time.Duration
	sockets  int
	events   int
	long     bool // enough of it to judge memory
}

// loadOf is a short load, or the hour that make soak asks for in the environment.
func loadOf(t *testing.T) load {
	t.Helper()
	value := os.Getenv("CONVOKE_TEST_SOAK")
	if value == "" {
		return load{requests: 300, every: time.Millisecond, sockets: 20, events: 2}
	}
	d, err := time.ParseDuration(value)
	if err != nil {
		t.Fatalf("CONVOKE_TEST_SOAK: %v", err)
	}
	const every = 10 * time.Millisecond
	return load{requests: int(d / every), every: every, sockets: 500, events: 40, long: true}
}

// socketsEach is how many sockets a person has open.
const socketsEach = 10

// samples is how often a soak looks at the resources: each minute of the hour.
const samples = 60

// growth is resident memory at the end against that after the first ten minutes, each the
// median of ten samples, because the garbage collector lets it swing.
func growth(residentKB []int) float64 {
	median := func(of []int) float64 { return float64(slices.Sorted(slices.Values(of))[len(of)/2]) }
	return median(residentKB[len(residentKB)-10:]) / median(residentKB[10:20])
}

// resources are what a process holds, as Linux tells.
type resources struct{ residentKB, descriptors, threads int }

func (p *process) resources() (r resources) {
	p.t.Helper()
	dir := filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid))
	text, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		p.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		n, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(value), " kB"))
		switch name {
		case "VmRSS":
			r.residentKB = n
		case "Threads":
			r.threads = n
		}
	}
	open, err := os.ReadDir(filepath.Join(dir, "fd"))
	if err != nil {
		p.t.Fatal(err)
	}
	r.descriptors = len(open)
	return r
}

var (
	// Goroutine 0 is none: it is the stack of the scheduler on the thread that got the signal.
	goroutine = regexp.MustCompile(`(?m)^goroutine [1-9]\d* .*\[`)
	createdBy = regexp.MustCompile(`(?m)^created by (\S+)`)
)

// goroutines ends the process by the signal that makes Go print all goroutines, and returns
// their stacks by the function that started them. Two kinds come and go with what the server does by
// itself, and are left out: those of net/http that wait for the next request of a kept
// connection, and those of the PostgreSQL driver while one of its queries runs.
func (p *process) goroutines() map[string][]string {
	p.t.Helper()
	_ = p.stop(syscall.SIGQUIT) // it ends badly
	by := map[string][]string{}
	for _, stack := range strings.Split(p.err.String(), "\n\n") {
		if !goroutine.MatchString(stack) || strings.Contains(stack, "net/http.(*conn).serve") || strings.Contains(stack, "net/http.(*connReader)") {
			continue
		}
		starter := "the program"
		if found := createdBy.FindStringSubmatch(stack); found != nil {
			starter = found[1]
		}
		if !strings.HasPrefix(starter, "github.com/jackc/pgx/") {
			by[starter] = append(by[starter], stack)
		}
	}
	if len(by) == 0 {
		p.t.Fatalf("no goroutine in\n%.2000s", p.err.String())
	}
	return by
}

// people invites as many people as the sockets need, and returns their sessions.
func (l load) people(p *process, m *mailServer, session, team string) (sessions []string) {
	p.t.Helper()
	for n := range (l.sockets + socketsEach - 1) / socketsEach {
		email := fmt.Sprintf("watcher.%d@x.org", n)
		p.graphql(session, `mutation { inviteUser(input: {teamId: "`+team+`", email: "`+email+`", grant: {allPermissions: true}}) { userErrors { code } } }`)
		testkit.Eventually(p.t, func() bool { return len(m.to(email)) > 0 })
		_, rest, _ := strings.Cut(unwrap(m.to(email)[0]), "/accept#")
		sessions = append(sessions, field(p.t, p.graphql("", `mutation { acceptInvite(input: {invitation: {token: "`+rest[:43]+`"}, password: "correct horse battery staple", transport: BEARER}) {
			sessionToken userErrors { code } } }`), "sessionToken"))
	}
	return sessions
}

// watch opens one socket after another, and reads a few events from each, until ctx ends.
func (l load) watch(ctx context.Context, p *process, session, team string, seen, opened *atomic.Int64) {
	for ctx.Err() == nil {
		if err := l.oneSocket(ctx, p, session, team, seen, opened); err != nil && ctx.Err() == nil {
			p.t.Errorf("a socket ended with %v", err)
			return
		}
	}
}

func (l load) oneSocket(ctx context.Context, p *process, session, team string, seen, opened *atomic.Int64) error {
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}}
	conn, res, err := dialer.DialContext(ctx, "ws"+strings.TrimPrefix(p.url, "http")+"/graphql", nil)
	if err != nil {
		return err
	}
	_ = res.Body.Close()
	opened.Add(1)
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	defer func() { _ = conn.Close() }()
	for _, message := range []string{
		`{"type":"connection_init","payload":{"authorization":"Bearer ` + session + `"}}`,
		`{"type":"subscribe","id":"1","payload":{"query":"subscription { teamChanged(teamId: \"` + team + `\") { __typename } }"}}`,
	} {
		if err := conn.WriteMessage(websocket.TextMessage, []byte(message)); err != nil {
			return err
		}
	}
	for events := 0; events < l.events; {
		_, message, err := conn.ReadMessage()
		switch {
		case err != nil:
			return err
		case strings.Contains(string(message), `"type":"ping"`):
			err = conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"pong"}`))
		case strings.Contains(string(message), `"type":"next"`):
			events++
			seen.Add(1)
		case !strings.Contains(string(message), `"type":"connection_ack"`):
			return fmt.Errorf("got %s", message)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// request is the n-th of the soak: mostly reads, some invitations that are revoked, now and
// then a sign-in that ends again.
func (p *process) request(n int, session, team string) string {
	switch {
	case n%500 == 0:
		again := field(p.t, p.graphql("", signInOlivia), "sessionToken")
		return p.graphql(again, `mutation { signOut { userErrors { code } } }`)
	case n%100 == 0: // by variables, because documents that differ fill the bounded cache of documents
		invited := p.graphqlWith(session, `mutation($team: ID!, $email: EmailAddress!) { inviteUser(input: {teamId: $team, email: $email,
			grant: {chosen: {permissions: ["team.read"]}}}) { invitation { id } userErrors { code } } }`,
			map[string]any{"team": team, "email": "soak." + strconv.Itoa(n) + "@x.org"})
		return p.graphqlWith(session, `mutation($id: ID!) { revokeInvite(input: {invitationId: $id}) { userErrors { code } } }`,
			map[string]any{"id": field(p.t, invited, "id")})
	case n%3 == 0:
		return p.graphql(session, `{ team(id: "`+team+`") { eventCursor counts { active invited } people(first: 50) { totalCount nodes { __typename ... on Member { user { email } roles { key } } ... on Invitation { email status } } } } }`)
	case n%3 == 1:
		return p.graphql(session, `{ team(id: "`+team+`") { account { auditLog(first: 20) { nodes { id type at } } } } }`)
	default:
		return p.graphql(session, `{ viewer { user { email } activeTeam { id name } } }`)
	}
}

func TestNothingGrowsUnderLoad(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("it reads /proc, which only Linux has")
	}
	t.Parallel()
	l := loadOf(t)
	testdb.Each(t, func(t *testing.T, address string) {
		t.Helper()
		m := newMailServer(t)
		args := append(serveArgs(address, m), "--rate-limits=off")
		fresh := start(t, args...)
		session, team := owner(t, fresh, m)
		fresh.graphql(session, `{ viewer { user { email } } }`)
		want := fresh.goroutines()

		p := start(t, args...)
		var warming sync.WaitGroup
		for n := range 100 { // at once, so that all connections to the database are open
			warming.Go(func() { p.request(n, session, team) })
		}
		warming.Wait()
		http.DefaultClient.CloseIdleConnections()
		before := p.resources()

		var seen, opened atomic.Int64
		ctx, stop := context.WithCancel(t.Context())
		var watching, asking sync.WaitGroup
		people := l.people(p, m, session, team)
		for n := range l.sockets {
			watching.Go(func() { l.watch(ctx, p, people[n%len(people)], team, &seen, &opened) })
		}
		pace := time.NewTicker(l.every)
		defer pace.Stop()
		atOnce := make(chan struct{}, 32)
		var failed atomic.Int64
		var residentKB []int
		for n := range l.requests {
			<-pace.C
			atOnce <- struct{}{}
			asking.Go(func() {
				defer func() { <-atOnce }()
				if answer := p.request(n, session, team); !strings.HasPrefix(answer, `{"data":{`) || strings.Contains(answer, `"code"`) {
					failed.Add(1)
					t.Errorf("request %d got %s", n, answer)
				}
			})
			if n%(l.requests/samples) == 0 {
				now := p.resources()
				residentKB = append(residentKB, now.residentKB)
				t.Logf("%6d requests, %7d events seen: %+v", n, seen.Load(), now)
			}
		}
		asking.Wait()
		stop()
		watching.Wait()
		http.DefaultClient.CloseIdleConnections()
		// The server logs each socket when it has released it.
		testkit.Eventually(t, func() bool { return strings.Count(p.err.String(), `"msg":"socket closed"`) == int(opened.Load()) })
		testkit.Eventually(t, func() bool { return p.resources().descriptors <= before.descriptors+8 })
		after := p.resources()
		t.Logf("before %+v, after it %+v; memory grew by %.3f; %d events, %d requests failed", before, after, growth(residentKB), seen.Load(), failed.Load())
		if grew := growth(residentKB); l.long && grew > 1.1 {
			t.Errorf("resident memory grew by %.3f, want at most 1.1", grew)
		}
		for starter, stacks := range p.goroutines() {
			if len(stacks) > len(want[starter]) {
				t.Errorf("%d goroutines started by %s are left, want %d:\n%s", len(stacks), starter, len(want[starter]), strings.Join(stacks, "\n\n"))
			}
		}
	})
}
