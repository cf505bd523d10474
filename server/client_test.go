package server_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/testkit"
)

// needClients skips the test where the clients cannot run. `make test-clients`
// installs them.
func needClients(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node is not installed")
	}
	if _, err := os.Stat(filepath.Join("testdata", "clients", "node_modules")); err != nil {
		t.Skip("the clients are not installed: make test-clients does it")
	}
}

// program is a client in a process of its own, and the lines it says.
type program struct {
	t     *testing.T
	stdin io.WriteCloser
	lines chan string
}

// run starts a program; it is killed with the test, if it has not ended.
func run(t *testing.T, name string, args ...string) *program {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &program{t: t, stdin: stdin, lines: make(chan string, 1024)}
	go func() { // ends with the program
		defer close(p.lines)
		for s := bufio.NewScanner(stdout); s.Scan(); {
			p.lines <- s.Text()
		}
		_ = cmd.Wait() // the test does not look at the exit code
	}()
	return p
}

func (p *program) say(line string) {
	p.t.Helper()
	if _, err := io.WriteString(p.stdin, line+"\n"); err != nil {
		p.t.Error(err)
	}
}

// line waits for the next line.
func (p *program) line() string {
	p.t.Helper()
	select {
	case line, open := <-p.lines:
		if !open {
			p.t.Fatal("it ended, want a line")
		}
		return line
	case <-time.After(patience):
		p.t.Fatal("nothing came, want a line")
	}
	return ""
}

// hear waits for a line with all of these parts. Other lines may come before.
func (p *program) hear(want ...string) {
	p.t.Helper()
	late := time.After(patience)
	var heard []string
	for {
		select {
		case line, open := <-p.lines:
			if !open {
				p.t.Fatalf("it ended, want %q; before came %q", want, heard)
			}
			heard = append(heard, line)
			missing := false
			for _, part := range want {
				missing = missing || !strings.Contains(line, part)
			}
			if !missing {
				return
			}
			// An answer that was not expected is one too many.
			if strings.Contains(line, `{"next"`) {
				p.t.Fatalf("got %s, want %q", line, want)
			}
		case <-late:
			p.t.Fatalf("nothing came, want %q; before came %q", want, heard)
		}
	}
}

// ended waits for the end.
func (p *program) ended() {
	p.t.Helper()
	late := time.After(patience)
	for {
		select {
		case line, open := <-p.lines:
			if !open {
				return
			}
			if strings.Contains(line, `{"next"`) {
				p.t.Errorf("got %s, want the end", line)
			}
		case <-late:
			p.t.Fatal("it goes on, want the end")
		}
	}
}

// wire is a network between a client and the server that can break.
type wire struct {
	url string

	mu    sync.Mutex
	conns []net.Conn
}

func newWire(t *testing.T, to string) *wire {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	x := &wire{url: "http://" + l.Addr().String()}
	t.Cleanup(func() {
		_ = l.Close()
		x.cut()
	})
	go func() { // ends with the listener
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := (&net.Dialer{}).Dial("tcp", strings.TrimPrefix(to, "http://"))
			if err != nil {
				_ = near.Close()
				continue
			}
			x.mu.Lock()
			x.conns = append(x.conns, near, far)
			x.mu.Unlock()
			for _, pair := range [][2]net.Conn{{near, far}, {far, near}} {
				go func() { // ends with either end
					_, _ = io.Copy(pair[0], pair[1])
					_, _ = pair[0].Close(), pair[1].Close()
				}()
			}
		}
	}()
	return x
}

// cut breaks all connections.
func (x *wire) cut() {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, c := range x.conns {
		_ = c.Close()
	}
	x.conns = nil
}

func operationText(t *testing.T, query string, variables map[string]any) string {
	t.Helper()
	text, err := json.Marshal(map[string]any{"query": query, "variables": testkit.Placed(query, variables)})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// npmClient starts the client of that kind, with its request.
func npmClient(t *testing.T, kind, url, session, query string, variables map[string]any) *program {
	t.Helper()
	p := run(t, "node", filepath.Join("testdata", "clients", "client.mjs"), kind, url+"/graphql", session)
	p.say(operationText(t, query, variables))
	return p
}

func TestTheClientsOfDashboards(t *testing.T) {
	t.Parallel()
	needClients(t)
	for _, kind := range []string{"ws", "sse", "one"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, w *testkit.World) { t.Helper(); clientStory(t, w, kind) })
		})
	}
}

func clientStory(t *testing.T, w *testkit.World, kind string) {
	t.Helper()
	owner := w.SignUp("olivia@acme.test")
	invite := func(email string) { owner.Invite(email, "billing", "sendEmail", false).OK() }
	t.Run("a query", func(t *testing.T) {
		p := npmClient(t, kind, w.URL, owner.Session, `{ viewer { user { email } } }`, nil)
		p.hear(`{"next":{"data":{"viewer":{"user":{"email":"olivia@acme.test"}}}}}`)
		p.hear(`{"complete":true}`)
		p.ended()
	})
	t.Run("a query that is not valid", func(t *testing.T) {
		p := npmClient(t, kind, w.URL, owner.Session, `{ veiwer { id } }`, nil)
		p.hear("GRAPHQL_VALIDATION_FAILED")
		p.ended()
	})
	t.Run("a stream that breaks, and comes back where it was", func(t *testing.T) {
		x := newWire(t, w.URL)
		p := npmClient(t, kind, x.url, owner.Session, watch, map[string]any{"team": owner.TeamID, "after": eventCursor(owner)})
		invite("ann@x.org")
		p.hear(`{"next"`, "ann@x.org")
		for _, email := range []string{"bob@x.org", "carl@x.org"} {
			x.cut()
			invite(email)
			p.hear(`{"next"`, email)
		}
		p.say("stop")
		p.hear(`{"complete":true}`)
		p.ended()
	})
	t.Run("a session that ends", func(t *testing.T) {
		second := w.SignIn("olivia@acme.test")
		p := npmClient(t, kind, w.URL, second.Session, watch, map[string]any{"team": owner.TeamID, "after": eventCursor(owner)})
		invite("dora@x.org")
		p.hear(`{"next"`, "dora@x.org")
		second.Do(`mutation { signOut { userErrors { code } } }`, nil).OK()
		p.hear("UNAUTHENTICATED")
		p.ended()
	})
	t.Run("a token that is not good", func(t *testing.T) {
		p := npmClient(t, kind, w.URL, "nonsense", `{ viewer { user { email } } }`, nil)
		p.hear(map[string]string{"ws": `{"closed":4403,"reason":"Forbidden"}`, "sse": `"code":"UNAUTHENTICATED"`, "one": "401: Unauthorized"}[kind])
	})
	t.Run("the server's stop", func(t *testing.T) {
		p := npmClient(t, kind, w.URL, owner.Session, watch, map[string]any{"team": owner.TeamID, "after": eventCursor(owner)})
		invite("emil@x.org")
		p.hear(`{"next"`, "emil@x.org")
		if err := w.Server.Close(); err != nil {
			t.Error(err)
		}
		if kind == "ws" {
			p.hear(`{"closed":1012,"reason":"the server is stopping"}`)
		}
	})
}

func TestCurlFollowsEvents(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not installed")
	}
	w := testkit.New(t, t.TempDir()+"/convoke.db")
	owner := w.SignUp("olivia@acme.test")
	p := run(t, "curl", "-sSN", w.URL+"/graphql", "-H", "Content-Type: application/json", "-H", "Accept: text/event-stream",
		"-H", "Authorization: Bearer "+owner.Session, "-d", operationText(t, watch, map[string]any{"team": owner.TeamID, "after": eventCursor(owner)}))
	p.hear("retry: 2000")
	owner.Invite("ann@x.org", "billing", "sendEmail", false).OK()
	p.hear("event: next")
	p.hear("id: ")
	p.hear("data: ", "ann@x.org")
	if err := w.Server.Close(); err != nil {
		t.Error(err)
	}
	p.ended()
}
