package token_test

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/internal/token"
)

func TestRandomTokensAreLongAndUnique(t *testing.T) {
	t.Parallel()
	const n = 100_000
	seen := make(map[string]bool, n)
	for range n {
		tok := token.Random("x_")
		if seen[tok] {
			t.Fatal("a token came twice")
		}
		seen[tok] = true
		if raw, err := base64.RawURLEncoding.DecodeString(tok[2:]); err != nil || len(raw) != 32 {
			t.Fatalf("a token decodes to %d bytes, %v; want 32", len(raw), err)
		}
	}
}

func TestDerivedTokensDifferInEveryPart(t *testing.T) {
	t.Parallel()
	d := deriver(t, 'a')
	base := d.Derive(token.Invitation, "inv_1", 1)
	if again := d.Derive(token.Invitation, "inv_1", 1); again != base {
		t.Error("the same derivation gave another token")
	}
	for name, other := range map[string]string{
		"kind":       d.Derive(token.Verification, "inv_1", 1),
		"id":         d.Derive(token.Invitation, "inv_2", 1),
		"generation": d.Derive(token.Invitation, "inv_1", 2),
		"key":        deriver(t, 'b').Derive(token.Invitation, "inv_1", 1),
	} {
		if other == base {
			t.Errorf("another %s gave the same token", name)
		}
	}
}

func TestRederiveFindsTheOlderKey(t *testing.T) {
	t.Parallel()
	want := deriver(t, 'a').Derive(token.Invitation, "inv_1", 1)
	got, err := deriver(t, 'b', 'a').Rederive(token.Invitation, "inv_1", 1, token.Hash(want))
	if err != nil || got != want {
		t.Errorf("Rederive with the older key: %v, same token %t; want the same token", err, got == want)
	}
	if _, err := deriver(t, 'b').Rederive(token.Invitation, "inv_1", 1, token.Hash(want)); err == nil {
		t.Error("Rederive without the key succeeded")
	}
}

func TestShortKeysAreRefused(t *testing.T) {
	t.Parallel()
	if _, err := token.NewDeriver(make([]byte, token.MinKeyBytes-1)); err == nil {
		t.Error("a key of 31 bytes was accepted")
	}
}

func deriver(t testing.TB, letters ...byte) *token.Deriver {
	t.Helper()
	var keys [][]byte
	for _, l := range letters {
		keys = append(keys, bytes.Repeat([]byte{l}, token.MinKeyBytes))
	}
	d, err := token.NewDeriver(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// pasted are the ways in which people paste a token, with TOKEN in its place.
var pasted = []string{
	"TOKEN", " TOKEN ", "TOKEN\n", "\r\n\tTOKEN\r\n", "\u00A0TOKEN\u00A0", "\u3000TOKEN", "\u200BTOKEN\u200B", "\uFEFFTOKEN", "\u2060TOKEN\u200E",
	"<TOKEN>", "\"TOKEN\"", "TOKEN.", "(TOKEN),", "#TOKEN", "https://convoke.test/accept#TOKEN", " <https://convoke.test/a%20b/accept#TOKEN>. ",
	"https://convoke.test/accept#TOKEN%20", "https://convoke.test/accept#TOKEN%0A", "TOKEN\u2028",
}

// HARD-24: what stands around a pasted token changes nothing.
func TestAPastedTokenIsTheToken(t *testing.T) {
	t.Parallel()
	for _, tok := range []string{deriver(t, 'a').Derive(token.Invitation, "inv_1", 1), token.Random("cvs_"), "-_-"} {
		for _, p := range pasted {
			typed := strings.ReplaceAll(p, "TOKEN", tok)
			if got := token.Clean(typed); got != tok {
				t.Errorf("Clean(%+q) = %q, want %q", typed, got, tok)
			}
			if !bytes.Equal(token.Hash(typed), token.Hash(tok)) {
				t.Errorf("the hash of %+q is another one", typed)
			}
		}
		wrapped := tok[:1] + "\r\n " + tok[1:]
		if got := token.Clean(wrapped); got != tok {
			t.Errorf("Clean(%+q) = %q, want %q", wrapped, got, tok)
		}
	}
	for _, nothing := range []string{"", " ", "\u200B", "#", "<>", "https://convoke.test/accept#"} {
		if got := token.Clean(nothing); got != "" {
			t.Errorf("Clean(%+q) = %q, want nothing", nothing, got)
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, p := range append(pasted, "%2541", "100%", "%zz%41", "%23TOKEN#", "a\xff", "%00TOKEN") {
		f.Add(p)
	}
	tok := deriver(f, 'a').Derive(token.Invitation, "inv_1", 1)
	f.Fuzz(func(t *testing.T, typed string) {
		got := token.Clean(typed)
		if again := token.Clean(got); again != got {
			t.Errorf("Clean(%+q) = %+q, and of that %+q", typed, got, again)
		}
		if !bytes.Equal(token.Hash(typed), token.Hash(got)) {
			t.Errorf("the hash of %+q is not that of %+q", typed, got)
		}
		if got := token.Clean(typed + "#" + tok); got != tok {
			t.Errorf("Clean of %+q and a token as its fragment: got %+q", typed, got)
		}
	})
}
