package mail

import (
	"strings"
	"unicode"
)

const (
	maxName = 80  // runes of a name in a mail: enough to recognise it, too short for a message of its own
	maxNote = 500 // runes of an invitation's note
)

// clean makes text that a user typed safe for one line. Control characters and all
// white space become single spaces. Invisible characters are removed: bidi controls,
// zero-width characters, fillers and variation selectors. Text longer than limit runes
// is cut and ends with an ellipsis. As a side effect, joined emoji fall apart.
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

// cleanNote is clean for a text of several lines. All kinds of line breaks are treated
// alike. At most one empty line separates two others, so that a note cannot push the
// rest of the mail out of sight. An empty note has no lines.
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

// lineBreaks replaces everything that a mail client may show as a line break.
var lineBreaks = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\v", "\n", "\f", "\n",
	"\u0085", "\n", "\u2028", "\n", "\u2029", "\n")

// headerText is clean for a header field. A mail client decodes everything that looks
// like an encoded word (RFC 2047), which would bring removed characters back. Therefore
// the beginning of such a word is split.
func headerText(s string, limit int) string {
	return strings.ReplaceAll(clean(s, limit), "=?", "= ?")
}
