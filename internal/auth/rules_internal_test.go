package auth

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/ent"
)

func TestWhatAPersonIsCalled(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ first, last, email, shown, greeted string }{
		{"Ann", "Ames", "ann@x.org", "Ann Ames", "Ann Ames"},
		{"Ann", "", "ann@x.org", "Ann", "Ann"},
		{"", "Ames", "ann@x.org", "Ames", "Ames"},
		{"", "", "ann.ames@x.org", "ann.ames", ""},
		{" ", " ", "ann@x.org", "ann", ""},
		{"", "", "", "", ""},
	} {
		if got := DisplayName(&ent.User{FirstName: tt.first, LastName: tt.last, Email: tt.email}); got != tt.shown {
			t.Errorf("%q %q <%s> is shown as %q, want %q", tt.first, tt.last, tt.email, got, tt.shown)
		}
		if got := greeting(tt.first, tt.last); got != tt.greeted {
			t.Errorf("%q %q is greeted as %q, want %q", tt.first, tt.last, got, tt.greeted)
		}
	}
}

func TestOnlyTrueIsVerified(t *testing.T) {
	t.Parallel()
	for claim, want := range map[string]yes{
		`true`: true, `"true"`: true,
		`false`: false, `"false"`: false, `null`: false, `1`: false, `"1"`: false, `"TRUE"`: false, `"yes"`: false, `""`: false, `[true]`: false,
	} {
		got := !want
		if err := json.Unmarshal([]byte(claim), &got); err != nil || got != want {
			t.Errorf("%s: got %t, %v, want %t", claim, got, err, want)
		}
	}
}

func TestOnlyAPlainCodeIsLogged(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		"access_denied": "access_denied", "": "", strings.Repeat("a", 40): strings.Repeat("a", 40),
		strings.Repeat("a", 41): "(41 bytes)", "Access denied": "(13 bytes)", "a\nb": "(3 bytes)", "cvs_1234": "(8 bytes)", "é": "(2 bytes)",
	} {
		if got := PlainCode(code); got != want {
			t.Errorf("%q: got %q, want %q", code, got, want)
		}
	}
}

func TestAReasonInTheLogIsShort(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]int{0: 0, maxReason: maxReason, maxReason + 1: maxReason} {
		if got := reason(errors.New(strings.Repeat("x", n))); len(got) != want {
			t.Errorf("of %d bytes: got %d, want %d", n, len(got), want)
		}
	}
}
