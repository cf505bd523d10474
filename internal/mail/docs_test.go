package mail

import (
	"os"
	"strings"
	"testing"
)

// documented returns the indented example that follows a sentence in docs/operations.md.
func documented(t *testing.T, sentence string) string {
	t.Helper()
	manual, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(manual), sentence+"\n\n")
	if !found {
		t.Fatalf("docs/operations.md has no %q", sentence)
	}
	var example strings.Builder
	for line := range strings.Lines(after) {
		code, indented := strings.CutPrefix(line, "    ")
		if !indented && line != "\n" {
			break
		}
		example.WriteString(code)
	}
	return example.String()
}

func TestHARD15TheDocumentedTemplatesRender(t *testing.T) {
	t.Parallel()
	templates, err := ownTemplates(t, map[string]string{
		"layout.html":    documented(t, "A `layout.html` with its own button therefore defines the block `action` like this:"),
		"invitation.txt": documented(t, "For example, `invitation.txt` can be"),
	})
	if err != nil {
		t.Fatal(err)
	}
	d := testInvitation()
	got, err := templates.Invitation(d)
	if err != nil {
		t.Fatal(err)
	}
	link := publicURL + "accept#" + d.Token
	rest := got.HTML
	for _, want := range []string{
		"<title>" + got.Subject + "</title>", "<h1>Join",
		"<!--[if mso]><v:roundrect ", `href="` + link + `"`, ">View invitation</center></v:roundrect><![endif]-->",
		"<!--[if !mso]><!-->", `<a href="` + link + `" style="display: inline-block; padding: 12px 24px;`, ">View invitation</a>", "<!--<![endif]-->",
		"Or copy this address: " + link, publicURL,
	} {
		_, after, found := strings.Cut(rest, want)
		if !found {
			t.Fatalf("no %s after what must come before it, in\n%s", want, got.HTML)
		}
		rest = after
	}
	if got.Subject != "Olivia Owner would like you in Acme Security" || !strings.Contains(got.Text, "\n"+link+"\n") {
		t.Errorf("got %q\n%s", got.Subject, got.Text)
	}
}
