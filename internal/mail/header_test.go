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
