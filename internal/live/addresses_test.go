package live

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/internal/fault"
)

// followed returns a follower of ann@x.org, whose invitation "known" stands at event 5.
func followed() (w *addressWatch, f *follower, wakes *int) {
	w, wakes = newAddressWatch(nil, slog.New(slog.DiscardHandler)), new(int)
	f = &follower{watch: w, key: "ann@x.org", wake: func() { *wakes++ }}
	w.addresses[f.key] = &address{newest: map[string]int64{"known": 5}, followers: map[*follower]struct{}{f: {}}}
	return w, f, wakes
}

func TestAFollowerGetsEachChangeOnceInOrder(t *testing.T) {
	t.Parallel()
	w, f, wakes := followed()
	w.handOut([]newestEvent{
		{ID: "second", EmailKey: "ann@x.org", Seq: 9},
		{ID: "known", EmailKey: "ann@x.org", Seq: 5}, // as it was
		{ID: "first", EmailKey: "ann@x.org", Seq: 7},
		{ID: "other", EmailKey: "bob@x.org", Seq: 8},
	})
	w.handOut([]newestEvent{{ID: "first", EmailKey: "ann@x.org", Seq: 7}})
	for _, want := range []string{"first", "second", ""} {
		if got, err := f.next(); got != want || err != nil {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	if *wakes != 2 {
		t.Errorf("got %d wake-ups, want 2", *wakes)
	}
}

func TestAFollowerThatLagsBehindIsToldToReadTheListAnew(t *testing.T) {
	t.Parallel()
	w, f, wakes := followed()
	for n := range maxBehind + 2 {
		w.handOut([]newestEvent{{ID: fmt.Sprint(n), EmailKey: "ann@x.org", Seq: int64(6 + n)}})
	}
	_, err := f.next()
	if !fault.Is(err, fault.Timeout) || strings.Contains(err.Error(), "cursor") {
		t.Errorf("got %v, want TIMEOUT without a cursor: the subscription has none", err)
	}
	if *wakes != maxBehind+1 {
		t.Errorf("got %d wake-ups, want %d: none after the cut", *wakes, maxBehind+1)
	}
	if _, still := w.addresses["ann@x.org"].followers[f]; still {
		t.Error("the follower is still followed, want it cut off")
	}
}
