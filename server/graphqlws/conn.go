package graphqlws

import (
	"context"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// conn is one connection, as its operations know it: a socket or a Line. Each operation
// that is being executed has a goroutine.
type conn struct {
	t       *Transport
	carrier carrier
	exec    graphql.GraphExecutor

	// ctx is the parent context of all operations of a socket. Init may replace it,
	// which is before the first operation.
	ctx    context.Context //nolint:containedctx // the connection outlives its request
	cancel context.CancelFunc
	opened time.Time

	// writing is held while a message is written, because messages are written one at
	// a time. It is locked before mu, never after.
	writing sync.Mutex

	mu         sync.Mutex
	stopping   bool                  // new operations are ignored
	why        *CloseError           // set when closing starts
	operations map[string]*operation // those that may still send, by id
	running    int                   // operations that have not ended yet, including those that send nothing any more
	held       int                   // what those hold together, in bytes
	idle       chan struct{}         // closed when stopping and running is 0

	ended sync.WaitGroup // counts running, for release

	leave   func() // frees the place of Transport.Place; only serve changes it
	session string // guarded by Transport.mu
}

// carrier takes the messages of a connection to its client.
type carrier interface {
	// next writes one response of an operation, and last the end of one, with errors
	// or without. The caller holds writing.
	next(op *operation, answer *graphql.Response)
	last(op *operation, errs gqlerror.List)
	// close starts to close the connection, and tells the client why.
	close(why CloseError)
	// hangUp is called once, when the connection starts to close; the caller holds mu.
	hangUp()
	// closed is called when the connection and all of its operations have ended.
	closed(why CloseError)
}

func (c *conn) closing() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.why != nil
}

// startClosing records why the connection ends, and cancels its operations. It returns
// false when closing had already started; the first reason counts.
func (c *conn) startClosing(why CloseError) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.why != nil {
		return false
	}
	c.why = &why
	c.cancel()
	for _, op := range c.operations {
		op.cancel()
		op.wake() // it is executed once more, finds its context cancelled, and closes its source
	}
	c.carrier.hangUp()
	return true
}

// release waits until all operations have ended, forgets the connection, and reports
// its end. It is called once, after closing has started.
func (c *conn) release() {
	c.ended.Wait()
	c.t.remove(c)
	c.leave()
	c.carrier.closed(*c.why)
	c.t.open.Done()
}

// stop ends the subscriptions without a message, because their clients reconnect by
// themselves after close code 1012, or when a stream ends. Queries and mutations may go
// on until they finish, for at most within. Then the connection is closed.
func (c *conn) stop(within time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopping {
		return
	}
	idle := make(chan struct{})
	c.stopping, c.idle = true, idle
	for _, op := range c.operations {
		if op.stream {
			c.forget(op)
		}
	}
	c.signalIdle()
	go func() { // ends when no operation runs any more, or after within
		select {
		case <-idle:
		case <-time.After(within):
		}
		c.carrier.close(CloseError{serviceRestart, "the server is stopping"})
	}()
}

// endAll sends the errors as the last message of every operation, and then closes
// the connection.
func (c *conn) endAll(errs gqlerror.List, why CloseError) {
	c.mu.Lock()
	ops := make([]*operation, 0, len(c.operations))
	for _, op := range c.operations {
		ops = append(ops, op)
	}
	c.mu.Unlock()
	for _, op := range ops {
		c.finish(op, errs)
	}
	// An operation that has just ended by itself may still be writing its last message.
	c.writing.Lock()
	c.writing.Unlock() //nolint:staticcheck // it only waits
	c.carrier.close(why)
}
