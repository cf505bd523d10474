package access

import (
	"maps"
	"slices"
)

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

// Has reports whether the key is in the set.
func (s Set) Has(key string) bool {
	_, ok := s[key]
	return ok
}

// Covers reports whether every key of other is in the set.
func (s Set) Covers(other Set) bool {
	for k := range other {
		if !s.Has(k) {
			return false
		}
	}
	return true
}

// Keys returns the keys in alphabetical order, never nil.
func (s Set) Keys() []string {
	if len(s) == 0 {
		return []string{}
	}
	return slices.Sorted(maps.Keys(s))
}
