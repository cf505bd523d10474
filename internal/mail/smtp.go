package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	netmail "net/mail"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"
)

const (
	sendTimeout  = 30 * time.Second // for one message, from dialling to the final reply
	probeTimeout = 10 * time.Second // for one question whether a message would be taken
	maxReason    = 200              // runes of a server's reply that are kept
)

// SMTP sends mail through a submission server (RFC 5321, RFC 8314), one
// connection for each message. It is safe for concurrent use.
type SMTP struct {
	// Now gives the Date header. Set it before the first Send.
	Now func() time.Time

	server  server
	from    netmail.Address
	tls     *tls.Config
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	timeout time.Duration
	secrets *strings.Replacer // takes the credentials out of what a server says
}

// NewSMTP returns a sender for a mail server, named by its URL:
//
//	smtp://user:password@host:587    TLS by STARTTLS, which is mandatory
//	smtps://user:password@host:465   TLS from the first byte
//
// The ports shown are the defaults. User and password are percent-encoded;
// both may be missing. The server's certificate must be valid for host.
// Without TLS mail goes only to this machine (localhost, 127.0.0.0/8, ::1),
// where STARTTLS is used if it is offered, with any certificate.
//
// from is the sender, a plain address or one with a name. The error says what
// to change and never repeats the URL, because there is a password in it.
func NewSMTP(rawURL, from string) (*SMTP, error) {
	srv, err := parseServer(rawURL)
	if err != nil {
		return nil, err
	}
	address, err := parseFrom(from)
	if err != nil {
		return nil, err
	}
	return &SMTP{
		Now:     time.Now,
		server:  srv,
		from:    address,
		tls:     &tls.Config{ServerName: srv.host, MinVersion: tls.VersionTLS12},
		dial:    new(net.Dialer).DialContext,
		timeout: sendTimeout,
		secrets: strings.NewReplacer(srv.secrets()...),
	}, nil
}

// String names the server without the credentials.
func (s *SMTP) String() string { return s.server.String() }

// Send delivers the message to the server and returns nil once the server has
// taken responsibility for it. It gives up when ctx ends, and after 30
// seconds in any case. A failure is an *Error.
func (s *SMTP) Send(ctx context.Context, m Message) error {
	l, err := compose(m, s.from, s.Now())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	if err := s.deliver(ctx, l); err != nil {
		return s.explain(ctx, err)
	}
	return nil
}

// Probe has a conversation like Send's that ends before the message.
func (s *SMTP) Probe(ctx context.Context, m Message) error {
	l, err := compose(m, s.from, s.Now())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	if err := s.converse(ctx, l, (*smtp.Client).Reset); err != nil {
		return s.explain(ctx, err)
	}
	return nil
}

// deliver holds one conversation that ends with the message.
func (s *SMTP) deliver(ctx context.Context, l letter) error {
	return s.converse(ctx, l, func(client *smtp.Client) error {
		w, err := client.Data()
		if err != nil {
			return err
		}
		if _, err := w.Write(l.raw); err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			failure := s.explain(ctx, err)
			failure.Recipient = ofMailbox(failure, false)
			return failure
		}
		return nil
	})
}

// converse connects, signs in, names the sender and the recipient, and goes on
// with the rest. Whatever it waits for ends with ctx.
func (s *SMTP) converse(ctx context.Context, l letter, rest func(*smtp.Client) error) error {
	client, err := s.connect(ctx)
	if err != nil {
		return s.notReady(ctx, err)
	}
	// The server has decided by then: a failing goodbye changes nothing.
	defer func() { _ = client.Quit() }()
	if err := s.signIn(client); err != nil {
		return s.notReady(ctx, err)
	}
	if err := s.envelope(ctx, client, l); err != nil {
		return err
	}
	return rest(client)
}

// notReady is a failure before the message was spoken of: the server or the
// settings are wrong, and another time they may not be.
func (s *SMTP) notReady(ctx context.Context, err error) error {
	failure := s.explain(ctx, err)
	failure.Temporary = true
	return failure
}

func (s *SMTP) envelope(ctx context.Context, client *smtp.Client, l letter) error {
	international := !isASCII(l.from + l.to)
	if ok, _ := client.Extension("SMTPUTF8"); international && !ok {
		return &Error{Reason: "the mail server cannot deliver to addresses beyond ASCII (SMTPUTF8)"}
	}
	client.SkipSMTPUTF8(!international) // a relay without it would return the mail for nothing
	if err := client.Mail("<" + l.from + ">"); err != nil {
		return err
	}
	if err := client.Rcpt("<" + l.to + ">"); err != nil {
		failure := s.explain(ctx, err)
		failure.Recipient = ofMailbox(failure, true)
		return failure
	}
	return nil
}

// enhancedStatus is how a reply begins that has a code of RFC 3463.
var enhancedStatus = regexp.MustCompile(`^\d{3} 5\.(\d{1,3})\.\d{1,3}\b`)

// ofMailbox reports whether a refusal for good is about the recipient's
// mailbox: its enhanced status is of the subjects "address" or "mailbox" (RFC
// 3463, sections 3.2 and 3.3), or, without one, it answers RCPT.
func ofMailbox(e *Error, answersRcpt bool) bool {
	if e.Temporary || e.Code == 0 {
		return false
	}
	if status := enhancedStatus.FindStringSubmatch(e.Reason); status != nil {
		return status[1] == "1" || status[1] == "2"
	}
	return answersRcpt
}

// connect dials, greets and secures the connection, which is closed when ctx
// ends; that also unblocks every read and write on it.
func (s *SMTP) connect(ctx context.Context) (*smtp.Client, error) {
	conn, err := s.dial(ctx, "tcp", s.server.address())
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = conn.Close() })
	stream := conn
	if s.server.implicitTLS {
		stream = tls.Client(conn, s.tls) // shakes hands at the first read
	}
	client, err := smtp.NewClient(stream, s.server.host)
	if err != nil {
		return nil, err
	}
	// RFC 5321, section 4.1.4: an address literal when there is no certain name.
	if err := client.Hello(literal(conn.LocalAddr())); err != nil {
		return nil, err
	}
	return client, s.secure(client)
}

// secure makes sure of TLS before anything worth reading is sent (RFC 8314).
func (s *SMTP) secure(client *smtp.Client) error {
	if s.server.implicitTLS {
		return nil
	}
	offered, _ := client.Extension("STARTTLS")
	switch {
	case !offered && s.server.loopback:
		return nil
	case !offered:
		return &Error{Temporary: true, Reason: "the mail server offers no TLS (STARTTLS), so nothing was sent", Detail: s.server.String()}
	case s.server.loopback:
		// Plain text would do here as well, so a relay's self-made certificate does.
		config := s.tls.Clone()
		config.InsecureSkipVerify = true // loopback only, see above
		return client.StartTLS(config)
	}
	return client.StartTLS(s.tls)
}

func (s *SMTP) signIn(client *smtp.Client) error {
	srv := s.server
	if srv.user == "" {
		return nil
	}
	_, offered := client.Extension("AUTH")
	mechanisms := strings.Fields(offered)
	switch {
	case slices.Contains(mechanisms, "PLAIN"):
		return client.Auth(smtp.PlainAuth("", srv.user, srv.password, srv.host, srv.loopback))
	case slices.Contains(mechanisms, "LOGIN"):
		return client.Auth(smtp.LoginAuth(srv.user, srv.password, srv.host, srv.loopback))
	}
	return &Error{Temporary: true, Reason: "the mail server offers no sign-in with a password (AUTH PLAIN or LOGIN)", Detail: srv.String()}
}

// explain turns what went wrong into an *Error without credentials.
func (s *SMTP) explain(ctx context.Context, err error) *Error {
	var own *Error
	var reply *textproto.Error
	failure := &Error{Temporary: true, Err: err}
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &reply):
		said := s.safe(fmt.Sprintf("%d %s", reply.Code, reply.Msg))
		return &Error{Temporary: reply.Code < 500, Code: reply.Code, Reason: said, Err: errors.New(said)}
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		failure.Reason, failure.Err = "the mail server did not answer in time", ctx.Err()
	case ctx.Err() != nil:
		failure.Reason, failure.Err = "sending was cancelled", ctx.Err()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		failure.Reason = "the mail server closed the connection before it accepted the message"
	default:
		failure.Reason = "the mail server could not be spoken with"
	}
	failure.Detail = s.safe(s.server.String() + ": " + err.Error())
	return failure
}

// safe makes a foreign text fit for a Reason. Credentials go first: a cut
// through the middle of one would hide it from the search.
func (s *SMTP) safe(text string) string {
	return clean(s.secrets.Replace(text), maxReason)
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > 127 }) < 0
}

// literal writes an address as RFC 5321, section 4.1.3, wants it.
func literal(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	switch {
	case !ok:
		return "localhost"
	case tcp.IP.To4() != nil:
		return "[" + tcp.IP.String() + "]"
	}
	return "[IPv6:" + tcp.IP.String() + "]"
}
