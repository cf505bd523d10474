// Package text cleans text from people before it is stored, so that no invisible or
// misleading character reaches a page, a log or a mail. Invisible characters that a
// language or an emoji needs are kept where they change what is shown.
package text

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/convoke-dev/convoke/internal/fault"
)

// The longest texts that are accepted, in runes.
const (
	MaxName = 100
	MaxNote = 500
)

// Line returns a name or title, cleaned as Clean does. TOO_LONG above MaxName runes; the
// error names the field.
func Line(s string, field ...string) (string, *fault.Error) {
	return limit(Clean(s), MaxName, field)
}

// Note returns a text of several lines, cleaned like Line. TOO_LONG above
// MaxNote runes.
func Note(s string, field ...string) (string, *fault.Error) {
	return limit(clean(s, true), MaxNote, field)
}

// Clean returns the text in NFC, on one line, trimmed, without control characters, and
// without invisible characters that change nothing that a reader sees. A cleaned text
// stays as it is when it is cleaned again.
func Clean(s string) string { return clean(s, false) }

func limit(s string, runes int, field []string) (string, *fault.Error) {
	if utf8.RuneCountInString(s) > runes {
		return "", fault.Input(fault.TooLong, fmt.Sprintf("This must be at most %d characters long.", runes), field...)
	}
	return s, nil
}

func clean(s string, lines bool) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.Map(func(r rune) rune {
		switch {
		case lines && r == '\n':
			return r
		case unicode.IsSpace(r), r == brailleBlank:
			return ' '
		case unicode.Is(unicode.Cc, r), invisible(r) && !wanted(r):
			return -1
		}
		return r
	}, s)
	// Letters that were apart may combine now, and a character that was kept may have lost
	// what it belongs to. Each round but the last makes the text shorter.
	for {
		next := strings.TrimSpace(norm.NFC.String(inPlace(norm.NFC.String(s))))
		if next == s {
			return s
		}
		s = next
	}
}

// brailleBlank is a symbol without dots. It looks like a space.
const brailleBlank = '\u2800'

// invisible reports whether most readers cannot see the character: bidi controls, zero
// widths, soft hyphens, fillers, joiners, variation selectors, tags.
func invisible(r rune) bool {
	return unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}
