package mail

import (
	"strings"
	"unicode"
)

const (
	maxName = 80  // runes of a name in a mail: enough to recognise it, too short for a message of its own
	maxNote = 500 // runes of an invitation's note
)

// clean makes user-typed text safe for one line: controls and every kind of
// white space become single spaces, invisible characters disappear (bidi
// controls, zero-width characters, fillers, variation selectors), and what is
// longer than limit runes is cut and marked with an ellipsis. Emoji made of
// several joined ones fall apart; that is the price.
func clean(s string, limit int) string {
	visible := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), unicode.Is(unicode.Z, r):
			return ' '
		case unicode.In(r, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point):
			return -1
		}
		return r
	}, s)
	runes := []rune(strings.Join(strings.Fields(visible), " "))
	if len(runes) > limit {
		return strings.TrimSpace(string(runes[:limit-1])) + "…"
	}
	return string(runes)
}

// cleanNote is clean for text of several lines. Every kind of line break
// counts as one, and at most one empty line separates two others, so that a
// note cannot push the rest of the mail out of sight. No note gives no lines.
func cleanNote(s string) []string {
	if runes := []rune(s); len(runes) > maxNote {
		s = strings.TrimSpace(string(runes[:maxNote-1])) + "…"
	}
	var lines []string
	gap := false
	for line := range strings.SplitSeq(lineBreaks.Replace(s), "\n") {
		line = clean(line, maxNote)
		if line == "" {
			gap = len(lines) > 0
			continue
		}
		if gap {
			lines = append(lines, "")
		}
		lines, gap = append(lines, line), false
	}
	return lines
}

// lineBreaks turns whatever some client shows as a line break into one.
var lineBreaks = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\v", "\n", "\f", "\n",
	"\u0085", "\n", "\u2028", "\n", "\u2029", "\n")

// headerText is clean for a header field. A client decodes what looks like an
// encoded word (RFC 2047) even where we wrote it literally, and that would
// bring the removed characters back; so its beginning is broken up.
func headerText(s string, limit int) string {
	return strings.ReplaceAll(clean(s, limit), "=?", "= ?")
}
