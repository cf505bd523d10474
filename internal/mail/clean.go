package mail

import (
	"strings"
	"unicode"

	"github.com/convoke-dev/convoke/internal/text"
)

const (
	maxName = 80  // runes of a name in a mail: enough to recognise it, too short for a message of its own
	maxNote = 500 // runes of an invitation's note
)

// clean makes text that a user typed safe for one line. All white space becomes single
// spaces, control characters too. text.Clean removes invisible characters, except where a
// language or an emoji needs them. Text longer than limit runes is cut and ends with an
// ellipsis.
func clean(s string, limit int) string {
	spaced := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
	cleaned := strings.Join(strings.Fields(text.Clean(spaced)), " ")
	if runes := []rune(cleaned); len(runes) > limit {
		return text.Clean(string(runes[:limit-1])) + "…" // the cut may leave a joiner alone
	}
	return cleaned
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
