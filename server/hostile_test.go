package server_test

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	netmail "net/mail"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/net/html"

	"github.com/convoke-dev/convoke/internal/mail"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/testdb"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/server"
)

// hostile are texts that a user could type as a name or a note.
var hostile = []string{
	"\r\nBcc: eve@evil.example", "\nSubject: owned", "\rX-Evil: 1", "\r\n\r\n<h1>body</h1>", "%0d%0aBcc: eve@evil.example",
	"\r\nRCPT TO:<eve@evil.example>", "\r\n.\r\nMAIL FROM:<eve@evil.example>\r\nRCPT TO:<eve@evil.example>\r\nDATA\r\nx\r\n.\r\n", "\n.\n", "\r.\r", "\n.\r\n",
	"\r\n--boundary\r\nContent-Type: text/html\r\n\r\n<b>x</b>", "=\r\nBcc: eve@evil.example", "=0D=0ABcc:=20eve@evil.example=", "Bcc: eve@evil.example",
	"\x00NUL", "\x1b[31mred\x07", "\u0085next line", "\u2028line\u2029paragraph", "\v\f\ttabs",
	"\u202Egpj.exe", "\u2066isolate\u2069", "zero\u200Bwidth\u200D\uFEFF", "soft\u00ADhyphen", "\u3164filler\u115F", "tag\U000E0041", "selector\uFE0F",
	"=?utf-8?q?=0D=0ABcc:_eve@evil.example?=", "=?utf-8?b?4oCuZ25w?=", "=?utf-8?q?..?= =?utf-8?q?..?=", "= ?utf-8?q?x?=",
	"<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, `'><svg/onload=alert(1)>`, `<a href="https://evil.example">click</a>`, "<a href=javascript:alert(1)>x",
	"javascript:alert(1)", "&lt;script&gt;", "&#106;avascript:", "</title></style></blockquote></bdi>", "<!-- --><![CDATA[", "<base href=//evil.example>", "<meta http-equiv=refresh content=0>",
	"{{.}}", `{{template "action" .}}`, "{{.Link}}", "${7*7}", "%s%n%d",
	"evil.example/login", "http://evil.example", "https://evil.example/accept#token", "//evil.example", "www.evil.example", "[click](https://evil.example)", "mailto:eve@evil.example",
	`", <eve@evil.example>, "`, "<eve@evil.example>", "eve@evil.example,", "👩‍👩‍👧‍👦🏴‍☠️", "Zalgo" + strings.Repeat("\u0301", 60), strings.Repeat("W", 5000), strings.Repeat("long ", 900), strings.Repeat("\r\n", 200) + "end",
}

// forged has every request claim that it came for another host.
type forged struct{ session string }

func (f forged) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Host = "evil.example"
	r.Header.Set("X-Forwarded-Host", "evil.example")
	r.Header.Set("X-Forwarded-Proto", "https")
	r.Header.Set("Forwarded", "host=evil.example;proto=https")
	r.Header.Set("X-Original-Host", "evil.example")
	r.Header.Set("Referer", "https://evil.example/")
	if f.session != "" {
		r.Header.Set("Authorization", "Bearer "+f.session)
	}
	return http.DefaultTransport.RoundTrip(r)
}

// twice sends mails over SMTP, and keeps them so that the test can read links.
type twice struct {
	smtp *mail.SMTP
	kept *testkit.Postbox
}

func (s twice) Send(ctx context.Context, m mail.Message) error {
	if err := s.smtp.Send(ctx, m); err != nil {
		return err
	}
	return s.kept.Send(ctx, m)
}

func TestHostileNamesInMails(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		t.Helper()
		s := newHostileStory(t, address)
		var harmless []letter
		t.Run("BEY-27 links lead to the public URL, whatever host the request names", func(t *testing.T) {
			harmless = s.tell(t, 0, "harmless")
			for i, l := range harmless {
				if len(l.links) != 2 || i != alreadyRegistered && len(tokenInLink.FindAllString(l.text, -1)) != 1 || strings.Contains(l.raw, "evil.example") {
					t.Errorf("mail %d links to %q:\n%s", i, l.links, l.raw)
				}
				for _, to := range l.links {
					if to != s.w.URL && !strings.HasPrefix(to, s.w.URL+"/") {
						t.Errorf("mail %d links to %s, want only %s", i, to, s.w.URL)
					}
				}
			}
		})
		t.Run("BEY-27 hostile names and notes add no header, recipient, tag or link", func(t *testing.T) {
			for n, typed := range hostile {
				for i, l := range s.tell(t, n+1, typed) {
					l.compare(t, fmt.Sprintf("%.60q, mail %d", typed, i), harmless[i])
				}
			}
		})
		t.Run("BEY-27 a poisoned address gets no mail", func(t *testing.T) {
			s.poisonedAddresses(t)
		})
		// Nothing was smuggled in beside the five of each story and Paul's sign-up.
		equal(t, "mails", len(s.smtp.Taken()), 5*(1+len(hostile))+1)
	})
}

// alreadyRegistered is the place of the one mail without a token.
const alreadyRegistered = 2

// hostileStory is a server that sends its mails over SMTP.
type hostileStory struct {
	w    *testkit.World
	smtp *testkit.MailServer
	db   *sql.DB // past the server
	nul  bool    // whether the database takes a zero byte
}

func newHostileStory(t *testing.T, address string) *hostileStory {
	t.Helper()
	s := &hostileStory{smtp: testkit.NewMailServer(t), nul: !store.IsPostgres(address)}
	sender, err := mail.NewSMTP(s.smtp.URL(), "Convoke <no-reply@convoke.test>")
	if err != nil {
		t.Fatal(err)
	}
	s.w = testkit.New(t, address, func(c *server.Config) {
		kept, _ := c.Sender.(*testkit.Postbox)
		c.Sender = twice{sender, kept}
	})
	driver := "pgx"
	if s.nul {
		driver = "sqlite3"
	}
	if s.db, err = sql.Open(driver, address); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.db.Close() })
	return s
}

// tell has somebody with hostile names sign up, and invite with a hostile note
// into a team of a hostile name, with a hostile role. Then what was stored is
// replaced by text that no input lets through; the mail is sent again, and the
// inviter asks for a reset and signs up once more. All five mails are returned.
func (s *hostileStory) tell(t *testing.T, n int, typed string) []letter {
	t.Helper()
	inviter, invitee := fmt.Sprintf("olivia%d@acme.test", n), fmt.Sprintf("nina%d@example.org", n)
	name := "x" + string([]rune(typed)[:min(90, len([]rune(typed)))])
	note := "x" + string([]rune(typed)[:min(450, len([]rune(typed)))])

	nobody := s.w.WithHTTP(&http.Client{Transport: forged{}})
	nobody.Mutate("signUp", "verificationSent", "email", inviter, "password", testkit.Password, "firstName", name, "lastName", name, "accountName", "y"+name).OK()
	a := nobody.Mutate("verifyEmail", "sessionToken viewer { activeTeam { id } }",
		"token", testkit.Token(t, s.w.Mail.Wait(t, inviter, 1)), "transport", "BEARER").OK()
	p := &testkit.Person{
		Client: s.w.WithHTTP(&http.Client{Transport: forged{a.Text("verifyEmail.sessionToken")}}), TeamID: a.Text("verifyEmail.viewer.activeTeam.id"),
	}
	p.Mutate("updateTeam", "team { id }", "teamId", p.TeamID, "name", name).OK()
	account := p.AccountID()
	role := p.Mutate("createRole", "role { id }", "accountId", account, "key", "hostile", "name", name, "permissions", []string{"team.read"}).OK().Text("createRole.role.id")
	sent := p.Mutate("inviteUser", "invitation { id }", "teamId", p.TeamID, "email", invitee, "roleIds", []string{role},
		"firstName", name, "lastName", name, "note", note).OK()
	id := sent.Text("inviteUser.invitation.id")
	s.w.Mail.Wait(t, invitee, 1)

	poison := "x" + typed
	if !s.nul {
		poison = strings.ReplaceAll(poison, "\x00", "")
	}
	s.poison(t, `UPDATE teams SET name = $1 WHERE id = $2`, poison, p.TeamID)
	s.poison(t, `UPDATE accounts SET name = $1 WHERE id = $2`, "y"+poison, account)
	s.poison(t, `UPDATE roles SET name = $1 WHERE id = $2`, poison, role)
	s.poison(t, `UPDATE users SET first_name = $1, last_name = $1 WHERE email_key = $2`, poison, inviter)
	s.poison(t, `UPDATE invitations SET first_name = $1, last_name = $1, note = $1 WHERE id = $2`, poison, id)
	resend(p, id).OK()
	s.w.Mail.Wait(t, invitee, 2)

	nobody.Mutate("requestPasswordReset", "resetSent", "email", inviter).OK()
	s.w.Mail.Wait(t, inviter, 2)
	nobody.Mutate("signUp", "verificationSent", "email", inviter, "password", testkit.Password).OK()
	s.w.Mail.Wait(t, inviter, 3)
	return slices.Concat(s.letters(t, inviter, 3), s.letters(t, invitee, 2))
}

// poison changes exactly one row.
func (s *hostileStory) poison(t *testing.T, statement string, args ...any) {
	t.Helper()
	done, err := s.db.ExecContext(t.Context(), statement, args...)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	if n, err := done.RowsAffected(); err != nil || n != 1 {
		t.Fatalf("%s changed %d rows, %v; want 1", statement, n, err)
	}
}

// letters returns the mails to the address, of which there are n, each to
// nobody else.
func (s *hostileStory) letters(t *testing.T, email string, n int) (found []letter) {
	t.Helper()
	for _, l := range s.smtp.Taken() {
		if strings.Contains(l.To, email) {
			equal(t, "recipients", l.To, email)
			found = append(found, read(t, l.Data))
		}
	}
	if len(found) != n {
		t.Fatalf("%s got %d mails, want %d", email, len(found), n)
	}
	return found
}

func (s *hostileStory) poisonedAddresses(t *testing.T) {
	t.Helper()
	p := s.w.SignUp("paul@acme.test")
	for n, address := range []string{
		"ann@example.org>\r\nRCPT TO:<eve@evil.example", "ann@example.org\r\nBcc: eve@evil.example", "ann@example.org, eve@evil.example",
		"Ann <eve@evil.example>", "ann@example.org\u2028eve@evil.example", "ann@example.org> SIZE=1", `"ann@example.org> RCPT TO:<eve"@evil.example`, "ann",
	} {
		email := fmt.Sprintf("poisoned%d@example.org", n)
		id := p.Invite(email, "viewer", "sendEmail", false).OK().Text("inviteUser.invitation.id")
		s.poison(t, `UPDATE invitations SET email = $1 WHERE id = $2`, address, id)
		resend(p, id).OK()
		ask := func() *testkit.Answer {
			return p.Do(`query($id: ID!) { node(id: $id) { ... on Invitation { delivery { status error } } } }`, map[string]any{"id": id}).OK()
		}
		testkit.Eventually(t, func() bool { return ask().Text("node.delivery.status") != "QUEUED" })
		if got := ask(); got.Text("node.delivery.status") != "FAILED" || got.Text("node.delivery.error") != "the recipient is not a valid mail address" {
			t.Errorf("%q: %s, want FAILED and why", address, got.Raw)
		}
	}
}

// letter is a mail as its reader gets it.
type letter struct {
	raw, subject, text string
	header             netmail.Header
	to                 []*netmail.Address
	shape              string   // the HTML without its text, the token and the breaks in a note
	links              []string // of the HTML
	shown              string   // the text of the HTML
}

// tokenInLink is what differs from one link to the next.
var tokenInLink = regexp.MustCompile(`#[A-Za-z0-9_-]{43}\b`)

func read(t *testing.T, raw string) letter {
	t.Helper()
	m, err := netmail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	l := letter{raw: raw, header: m.Header}
	if l.subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		t.Fatal(err)
	}
	if l.to, err = m.Header.AddressList("To"); err != nil {
		t.Fatalf("To %q: %v", m.Header.Get("To"), err)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	var bodies []string
	for _, kind := range []string{"text/plain", "text/html"} {
		part, err := parts.NextRawPart()
		if err != nil || !strings.HasPrefix(part.Header.Get("Content-Type"), kind+";") {
			t.Fatalf("want a part that is %s: %v", kind, err)
		}
		body, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, part))
		if err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, strings.ReplaceAll(string(body), "\r\n", "\n"))
	}
	if _, err := parts.NextRawPart(); !errors.Is(err, io.EOF) {
		t.Fatalf("a third part: %v", err)
	}
	l.text = bodies[0]
	root, err := html.Parse(strings.NewReader(bodies[1]))
	if err != nil {
		t.Fatal(err)
	}
	l.look(root)
	l.shape = tokenInLink.ReplaceAllString(l.shape, "#TOKEN")
	return l
}

// look adds what stands at and below the node.
func (l *letter) look(n *html.Node) {
	switch {
	case n.Type == html.TextNode && (n.Parent.Data == "style" || n.Parent.Data == "script"):
		l.shape += n.Data
	case n.Type == html.TextNode:
		l.shown += n.Data
	case n.Data != "br":
		l.shape += fmt.Sprintf("<%d %s", n.Type, n.Data)
		for _, a := range n.Attr {
			l.shape += fmt.Sprintf(" %s=%q", a.Key, a.Val)
			if a.Key == "href" || a.Key == "src" {
				l.links = append(l.links, a.Val)
			}
		}
		l.shape += ">"
	}
	for c := range n.ChildNodes() {
		l.look(c)
	}
	if n.Type == html.ElementNode && n.Data != "br" {
		l.shape += "</" + n.Data + ">"
	}
}

// ownLines are those of the text that are neither quoted from a note nor the rest of a line
// that was too long, which has no room for the first word of the next one.
func (l *letter) ownLines() (n int) {
	before := ""
	for line := range strings.SplitSeq(l.text, "\n") {
		first, _, _ := strings.Cut(line, " ")
		columns := 0
		for _, r := range before + " " + first {
			if !unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
				columns++
			}
		}
		rest := before != "" && first != "" && columns > 72
		if !rest && !strings.HasPrefix(line, ">") {
			n++
		}
		before = line
	}
	return n
}

func unseen(r rune) bool {
	if strings.ContainsRune("\u200C\u200D\uFE0F", r) {
		return false // emoji have them, and names in mails that look like addresses
	}
	return r != '\n' && unicode.IsControl(r) ||
		unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}

// compare fails the test when the mail is more than the harmless one with other
// words.
func (l *letter) compare(t *testing.T, what string, harmless letter) {
	t.Helper()
	wantHeaders := []string{"Auto-Submitted", "Content-Type", "Date", "From", "Message-Id", "Mime-Version", "Subject", "To", "X-Auto-Response-Suppress"}
	var headers []string
	for name, values := range l.header {
		for range values {
			headers = append(headers, name)
		}
	}
	slices.Sort(headers)
	equalList(t, what+": headers", headers, wantHeaders...)
	equal(t, what+": From", l.header.Get("From"), harmless.header.Get("From"))
	if len(l.to) != 1 || !strings.HasSuffix(l.to[0].Address, "@acme.test") && !strings.HasSuffix(l.to[0].Address, "@example.org") {
		t.Errorf("%s: To %v", what, l.to)
	}
	for line := range strings.SplitSeq(l.raw, "\r\n") {
		if len(line) > 998 || strings.ContainsAny(line, "\r\n\x00") {
			t.Errorf("%s: a line of %d bytes: %.80q", what, len(line), line)
		}
	}
	if l.subject == "" || len([]rune(l.subject)) > 200 || strings.Contains(l.subject, "=?") || strings.Contains(l.subject, "\n") {
		t.Errorf("%s: subject %q", what, l.subject)
	}
	for place, text := range map[string]string{"subject": l.subject, "text": l.text, "HTML": l.shown, "name": l.to[0].Name} {
		if i := strings.IndexFunc(text, unseen); i >= 0 {
			t.Errorf("%s: the %s hides something: %.40q", what, place, text[i:])
		}
	}
	equal(t, what+": HTML", l.shape, harmless.shape)
	if got, most := l.ownLines(), harmless.ownLines(); got > most {
		t.Errorf("%s: got %d lines of our own, want at most %d", what, got, most)
	}
	equal(t, what+": empty lines", strings.Count(l.text, "\n\n"), strings.Count(harmless.text, "\n\n"))
	equal(t, what+": links in the text", len(tokenInLink.FindAllString(l.text, -1)), len(tokenInLink.FindAllString(harmless.text, -1)))
}
