package limit

import "time"

// SetTimer replaces the timer of a gate's queue.
func (g *Gate) SetTimer(after func(time.Duration) (<-chan time.Time, func() bool)) { g.after = after }

// Rest is what the gate still keeps of parties; zero when nobody is inside or waits.
func (g *Gate) Rest() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.held) + len(g.queues) + len(g.turns) + g.shares.All - g.free
}
