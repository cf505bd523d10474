package access

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// word is the form of keys and of their parts.
var word = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// file is a part of the catalogue: built-in, or the operator's.
type file struct {
	path string
	body ast.Node

	Modules []Module `yaml:"modules"`
	Presets []Preset `yaml:"presets"`
}

func readAll(from func(string) ([]byte, error), paths ...string) ([]*file, error) {
	files := make([]*file, len(paths))
	for i, path := range paths {
		text, err := from(path)
		if err != nil {
			return nil, fmt.Errorf("read the catalogue: %w", err)
		}
		if files[i], err = parse(path, text); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// parse reads a file. It accepts only mappings, lists and text, because YAML would silently
// change other values: `name: 010` is a number.
func parse(path string, text []byte) (*file, error) {
	f := &file{path: path}
	tree, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, f.translate(err)
	}
	for i, doc := range tree.Docs {
		var odd oddity
		if ast.Walk(&odd, doc); odd.node != nil {
			t := odd.node.GetToken()
			return nil, f.wrong(t, "%q is not plain text; put the value in quotes", t.Value)
		}
		if i > 0 {
			return nil, f.wrong(doc.Start, "a second document begins here")
		}
		f.body = doc.Body
	}
	if f.body == nil {
		return nil, f.refuse("$", "the file is empty")
	}
	if err := yaml.NodeToValue(f.body, f, yaml.Strict()); err != nil {
		return nil, f.translate(err)
	}
	if len(f.Modules)+len(f.Presets) == 0 {
		return nil, f.refuse("$", "there are neither modules nor presets")
	}
	return f, nil
}

// oddity is the first node of a walk that is neither text nor made of text.
type oddity struct{ node ast.Node }

// Visit is called by ast.Walk.
func (o *oddity) Visit(n ast.Node) ast.Visitor {
	switch n.(type) {
	case nil, *ast.DocumentNode, *ast.MappingNode, *ast.MappingValueNode, *ast.SequenceNode, *ast.StringNode, *ast.LiteralNode, *ast.NullNode:
		return o
	}
	if o.node == nil {
		o.node = n
	}
	return nil
}

// translate converts an error of the YAML library to one with the file's path and line.
func (f *file) translate(err error) error {
	var typ *yaml.TypeError
	if errors.As(err, &typ) {
		return f.wrong(typ.Token, "the value must be text")
	}
	var located yaml.Error
	if errors.As(err, &located) {
		return f.wrong(located.GetToken(), "%s", located.GetMessage())
	}
	return f.wrong(nil, "%w", err)
}

// refuse returns the reason with path and line. A missing place has the line of the node
// that it is missing from.
func (f *file) refuse(place, reason string, args ...any) error {
	for ; place != "" && f.body != nil; place = place[:max(0, strings.LastIndexAny(place, ".["))] {
		path, err := yaml.PathString(place)
		if err != nil {
			return fmt.Errorf("find %s in %s: %w", place, f.path, err)
		}
		if n, err := path.FilterNode(f.body); err == nil && n != nil {
			return f.wrong(n.GetToken(), reason, args...)
		}
	}
	return f.wrong(nil, reason, args...)
}

// wrong returns the reason with path and line; without a token, with line 1.
func (f *file) wrong(t *token.Token, reason string, args ...any) error {
	line := 1
	if t != nil {
		line = t.Position.Line
	}
	return fmt.Errorf("%s:%d: %w", f.path, line, fmt.Errorf(reason, args...))
}

// named fails for a key that is not prefix and a word, and for a missing name.
func (f *file) named(place, prefix, key, name string) error {
	rest, prefixed := strings.CutPrefix(key, prefix)
	switch {
	case key == "":
		return f.refuse(place+".key", "the key is missing")
	case !prefixed || !word.MatchString(rest):
		return f.refuse(place+".key", "the key %q must be like %sexample_1: lower-case letters, digits and _, a letter first", key, prefix)
	case strings.TrimSpace(name) == "":
		return f.refuse(place+".name", "the name of %s is missing", key)
	}
	return nil
}
