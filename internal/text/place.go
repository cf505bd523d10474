package text

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

const (
	nonJoiner = '\u200C'
	joiner    = '\u200D'
	asText    = '\uFE0E' // variation selector 15: the emoji before it is shown as text
	asEmoji   = '\uFE0F' // variation selector 16: the character before it is shown as an emoji
	keycap    = '\u20E3'
	blackFlag = '\U0001F3F4'
)

// tagged are the flags whose region is written in invisible tags (emoji tag sequences of
// UTS 51, the three that are recommended for general interchange): England, Scotland and
// Wales. Any other text in tags is hidden from readers.
var tagged = [][]rune{tags("gbeng"), tags("gbsct"), tags("gbwls")}

// tags returns the black flag, the letters as tags, and the tag that ends them.
func tags(letters string) []rune {
	flag := []rune{blackFlag}
	for _, r := range letters {
		flag = append(flag, 0xE0000+r)
	}
	return append(flag, 0xE007F)
}

// The longest run of marks over one letter that is kept. UTS 39, section 5.4, takes more
// than four for a forgery. The letters below a Tibetan letter are marks too.
const (
	maxMarks        = 4
	maxMarksTibetan = 8
)

// wanted reports whether the invisible character is kept in some places: see inPlace.
func wanted(r rune) bool {
	return r == nonJoiner || r == joiner || unicode.Is(unicode.Variation_Selector, r) || isTag(r)
}

func isTag(r rune) bool { return r >= 0xE0020 && r <= 0xE007F }

// inPlace removes joiners, variation selectors and tags that have no effect where they are,
// and marks that belong to no letter or are too many. It expects the result of the first
// step of clean.
func inPlace(s string) string {
	in := []rune(s)
	out := make([]rune, 0, len(in))
	marks := 0 // in a row, at the end of out
	for i := 0; i < len(in); i++ {
		r := in[i]
		rest := in[i+1:]
		switch {
		case invisible(r) && !wanted(r): // norm puts a grapheme joiner after each thirty marks
			continue
		case r == nonJoiner:
			if !joins(out, r, rest) {
				continue
			}
		case r == joiner:
			if !joins(out, r, rest) && !joinsEmoji(out, rest) {
				continue
			}
		case unicode.Is(unicode.Variation_Selector, r):
			if !selects(out, r, rest) {
				continue
			}
		case r == blackFlag:
			if flag := flagAt(in[i:]); flag != nil {
				out, marks = append(out, flag...), 0
				i += len(flag) - 1
				continue
			}
			marks = 0
		case isTag(r):
			continue
		case unicode.In(r, unicode.Mn, unicode.Me):
			if !fits(out, r, marks) {
				continue
			}
			marks++
		default:
			marks = 0
		}
		out = append(out, r)
	}
	return string(out)
}

func flagAt(in []rune) []rune {
	for _, flag := range tagged {
		if len(in) >= len(flag) && slices.Equal(in[:len(flag)], flag) {
			return flag
		}
	}
	return nil
}

// fits reports whether a mark may follow: there is a letter before it, the same mark does
// not stand right before it, and the letter has not too many marks already.
func fits(out []rune, r rune, marks int) bool {
	before := last(out)
	switch {
	case len(out) == 0 || unicode.IsSpace(before):
		return false
	case unicode.Is(unicode.Tibetan, r):
		return marks < maxMarksTibetan
	}
	return marks < maxMarks && before != r
}

// joins reports whether a joiner changes the letters around it (RFC 5892, appendix A.1 and
// A.2): it follows a virama, or, for a non-joiner, it stands between two letters that would
// join. Besides, a joiner may stand between a letter and its virama, because Bengali and
// Kannada write ra before another consonant so.
func joins(out []rune, r rune, rest []rune) bool {
	if isVirama(last(out)) {
		return true
	}
	if r == joiner {
		return unicode.IsLetter(last(out)) && len(rest) > 0 && isVirama(rest[0])
	}
	before := slices.IndexFunc(backwards(out), isNoMark)
	behind := slices.IndexFunc(rest, isNoMark)
	return before >= 0 && unicode.Is(joinsNext, out[len(out)-1-before]) &&
		behind >= 0 && unicode.Is(joinsBefore, rest[behind])
}

func backwards(s []rune) []rune {
	s = slices.Clone(s[max(0, len(s)-1-maxMarksTibetan):])
	slices.Reverse(s)
	return s
}

// isNoMark reports whether the character is none of those that two joined letters may have
// between them.
func isNoMark(r rune) bool {
	return !unicode.In(r, unicode.Mn, unicode.Me) || unicode.Is(unicode.Variation_Selector, r)
}

// isVirama reports whether the character removes the vowel of the letter before it.
func isVirama(r rune) bool { return norm.NFC.PropertiesString(string(r)).CCC() == 9 }

// joinsEmoji reports whether the joiner stands between two emoji (emoji_zwj_element of UTS
// 51): a pictograph, with a variation selector 16 or a skin tone, and a pictograph.
func joinsEmoji(out, rest []rune) bool {
	if len(rest) == 0 || !unicode.Is(pictographs, rest[0]) {
		return false
	}
	if before := last(out); before == asEmoji || isSkinTone(before) {
		out = out[:len(out)-1]
	}
	return unicode.Is(pictographs, last(out))
}

func isSkinTone(r rune) bool { return r >= 0x1F3FB && r <= 0x1F3FF }

// selects reports whether the variation selector changes the character before it: the
// characters that are shown as text or as emoji, keycaps, ideographs, and letters of
// Mongolian, Phags-pa and Myanmar.
func selects(out []rune, r rune, rest []rune) bool {
	base := last(out)
	isSelector := func(from, to rune) bool { return from <= r && r <= to }
	switch {
	case strings.ContainsRune("0123456789#*", base):
		return r == asEmoji && len(rest) > 0 && rest[0] == keycap
	case unicode.Is(unicode.Han, base):
		return isSelector('\uFE00', '\uFE02') || isSelector(0xE0100, 0xE01EF)
	case unicode.Is(unicode.Mongolian, base):
		return isSelector('\u180B', '\u180D') || r == '\u180F'
	case unicode.In(base, unicode.Phags_Pa, unicode.Myanmar) && unicode.IsLetter(base):
		return r == '\uFE00'
	}
	return (r == asText || r == asEmoji) && unicode.Is(variants, base)
}

// last returns the last character, or 0.
func last(s []rune) rune {
	if len(s) == 0 {
		return 0
	}
	return s[len(s)-1]
}
