package main_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/convoke-dev/convoke/internal/testkit"
)

func TestOneServerForAFile(t *testing.T) { //nolint:tparallel // one story
	t.Parallel()
	folder, m := t.TempDir(), newMailServer(t)
	db := filepath.Join(folder, "convoke.db")
	p := start(t, serveArgs(db, m)...)
	owner(t, p, m)
	symbolic, hard := filepath.Join(t.TempDir(), "symbolic.db"), filepath.Join(t.TempDir(), "hard.db")
	if err := os.Symlink(db, symbolic); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(db, hard); err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	relative, err := filepath.Rel(here, db)
	if err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{"the same path": db, "a relative path": relative, "a symbolic link": symbolic, "a hard link": hard} {
		t.Run("HARD-8 a second server is refused by "+name, func(t *testing.T) {
			if path == hard && runtime.GOOS != "linux" {
				t.Skip("elsewhere the lock is a file beside the database")
			}
			out, err := exec.CommandContext(t.Context(), binary, append(serveArgs(path, m), "--addr", "127.0.0.1:0")...).CombinedOutput()
			if err == nil || !strings.Contains(string(out), "an SQLite file can have one server at a time") {
				t.Errorf("%v: %s, want a refusal", err, out)
			}
		})
	}
	if err := os.Remove(hard); err != nil {
		t.Fatal(err)
	}
	t.Run("HARD-8 the operator's commands run beside the server", func(t *testing.T) {
		for _, args := range [][]string{{"account", "list", "--db", db}, {"migrate", "--db", db}} {
			if out, err := exec.CommandContext(t.Context(), binary, args...).CombinedOutput(); err != nil {
				t.Errorf("%v: %v: %s", args, err, out)
			}
		}
	})
	t.Run("HARD-8 the lock ends with its holder", func(t *testing.T) {
		for range 3 {
			if err := p.stop(syscall.SIGKILL); err == nil {
				t.Error("a killed process ended well")
			}
			p = start(t, serveArgs(db, m)...)
		}
	})
}

func TestAFileThatIsReplaced(t *testing.T) {
	t.Parallel()
	m := newMailServer(t)
	moved := func(from, to string) func(t *testing.T) {
		return func(t *testing.T) {
			t.Helper()
			if err := os.Rename(from, to); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, suffix := range map[string]string{"the database": "", "its log": "-wal", "the index of its log": "-shm"} {
		for how, replaced := range map[string]bool{"deleted": false, "replaced": true} {
			t.Run("HARD-8 "+name+" is "+how, func(t *testing.T) {
				t.Parallel()
				db := filepath.Join(t.TempDir(), "convoke.db")
				p := start(t, serveArgs(db, m)...)
				session := p.newcomer(m, strings.ReplaceAll(name+how, " ", ".")+"@acme.test")
				file, aside := db+suffix, db+suffix+".aside"
				moved(file, aside)(t)
				if replaced {
					text, err := os.ReadFile(aside)
					if err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(file, text, 0o600); err != nil {
						t.Fatal(err)
					}
				}
				rename := `mutation { updateProfile(input: {firstName: "Olivia"}) { userErrors { code } } }`
				if answer := p.graphql(session, rename); !strings.Contains(answer, `"code":"UNAVAILABLE"`) {
					t.Errorf("a change: %s, want UNAVAILABLE", answer)
				}
				testkit.Eventually(t, func() bool { return p.readiness() == http.StatusServiceUnavailable })
				testkit.Eventually(t, func() bool { return strings.Contains(p.err.String(), "deleted or replaced while it was open") })
				moved(aside, file)(t)
				testkit.Eventually(t, func() bool { return p.readiness() == http.StatusOK })
				if answer := p.graphql(session, rename); !strings.Contains(answer, `"userErrors":[]`) {
					t.Errorf("a change of the file that came back: %s", answer)
				}
			})
		}
	}
}

// newcomer signs somebody up and returns their session.
func (p *process) newcomer(m *mailServer, email string) (session string) {
	p.t.Helper()
	p.graphql("", `mutation { signUp(input: {email: "`+email+`", password: "correct horse battery staple"}) { userErrors { code } } }`)
	testkit.Eventually(p.t, func() bool { return len(m.to(email)) > 0 })
	_, rest, found := strings.Cut(unwrap(m.to(email)[0]), "/verify#")
	if !found {
		p.t.Fatal("no link in the mail")
	}
	return field(p.t, p.graphql("", `mutation { verifyEmail(input: {token: "`+rest[:43]+`", transport: BEARER}) { sessionToken userErrors { code } } }`), "sessionToken")
}
