package text

import (
	"cmp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// SearchKey returns what a search looks for its words in: address and names, folded.
func SearchKey(email, first, last string) string { return Fold(email, first, last) }

// SortKey returns what a list by name is sorted by: the name, folded; the address when there
// is no name.
func SortKey(email, first, last string) string {
	return cmp.Or(Fold(first, last), Fold(email))
}

// Words returns the words of a search, folded, each once.
func Words(search string) (words []string) {
	seen := map[string]bool{}
	for _, w := range strings.Fields(Fold(search)) {
		if !seen[w] {
			seen[w], words = true, append(words, w)
		}
	}
	return words
}

// Fold returns the texts, joined by spaces, in the form that is searched and sorted, so that
// "emile" finds "Émile" and "lukasz" finds "Łukasz". Compatibility forms such as full width
// are unified (NFKD), case is folded, accents and invisible characters are removed, and letters
// that have no decomposition become the letters that people type instead. The result is for
// comparing, not for showing.
//
// The database stores folded texts. A change of Fold needs a new version in refolds of
// internal/store, which folds the stored texts again.
func Fold(texts ...string) string {
	var plain strings.Builder
	valid := strings.ToValidUTF8(strings.Join(texts, " "), string(unicode.ReplacementChar)) // else NFKD leaves out what follows
	for _, r := range norm.NFKD.String(valid) {
		r = unicode.ToLower(unicode.ToUpper(r)) // also what has two small forms, such as σ
		typed, other := asTyped[r]
		switch {
		case other:
			plain.WriteString(typed)
		case r == 0 || unicode.In(r, unicode.Mn, unicode.Cf):
		default:
			plain.WriteRune(r)
		}
	}
	return strings.Join(strings.Fields(plain.String()), " ")
}

// asTyped has the small letters and signs that have no decomposition, and what people type
// for them on a keyboard without them.
var asTyped = map[rune]string{
	'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'ł': "l", 'đ': "d", 'ð': "d", 'þ': "th", 'ħ': "h", 'ŧ': "t", 'ȷ': "j",
	'ŋ': "n", 'ĸ': "k", 'ə': "e", 'ƒ': "f", 'ɨ': "i", 'ʉ': "u", 'ƶ': "z", 'ǥ': "g", 'ƀ': "b", 'ɓ': "b", 'ɖ': "d", 'ɗ': "d",
	'ƙ': "k", 'ɲ': "n", 'ɔ': "o", 'ɛ': "e", 'ɣ': "g", 'ʋ': "v", 'ƴ': "y", 'ɇ': "e", 'ɉ': "j", 'ɍ': "r", 'ɏ': "y", 'ȼ': "c", 'ⱥ': "a",
	'‘': "'", '’': "'", 'ʼ': "'", 'ʻ': "'", '‐': "-", '‑': "-", '‒': "-", '–': "-", '—': "-", '−': "-",
}
