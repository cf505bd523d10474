package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	program "github.com/convoke-dev/convoke/cmd/convoke"
	"github.com/convoke-dev/convoke/internal/testdb"
	"github.com/convoke-dev/convoke/internal/testkit"
)

// binary is the program under test: this test binary, which is the program where
// asProgram is set.
var binary string

// asProgram is the environment variable that makes this binary the program. So nothing
// has to be built while the tests run, and with -race the program is watched, too.
const asProgram = "CONVOKE_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" && !slices.Contains(os.Args, "-test.fuzzworker") { // which inherits it
		program.Main()
		return
	}
	var err error
	if binary, err = os.Executable(); err == nil {
		err = os.Setenv(asProgram, "yes") // for the processes that tests start
	}
	if err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// process is a running convoke.
type process struct {
	t        *testing.T
	cmd      *exec.Cmd
	out, err testkit.Buffer
	url      string
	ended    chan error
}

var listening = regexp.MustCompile(`"addr":"([^"]+)"|Start +http://([^/]+)/`)

// start runs convoke on a free port and waits until it is ready.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	return startWith(t, nil, args...)
}

// startWith is start with more environment variables, each as NAME=VALUE.
func startWith(t *testing.T, environment []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, ended: make(chan error, 1)}
	p.cmd = exec.CommandContext(context.Background(), binary, append(args, "--addr", "127.0.0.1:0")...)
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.err
	p.cmd.Env = append(append(os.Environ(), "TMPDIR="+t.TempDir()), environment...)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.ended <- p.cmd.Wait() }() // ends with the process
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	testkit.Eventually(t, func() bool {
		select {
		case err := <-p.ended:
			t.Fatalf("it ended: %v\n%s", err, p.err.String())
		default:
		}
		found := listening.FindStringSubmatch(p.out.String() + p.err.String())
		if found == nil {
			return false
		}
		p.url = "http://" + found[1] + found[2]
		status, _ := p.get("/readyz")
		return status == http.StatusOK
	})
	return p
}

func (p *process) get(path string) (status int, body string) {
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, p.url+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	return do(req)
}

// getAs is get under another name of the server; it returns the status.
func (p *process) getAs(host, path string) (status int) {
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, p.url+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	req.Host = host
	status, _ = do(req)
	return status
}

func do(req *http.Request) (status int, body string) {
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, ""
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, ""
	}
	return res.StatusCode, string(text)
}

// graphql sends an operation and returns the answer as text.
func (p *process) graphql(bearer, query string) string {
	p.t.Helper()
	return p.graphqlWith(bearer, query, nil)
}

// graphqlWith is graphql with variables.
func (p *process) graphqlWith(bearer, query string, variables map[string]any) string {
	p.t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		p.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.url+"/graphql", bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	_, text := do(req)
	return text
}

// stop sends the signal and returns how the process ended.
func (p *process) stop(s syscall.Signal) error {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
	select {
	case err := <-p.ended:
		return err
	case <-time.After(30 * time.Second):
		p.t.Fatal("it did not end")
		return nil
	}
}

// field returns the text of a JSON field in an answer.
func field(t *testing.T, answer, name string) string {
	t.Helper()
	found := regexp.MustCompile(`"` + name + `":"([^"]+)"`).FindStringSubmatch(answer)
	if found == nil {
		t.Fatalf("no %s in %s", name, answer)
	}
	return found[1]
}

const signInOlivia = `mutation { signIn(input: {email: "olivia@acme.test", password: "correct horse battery staple", transport: BEARER}) {
	sessionToken viewer { activeTeam { id } } userErrors { code } } }`

func TestTheDemo(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	p := start(t, "demo", "--data", data)
	if out := p.out.String(); !strings.Contains(out, "olivia@acme.test") || !strings.Contains(out, "correct horse battery staple") || !strings.Contains(out, p.url+"/mailbox") {
		t.Errorf("it does not say how to begin:\n%s", out)
	}
	for _, page := range []string{"/", "/graphiql", "/mailbox", "/accept", "/verify", "/schema.graphql"} {
		if status, _ := p.get(page); status != http.StatusOK {
			t.Errorf("%s is answered with %d", page, status)
		}
	}
	for host, want := range map[string]int{ // HARD-23
		"localhost:1": http.StatusOK, "192.0.2.1": http.StatusOK, "[2001:db8::1]:80": http.StatusOK,
		"evil.example": http.StatusMisdirectedRequest, "localhost.evil.example:8080": http.StatusMisdirectedRequest,
	} {
		if status := p.getAs(host, "/mailbox.json"); status != want {
			t.Errorf("the mailbox under the name %q: got status %d, want %d", host, status, want)
		}
	}
	for size, want := range map[int]int{27 << 10: http.StatusOK, 40 << 10: http.StatusRequestHeaderFieldsTooLarge} { // HARD-7
		if status, _ := p.get("/healthz?" + strings.Repeat("x", size)); status != want {
			t.Errorf("a request with %d bytes of headers: got status %d, want %d", size, status, want)
		}
	}
	answer := p.graphql("", signInOlivia)
	session := field(t, answer, "sessionToken")
	sample := p.graphql(session, `{ viewer { activeTeam { name account { name } members { totalCount } pending: invitations(filter: {status: [PENDING]}) { totalCount }
		expired: invitations(filter: {status: [EXPIRED]}) { totalCount } } } }`)
	want := `{"data":{"viewer":{"activeTeam":{"name":"Acme Security","account":{"name":"Acme"},"members":{"totalCount":4},"pending":{"totalCount":3},"expired":{"totalCount":1}}}}}`
	if sample != want {
		t.Errorf("the sample is %s, want %s", sample, want)
	}
	_, mailbox := p.get("/mailbox.json")
	var mails []map[string]any
	if err := json.Unmarshal([]byte(mailbox), &mails); err != nil || len(mails) != 4 {
		t.Fatalf("%d mails, %v; want 4", len(mails), err)
	}
	for _, key := range []string{"id", "from", "to", "subject", "text", "html", "headers", "sentAt"} {
		if mails[0][key] == nil {
			t.Errorf("a mail has no %s", key)
		}
	}
	if err := p.stop(syscall.SIGTERM); err != nil {
		t.Errorf("stopping: %v\n%s", err, p.err.String())
	}

	again := start(t, "demo", "--data", data)
	if got := again.graphql(session, `{ viewer { user { email } } }`); !strings.Contains(got, "olivia@acme.test") {
		t.Errorf("after a restart the session is gone: %s", got)
	}
	if _, kept := again.get("/mailbox.json"); kept != mailbox {
		t.Errorf("after a restart the mails are\n%s\nwant\n%s", kept, mailbox)
	}
}

func TestTheDemoServesADevelopmentServer(t *testing.T) {
	t.Parallel()
	p := start(t, "demo")
	t.Run("FE-6 pages of a development server on this machine may call it", func(t *testing.T) {
		t.Parallel()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/graphql", strings.NewReader(`{"query":"{ serverInfo { version } }"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Origin", "http://localhost:5173")
		if status, body := do(req); status != http.StatusOK {
			t.Errorf("got %d %s", status, body)
		}
	})
	t.Run("FE-2 a URL is limited, and a query in it answered", func(t *testing.T) {
		t.Parallel()
		if status, body := p.get("/graphql?query={serverInfo{version}}"); status != http.StatusOK || !strings.Contains(body, `{"data":{"serverInfo":`) {
			t.Errorf("got %d %s", status, body)
		}
		if status, _ := p.get("/graphql?query={serverInfo{version}}" + strings.Repeat("%20", 16<<10)); status != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("got %d for 48 KiB, want a refusal", status)
		}
	})
}

// A limit that refuses an invitation of the sample ends each start of the demo with a
// sentence. A start without the limit completes what the first one began.
func TestTheDemoRefusesAHalfSample(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	for _, which := range []string{"first", "second"} {
		cmd := exec.CommandContext(t.Context(), binary, "demo", "--addr", "127.0.0.1:0", "--data", data, "--rate-limits", "inviter=1/1h")
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "the sample is not complete, because --rate-limits allows fewer invitations") {
			t.Errorf("the %s start ended with %v:\n%s", which, err, out)
		}
	}
	p := start(t, "demo", "--data", data)
	session := field(t, p.graphql("", signInOlivia), "sessionToken")
	got := p.graphql(session, `{ viewer { activeTeam { pending: invitations(filter: {status: [PENDING]}) { totalCount } expired: invitations(filter: {status: [EXPIRED]}) { totalCount } } } }`)
	if want := `{"data":{"viewer":{"activeTeam":{"pending":{"totalCount":3},"expired":{"totalCount":1}}}}}`; got != want {
		t.Errorf("the completed sample is %s, want %s", got, want)
	}
	_, mailbox := p.get("/mailbox.json")
	if n := strings.Count(mailbox, `"subject"`); n != 4 {
		t.Errorf("%d mails, want 4", n)
	}
}

func TestTheSchemaIsPrinted(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("../../graph/guard/schema.graphql")
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), binary, "schema").Output()
	if err != nil || string(out) != string(want) {
		t.Errorf("convoke schema: %v, %d bytes; want the %d bytes of graph/guard/schema.graphql", err, len(out), len(want))
	}
}

func TestServeRefusesNonsense(t *testing.T) {
	t.Parallel()
	good := []string{"serve", "--db", filepath.Join(t.TempDir(), "convoke.db"), "--public-url", "https://team.example.com", "--mail", "log"}
	with := func(more ...string) []string { return append(append([]string{}, good...), more...) }
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"no public URL":             {[]string{"serve", "--mail", "log"}, "--public-url"},
		"a public URL with a path":  {with("--public-url", "https://example.com/team"), "no path"},
		"no mail server":            {with("--mail", "smtp"), "--smtp-url"},
		"no sender":                 {with("--mail", "smtp", "--smtp-url", "smtp://127.0.0.1:25"), "--mail-from"},
		"a mail server without TLS": {with("--mail", "smtp", "--smtp-url", "http://mail.example.com", "--mail-from", "a@example.com"), "--smtp-url"},
		"no address for replies":    {with("--mail-reply-to", "Olivia <olivia@example.com>"), "--mail-reply-to"},
		"a header for replies":      {with("--mail-reply-to", "a@example.com\r\nBcc: b@example.com"), "--mail-reply-to"},
		"a short key":               {with("--secret-key", "hunter2"), "at least 32"},
		"PostgreSQL without a key":  {with("--db", "postgres://127.0.0.1:1/x"), "--secret-key"},
		"a star for CORS":           {with("--cors-origin", "*"), "CORS origin"},
		"an empty database":         {with("--migrate", "off", "--db", filepath.Join(t.TempDir(), "empty.db")), "convoke migrate"},
		"another database":          {with("--db", "mysql://a:hunter2@b/c"), "--db"},
		"a database in memory":      {with("--db", ":memory:"), "--db"},
		"a folder that is missing":  {with("--db", "/nonexistent/convoke.db"), "no folder"},
		"a proxy that matches none": {with("--trusted-proxy", "::ffff:10.0.0.0/104"), "--trusted-proxy"}, // HARD-13
		"an unknown preset":         {with("--preset", "kings"), "teams"},
		"an address that is taken":  {with("--addr", "203.0.113.1:1"), "--addr"},
		"an unknown flag":           {with("--frobnicate"), "--frobnicate"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second) // should it serve after all
			defer cancel()
			out, err := exec.CommandContext(ctx, binary, c.args...).CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || !strings.Contains(string(out), c.says) {
				t.Errorf("%v, %s; want it to fail and speak of %q", err, out, c.says)
			}
			if strings.Contains(string(out), "hunter2") {
				t.Errorf("it tells the key: %s", out)
			}
		})
	}
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		t.Helper()
		for _, says := range []string{"_init.sql", "up to date"} {
			out, err := exec.CommandContext(t.Context(), binary, "migrate", "--db", address).CombinedOutput()
			if err != nil || !strings.Contains(string(out), says) {
				t.Errorf("%v, %s; want it to say %q", err, out, says)
			}
		}
	})
}
