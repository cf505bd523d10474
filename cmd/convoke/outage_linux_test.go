package main_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/convoke-dev/convoke/internal/testkit"
)

// smallDisk mounts a file system with room for 8 MiB.
func smallDisk(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=8m"); err != nil {
		t.Skip("only root may mount a small disk: ", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(folder, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return folder
}

// fillUp writes a file until the disk has no room for another byte.
func fillUp(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for block := 64 << 10; block > 0; {
		if _, err := f.Write(make([]byte, block)); err != nil {
			block /= 2
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// readiness returns the status of /readyz.
func (p *process) readiness() int {
	status, _ := p.get("/readyz")
	return status
}

// inviteOne invites an address and returns the answer.
func (p *process) inviteOne(session, team, email string) string {
	return p.graphql(session, `mutation { inviteUser(input: {teamId: "`+team+`", email: "`+email+`", grant: {chosen: {permissions: ["team.read"]}}}) {
		invitation { id } userErrors { code } } }`)
}

func TestAFullDisk(t *testing.T) { //nolint:tparallel // one story
	t.Parallel()
	folder, m := smallDisk(t), newMailServer(t)
	p := start(t, append(serveArgs(filepath.Join(folder, "convoke.db"), m), "--rate-limits=off")...)
	session, team := owner(t, p, m)
	filler := filepath.Join(folder, "filler")
	fillUp(t, filler)
	var acknowledged []string
	refused := 0
	t.Run("HARD-10 HARD-9 changes are refused with UNAVAILABLE, and the server is not ready", func(t *testing.T) {
		for n := 0; refused < 150; n++ {
			email := fmt.Sprintf("full.%d@x.org", n)
			switch answer := p.inviteOne(session, team, email); {
			case strings.Contains(answer, `"userErrors":[]`):
				acknowledged = append(acknowledged, email)
			case strings.Contains(answer, `"code":"UNAVAILABLE"`):
				refused++
			default:
				t.Fatalf("got %s, want an invitation or UNAVAILABLE", answer)
			}
		}
		testkit.Eventually(t, func() bool { return p.readiness() == http.StatusServiceUnavailable })
		if answer := p.graphql(session, `{ viewer { user { email } } }`); !strings.Contains(answer, "olivia@acme.test") {
			t.Errorf("a query: %s, want an answer", answer)
		}
		if n := strings.Count(p.err.String(), `"the database is not available"`); n != 1 {
			t.Errorf("the log has %d lines about it, want 1", n)
		}
		t.Logf("%d acknowledged on the full disk, then %d refused", len(acknowledged), refused)
	})
	t.Run("HARD-9 it is ready again once there is space", func(t *testing.T) {
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, func() bool { return p.readiness() == http.StatusOK })
		if answer := p.inviteOne(session, team, "after@x.org"); !strings.Contains(answer, `"userErrors":[]`) {
			t.Errorf("got %s, want an invitation", answer)
		}
		for _, email := range acknowledged {
			if len(m.to(email)) == 0 {
				testkit.Eventually(t, func() bool { return len(m.to(email)) > 0 })
			}
		}
	})
	if err := p.stop(syscall.SIGKILL); err == nil {
		t.Error("a killed process ended well")
	}
	intact(t, filepath.Join(folder, "convoke.db"))
}

func TestPostgresRestarts(t *testing.T) { //nolint:tparallel // one story
	t.Parallel()
	c, m := ownPostgres(t), newMailServer(t)
	p := start(t, append(serveArgs(c.address, m), "--rate-limits=off")...)
	session, team := owner(t, p, m)
	t.Run("HARD-10 requests meanwhile are answered or UNAVAILABLE, and never INTERNAL", func(t *testing.T) {
		ctx := t.Context()
		var all sync.WaitGroup
		stop := make(chan struct{})
		var mu sync.Mutex
		codes := map[string]int{}
		for worker := range 4 {
			all.Go(func() {
				for n := 0; ctx.Err() == nil; n++ {
					select {
					case <-stop:
						return
					default:
					}
					answer := p.inviteOne(session, team, fmt.Sprintf("w%d.%d@x.org", worker, n))
					if n%2 == 0 {
						answer = p.graphql(session, `{ viewer { user { email } activeTeam { eventCursor members { totalCount } } } }`)
					}
					code := "ok"
					if _, rest, failed := strings.Cut(answer, `"code":"`); failed {
						code, _, _ = strings.Cut(rest, `"`)
					}
					if code == "INTERNAL" {
						t.Error(answer)
					}
					mu.Lock()
					codes[code]++
					mu.Unlock()
				}
			})
		}
		for range 3 {
			c.run("pg_ctl", "-D", c.data, "-w", "-m", "fast", "stop")
			testkit.Eventually(t, func() bool { return p.readiness() == http.StatusServiceUnavailable })
			c.run("pg_ctl", "-D", c.data, "-w", "-l", filepath.Join(c.data, "log"), "start", "-o", c.options)
			testkit.Eventually(t, func() bool { return p.readiness() == http.StatusOK })
			c.restart()
			testkit.Eventually(t, func() bool { return p.readiness() == http.StatusOK })
		}
		close(stop)
		all.Wait()
		t.Logf("%v", codes)
		if codes["UNAVAILABLE"] == 0 || codes["ok"] == 0 {
			t.Errorf("got %v, want both answers and UNAVAILABLE", codes)
		}
		if n := strings.Count(p.err.String(), `"the database is not available"`); n != 1 {
			t.Errorf("the log has %d lines about it, want 1", n)
		}
	})
}
