package mail

import (
	"flag"
	netmail "net/mail"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const publicURL = "https://app.example.test/team/"

func newTemplates(t *testing.T) *Templates {
	t.Helper()
	base, err := url.Parse(publicURL)
	if err != nil {
		t.Fatal(err)
	}
	templates, err := NewTemplates(base, "Convoke", nil)
	if err != nil {
		t.Fatal(err)
	}
	return templates
}

func testInvitation() Invitation {
	return Invitation{
		TeamName: "Acme Security", AccountName: "Acme", InviterName: "Olivia Owner", InviteeName: "Nina Newcomer",
		RoleNames: []string{"Account admin", "Billing"},
		Note:      "Welcome aboard!\n\n\nThe <kick-off> is on Monday & you are expected.",
		SentAt:    noon, ExpiresAt: noon.Add(72 * time.Hour), Token: "tok-EN_123",
	}
}

func TestTemplatesGolden(t *testing.T) {
	t.Parallel()
	templates := newTemplates(t)
	full := testInvitation()
	long := Invitation{
		TeamName: strings.Repeat("W", 100), AccountName: strings.Repeat("Donaudampfschifffahrt", 5), InviterName: strings.Repeat("Wolfeschlegelstein ", 5),
		InviteeName: strings.Repeat("Ñandú-", 20), RoleNames: slices.Repeat([]string{"Department lead of everything", "Billing"}, 8),
		Note:   strings.Repeat("https://wiki.example.com/"+strings.Repeat("onboarding-", 12)+"\n\nSee you!\n", 4),
		SentAt: noon, ExpiresAt: noon.Add(30 * 24 * time.Hour), Token: strings.Repeat("tok-EN_123", 5)[:43],
	}
	bare := Invitation{SentAt: noon, ExpiresAt: noon.Add(7 * 24 * time.Hour), Token: full.Token}
	tests := map[string]func() (Content, error){
		"invitation":      func() (Content, error) { return templates.Invitation(full) },
		"invitation_long": func() (Content, error) { return templates.Invitation(long) },
		"invitation_bare": func() (Content, error) { return templates.Invitation(bare) },
		"verification": func() (Content, error) {
			return templates.Verification(Verification{Name: "Nina", Token: full.Token, ValidFor: 24 * time.Hour})
		},
		"reset": func() (Content, error) {
			return templates.Reset(Reset{Name: "Nina", Token: full.Token, ValidFor: time.Hour})
		},
		"address_old": func() (Content, error) {
			return templates.ConfirmOldAddress(AddressChange{Name: "Nina", NewAddress: "n•••@e•••.org", Token: full.Token, ValidFor: 24 * time.Hour})
		},
		"address_new": func() (Content, error) {
			return templates.ConfirmNewAddress(AddressChange{NewAddress: "n•••@e•••.org", Token: full.Token, ValidFor: 24 * time.Hour})
		},
		"address_taken": func() (Content, error) {
			return templates.AddressTaken(AddressChange{Name: "Nina", NewAddress: "n•••@e•••.org"})
		},
		"registered": func() (Content, error) { return templates.AlreadyRegistered(AlreadyRegistered{Name: "Nina"}) },
	}
	for name, render := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := render()
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name+".txt", "Subject: "+got.Subject+"\n\n"+got.Text)
			golden(t, name+".html", got.HTML)
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; run with -update and read the change.\ngot:\n%s\nwant:\n%s", path, got, want)
	}
}

// hostile are texts that a user could type as any name or note.
var hostile = []string{
	"\r\nBcc: victim@evil.test", "\nSubject: owned", "\rX-Evil: 1", "\r\n\r\n<html>body</html>", "%0d%0aBcc: victim@evil.test",
	"\x00NUL", "\x1b[31mred\x07", "\u0085next line", "\u2028line\u2029paragraph", "\v\f\ttabs",
	"\u202egnp.exe", "\u2066isolate\u2069", "zero\u200bwidth\u200d\ufeff", "soft\u00adhyphen", "\u3164filler\u115f",
	"tag\U000e0041\U000e0042", "selector\ufe0f\U000e0100", "\xff\xfe invalid", "=?utf-8?q?=0D=0ABcc:_victim@evil.test?=", "=?utf-8?b?4oCuZ25w?=",
	"<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, `<a href="https://evil.test">click</a>`, "javascript:alert(1)", "https://evil.test/login",
	"evil.test/login", "{{.Link}}{{template \"x\"}}", "</title></style></blockquote>", "<!-- --><![CDATA[", `", <victim@evil.test>, "`,
	"--boundary\r\nContent-Type: text/html", ".\r\nQUIT\r\n", strings.Repeat("long ", 3000), strings.Repeat("W", 5000), strings.Repeat("\n", 500) + "end",
}

var (
	tags  = regexp.MustCompile(`<[^>]*>`)
	hrefs = regexp.MustCompile(`(?i)(?:href|src|action)\s*=\s*"([^"]*)"`)
)

// skeleton is the HTML without its text, and without the breaks in a note.
func skeleton(html string) string {
	_, body, _ := strings.Cut(html, "<body>")
	return strings.ReplaceAll(strings.Join(tags.FindAllString(body, -1), ""), "<br>", "")
}

// ownLines counts the lines of a text that are neither quoted from a note nor the rest of a
// line that was too long: such a line has no room for the first word of the next one.
func ownLines(text string) int {
	own, before := 0, ""
	for line := range strings.SplitSeq(text, "\n") {
		first, _, _ := strings.Cut(line, " ")
		rest := before != "" && first != "" && columns(before+" "+first) > textWidth
		if !rest && !strings.HasPrefix(line, ">") {
			own++
		}
		before = line
	}
	return own
}

func invisible(r rune) bool {
	return r != '\n' && string(r) != apart && !strings.ContainsRune("\u200D\uFE0F", r) && (unicode.IsControl(r) ||
		unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point))
}

// render makes an invitation whose every user-typed value is typed.
func render(t *testing.T, templates *Templates, typed string) Content {
	t.Helper()
	content, err := templates.Invitation(Invitation{
		TeamName: "x" + typed, AccountName: "y" + typed, InviterName: "x" + typed, InviteeName: "x" + typed,
		RoleNames: []string{"x" + typed}, Note: "x" + typed,
		SentAt: noon, ExpiresAt: noon.Add(72 * time.Hour), Token: "tok",
	})
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestHostileTextChangesNothingButWords(t *testing.T) {
	t.Parallel()
	templates := newTemplates(t)
	harmless := render(t, templates, "")
	server := (&mailServer{}).start(t)
	s := newSMTP(t, "smtp://localhost", server.addr)
	for i, typed := range hostile {
		content := render(t, templates, typed)
		if got, want := skeleton(content.HTML), skeleton(harmless.HTML); got != want {
			t.Errorf("%q: got tags %s, want %s", typed, got, want)
		}
		if got, want := ownLines(content.Text), ownLines(harmless.Text); got > want {
			t.Errorf("%q: got %d lines of our own, want at most %d:\n%s", typed, got, want, content.Text)
		}
		if got, want := strings.Count(content.Text, "\n\n"), strings.Count(harmless.Text, "\n\n"); got != want {
			t.Errorf("%q: got %d empty lines, want %d:\n%s", typed, got, want, content.Text)
		}
		for _, link := range hrefs.FindAllStringSubmatch(tagsOnly(content.HTML), -1) {
			if !strings.HasPrefix(link[1], publicURL) {
				t.Errorf("%q: link to %s", typed, link[1])
			}
		}
		m := Message{
			ID: "inv@example.test", To: "nina@example.test", ToName: "x" + typed,
			Subject: content.Subject, Text: content.Text, HTML: content.HTML,
		}
		if i%2 == 1 {
			m.Subject = "x" + typed // SMTP does not rely on the templates
		}
		if err := s.Send(t.Context(), m); err != nil {
			t.Errorf("%q: %v", typed, err)
		}
	}
	deliveries := server.deliveries()
	if len(deliveries) != len(hostile) {
		t.Fatalf("got %d deliveries, want %d", len(deliveries), len(hostile))
	}
	for i, d := range deliveries {
		checkHarmless(t, hostile[i], d)
	}
}

// checkHarmless fails the test when typed got anything into a delivery that
// is more than words.
func checkHarmless(t *testing.T, typed string, d delivery) {
	t.Helper()
	if len(d.to) != 1 || d.to[0] != "nina@example.test" {
		t.Errorf("%q: recipients %q", typed, d.to)
	}
	for line := range strings.SplitSeq(string(d.data), "\r\n") {
		if len(line) > 998 {
			t.Errorf("%q: line of %d bytes", typed, len(line))
		}
	}
	got := parse(t, d.data)
	if len(got.header) != 9 {
		t.Errorf("%q: got headers %v, want 9", typed, got.header)
	}
	for name, values := range got.header {
		if len(values) != 1 {
			t.Errorf("%q: header %s occurs %d times", typed, name, len(values))
		}
	}
	shown := got.subject + got.to.Name + got.text + got.html
	if i := strings.IndexFunc(shown, invisible); i >= 0 {
		t.Errorf("%q: invisible character in %.40q", typed, shown[i:])
	}
	if n := len([]rune(got.subject)); n > maxSubject+10 {
		t.Errorf("%q: subject of %d characters", typed, n)
	}
}

func tagsOnly(html string) string { return strings.Join(tags.FindAllString(html, -1), "\n") }

func TestClean(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"Olivia Owner":               "Olivia Owner",
		"  Olivia \t\r\n  Owner\x00": "Olivia Owner",
		"\u202eOlivia\u200b":         "Olivia",
		"עברית Ünïcødé":              "עברית Ünïcødé",
		"\u3164\u200b\u00a0":         "",
		"a\xffb":                     "a\ufffdb",
		"12345678901234":             "12345678901234",
		"123456789012345":            "1234567890123…",
		"1234567890123  5":           "1234567890123…",
	} {
		if got := clean(typed, 14); got != want {
			t.Errorf("clean(%q, 14): got %q, want %q", typed, got, want)
		}
	}
	for typed, want := range map[string]string{
		"":                            "",
		"\n \n":                       "",
		"a\r\nb\rc\u2028d\u0085e\vf":  "a|b|c|d|e|f",
		"\n\na\n\n\n \n\u200b\nb\n\n": "a||b",
		strings.Repeat("x", 600):      strings.Repeat("x", 499) + "…",
	} {
		if got := strings.Join(cleanNote(typed), "|"); got != want {
			t.Errorf("cleanNote(%q): got %q, want %q", typed, got, want)
		}
	}
}

func TestTemplatesRefuse(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"", "app.example.test", "/team", "ftp://app.example.test", "javascript:alert(1)", "https://", "https://u:p@app.example.test", "https://app.example.test?x=1", "https://app.example.test#x"} {
		u, err := url.Parse(base)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := NewTemplates(u, "Convoke", nil); err == nil {
			t.Errorf("NewTemplates(%q) was accepted", base)
		}
	}
	if _, err := NewTemplates(nil, "Convoke", nil); err == nil {
		t.Error("NewTemplates(nil) was accepted")
	}
	odd, err := url.Parse("https://app.example.test/it's (ours)")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewTemplates(odd, "Convoke", nil); err != nil {
		t.Errorf("a path that HTML writes in another way: %v", err)
	}
	templates := newTemplates(t)
	for name, change := range map[string]func(*Invitation){
		"no token":   func(d *Invitation) { d.Token = "" },
		"no start":   func(d *Invitation) { d.SentAt = time.Time{} },
		"expired":    func(d *Invitation) { d.ExpiresAt = d.SentAt },
		"no details": func(d *Invitation) { *d = Invitation{} },
	} {
		d := testInvitation()
		change(&d)
		if _, err := templates.Invitation(d); err == nil {
			t.Errorf("%s: the invitation was rendered", name)
		}
	}
	for _, d := range []Verification{{ValidFor: time.Hour}, {Token: "t"}} {
		if _, err := templates.Verification(d); err == nil {
			t.Errorf("%+v was rendered", d)
		}
		if _, err := templates.Reset(Reset(d)); err == nil {
			t.Errorf("%+v was rendered as a reset", d)
		}
		if _, err := templates.ConfirmOldAddress(AddressChange{Token: d.Token, ValidFor: d.ValidFor}); err == nil {
			t.Errorf("%+v was rendered as a change of address", d)
		}
	}
}

func TestLinks(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]string{
		"https://app.example.test":       "https://app.example.test/accept#tok",
		"https://app.example.test/":      "https://app.example.test/accept#tok",
		"http://localhost:8080/a/../b/c": "http://localhost:8080/b/c/accept#tok",
		"https://app.example.test/ü":     "https://app.example.test/%C3%BC/accept#tok",
	} {
		u, err := url.Parse(base)
		if err != nil {
			t.Fatal(err)
		}
		templates, err := NewTemplates(u, "Convoke", nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := render(t, templates, ""); !strings.Contains(got.Text, "\n"+want+"\n") || !strings.Contains(got.HTML, `href="`+want+`"`) {
			t.Errorf("base %s: no link %s in\n%s", base, want, got.Text)
		}
	}
}

func TestInWords(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		time.Second: "1 minute", 119 * time.Second: "2 minutes", 90 * time.Minute: "90 minutes", 2 * time.Hour: "2 hours",
		72*time.Hour - time.Millisecond: "72 hours", 95 * time.Hour: "95 hours", 7 * 24 * time.Hour: "7 days", 100 * time.Hour: "4 days",
	} {
		if got := inWords(d); got != want {
			t.Errorf("inWords(%s): got %q, want %q", d, got, want)
		}
	}
}

func TestListNamesTenAndCountsTheRest(t *testing.T) {
	t.Parallel()
	names := strings.Split("abcdefghijklm", "")
	if got, want := list(names, 10), "a, b, c, d, e, f, g, h, i, j and 3 more"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := list([]string{"\u200b", " "}, 10); got != "" {
		t.Errorf("got %q, want nothing", got)
	}
}

// A client makes a link of what looks like an address, so nothing in a name may.
func TestHARD15NoNameBecomesALink(t *testing.T) {
	t.Parallel()
	linked := regexp.MustCompile(`(?i)(?:https?|ftp|mailto|javascript|tel):[^\s\x{200C}]|\bwww\.[^\s\x{200C}]|[\pL\pN_-][.。．｡․﹒]\pL{2}|[\pL\pN]@[\pL\pN]|\pN{7}`)
	templates := newTemplates(t)
	for _, typed := range []string{
		"evil.com/login", "http://evil.com", "HTTPS://EVIL.COM", "www.evil.com", "evil。com", "evil．com", "evil｡com", "ann@evil.com", "mailto:ann@evil.com",
		"a.b.c.d.evil.com", "+49 30 1234567", "0301234567", "https://user@evil.com:80/x?y", "//evil.com", "xn--80ak6aa92e.com", "javascript:alert(1)",
	} {
		c, err := templates.Invitation(Invitation{
			TeamName: typed, AccountName: typed + " 2", InviterName: typed, InviteeName: typed, RoleNames: []string{typed},
			SentAt: noon, ExpiresAt: noon.Add(72 * time.Hour), Token: "tok",
		})
		if err != nil {
			t.Fatal(err)
		}
		l, err := compose(Message{ID: "a@b", To: "nina@example.test", ToName: typed, Subject: c.Subject, Text: c.Text, HTML: c.HTML}, parseSender(t), noon)
		if err != nil {
			t.Fatal(err)
		}
		_, body, _ := strings.Cut(c.HTML, "<body")
		for part, shown := range map[string]string{"text": c.Text, "HTML": tags.ReplaceAllString(body, " "), "subject": l.subject} {
			shown = strings.NewReplacer("https://app.example.test/team/accept#tok", "", publicURL, "").Replace(shown)
			if found := linked.FindString(shown); found != "" {
				t.Errorf("%q: the %s has %q in %q", typed, part, found, shown)
			}
		}
	}
}

func TestMessageIDStaysOnItsLine(t *testing.T) {
	t.Parallel()
	id := strings.Repeat("a", 100) + "@" + strings.Repeat("b", 100) + ".test"
	l, err := compose(Message{ID: id, To: "nina@example.test", Subject: "s", Text: "t"}, parseSender(t), noon)
	if err != nil || !strings.Contains(string(l.raw), "\r\nMessage-ID: <"+id+">\r\n") {
		t.Errorf("got %q, %v, want the Message-ID on one line", l.raw, err)
	}
}

func parseSender(t *testing.T) netmail.Address {
	t.Helper()
	from, err := parseFrom("no-reply@example.test")
	if err != nil {
		t.Fatal(err)
	}
	return from
}
