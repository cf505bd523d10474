package server_test

import (
	"encoding/json"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/testkit"
)

// driver runs one subscription of the npm package @convoke/client.
var driver = filepath.Join("..", "clients", "js", "build", "test", "drive.js")

// needConvokeClient skips the test where the package is not built. `make test-clients`
// builds it.
func needConvokeClient(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node is not installed")
	}
	if _, err := os.Stat(driver); err != nil {
		t.Skip("the package @convoke/client is not built: make test-clients does it")
	}
}

// convokeClient follows a team's invitations with @convoke/client.
func convokeClient(t *testing.T, kind, url string, p *testkit.Person, after string) *program {
	t.Helper()
	request, err := json.Marshal(map[string]any{
		"query": watch, "variables": map[string]any{"team": p.TeamID, "after": after},
		"list": `query($team: ID!) { team(id: $team) { eventCursor } }`,
	})
	if err != nil {
		t.Fatal(err)
	}
	c := run(t, "node", driver, kind, url+"/graphql", p.Session)
	c.say(string(request))
	return c
}

// addressesOf waits for items of the program, and returns the addresses in them.
func (p *program) addressesOf(items int) (emails []string) {
	p.t.Helper()
	late := time.After(patience)
	for len(emails) < items {
		select {
		case line, open := <-p.lines:
			if !open {
				p.t.Fatalf("it ended after %q, want %d items", emails, items)
			}
			var told struct {
				Item struct {
					InviteStatusChanged struct{ Invitation struct{ Email string } }
				}
			}
			if err := json.Unmarshal([]byte(line), &told); err != nil {
				p.t.Fatalf("%s: %v", line, err)
			}
			if email := told.Item.InviteStatusChanged.Invitation.Email; email != "" {
				emails = append(emails, email)
			}
		case <-late:
			p.t.Fatalf("got %q, want %d items", emails, items)
		}
	}
	return emails
}

// frayed is a network that breaks each of its first connections in the middle of a write
// of the server, after a random number of bytes.
type frayed struct {
	url  string
	cuts atomic.Int64
}

func newFrayed(t *testing.T, to string, seed uint64, breaking int) *frayed {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	f := &frayed{url: "http://" + l.Addr().String()}
	random := rand.New(rand.NewPCG(seed, 0))
	go func() { // ends with the listener
		for n := 0; ; n++ {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := (&net.Dialer{}).Dial("tcp", strings.TrimPrefix(to, "http://"))
			if err != nil {
				_ = near.Close()
				continue
			}
			var answers io.Reader = far
			if n < breaking {
				answers = io.LimitReader(far, 300+random.Int64N(2500))
			}
			go func() { // ends with either end
				_, _ = io.Copy(far, near)
				_, _ = far.Close(), near.Close()
			}()
			go func() { // ends with either end, or when the limit is reached
				_, _ = io.Copy(near, answers)
				f.cuts.Add(1)
				_, _ = far.Close(), near.Close()
			}()
		}
	}()
	return f
}

func TestTheConvokeClient(t *testing.T) {
	t.Parallel()
	needConvokeClient(t)
	for _, kind := range []string{"ws", "sse"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, w *testkit.World) { t.Helper(); convokeClientStory(t, w, kind) })
		})
	}
}

func convokeClientStory(t *testing.T, w *testkit.World, kind string) {
	t.Helper()
	owner := w.SignUp("olivia@acme.test")
	invite := func(email string) { owner.Invite(email, "billing", "sendEmail", false).OK() }
	t.Run("FE-18 each event comes once, in order, over connections that break in the middle of writes", func(t *testing.T) {
		seed := rand.Uint64()
		network := newFrayed(t, w.URL, seed, 12)
		c := convokeClient(t, kind, network.url, owner, eventCursor(owner))
		want := addresses("guest", 30)
		for _, email := range want {
			invite(email)
		}
		if got := c.addressesOf(len(want)); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q, with seed %d", got, want, seed)
		}
		if got := network.cuts.Load(); got < 2 {
			t.Errorf("got %d broken connections, want some, with seed %d", got, seed)
		}
	})
	t.Run("FE-18 a cursor that the server refuses is replaced by that of a list that is read anew", func(t *testing.T) {
		beyond := event.Cursor{AccountID: owner.AccountID(), Seq: 1 << 40}.String()
		c := convokeClient(t, kind, w.URL, owner, beyond)
		c.hear(`{"status":"reconnecting","code":"BAD_USER_INPUT"}`)
		c.hear(`{"refetched":"CURSOR_REFUSED"}`)
		invite("ann@x.org")
		c.hear(`{"item"`, "ann@x.org")
	})
	t.Run("FE-18 a lost right ends the subscription", func(t *testing.T) {
		admin := owner.Join("mia@acme.test", "account_admin")
		c := convokeClient(t, kind, w.URL, admin, eventCursor(admin))
		invite("bob@x.org")
		c.hear(`{"item"`, "bob@x.org")
		onMember(owner, "setRoles", owner.MemberID("mia@acme.test"), "roleIds", []string{owner.Role("billing")}).OK()
		c.hear(`{"ended":"FORBIDDEN"}`)
		c.ended()
	})
	t.Run("FE-18 a session that ends, ends the subscription", func(t *testing.T) {
		second := w.SignIn("olivia@acme.test")
		c := convokeClient(t, kind, w.URL, second, eventCursor(owner))
		invite("dora@x.org")
		c.hear(`{"item"`, "dora@x.org")
		second.Do(`mutation { signOut { userErrors { code } } }`, nil).OK()
		c.hear(`{"ended":"UNAUTHENTICATED"}`)
		c.ended()
	})
	t.Run("FE-18 the server's stop is a break, and no end", func(t *testing.T) {
		c := convokeClient(t, kind, w.URL, owner, eventCursor(owner))
		invite("emil@x.org")
		c.hear(`{"item"`, "emil@x.org")
		if err := w.Server.Close(); err != nil {
			t.Error(err)
		}
		c.hear(`{"status":"reconnecting","code":"NETWORK"}`)
	})
}
