package server_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/server"
)

// The clients of BenchmarkIdleSubscriptions run in a process of their own, which
// is this one again, told by its environment what to do.
const (
	idleURL   = "CONVOKE_TEST_IDLE_URL"
	idleCount = "CONVOKE_TEST_IDLE_COUNT"
	idleSays  = "CONVOKE_TEST_IDLE_SAYS" // frames, one a line; the answer to the last is awaited
)

// resident returns how much of the process is in memory once its garbage is gone,
// in bytes.
func resident(t testing.TB) float64 {
	t.Helper()
	for range 5 { // pools are emptied in two rounds, and stacks halved in each
		runtime.GC()
	}
	debug.FreeOSMemory()
	return rss(t)
}

// rss returns how much of the process is in memory at this moment, in bytes.
func rss(t testing.TB) float64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("only Linux says how much memory is resident: ", err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	if err != nil {
		t.Fatal(err)
	}
	return kib * 1024
}

// idlers opens sockets in another process and returns once all of them have
// been answered. They stay until they leave; heard waits until each of them has
// got one `next` more.
func idlers(b *testing.B, n int, url string, says ...string) (heard, leave func()) {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), os.Args[0], "-test.run=^TestIdleClients$", "-test.v")
	cmd.Env = append(os.Environ(), idleURL+"="+url, idleCount+"="+strconv.Itoa(n), idleSays+"="+strings.Join(says, "\n"))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	await := func(what string) {
		for lines.Scan() {
			if lines.Text() == what {
				return
			}
		}
		b.Fatal("the clients failed")
	}
	await("all open")
	return func() { await("all heard") }, func() {
		_ = stdin.Close()
		_, _ = io.Copy(io.Discard, stdout)
		if err := cmd.Wait(); err != nil {
			b.Error(err)
		}
	}
}

func TestIdleClients(t *testing.T) { //nolint:paralleltest // alone in its process
	url := os.Getenv(idleURL)
	if url == "" {
		t.Skip("this is the other half of BenchmarkIdleSubscriptions")
	}
	n, err := strconv.Atoi(os.Getenv(idleCount))
	if err != nil {
		t.Fatal(err)
	}
	says := strings.Split(os.Getenv(idleSays), "\n")
	var heard atomic.Int64
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}, ReadBufferSize: 512, WriteBufferSize: 512, HandshakeTimeout: patience}
	for range n {
		conn, res, err := dialer.DialContext(t.Context(), url, nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		for _, frame := range says {
			if err := conn.WriteMessage(websocket.TextMessage, []byte(frame)); err != nil {
				t.Fatal(err)
			}
		}
		for range says {
			if _, _, err := conn.ReadMessage(); err != nil {
				t.Fatal(err)
			}
		}
		go func() { // ends with the process; answers pings
			for {
				_, frame, err := conn.ReadMessage()
				if err != nil {
					return
				}
				if bytes.Contains(frame, []byte(`"next"`)) && heard.Add(1)%int64(n) == 0 {
					fmt.Println("all heard")
				}
			}
		}()
	}
	fmt.Println("all open")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// manySockets lets one user have them all, and keeps no log of it.
func manySockets(c *server.Config) { c.StreamsPerUser, c.Log = 1<<20, slog.New(slog.DiscardHandler) }

// sockets is how many sockets a benchmark opens.
func sockets(b *testing.B) int {
	b.Helper()
	text := os.Getenv("CONVOKE_BENCH_SOCKETS")
	if text == "" {
		return 1000
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// BenchmarkIdleSubscriptions says how much memory an idle WebSocket costs, of
// CONVOKE_BENCH_SOCKETS (1000): in a bare broadcaster on gorilla, in ours without
// an operation, and with a subscription. Run it with -benchtime 1x.
func BenchmarkIdleSubscriptions(b *testing.B) {
	n := sockets(b)
	var raw float64
	measure := func(b *testing.B, url string, says ...string) {
		b.Helper()
		_, leave := idlers(b, 20, url, says...) // what is needed once
		leave()
		for b.Loop() {
			before := resident(b)
			goroutines := runtime.NumGoroutine()
			_, leave := idlers(b, n, url, says...)
			each := (resident(b) - before) / float64(n)
			b.ReportMetric(each, "B/socket")
			if raw == 0 {
				raw = each // gorilla's
			}
			b.ReportMetric(each/raw, "x-gorilla")
			b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/float64(n), "goroutines/socket")
			leave()
		}
	}
	b.Run("gorilla", func(b *testing.B) {
		web := httptest.NewServer(&broadcaster{})
		defer web.Close()
		measure(b, "ws"+strings.TrimPrefix(web.URL, "http"), `{}`)
	})
	w := testkit.New(b, b.TempDir()+"/convoke.db", manySockets)
	owner := w.SignUp("olivia@acme.test")
	url := "ws" + strings.TrimPrefix(w.URL, "http") + "/graphql"
	start := `{"type":"connection_init","payload":{"authorization":"Bearer ` + owner.Session + `"}}`
	b.Run("connection", func(b *testing.B) { measure(b, url, start) })
	b.Run("subscription", func(b *testing.B) { measure(b, url, watchIdly(owner)...) })
}

// watchIdly are a client's frames that follow the invitations of p's team.
func watchIdly(p *testkit.Person) []string {
	return []string{
		`{"type":"connection_init","payload":{"authorization":"Bearer ` + p.Session + `"}}`,
		`{"type":"subscribe","id":"1","payload":{"query":"subscription { inviteStatusChanged(teamId: \"` + p.TeamID + `\") { cursor type invitation { id email status } } }"}}`,
		`{"type":"subscribe","id":"2","payload":{"query":"{ serverInfo { version } }"}}`, // next
	}
}

// BenchmarkFanOut is one invitation until the last of CONVOKE_BENCH_SOCKETS
// (1000) subscribers in another process has received it, beside a bare broadcaster
// that writes one prepared frame of the same size to all.
func BenchmarkFanOut(b *testing.B) {
	n := sockets(b)
	var raw float64 // per event
	perEvent := func(b *testing.B) float64 {
		b.Helper()
		b.StopTimer()
		return float64(b.Elapsed()) / float64(b.N)
	}
	b.Run("gorilla", func(b *testing.B) {
		s := &broadcaster{}
		web := httptest.NewServer(s)
		defer web.Close()
		heard, leave := idlers(b, n, "ws"+strings.TrimPrefix(web.URL, "http"), `{}`)
		frame := []byte(`{"id":"1","type":"next","payload":{"data":{"inviteStatusChanged":{"cursor":"` + strings.Repeat("x", 43) +
			`","type":"CREATED","invitation":{"id":"inv_` + strings.Repeat("x", 26) + `","email":"p1234@example.org","status":"PENDING"}}}}}`)
		for b.Loop() {
			s.broadcast(b, frame)
			heard()
		}
		raw = perEvent(b)
		leave()
	})
	b.Run("convoke", func(b *testing.B) {
		w := testkit.New(b, b.TempDir()+"/convoke.db", manySockets)
		owner := w.SignUp("olivia@acme.test")
		role := owner.Role("viewer")
		heard, leave := idlers(b, n, "ws"+strings.TrimPrefix(w.URL, "http")+"/graphql", watchIdly(owner)...)
		testkit.Eventually(b, func() bool { return w.Server.Streams() == n })
		i := 0
		for b.Loop() {
			i++
			owner.Do(testkit.InviteMutation, testkit.Input("teamId", owner.TeamID, "email", "p"+itoa(i)+"@example.org", "roleIds", []string{role}, "sendEmail", false)).OK()
			heard()
		}
		b.ReportMetric(perEvent(b)/raw, "x-gorilla")
		leave()
	})
}

// BenchmarkBurst is ten events at once until the last of CONVOKE_BENCH_SOCKETS
// (1000) subscribers has received all, and by how much the process grows meanwhile
// at the most.
func BenchmarkBurst(b *testing.B) {
	const burst = 10
	n := sockets(b)
	w := testkit.New(b, b.TempDir()+"/convoke.db", manySockets)
	owner := w.SignUp("olivia@acme.test")
	heard, leave := idlers(b, n, "ws"+strings.TrimPrefix(w.URL, "http")+"/graphql", watchIdly(owner)...)
	testkit.Eventually(b, func() bool { return w.Server.Streams() == n })
	ids := make([]string, burst)
	for i := range ids {
		ids[i] = owner.Invite("p"+itoa(i)+"@example.org", "viewer", "sendEmail", false).OK().Text("inviteUser.invitation.id")
		heard()
	}
	i, worst := 0, 0.0
	for b.Loop() {
		i++
		before := rss(b)
		peak, stop := peakRSS(b)
		for _, id := range ids {
			owner.Mutate("updateInvite", "", "invitationId", id, "note", itoa(i)).OK()
		}
		for range burst {
			heard()
		}
		stop()
		worst = max(worst, 100*(*peak-before)/before)
	}
	b.StopTimer()
	b.ReportMetric(worst, "growth-%")
	leave()
}

// peakRSS looks every millisecond how much of the process is in memory, until it
// is stopped; then peak is the most there was.
func peakRSS(b *testing.B) (peak *float64, stop func()) {
	b.Helper()
	peak = new(float64)
	ending, ended := make(chan struct{}), make(chan struct{})
	go func() { // ends with stop
		defer close(ended)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			*peak = max(*peak, rss(b))
			select {
			case <-tick.C:
			case <-ending:
				return
			}
		}
	}()
	return peak, func() { close(ending); <-ended }
}

// broadcaster is the least a server with sockets does: it reads, and writes to
// all of them.
type broadcaster struct {
	mu    sync.Mutex
	conns []*websocket.Conn
}

func (s *broadcaster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	upgrader := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	kind, text, err := conn.ReadMessage()
	if err != nil || conn.WriteMessage(kind, text) != nil {
		return
	}
	s.mu.Lock()
	s.conns = append(s.conns, conn)
	s.mu.Unlock()
	for err == nil {
		_, _, err = conn.ReadMessage()
	}
}

func (s *broadcaster) broadcast(b *testing.B, frame []byte) {
	b.Helper()
	message, err := websocket.NewPreparedMessage(websocket.TextMessage, frame)
	if err != nil {
		b.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, conn := range s.conns {
		if err := conn.WritePreparedMessage(message); err != nil {
			b.Fatal(err)
		}
	}
}
