package access

import (
	"regexp"
	"testing"
)

// FuzzParse reads an operator's file as NewCatalogue does, without the built-in ones.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"modules:\n  - key: shop\n    name: Shop\n    permissions:\n      - key: shop.sell\n        name: Sell\n",
		"modules:\n  - key: a\n    name: A\n    permissions: [{key: a.b, name: B}, {key: a.c, name: C}]\npresets:\n  - key: p\n    name: P\n    admin: r\n    roles: [{key: r, name: R, permissions: [\"*\"], except: [\"a.c:own\"]}]\n",
		"", "---\n---\n", "modules: 010\n", "modules: []\n", "a: &a [*a]\n", "modules: !!binary x\n", "presets:\n- key: p\n", "? x\n: y\n", "modules:\n - key: \"\\0\"\n", "<<: {modules: []}\n",
	} {
		f.Add([]byte(text))
	}
	located := regexp.MustCompile(`(?s)^own\.yaml:[1-9][0-9]*: .`)
	f.Fuzz(func(t *testing.T, text []byte) {
		c := &Catalogue{all: Set{}}
		own, err := parse("own.yaml", text)
		if err == nil {
			err = c.addModules(own)
		}
		if err == nil {
			err = c.addPresets(own)
		}
		if err != nil {
			if !located.MatchString(err.Error()) {
				t.Errorf("%q: got %q, want the file and line", text, err)
			}
			return
		}
		for key := range c.All() {
			if !c.Knows(key) || !c.Knows(key+Own) {
				t.Errorf("%q: %q is not known", text, key)
			}
		}
		for _, p := range c.presets {
			for _, r := range p.Roles {
				for _, key := range r.Permissions {
					if !c.Knows(key) {
						t.Errorf("%q: the role %q holds %q, which does not exist", text, r.Key, key)
					}
				}
			}
		}
	})
}
