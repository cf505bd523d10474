package text

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Fold returns the texts, joined by spaces, in the form that is searched and sorted:
// compatibility forms unified (NFKD), case folded, accents removed, so that "emile" finds
// "Émile". The result is for comparing, not for showing.
func Fold(texts ...string) string {
	joined := norm.NFKD.String(strings.Join(texts, " "))
	plain := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) || r == 0 {
			return -1
		}
		return r
	}, joined)
	return strings.Join(strings.Fields(cases.Fold().String(plain)), " ")
}
