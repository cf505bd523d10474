package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// examples is the folder of the example apps, and of the programs that drive them.
var examples = filepath.Join("..", "..", "examples")

// drive runs one of the programs of examples/test in Chromium, against a demo of its
// own. It skips the test where that cannot run; `make test-examples` installs and
// builds what is missing.
func drive(t *testing.T, program string, args ...string) {
	t.Helper()
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not installed")
	}
	if _, err := os.Stat(filepath.Join(examples, "test", "node_modules")); err != nil {
		t.Skip("the examples are not installed: make test-examples does it")
	}
	cmd := exec.CommandContext(t.Context(), "node", append([]string{filepath.Join(examples, "test", program)}, append(args, start(t, "demo").url)...)...)
	cmd.Env = append(os.Environ(), "CHROMIUM="+chromium, "SCREENSHOT="+filepath.Join(t.TempDir(), "failed.png"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s %v: %v\n%s", program, args, err, out)
	}
}

// The examples run one after the other: a browser keeps two cores busy.
func TestInABrowser(t *testing.T) {
	for _, name := range []string{"urql", "apollo", "relay"} {
		t.Run("FE-19 the example with "+name, func(t *testing.T) {
			drive(t, "example.mjs", name)
		})
	}
	t.Run("FE-20 GraphiQL opens with working operations", func(t *testing.T) {
		drive(t, "graphiql.mjs")
	})
}
