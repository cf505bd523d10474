package main_test

import (
	"context"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/testdb"
	"github.com/convoke-dev/convoke/internal/testkit/rounds"
)

func TestAMigrationSurvivesKills(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		t.Run("HARD-11 a migration that is killed at random moments is completed by the next start", func(t *testing.T) {
			killed := 0
			for range rounds.Of(t, 20) {
				cmd := exec.CommandContext(context.WithoutCancel(t.Context()), binary, "migrate", "--db", address)
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				ended := make(chan error, 1)
				go func() { ended <- cmd.Wait() }() // ends with the process
				select {
				case <-time.After(rand.N(120 * time.Millisecond)):
					_ = cmd.Process.Kill() // it may have ended
					if <-ended != nil {
						killed++
					}
				case err := <-ended:
					if err != nil {
						t.Fatal(err)
					}
				}
				if !store.IsPostgres(address) {
					intact(t, address)
				}
			}
			t.Logf("%d kills", killed)
			out, err := exec.CommandContext(t.Context(), binary, "migrate", "--db", address).CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if out, err = exec.CommandContext(t.Context(), binary, "migrate", "--db", address).CombinedOutput(); err != nil || !strings.Contains(string(out), "up to date") {
				t.Errorf("%v: %s, want it up to date", err, out)
			}
		})
	})
}
