package event_test

import (
	"encoding/base64"
	"testing"

	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
)

func TestCursorsComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	for _, seq := range []int64{0, 1, 1 << 62} {
		want := event.Cursor{AccountID: "acc_A", Seq: seq}
		if got, err := event.ParseCursor(want.String(), "acc_A"); err != nil || got != want {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
	}
}

func TestForeignAndForgedCursorsAreRefused(t *testing.T) {
	t.Parallel()
	encode := base64.RawURLEncoding.EncodeToString
	for what, s := range map[string]string{
		"another account's":    event.Cursor{AccountID: "acc_B", Seq: 1}.String(),
		"no account":           event.Cursor{Seq: 1}.String(),
		"a negative number":    event.Cursor{AccountID: "acc_A", Seq: -1}.String(),
		"empty":                "",
		"no base 64":           "acc_A:1",
		"padded":               base64.URLEncoding.EncodeToString([]byte("acc_A:1")),
		"no number":            encode([]byte("acc_A:")),
		"no colon":             encode([]byte("acc_A")),
		"two numbers":          encode([]byte("acc_A:1:2")),
		"too large a number":   encode([]byte("acc_A:9223372036854775808")),
		"a number in letters":  encode([]byte("acc_A:one")),
		"a number with a sign": encode([]byte("acc_A:+1")),
		"a number with a zero": encode([]byte("acc_A:01")),
		"a line break":         encode([]byte("acc_A:1")) + "\n",
		"bits too many":        "YWNjX0E6MTF",
	} {
		if got, err := event.ParseCursor(s, "acc_A"); !fault.Is(err, fault.BadUserInput) {
			t.Errorf("%s: got %v, %v, want %s", what, got, err, fault.BadUserInput)
		}
	}
}

func FuzzParseCursor(f *testing.F) {
	for _, in := range []string{"YWNjX0E6MQ", "YWNjX0E6MR", "YWNjX0E6KzE", "YWNjX0E6MDE", "YWNjX0E6MQ\n", "YWNjX0I6MQ", "", "acc_A:1"} {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, err := event.ParseCursor(in, "acc_A")
		switch {
		case err != nil && (!fault.Is(err, fault.BadUserInput) || got != event.Cursor{}):
			t.Errorf("%q: got %v, %v, want nothing and %s", in, got, err, fault.BadUserInput)
		case err == nil && (got.String() != in || got.AccountID != "acc_A" || got.Seq < 0):
			t.Errorf("%q: got %v, which is written %q", in, got, got)
		}
	})
}
