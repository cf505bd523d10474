package testkit

import (
	"flag"
	"os"
	"strconv"
	"testing"
)

// RoundsEnv names the environment variable that says how thorough the tests are
// that depend on chance: races, random lives, long runs. ThoroughRounds is
// thorough, and what .ci/run asks for.
const RoundsEnv = "CONVOKE_TEST_ROUNDS"

// The values of RoundsEnv that mean something by themselves.
const (
	ThoroughRounds = 1000
	usualRounds    = 50 // when the environment does not say
	shortRounds    = 5  // when it does not, with go test -short
)

// fewRounds is what a test has at the least, or it would hardly depend on chance.
const fewRounds = 5

// Rounds returns how often a test that depends on chance repeats. It is the
// thorough number times RoundsEnv, divided by ThoroughRounds, so that tests whose
// rounds cost more have fewer of them; but a few at least, and never more than
// the thorough number.
func Rounds(t testing.TB, thorough int) int {
	t.Helper()
	asked, few := usualRounds, fewRounds
	if testing.Short() {
		asked, few = shortRounds, 1
	}
	if value := os.Getenv(RoundsEnv); value != "" {
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 {
			t.Fatalf("%s is %q, want a number from 1 to %d", RoundsEnv, value, ThoroughRounds)
		}
		asked = n
	}
	return min(max(thorough*asked/ThoroughRounds, few), thorough)
}

// RandomLives has rapid try as many random lives as Rounds says, unless the
// command line says how many. It is for packages with one such test, because the
// number holds for all tests of the process.
func RandomLives(t testing.TB, thorough int) {
	t.Helper()
	f := flag.Lookup("rapid.checks")
	switch {
	case f == nil:
		t.Fatal("there is no flag rapid.checks: the package does not use rapid")
	case f.Value.String() != f.DefValue:
		return
	}
	if err := f.Value.Set(strconv.Itoa(Rounds(t, thorough))); err != nil {
		t.Fatal(err)
	}
}
