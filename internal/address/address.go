// Package address reads e-mail addresses: what is shown is what was typed,
// what is compared is its normal form.
package address

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"github.com/convoke-dev/convoke/internal/fault"
)

// maxLength is the longest address that fits a path of RFC 5321, section
// 4.5.3.1.3, in octets.
const maxLength = 254

// maxLocal is the longest local part, RFC 5321, section 4.5.3.1.1.
const maxLocal = 64

// Address is one mailbox.
type Address struct {
	// Typed is the address as it was typed, trimmed: shown and mailed to.
	Typed string
	// Key is the normal form: lower case, the domain in ASCII. Two addresses
	// with one key are the same address.
	Key string
}

var domains = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(true), idna.VerifyDNSLength(true))

// Parse reads an address as typed into a form. BLANK when there is nothing,
// INVALID_EMAIL for anything that is not one plain address; the error names
// the field.
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
	local, domain := parsed.Address[:at], parsed.Address[at+1:]
	ascii, err := domains.ToASCII(domain)
	if err != nil || len(local) > maxLocal || !strings.Contains(ascii, ".") || strings.HasSuffix(ascii, ".") {
		return Address{}, invalid
	}
	key := strings.ToLower(local) + "@" + ascii
	if len(key) > maxLength {
		return Address{}, invalid
	}
	return Address{Typed: typed, Key: key}, nil
}

func hidden(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
}

// Mask hides most of an address, for somebody who may only recognise it.
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
	ascii, err := domains.ToASCII(name)
	if err != nil || ascii == "" || !strings.Contains(ascii, ".") || len(ascii) > maxLength {
		return "", fault.Input(fault.InvalidValue, "This is not a domain name, such as example.com.", field...)
	}
	return ascii, nil
}
