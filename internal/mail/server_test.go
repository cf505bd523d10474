package mail

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	gosmtp "github.com/emersion/go-smtp"
)

const (
	testHost = "mail.example.test"
	testUser = "mailer@example.test"
	testPass = "s3cret/p@ss#word"
	testFrom = "Convoke <no-reply@example.test>"
)

// delivery is one message as the test server took it.
type delivery struct {
	from string
	to   []string
	data []byte
	tls  bool
	user string
	utf8 bool
}

// mailServer is a real SMTP server on a loopback port. Its fields are set
// before it is started.
type mailServer struct {
	tls      *tls.Config
	utf8     bool
	reply    map[string]error // what MAIL, RCPT, DATA and AUTH answer
	mechs    []string
	onData   func(conn net.Conn) // called with the message half taken
	addr     string
	mu       sync.Mutex
	received []delivery
}

// start serves until the test ends.
func (m *mailServer) start(t *testing.T) *mailServer {
	t.Helper()
	srv := gosmtp.NewServer(gosmtp.BackendFunc(func(c *gosmtp.Conn) (gosmtp.Session, error) {
		return &mailSession{server: m, conn: c}, nil
	}))
	srv.Domain = testHost
	srv.TLSConfig = m.tls
	srv.AllowInsecureAuth = m.tls == nil
	srv.EnableSMTPUTF8 = m.utf8
	listener := listen(t)
	m.addr = listener.Addr().String()
	go func() { _ = srv.Serve(listener) }() // ends with srv.Close
	t.Cleanup(func() { _ = srv.Close() })
	return m
}

func (m *mailServer) deliveries() []delivery {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.received
}

type mailSession struct {
	server *mailServer
	conn   *gosmtp.Conn
	now    delivery
}

func (s *mailSession) AuthMechanisms() []string {
	if s.server.mechs == nil {
		return []string{sasl.Plain}
	}
	return s.server.mechs
}

func (s *mailSession) Auth(mech string) (sasl.Server, error) {
	check := func(user, password string) error {
		if err := s.server.reply["AUTH"]; err != nil {
			return err
		}
		if user != testUser || password != testPass {
			return gosmtp.ErrAuthFailed
		}
		s.now.user = user
		return nil
	}
	if mech == sasl.Login {
		return &loginServer{check: check}, nil
	}
	return sasl.NewPlainServer(func(_, user, password string) error { return check(user, password) }), nil
}

func (s *mailSession) Mail(from string, opts *gosmtp.MailOptions) error {
	s.now.from, s.now.utf8 = from, opts.UTF8
	_, s.now.tls = s.conn.TLSConnectionState()
	return s.server.reply["MAIL"]
}

func (s *mailSession) Rcpt(to string, _ *gosmtp.RcptOptions) error {
	s.now.to = append(s.now.to, to)
	return s.server.reply["RCPT"]
}

func (s *mailSession) Data(r io.Reader) error {
	if s.server.onData != nil {
		s.server.onData(s.conn.Conn())
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err := s.server.reply["DATA"]; err != nil {
		return err
	}
	s.now.data = data
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.received = append(s.server.received, s.now)
	return nil
}

func (s *mailSession) Reset()        {}
func (s *mailSession) Logout() error { return nil }

// loginServer is the server side of AUTH LOGIN.
type loginServer struct {
	check func(user, password string) error
	user  []byte
	step  int
}

func (l *loginServer) Next(response []byte) (challenge []byte, done bool, err error) {
	l.step++
	switch l.step {
	case 1:
		return []byte("Username:"), false, nil
	case 2:
		l.user = bytes.Clone(response)
		return []byte("Password:"), false, nil
	}
	return nil, true, l.check(string(l.user), string(response))
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener
}

// script answers one connection by hand, for servers that misbehave.
func script(t *testing.T, talk func(conn net.Conn)) (addr string) {
	t.Helper()
	listener := listen(t)
	go func() { // ends when the listener is closed
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = conn.Close() })
			talk(conn)
		}
	}()
	return listener.Addr().String()
}

// certificate makes a certificate for testHost and the pool that trusts it.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test CA"},
		DNSNames:  []string{testHost},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, pool
}

// newSMTP returns a sender whose connections all go to addr, whatever host
// the URL names.
func newSMTP(t *testing.T, rawURL, addr string) *SMTP {
	t.Helper()
	s, err := NewSMTP(rawURL, testFrom)
	if err != nil {
		t.Fatalf("NewSMTP(%q): %v", rawURL, err)
	}
	s.dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, addr)
	}
	s.Now = func() time.Time { return noon }
	return s
}

var noon = time.Date(2026, time.November, 28, 10, 0, 0, 0, time.UTC)

func testMessage() Message {
	return Message{
		ID: "inv_01.2@example.test", To: "nina@example.test", ToName: "Nina Newcomer",
		Subject: "Olivia invited you", Text: "Hello,\n\nhttps://app.example.test/accept#abc\n", HTML: "<p>Hello</p>",
	}
}

// sendError fails the test unless err is an *Error.
func sendError(t *testing.T, err error) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got error %v, want an *Error", err)
	}
	return e
}
