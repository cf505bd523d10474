package main_test

import (
	"os/exec"
	"strings"
	"testing"
)

// printed runs convoke, and returns what it prints.
func printed(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), binary, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("convoke %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestHelpIsFoundWhereItIsLookedFor(t *testing.T) {
	t.Parallel()
	all := printed(t, "--help")
	for _, args := range [][]string{nil, {"help"}} {
		if got := printed(t, args...); got != all {
			t.Errorf("convoke %v: got %s, want %s", args, got, all)
		}
	}
	if got, want := printed(t, "help", "user", "erase"), printed(t, "user", "erase", "--help"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
