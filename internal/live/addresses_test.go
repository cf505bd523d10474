package live

import (
	"fmt"
	"log/slog"
	"slices"
	"testing"

	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
)

// followed returns a follower of ann@x.org, which the account "known" invites.
func followed() (w *addressWatch, f *follower, wakes *int) {
	w, wakes = newAddressWatch(nil, slog.New(slog.DiscardHandler)), new(int)
	f = &follower{watch: w, key: "ann@x.org", wake: func() { *wakes++ }, known: map[string]struct{}{"known": {}}}
	w.followers[f.key] = map[*follower]struct{}{f: {}}
	return w, f, wakes
}

func TestAFollowerGetsEachNewAccountOnce(t *testing.T) {
	t.Parallel()
	w, f, wakes := followed()
	found := []inviter{
		{AccountID: "second", EmailKey: "ann@x.org"},
		{AccountID: "known", EmailKey: "ann@x.org"},
		{AccountID: "first", EmailKey: "ann@x.org"},
		{AccountID: "other", EmailKey: "bob@x.org"},
	}
	w.handOut(found)
	w.handOut(found)
	got, err := f.take()
	if want := []string{"second", "first"}; err != nil || !slices.Equal(got, want) || *wakes != 2 {
		t.Errorf("got %q and %d wake-ups, want %q and 2", got, *wakes, want)
	}
	if again, err := f.take(); err != nil || len(again) > 0 {
		t.Errorf("got %q a second time, want nothing", again)
	}
}

func TestAFollowerGetsNoMoreAccountsThanACursorNames(t *testing.T) {
	t.Parallel()
	w, f, _ := followed()
	for n := range event.MaxPositions + 5 {
		w.handOut([]inviter{{AccountID: fmt.Sprint(n), EmailKey: "ann@x.org"}})
	}
	if got, err := f.take(); err != nil || len(got) != event.MaxPositions-1 {
		t.Errorf("got %d accounts beside the known one, %v, want %d", len(got), err, event.MaxPositions-1)
	}
}

func TestAFollowerLearnsThatItsUserHasMoved(t *testing.T) {
	t.Parallel()
	w, f, wakes := followed()
	f.userID = "usr_ann"
	w.move(map[string]string{"usr_ann": "ann@x.org"})
	w.move(map[string]string{"usr_bob": "bob@x.org"})
	if _, err := f.take(); err != nil || *wakes != 0 {
		t.Errorf("without a change: %v and %d wake-ups, want none", err, *wakes)
	}
	for range 2 {
		w.move(map[string]string{"usr_ann": "ann@new.org"})
	}
	if _, err := f.take(); !fault.Is(err, fault.BadUserInput) || *wakes != 1 {
		t.Errorf("after a change: %v and %d wake-ups, want BAD_USER_INPUT and 1", err, *wakes)
	}
}
