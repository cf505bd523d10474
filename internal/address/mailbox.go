package address

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// Mailbox returns the key of the mailbox that mail to an address most likely reaches,
// whatever its tag: ann+shop@x.org reaches ann@x.org, and Gmail ignores dots too. It is
// only for refusing: two addresses with one mailbox are still two people for everything
// else.
func Mailbox(key string) string {
	at := strings.LastIndexByte(key, '@')
	if at < 0 {
		return key
	}
	local, domain := key[:at], key[at+1:]
	if plain, _, _ := strings.Cut(local, "+"); plain != "" {
		local = plain
	}
	if domain == "gmail.com" || domain == "googlemail.com" {
		local, domain = strings.ReplaceAll(local, ".", ""), "gmail.com"
	}
	return local + "@" + domain
}

// Hash returns a text by which a table recognises an address without having it. It keeps
// an address from being read or searched, and not from being guessed.
func Hash(key string) string {
	sum := sha256.Sum256([]byte("convoke address v1\x00" + key))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
