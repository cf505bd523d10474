package address_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/convoke-dev/convoke/internal/address"
	"github.com/convoke-dev/convoke/internal/fault"
)

func TestParseNormalises(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 64) + "@" + strings.Repeat(strings.Repeat("x", 62)+".", 2) + strings.Repeat("x", 59) + ".org"
	for name, c := range map[string]struct{ in, typed, key string }{
		"as it is":                           {"ann@x.org", "ann@x.org", "ann@x.org"},
		"upper case":                         {"Ann@X.ORG", "Ann@X.ORG", "ann@x.org"},
		"spaces around it":                   {"  ann@x.org \t", "ann@x.org", "ann@x.org"},
		"a line break behind it":             {"ann@x.org\r\n", "ann@x.org", "ann@x.org"},
		"no-break spaces around it":          {"\u00A0ann@x.org\u00A0", "ann@x.org", "ann@x.org"},
		"an ideographic space before it":     {"\u3000ann@x.org", "ann@x.org", "ann@x.org"},
		"a tag is kept":                      {"ann+tag@x.org", "ann+tag@x.org", "ann+tag@x.org"},
		"dots are kept, at gmail too":        {"A.n.n@gmail.com", "A.n.n@gmail.com", "a.n.n@gmail.com"},
		"digits alone":                       {"007@x.org", "007@x.org", "007@x.org"},
		"every sign ASCII allows":            {"a!#$%&'*+-/?=^_`{|}~@x.org", "a!#$%&'*+-/?=^_`{|}~@x.org", "a!#$%&'*+-/?=^_`{|}~@x.org"},
		"a single letter":                    {"a@b.cd", "a@b.cd", "a@b.cd"},
		"a subdomain":                        {"ann@a.b.c.x.org", "ann@a.b.c.x.org", "ann@a.b.c.x.org"},
		"a hyphen in the domain":             {"ann@x-y.org", "ann@x-y.org", "ann@x-y.org"},
		"a domain of digits":                 {"ann@163.com", "ann@163.com", "ann@163.com"},
		"an international domain":            {"ann@bücher.example", "ann@bücher.example", "ann@xn--bcher-kva.example"},
		"an international domain in capital": {"Ann@BÜCHER.example", "Ann@BÜCHER.example", "ann@xn--bcher-kva.example"},
		"the same in punycode":               {"ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example"},
		"the same in punycode, in capitals":  {"ann@XN--BCHER-KVA.example", "ann@XN--BCHER-KVA.example", "ann@xn--bcher-kva.example"},
		"an international top level":         {"ann@пример.рф", "ann@пример.рф", "ann@xn--e1afmkfd.xn--p1ai"},
		"an Arabic domain":                   {"ann@مثال.إختبار", "ann@مثال.إختبار", "ann@xn--mgbh0fb.xn--kgbechtv"},
		"a full-width domain":                {"ann@ｘ.org", "ann@ｘ.org", "ann@x.org"},
		"an ideographic full stop":           {"ann@例え。jp", "ann@例え。jp", "ann@xn--r8jz45g.jp"},
		"a sharp s in the domain":            {"ann@faß.de", "ann@faß.de", "ann@xn--fa-hia.de"},
		"a final sigma in the domain":        {"ann@βόλος.com", "ann@βόλος.com", "ann@xn--nxasmm1c.com"},
		"umlauts":                            {"JÖRG@x.org", "JÖRG@x.org", "jörg@x.org"},
		"composed":                           {"Am\u00E9lie@x.org", "Am\u00E9lie@x.org", "am\u00E9lie@x.org"},
		"decomposed":                         {"Ame\u0301lie@x.org", "Am\u00E9lie@x.org", "am\u00E9lie@x.org"},
		"a decomposed domain":                {"ann@bu\u0308cher.example", "ann@bücher.example", "ann@xn--bcher-kva.example"},
		"a Kelvin sign is a K":               {"\u212Aarl@x.org", "Karl@x.org", "karl@x.org"},
		"a sharp s is not ss":                {"Strauß@x.org", "Strauß@x.org", "strauß@x.org"},
		"a capital sharp s":                  {"STRAU\u1E9E@x.org", "STRAU\u1E9E@x.org", "strauß@x.org"},
		"a final sigma":                      {"νικος@x.org", "νικος@x.org", "νικοσ@x.org"},
		"a capital sigma at the end":         {"ΝΙΚΟΣ@x.org", "ΝΙΚΟΣ@x.org", "νικοσ@x.org"},
		"a Turkish dotless i":                {"ırmak@x.org", "ırmak@x.org", "ırmak@x.org"},
		"a Turkish name in capitals":         {"IRMAK@x.org", "IRMAK@x.org", "irmak@x.org"},
		"Cyrillic":                           {"Иван.2@пример.рф", "Иван.2@пример.рф", "иван.2@xn--e1afmkfd.xn--p1ai"},
		"Hebrew":                             {"דוד@x.org", "דוד@x.org", "דוד@x.org"},
		"Devanagari, with its marks":         {"हिन्दी@x.org", "हिन्दी@x.org", "हिन्दी@x.org"},
		"Japanese mixes four":                {"kana-かなカナ漢字@x.org", "kana-かなカナ漢字@x.org", "kana-かなカナ漢字@x.org"},
		"Korean mixes three":                 {"lee-이李@x.org", "lee-이李@x.org", "lee-이李@x.org"},
		"the longest there is":               {long, long, long},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := address.Parse(c.in, "email")
			if err != nil || got.Key != c.key || got.Typed != c.typed {
				t.Errorf("Parse(%q) = %+q, %v, want %+q, %+q", c.in, got, err, c.typed, c.key)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"no @":                                  "ann",
		"nothing but @":                         "@",
		"no local part":                         "@x.org",
		"no domain":                             "ann@",
		"a domain of one label":                 "ann@x",
		"two @":                                 "a@b@c.org",
		"a space inside":                        "ann @x.org",
		"a no-break space inside":               "an\u00A0n@x.org",
		"two addresses":                         "ann@x.org,bob@x.org",
		"two addresses, a semicolon":            "ann@x.org;bob@x.org",
		"a name":                                "Ann <ann@x.org>",
		"angle brackets":                        "<ann@x.org>",
		"a comment":                             "ann(comment)@x.org",
		"a comment behind the domain":           "ann@x.org (Ann)",
		"a group":                               "all: ann@x.org;",
		"a quoted local part":                   `"ann"@x.org`,
		"a quoted space":                        `"a b"@x.org`,
		"a quoted @":                            `"a@b"@x.org`,
		"a backslash":                           `a\b@x.org`,
		"a URL":                                 "mailto:ann@x.org",
		"a leading dot":                         ".ann@x.org",
		"a trailing dot in the local part":      "ann.@x.org",
		"two dots in the local part":            "a..n@x.org",
		"a trailing dot":                        "ann@x.org.",
		"a leading dot in the domain":           "ann@.x.org",
		"two dots in the domain":                "ann@x..org",
		"a hyphen at a label's start":           "ann@-x.org",
		"a hyphen at a label's end":             "ann@x-.org",
		"an underscore in the domain":           "ann@x_y.org",
		"an IP literal":                         "ann@[127.0.0.1]",
		"an IPv6 literal":                       "ann@[IPv6:::1]",
		"a bare IP address":                     "ann@127.0.0.1",
		"a numeric top level":                   "ann@x.123",
		"a full-width @":                        "ann＠x.org",
		"full-width letters before the @":       "ａｎｎ@x.org",
		"a ligature":                            "ﬁnn@x.org",
		"a superscript":                         "ann²@x.org",
		"a long s":                              "ſam@x.org",
		"a zero-width space":                    "ann\u200B@x.org",
		"a zero-width space at the end":         "ann@x.org\u200B",
		"a byte order mark":                     "\uFEFFann@x.org",
		"a zero-width joiner in the domain":     "ann@x\u200Dy.org",
		"a soft hyphen in the domain":           "ann@x\u00ADy.org",
		"a right-to-left override":              "ann\u202E@x.org",
		"a right-to-left mark":                  "ann\u200F@x.org",
		"a bidi isolate":                        "\u2066ann\u2069@x.org",
		"a variation selector in the domain":    "ann@x\uFE0F.org",
		"a filler":                              "ann\u3164@x.org",
		"a grapheme joiner":                     "an\u034Fn@x.org",
		"a NUL":                                 "ann\x00@x.org",
		"a DEL":                                 "ann\x7F@x.org",
		"a tab inside":                          "an\tn@x.org",
		"CR LF and a header":                    "ann@x.org\r\nBcc: b@x.org",
		"a bare LF":                             "ann\n@x.org",
		"a line separator":                      "ann\u2028@x.org",
		"invalid UTF-8":                         "a\xFF@x.org",
		"an encoded word":                       "=?utf-8?q?bob=40y.org=3e?=@x.org",
		"an emoji":                              "😀@x.org",
		"an emoji domain":                       "ann@😀.org",
		"a private character":                   "ann\uE000@x.org",
		"a mark on nothing":                     "\u0301nn@x.org",
		"a mark on a dot":                       "a.\u0301n@x.org",
		"a Turkish capital İ is no i":           "İnfo@x.org",
		"an i with a dot too many":              "i\u0307nfo@x.org",
		"a dotless i with a dot":                "ı\u0307nfo@x.org",
		"a Cyrillic а among Latin":              "аnn@x.org",
		"a Greek ο among Latin":                 "bοb@x.org",
		"Latin among Hebrew":                    "דוד.ann@x.org",
		"Greek among Cyrillic":                  "иванος@x.org",
		"a Cyrillic а in a Latin domain":        "ann@аpple.com",
		"the same in punycode":                  "ann@xn--pple-43d.com",
		"punycode of nothing":                   "ann@xn--.org",
		"punycode that is none":                 "ann@xn--0.org",
		"punycode of ASCII":                     "ann@xn--ann-.org",
		"punycode of a capital":                 "ann@xn--u-ccb.com",
		"punycode that is disallowed":           "ann@xn--a-ecp.ru",
		"hyphens in third and fourth place":     "ann@ab--cd.org",
		"a local part too long":                 strings.Repeat("a", 65) + "@x.org",
		"a local part too long in lower case":   strings.Repeat("\u023A", 32) + "@x.org",
		"a label too long":                      "ann@" + strings.Repeat("x", 64) + ".org",
		"a domain too long":                     "a@" + strings.Repeat("x.", 126) + "org",
		"an address too long":                   strings.Repeat("a", 64) + "@" + strings.Repeat(strings.Repeat("x", 62)+".", 2) + strings.Repeat("x", 60) + ".org",
		"an address too long in punycode":       strings.Repeat("a", 60) + "@" + strings.Repeat("ü.", 24) + "org",
		"a label too long only in punycode":     "ann@一凞喼妚嵸慖攴椒泰烎璬碊籨聆萤蠂诠达鎜靺魘.org",
		"spaces that are as long as an address": strings.Repeat(" ", 300) + "ann@x",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, err := address.Parse(in, "email"); err == nil || err.Code != fault.InvalidEmail || len(err.Field) != 1 || err.Field[0] != "email" {
				t.Errorf("Parse(%q) = %+q, %v, want INVALID_EMAIL of email", in, got, err)
			}
		})
	}
	for _, in := range []string{"", " ", "\r\n\t", "\u00A0\u3000"} {
		if _, err := address.Parse(in, "email"); err == nil || err.Code != fault.Blank {
			t.Errorf("Parse(%q): %v, want BLANK", in, err)
		}
	}
}

func TestParseKeepsApart(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]string{
		{"ann@x.org", "ann+tag@x.org"},
		{"ann@gmail.com", "a.nn@gmail.com"},
		{"ann@gmail.com", "ann@googlemail.com"},
		{"strauß@x.org", "strauss@x.org"},
		{"ann@faß.de", "ann@fass.de"},
		{"ırmak@x.org", "irmak@x.org"},
		{"andré@x.org", "andre@x.org"},
		{"ann@bücher.example", "ann@bucher.example"},
		{"муха@x.org", "myxa@x.org"},
	} {
		a, badA := address.Parse(pair[0])
		b, badB := address.Parse(pair[1])
		if badA != nil || badB != nil || a.Key == b.Key {
			t.Errorf("%q and %q: keys %q and %q, %v, %v; want two", pair[0], pair[1], a.Key, b.Key, badA, badB)
		}
	}
}

func TestDomain(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"x.org": "x.org", "*.X.org.\n": "x.org", "BÜCHER.example": "xn--bcher-kva.example", "xn--bcher-kva.example": "xn--bcher-kva.example",
		"": "", "org": "", "127.0.0.1": "", "x..org": "", "*": "", "x.org/y": "", "x.org:80": "", "аpple.com": "", "x\u200B.org": "x.org",
	} {
		got, err := address.Domain(in, "domain")
		if got != want || (err == nil) != (want != "") {
			t.Errorf("Domain(%q) = %q, %v, want %q", in, got, err, want)
		}
	}
}

func TestMaskHidesTheAddress(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"olivia@acme.test":      "o•••@a•••.test",
		"o@a.test":              "o•••@a•••.test",
		"olivia@mail.acme.test": "o•••@m•••.test",
		"olivia@localhost":      "o•••@l•••",
		"Ünal@Österreich.at":    "Ü•••@Ö•••.at",
		"olivia":                "•••",
		"":                      "•••",
	} {
		if got := address.Mask(typed); got != want {
			t.Errorf("Mask(%q): got %q, want %q", typed, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, in := range []string{
		"ann@x.org", " Ann@BÜCHER.example ", "İ@x.org", "ΝΙΚΟΣ@βόλος.com", "a@b@c", `"a b"@x.org`, "ann@xn--bcher-kva.example", "Ame\u0301lie@x.org",
		"\u1E9E@x.org", "\u212A@x.org", "\u023A@x.org", "דוד@x.org", "かなカナ漢字@例え。jp", "ann\u200B@x.org", "=?utf-8?q?a?=@x.org", "ann@xn--ann-.org", "a\xFF@x.org",
	} {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, bad := address.Parse(in)
		if bad != nil {
			if got != (address.Address{}) {
				t.Fatalf("Parse(%q) = %+q beside %v", in, got, bad)
			}
			return
		}
		if again, bad := address.Parse(got.Key); bad != nil || again.Key != got.Key || again.Typed != got.Key {
			t.Errorf("Parse(%q) has the key %q, and that %+q, %v", in, got.Key, again, bad)
		}
		if again, bad := address.Parse(got.Typed); bad != nil || again != got {
			t.Errorf("Parse(%q) = %+q, and of what is shown %+q, %v", in, got, again, bad)
		}
		if len(got.Key) > 254 || len(got.Typed) > 254 || strings.ToLower(got.Key) != got.Key || strings.Count(got.Key, "@") != 1 {
			t.Errorf("Parse(%q) = %+q, want one address in lower case, at most 254 bytes", in, got)
		}
		both := got.Key + got.Typed
		if !utf8.ValidString(both) || !norm.NFC.IsNormalString(got.Key) || strings.ContainsFunc(both, func(r rune) bool {
			return !unicode.IsGraphic(r) || unicode.IsSpace(r) || unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
		}) {
			t.Errorf("Parse(%q) = %+q, which hides something", in, got)
		}
		if _, domain, _ := strings.Cut(got.Key, "@"); strings.ContainsFunc(domain, func(r rune) bool { return r > unicode.MaxASCII }) {
			t.Errorf("Parse(%q) has the key %q, want its domain in ASCII", in, got.Key)
		}
		if box := address.Mailbox(got.Key); address.Mailbox(box) != box {
			t.Errorf("Mailbox(%q) = %q, and of that %q", got.Key, box, address.Mailbox(box))
		}
		if masked := address.Mask(got.Typed); !utf8.ValidString(masked) || strings.Count(masked, "•••") != 2 {
			t.Errorf("Mask(%q) = %q", got.Typed, masked)
		}
	})
}

func FuzzDomain(f *testing.F) {
	for _, in := range []string{"example.com", "*.Example.COM.", "bücher.example", "xn--bcher-kva.example", "*.*.x.org", "x.org..", "127.0.0.1", "a.b\xff", "例え。jp", "a\u200Bb.org", "."} {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, bad := address.Domain(in, "domain")
		if bad != nil {
			if got != "" || bad.Code != fault.InvalidValue {
				t.Errorf("Domain(%q) = %q beside %v", in, got, bad)
			}
			return
		}
		if again, bad := address.Domain(got); bad != nil || again != got || len(got) > 253 {
			t.Errorf("Domain(%q) = %q, and of that %q, %v", in, got, again, bad)
		}
		if a, bad := address.Parse("ann@" + got); bad != nil || a.Key != "ann@"+got {
			t.Errorf("Domain(%q) = %q, and an address there is %+v, %v", in, got, a, bad)
		}
	})
}
