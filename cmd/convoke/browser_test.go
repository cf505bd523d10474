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
// own. Only `make test-examples` does this: it builds the examples first, and leaves
// both cores to the browser.
func drive(t *testing.T, program string, args ...string) {
	t.Helper()
	if os.Getenv("CONVOKE_TEST_BROWSER") == "" {
		t.Skip("it needs a browser and the built examples: make test-examples")
	}
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal(err)
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
	t.Run("HARD-16 HARD-17 the pages of mails work by keyboard, and say what they did", func(t *testing.T) {
		drive(t, "pages.mjs")
	})
}
