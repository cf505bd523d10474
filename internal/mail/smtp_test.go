package mail

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	netmail "net/mail"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	gosmtp "github.com/emersion/go-smtp"
)

func credentials() string { return url.UserPassword(testUser, testPass).String() }

func TestSMTPDelivers(t *testing.T) {
	t.Parallel()
	config, pool := certificate(t)
	tests := map[string]struct {
		url      string
		server   *mailServer
		wantTLS  bool
		wantUser string
	}{
		"STARTTLS with AUTH PLAIN":      {"smtp://" + credentials() + "@" + testHost, &mailServer{tls: config}, true, testUser},
		"STARTTLS with AUTH LOGIN":      {"smtp://" + credentials() + "@" + testHost, &mailServer{tls: config, mechs: []string{"LOGIN"}}, true, testUser},
		"STARTTLS without sign-in":      {"smtp://" + testHost + ":2525", &mailServer{tls: config}, true, ""},
		"loopback, plain":               {"smtp://127.0.0.1:2525", &mailServer{}, false, ""},
		"loopback, plain with sign-in":  {"smtp://" + credentials() + "@127.0.0.9:2525", &mailServer{}, false, testUser},
		"loopback, foreign certificate": {"smtp://localhost:2525", &mailServer{tls: config}, true, ""},
		"loopback, IPv6 name, plain":    {"smtp://[::1]:2525", &mailServer{}, false, ""},
		"SMTPUTF8 is not asked for":     {"smtp://localhost", &mailServer{utf8: true}, false, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.server.start(t)
			s := newSMTP(t, test.url, test.server.addr)
			s.tls.RootCAs = pool
			if err := s.Send(t.Context(), testMessage()); err != nil {
				t.Fatalf("Send: %v", err)
			}
			got := test.server.deliveries()
			if len(got) != 1 {
				t.Fatalf("got %d deliveries, want 1", len(got))
			}
			if got[0].tls != test.wantTLS || got[0].user != test.wantUser || got[0].utf8 {
				t.Errorf("got TLS %v, user %q, SMTPUTF8 %v; want %v, %q, false", got[0].tls, got[0].user, got[0].utf8, test.wantTLS, test.wantUser)
			}
			if got[0].from != "no-reply@example.test" || len(got[0].to) != 1 || got[0].to[0] != "nina@example.test" {
				t.Errorf("got envelope %q to %q", got[0].from, got[0].to)
			}
		})
	}
}

func TestSMTPSDelivers(t *testing.T) {
	t.Parallel()
	config, pool := certificate(t)
	server := (&mailServer{}).start(t)
	// A TLS front that hands the plain conversation to the server.
	addr := script(t, func(conn net.Conn) {
		back, err := net.Dial("tcp", server.addr)
		if err != nil {
			return
		}
		front := tls.Server(conn, config)
		go func() { _, _ = io.Copy(back, front); _ = back.Close() }() // ends with either connection
		_, _ = io.Copy(front, back)
	})
	s := newSMTP(t, "smtps://"+credentials()+"@"+testHost, addr)
	s.tls.RootCAs = pool
	if err := s.Send(t.Context(), testMessage()); err != nil {
		t.Fatalf("Send: %v", err)
	}
	if got := server.deliveries(); len(got) != 1 || got[0].user != testUser {
		t.Errorf("got %+v, want one delivery by %s", got, testUser)
	}
}

func TestSMTPMessageIsWellFormed(t *testing.T) {
	t.Parallel()
	server := (&mailServer{}).start(t)
	s := newSMTP(t, "smtp://localhost", server.addr)
	m := testMessage()
	m.ToName, m.Subject = "Zoë Ñandú", "Žofie invited you to Überteam"
	m.Text = "Grüße\n.\n" + strings.Repeat("long ", 400) + "\n"
	m.HTML = "<p>" + strings.Repeat("ü", 2000) + "</p>"
	if err := s.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	raw := server.deliveries()[0].data
	for line := range bytes.SplitSeq(raw, []byte("\r\n")) {
		if len(line) > 78 || bytes.ContainsAny(line, "\r\n") {
			t.Errorf("bad line of %d bytes: %q", len(line), line)
		}
	}
	got := parse(t, raw)
	want := map[string]string{
		"Message-Id": "<inv_01.2@example.test>", "Date": "Sat, 28 Nov 2026 10:00:00 +0000",
		"From": `"Convoke" <no-reply@example.test>`, "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All", "Mime-Version": "1.0",
	}
	for name, value := range want {
		if got.header.Get(name) != value {
			t.Errorf("header %s: got %q, want %q", name, got.header.Get(name), value)
		}
	}
	if got.subject != m.Subject || got.to.Name != m.ToName || got.to.Address != m.To {
		t.Errorf("got subject %q, to %v", got.subject, got.to)
	}
	if got.text != m.Text || got.html != m.HTML {
		t.Errorf("parts came back changed: %q, %q", got.text, got.html)
	}
}

func TestSMTPInternationalDomainNeedsNoSMTPUTF8(t *testing.T) {
	t.Parallel()
	server := (&mailServer{}).start(t)
	m := testMessage()
	m.To = "Nina@BÜCHER.example"
	if err := newSMTP(t, "smtp://localhost", server.addr).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	d := server.deliveries()[0]
	const want = "Nina@xn--bcher-kva.example"
	if got := parse(t, d.data); len(d.to) != 1 || d.to[0] != want || got.to.Address != want {
		t.Errorf("sent to %q, header %v; want %s", d.to, got.to, want)
	}
}

func TestSMTPInternationalAddressNeedsSMTPUTF8(t *testing.T) {
	t.Parallel()
	m := testMessage()
	m.To = "zoë@example.test"
	with, without := (&mailServer{utf8: true}).start(t), (&mailServer{}).start(t)
	if err := newSMTP(t, "smtp://localhost", with.addr).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if got := with.deliveries(); !got[0].utf8 || got[0].to[0] != m.To {
		t.Errorf("got %+v, want SMTPUTF8 and %s", got[0], m.To)
	}
	e := sendError(t, newSMTP(t, "smtp://localhost", without.addr).Send(t.Context(), m))
	if e.Temporary {
		t.Errorf("got temporary %q, want permanent", e.Reason)
	}
}

func TestSMTPReplies(t *testing.T) {
	t.Parallel()
	reply := func(code int, text string) error {
		return &gosmtp.SMTPError{Code: code, EnhancedCode: gosmtp.NoEnhancedCode, Message: text}
	}
	tests := map[string]struct {
		command string
		reply   error
		want    Error
	}{
		"451 to MAIL":       {"MAIL", reply(451, "try later"), Error{Temporary: true, Code: 451, Reason: "451 try later"}},
		"450 to RCPT":       {"RCPT", reply(450, "greylisted"), Error{Temporary: true, Code: 450, Reason: "450 greylisted"}},
		"550 to RCPT":       {"RCPT", reply(550, "no such user"), Error{Recipient: true, Code: 550, Reason: "550 no such user"}},
		"550 5.1.1 at end":  {"DATA", reply(550, "5.1.1 no such user"), Error{Recipient: true, Code: 550, Reason: "550 5.1.1 no such user"}},
		"552 5.2.2 at end":  {"DATA", reply(552, "5.2.2 mailbox full"), Error{Recipient: true, Code: 552, Reason: "552 5.2.2 mailbox full"}},
		"550 5.7.1 to RCPT": {"RCPT", reply(550, "5.7.1 relaying denied"), Error{Code: 550, Reason: "550 5.7.1 relaying denied"}},
		"421 to DATA":       {"DATA", reply(421, "going down"), Error{Temporary: true, Code: 421, Reason: "421 going down"}},
		"554 to DATA":       {"DATA", reply(554, "spam"), Error{Code: 554, Reason: "554 spam"}},
		"535 to AUTH":       {"AUTH", reply(535, "no"), Error{Temporary: true, Code: 535, Reason: "535 no"}},
		"controls":          {"RCPT", reply(550, "a\x1b[31m\tb\u202ec"), Error{Recipient: true, Code: 550, Reason: "550 a [31m bc"}},
		"password, echoed":  {"AUTH", reply(535, "bad password "+testPass), Error{Temporary: true, Code: 535, Reason: "535 bad password ***"}},
		"long":              {"RCPT", reply(550, strings.Repeat("é", 500)), Error{Recipient: true, Code: 550, Reason: "550 " + strings.Repeat("é", 195) + "…"}},
		"password at the cut": {
			"AUTH", reply(535, strings.Repeat("x", 190)+testPass),
			Error{Temporary: true, Code: 535, Reason: "535 " + strings.Repeat("x", 190) + "***"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := (&mailServer{reply: map[string]error{test.command: test.reply}}).start(t)
			s := newSMTP(t, "smtp://"+credentials()+"@localhost", server.addr)
			got := sendError(t, s.Send(t.Context(), testMessage()))
			if got.Temporary != test.want.Temporary || got.Recipient != test.want.Recipient || got.Code != test.want.Code || got.Reason != test.want.Reason {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
			if n := utf8.RuneCountInString(got.Reason); n > 200 {
				t.Errorf("reason has %d runes", n)
			}
			for err := error(got); err != nil; err = errors.Unwrap(err) {
				if strings.Contains(fmt.Sprintf("%v %+v", err, err), testPass) {
					t.Errorf("the password is in %+v", err)
				}
			}
		})
	}
}

func TestSMTPProbeSendsNothing(t *testing.T) {
	t.Parallel()
	server := (&mailServer{}).start(t)
	if err := newSMTP(t, "smtp://localhost", server.addr).Probe(t.Context(), testMessage()); err != nil {
		t.Errorf("Probe: %v, want the message would be taken", err)
	}
	if got := server.deliveries(); len(got) != 0 {
		t.Errorf("got %d deliveries, want none", len(got))
	}
	busy := (&mailServer{reply: map[string]error{"RCPT": &gosmtp.SMTPError{Code: 451, EnhancedCode: gosmtp.NoEnhancedCode, Message: "later"}}}).start(t)
	var got *Error
	if err := newSMTP(t, "smtp://localhost", busy.addr).Probe(t.Context(), testMessage()); !errors.As(err, &got) || !got.Temporary || got.Code != 451 {
		t.Errorf("Probe: %v, want a temporary 451", err)
	}
}

func TestSMTPFailuresAreTemporary(t *testing.T) {
	t.Parallel()
	config, _ := certificate(t)
	closed := listen(t)
	_ = closed.Close()
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	tests := map[string]struct {
		url, addr string
		reason    string // contained
		is        error
	}{
		"connection refused":  {"smtp://localhost", closed.Addr().String(), "connection refused", syscall.ECONNREFUSED},
		"says nothing":        {"smtp://localhost", script(t, func(net.Conn) {}), "did not answer in time", context.DeadlineExceeded},
		"no TLS handshake":    {"smtps://" + testHost, script(t, func(net.Conn) {}), "did not answer in time", context.DeadlineExceeded},
		"closes at once":      {"smtp://localhost", script(t, func(c net.Conn) { _ = c.Close() }), "closed the connection", io.EOF},
		"talks nonsense":      {"smtp://localhost", script(t, func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n") }), "smtp://localhost:587: ", nil},
		"no TLS offered":      {"smtp://" + credentials() + "@" + testHost, (&mailServer{}).start(t).addr, "STARTTLS", nil},
		"unknown authority":   {"smtp://" + credentials() + "@" + testHost, (&mailServer{tls: config}).start(t).addr, "certificate", nil},
		"no usable mechanism": {"smtp://" + credentials() + "@localhost", (&mailServer{mechs: []string{"XOAUTH2"}}).start(t).addr, "AUTH PLAIN", nil},
		"drops after DATA": {
			"smtp://localhost", (&mailServer{onData: func(c net.Conn) { _ = c.Close() }}).start(t).addr, "", nil,
		},
		"hangs after DATA": {
			"smtp://localhost", (&mailServer{onData: func(net.Conn) { <-release }}).start(t).addr, "did not answer in time", context.DeadlineExceeded,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSMTP(t, test.url, test.addr)
			s.tls.RootCAs = x509.NewCertPool()
			if test.is == context.DeadlineExceeded { //nolint:errorlint // a table entry
				s.timeout = 100 * time.Millisecond
			}
			got := sendError(t, s.Send(t.Context(), testMessage()))
			if !got.Temporary || got.Code != 0 || !strings.Contains(got.Reason+"; "+got.Detail, test.reason) {
				t.Errorf("got %v %d %q, want temporary without a code, and %q", got.Temporary, got.Code, got.Reason, test.reason)
			}
			if test.is != nil && !errors.Is(got, test.is) {
				t.Errorf("got cause %v, want %v", got.Err, test.is)
			}
			if strings.Contains(got.Error()+got.Detail, testPass) {
				t.Errorf("the password is in %q, %q", got, got.Detail)
			}
			if strings.Contains(got.Reason, "localhost") || strings.Contains(got.Reason, testHost) {
				t.Errorf("%q tells tenants which server it is", got.Reason)
			}
		})
	}
}

func TestSMTPHonoursContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	addr := script(t, func(net.Conn) { cancel() })
	got := sendError(t, newSMTP(t, "smtp://localhost", addr).Send(ctx, testMessage()))
	if !got.Temporary || !errors.Is(got, context.Canceled) {
		t.Errorf("got %v, want a temporary failure caused by the context", got)
	}
}

func TestSMTPAcceptedIsAcceptedWhateverFollows(t *testing.T) {
	t.Parallel()
	addr := script(t, func(c net.Conn) {
		for _, line := range []string{"220 hi", "250 hi", "250 ok", "250 ok", "354 go"} {
			_, _ = io.WriteString(c, line+"\r\n")
		}
		_, _ = io.WriteString(c, "250 taken\r\n")
		_ = c.(*net.TCPConn).CloseWrite() // no answer to QUIT
	})
	if err := newSMTP(t, "smtp://localhost", addr).Send(t.Context(), testMessage()); err != nil {
		t.Errorf("got %v for a message the server took", err)
	}
}

func TestSMTPRefusesHostileEnvelopeBeforeDialling(t *testing.T) {
	t.Parallel()
	s := newSMTP(t, "smtp://localhost", "")
	s.dial = func(context.Context, string, string) (net.Conn, error) {
		t.Error("dialled")
		return nil, io.EOF
	}
	for _, to := range []string{
		"", "nina", "nina@", "@example.test", "a@example.test, b@example.test", "a@example.test\r\nBcc: b@example.test",
		"a@example.test\r\nRCPT TO:<b@example.test>", "<a@example.test>", "Nina <a@example.test>", "a@example.test (x)",
		`"a b"@example.test`, `"a\r\nb"@example.test`, "a@example.test\x00", "a\u200b@example.test", "a\u202e@example.test",
		"a@example.test>", "a@example.test SMTPUTF8", "list: a@example.test;", strings.Repeat("a", 250) + "@example.test",
	} {
		m := testMessage()
		m.To = to
		if e := sendError(t, s.Send(t.Context(), m)); e.Temporary {
			t.Errorf("To %q: got a temporary failure, want a permanent one", to)
		}
	}
	for _, id := range []string{"", "a", "a@b@c", "<a@b>", "a b@c", "a@b\r\nBcc: c@example.test", "ü@b", strings.Repeat("a", 300) + "@b"} {
		m := testMessage()
		m.ID = id
		if e := sendError(t, s.Send(t.Context(), m)); e.Temporary {
			t.Errorf("ID %q: got a temporary failure, want a permanent one", id)
		}
	}
}

func TestNewSMTPSaysWhatToChange(t *testing.T) {
	t.Parallel()
	tests := map[string]string{ // URL: part of the sentence
		"":                                "must begin with smtp://",
		"mail.example.test:587":           "must begin with smtp://",
		"http://mail.example.test":        "must begin with smtp://",
		"smtp://":                         "no host",
		"smtp://u:s3cret@":                "no host",
		"smtp://mail.example.test:0":      "between 1 and 65535",
		"smtp://mail.example.test:99999":  "between 1 and 65535",
		"smtp://u:s3cret@host:port":       "cannot be read",
		"smtp://u:s3cret@host:587:587":    "more than one port",
		"smtp://u:s3cret%zz@host":         "cannot be read",
		"smtp://u:s3cret#1@host":          "percent-encode",
		"smtp://u:s3cret/1@host":          "percent-encode",
		"smtp://u:s3cret@host/x":          "must end after the port",
		"smtp://u:s3cret@host?tls=off":    "must end after the port",
		"smtp://u:s3cret@host#x":          "must end after the port",
		"smtp://u@host":                   "both a user and a password",
		"smtp://:s3cret@host":             "both a user and a password",
		"smtp://u:s3cret%0d%0a@host":      "line break",
		"smtp://mäil.example.test":        "xn--",
		"smtp://u:s3cret@host:465":        "smtps://",
		"smtps://u:s3cret@host:587":       "smtp://",
		"smtp://u:s3cret@host name.test/": "cannot be read",
	}
	for rawURL, want := range tests {
		_, err := NewSMTP(rawURL, testFrom)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("NewSMTP(%q): got %v, want %q", rawURL, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("NewSMTP(%q): the password is in %q", rawURL, err)
		}
	}
	for _, from := range []string{"", "nobody", "a@example.test, b@example.test", "a@example.test\r\nBcc: b@example.test", `"a b"@example.test`} {
		if _, err := NewSMTP("smtp://localhost", from); err == nil || !strings.Contains(err.Error(), "no-reply@example.com") {
			t.Errorf("from %q: got %v, want a sentence with an example", from, err)
		}
	}
}

func TestSMTPPrintsWithoutPassword(t *testing.T) {
	t.Parallel()
	s := newSMTP(t, "smtps://"+credentials()+"@"+testHost, "")
	if got := fmt.Sprintf("%v %+v %s", s, s, s); strings.Contains(got, testPass) || !strings.Contains(got, "smtps://mail.example.test:465") {
		t.Errorf("got %q", got)
	}
}

// parsed is a message as a mail program reads it.
type parsed struct {
	header     netmail.Header
	subject    string
	to         *netmail.Address
	text, html string
}

func parse(t *testing.T, raw []byte) parsed {
	t.Helper()
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	p := parsed{header: m.Header}
	if p.subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		t.Fatal(err)
	}
	recipients, err := m.Header.AddressList("To")
	if err != nil || len(recipients) != 1 {
		t.Fatalf("To %q: %v", m.Header.Get("To"), err)
	}
	p.to = recipients[0]
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for _, into := range []*string{&p.text, &p.html} {
		part, err := parts.NextRawPart()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, part))
		if err != nil {
			t.Fatal(err)
		}
		*into = strings.ReplaceAll(string(content), "\r\n", "\n")
	}
	if _, err := parts.NextRawPart(); !errors.Is(err, io.EOF) {
		t.Errorf("a third part: %v", err)
	}
	return p
}
