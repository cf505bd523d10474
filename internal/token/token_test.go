package token_test

import (
	"bytes"
	"encoding/base64"
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

func deriver(t *testing.T, letters ...byte) *token.Deriver {
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
