package uid_test

import (
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
	for _, bad := range []string{"", "team", "team_", "_" + id[5:], "team_short", id + "x"} {
		if got, err := uid.Of(bad); err == nil {
			t.Errorf("Of(%q) = %q, want an error", bad, got)
		}
	}
}
