package main_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/testkit"
)

func TestMailTemplates(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("invitation.txt", "{{define \"subject\"}}{{.Team}} wants you{{end}}\nOur own words: {{.Link}}")
	write("layout.html", `<main id="ours">{{template "body" .}}</main>`)
	p := start(t, "demo", "--mail-templates", folder)
	var mailbox string
	testkit.Eventually(t, func() bool { // the worker sends them beside the first requests
		_, mailbox = p.get("/mailbox.json")
		return strings.Count(mailbox, `"subject":`) == 4
	})
	for _, want := range []string{`"subject":"Acme Security wants you"`, `"text":"Our own words:\n` + p.url + `/accept#`, `\u003cmain id=\"ours\"\u003e`} {
		if n := strings.Count(mailbox, want); n != 4 {
			t.Errorf("%d mails of 4 have %s:\n%s", n, want, mailbox)
		}
	}

	write("verification.txt", "Hello,\n\n{{.Team}}: {{.Link}}")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second) // should it serve after all
	defer cancel()
	data := t.TempDir()
	cmd := exec.CommandContext(ctx, binary, "demo", "--addr", "127.0.0.1:0", "--data", data)
	cmd.Env = append(os.Environ(), "CONVOKE_MAIL_TEMPLATES="+folder)
	out, err := cmd.CombinedOutput()
	if want := "mail templates in " + folder + ": "; err == nil || !strings.Contains(string(out), want) || !strings.Contains(string(out), "verification.txt:3:2: ") {
		t.Errorf("%v, %s; want it to fail and name file and line", err, out)
	}
	if made, err := filepath.Glob(filepath.Join(data, "*.db")); err != nil || len(made) > 0 {
		t.Errorf("it made %q, %v, before it refused", made, err)
	}
}
