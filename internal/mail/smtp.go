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
	probeTimeout = 10 * time.Second // for one probe
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
	secrets *strings.Replacer // removes the credentials from a server's replies
}

// NewSMTP returns a sender for a mail server, named by its URL:
//
//	smtp://user:password@host:587    TLS by STARTTLS, which is mandatory
//	smtps://user:password@host:465   TLS from the first byte
//
// The ports shown are the defaults. User and password are percent-encoded; both may be
// missing. The server's certificate must be valid for host. Only to this machine
// (localhost, 127.0.0.0/8, ::1) mail may be sent without TLS; STARTTLS is used there if
// the server offers it, with any certificate.
//
// from is the sender: a plain address, or one with a name. The error says what to change
// and never repeats the URL, because the URL contains the password.
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

// String returns the server's URL without the credentials.
func (s *SMTP) String() string { return s.server.String() }

// Send delivers the message to the server and returns nil when the server has accepted
// it. It stops when ctx ends, and after 30 seconds at the latest. A failure is an *Error.
func (s *SMTP) Send(ctx context.Context, m Message) error {
	return s.SendWhen(ctx, m, func(context.Context) error { return nil })
}

// SendWhen is Send, and calls turn before the end of the message, without which no server
// accepts it.
func (s *SMTP) SendWhen(ctx context.Context, m Message, turn func(ctx context.Context) error) error {
	l, err := compose(m, s.from, s.Now())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	var refused error
	err = s.deliver(ctx, l, func() error {
		refused = turn(ctx)
		return refused
	})
	switch {
	case refused != nil:
		return refused
	case err != nil:
		return s.explain(ctx, err)
	}
	return nil
}

// Probe does what Send does, up to the recipient's address, and ends without a message.
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

// deliver sends the message in one SMTP conversation. It calls turn before the end of the
// message.
func (s *SMTP) deliver(ctx context.Context, l composed, turn func() error) error {
	return s.converse(ctx, l, func(client *smtp.Client) error {
		w, err := client.Data()
		if err != nil {
			return err
		}
		if _, err := w.Write(l.raw); err != nil {
			return err
		}
		if err := turn(); err != nil {
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

// converse connects, signs in, sends the addresses of sender and recipient, and then
// calls the rest. Everything it waits for ends with ctx.
func (s *SMTP) converse(ctx context.Context, l composed, rest func(*smtp.Client) error) error {
	client, err := s.connect(ctx)
	if err != nil {
		return s.notReady(ctx, err)
	}
	// The server has accepted or refused already, so an error of QUIT is irrelevant.
	defer func() { _ = client.Quit() }()
	if err := s.signIn(client); err != nil {
		return s.notReady(ctx, err)
	}
	if err := s.envelope(ctx, client, l); err != nil {
		return err
	}
	return rest(client)
}

// notReady returns the error of a failure before the message itself. It is temporary,
// because the server or the settings are wrong and may be corrected.
func (s *SMTP) notReady(ctx context.Context, err error) error {
	failure := s.explain(ctx, err)
	failure.Temporary = true
	return failure
}

func (s *SMTP) envelope(ctx context.Context, client *smtp.Client, l composed) error {
	international := !isASCII(l.from + l.to)
	if ok, _ := client.Extension("SMTPUTF8"); international && !ok {
		return &Error{Reason: "the mail server cannot deliver to addresses beyond ASCII (SMTPUTF8)"}
	}
	client.SkipSMTPUTF8(!international) // a relay without SMTPUTF8 would return the mail, although it is not needed
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

// enhancedStatus matches the beginning of a reply with a code of RFC 3463.
var enhancedStatus = regexp.MustCompile(`^\d{3} 5\.(\d{1,3})\.\d{1,3}\b`)

// ofMailbox reports whether a permanent refusal concerns the recipient's mailbox: its
// enhanced status has the subject "address" or "mailbox" (RFC 3463, sections 3.2 and
// 3.3), or it has none and is the reply to RCPT.
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
		stream = tls.Client(conn, s.tls) // the handshake is done by the first read
	}
	client, err := smtp.NewClient(stream, s.server.host)
	if err != nil {
		return nil, err
	}
	// RFC 5321, section 4.1.4: an address literal, because no name is certain.
	if err := client.Hello(literal(conn.LocalAddr())); err != nil {
		return nil, err
	}
	return client, s.secure(client)
}

// secure starts TLS before anything confidential is sent (RFC 8314).
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
		// Plain text is allowed here too, so any certificate is good enough.
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

// explain converts an error into an *Error without credentials.
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

// safe makes a server's text fit for a Reason. It removes credentials before it cuts the
// text, because a credential that was cut in the middle would not be found.
func (s *SMTP) safe(text string) string {
	return clean(s.secrets.Replace(text), maxReason)
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > 127 }) < 0
}

// literal returns an address as an address literal of RFC 5321, section 4.1.3.
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
