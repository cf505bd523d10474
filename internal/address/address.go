// Package address parses e-mail addresses. An address is shown as it was typed and
// compared by its normal form.
package address

import (
	"net/mail"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/norm"

	"github.com/convoke-dev/convoke/internal/fault"
)

// The longest address that fits a path, and the longest local part: RFC 5321,
// section 4.5.3.1, in octets.
const (
	maxLength = 254
	maxLocal  = 64
)

// Address is one mailbox.
type Address struct {
	// Typed is the address as it was typed, trimmed. It is shown, and mails are sent to
	// it.
	Typed string
	// Key is the normal form: lower case, the domain in ASCII. Two addresses
	// with one key are the same address.
	Key string
}

var (
	domains = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(true), idna.VerifyDNSLength(true))
	// identifiers allows all of ASCII, and letters, digits and their marks. It refuses
	// symbols, fillers and compatibility forms such as full-width letters (RFC 8264,
	// section 4.2).
	identifiers = precis.NewIdentifier(precis.Norm(norm.NFC))
	// lower is simple case folding for the characters of an address. It handles the
	// final sigma, does not turn ß into ss, and does not turn a Turkish İ into i.
	lower = strings.NewReplacer("İ", "i\u0307", "ς", "σ")
)

// Parse reads an address as typed into a form. It fails with BLANK for an empty one, and
// with INVALID_EMAIL for anything that is not one plain address. It also refuses an
// address that looks like another one: with invisible characters, or with letters of
// several scripts in one word; and the addresses of Erased. The error names the field.
func Parse(s string, field ...string) (Address, *fault.Error) {
	invalid := fault.Input(fault.InvalidEmail, "This is not an e-mail address.", field...)
	typed := norm.NFC.String(strings.TrimSpace(s))
	if typed == "" {
		return Address{}, fault.Input(fault.Blank, "An e-mail address is needed.", field...)
	}
	if len(typed) > maxLength || !utf8.ValidString(typed) || strings.ContainsFunc(typed, hidden) {
		return Address{}, invalid
	}
	// A bare address only: no name, no angle brackets, no comment, no quotes.
	if strings.ContainsAny(typed, `<>()[]\",;:`) {
		return Address{}, invalid
	}
	parsed, err := mail.ParseAddress(typed)
	if err != nil || parsed.Name != "" {
		return Address{}, invalid
	}
	at := strings.LastIndexByte(parsed.Address, '@')
	local, ok := normalLocal(parsed.Address[:at])
	domain, known := normalDomain(parsed.Address[at+1:])
	key := local + "@" + domain
	if !ok || !known || len(key) > maxLength || domain == nobodys {
		return Address{}, invalid
	}
	return Address{Typed: typed, Key: key}, nil
}

// normalLocal returns the normal form of the part before the @. Dots and the part after a
// plus are kept, because only some providers ignore them.
func normalLocal(s string) (string, bool) {
	key := norm.NFC.String(strings.ToLower(lower.Replace(s)))
	switch {
	case max(len(s), len(key)) > maxLocal:
		return "", false
	case strings.Contains(s, "=?"):
		// Some mail servers decode an encoded word (RFC 2047) even here, and
		// would deliver to another address.
		return "", false
	}
	return key, legible(key)
}

// normalDomain returns the ASCII form of a domain name of at least two labels.
func normalDomain(s string) (string, bool) {
	ascii, err := domains.ToASCII(s)
	top := ascii[strings.LastIndexByte(ascii, '.')+1:]
	// An all-numeric last label is an IP address, not a name.
	if err != nil || top == ascii || strings.Trim(top, "0123456789") == "" {
		return "", false
	}
	shown, err := domains.ToUnicode(ascii)
	if err != nil {
		return "", false
	}
	for label := range strings.SplitSeq(shown, ".") {
		if !legible(label) {
			return "", false
		}
	}
	// Punycode of nothing but ASCII decodes to a name that encodes differently.
	again, err := domains.ToASCII(shown)
	return ascii, err == nil && again == ascii
}

// legible reports whether s can be distinguished from others by its look.
func legible(s string) bool {
	if _, err := identifiers.String(s); err != nil {
		return false
	}
	base := false // whether there is a character that a mark can combine with
	for _, r := range s {
		if unicode.IsMark(r) && !base {
			return false
		}
		base = unicode.In(r, unicode.L, unicode.M)
	}
	// The second dot of these is drawn over the first.
	for _, dotted := range []string{"i\u0307", "j\u0307", "ı\u0307", "ȷ\u0307"} {
		if strings.Contains(s, dotted) {
			return false
		}
	}
	return oneScript(s)
}

// together lists the scripts that one word may mix: "highly restrictive" in UTS 39,
// section 5.2.
var together = [][]*unicode.RangeTable{
	{unicode.Latin, unicode.Han, unicode.Hiragana, unicode.Katakana},
	{unicode.Latin, unicode.Han, unicode.Bopomofo},
	{unicode.Latin, unicode.Han, unicode.Hangul},
}

// oneScript reports whether all letters belong to one script, or to scripts that may be
// mixed.
func oneScript(s string) bool {
	letters := strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Common, unicode.Inherited) {
			return -1
		}
		return r
	}, s)
	all := func(scripts []*unicode.RangeTable) bool {
		return !strings.ContainsFunc(letters, func(r rune) bool { return !unicode.In(r, scripts...) })
	}
	if slices.ContainsFunc(together, all) {
		return true
	}
	first, _ := utf8.DecodeRuneInString(letters)
	for _, script := range unicode.Scripts {
		if unicode.Is(script, first) {
			return all([]*unicode.RangeTable{script})
		}
	}
	return false
}

func hidden(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) ||
		unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// Mask hides most of an address. People who know the address still recognise it.
func Mask(typed string) string {
	local, domain, ok := strings.Cut(typed, "@")
	if !ok {
		return "•••"
	}
	first, _ := utf8.DecodeRuneInString(local)
	host, tld := domain, ""
	if dot := strings.LastIndexByte(domain, '.'); dot > 0 {
		host, tld = domain[:dot], domain[dot:]
	}
	initial, _ := utf8.DecodeRuneInString(host)
	return string(first) + "•••@" + string(initial) + "•••" + tld
}

// Domain returns a domain name in its normal form: lower case, ASCII, without
// a leading "*." or a final dot. INVALID_VALUE for anything else; the error
// names the field.
func Domain(s string, field ...string) (string, *fault.Error) {
	name := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(s), "*."), ".")
	ascii, ok := normalDomain(name)
	if !ok {
		return "", fault.Input(fault.InvalidValue, "This is not a domain name, such as example.com.", field...)
	}
	return ascii, nil
}
