package relay

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/fault"
)

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		`["list","2026-03-14T12:00:00Z","team_1"]`, `["list","2026-03-14T12:00:00.000001Z",""]`, `["list","9999-12-31T23:59:59-01:00","team_1"]`,
		`["list","0000-01-01T00:00:00+01:00","team_1"]`, `["list","17","team_1"]`, `["list","+17","team_1"]`, `["list","<a>","team_1"]`,
		`["other","17","team_1"]`, `["list","\u0000","team_1"]`, `["list","\ud800","team_1"]`, `["list", "a", "team_1"]`, `["list"]`, `null`,
	} {
		for kind := range byte(3) {
			f.Add(base64.RawURLEncoding.EncodeToString([]byte(text)), kind)
		}
	}
	f.Fuzz(func(t *testing.T, in string, n byte) {
		kind := []Kind{Time, Text, Number}[n%3]
		got, err := parse(in, "list", kind)
		if err != nil {
			if !fault.Is(err, fault.BadUserInput) || got != (position{}) {
				t.Errorf("%q: got %v, %v, want nothing and %s", in, got, err, fault.BadUserInput)
			}
			return
		}
		if again := got.cursor("list"); again != in {
			t.Errorf("%q: got %v, which is written %q", in, got, again)
		}
		var right bool
		switch key := got.key.(type) {
		case time.Time:
			right = kind == Time && key.Location() == time.UTC && key.Equal(key.Truncate(time.Microsecond))
		case string:
			right = kind == Text && !strings.Contains(key, "\x00")
		case int64:
			right = kind == Number
		}
		if !right || strings.Contains(got.id, "\x00") {
			t.Errorf("%q: got %#v as a position of kind %d", in, got, kind)
		}
	})
}
