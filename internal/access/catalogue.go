package access

import (
	"bytes"
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// The permissions this program itself asks for. The rest of the catalogue is
// the host product's.
const (
	MembersRead   = "members.read"
	MembersInvite = "members.invite"
	RolesAssign   = "roles.assign"
	AuditRead     = "audit.read"
)

// Permission is one task somebody may be allowed to do.
type Permission struct {
	Key         string `yaml:"key"`
	Name        string `yaml:"name"`
	Description string `yaml:"description"`
}

// Module is a group of permissions, as a matrix shows them.
type Module struct {
	Key         string       `yaml:"key"`
	Name        string       `yaml:"name"`
	Permissions []Permission `yaml:"permissions"`
}

// RoleTemplate is a read-only role of a preset, its permissions spelt out.
type RoleTemplate struct {
	Key         string   `yaml:"key"`
	Name        string   `yaml:"name"`
	Description string   `yaml:"description"`
	Permissions []string `yaml:"permissions"`
}

// Preset is the set of roles a new account starts with.
type Preset struct {
	Key   string         `yaml:"key"`
	Name  string         `yaml:"name"`
	Roles []RoleTemplate `yaml:"roles"`
}

// Catalogue knows every permission and preset. It is read once at start and
// never changes.
type Catalogue struct {
	modules []Module
	presets []Preset
	all     Set
}

//go:embed catalogue.yaml
var builtinCatalogue []byte

//go:embed presets.yaml
var builtinPresets []byte

// NewCatalogue reads the built-in catalogue and presets.
func NewCatalogue() (*Catalogue, error) {
	var doc struct {
		Modules []Module `yaml:"modules"`
	}
	if err := decode(builtinCatalogue, &doc); err != nil {
		return nil, fmt.Errorf("permission catalogue: %w", err)
	}
	c := &Catalogue{modules: doc.Modules, all: Set{}}
	for _, m := range c.modules {
		for _, p := range m.Permissions {
			if !strings.HasPrefix(p.Key, m.Key+".") {
				return nil, fmt.Errorf("permission catalogue: %s stands in module %s", p.Key, m.Key)
			}
			if c.all.Has(p.Key) {
				return nil, fmt.Errorf("permission catalogue: %s stands twice", p.Key)
			}
			c.all[p.Key] = struct{}{}
		}
	}
	var presets struct {
		Presets []Preset `yaml:"presets"`
	}
	if err := decode(builtinPresets, &presets); err != nil {
		return nil, fmt.Errorf("role presets: %w", err)
	}
	for _, p := range presets.Presets {
		for i := range p.Roles {
			if err := c.expand(&p.Roles[i]); err != nil {
				return nil, fmt.Errorf("role preset %s: %w", p.Key, err)
			}
		}
	}
	c.presets = presets.Presets
	return c, nil
}

func decode(text []byte, into any) error {
	return yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(into)
}

// expand replaces the patterns of a role by the keys they stand for, sorted.
func (c *Catalogue) expand(r *RoleTemplate) error {
	held := Set{}
	for _, pattern := range r.Permissions {
		keys, err := c.match(pattern)
		if err != nil {
			return fmt.Errorf("role %s: %w", r.Key, err)
		}
		held.add(keys)
	}
	r.Permissions = held.Keys()
	return nil
}

func (c *Catalogue) match(pattern string) ([]string, error) {
	var keys []string
	for k := range c.all {
		module, ok := strings.CutSuffix(pattern, "*")
		if k == pattern || ok && strings.HasPrefix(k, module) {
			keys = append(keys, k)
		}
	}
	if keys == nil {
		return nil, fmt.Errorf("%q is no permission of the catalogue", pattern)
	}
	return keys, nil
}

// Modules returns the catalogue in its order. The caller does not change it.
func (c *Catalogue) Modules() []Module { return c.modules }

// All returns every permission there is. The caller does not change it.
func (c *Catalogue) All() Set { return c.all }

// PresetKeys returns the keys of all presets, in their order.
func (c *Catalogue) PresetKeys() []string {
	keys := make([]string, len(c.presets))
	for i, p := range c.presets {
		keys[i] = p.Key
	}
	return keys
}

// Preset returns the preset with the key, or an error that names the ones
// there are.
func (c *Catalogue) Preset(key string) (Preset, error) {
	i := slices.IndexFunc(c.presets, func(p Preset) bool { return p.Key == key })
	if i < 0 {
		return Preset{}, fmt.Errorf("there is no role preset %q; choose one of %s", key, strings.Join(c.PresetKeys(), ", "))
	}
	return c.presets[i], nil
}
