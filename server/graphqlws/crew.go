package graphqlws

import (
	"runtime"
	"sync"
	"time"
)

// stuckAfter is how long an operation may go on before it no longer counts as
// one of a few: it waits for its client, or for a database.
const stuckAfter = 2 * time.Millisecond

// crew has operations that were woken go on, a few at a time: ten thousand that
// hear of one event need neither ten thousand stacks nor a turn each for the
// scheduler. Those that are stuck keep nobody waiting for long. Its goroutines end when
// there is nothing to do. The zero value is ready for use.
type crew struct {
	mu      sync.Mutex
	queue   []*operation
	workers map[*worker]struct{}
	stuck   int    // workers whose operation takes long
	round   uint64 // counts looks at the workers
	looking bool
}

type worker struct {
	began uint64 // the round in which its operation went on
	stuck bool
}

// size is how many operations go on at once when none is stuck. Two more come for
// each one that is: however many are, those behind them wait for milliseconds.
func (c *crew) size() int { return max(2, runtime.GOMAXPROCS(0)) }

// add has the operation go on soon. It never blocks.
func (c *crew) add(op *operation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue = append(c.queue, op)
	c.hire()
}

// hire starts as many workers as are needed; the caller holds mu.
func (c *crew) hire() {
	for range min(len(c.queue), c.size()+2*c.stuck-len(c.workers)) {
		if c.workers == nil {
			c.workers = map[*worker]struct{}{}
		}
		w := &worker{began: c.round}
		c.workers[w] = struct{}{}
		go c.work(w) // ends with the queue
	}
	if len(c.queue) > 0 && !c.looking {
		c.looking = true
		time.AfterFunc(stuckAfter, c.look)
	}
}

func (c *crew) work(w *worker) {
	for {
		op := c.take(w)
		if op == nil {
			return
		}
		op.proceed()
	}
}

// take returns the operation that waits longest, or nil when the worker is not
// needed any more.
func (c *crew) take(w *worker) *operation {
	c.mu.Lock()
	defer c.mu.Unlock()
	if w.stuck {
		w.stuck = false
		c.stuck--
	}
	if len(c.queue) == 0 || len(c.workers) > c.size()+2*c.stuck {
		delete(c.workers, w)
		return nil
	}
	op := c.queue[0]
	c.queue[0] = nil
	if c.queue = c.queue[1:]; len(c.queue) == 0 {
		c.queue = nil
	}
	w.began = c.round
	return op
}

// look finds the stuck while others wait.
func (c *crew) look() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.round++
	for w := range c.workers {
		if !w.stuck && w.began+1 < c.round {
			w.stuck = true
			c.stuck++
		}
	}
	c.looking = false
	c.hire()
}
