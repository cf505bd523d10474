package main_test

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/internal/testdb"
	"github.com/convoke-dev/convoke/internal/testkit"
)

// ofUser runs convoke user, and returns what it prints and whether it succeeded.
func (o *operated) ofUser(t *testing.T, args ...string) (out string, ok bool) {
	t.Helper()
	text, err := exec.CommandContext(t.Context(), binary, append(append([]string{"user"}, args...), "--db", o.database)...).CombinedOutput()
	return string(text), err == nil
}

func TestAnOperatorExportsAndErases(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		t.Helper()
		o := newOperated(t, address)
		adam := field(t, o.graphql("", strings.Replace(signInOlivia, "olivia@", "adam@", 1)), "sessionToken")
		t.Run("HARD-17 export prints one JSON object", func(t *testing.T) {
			out, ok := o.ofUser(t, "export", "Adam@acme.test")
			var data struct {
				User        struct{ ID, Email string }
				Memberships []struct{ Team string }
			}
			if err := json.Unmarshal([]byte(out), &data); err != nil || !ok || data.User.Email != "adam@acme.test" || len(data.Memberships) != 1 {
				t.Errorf("got %v %s", err, out)
			}
		})
		t.Run("HARD-17 erase says first whom it would erase", func(t *testing.T) {
			if out, ok := o.ofUser(t, "erase", "adam@acme.test"); ok || !strings.Contains(out, "adam@acme.test") || !strings.Contains(out, "--yes") {
				t.Errorf("got %v %s", ok, out)
			}
		})
		t.Run("HARD-17 erase ends the person's session on a running server", func(t *testing.T) {
			out, ok := o.ofUser(t, "erase", "adam@acme.test", "--yes")
			if !ok || !strings.HasPrefix(out, "erased usr_") {
				t.Fatalf("got %s", out)
			}
			testkit.Eventually(t, func() bool { return strings.Contains(o.graphql(adam, `{ viewer { user { id } } }`), "UNAUTHENTICATED") })
			if out, ok := o.ofUser(t, "erase", strings.TrimSpace(strings.TrimPrefix(out, "erased ")), "--yes"); !ok {
				t.Errorf("again: %s", out)
			}
		})
		t.Run("HARD-17 an owner and nobody are refused", func(t *testing.T) {
			for who, says := range map[string]string{"olivia@acme.test": "Transfer the ownership first", "adam@acme.test": "no such user", "nobody": "no such user", "@": "address"} {
				if out, ok := o.ofUser(t, "erase", who, "--yes"); ok || !strings.Contains(out, says) {
					t.Errorf("%s: got %v %s, want %q", who, ok, out, says)
				}
			}
		})
	})
}
