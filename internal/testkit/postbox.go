package testkit

import (
	"context"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/mail"
)

// patience is how long a test waits for what should come at once.
const patience = 30 * time.Second

// Postbox keeps the mails that went out. While it is broken it refuses them.
type Postbox struct {
	mu     sync.Mutex
	sent   []mail.Message
	broken error
	news   chan struct{} // closed and replaced with every mail
}

// NewPostbox returns an empty postbox.
func NewPostbox() *Postbox { return &Postbox{news: make(chan struct{})} }

// Send keeps the mail.
func (p *Postbox) Send(_ context.Context, m mail.Message) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broken != nil {
		return p.broken
	}
	p.sent = append(p.sent, m)
	close(p.news)
	p.news = make(chan struct{})
	return nil
}

// Break has the postbox refuse mails with err, or take them again when err is
// nil.
func (p *Postbox) Break(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.broken = err
}

// To returns the mails to the address, oldest first.
func (p *Postbox) To(email string) []mail.Message {
	found, _ := p.to(email, "")
	return found
}

func (p *Postbox) to(email, text string) (found []mail.Message, news <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.sent {
		if strings.EqualFold(m.To, email) && strings.Contains(m.Text, text) {
			found = append(found, m)
		}
	}
	return found, p.news
}

// Wait returns the nth mail to the address, counted from one, once it has come.
func (p *Postbox) Wait(t testing.TB, email string, n int) mail.Message {
	t.Helper()
	return p.wait(t, email, n, "")
}

// wait is Wait for mails that hold the text.
func (p *Postbox) wait(t testing.TB, email string, n int, text string) mail.Message {
	t.Helper()
	late := time.After(patience)
	for {
		found, news := p.to(email, text)
		if len(found) >= n {
			return found[n-1]
		}
		select {
		case <-news:
		case <-late:
			t.Fatalf("%s got %d mails with %q, want %d", email, len(found), text, n)
		}
	}
}

// link stands alone on its line; what people typed never does.
var link = regexp.MustCompile(`(?m)^https?://\S+/(?:accept|address|verify|reset)#(\S+)$`)

// Token returns the token of the link in a mail.
func Token(t testing.TB, m mail.Message) string {
	t.Helper()
	found := link.FindStringSubmatch(m.Text)
	if found == nil {
		t.Fatalf("no link in the mail %q:\n%s", m.Subject, m.Text)
	}
	return found[1]
}
