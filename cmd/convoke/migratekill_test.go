package main_test

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/testdb"
)

func TestAMigrationSurvivesKills(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		t.Run("HARD-11 a migration that is killed at any moment is completed by the next start", func(t *testing.T) {
			killed := 0
			for after, done := time.Duration(0), false; !done; after += 3 * time.Millisecond {
				cmd := exec.CommandContext(context.WithoutCancel(t.Context()), binary, "migrate", "--db", address)
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				ended := make(chan error, 1)
				go func() { ended <- cmd.Wait() }() // ends with the process
				select {
				case <-time.After(after):
					_ = cmd.Process.Kill() // it may have ended
					killed++
					done = <-ended == nil
				case err := <-ended:
					if done = true; err != nil {
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
