package mail

import (
	"regexp"
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

// apart keeps a mail client from making a link of a text. It is a zero-width non-joiner, which
// no client allows in an address and which shows nothing between signs.
const apart = "\u200C"

var (
	// linkSigns are the signs by which clients find addresses of pages and of mailboxes.
	linkSigns = regexp.MustCompile(`[.:/@\x{3002}\x{FF0E}\x{FF61}\x{2024}\x{FE52}\x{FF1A}\x{FF0F}\x{FF20}]`)
	// phone is what clients make a telephone number of.
	phone  = regexp.MustCompile(`\pN(?:[ ()+.\x{200C}-]*\pN){6,}`)
	digits = regexp.MustCompile(`(\pN)(\pN)`)
)

// unlinked returns the text so that clients make no link of it: evil.test, http://evil.test,
// an e-mail address or a telephone number stay words.
func unlinked(s string) string {
	s = linkSigns.ReplaceAllString(s, apart+"$0"+apart)
	s = strings.Trim(strings.NewReplacer(" "+apart, " ", apart+" ", " ", apart+apart, apart).Replace(s), apart)
	return phone.ReplaceAllStringFunc(s, func(m string) string { return digits.ReplaceAllString(m, "$1"+apart+"$2") })
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
