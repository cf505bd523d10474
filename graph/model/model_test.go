package model_test

import (
	"bytes"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/internal/fault"
)

func FuzzUnmarshalDateTime(f *testing.F) {
	for _, in := range []string{
		"2030-01-31T12:00:00Z", "2030-01-31T12:00:00.123456789+14:00", "2030-01-31T1:00:00Z", "2030-01-31T12:00:00,5Z", "2030-01-31T12:00:00+24:00", "2030-01-31T12:00:00+12:60",
		"9999-12-31T23:59:59-01:00", "0000-01-01T00:00:00+01:00", "2030-02-30T12:00:00Z", "2030-01-31", "2030-01-31T24:00:00Z", "2030-01-31T23:59:60Z", "",
	} {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, err := model.UnmarshalDateTime(in)
		if err != nil {
			if !fault.Is(err, fault.BadUserInput) || !got.IsZero() {
				t.Errorf("%q: got %v, %v, want nothing and %s", in, got, err, fault.BadUserInput)
			}
			return
		}
		var b bytes.Buffer
		model.MarshalDateTime(got).MarshalGQL(&b)
		written, err := strconv.Unquote(b.String())
		if err != nil || len(written) > len("2030-01-31T12:00:00.123456789Z") {
			t.Fatalf("%q is written %s, %v", in, &b, err)
		}
		if again, err := model.UnmarshalDateTime(written); err != nil || !again.Equal(got) || again.Location() != time.UTC {
			t.Errorf("%q: got %v, and of %q %v, %v", in, got, written, again, err)
		}
		if len(in) < len("2030-01-31T12:00:00Z") || strings.Contains(in, ",") {
			t.Errorf("%q: got %v, want what is no RFC 3339 to be refused", in, got)
		}
	})
}
