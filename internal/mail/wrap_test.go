package mail

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestHARD15LongLinesAreWrapped(t *testing.T) {
	t.Parallel()
	x := func(n int) string { return strings.Repeat("x", n) }
	link := "https://app.example.test/team/accept#" + x(43)
	for name, c := range map[string]struct{ text, want string }{
		"nothing":                   {"", ""},
		"short lines":               {"Hello,\n\nIt is me.\n", "Hello,\n\nIt is me.\n"},
		"a line that just fits":     {x(30) + " " + x(41) + "\n", x(30) + " " + x(41) + "\n"},
		"one column more":           {x(30) + " " + x(42) + "\nb", x(30) + "\n" + x(42) + "\nb"},
		"without an end":            {x(70) + " a b c", x(70) + " a\nb c"},
		"a word that is longer":     {"a " + x(100) + " b c", "a\n" + x(100) + "\nb c"},
		"a link is alone":           {"Open this link: " + link + " and accept.", "Open this link:\n" + link + "\nand accept."},
		"a quotation":               {"> " + x(40) + " " + x(40) + " b\n>\n> c", "> " + x(40) + "\n> " + x(40) + " b\n>\n> c"},
		"a quotation of one word":   {"> " + x(100), "> " + x(100)},
		"a quotation of marks":      {"> " + strings.Repeat("> ", 50), "> " + strings.Repeat("> ", 34) + ">\n> " + strings.TrimSuffix(strings.Repeat("> ", 15), " ")},
		"indentation":               {"    " + x(40) + " " + x(40), "    " + x(40) + "\n    " + x(40)},
		"spaces within":             {"Team:   " + x(60) + "   b   c", "Team:   " + x(60) + "   b\nc"},
		"spaces at the end":         {x(72) + "    ", x(72)},
		"only spaces":               {strings.Repeat(" ", 100), strings.Repeat(" ", 100)},
		"marks take no column":      {strings.Repeat("e\u0301", 70) + " b", strings.Repeat("e\u0301", 70) + " b"},
		"a space with a mark":       {x(70) + " \u0301\u0301 b", x(70) + " \u0301\u0301\nb"},
		"a wide character is one":   {strings.Repeat("漢", 70) + " 字", strings.Repeat("漢", 70) + " 字"},
		"words without spaces stay": {strings.Repeat("漢字", 50), strings.Repeat("漢字", 50)},
		"a no-break space":          {x(60) + "\u00a0" + x(20), x(60) + "\u00a0" + x(20)},
		"a family":                  {x(71) + " 👨‍👩‍👧‍👦", x(71) + "\n👨‍👩‍👧‍👦"},
	} {
		if got := wrap(c.text); got != c.want {
			t.Errorf("%s:\ngot  %q\nwant %q", name, got, c.want)
		}
	}
}

func TestHARD15WrappingKeepsEveryWord(t *testing.T) {
	t.Parallel()
	word := rapid.StringOfN(rapid.RuneFrom([]rune("abcé漢字ع\u0301\u200c\u200d👩>-.:/# ")), 0, 90, -1)
	rapid.Check(t, func(t *rapid.T) {
		quoted := rapid.Bool().Draw(t, "quoted")
		line := strings.Join(rapid.SliceOfN(word, 0, 40).Draw(t, "words"), " ")
		if quoted {
			line = "> " + strings.TrimLeft(line, " >")
		} else {
			line = strings.TrimLeft(line, " >")
		}
		var got []string
		for part := range strings.SplitSeq(wrap(line), "\n") {
			if columns(part) > textWidth && len(spacedWord.FindAllString(strings.TrimPrefix(part, "> "), -1)) > 1 {
				t.Errorf("%q has %d columns", part, columns(part))
			}
			if quoted {
				var ok bool
				if part, ok = strings.CutPrefix(part, "> "); !ok {
					t.Errorf("%q is not quoted", part)
				}
			}
			got = append(got, strings.Fields(part)...)
		}
		if want := strings.Fields(strings.TrimPrefix(line, "> ")); !slices.Equal(got, want) {
			t.Errorf("got the words %q, want %q", got, want)
		}
		if once := wrap(line); wrap(once) != once {
			t.Errorf("wrapped twice, %q is %q", once, wrap(once))
		}
	})
}
