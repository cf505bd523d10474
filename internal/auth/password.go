package auth

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"github.com/ccojocar/zxcvbn-go/frequency"
	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"github.com/convoke-dev/convoke/internal/fault"
)

const (
	// MinPassword is the shortest password, in characters (NIST SP 800-63B,
	// section 5.1.1.2).
	MinPassword = 8
	// maxPassword is the longest password, in bytes. It bounds the time of a hash.
	maxPassword = 1024
	// shortestWord is the length from which a common word with digits after it is a
	// common password.
	shortestWord = 5
)

// Params is the default cost of a password hash: 19 MiB and two passes
// (OWASP password storage, Argon2id).
var Params = argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// Hasher hashes passwords, a few at the same time: see Turns.
type Hasher struct {
	Turns *Turns

	params argon2id.Params
	common map[string]struct{}
	nobody phc // what an empty hash is replaced by, so that it costs the same
	runs   atomic.Int64
}

// NewHasher returns a hasher of the given cost.
func NewHasher(params argon2id.Params) (*Hasher, error) {
	h := &Hasher{Turns: turnsOfMachine(), params: params, common: map[string]struct{}{}}
	for _, p := range frequency.Lists["Passwords"].List {
		h.common[p] = struct{}{}
	}
	if len(h.common) < 3000 {
		return nil, fmt.Errorf("the list of common passwords has only %d", len(h.common))
	}
	nobody, err := argon2id.CreateHash("nobody has this password", &h.params)
	if err == nil {
		h.nobody, err = parse(nobody)
	}
	return h, err
}

// Check returns BLANK for an empty password, WEAK_PASSWORD for one that is too short, too
// long, common or no valid UTF-8. The error names the field.
func (h *Hasher) Check(password string, field ...string) *fault.Error {
	weak := func(message string) *fault.Error { return fault.Input(fault.WeakPassword, message, field...) }
	switch {
	case password == "":
		return fault.Input(fault.Blank, "A password is needed.", field...)
	case !utf8.ValidString(password):
		return weak("The password is not valid text.")
	case utf8.RuneCountInString(normal(password)) < MinPassword:
		return weak(fmt.Sprintf("The password must have at least %d characters.", MinPassword))
	case len(password) > maxPassword:
		return weak(fmt.Sprintf("The password must have at most %d bytes.", maxPassword))
	}
	if h.isCommon(strings.ToLower(normal(password))) {
		return weak("This password is among the most common ones; choose another.")
	}
	return nil
}

// isCommon reports whether the password is on the list, or is a word of the list followed
// by digits.
func (h *Hasher) isCommon(password string) bool {
	if _, listed := h.common[password]; listed {
		return true
	}
	word := strings.TrimRight(password, "0123456789")
	_, listed := h.common[word]
	return listed && len(word) >= shortestWord
}

// Hash returns the password's hash in PHC form. It fails like Turns.Take.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	var hash string
	err := h.inTurn(ctx, func() (err error) {
		h.runs.Add(1)
		hash, err = argon2id.CreateHash(normal(password), &h.params)
		return err
	})
	return hash, err
}

// HashBeside is Hash with the salt and the cost of another hash of the same person, so that
// Which compares a password with both by one hash. For an empty other it is Hash.
func (h *Hasher) HashBeside(ctx context.Context, password, other string) (string, error) {
	if other == "" {
		return h.Hash(ctx, password)
	}
	like, err := parse(other)
	if err != nil {
		return "", err
	}
	err = h.inTurn(ctx, func() error {
		like.key = h.key(password, like)
		return nil
	})
	return like.String(), err
}

// Matches reports whether the hash is that of the password. An empty hash matches no
// password, and takes the same time. It fails like Turns.Take.
func (h *Hasher) Matches(ctx context.Context, password, hash string) (bool, error) {
	n, err := h.Which(ctx, password, hash)
	return n == 0, err
}

// Which returns the index of the first hash that is the password's, or -1. An empty hash
// matches no password. It costs one hash, also when all are empty, and one more for each
// other salt among them. It fails like Turns.Take.
func (h *Hasher) Which(ctx context.Context, password string, hashes ...string) (n int, err error) {
	n = -1
	err = h.inTurn(ctx, func() error {
		done := map[string][]byte{} // the password's keys, by salt and cost
		for i, hash := range hashes {
			if hash == "" {
				continue
			}
			like, err := parse(hash)
			if err != nil {
				return err
			}
			key, known := done[like.prefix()]
			if !known {
				key = h.key(password, like)
				done[like.prefix()] = key
			}
			if subtle.ConstantTimeCompare(key, like.key) == 1 {
				n = i
				return nil
			}
		}
		if len(done) == 0 {
			h.key(password, h.nobody)
		}
		return nil
	})
	return n, err
}

// key costs one hash.
func (h *Hasher) key(password string, like phc) []byte {
	h.runs.Add(1)
	p := like.params
	return argon2.IDKey([]byte(normal(password)), like.salt, p.Iterations, p.Memory, p.Parallelism, p.KeyLength)
}

// phc is a hash in its parts.
type phc struct {
	params    *argon2id.Params
	salt, key []byte
}

func parse(hash string) (p phc, err error) {
	if p.params, p.salt, p.key, err = argon2id.DecodeHash(hash); err != nil {
		return p, fmt.Errorf("read a stored hash: %w", err)
	}
	return p, nil
}

// prefix returns everything but the key.
func (p phc) prefix() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$", argon2.Version,
		p.params.Memory, p.params.Iterations, p.params.Parallelism, base64.RawStdEncoding.EncodeToString(p.salt))
}

func (p phc) String() string { return p.prefix() + base64.RawStdEncoding.EncodeToString(p.key) }

// Runs returns the number of hashes so far, the most expensive part of a sign-in. A test
// compares it for known and unknown addresses.
func (h *Hasher) Runs() int64 { return h.runs.Load() }

// inTurn runs f when it has a turn.
func (h *Hasher) inTurn(ctx context.Context, f func() error) error {
	done, err := h.Turns.Take(ctx)
	if err != nil {
		return err
	}
	defer done()
	return f()
}

// normal returns the password in Unicode form NFKC, because keyboards compose the same
// letters in different ways (NIST SP 800-63B, section 5.1.1.2).
func normal(password string) string { return norm.NFKC.String(password) }
