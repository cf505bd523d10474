// Package text cleans text from people before it is stored, so that no invisible or
// misleading character reaches a page, a log or a mail.
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

// Line returns a name or title: NFC, one line, without control and invisible
// characters, trimmed. TOO_LONG above MaxName runes; the error names the field.
func Line(s string, field ...string) (string, *fault.Error) {
	return limit(clean(s, false), MaxName, field)
}

// Note returns a text of several lines, cleaned like Line. TOO_LONG above
// MaxNote runes.
func Note(s string, field ...string) (string, *fault.Error) {
	return limit(clean(s, true), MaxNote, field)
}

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
		case unicode.IsSpace(r):
			return ' '
		// Controls; bidi marks, zero widths, soft hyphens; fillers and joiners;
		// variation selectors.
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector):
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(norm.NFC.String(s))
}
