package access

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/account"
	"github.com/convoke-dev/convoke/ent/apikey"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/session"
	"github.com/convoke-dev/convoke/ent/user"
)

const (
	// trustedFor is how long a cache entry is valid. A change in this process drops the
	// entries at once, so this bounds how late the change of another process shows.
	trustedFor = time.Second
	// maxCached bounds the entries of a cache, and maxWeight what they hold together, in
	// bytes. A full cache is emptied.
	maxCached = 20_000
	maxWeight = 64 << 20
)

// Changes counts the commits of this process that may change what anybody may do: of
// members, roles, groups, divisions, addresses and their proofs, the status of accounts,
// API keys, and ends of sessions. The guard counts, so that no verb can forget to.
type Changes struct{ n, ended atomic.Uint64 }

// Count returns the number of changes so far.
func (c *Changes) Count() uint64 { return c.n.Load() }

// Ended returns how many of the changes may have ended sessions or API keys.
func (c *Changes) Ended() uint64 { return c.ended.Load() }

func (c *Changes) add(typ string) {
	c.n.Add(1)
	if typ == ent.TypeSession || typ == ent.TypeAPIKey {
		c.ended.Add(1)
	}
}

// watch counts the mutation, after the commit if it is part of a transaction.
func (c *Changes) watch(m ent.Mutation) {
	if !changesAccess(m) {
		return
	}
	var tx *ent.Tx
	if in, ok := m.(interface{ Tx() (*ent.Tx, error) }); ok {
		tx, _ = in.Tx() // an error means that there is none
	}
	if tx == nil {
		c.add(m.Type())
		return
	}
	tx.OnCommit(func(next ent.Committer) ent.Committer {
		return ent.CommitFunc(func(ctx context.Context, tx *ent.Tx) error {
			defer c.add(m.Type()) // also after an error, because the commit may have happened
			return next.Commit(ctx, tx)
		})
	})
}

// bookkeeping are the columns of a member that have nothing to do with permissions.
var bookkeeping = []string{member.FieldEmailKey, member.FieldSortName, member.FieldSearch, member.FieldSeenUnix}

func changesAccess(m ent.Mutation) bool {
	switch m.Type() {
	case ent.TypeMember:
		fields, edges := m.Fields(), len(m.AddedEdges())+len(m.RemovedEdges())+len(m.ClearedEdges())
		return !m.Op().Is(ent.OpUpdate|ent.OpUpdateOne) || len(fields) == 0 || edges > 0 ||
			slices.ContainsFunc(fields, func(f string) bool { return !slices.Contains(bookkeeping, f) })
	case ent.TypeRole, ent.TypeGroup, ent.TypeDivision:
		return true
	case ent.TypeUser: // a viewer has the address, and receives invitations by it
		return !m.Op().Is(ent.OpCreate) && (slices.Contains(m.Fields(), user.FieldEmailKey) || slices.Contains(m.Fields(), user.FieldEmailProof))
	case ent.TypeAccount:
		return slices.Contains(m.Fields(), account.FieldStatus)
	case ent.TypeAPIKey:
		return m.Op().Is(ent.OpUpdate|ent.OpUpdateOne) && (slices.Contains(m.Fields(), apikey.FieldPermissions) || slices.Contains(m.Fields(), apikey.FieldRevokedAt))
	case ent.TypeSession:
		return m.Op().Is(ent.OpDelete|ent.OpDeleteOne) || m.Op().Is(ent.OpUpdate|ent.OpUpdateOne) && slices.Contains(m.Fields(), session.FieldTokenHash)
	default:
		return false
	}
}

// Cache keeps values that depend on what people hold, until that changes or trustedFor
// has passed. NewCache makes one.
type Cache[K comparable, V any] struct {
	changes *Changes
	now     func() time.Time

	mu      sync.Mutex
	at      uint64 // the count of changes the entries belong to
	entries map[K]cached[V]
	weight  int // of the entries; at least that of those that were replaced, too
}

// Weighed is a value that knows how many bytes it holds, roughly.
type Weighed interface{ Weight() int }

type cached[V any] struct {
	value  V
	loaded time.Time
}

// NewCache returns an empty cache whose entries these changes drop.
func NewCache[K comparable, V any](changes *Changes, now func() time.Time) *Cache[K, V] {
	return &Cache[K, V]{changes: changes, now: now, entries: map[K]cached[V]{}}
}

// Get returns the value under the key if it is still valid.
func (c *Cache[K, V]) Get(key K) (value V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at != c.changes.Count() {
		return value, false
	}
	e, ok := c.entries[key]
	if age := c.now().Sub(e.loaded); !ok || age < 0 || age > trustedFor {
		return value, false
	}
	return e.value, true
}

// Put keeps the value, unless something has changed since the count was taken. The
// caller takes the count before it begins to load the value.
func (c *Cache[K, V]) Put(count uint64, key K, value V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if count != c.changes.Count() {
		return
	}
	weight := 0
	if w, is := any(value).(Weighed); is {
		weight = w.Weight()
	}
	if c.at != count || len(c.entries) >= maxCached || c.weight+weight > maxWeight {
		clear(c.entries)
		c.at, c.weight = count, 0
	}
	c.weight += weight
	c.entries[key] = cached[V]{value, c.now()}
}
