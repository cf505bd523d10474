package mail

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	netmail "net/mail"
	"os"
	"slices"
	"sync"
	"time"
)

// mailboxSize is the number of entries a Mailbox keeps in memory.
const mailboxSize = 1000

// Entry is one mail in a Mailbox.
type Entry struct {
	// ID is unique in the mailbox. The Message-ID is not, because a message that is
	// sent twice keeps it.
	ID string `json:"id"`
	// From and To are the plain addresses of the envelope.
	From string `json:"from"`
	To   string `json:"to"`
	// Subject is decoded; the header of the same name is as it was composed.
	Subject string `json:"subject"`
	Text    string `json:"text"`
	HTML    string `json:"html"`
	// Headers are the header fields as SMTP would send them, unfolded. The map is
	// shared with the mailbox and must not be changed.
	Headers map[string]string `json:"headers"`
	SentAt  time.Time         `json:"sentAt"`
}

// Mailbox is the Sender of the demo. It keeps mails, so that people and programs can read
// them. It is safe for concurrent use within one process.
type Mailbox struct {
	// Now is the clock. Set it before the first Send.
	Now func() time.Time

	from netmail.Address

	mu      sync.Mutex
	entries []Entry  // oldest first
	file    *os.File // nil in memory
	size    int64    // of the file up to its last whole line
}

// NewMailbox opens a mailbox whose mails have the sender from. With an empty path the
// mailbox is in memory only. Otherwise path is a file with one JSON object per line. It
// is created when it is missing, readable by its owner only, because the links in mails
// are secrets. An incomplete last line, which a crash may leave, is dropped; any other
// broken line is an error. The newest 1000 mails are kept in memory; the file only grows.
func NewMailbox(path, from string) (*Mailbox, error) {
	address, err := parseFrom(from)
	if err != nil {
		return nil, err
	}
	m := &Mailbox{Now: time.Now, from: address}
	if path == "" {
		return m, nil
	}
	m.file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("open mailbox: %w", err)
	}
	if err := m.load(); err != nil {
		_ = m.file.Close()
		return nil, fmt.Errorf("open mailbox %s: %w", path, err)
	}
	return m, nil
}

// load reads the file up to its last complete line. The next mail overwrites the rest.
func (m *Mailbox) load() error {
	content, err := io.ReadAll(m.file)
	if err != nil {
		return err
	}
	for number := 1; len(content) > 0; number++ {
		line, rest, whole := bytes.Cut(content, []byte("\n"))
		var e Entry
		err := json.Unmarshal(line, &e)
		if len(rest) == 0 && (!whole || err != nil) {
			break
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		m.keep(e)
		m.size += int64(len(line)) + 1
		content = rest
	}
	return m.file.Truncate(m.size)
}

// Send keeps the message. When the mailbox has a file, the message is on disk
// when Send returns. A failure is an *Error.
func (m *Mailbox) Send(ctx context.Context, msg Message) error {
	if err := ctx.Err(); err != nil {
		return &Error{Temporary: true, Reason: "sending was cancelled", Err: err}
	}
	now := m.Now().UTC()
	l, err := compose(msg, m.from, now)
	if err != nil {
		return err
	}
	e := Entry{
		ID: rand.Text(), From: l.from, To: l.to, Subject: l.subject,
		Text: msg.Text, HTML: msg.HTML, Headers: l.headers(), SentAt: now,
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.write(e); err != nil {
		return &Error{Temporary: true, Reason: "the mailbox file cannot be written", Err: err}
	}
	m.keep(e)
	return nil
}

// write writes the entry after the last complete line. It overwrites what a failed write
// has left there, so that no broken line stays in the file.
func (m *Mailbox) write(e Entry) error {
	if m.file == nil {
		return nil
	}
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	line = append(line, '\n')
	if _, err := m.file.WriteAt(line, m.size); err != nil {
		return err
	}
	if err := m.file.Sync(); err != nil {
		return err
	}
	m.size += int64(len(line))
	return nil
}

func (m *Mailbox) keep(e Entry) {
	if len(m.entries) == mailboxSize {
		m.entries = slices.Delete(m.entries, 0, 1)
	}
	m.entries = append(m.entries, e)
}

// Entries returns the mails, newest first, at most 1000.
func (m *Mailbox) Entries() []Entry {
	m.mu.Lock()
	defer m.mu.Unlock()
	entries := slices.Clone(m.entries)
	slices.Reverse(entries)
	return entries
}

// Close closes the file, if there is one. After it, Send fails on a mailbox
// with a file; Entries still works.
func (m *Mailbox) Close() error {
	if m.file == nil {
		return nil
	}
	return m.file.Close()
}
