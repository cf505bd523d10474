package auth

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"github.com/ccojocar/zxcvbn-go/frequency"
	"golang.org/x/sync/semaphore"
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

// Hasher hashes passwords, as many at the same time as the machine has processors, so
// that a burst of sign-ins cannot take all memory.
type Hasher struct {
	params argon2id.Params
	slots  *semaphore.Weighted
	common map[string]struct{}
	nobody string // what an empty hash is replaced by, so that it costs the same
	runs   atomic.Int64
}

// NewHasher returns a hasher of the given cost.
func NewHasher(params argon2id.Params) (*Hasher, error) {
	h := &Hasher{params: params, common: map[string]struct{}{}}
	h.slots = semaphore.NewWeighted(int64(runtime.GOMAXPROCS(0)))
	for _, p := range frequency.Lists["Passwords"].List {
		h.common[p] = struct{}{}
	}
	if len(h.common) < 3000 {
		return nil, fmt.Errorf("the list of common passwords has only %d", len(h.common))
	}
	var err error
	h.nobody, err = argon2id.CreateHash("nobody has this password", &h.params)
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

// Hash returns the password's hash in PHC form.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	var hash string
	err := h.inTurn(ctx, func() (err error) {
		hash, err = argon2id.CreateHash(normal(password), &h.params)
		return err
	})
	return hash, err
}

// Matches reports whether the hash is that of the password. An empty hash matches no
// password, and takes the same time.
func (h *Hasher) Matches(ctx context.Context, password, hash string) (bool, error) {
	against := hash
	if against == "" {
		against = h.nobody
	}
	var match bool
	err := h.inTurn(ctx, func() (err error) {
		match, err = argon2id.ComparePasswordAndHash(normal(password), against)
		return err
	})
	return match && hash != "", err
}

// Runs returns the number of hashes so far, the most expensive part of a sign-in. A test
// compares it for known and unknown addresses.
func (h *Hasher) Runs() int64 { return h.runs.Load() }

// inTurn runs f when a processor is free for it, or returns an error when ctx ends first.
func (h *Hasher) inTurn(ctx context.Context, f func() error) error {
	if err := h.slots.Acquire(ctx, 1); err != nil {
		return fmt.Errorf("wait for a turn to hash: %w", err)
	}
	defer h.slots.Release(1)
	h.runs.Add(1)
	return f()
}

// normal returns the password in Unicode form NFKC, because keyboards compose the same
// letters in different ways (NIST SP 800-63B, section 5.1.1.2).
func normal(password string) string { return norm.NFKC.String(password) }
