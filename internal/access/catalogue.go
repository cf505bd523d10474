package access

import (
	"embed"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// The permissions that this program itself checks. The host product checks the rest of the
// catalogue.
const (
	AccountRead       = "account.read"
	AccountUpdate     = "account.update"
	TeamCreate        = "team.create"
	TeamUpdate        = "team.update"
	TeamDelete        = "team.delete"
	MembersRead       = "members.read"
	MembersInvite     = "members.invite"
	MembersUpdate     = "members.update"
	MembersDeactivate = "members.deactivate"
	MembersRemove     = "members.remove"
	RolesRead         = "roles.read"
	RolesAssign       = "roles.assign"
	RolesManage       = "roles.manage"
	APIKeysRead       = "apikeys.read"
	APIKeysManage     = "apikeys.manage"
	AuditRead         = "audit.read"
)

// Permission is the right to do one kind of task.
type Permission struct {
	Key         string `yaml:"key"`
	Name        string `yaml:"name"`
	Description string `yaml:"description"`
}

// Module is a group of permissions that are shown together.
type Module struct {
	Key         string       `yaml:"key"`
	Name        string       `yaml:"name"`
	Permissions []Permission `yaml:"permissions"`
}

// RoleTemplate is a read-only role of a preset. Its patterns are expanded to keys.
type RoleTemplate struct {
	Key         string   `yaml:"key"`
	Name        string   `yaml:"name"`
	Description string   `yaml:"description"`
	Permissions []string `yaml:"permissions"`
	// Except lists the keys and patterns that are removed from the patterns of the file.
	// They are already removed from Permissions.
	Except []string `yaml:"except"`
}

// Preset is the set of roles a new account starts with.
type Preset struct {
	Key  string `yaml:"key"`
	Name string `yaml:"name"`
	// Admin is the key of the role that a former owner gets.
	Admin string         `yaml:"admin"`
	Roles []RoleTemplate `yaml:"roles"`
}

// Catalogue holds all permissions and presets. It is read once at the start and never
// changes.
type Catalogue struct {
	modules []Module
	presets []Preset
	all     Set
}

//go:embed catalogue.yaml presets.yaml
var builtin embed.FS

// NewCatalogue reads the built-in catalogue and presets, and then the operator's files,
// which add to them. It reads all permissions before the presets, so that the patterns of
// built-in presets include the operator's permissions. Its errors have the form
// PATH:LINE: reason.
func NewCatalogue(files ...string) (*Catalogue, error) {
	parts, err := readAll(builtin.ReadFile, "catalogue.yaml", "presets.yaml")
	if err != nil {
		return nil, err
	}
	added, err := readAll(os.ReadFile, files...)
	if err != nil {
		return nil, err
	}
	parts = append(parts, added...)
	c := &Catalogue{all: Set{}}
	for _, f := range parts {
		if err := c.addModules(f); err != nil {
			return nil, err
		}
	}
	for _, f := range parts {
		if err := c.addPresets(f); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// addModules adds a file's modules and permissions. A file may add permissions to an
// existing module.
func (c *Catalogue) addModules(f *file) error {
	for i, m := range f.Modules {
		place := fmt.Sprintf("$.modules[%d]", i)
		at := slices.IndexFunc(c.modules, func(there Module) bool { return there.Key == m.Key })
		if at < 0 {
			at = len(c.modules)
			c.modules = append(c.modules, Module{Key: m.Key, Name: m.Name})
		}
		into := &c.modules[at]
		if err := f.named(place, "", m.Key, into.Name); err != nil {
			return err
		}
		if m.Name != "" && m.Name != into.Name {
			return f.refuse(place+".name", "the module %s exists and its name is %q; omit the name", m.Key, into.Name)
		}
		if len(m.Permissions) == 0 {
			return f.refuse(place+".permissions", "the module %s has no permissions", m.Key)
		}
		for j, p := range m.Permissions {
			place := fmt.Sprintf("%s.permissions[%d]", place, j)
			if err := f.named(place, m.Key+".", p.Key, p.Name); err != nil {
				return err
			}
			if c.all.Has(p.Key) {
				return f.refuse(place+".key", "the permission %s exists already", p.Key)
			}
			c.all[p.Key] = struct{}{}
			into.Permissions = append(into.Permissions, p)
		}
	}
	return nil
}

func (c *Catalogue) addPresets(f *file) error {
	for i, p := range f.Presets {
		place := fmt.Sprintf("$.presets[%d]", i)
		if err := f.named(place, "", p.Key, p.Name); err != nil {
			return err
		}
		if slices.Contains(c.PresetKeys(), p.Key) {
			return f.refuse(place+".key", "the preset %s exists already", p.Key)
		}
		if len(p.Roles) == 0 {
			return f.refuse(place+".roles", "the preset %s has no roles", p.Key)
		}
		roles := Set{}
		for j := range p.Roles {
			r, place := &p.Roles[j], fmt.Sprintf("%s.roles[%d]", place, j)
			if err := f.named(place, "", r.Key, r.Name); err != nil {
				return err
			}
			if roles.Has(r.Key) {
				return f.refuse(place+".key", "the preset %s has a role %s already", p.Key, r.Key)
			}
			roles[r.Key] = struct{}{}
			if err := c.expand(f, place, r); err != nil {
				return err
			}
		}
		if !roles.Has(p.Admin) {
			return f.refuse(place+".admin", "the admin of the preset %s must be the key of one of its roles", p.Key)
		}
		c.presets = append(c.presets, p)
	}
	return nil
}

// expand replaces the patterns of a role by the keys that they match, sorted. It refuses an
// exception that removes nothing, because that is a mistake by which members would hold
// more than intended.
func (c *Catalogue) expand(f *file, place string, r *RoleTemplate) error {
	held, except := Set{}, Set{}
	for i, pattern := range r.Permissions {
		keys := c.match(pattern)
		if keys == nil {
			return f.refuse(fmt.Sprintf("%s.permissions[%d]", place, i), "%q matches no permission", pattern)
		}
		held.add(keys)
	}
	for i, pattern := range r.Except {
		keys := c.match(pattern)
		if !slices.ContainsFunc(keys, held.HasOwn) {
			return f.refuse(fmt.Sprintf("%s.except[%d]", place, i), "%q matches no permission of the role", pattern)
		}
		except.add(keys)
	}
	maps.DeleteFunc(held, func(key string, _ struct{}) bool { return except.covers(key) })
	held.tidy()
	r.Permissions = held.Keys()
	return nil
}

// match returns the keys that a pattern matches: `*`, `module.*`, `*.task` or a single key,
// each also with Own.
func (c *Catalogue) match(pattern string) []string {
	pattern, own := strings.CutSuffix(pattern, Own)
	var keys []string
	for key := range c.all {
		module, task, _ := strings.Cut(key, ".")
		if pattern != key && pattern != "*" && pattern != module+".*" && pattern != "*."+task {
			continue
		}
		if own {
			key += Own
		}
		keys = append(keys, key)
	}
	return keys
}

// Modules returns the modules in the catalogue's order. The caller must not change them.
func (c *Catalogue) Modules() []Module { return c.modules }

// All returns all permissions, without Own. The caller must not change the set.
func (c *Catalogue) All() Set { return c.all }

// Knows reports whether the key can be granted: it is a permission of the catalogue, or
// one with Own.
func (c *Catalogue) Knows(key string) bool { return c.all.Has(strings.TrimSuffix(key, Own)) }

// PresetKeys returns the keys of all presets, in their order.
func (c *Catalogue) PresetKeys() []string {
	keys := make([]string, len(c.presets))
	for i, p := range c.presets {
		keys[i] = p.Key
	}
	return keys
}

// Preset returns the preset with the key, or an error that lists all keys.
func (c *Catalogue) Preset(key string) (Preset, error) {
	i := slices.IndexFunc(c.presets, func(p Preset) bool { return p.Key == key })
	if i < 0 {
		return Preset{}, fmt.Errorf("there is no role preset %q; choose one of %s", key, strings.Join(c.PresetKeys(), ", "))
	}
	return c.presets[i], nil
}
