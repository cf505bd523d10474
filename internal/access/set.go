package access

import (
	"maps"
	"slices"
	"strings"
)

// Own is the suffix of a permission that counts only for resources of its holder, as in
// certificates.approve:own.
const Own = ":own"

// Set is a set of permission keys. Grants are compared as sets, never by the
// names of roles.
type Set map[string]struct{}

// NewSet returns the set of the keys.
func NewSet(keys ...string) Set {
	s := make(Set, len(keys))
	s.add(keys)
	return s
}

func (s Set) add(keys []string) {
	for _, k := range keys {
		s[k] = struct{}{}
	}
}

// Has reports whether exactly this key is in the set.
func (s Set) Has(key string) bool {
	_, ok := s[key]
	return ok
}

// HasOwn reports whether the set permits the task on resources of the holder, by the key
// or by the key with Own. The key is given without Own.
func (s Set) HasOwn(key string) bool { return s.Has(key) || s.Has(key+Own) }

// Covers reports whether the set permits everything that the other set permits. A key
// covers itself with Own, and not the other way round.
func (s Set) Covers(other Set) bool {
	for k := range other {
		if !s.covers(k) {
			return false
		}
	}
	return true
}

func (s Set) covers(key string) bool { return s.Has(key) || s.Has(strings.TrimSuffix(key, Own)) }

// Keys returns the keys in alphabetical order, never nil.
func (s Set) Keys() []string {
	if len(s) == 0 {
		return []string{}
	}
	return slices.Sorted(maps.Keys(s))
}

// tidy drops a key with Own when the set has the key without it.
func (s Set) tidy() {
	for k := range s {
		if plain, own := strings.CutSuffix(k, Own); own && s.Has(plain) {
			delete(s, k)
		}
	}
}
