package address_test

import (
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/internal/address"
	"github.com/convoke-dev/convoke/internal/fault"
)

func TestParseNormalises(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"ann@x.org":                 "ann@x.org",
		"  Ann@X.ORG\n":             "ann@x.org",
		"ann+tag@x.org":             "ann+tag@x.org",
		"a.b.c@x.org":               "a.b.c@x.org",
		"jörg@bücher.example":       "jörg@xn--bcher-kva.example",
		"ann@BÜCHER.example":        "ann@xn--bcher-kva.example",
		"ann@xn--bcher-kva.example": "ann@xn--bcher-kva.example",
		"ann@ｘ.org":                 "ann@x.org",
	} {
		got, err := address.Parse(in, "email")
		if err != nil || got.Key != want || got.Typed != strings.TrimSpace(in) {
			t.Errorf("Parse(%q) = %+v, %v, want key %q", in, got, err, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"ann", "@x.org", "ann@", "ann@x", "a@b@c.org", "ann @x.org", "ann@x..org", "ann@x.org.", ".ann@x.org", "ann.@x.org",
		"Ann <ann@x.org>", `"a b"@x.org`, "ann@[127.0.0.1]", "ann@x.org,bob@x.org", "ann\u200B@x.org", "ann@x.org\r\nBcc: b@x.org",
		"ann(comment)@x.org", "ann@-x.org", "ann＠x.org", strings.Repeat("a", 65) + "@x.org", "a@" + strings.Repeat("x.", 130) + "org", "a\xff@x.org",
	} {
		if got, err := address.Parse(in, "email"); err == nil || err.Code != fault.InvalidEmail {
			t.Errorf("Parse(%q) = %+v, %v, want INVALID_EMAIL", in, got, err)
		}
	}
	if _, err := address.Parse(" ", "email"); err == nil || err.Code != fault.Blank {
		t.Errorf("Parse of nothing: %v, want BLANK", err)
	}
}

func TestMaskHidesTheAddress(t *testing.T) {
	t.Parallel()
	if got, want := address.Mask("olivia@acme.test"), "o•••@a•••.test"; got != want {
		t.Errorf("Mask = %q, want %q", got, want)
	}
}
