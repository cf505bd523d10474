package main_test

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/convoke-dev/convoke/internal/testdb"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/internal/uid"
)

// follower follows a team's invitations, from server to server.
type follower struct {
	session, team string

	mu   sync.Mutex
	url  string
	seen []string // "TYPE email", in the order they came
	last string   // the cursor of the last one
}

func (f *follower) move(url string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.url = url
}

func (f *follower) list() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.seen)
}

// stream reads one stream of server-sent events, from the last cursor on, until
// it breaks.
func (f *follower) stream(ctx context.Context) error {
	f.mu.Lock()
	url, after := f.url, f.last
	f.mu.Unlock()
	body, err := json.Marshal(map[string]any{
		"query": `subscription($team: ID!, $after: EventCursor) { inviteStatusChanged(teamId: $team, after: $after) {
			cursor type invitation { email } } }`,
		"variables": map[string]string{"team": f.team, "after": after},
	})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/graphql", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Authorization", "Bearer "+f.session)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	for lines := bufio.NewScanner(res.Body); ; {
		if !lines.Scan() {
			return lines.Err()
		}
		data, found := strings.CutPrefix(lines.Text(), "data:")
		if !found || strings.TrimSpace(data) == "" {
			continue
		}
		var answer struct {
			Data struct {
				InviteStatusChanged struct {
					Cursor, Type string
					Invitation   struct{ Email string }
				}
			}
			Errors []struct{ Message string }
		}
		if err := json.Unmarshal([]byte(data), &answer); err != nil {
			return err // half an event
		}
		if len(answer.Errors) > 0 {
			return fmt.Errorf("the stream ended with %s", answer.Errors[0].Message)
		}
		e := answer.Data.InviteStatusChanged
		f.mu.Lock()
		f.seen, f.last = append(f.seen, e.Type+" "+e.Invitation.Email), e.Cursor
		f.mu.Unlock()
	}
}

// follow reads streams, one after another, until ctx ends.
func (f *follower) follow(ctx context.Context) {
	for ctx.Err() == nil {
		_ = f.stream(ctx) // whatever broke it, the next one goes on
	}
}

func TestFollowersMissNothing(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		t.Run("BEY-2 a follower that comes back with its last cursor gets every missed event once, in order, over crashes and stops", func(t *testing.T) {
			m := newMailServer(t)
			args := append(serveArgs(address, m), "--rate-limits=off")
			p := start(t, args...)
			session, team := owner(t, p, m)
			cursor := field(t, p.graphql(session, `{ team(id: "`+team+`") { eventCursor } }`), "eventCursor")
			f := &follower{session: session, team: team, url: p.url, last: cursor}
			ctx, stop := context.WithCancel(t.Context())
			var following sync.WaitGroup
			following.Go(func() { f.follow(ctx) })
			promised := &acknowledged{by: map[string]string{}}
			for round, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGKILL} {
				var all sync.WaitGroup
				for n := range 2 {
					all.Go(func() { promised.invite(p, session, team, fmt.Sprintf("f%d.w%d", round, n)) })
				}
				before := len(f.list())
				testkit.Eventually(t, func() bool { return len(f.list()) > before+10 })
				_ = p.stop(signal) // killed, it ends badly
				all.Wait()
				p = start(t, args...)
				f.move(p.url)
			}
			p.graphql(session, `mutation { inviteUser(input: {teamId: "`+team+`", email: "last@x.org", grant: {chosen: {permissions: ["team.read"]}}}) { userErrors { code } } }`)
			testkit.Eventually(t, func() bool { return slices.Contains(f.list(), "DELIVERY_CHANGED last@x.org") })
			stop()
			following.Wait()
			again := &follower{session: session, team: team, url: p.url, last: cursor}
			once, enough := context.WithCancel(t.Context())
			following.Go(func() { _ = again.stream(once) }) // ends with enough
			want := f.list()
			testkit.Eventually(t, func() bool { return len(again.list()) >= len(want) })
			enough()
			following.Wait()
			if got := again.list()[:len(want)]; !slices.Equal(got, want) {
				t.Errorf("followed: %d events\n%s\nin one go:\n%s", len(want), strings.Join(want, "\n"), strings.Join(got, "\n"))
			}
			for _, email := range promised.by {
				if n := count(want, "CREATED "+email); n != 1 {
					t.Errorf("CREATED %s was seen %d times, want once", email, n)
				}
			}
		})
	})
}

// cutConnections has PostgreSQL hang up on everybody of that application, as it
// does when it is restarted.
func cutConnections(t *testing.T, address, application string) {
	t.Helper()
	db, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var cut int
	err = db.QueryRowContext(t.Context(), `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
		WHERE application_name = $1 AND pid <> pg_backend_pid()`, application).Scan(&cut)
	if err != nil || cut == 0 {
		t.Fatalf("%d connections were cut, %v, want some", cut, err)
	}
}

func TestFollowersOfTwoNodesMissNothing(t *testing.T) {
	t.Parallel()
	testdb.Postgres(t, func(t *testing.T, address string) {
		t.Run("BEY-30 one node writes, another one is followed, the database hangs up, a node is killed", func(t *testing.T) {
			application := uid.New("nodes")
			overTwoNodes(t, address+"&application_name="+application, func() { cutConnections(t, address, application) })
		})
	})
	t.Run("BEY-30 and the database crashes and comes back", func(t *testing.T) {
		t.Parallel()
		c := ownPostgres(t)
		overTwoNodes(t, c.address, c.restart)
	})
}

// overTwoNodes has people invited on one node and follows that on another, while
// the database is disturbed and the nodes are killed one after the other.
func overTwoNodes(t *testing.T, address string, disturb func()) {
	t.Helper()
	m := newMailServer(t)
	args := append(serveArgs(address, m), "--rate-limits=off")
	here, there := start(t, args...), start(t, args...)
	session, team := owner(t, here, m)
	cursor := field(t, here.graphql(session, `{ team(id: "`+team+`") { eventCursor } }`), "eventCursor")
	f := &follower{session: session, team: team, url: there.url, last: cursor}
	ctx, stop := context.WithCancel(t.Context())
	var following, inviting sync.WaitGroup
	following.Go(func() { f.follow(ctx) })
	promised := &acknowledged{lenient: true, by: map[string]string{}}
	for n := range 2 {
		inviting.Go(func() { promised.invite(here, session, team, fmt.Sprintf("n.w%d", n)) })
	}
	more := func() {
		t.Helper()
		before := len(f.list())
		testkit.Eventually(t, func() bool { return len(f.list()) > before+20 })
	}
	more()
	disturb()
	more()
	_ = there.stop(syscall.SIGKILL) // it ends badly
	f.move(here.url)
	more()
	_ = here.stop(syscall.SIGKILL) // and the inviters with it
	inviting.Wait()
	last := start(t, args...)
	f.move(last.url)
	last.graphql(session, `mutation { inviteUser(input: {teamId: "`+team+`", email: "last@x.org", grant: {chosen: {permissions: ["team.read"]}}}) { userErrors { code } } }`)
	testkit.Eventually(t, func() bool { return slices.Contains(f.list(), "CREATED last@x.org") })
	stop()
	following.Wait()
	for _, email := range promised.by {
		if n := count(f.list(), "CREATED "+email); n != 1 {
			t.Errorf("CREATED %s was seen %d times, want once", email, n)
		}
	}
	t.Logf("%d invitations acknowledged, %d events seen", len(promised.by), len(f.list()))
}

func count(list []string, what string) (n int) {
	for _, s := range list {
		if s == what {
			n++
		}
	}
	return n
}
