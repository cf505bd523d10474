package graphqlws

import (
	"runtime"
	"sync"
	"time"
)

// stuckAfter is how long a worker may take for one operation before it counts as
// stuck: it waits for its client, or for the database.
const stuckAfter = 2 * time.Millisecond

// pool is the worker pool that continues subscriptions after they were woken, a few at
// a time. One event can wake ten thousand subscriptions; with the pool they need
// neither ten thousand stacks nor ten thousand turns of the scheduler. Stuck workers are
// replaced, so that the queue goes on. A worker ends when the queue is empty. The zero
// value is ready for use.
type pool struct {
	mu       sync.Mutex
	queue    []*operation
	workers  map[*worker]struct{}
	stuck    int    // workers that are stuck
	round    uint64 // counts the calls of findStuck
	checking bool
}

type worker struct {
	began uint64 // the round in which it took its operation
	stuck bool
}

// size is the number of workers when none is stuck. For each stuck worker there may be
// two more, so that the operations in the queue wait for milliseconds only, however
// many workers are stuck.
func (p *pool) size() int { return max(2, runtime.GOMAXPROCS(0)) }

// add queues an operation. It never blocks.
func (p *pool) add(op *operation) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue = append(p.queue, op)
	p.grow()
}

// grow starts workers for the queue, up to the limit, and schedules findStuck while
// operations are queued; the caller holds mu.
func (p *pool) grow() {
	for range min(len(p.queue), p.size()+2*p.stuck-len(p.workers)) {
		if p.workers == nil {
			p.workers = map[*worker]struct{}{}
		}
		w := &worker{began: p.round}
		p.workers[w] = struct{}{}
		go p.work(w) // ends when the queue is empty
	}
	if len(p.queue) > 0 && !p.checking {
		p.checking = true
		time.AfterFunc(stuckAfter, p.findStuck)
	}
}

func (p *pool) work(w *worker) {
	for {
		op := p.take(w)
		if op == nil {
			return
		}
		op.proceed()
	}
}

// take returns the oldest operation of the queue, or nil when the worker has to end:
// the queue is empty, or there are more workers than the limit.
func (p *pool) take(w *worker) *operation {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w.stuck {
		w.stuck = false
		p.stuck--
	}
	if len(p.queue) == 0 || len(p.workers) > p.size()+2*p.stuck {
		delete(p.workers, w)
		return nil
	}
	op := p.queue[0]
	p.queue[0] = nil
	if p.queue = p.queue[1:]; len(p.queue) == 0 {
		p.queue = nil
	}
	w.began = p.round
	return op
}

// findStuck marks the workers that have been busy with one operation for a whole round,
// and starts others for the queue. A timer calls it while operations are queued.
func (p *pool) findStuck() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.round++
	for w := range p.workers {
		if !w.stuck && w.began+1 < p.round {
			w.stuck = true
			p.stuck++
		}
	}
	p.checking = false
	p.grow()
}
