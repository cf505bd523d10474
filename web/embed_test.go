package web_test

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/web"
)

var reference = regexp.MustCompile(`(?:src|href)="([^"]*)"`)

func TestPagesLoadOnlyEmbeddedFiles(t *testing.T) {
	t.Parallel()
	files, err := web.Files()
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range []string{"index.html", "accept.html", "verify.html", "reset.html", "address.html", "graphiql.html", "mailbox.html"} {
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			html, err := fs.ReadFile(files, page)
			if err != nil {
				t.Fatal(err)
			}
			scripts := 0
			for _, match := range reference.FindAllStringSubmatch(string(html), -1) {
				target := match[1]
				if strings.HasPrefix(target, "data:") {
					continue
				}
				if strings.HasSuffix(target, ".js") {
					scripts++
				}
				if _, err := fs.Stat(files, strings.TrimPrefix(target, "/")); err != nil || !strings.HasPrefix(target, "/assets/") {
					t.Errorf("%s loads %q, want a file under /assets (%v)", page, target, err)
				}
			}
			if scripts == 0 {
				t.Errorf("%s loads no script", page)
			}
		})
	}
}
