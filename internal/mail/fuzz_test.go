package mail

import (
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func FuzzParseServer(f *testing.F) {
	for _, in := range []string{
		"smtp://localhost", "smtps://user:hunter22@mail.example.com", "smtp://user:hunter22@[::1]:2525/", "smtp://user:hunter22@host:0", "smtp://:hunter22@host",
		"smtp://user:hunter%0a22@host", "smtp://user:hunter22@host:587:587", "http://user:hunter22@host", "smtp://user:hunter22@host?x", "smtp://[fe80::1%25eth0]:25", "://",
	} {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, err := parseServer(in)
		if err != nil {
			if strings.Contains(in, "hunter22") && strings.Contains(err.Error(), "hunter22") {
				t.Errorf("%q: the password is in %q", in, err)
			}
			return
		}
		again, err := parseServer(strings.ReplaceAll(got.String(), "%", "%25")) // of a zone
		if err != nil || again.host != got.host || again.port != got.port || again.implicitTLS != got.implicitTLS || again.loopback != got.loopback {
			t.Errorf("%q: got %+v, and of %q %+v, %v", in, got, got, again, err)
		}
		if strings.ContainsAny(got.user+got.password+got.address(), "\r\n\x00") {
			t.Errorf("%q: got %+v with a line break", in, got)
		}
	})
}

func FuzzParseTo(f *testing.F) {
	for _, in := range []string{"ann@x.org", "Ann@BÜCHER.example", "ann@x.org\r\nRCPT TO:<b@x.org>", `"a b"@x.org`, "Ann <ann@x.org>", "a@b, c@d", "ann@x.org ", "ann\u200B@x.org", "x@y", "=?utf-8?q?a?=@x.org"} {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		if got, err := parseTo(in); err == nil {
			if again, err := parseTo(got); err != nil || again != got || len(got) > maxAddress || strings.ContainsFunc(got, unsafeInAddress) {
				t.Errorf("parseTo(%q) = %q, and of that %q, %v", in, got, again, err)
			}
		}
		if from, err := parseFrom(in); err == nil {
			if again, err := parseFrom(from.String()); err != nil || again.Address != from.Address || strings.ContainsFunc(from.Name, unicode.IsControl) {
				t.Errorf("parseFrom(%q) = %+v, and of %q %+v, %v", in, from, from.String(), again, err)
			}
		}
	})
}

func unsafeInAddress(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune("<>,;", r)
}

var (
	besideSign = regexp.MustCompile(`[^ ` + apart + `]` + linkSigns.String() + `|` + linkSigns.String() + `[^ ` + apart + `]`)
	number     = regexp.MustCompile(`\pN{7}`)
)

// FuzzClean has text of users on its way into mails.
func FuzzClean(f *testing.F) {
	for _, in := range []string{"Ann", "a\r\nBcc: b@x.org", "=?utf-8?q?a?=", "evil.test", "https://evil.test/a", "+49 (170) 1234567", "a\u200D", strings.Repeat("é", 90), "\u2028\u202E", "a\xff", "👩‍👩‍👧", ".\u200C."} {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got := clean(in, maxName)
		if again := clean(got, maxName); again != got || utf8.RuneCountInString(got) > maxName || !utf8.ValidString(got) || strings.ContainsFunc(got, unicode.IsControl) {
			t.Errorf("clean(%+q) = %+q, and of that %+q", in, got, again)
		}
		if strings.Contains(headerText(in, maxName), "=?") {
			t.Errorf("headerText(%+q) = %+q", in, headerText(in, maxName))
		}
		if plain := unlinked(got); besideSign.MatchString(plain) || number.MatchString(plain) {
			t.Errorf("unlinked(%+q) = %+q, want its signs and digits apart", got, plain)
		}
		gap := true
		for _, line := range cleanNote(in) {
			if line == "" && gap || strings.ContainsAny(line, "\r\n\u2028\u2029\u0085\v\f") {
				t.Errorf("cleanNote(%+q) has the line %+q", in, line)
			}
			gap = line == ""
		}
	})
}
