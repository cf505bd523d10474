package uid_test

import (
	"regexp"
	"slices"
	"testing"

	"github.com/convoke-dev/convoke/internal/uid"
)

func TestNewIsUniqueAndSortable(t *testing.T) {
	t.Parallel()
	const n = 10_000
	ids := make([]string, n)
	seen := make(map[string]bool, n)
	for i := range ids {
		ids[i] = uid.New(uid.Invitation)
		if seen[ids[i]] {
			t.Fatalf("id %s was made twice", ids[i])
		}
		seen[ids[i]] = true
	}
	if !slices.IsSorted(ids) {
		t.Error("ids made one after another do not sort in that order")
	}
}

func TestOfTellsThePrefix(t *testing.T) {
	t.Parallel()
	id := uid.New(uid.Team)
	if got, err := uid.Of(id); err != nil || got != uid.Team {
		t.Errorf("Of(%q) = %q, %v, want %q", id, got, err, uid.Team)
	}
	for _, bad := range []string{"", "team", "team_", "_" + id[5:], "team_short", id + "x", "team_0000000000000000000000000z", id + "\n"} {
		if got, err := uid.Of(bad); err == nil {
			t.Errorf("Of(%q) = %q, want an error", bad, got)
		}
	}
}

func FuzzOf(f *testing.F) {
	for _, in := range []string{uid.New(uid.Team), uid.New(uid.Account), "team", "_", "team_00000000000000000000000000", "team_0000000000000000000000000z", "a_b_c", "team_\n"} {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		p, err := uid.Of(in)
		switch {
		case err != nil && p != "":
			t.Errorf("Of(%q) = %q beside %v", in, p, err)
		case err == nil && !regexp.MustCompile(`^_[0-9a-hjkmnp-tv-z]{25}[048cgmrw]$`).MatchString(in[len(p):]):
			t.Errorf("Of(%q) = %q, want it refused", in, p)
		}
	})
}
