package server

import (
	"sync"
	"time"
)

// maxAhead is how far a clock may be ahead of the system's. When the system's clock is set back
// further, it was wrong before, and the clock follows it.
const maxAhead = 24 * time.Hour

// Clock returns the clock in UTC, to the microsecond, because PostgreSQL keeps no more. It
// never goes back: what has expired stays so when the system's clock is set back. It then
// runs at half speed until the system's clock has caught up, so no wait gets longer than
// twice its time. When the system's clock is set forward, it follows at once.
func Clock(now func() time.Time) func() time.Time {
	c := &steady{system: now}
	return c.now
}

// systemClock returns the clock as it is, for what is compared with the clocks of others.
func systemClock(now func() time.Time) func() time.Time {
	return func() time.Time { return whole(now()) }
}

// whole returns the time in UTC without the reading of the monotonic clock.
func whole(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// steady is a clock that never goes back.
type steady struct {
	system func() time.Time

	mu   sync.Mutex
	read time.Time // what the system's clock showed last, with its monotonic reading
	at   time.Time // what this clock showed last
}

func (c *steady) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	read := c.system()
	wall := whole(read)
	passed := max(read.Sub(c.read), 0) // by the monotonic clock, if there is one
	next := wall
	if ahead := c.at.Sub(wall); ahead > 0 && ahead <= maxAhead {
		next = c.at.Add(passed / 2).Truncate(time.Microsecond)
	}
	if next.Before(wall) {
		next = wall
	}
	c.read, c.at = read, next
	return next
}

// ticks returns a clock that no change of the system's clock moves, for limits that this
// process alone counts.
func ticks() func() time.Time {
	start := time.Now()
	return func() time.Time { return start.Add(time.Since(start)) }
}
