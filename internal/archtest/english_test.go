package archtest

import (
	"go/parser"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// masculine are words for a person whose sex the program cannot know. People are "they".
var masculine = regexp.MustCompile(`(?i)\b(he|him|his|himself|whoever|whomever)\b`)

// prose returns the lines of a text that hold such a word, with their numbers from 1.
func prose(text string) (lines map[int]string) {
	lines = map[int]string{}
	for n, line := range strings.Split(text, "\n") {
		if masculine.MatchString(line) {
			lines[n+1] = strings.TrimSpace(line)
		}
	}
	return lines
}

func TestPeopleAreThey(t *testing.T) {
	t.Parallel()
	root := os.DirFS(filepath.Join("..", ".."))
	read := 0
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || d.Name() == "dist" || d.Name() == "bin"):
			return fs.SkipDir
		case d.IsDir():
			return nil
		}
		switch filepath.Ext(name) {
		case ".graphqls", ".md", ".yaml", ".ts", ".tsx", ".html":
		default:
			return nil
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		read++
		for n, line := range prose(string(text)) {
			t.Errorf("%s:%d: people are they: %s", name, n, line)
		}
		return nil
	})
	if err != nil || read == 0 {
		t.Fatalf("%d files read, %v, want some", read, err)
	}
	for _, s := range sources(t, parser.ParseComments, ours) {
		for _, group := range s.file.Comments {
			for _, c := range group.List {
				if masculine.MatchString(c.Text) {
					t.Errorf("%s: people are they: %s", s.at(c), c.Text)
				}
			}
		}
	}
}

// ours reports whether people write the file.
func ours(s source) bool {
	generated := within(s.path, "ent") && !within(s.path, "ent/schema") && s.path != "ent/entc.go" ||
		within(s.path, "graph/generated") || s.path == "graph/model/models_gen.go"
	return !generated && s.path != "internal/archtest/english_test.go"
}

func TestWordsForMenAreFound(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]bool{
		"What he may do.":        true,
		"Ends his session.":      true,
		"HIM":                    true,
		"Whoever asks.":          true,
		"What they may do.":      false,
		"This, the history, she": false,
		"Cached, there, theirs.": false,
	} {
		if got := len(prose(line)) > 0; got != want {
			t.Errorf("%q: got %t, want %t", line, got, want)
		}
	}
}
