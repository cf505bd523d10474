// Package mail composes and sends the product's mail: templates, one message
// format, and senders for SMTP, for a readable mailbox and for a log.
//
// The package treats all text from users as hostile: such text cannot add a header, a
// recipient, a line, a link or an invisible character to a mail.
package mail

import (
	"bytes"
	"context"
	"fmt"
	netmail "net/mail"
	"regexp"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"golang.org/x/net/idna"
)

const (
	maxSubject = 200 // runes; RFC 5322 only limits the line, which is folded
	maxAddress = 254 // bytes; RFC 5321, section 4.5.3.1.3, without the brackets
)

// messageID accepts the dot-atom form of RFC 5322, section 3.6.4.
var messageID = regexp.MustCompile(`^[A-Za-z0-9!#$%&'*+/=?^_{|}~.-]{1,120}@[A-Za-z0-9.-]{1,120}$`)

// Message is one mail to one recipient, ready to send.
type Message struct {
	// ID is the Message-ID without angle brackets. A message that is sent again keeps
	// it, so that mail clients recognise a duplicate.
	ID string
	// To is a plain address, without a display name.
	To string
	// ToName is the display name of the recipient; it may be empty.
	ToName string
	// ReplyTo is a plain address for replies; it may be empty. An address that cannot be
	// in the header is left out, because the mail matters more.
	ReplyTo string
	// Subject is cut at 200 characters.
	Subject string
	// Text is the plain text part. It must be complete by itself.
	Text string
	// HTML is the alternative part; without it the mail is plain text.
	HTML string
}

// Sender sends one message, or returns an *Error that says whether another attempt can
// succeed. Implementations are safe for concurrent use.
type Sender interface {
	Send(ctx context.Context, m Message) error
}

// Stager is a Sender that can wait before its last step.
type Stager interface {
	Sender
	// SendWhen is Send, and calls turn when everything is done but the step by which the mail
	// server accepts the message. When turn fails, the message is not sent, and SendWhen
	// returns the error of turn.
	SendWhen(ctx context.Context, m Message, turn func(ctx context.Context) error) error
}

// Prober is a Sender that can ask the mail server whether it would accept a message,
// without sending the message.
type Prober interface {
	Sender
	// Probe returns nil when the mail server can be reached and accepts the sender and
	// the recipient of the message. A failure is an *Error.
	Probe(ctx context.Context, m Message) error
}

// Error is a Sender's error: the mail server refused the message or could not be reached,
// or the message itself cannot be sent.
type Error struct {
	// Temporary says that the same message may be accepted later. Only these errors
	// are permanent: replies with 5xx (RFC 5321, section 4.2.1) except to the sign-in,
	// and messages that cannot be composed. In doubt a mail is late and not lost.
	Temporary bool
	// Recipient says that the server refused the recipient for good: the mailbox does
	// not exist, or accepts no mail.
	Recipient bool
	// Code is the SMTP reply code, or 0 when there was no reply.
	Code int
	// Reason is safe to show to an administrator: the reply or the failure in
	// one line of at most 200 characters, without credentials.
	Reason string
	// Detail is for the operator's log only, without credentials: the server, and what
	// happened to the connection. It may be empty.
	Detail string
	// Err is the cause, for errors.Is; it may be nil. Show Reason, not Err.
	Err error
}

// Error returns the safe reason.
func (e *Error) Error() string { return "send mail: " + e.Reason }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// composed is a message with its envelope (RFC 5321) and its content
// in wire format (RFC 5322).
type composed struct {
	from, to, subject string
	raw               []byte
}

// compose encodes a message in its wire format. All senders use it, so that the mailbox
// shows exactly what SMTP sends. Its errors are permanent.
func compose(m Message, from netmail.Address, date time.Time) (composed, error) {
	if !messageID.MatchString(m.ID) {
		return composed{}, &Error{Reason: "the message has no valid Message-ID"}
	}
	to, err := parseTo(m.To)
	if err != nil {
		return composed{}, err
	}
	subject := unlinked(headerText(m.Subject, maxSubject))

	// Quoted-printable breaks lines inside of links, which some clients do not undo.
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithEncoding(gomail.EncodingB64))
	msg.FromMailAddress(&from)
	msg.ToMailAddress(&netmail.Address{Name: unlinked(headerText(m.ToName, maxName)), Address: to})
	if replyTo, err := parseTo(m.ReplyTo); err == nil && (isASCII(replyTo) || !isASCII(from.Address+to)) { // needs no SMTPUTF8 of its own
		msg.ReplyToMailAddress(&netmail.Address{Address: replyTo})
	}
	msg.Subject(subject)
	msg.SetMessageIDWithValue(m.ID)
	msg.SetDateWithValue(date)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: prevents vacation replies
	msg.SetGenHeader("X-Auto-Response-Suppress", "All")  // the same for Exchange
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	if m.HTML != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	}
	var raw bytes.Buffer
	if _, err := msg.WriteTo(&raw); err != nil {
		return composed{}, &Error{Reason: "the message cannot be composed", Err: err}
	}
	return composed{from: from.Address, to: to, subject: subject, raw: onOneLine(raw.Bytes())}, nil
}

// foldedAtOnce is a field whose value, a Message-ID or an address, begins on the second line.
var foldedAtOnce = regexp.MustCompile(`\r\n(Message-ID|From|To|Reply-To):\r\n <`)

// onOneLine unfolds a Message-ID and the fields that are only an address, because some clients
// do not find them on the second line.
func onOneLine(raw []byte) []byte {
	end := bytes.Index(raw, []byte("\r\n\r\n"))
	return append(foldedAtOnce.ReplaceAll(raw[:end], []byte("\r\n$1: <")), raw[end:]...)
}

// parseTo accepts exactly one plain address, without display name, comment, group, list,
// quoted local part or invisible characters. It returns the address with its domain in
// ASCII, which every mail server supports (RFC 5890).
func parseTo(address string) (string, error) {
	parsed, err := netmail.ParseAddress(address)
	if err != nil || parsed.Address != address || clean(address, maxAddress) != address {
		return "", &Error{Reason: "the recipient is not a valid mail address"}
	}
	at := strings.LastIndexByte(address, '@')
	domain, err := idna.Lookup.ToASCII(address[at+1:])
	if err != nil || at+1+len(domain) > maxAddress {
		return "", &Error{Reason: "the recipient is not a valid mail address"}
	}
	return address[:at+1] + domain, nil
}

// parseFrom parses the sender of mails, as the operator wrote it.
func parseFrom(from string) (netmail.Address, error) {
	parsed, err := netmail.ParseAddress(from)
	if err == nil {
		parsed.Address, err = parseTo(parsed.Address)
	}
	if err != nil {
		return netmail.Address{}, fmt.Errorf(`mail sender %q is not an address; write it as no-reply@example.com or "Convoke <no-reply@example.com>"`, from)
	}
	parsed.Name = headerText(parsed.Name, maxName)
	return *parsed, nil
}

// headers reads back the header fields as they were composed, unfolded.
func (c composed) headers() map[string]string {
	head, _, _ := bytes.Cut(c.raw, []byte("\r\n\r\n"))
	unfolded := strings.ReplaceAll(string(head), "\r\n ", " ")
	fields := make(map[string]string)
	for line := range strings.SplitSeq(unfolded, "\r\n") {
		name, value, _ := strings.Cut(line, ":")
		fields[name] = strings.TrimSpace(value)
	}
	return fields
}
