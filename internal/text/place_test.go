package text_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/convoke-dev/convoke/internal/text"
)

// kept are texts that are stored as they were typed.
var kept = map[string]string{
	"Persian, a non-joiner":                 "علی\u200Cرضا",
	"Persian, a plural":                     "کتاب\u200Cها",
	"Persian, a vowel mark before it":       "عل\u0650ی\u200Cرضا",
	"Persian, a vowel mark behind it":       "می\u200C\u0650روم",
	"Syriac":                                "ܒ\u200Cܒ",
	"Adlam, capital letters":                "\U0001E900\u200C\U0001E901",
	"Devanagari, an explicit virama":        "क्\u200Cष",
	"Devanagari, a half form":               "क्\u200Dष",
	"Devanagari, a virama at the end":       "क्\u200C",
	"Devanagari, a virama before a space":   "क्\u200C ख",
	"Marathi, eyelash ra":                   "र्\u200Dय",
	"Sinhala":                               "ශ්\u200Dරී ලංකා",
	"Malayalam, an old chillu":              "ന്\u200D",
	"Bengali, ra before ya":                 "র\u200D্যাচেল",
	"Kannada, ra before a consonant":        "ರ\u200D್ಕ",
	"Khmer":                                 "ស្រីមុំ",
	"Thai, two marks":                       "น้ำ",
	"Tibetan, a stack":                      "སངྒྲུབ",
	"Hebrew, with points and an accent":     "שִּׁ֑",
	"Vietnamese":                            "Nguyễn Văn Đức",
	"Burmese, a dotted form":                "\u1000\uFE00",
	"Mongolian, a variant":                  "ᠠ\u180Bᠨ",
	"Phags-pa, a variant":                   "\uA856\uFE00",
	"Japanese, a variant of a surname":      "辻\U000E0100さん",
	"Japanese, a variant of a place":        "葛\U000E0101城市",
	"Japanese, a standardized variant":      "\u5026\uFE00",
	"a heart as an emoji":                   "\u2764\uFE0F",
	"a heart as text":                       "\u2764\uFE0E",
	"a copyright sign as an emoji":          "\u00A9\uFE0F",
	"a family":                              "👨\u200D👩\u200D👧\u200D👦",
	"a skin tone":                           "👋🏽",
	"a skin tone and a trade":               "👩🏽\u200D🚀",
	"a rainbow flag":                        "🏳\uFE0F\u200D🌈",
	"a pirate flag":                         "🏴\u200D\u2620\uFE0F",
	"a heart on fire":                       "\u2764\uFE0F\u200D🔥",
	"a doctor":                              "🧑\u200D\u2695\uFE0F",
	"a black cat":                           "🐈\u200D\u2B1B",
	"a nod":                                 "🙂\u200D\u2195\uFE0F",
	"two people who hold hands":             "🧑🏻\u200D🤝\u200D🧑🏿",
	"two emoji that are joined, but no one": "🐙\u200D🚀",
	"a keycap":                              "1\uFE0F\u20E3",
	"a keycap of a sign":                    "#\uFE0F\u20E3",
	"a keycap without a selector":           "1\u20E3",
	"a flag":                                "🇮🇷",
	"two flags":                             "🇩🇪🇫🇷",
	"the flag of England":                   "🏴\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007F",
	"the flag of Scotland, and a text":      "🏴\U000E0067\U000E0062\U000E0073\U000E0063\U000E0074\U000E007F a",
	"the flag of Wales":                     "🏴\U000E0067\U000E0062\U000E0077\U000E006C\U000E0073\U000E007F",
	"a black flag":                          "🏴",
	"four marks":                            "x\u0301\u0302\u0303\u0304",
	"an apostrophe":                         "O’Brien",
	"a middle dot":                          "Al·lot",
	"an Arabic comma":                       "علی، رضا",
}

// changed are texts of which something is removed.
var changed = map[string]struct{ in, want string }{
	"a non-joiner among Latin letters":        {"An\u200Cn", "Ann"},
	"a joiner among Latin letters":            {"An\u200Dn", "Ann"},
	"a joiner among Persian letters":          {"علی\u200Dرضا", "علیرضا"},
	"a non-joiner after a letter that ends":   {"ر\u200Cض", "رض"},
	"a non-joiner at the start":               {"\u200Cعلی", "علی"},
	"a non-joiner at the end":                 {"علی\u200C", "علی"},
	"a non-joiner before a space":             {"علی\u200C رضا", "علی رضا"},
	"a non-joiner before Latin":               {"علی\u200Cann", "علیann"},
	"two non-joiners":                         {"علی\u200C\u200Cرضا", "علی\u200Cرضا"},
	"a non-joiner, and a zero width space":    {"علی\u200C\u200Bرضا", "علی\u200Cرضا"},
	"a joiner after a consonant":              {"क\u200Dष", "कष"},
	"two joiners after a virama":              {"क्\u200D\u200Dष", "क्\u200Dष"},
	"a virama alone, and a joiner":            {"\u094D\u200D", ""},
	"a joiner alone":                          {"\u200D", ""},
	"a joiner after an emoji":                 {"👨\u200D", "👨"},
	"a joiner before an emoji":                {"\u200D👨", "👨"},
	"a joiner between an emoji and a letter":  {"👨\u200Da", "👨a"},
	"two joiners between emoji":               {"👨\u200D\u200D👩", "👨\u200D👩"},
	"a joiner after an emoji as text":         {"\u2764\uFE0E\u200D🔥", "\u2764\uFE0E🔥"},
	"a joiner between flags":                  {"🇩🇪\u200D🇫🇷", "🇩🇪🇫🇷"},
	"a selector after a letter":               {"a\uFE0F", "a"},
	"a selector after a digit":                {"1\uFE0F2", "12"},
	"a selector at the start":                 {"\uFE0Fa", "a"},
	"two selectors":                           {"\u2764\uFE0F\uFE0F", "\u2764\uFE0F"},
	"a selector of ideographs after Latin":    {"a\U000E0100", "a"},
	"a selector of text after an ideograph":   {"辻\uFE0F", "辻"},
	"a selector of Mongolian after Latin":     {"a\u180B", "a"},
	"a Mongolian vowel separator":             {"ᠠ\u180Eᠨ", "ᠠᠨ"},
	"tags after a letter":                     {"a\U000E0068\U000E0069\U000E007F", "a"},
	"tags after another flag":                 {"🏳\U000E0067\U000E0062", "🏳"},
	"tags that are no flag":                   {"🏴\U000E0068\U000E0069\U000E007F", "🏴"},
	"tags that do not end":                    {"🏴\U000E0067\U000E0062\U000E0065", "🏴"},
	"a language tag":                          {"a\U000E0001\U000E0065", "a"},
	"a right-to-left override":                {"Ann\u202Egpj.exe", "Anngpj.exe"},
	"bidi isolates":                           {"\u2066Ann\u2069", "Ann"},
	"bidi marks":                              {"Ann\u200E\u200F\u061C", "Ann"},
	"a byte order mark":                       {"\uFEFFAnn", "Ann"},
	"a soft hyphen":                           {"An\u00ADn", "Ann"},
	"a word joiner and invisible operators":   {"A\u2060n\u2061\u2064n", "Ann"},
	"Hangul fillers":                          {"A\u3164n\uFFA0n\u115F\u1160", "Ann"},
	"Khmer inherent vowels":                   {"ក\u17B4\u17B5", "ក"},
	"a grapheme joiner":                       {"A\u034Fnn", "Ann"},
	"shorthand and musical format controls":   {"A\U0001BCA0n\U0001D173n", "Ann"},
	"unassigned characters that are ignored":  {"A\u2065n\U000E0FFFn", "Ann"},
	"a blank of braille":                      {"\u2800Ann\u2800Smith", "Ann Smith"},
	"a name of blanks":                        {"\u2800\u3000 \u00A0", ""},
	"a mark on nothing":                       {"\u0301Ann", "Ann"},
	"a mark on a space":                       {"Ann \u0301Smith", "Ann Smith"},
	"marks without end":                       {"Z\u0335\u0336" + strings.Repeat("\u0321\u0353\u0316", 20) + "a", "Z\u0335\u0336\u0321\u0353a"},
	"a non-joiner before a lone letter":       {"ب\u200Cء", "بء"},
	"the same mark again":                     {"a\u0332\u0332\u0332", "a\u0332"},
	"the same mark a hundred times":           {"Zalgo" + strings.Repeat("\u0301", 100), "Zalgó\u0301"},
	"the same enclosing mark again":           {"a\u20DD\u20DD", "a\u20DD"},
	"letters that combine after the cleaning": {"e\u200B\u0301", "é"},
	"letters that combine behind a joiner":    {"e\u200D\u0301", "é"},
	"spaces around what is removed":           {"Ann \u200D", "Ann"},
}

func TestCleanKeepsWhatALanguageNeeds(t *testing.T) {
	t.Parallel()
	for name, in := range kept {
		if got := text.Clean(in); got != norm.NFC.String(in) {
			t.Errorf("%s: Clean(%+q) = %+q, want it unchanged", name, in, got)
		}
	}
	for name, c := range changed {
		if got := text.Clean(c.in); got != c.want {
			t.Errorf("%s: Clean(%+q) = %+q, want %+q", name, c.in, got, c.want)
		}
	}
}

// A search finds a name with and without what it has of the invisible.
func TestFoldRemovesWhatIsInvisible(t *testing.T) {
	t.Parallel()
	for name, in := range kept {
		visible := strings.Map(func(r rune) rune {
			if hidden(r) {
				return -1
			}
			return r
		}, in)
		if got, want := text.Fold(in), text.Fold(visible); got != want {
			t.Errorf("%s: Fold(%+q) = %+q, and without the invisible %+q", name, in, got, want)
		}
	}
}

func hidden(r rune) bool {
	return unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// parts are what a hostile text is made of.
var parts = []string{
	"a", "é", "e\u0301", " ", "\n", "1", "#", "\u20E3", "\u0301", "\u0332", "\u0335", "ع", "ی", "ر", "\u0650", "क", "\u094D", "র", "\u09CD", "ষ", "ང", "\u0F92", "辻", "ᠠ",
	"\u200C", "\u200D", "\uFE0E", "\uFE0F", "\uFE00", "\u180B", "\u180E", "\U000E0100", "❤", "🔥", "👩", "🏽", "🏴", "🏳", "🇩", "🇪", "\U000E0067", "\U000E0062", "\U000E007F",
	"\u200B", "\u202E", "\uFEFF", "\u00AD", "\u3164", "\u2800", "\u034F", "\x00", "\xff", "ᄀ", "ᅡ", "\u1160", "\U0001E900",
}

func TestCleanedIsClean(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		checkClean(t, strings.Join(rapid.SliceOfN(rapid.SampledFrom(parts), 0, 14).Draw(t, "parts"), "")+rapid.String().Draw(t, "any"))
	})
}

// checkClean checks what holds of every text that is cleaned.
func checkClean(t interface {
	Errorf(format string, args ...any)
}, in string,
) {
	got := text.Clean(in)
	switch {
	case text.Clean(got) != got:
		t.Errorf("Clean(%+q) = %+q, and of that %+q", in, got, text.Clean(got))
	case !utf8.ValidString(got) || !norm.NFC.IsNormalString(got) || strings.TrimSpace(got) != got:
		t.Errorf("Clean(%+q) = %+q, want trimmed text in NFC", in, got)
	}
	visible := false
	for _, r := range got {
		visible = visible || !hidden(r)
		if unicode.IsControl(r) || hidden(r) && !strings.ContainsRune("\u200C\u200D", r) && !unicode.Is(unicode.Variation_Selector, r) && (r < 0xE0020 || r > 0xE007F) {
			t.Errorf("Clean(%+q) = %+q, want no %U", in, got, r)
		}
	}
	if got != "" && !visible {
		t.Errorf("Clean(%+q) = %+q, which shows nothing", in, got)
	}
	note, bad := text.Note(in)
	if again, badAgain := text.Note(note); bad == nil && (badAgain != nil || again != note) {
		t.Errorf("Note(%+q) = %+q, and of that %+q, %v", in, note, again, badAgain)
	}
}

func FuzzClean(f *testing.F) {
	for _, in := range kept {
		f.Add(in)
	}
	for _, c := range changed {
		f.Add(c.in)
	}
	f.Fuzz(func(t *testing.T, in string) { checkClean(t, in) })
}

func FuzzFold(f *testing.F) {
	for _, in := range append(parts, "Łukasz ŁUKASZ", "Weiß", "İstanbul", "ﬁn", "Ａｎｎ", "\xf1\xf1¹") {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		once := text.Fold(in)
		if again := text.Fold(once); again != once {
			t.Errorf("Fold(%+q) = %+q, and of that %+q", in, once, again)
		}
		for _, w := range text.Words(in) {
			if w == "" || !strings.Contains(once, w) {
				t.Errorf("Words(%+q) has %+q, which is not in %+q", in, w, once)
			}
		}
	})
}
