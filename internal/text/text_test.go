package text_test

import (
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/text"
)

func TestLine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, want string }{
		{"plain", "Ann Smith", "Ann Smith"},
		{"trimmed", "  Ann\t", "Ann"},
		{"CR and LF", "Ann\r\nBcc: x@y", "Ann Bcc: x@y"},
		{"NUL", "A\x00nn", "Ann"},
		{"right-to-left override", "Ann\u202Egpj.exe", "Anngpj.exe"},
		{"zero width space", "An\u200Bn", "Ann"},
		{"a filler that shows nothing", "A\u3164nn\u034F", "Ann"},
		{"decomposed", "Ame\u0301lie", "Amélie"},
		{"invalid UTF-8", "A\xffnn", "A\uFFFDnn"},
		{"line separator", "a\u2028b", "a b"},
		{"markup is text", "<b>Ann</b>", "<b>Ann</b>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := text.Line(c.in, "name")
			if err != nil || got != c.want {
				t.Errorf("Line(%q) = %q, %v, want %q", c.in, got, err, c.want)
			}
		})
	}
}

func TestLimitsCountRunes(t *testing.T) {
	t.Parallel()
	if _, err := text.Line(strings.Repeat("ä", text.MaxName), "name"); err != nil {
		t.Errorf("a name of %d runes: %v", text.MaxName, err)
	}
	_, err := text.Line(strings.Repeat("ä", text.MaxName+1), "name")
	if err == nil || err.Code != fault.TooLong || err.Field[0] != "name" {
		t.Errorf("a name too long: %v, want TOO_LONG of name", err)
	}
	if _, err := text.Note(strings.Repeat("x", text.MaxNote+1), "note"); err == nil || err.Code != fault.TooLong {
		t.Errorf("a note too long: %v, want TOO_LONG", err)
	}
}

func TestNoteKeepsItsLines(t *testing.T) {
	t.Parallel()
	got, err := text.Note("Hello,\r\nwelcome\u202E!\n", "note")
	if err != nil || got != "Hello,\nwelcome!" {
		t.Errorf("Note = %q, %v", got, err)
	}
}
