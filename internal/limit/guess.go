package limit

import (
	"context"
	"fmt"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

// Outcome is the outcome of a guess.
type Outcome int

// The outcomes. A right guess deletes the wrong guesses before it.
const (
	Wrong Outcome = iota
	Right
	NotMade
)

// Guesses limits the number of wrong guesses for each key. A guess counts from its
// beginning, so that parallel guesses cannot exceed the limit; a right guess is not
// counted in the end. Nil limits nothing.
type Guesses struct {
	rule Rule
	what string
	now  func() time.Time

	mu   sync.Mutex
	keys *lru.Cache[string, *guessing]
}

// guessing is the state of one key.
type guessing struct {
	wrong    *rate.Limiter
	underWay int
	done     chan struct{} // closed and replaced when a guess is done
}

// NewGuesses returns a limit with the rule, or nil for the zero rule. what completes the
// sentence of the refusal, such as "attempts to sign in".
func NewGuesses(r Rule, what string, now func() time.Time) (*Guesses, error) {
	if r.N == 0 {
		return nil, nil //nolint:nilnil // no limit is a limit
	}
	keys, err := lru.New[string, *guessing](maxKeys)
	if err != nil {
		return nil, fmt.Errorf("limit %s: %w", what, err)
	}
	return &Guesses{rule: r, what: what, now: now, keys: keys}, nil
}

// Begin waits until the guess may be made, and returns a function that the caller calls
// with its outcome. It waits only while so many guesses are being made that one more
// wrong guess could exceed the limit. It fails with RATE_LIMITED after too many wrong
// guesses, and with the context's error when the context ends.
func (g *Guesses) Begin(ctx context.Context, key string) (end func(Outcome), err error) {
	if g == nil {
		return func(Outcome) {}, nil
	}
	for {
		k, wait, busy := g.try(key)
		switch {
		case wait > 0:
			return nil, tooMany(g.what, wait)
		case busy == nil:
			return func(o Outcome) { g.end(k, o) }, nil
		}
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for other %s: %w", g.what, ctx.Err())
		}
	}
}

// try begins a guess. Otherwise it returns how long the next one has to wait, or the
// channel to wait for.
func (g *Guesses) try(key string) (k *guessing, wait time.Duration, busy <-chan struct{}) {
	now := g.now()
	g.mu.Lock()
	defer g.mu.Unlock()
	k, known := g.keys.Get(key)
	if !known {
		k = &guessing{wrong: g.rule.limiter(), done: make(chan struct{})}
		g.keys.Add(key, k)
	}
	left := int(k.wrong.TokensAt(now))
	switch {
	case left < 1:
		r := k.wrong.ReserveN(now, 1)
		wait = max(r.DelayFrom(now), time.Second)
		r.CancelAt(now)
		return k, wait, nil
	case k.underWay >= left:
		return k, 0, k.done
	}
	k.underWay++
	return k, 0, nil
}

func (g *Guesses) end(k *guessing, o Outcome) {
	g.mu.Lock()
	defer g.mu.Unlock()
	k.underWay--
	switch o {
	case Right:
		k.wrong = g.rule.limiter()
	case Wrong:
		k.wrong.AllowN(g.now(), 1)
	case NotMade:
	}
	close(k.done)
	k.done = make(chan struct{})
}

// Forget deletes the wrong guesses of a key.
func (g *Guesses) Forget(key string) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if k, known := g.keys.Get(key); known {
		k.wrong = g.rule.limiter()
	}
}
