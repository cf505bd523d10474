// Package rounds says how often tests that depend on chance repeat. It imports nothing
// of the program, so that a small package's tests stay small.
package rounds

import (
	"flag"
	"os"
	"strconv"
	"testing"
)

// Env is the environment variable that says how thorough the tests are that depend on
// chance: races, random lives, long runs.
const Env = "CONVOKE_TEST_ROUNDS"

// Values of Env.
const (
	Thorough    = 1000 // as .ci/run sets it
	usualRounds = 50   // when the environment does not say
	shortRounds = 5    // when it does not, with go test -short
)

// fewRounds is the least: with fewer a test would hardly depend on chance.
const fewRounds = 5

// Of returns how often a test that depends on chance repeats. It is the
// thorough number times Env, divided by Thorough, so that tests whose
// rounds cost more have fewer of them; but a few at least, and never more than
// the thorough number.
func Of(t testing.TB, thorough int) int {
	t.Helper()
	asked, few := usualRounds, fewRounds
	if testing.Short() {
		asked, few = shortRounds, 1
	}
	if value := os.Getenv(Env); value != "" {
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 {
			t.Fatalf("%s is %q, want a number from 1 to %d", Env, value, Thorough)
		}
		asked = n
	}
	return min(max(thorough*asked/Thorough, few), thorough)
}

// OfRapid makes rapid try as many random lives as Of says, unless the
// command line says how many. It is for packages with one such test, because the
// number holds for all tests of the process.
func OfRapid(t testing.TB, thorough int) {
	t.Helper()
	f := flag.Lookup("rapid.checks")
	switch {
	case f == nil:
		t.Fatal("there is no flag rapid.checks: the package does not use rapid")
	case f.Value.String() != f.DefValue:
		return
	}
	if err := f.Value.Set(strconv.Itoa(Of(t, thorough))); err != nil {
		t.Fatal(err)
	}
}
