package main_test

import (
	"os"
	"os/exec"
	"regexp"
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

func TestTheReadmeNamesEveryFlagOfServe(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	flags := regexp.MustCompile(`(?m)^      --(?:\[no-\])?([a-z-]+)`).FindAllStringSubmatch(printed(t, "serve", "--help"), -1)
	if len(flags) < 30 {
		t.Fatalf("got %d flags", len(flags))
	}
	for _, flag := range flags {
		row := regexp.MustCompile("(?m)^\\| `--(\\[no-\\])?" + flag[1] + "` \\|")
		if flag[1] != "version" && !row.Match(readme) {
			t.Errorf("--%s is not in the table of flags in README.md", flag[1])
		}
	}
}
