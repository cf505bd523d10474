package main_test

import (
	"encoding/base64"
	"errors"
	"io"
	"log"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/gorilla/websocket"

	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/testdb"
	"github.com/convoke-dev/convoke/internal/testkit"
)

// mailServer is a real SMTP server that keeps clients waiting while it is
// told to.
type mailServer struct {
	addr string

	mu    sync.Mutex
	stuck bool
	mails map[string][]string // by recipient
}

func newMailServer(t *testing.T) *mailServer {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &mailServer{addr: l.Addr().String(), mails: map[string][]string{}}
	s := smtp.NewServer(m)
	s.Domain = "mail.test"
	s.ErrorLog = log.New(io.Discard, "", 0) // of clients that were killed
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }() // ends with Close
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil && !errors.Is(err, smtp.ErrServerClosed) {
			t.Error(err)
		}
	})
	return m
}

func (m *mailServer) stick(stuck bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stuck = stuck
}

func (m *mailServer) to(recipient string) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mails[recipient]
}

// NewSession begins a conversation.
func (m *mailServer) NewSession(*smtp.Conn) (smtp.Session, error) {
	return &mailSession{server: m}, nil
}

type mailSession struct {
	server *mailServer
	to     string
}

func (*mailSession) Reset()                                      {}
func (*mailSession) Logout() error                               { return nil }
func (*mailSession) Mail(string, *smtp.MailOptions) error        { return nil }
func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error { s.to = to; return nil }
func (s *mailSession) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	if s.server.stuck {
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "not now"}
	}
	s.server.mails[s.to] = append(s.server.mails[s.to], string(text))
	return nil
}

const key = "0123456789abcdef0123456789abcdef"

func serveArgs(address string, m *mailServer) []string {
	return []string{
		"serve", "--db", address, "--public-url", "http://convoke.test", "--secret-key", key,
		"--smtp-url", "smtp://" + m.addr, "--mail-from", "no-reply@convoke.test", "--drain", "0s",
	}
}

// owner signs up, verifies by the mail, and returns session and team.
func owner(t *testing.T, p *process, m *mailServer) (session, team string) {
	t.Helper()
	p.graphql("", `mutation { signUp(input: {email: "olivia@acme.test", password: "correct horse battery staple"}) { userErrors { code } } }`)
	testkit.Eventually(t, func() bool { return len(m.to("olivia@acme.test")) > 0 })
	_, rest, found := strings.Cut(unwrap(m.to("olivia@acme.test")[0]), "/verify#")
	if !found {
		t.Fatal("no link in the mail")
	}
	answer := p.graphql("", `mutation { verifyEmail(input: {token: "`+rest[:43]+`", transport: BEARER}) {
		sessionToken viewer { activeTeam { id } } userErrors { code } } }`)
	return field(t, answer, "sessionToken"), field(t, answer, "id")
}

// unwrap decodes the parts of the mail, which are in base64 (RFC 2045, 6.8).
func unwrap(mail string) (parts string) {
	for block := range strings.SplitSeq(mail, "\r\n\r\n") {
		if part, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(block, "\r\n", "")); err == nil {
			parts += string(part)
		}
	}
	return parts
}

func TestAMailSurvivesAKill(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		t.Helper()
		m := newMailServer(t)
		p := start(t, serveArgs(address, m)...)
		session, team := owner(t, p, m)
		m.stick(true)
		answer := p.graphql(session, `mutation { inviteUser(input: {teamId: "`+team+`", email: "ann@x.org", grant: {allPermissions: true}}) {
			invitation { id } userErrors { code } } }`)
		id := field(t, answer, "id")
		if err := p.stop(syscall.SIGKILL); err == nil {
			t.Error("a killed process ended well")
		}
		m.stick(false)
		if n := len(m.to("ann@x.org")); n != 0 {
			t.Fatalf("%d mails went out before the kill, want none", n)
		}
		again := start(t, serveArgs(address, m)...)
		wait := 40 * time.Second // the back-off of an attempt that had failed
		if store.IsPostgres(address) {
			wait = 90 * time.Second // the lease of a dead worker
		}
		testkit.EventuallyWithin(t, wait, func() bool { return len(m.to("ann@x.org")) > 0 })
		testkit.Eventually(t, func() bool {
			return strings.Contains(again.graphql(session, `{ node(id: "`+id+`") { ... on Invitation { delivery { status } } } }`), "SENT")
		})
	})
}

func TestAnOrderlyStop(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		t.Helper()
		m := newMailServer(t)
		p := start(t, serveArgs(address, m)...)
		session, team := owner(t, p, m)
		dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}}
		conn, res, err := dialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(p.url, "http")+"/graphql", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _, _ = res.Body.Close(), conn.Close() }()
		for _, message := range []string{
			`{"type":"connection_init","payload":{"authorization":"Bearer ` + session + `"}}`,
			`{"type":"subscribe","id":"1","payload":{"query":"subscription { inviteStatusChanged(teamId: \"` + team + `\") { type } }"}}`,
		} {
			if err := conn.WriteMessage(websocket.TextMessage, []byte(message)); err != nil {
				t.Fatal(err)
			}
		}
		if _, ack, err := conn.ReadMessage(); err != nil || !strings.Contains(string(ack), "connection_ack") {
			t.Fatalf("got %s, %v, want connection_ack", ack, err)
		}
		if err := p.stop(syscall.SIGTERM); err != nil {
			t.Errorf("it ended with %v, want 0\n%s", err, p.err.String())
		}
		for err == nil {
			_, _, err = conn.ReadMessage()
		}
		if !websocket.IsCloseError(err, websocket.CloseServiceRestart) {
			t.Errorf("the socket ended with %v, want 1012", err)
		}
	})
}
