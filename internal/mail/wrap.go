package mail

import (
	"regexp"
	"strings"
	"unicode"
)

// textWidth is how many columns a line of a text part has, if its words are not longer. It
// leaves room for the marks of replies within the 78 of RFC 5322, section 2.1.1.
const textWidth = 72

var (
	// margin is what a line begins with and what its continuation repeats: indentation, and
	// the mark of a quotation.
	margin = regexp.MustCompile(`^ *(?:> ?)?`)
	// spacedWord is a word with the spaces before it. A space to which a mark or a joiner is
	// attached is inside of the word, because a line never ends within a character.
	spacedWord = regexp.MustCompile(`( *)([^ ]+(?: [\pM\x{200C}\x{200D}][^ ]*)*)`)
)

// wrap breaks the lines of a text that are too long, at spaces only. Line breaks of the text
// stay, and no word is cut: a longer one, such as a link, is alone on its line. A quoted line
// goes on as a quoted line.
func wrap(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if columns(strings.TrimSuffix(line, "\n")) <= textWidth {
			b.WriteString(line)
			continue
		}
		start := margin.FindString(line)
		b.WriteString(start)
		width := columns(start)
		rest, ended := strings.CutSuffix(line[len(start):], "\n")
		for n, found := range spacedWord.FindAllStringSubmatch(rest, -1) {
			gap, word := found[1], found[2]
			if n > 0 && width+columns(gap+word) > textWidth {
				b.WriteString("\n" + start)
				gap, width = "", columns(start)
			}
			b.WriteString(gap + word)
			width += columns(gap + word)
		}
		if ended {
			b.WriteString("\n")
		}
	}
	return b.String()
}

// columns counts the characters that take a column of their own. Wide characters count once.
func columns(s string) (n int) {
	for _, r := range s {
		if !unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
			n++
		}
	}
	return n
}
