package server_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

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

// resident returns how much of the process is in memory, in bytes.
func resident(t testing.TB) float64 {
	t.Helper()
	for range 5 { // pools are emptied in two rounds, and stacks halved in each
		runtime.GC()
	}
	debug.FreeOSMemory()
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
// been answered. They stay until the test ends.
func idlers(b *testing.B, n int, url string, says ...string) (leave func()) {
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
	ready := false
	for !ready && lines.Scan() {
		ready = lines.Text() == "all open"
	}
	if !ready {
		b.Fatal("the clients failed")
	}
	return func() {
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
				if _, _, err := conn.ReadMessage(); err != nil {
					return
				}
			}
		}()
	}
	fmt.Println("all open")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// BenchmarkIdleSubscriptions says how much memory an idle WebSocket costs, of
// CONVOKE_BENCH_SOCKETS (1000): in a bare broadcaster on gorilla, in ours without
// an operation, and with a subscription. Run it with -benchtime 1x.
func BenchmarkIdleSubscriptions(b *testing.B) {
	n := 1000
	if text := os.Getenv("CONVOKE_BENCH_SOCKETS"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			b.Fatal(err)
		}
	}
	measure := func(b *testing.B, url string, says ...string) {
		b.Helper()
		idlers(b, 20, url, says...)() // what is needed once
		for b.Loop() {
			before := resident(b)
			goroutines := runtime.NumGoroutine()
			leave := idlers(b, n, url, says...)
			b.ReportMetric((resident(b)-before)/float64(n), "B/socket")
			b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/float64(n), "goroutines/socket")
			leave()
		}
	}
	b.Run("gorilla", func(b *testing.B) {
		raw := httptest.NewServer(http.HandlerFunc(echo))
		defer raw.Close()
		measure(b, "ws"+strings.TrimPrefix(raw.URL, "http"), `{}`)
	})
	w := testkit.New(b, b.TempDir()+"/convoke.db", func(c *server.Config) { c.SocketsPerUser = 1 << 20 })
	owner := w.SignUp("olivia@acme.test")
	url := "ws" + strings.TrimPrefix(w.URL, "http") + "/graphql"
	start := `{"type":"connection_init","payload":{"authorization":"Bearer ` + owner.Session + `"}}`
	b.Run("connection", func(b *testing.B) { measure(b, url, start) })
	b.Run("subscription", func(b *testing.B) {
		measure(b, url, start,
			`{"type":"subscribe","id":"1","payload":{"query":"subscription { inviteStatusChanged(teamId: \"`+owner.TeamID+`\") { cursor type invitation { id email status } } }"}}`,
			`{"type":"subscribe","id":"2","payload":{"query":"{ serverInfo { version } }"}}`, // next
		)
	})
}

// echo is the least a server with sockets does: it reads, and could broadcast.
func echo(w http.ResponseWriter, r *http.Request) {
	upgrader := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	for {
		kind, text, err := conn.ReadMessage()
		if err != nil {
			return
		}
		if err := conn.WriteMessage(kind, text); err != nil {
			return
		}
	}
}
