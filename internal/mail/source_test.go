package mail

import (
	"io/fs"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// ownTemplates returns templates with these files in place of the built-in ones.
func ownTemplates(t *testing.T, files map[string]string) (*Templates, error) {
	t.Helper()
	base, err := url.Parse(publicURL)
	if err != nil {
		t.Fatal(err)
	}
	own := fstest.MapFS{}
	for name, text := range files {
		own[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return NewTemplates(base, "Convoke", own)
}

const ownText = "{{define \"subject\"}}{{.Team}}: come in{{end}}\n{{.Inviter}} asks you in:\n{{.Link}}\n{{range .Note}}| {{.}}\n{{end}}{{.Until}}"

func TestAnOperatorsFilesReplaceTheBuiltInOnes(t *testing.T) {
	t.Parallel()
	builtIn, err := newTemplates(t).Invitation(testInvitation())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		files                     map[string]string
		subject, text, html, lost string // parts of the mail; lost is in none of it
	}{
		"no files":               {nil, builtIn.Subject, builtIn.Text, builtIn.HTML, "SAMPLE"},
		"text with its subject":  {map[string]string{"invitation.txt": ownText}, "Acme Security: come in", "Olivia Owner asks you in:\nhttps://app", builtIn.HTML[len(builtIn.HTML)/2:], "Hello Nina"},
		"text alone":             {map[string]string{"invitation.txt": "Come:\n{{.Link}}"}, builtIn.Subject, "Come:\nhttps://app", "Join <bdi>", "Hello Nina"},
		"Windows' way to end it": {map[string]string{"invitation.txt": "\uFEFFCome:\r\n{{.Link}}\r\n"}, builtIn.Subject, "Come:\nhttps://app", "Join <bdi>", "\r"},
		"a body": {
			map[string]string{"invitation.html": `{{define "body"}}<h2>{{.Subject}}</h2>{{range .Note}}<i>{{.}}</i>{{end}}{{template "action" .}}{{end}}`},
			builtIn.Subject, builtIn.Text, "<h2>Olivia Owner invited you to join Acme Security</h2><i>Welcome aboard!</i><i></i><i>The &lt;kick-off&gt;", "<h1>",
		},
		"a layout":                 {map[string]string{"layout.html": `<body><img src="https://cdn.example.com/logo.png">{{template "body" .}}</body>`}, builtIn.Subject, builtIn.Text, `<body><img src="https://cdn.example.com/logo.png"><h1>Join`, "<style>"},
		"a layout with its blocks": {map[string]string{"layout.html": `{{template "body" .}}{{define "hello"}}<p>Hi!</p>{{end}}`}, builtIn.Subject, builtIn.Text, "<p>Hi!</p>", "Hello <bdi>"},
		"both, and hidden files": {
			map[string]string{"layout.html": `<main>{{template "body" .}}</main>`, "invitation.html": `{{define "body"}}<a class=x href={{.Link}}>{{.Action}}</a>{{end}}`, ".invitation.txt.swp": "{{"},
			builtIn.Subject, builtIn.Text, `<main><a class=x href=` + publicURL + `accept#tok-EN_123>View invitation</a></main>`, "<h1>",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			templates, err := ownTemplates(t, c.files)
			if err != nil {
				t.Fatal(err)
			}
			got, err := templates.Invitation(testInvitation())
			if err != nil {
				t.Fatal(err)
			}
			all := got.Subject + got.Text + got.HTML
			if got.Subject != c.subject || !strings.Contains(got.Text, c.text) || !strings.Contains(got.HTML, c.html) ||
				len(c.files) > 0 && strings.Contains(strings.ReplaceAll(all, "Hello <bdi>Nina", ""), c.lost) {
				t.Errorf("got %q\n%s\n%s\nwant %q\n%s\n%s\nand no %q", got.Subject, got.Text, got.HTML, c.subject, c.text, c.html, c.lost)
			}
			if _, err := templates.Verification(Verification{Token: "tok", ValidFor: time.Hour}); err != nil {
				t.Errorf("another mail: %v", err)
			}
		})
	}
}

func TestAnOperatorsSubjectStaysOneCleanLine(t *testing.T) {
	t.Parallel()
	templates, err := ownTemplates(t, map[string]string{"invitation.txt": "{{define \"subject\"}}\n  {{.Inviter}}\r\n\tand {{.Team}}\n{{end}}{{.Link}}"})
	if err != nil {
		t.Fatal(err)
	}
	for _, typed := range hostile {
		got := render(t, templates, typed)
		if strings.ContainsFunc(got.Subject, func(r rune) bool { return r == '\n' || invisible(r) }) || !strings.HasPrefix(got.Subject, "x") || !strings.Contains(got.Subject, " and x") {
			t.Errorf("%q: subject %q", typed, got.Subject)
		}
	}
}

func TestAnOperatorsTemplatesEscape(t *testing.T) {
	t.Parallel()
	templates, err := ownTemplates(t, map[string]string{"invitation.html": `{{define "body"}}<a href="{{.Link}}" title="{{.Team}}" data-x={{.Team}}>{{.Inviter}}</a>{{range .Note}}<p>{{.}}</p>{{end}}{{end}}`})
	if err != nil {
		t.Fatal(err)
	}
	want := len(tags.FindAllString(render(t, templates, "").HTML, -1))
	for _, typed := range hostile {
		html := strings.ReplaceAll(render(t, templates, strings.ReplaceAll(typed, "\n", " ")).HTML, "</p><p>", "")
		if got := len(tags.FindAllString(html, -1)); got != want && strings.Count(html, "<p>") == 1 {
			t.Errorf("%q: %d tags, want %d:\n%s", typed, got, want, html)
		}
	}
}

func TestAnOperatorsBadTemplatesAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ file, text, says string }{
		"an unknown name":              {"invite.txt", "{{.Link}}", "invite.txt is not the name of a template; the names are address_new.html, address_new.txt, address_old.html"},
		"an unknown kind":              {"README.md", "Our templates", "README.md is not the name of a template"},
		"a folder":                     {"old/invitation.txt", "{{.Link}}", "old is not the name of a template"},
		"nothing in it":                {"invitation.txt", " \n", "invitation.txt is empty"},
		"no UTF-8":                     {"invitation.txt", "Gr\xFC\xDFe {{.Link}}", "invitation.txt is empty, or not text in UTF-8"},
		"no template":                  {"invitation.txt", "Hello,\n{{.Link}\n", "invitation.txt:2: "},
		"no template, as HTML":         {"verification.html", "{{define \"body\"}}\n\n{{if}}{{end}}", "verification.html:3: missing value for if"},
		"an unknown function":          {"invitation.txt", "{{.Link}}\n{{upper .Team}}", `invitation.txt:2: function "upper" not defined`},
		"an unknown field":             {"invitation.txt", "{{.Link}}\n\n{{.Phone}}", "invitation.txt:3:2: executing \"invitation.txt\" at <.Phone>: can't evaluate field Phone"},
		"an unknown field, as HTML":    {"registered.html", "{{define \"body\"}}<p>\n{{.Team}}</p>{{end}}", "registered.html:2:2: executing \"body\" at <.Team>: can't evaluate field Team"},
		"an unknown field of a layout": {"layout.html", "{{template \"body\" .}}\n{{.Team.Logo}}", "layout.html:2:7: "},
		"an unknown block":             {"invitation.html", "{{define \"body\"}}\n{{template \"button\" .}}{{end}}", "invitation.html:2:11: no such template \"button\""},
		"a field that is only there for a long note": {"invitation.txt", "{{.Link}}{{range .Note}}\n{{.Words}}{{end}}", "invitation.txt:2:2: "},
		"text in a place that cannot be escaped":     {"invitation.html", "{{define \"body\"}}\n<a href=\"{{.Link}}{{if .Name}}\"{{end}}>{{end}}", "invitation.html:2:23: {{if}} branches end in different contexts"},
		"no body":                                    {"invitation.html", "<p>{{.Link}}</p>", `invitation.html does not define "body"`},
		"no link in the text":                        {"invitation.txt", "Come in! {{.Home}}", "invitation.txt produces a mail without its link"},
		"no link in the text to verify":              {"verification.txt", "Come in! {{.Home}}", "verification.txt produces a mail without its link"},
		"no link in the text to reset":               {"reset.txt", "Come in! {{.Home}}", "reset.txt produces a mail without its link"},
		"no link in the HTML to reset":               {"reset.html", `{{define "body"}}{{.Link}}{{end}}`, "reset.html produces, with layout.html, a mail without its link"},
		"a link only for some":                       {"invitation.txt", "{{with .Name}}{{$.Link}}{{end}}", "invitation.txt produces a mail without its link"},
		"no link in the HTML":                        {"invitation.html", `{{define "body"}}<p>{{.Link}}</p>{{end}}`, "invitation.html produces, with layout.html, a mail without its link"},
		"a link in the HTML that leads elsewhere":    {"verification.html", `{{define "body"}}<a href="https://x.example/?to={{.Link}}">x</a>{{end}}`, "verification.html produces, with layout.html, a mail without its link"},
		"a link in a comment":                        {"verification.html", `{{define "body"}}<!-- <a href="{{.Link}}"> -->{{end}}`, "verification.html produces, with layout.html, a mail without its link"},
		"a layout without the body":                  {"layout.html", "<p>{{.Product}}</p>", "invitation.html produces, with layout.html, a mail without its link"},
		"an empty subject":                           {"invitation.txt", "{{define \"subject\"}}{{.Account}} \u200B{{end}}{{.Link}}", "invitation.txt produces an empty subject"},
		"a subject that is empty without the name":   {"verification.txt", "{{define \"subject\"}}{{.Name}}{{end}}{{.Link}}", "verification.txt produces an empty subject"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ownTemplates(t, map[string]string{c.file: c.text})
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want it to say %q", err, c.says)
			}
		})
	}
}

func TestEveryMailHasItsFiles(t *testing.T) {
	t.Parallel()
	found, err := fs.Glob(files, "templates/*")
	if err != nil || len(found) != 2*len(kinds)+1 {
		t.Errorf("%d files, %v, for %d mails and the layout", len(found), err, len(kinds))
	}
}
