package mail

import (
	"bytes"
	"embed"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"maps"
	"net/url"
	"slices"
	"strings"
	texttemplate "text/template"
	"time"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

//go:embed templates
var files embed.FS

// layout is the file that all HTML parts share. It includes each mail's block "body".
const layout = "layout.html"

// The values of the sample mails with which templates are checked. No real mail contains
// this token.
const sampleToken = "SAMPLE-TOKEN"

var sampleTime = time.Date(2030, 1, 7, 12, 0, 0, 0, time.UTC)

// sources are the texts of the template files by name. An operator's file replaces the
// built-in one.
type sources struct {
	builtIn, own map[string]string
}

// readSources reads the built-in files and the operator's. It refuses an operator's file
// with an unknown name or without valid text. It ignores names that begin with a dot,
// because editors and mounted volumes create some.
func readSources(own fs.FS) (*sources, error) {
	s := &sources{builtIn: make(map[string]string), own: make(map[string]string)}
	names := append(make([]string, 0, 1+2*len(kinds)), layout)
	for _, k := range kinds {
		names = append(names, k.name+".txt", k.name+".html")
	}
	for _, name := range names {
		text, err := files.ReadFile("templates/" + name)
		if err != nil {
			return nil, fmt.Errorf("built-in mail template: %w", err)
		}
		s.builtIn[name] = string(text)
	}
	if own == nil {
		return s, nil
	}
	found, err := fs.ReadDir(own, ".")
	if err != nil {
		return nil, err
	}
	for _, f := range found {
		if strings.HasPrefix(f.Name(), ".") {
			continue
		}
		if !slices.Contains(names, f.Name()) {
			return nil, fmt.Errorf("%s is not the name of a template; the names are %s", f.Name(), strings.Join(slices.Sorted(slices.Values(names)), ", "))
		}
		text, err := fs.ReadFile(own, f.Name())
		if err != nil {
			return nil, err
		}
		text = bytes.TrimPrefix(text, []byte("\uFEFF"))
		if !utf8.Valid(text) || len(bytes.TrimSpace(text)) == 0 {
			return nil, fmt.Errorf("%s is empty, or not text in UTF-8", f.Name())
		}
		s.own[f.Name()] = strings.ReplaceAll(string(text), "\r\n", "\n")
	}
	return s, nil
}

// text returns the template of a mail's plain text, with its block "subject". An
// operator's file without that block uses the built-in one.
func (s *sources) text(mail string) (*texttemplate.Template, error) {
	name := mail + ".txt"
	t, err := texttemplate.New(name).Parse(s.builtIn[name])
	if err != nil {
		return nil, err
	}
	text, replaced := s.own[name]
	if !replaced {
		return t, nil
	}
	own, err := texttemplate.New(name).Parse(text)
	if err != nil {
		return nil, err
	}
	if own.Lookup("subject") == nil {
		_, err = own.AddParseTree("subject", t.Lookup("subject").Tree)
	}
	return own, err
}

// html returns the template of a mail's HTML: the layout with its shared blocks, and the
// mail's own block "body". Blocks that an operator's file does not define are the
// built-in ones.
func (s *sources) html(mail string) (*htmltemplate.Template, error) {
	t := htmltemplate.New(mail)
	for _, name := range []string{layout, mail + ".html"} {
		if _, err := t.New(name).Parse(s.builtIn[name]); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.own)) {
		if name != layout && name != mail+".html" {
			continue
		}
		own, err := htmltemplate.New(name).Parse(s.own[name])
		if err != nil {
			return nil, err
		}
		if name != layout && own.Lookup("body") == nil {
			return nil, fmt.Errorf(`%s does not define "body", which %s includes`, name, layout)
		}
		if _, err := t.New(name).Parse(s.own[name]); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// try renders the mail twice, with every value empty and with every value long, so that
// a template that would fail does so when the server starts.
func (t *Templates) try(k kind) error {
	for _, typed := range []string{"", strings.Repeat("much ", 1000)} {
		c, err := k.sample(t, typed)
		if err != nil {
			return err
		}
		switch {
		case c.Subject == "":
			return fmt.Errorf(`%s.txt produces an empty subject; write {{define "subject"}}…{{end}}`, k.name)
		case !strings.Contains(c.Text, c.link):
			return fmt.Errorf("%s.txt produces a mail without its link; write {{.Link}}", k.name)
		case !links(c.HTML, c.link):
			return fmt.Errorf(`%s.html produces, with %s, a mail without its link; write {{template "action" .}} or <a href="{{.Link}}">`, k.name, layout)
		}
	}
	return nil
}

// links reports whether the HTML has an element that links to the address, which may be
// percent-encoded.
func links(text, address string) bool {
	want, err := url.PathUnescape(address)
	if err != nil {
		return false
	}
	z := html.NewTokenizer(strings.NewReader(text))
	for next := z.Next(); next != html.ErrorToken; next = z.Next() {
		tag := z.Token()
		if next != html.StartTagToken || tag.DataAtom != atom.A {
			continue
		}
		for _, a := range tag.Attr {
			if got, err := url.PathUnescape(a.Val); a.Key == "href" && err == nil && got == want {
				return true
			}
		}
	}
	return false
}
