package main_test

import (
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/testdb"
)

// migrateWithKills starts migrations, and kills each of them a little later than the one
// before, until one completes. check is called after each. The waits grow by a fortieth of
// themselves and some milliseconds, so that a slow machine does not kill hundreds of times.
func migrateWithKills(t *testing.T, address string, check func()) {
	t.Helper()
	killed := 0
	for wait, done := time.Duration(0), false; !done; wait += wait/40 + 2*time.Millisecond + rand.N(4*time.Millisecond) {
		p := exec.CommandContext(t.Context(), binary, "migrate", "--db", address)
		var out strings.Builder
		p.Stdout, p.Stderr = &out, &out
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		kill := time.AfterFunc(wait, func() { _ = p.Process.Kill() }) // it may have ended
		err := p.Wait()
		kill.Stop()
		switch {
		case err == nil:
			done = true
		case p.ProcessState.Exited():
			t.Fatalf("after %d kills: %v: %s", killed, err, out.String())
		default:
			killed++
		}
		if !store.IsPostgres(address) {
			intact(t, address)
		}
		check()
	}
	t.Logf("%d kills", killed)
	if killed == 0 {
		t.Error("nothing was killed: that proves nothing")
	}
	if out, err := exec.CommandContext(t.Context(), binary, "migrate", "--db", address).CombinedOutput(); err != nil || !strings.Contains(string(out), "up to date") {
		t.Errorf("%v: %s, want it up to date", err, out)
	}
}

func TestAMigrationSurvivesKills(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		t.Run("HARD-11 a migration that is killed at any moment is completed by the next start", func(t *testing.T) {
			migrateWithKills(t, address, func() {})
		})
	})
}
