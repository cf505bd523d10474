// Package token creates the secrets that Convoke hands out, and the hashes by which it
// recognises them. No secret is stored. A session token is random, and only its hash is
// stored. The token in a mail is derived from the server's key, so that a worker can
// compose the same mail again after a crash.
package token

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash/crc32"
	"net/url"
	"strings"
	"unicode"
)

// Kind is the purpose of a token. A token of one kind is invalid for another.
type Kind string

// The purposes of derived tokens.
const (
	Invitation   Kind = "invitation"
	Verification Kind = "verification"
	Reset        Kind = "reset"
	// A change of address has two tokens, one for each address.
	OldAddress Kind = "old address"
	NewAddress Kind = "new address"
)

// MinKeyBytes is the shortest secret key that is accepted.
const MinKeyBytes = 32

// Hash returns the SHA-256 of a token, which the database stores. A token has 256 bits, so
// that neither salt nor a slow hash would add security. What people typed or pasted is
// cleaned first, so every place that takes a token finds it alike.
func Hash(token string) []byte {
	sum := sha256.Sum256([]byte(Clean(token)))
	return sum[:]
}

// Clean returns the token in what somebody typed or pasted. It drops white space,
// invisible characters and percent signs, which a token never has, also inside of it, where
// a mail program has wrapped the line; brackets, quotes and stops around it; and, of a whole
// link, all before the fragment. What is clean is returned as it is.
func Clean(typed string) string {
	if !strings.ContainsFunc(typed, foreign) {
		return typed
	}
	if plain, err := url.PathUnescape(typed); err == nil {
		typed = plain // of a link from an address bar
	}
	typed = strings.Map(func(r rune) rune {
		if r == '%' || unicode.IsSpace(r) || unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point) {
			return -1
		}
		return r
	}, typed)
	return strings.Trim(typed[strings.LastIndexByte(typed, '#')+1:], "<>()[]{}\"'`.,;:!?")
}

// foreign reports whether the character is in no token.
func foreign(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
}

// Random returns a new token of 256 bits after the prefix, by which secret scanners
// recognise it.
func Random(prefix string) string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return prefix + base64.RawURLEncoding.EncodeToString(b[:])
}

// APIKey begins every secret of an API key. Secret scanners know it by
// cvk_[A-Za-z0-9_-]{43}[A-Za-z0-9]{6}, and by IsChecked.
const APIKey = "cvk_"

// checksumLength is how many digits a checksum has: enough for 32 bits in base 62.
const checksumLength = 6

// Checked returns a new token as Random does, with a checksum at its end, by which a secret
// scanner tells it from a text that only looks like one.
func Checked(prefix string) string {
	t := Random(prefix)
	return t + checksum(t)
}

// IsChecked reports whether the text has the prefix and the right checksum.
func IsChecked(prefix, t string) bool {
	at := len(t) - checksumLength
	return strings.HasPrefix(t, prefix) && at > len(prefix) && t[at:] == checksum(t[:at])
}

// checksum is the CRC-32 (IEEE) of the text in base 62, of digits, capitals and small
// letters.
func checksum(of string) string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	var out [checksumLength]byte
	for n, i := crc32.ChecksumIEEE([]byte(of)), checksumLength-1; i >= 0; i-- {
		out[i] = digits[n%62]
		n /= 62
	}
	return string(out[:])
}

// Deriver derives tokens from the server's secret keys.
type Deriver struct {
	keys [][]byte
}

// NewDeriver returns a deriver for the current key, followed by the older keys whose mails
// may not have been sent yet.
func NewDeriver(keys ...[]byte) (*Deriver, error) {
	if len(keys) == 0 {
		return nil, errors.New("no secret key")
	}
	for _, k := range keys {
		if len(k) < MinKeyBytes {
			return nil, fmt.Errorf("a secret key has %d bytes, at least %d are needed", len(k), MinKeyBytes)
		}
	}
	return &Deriver{keys: keys}, nil
}

// Derive returns the token for the id and generation, by the current key.
func (d *Deriver) Derive(k Kind, id string, generation int) string {
	return derive(d.keys[0], k, id, generation)
}

// Rederive returns the token whose stored hash is the given one, by the key that it was
// derived with. It fails when the server does not have that key any more.
func (d *Deriver) Rederive(k Kind, id string, generation int, hash []byte) (string, error) {
	for _, key := range d.keys {
		if t := derive(key, k, id, generation); hmac.Equal(Hash(t), hash) {
			return t, nil
		}
	}
	return "", fmt.Errorf("the secret key of %s's token is not among this server's keys", id)
}

func derive(key []byte, k Kind, id string, generation int) string {
	mac := hmac.New(sha256.New, key)
	mac.Write(fmt.Appendf(nil, "convoke token v1\x00%s\x00%s\x00%d", k, id, generation))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
