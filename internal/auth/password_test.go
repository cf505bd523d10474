package auth_test

import (
	"strings"
	"testing"

	"github.com/alexedwards/argon2id"

	"github.com/convoke-dev/convoke/internal/auth"
	"github.com/convoke-dev/convoke/internal/fault"
)

func cheapHasher(t *testing.T) *auth.Hasher {
	t.Helper()
	h, err := auth.NewHasher(argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestPasswordRules(t *testing.T) {
	t.Parallel()
	h := cheapHasher(t)
	for _, c := range []struct {
		name, password string
		want           fault.Code
	}{
		{"none", "", fault.Blank},
		{"seven characters", "q8#vT2z", fault.WeakPassword},
		{"eight characters", "q8#vT2z!", ""},
		{"seven characters of many bytes", "ありがとうです", fault.WeakPassword},
		{"eight characters of many bytes", "ありがとうですね", ""},
		{"sixty-four characters", strings.Repeat("q8#vT2z!", 8), ""},
		{"spaces", "correct horse battery staple", ""},
		{"emoji", "🐎🔋📎🐎🔋📎🐎🔋", ""},
		{"common", "password1", fault.WeakPassword},
		{"common with digits", "password123", fault.WeakPassword},
		{"common in capitals", "PASSWORD1", fault.WeakPassword},
		{"invalid UTF-8", "q8#vT2z!\xff", fault.WeakPassword},
		{"far too long", strings.Repeat("x", 2000), fault.WeakPassword},
		{"the longest", strings.Repeat("x", 1024), ""},
		{"a byte longer", strings.Repeat("x", 1025), fault.WeakPassword},
		{"a common word of six letters with digits", "dragon48151623", fault.WeakPassword},
		{"the digits first", "48151623dragon", ""},
		{"a common word of four letters with digits", "love48151623", ""},
		{"eight letters by composition, seven characters", "q8#vT2e\u0301", fault.WeakPassword},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := h.Check(c.password, "password")
			switch {
			case c.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.want != "" && (err == nil || err.Code != c.want || err.Field[0] != "password"):
				t.Errorf("got %v, want %s of password", err, c.want)
			}
		})
	}
}

func TestPasswordsThatDifferLateAreNotEqual(t *testing.T) {
	t.Parallel()
	h := cheapHasher(t)
	long := strings.Repeat("x", 72)
	hash, err := h.Hash(t.Context(), long+"a")
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := h.Matches(t.Context(), long+"b", hash); ok || err != nil {
		t.Errorf("a password that differs in byte 73 matches: %t, %v", ok, err)
	}
	if ok, err := h.Matches(t.Context(), long+"a", hash); !ok || err != nil {
		t.Errorf("the password itself matches: %t, %v", ok, err)
	}
}

func TestAPasswordIsTheSameHoweverAKeyboardComposesIt(t *testing.T) {
	t.Parallel()
	h := cheapHasher(t)
	hash, err := h.Hash(t.Context(), "Caf\u00e9 au lait")
	if err != nil {
		t.Fatal(err)
	}
	for typed, want := range map[string]bool{"Caf\u00e9 au lait": true, "Cafe\u0301 au lait": true, "Cafe au lait": false, "caf\u00e9 au lait": false} {
		if ok, err := h.Matches(t.Context(), typed, hash); ok != want || err != nil {
			t.Errorf("%q matches: %t, %v, want %t", typed, ok, err, want)
		}
	}
}

func TestNoHashMatchesNothing(t *testing.T) {
	t.Parallel()
	h := cheapHasher(t)
	if ok, err := h.Matches(t.Context(), "nobody has this password", ""); ok || err != nil {
		t.Errorf("an empty hash matches: %t, %v", ok, err)
	}
}
