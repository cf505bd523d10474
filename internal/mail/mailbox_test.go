package mail

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func openMailbox(t *testing.T, path string) *Mailbox {
	t.Helper()
	m, err := NewMailbox(path, testFrom)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	m.Now = func() time.Time { return noon }
	return m
}

// send sends the test message with this subject.
func send(t *testing.T, s Sender, subject string) {
	t.Helper()
	m := testMessage()
	m.Subject = subject
	if err := s.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
}

func subjects(m *Mailbox) string {
	var all []string
	for _, e := range m.Entries() {
		all = append(all, e.Subject)
	}
	return strings.Join(all, " ")
}

func TestMailboxShowsWhatSMTPWouldSend(t *testing.T) {
	t.Parallel()
	m := openMailbox(t, "")
	send(t, m, "Žofie invited you")
	got := m.Entries()[0]
	if got.From != "no-reply@example.test" || got.To != "nina@example.test" || got.Subject != "Žofie invited you" || !got.SentAt.Equal(noon) {
		t.Errorf("got %+v", got)
	}
	if got.Text != testMessage().Text || got.HTML != testMessage().HTML {
		t.Errorf("got text %q, HTML %q", got.Text, got.HTML)
	}
	want := map[string]string{
		"Message-ID": "<inv_01.2@example.test>", "Date": "Sat, 28 Nov 2026 10:00:00 +0000", "MIME-Version": "1.0",
		"From": `"Convoke" <no-reply@example.test>`, "To": `"Nina Newcomer" <nina@example.test>`,
		"Subject": "=?UTF-8?b?xb1vZmllIGludml0ZWQgeW91?=", "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All",
	}
	for name, value := range want {
		if got.Headers[name] != value {
			t.Errorf("header %s: got %q, want %q", name, got.Headers[name], value)
		}
	}
	if !strings.HasPrefix(got.Headers["Content-Type"], "multipart/alternative; boundary=") || len(got.Headers) != len(want)+1 {
		t.Errorf("got headers %q", got.Headers)
	}
}

func TestMessageWithoutHTMLIsPlainText(t *testing.T) {
	t.Parallel()
	m := openMailbox(t, "")
	msg := testMessage()
	msg.HTML = ""
	if err := m.Send(t.Context(), msg); err != nil {
		t.Fatal(err)
	}
	if got := m.Entries()[0].Headers["Content-Type"]; got != "text/plain; charset=UTF-8" {
		t.Errorf("got Content-Type %q", got)
	}
}

func TestMailboxKeepsDuplicatesApart(t *testing.T) {
	t.Parallel()
	m := openMailbox(t, "")
	send(t, m, "same")
	send(t, m, "same")
	got := m.Entries()
	if len(got) != 2 || got[0].ID == got[1].ID || got[0].Headers["Message-ID"] != got[1].Headers["Message-ID"] {
		t.Errorf("got %+v, want two entries with one Message-ID", got)
	}
}

func TestMailboxSurvivesRestart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "mailbox.jsonl")
	m := openMailbox(t, path)
	send(t, m, "one")
	send(t, m, "two")
	before := m.Entries()
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if err := m.Send(t.Context(), testMessage()); !sendError(t, err).Temporary {
		t.Errorf("got %v after Close, want a temporary failure", err)
	}
	m = openMailbox(t, path)
	if got, want := fmt.Sprint(m.Entries()), fmt.Sprint(before); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	send(t, m, "three")
	if got := subjects(openMailbox(t, path)); got != "three two one" {
		t.Errorf("got %s, want three two one", got)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got mode %v, %v; want 0600", info.Mode(), err)
	}
}

// A crash can cut the last line anywhere.
func TestMailboxDropsTornLastLine(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "mailbox.jsonl")
	m := openMailbox(t, path)
	send(t, m, "one")
	whole := m.size
	send(t, m, "two")
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for end := whole; end < int64(len(content)); end += 7 {
		path := filepath.Join(t.TempDir(), "mailbox.jsonl")
		if err := os.WriteFile(path, content[:end], 0o600); err != nil {
			t.Fatal(err)
		}
		m := openMailbox(t, path)
		send(t, m, "three")
		if got := subjects(m); got != "three one" {
			t.Fatalf("cut at %d: got %s, want three one", end, got)
		}
		if got := subjects(openMailbox(t, path)); got != "three one" {
			t.Fatalf("cut at %d, reopened: got %s, want three one", end, got)
		}
	}
}

func TestMailboxOverwritesFailedWrite(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "mailbox.jsonl")
	m := openMailbox(t, path)
	send(t, m, "one")
	// A write that was never confirmed may leave a long line behind.
	if _, err := m.file.WriteAt([]byte(`{"id":"`+strings.Repeat("x", 5000)+"\"}\n"), m.size); err != nil {
		t.Fatal(err)
	}
	send(t, m, "two")
	if got := subjects(openMailbox(t, path)); got != "two one" {
		t.Errorf("got %s, want two one", got)
	}
}

func TestMailboxRefusesBrokenFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "mailbox.jsonl")
	if err := os.WriteFile(path, []byte("{}\nnonsense\n{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := NewMailbox(path, testFrom); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("got %v, want an error about line 2", err)
	}
	if _, err := NewMailbox(filepath.Join(path, "no", "folder"), testFrom); err == nil {
		t.Error("opened a mailbox without a folder")
	}
	if _, err := NewMailbox("", "nobody"); err == nil {
		t.Error("opened a mailbox without a sender")
	}
}

func TestMailboxKeepsTheNewest(t *testing.T) {
	t.Parallel()
	m := openMailbox(t, "")
	for i := range mailboxSize + 5 {
		send(t, m, fmt.Sprint(i))
	}
	got := m.Entries()
	if len(got) != mailboxSize || got[0].Subject != fmt.Sprint(mailboxSize+4) || got[mailboxSize-1].Subject != "5" {
		t.Errorf("got %d entries from %s to %s", len(got), got[0].Subject, got[len(got)-1].Subject)
	}
}

func TestMailboxIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "mailbox.jsonl")
	m := openMailbox(t, path)
	var senders sync.WaitGroup
	for range 20 {
		senders.Go(func() {
			if err := m.Send(t.Context(), testMessage()); err != nil {
				t.Error(err)
			}
			m.Entries()
		})
	}
	senders.Wait()
	if got := len(openMailbox(t, path).Entries()); got != 20 {
		t.Errorf("got %d entries, want 20", got)
	}
}

func TestMailboxRefusesHostileRecipient(t *testing.T) {
	t.Parallel()
	m := openMailbox(t, "")
	msg := testMessage()
	msg.To = "a@example.test\r\nBcc: b@example.test"
	if e := sendError(t, m.Send(t.Context(), msg)); e.Temporary || len(m.Entries()) != 0 {
		t.Errorf("got %v and %d entries, want a permanent failure and none", e, len(m.Entries()))
	}
}

func TestLogNeverShowsTheBody(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	l := NewLog(slog.New(slog.NewTextHandler(&out, nil)))
	m := testMessage()
	m.Subject = "Olivia\r\nlevel=ERROR invited you"
	if err := l.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	got := out.String()
	for _, want := range []string{"nina@example.test", "Olivia level=ERROR invited you", m.ID} {
		if !strings.Contains(got, want) {
			t.Errorf("log %q does not name %q", got, want)
		}
	}
	if strings.Contains(got, "accept") || strings.Contains(got, "Hello") || strings.Count(got, "\n") != 1 {
		t.Errorf("log shows a body or several lines: %q", got)
	}
	m.To = "nobody"
	var e *Error
	if err := l.Send(t.Context(), m); !errors.As(err, &e) || e.Temporary {
		t.Errorf("got %v, want a permanent failure", err)
	}
}
