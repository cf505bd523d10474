// Package limit limits how often something is done (Bucket), how often something is guessed
// (Guesses), how much is done at once (Gate), and how much is open at once (Places). It
// counts in memory, separately in each process, and is exact under parallel requests. The
// number of keys is bounded: above maxKeys, the least recently used ones are dropped. A Gate
// and Places keep only the keys that are in use.
package limit

import (
	"fmt"
	"net/netip"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"

	"github.com/convoke-dev/convoke/internal/fault"
)

// maxKeys is the largest number of keys of one limit: about 10 MB.
const maxKeys = 50_000

// Rule allows N in the time Per, refilled evenly, and at most N at once. The zero rule
// limits nothing.
type Rule struct {
	N   int
	Per time.Duration
}

func (r Rule) limiter() *rate.Limiter {
	return rate.NewLimiter(rate.Every(r.Per/time.Duration(r.N)), r.N)
}

// Bucket limits how often something is done, by key. Nil limits nothing.
type Bucket struct {
	rule Rule
	what string
	now  func() time.Time

	mu   sync.Mutex
	keys *lru.Cache[string, *rate.Limiter]
}

// NewBucket returns a limit with the rule, or nil for the zero rule. what completes the
// sentence of the refusal, such as "invitations".
func NewBucket(r Rule, what string, now func() time.Time) (*Bucket, error) {
	if r.N == 0 {
		return nil, nil //nolint:nilnil // no limit is a limit
	}
	keys, err := lru.New[string, *rate.Limiter](maxKeys)
	if err != nil {
		return nil, fmt.Errorf("limit %s: %w", what, err)
	}
	return &Bucket{rule: r, what: what, now: now, keys: keys}, nil
}

// Take counts n for the key. It fails with RATE_LIMITED, and counts nothing, when that
// exceeds the limit. An n above N counts as N.
func (b *Bucket) Take(key string, n int) error {
	if b == nil || n == 0 {
		return nil
	}
	n, now := min(n, b.rule.N), b.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	l, known := b.keys.Get(key)
	if !known {
		l = b.rule.limiter()
		b.keys.Add(key, l)
	}
	r := l.ReserveN(now, n)
	wait := r.DelayFrom(now)
	if wait == 0 {
		return nil
	}
	r.CancelAt(now)
	return tooMany(b.what, wait)
}

// Left returns the rule and how much of it is left for the key now. limits is false when b
// limits nothing.
func (b *Bucket) Left(key string) (rule Rule, left int, limits bool) {
	if b == nil {
		return Rule{}, 0, false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	left = b.rule.N
	if l, known := b.keys.Peek(key); known {
		left = max(int(l.TokensAt(b.now())), 0)
	}
	return b.rule, left, true
}

func tooMany(what string, wait time.Duration) *fault.Error {
	f := fault.Refuse(fault.RateLimited, "Too many %s; try again in %d seconds.", what, int(wait.Seconds())+1)
	f.RetryAfter = wait
	return f
}

// Network returns the key for a client address. For IPv6 it is the /64, because one
// customer of a provider has a whole /64.
func Network(ip string) string {
	addr, err := netip.ParseAddr(ip)
	if err != nil || addr.Unmap().Is4() {
		return ip
	}
	return netip.PrefixFrom(addr.WithZone(""), 64).Masked().String()
}
