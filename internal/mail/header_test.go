package mail

import (
	"bytes"
	netmail "net/mail"
	"strings"
	"testing"
)

func TestHARD15AReplyToIsOneAddressOrNone(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 64) + "@" + strings.Repeat(strings.Repeat("b", 62)+".", 2) + strings.Repeat("c", 59) + ".org"
	for typed, want := range map[string]string{
		"":                    "",
		"olivia@example.test": "<olivia@example.test>",
		"olivia@bücher.test":  "<olivia@xn--bcher-kva.test>",
		long:                  "<" + long + ">",
		// It would need SMTPUTF8, which the other addresses do not need.
		"zoë@example.test":                             "",
		"olivia@example.test\r\nBcc: victim@evil.test": "", "olivia@example.test\nX: y": "", "a@example.test, b@example.test": "", "Olivia <a@example.test>": "",
		"<a@example.test>": "", "a@example.test (x)": "", "group: a@example.test;": "", "a\u202e@example.test": "", "a@example.test\x00": "",
		"=?utf-8?q?a=0D=0AX:_y?=@example.test": "",
	} {
		l, err := compose(Message{ID: "a@b", To: "nina@example.test", ReplyTo: typed, Subject: "s", Text: "t"}, parseSender(t), noon)
		if err != nil {
			t.Fatal(err)
		}
		m, err := netmail.ReadMessage(bytes.NewReader(l.raw))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(m.Header["Reply-To"], " and "); got != want {
			t.Errorf("%q: got Reply-To %q, want %q", typed, got, want)
		}
		if fields := 10; want == "" && len(m.Header) != fields || want != "" && len(m.Header) != fields+1 {
			t.Errorf("%q: got the fields %v", typed, m.Header)
		}
	}
	l, err := compose(Message{ID: "a@b", To: "nína@example.test", ReplyTo: "zoë@example.test", Subject: "s", Text: "t"}, parseSender(t), noon)
	if err != nil || !strings.Contains(string(l.raw), "\r\nReply-To: <zoë@example.test>\r\n") {
		t.Errorf("got %q, %v, want a Reply-To beyond ASCII beside such a recipient", l.raw, err)
	}
}

// The longest subject, names and addresses that there can be, in the words of a real server.
func TestHARD15HeadersOfTheLongestMail(t *testing.T) {
	t.Parallel()
	server := (&mailServer{}).start(t)
	address := func(local string) string {
		return strings.Repeat(local, 64) + "@" + strings.Repeat(strings.Repeat("b", 62)+".", 2) + strings.Repeat("c", 59) + ".org"
	}
	s := newSMTP(t, "smtp://localhost", server.addr)
	var err error
	if s.from, err = parseFrom(`"` + strings.Repeat("Žofie ", 12) + `" <` + address("f") + ">"); err != nil {
		t.Fatal(err)
	}
	m := Message{
		ID: strings.Repeat("i", 120) + "@" + strings.Repeat("h", 116) + ".org", To: address("t"), ToName: strings.Repeat("علی\u200cرضا ", 10), ReplyTo: address("r"),
		Subject: strings.Repeat("Ñandú 🚀 ", 24), Text: "Hello\n" + strings.Repeat("x", 3000) + "\n", HTML: "<p>" + strings.Repeat("x", 3000) + "</p>\n",
	}
	if err := s.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	d := server.deliveries()[0]
	head, _, _ := strings.Cut(string(d.data), "\r\n\r\n")
	for _, want := range []string{"Message-ID: <" + m.ID + ">", "Reply-To: <" + m.ReplyTo + ">", "Auto-Submitted: auto-generated", "X-Auto-Response-Suppress: All", "MIME-Version: 1.0"} {
		if strings.Count("\r\n"+head+"\r\n", "\r\n"+want+"\r\n") != 1 {
			t.Errorf("no line %q in\n%s", want, head)
		}
	}
	for line := range strings.SplitSeq(string(d.data), "\r\n") {
		switch {
		case len(line) > 998, strings.Contains(line, "=?") && len(line) > 78:
			t.Errorf("a line of %d bytes: %s", len(line), line)
		case strings.TrimSpace(line) == "" && line != "":
			t.Errorf("a line of spaces: %q", line)
		}
	}
	got := parse(t, d.data) // the text, then the HTML
	if date, err := got.header.Date(); err != nil || !date.Equal(noon) {
		t.Errorf("got the date %v, %v", date, err)
	}
	if from, err := got.header.AddressList("From"); err != nil || len(from) != 1 || from[0].Address != address("f") || !strings.HasPrefix(from[0].Name, "Žofie Žofie") {
		t.Errorf("got the sender %v, %v", from, err)
	}
	if got.to.Address != m.To || got.to.Name != strings.TrimSpace(m.ToName) || len(d.to) != 1 || d.to[0] != m.To {
		t.Errorf("got the recipient %v, %v", got.to, d.to)
	}
	if got.text != m.Text || got.html != m.HTML || got.subject != unlinked(headerText(m.Subject, maxSubject)) {
		t.Errorf("got %q, %q, %q", got.subject, got.text, got.html)
	}
}
