package event_test

import (
	"maps"
	"testing"

	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/uid"
)

func TestPositionsAreReadAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	full := event.Positions{}
	for n := range event.MaxPositions {
		full[uid.New(uid.Account)] = event.Position{Seq: int64(n) << 40}
	}
	for name, want := range map[string]event.Positions{
		"none": {}, "one": {uid.New(uid.Account): {Seq: 7}}, "as many as there may be": full,
		"in the middle of an event": {uid.New(uid.Account): {Seq: 3, Within: uid.New(uid.Invitation)}},
	} {
		got, err := event.ParsePositions(want.String())
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("%s: got %v, %v, want %v", name, got, err, want)
		}
		if size := len(want.String()); size > 6<<10 {
			t.Errorf("%s: got %d bytes, want few enough for a header", name, size)
		}
	}
}

func TestWhatIsNoPosition(t *testing.T) {
	t.Parallel()
	id := uid.New(uid.Account)[len("acc_"):]
	for _, text := range []string{
		"", "2", "1.", "1." + id, "1." + id + "-", "1." + id + "--1", "1." + id + "--1", "1." + id + "-1-x", "1." + id + "-1-" + id + "-1",
		"1." + id + "-1." + id + "-2", "1.short-1", event.Cursor{AccountID: "acc_" + id, Seq: 1}.String(),
		"1." + id + "-07", "1." + id + "-+7", "1." + id + "-A", "1." + id + "-7-",
	} {
		if p, err := event.ParsePositions(text); !fault.Is(err, fault.BadUserInput) {
			t.Errorf("%q: got %v, %v, want BAD_USER_INPUT", text, p, err)
		}
	}
}

func TestTheFurthestOfTwoCursorsCounts(t *testing.T) {
	t.Parallel()
	a, b, c := uid.New(uid.Account), uid.New(uid.Account), uid.New(uid.Account)
	one := event.Positions{a: {Seq: 5}, b: {Seq: 7, Within: "inv_1"}}
	one.Further(event.Positions{a: {Seq: 3}, b: {Seq: 7, Within: "inv_2"}, c: {Seq: 1}})
	if want := (event.Positions{a: {Seq: 5}, b: {Seq: 7, Within: "inv_2"}, c: {Seq: 1}}); !maps.Equal(one, want) {
		t.Errorf("got %v, want %v", one, want)
	}
}

func FuzzParsePositions(f *testing.F) {
	const id = "06a5cq9y3wej0v93kvv9m34wd0"
	for _, in := range []string{
		"1", "1." + id + "-7", "1." + id + "-7-" + id, "1.", "2", "1." + id + "-07", "1." + id + "-+7", "1." + id + "-A", "1." + id + "-7-",
		"1." + id + "-1." + id + "-2", "1." + id + "-2.06a5cq9y3wej0v93kvv9m34wc0-1", "1." + id + "--1", "1." + id + "-7-" + id + "-",
	} {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, err := event.ParsePositions(in)
		switch {
		case err != nil && (!fault.Is(err, fault.BadUserInput) || got != nil):
			t.Errorf("%q: got %v, %v, want nothing and %s", in, got, err, fault.BadUserInput)
		case err == nil && (got.String() != in || len(got) > event.MaxPositions):
			t.Errorf("%q: got %v, which is written %q", in, got, got)
		}
	})
}
