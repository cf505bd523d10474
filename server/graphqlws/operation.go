package graphqlws

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Why an operation does not start.
var (
	ErrExists = errors.New("graphqlws: the id is in use")
	ErrClosed = errors.New("graphqlws: the connection is closed")
	errBusy   = errors.New("graphqlws: too many operations run on this connection")
)

// operation is one operation of a connection. Its id is free again when done is set.
type operation struct {
	conn   *conn
	id     string
	quoted []byte          // the id as JSON
	held   int             // bytes: see heldBy
	ctx    context.Context //nolint:containedctx // it is the operation's
	cancel context.CancelFunc

	// Only for a subscription: the function that returns its responses, the context
	// to call it with, and its state.
	answers graphql.ResponseHandler
	within  context.Context //nolint:containedctx // it is the operation's
	state   atomic.Int32

	// Guarded by conn.mu.
	stream bool // it is a subscription
	begun  bool // it is a subscription that has sent something or waits, so it was not refused
	done   bool // no message is sent for it any more
}

// The states of a subscription. At most one goroutine executes it at a time, and
// none while it waits.
const (
	running = iota
	waiting
	awoken // running, and woken since: it is executed once more before it waits
)

// wake makes a waiting subscription run again, in the worker pool. It never blocks,
// and may be called from any goroutine, more often than there is something to send.
func (op *operation) wake() {
	for {
		switch op.state.Load() {
		case waiting:
			if op.state.CompareAndSwap(waiting, running) {
				op.conn.t.pool.add(op)
				return
			}
		case running:
			if op.state.CompareAndSwap(running, awoken) {
				return
			}
		default:
			return
		}
	}
}

// park makes a running subscription wait. It returns false when the subscription was
// woken in the meantime; it is running then.
func (op *operation) park() bool {
	if op.state.CompareAndSwap(running, waiting) {
		return true
	}
	op.state.Store(running)
	return false
}

// execute starts an operation in a goroutine of its own. The goroutine ends when the
// operation ends, or when it is a subscription and waits; the worker pool continues it.
// It returns ErrExists or ErrClosed; too many operations are an error of the operation.
func (c *conn) execute(ctx context.Context, id string, params *graphql.RawParams) error {
	op, err := c.register(ctx, id, heldBy(params))
	switch {
	case errors.Is(err, errBusy):
		c.fail(c.newOperation(ctx, id), gqlerror.List{c.t.Busy})
		return nil
	case err != nil:
		return err
	}
	go func() {
		if c.run(op.ctx, op, params) {
			op.proceed()
		} else {
			c.operationEnded(op)
		}
	}()
	return nil
}

// proceed sends the responses of a subscription until it ends or waits.
func (op *operation) proceed() {
	c, waits := op.conn, false
	defer func() {
		if !waits {
			c.operationEnded(op)
		}
	}()
	defer func() { c.recovered(op.within, op, recover()) }()
	waits = c.answer(op.within, op, op.answers, true)
}

// register reserves the id of an operation that is about to start. It returns ErrExists
// when the id is in use, errBusy when too many operations run or hold too much, and
// ErrClosed when the connection is closing or the server is stopping.
func (c *conn) register(ctx context.Context, id string, held int) (*operation, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.operations[id] != nil:
		return nil, ErrExists
	case c.stopping || c.why != nil:
		return nil, ErrClosed
	// running also counts operations that the client has completed and that have not
	// ended yet. The second limit keeps a client from piling those up.
	case len(c.operations) >= c.t.Operations || c.running >= 2*c.t.Operations || c.held+held > maxHeld:
		return nil, errBusy
	}
	op := c.newOperation(ctx, id)
	op.held = held
	c.held += held
	c.operations[id] = op
	c.running++
	c.ended.Add(1)
	return op, nil
}

func (c *conn) newOperation(ctx context.Context, id string) *operation {
	op := &operation{conn: c, id: id, quoted: appendJSON(nil, id)}
	op.ctx, op.cancel = context.WithCancel(graphql.StartOperationTrace(ctx))
	return op
}

// complete handles the client's complete message: nothing is sent for the operation
// any more. An unknown id is ignored, because the server may just have ended it.
func (c *conn) complete(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if op := c.operations[id]; op != nil {
		c.forget(op)
	}
}

// forget frees an operation's id and cancels it; the caller holds mu. The operation
// ends, and closes its source, when it is executed for the last time.
func (c *conn) forget(op *operation) {
	op.done = true
	if c.operations[op.id] == op { // it is not when the operation was refused with errBusy
		delete(c.operations, op.id)
	}
	op.cancel()
	op.wake()
}

// operationEnded counts an operation as ended. It is called exactly once for each.
func (c *conn) operationEnded(op *operation) {
	op.cancel()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running--
	c.held -= op.held
	c.signalIdle()
	c.ended.Done()
}

// signalIdle lets stop close the connection when no operation runs any more; the
// caller holds mu.
func (c *conn) signalIdle() {
	if c.stopping && c.running == 0 && c.idle != nil {
		close(c.idle)
		c.idle = nil
	}
}

// run executes a query or mutation and sends its response. For a subscription it
// only prepares answers and within, and returns true.
func (c *conn) run(ctx context.Context, op *operation, params *graphql.RawParams) (streams bool) {
	defer func() {
		if c.recovered(ctx, op, recover()) {
			streams = false
		}
	}()
	params.ReadTime = graphql.TraceTiming{Start: graphql.Now(), End: graphql.Now()}
	oc, errs := c.exec.CreateOperationContext(ctx, params)
	ctx = graphql.WithOperationContext(ctx, oc)
	if len(errs) > 0 {
		c.fail(op, c.exec.DispatchError(ctx, errs).Errors)
		return false
	}
	streams = oc.Operation.Operation == ast.Subscription
	if !c.begin(op, streams) {
		return false
	}
	if !streams {
		answers, ctx := c.exec.DispatchOperation(ctx, oc)
		c.answer(ctx, op, answers, false)
		return false
	}
	op.answers, op.within = c.exec.DispatchOperation(c.t.Stream(ctx, op.wake), oc)
	return true
}

// recovered sends the error of an operation that panicked. It returns false when
// there was no panic.
func (c *conn) recovered(ctx context.Context, op *operation, panicked any) bool {
	if panicked == nil {
		return false
	}
	err := fmt.Errorf("panic: %v", panicked)
	if graphql.HasOperationContext(ctx) {
		err = graphql.GetOperationContext(ctx).Recover(ctx, panicked)
	}
	c.fail(op, c.exec.DispatchError(ctx, gqlerror.List{gqlerror.WrapIfUnwrapped(err)}).Errors)
	return true
}

// answer sends the responses of an operation until it ends, or until a subscription
// has to wait for the next one. A subscription that may not send any more is still
// asked until it returns nil or an error, because only then it closes its source.
func (c *conn) answer(ctx context.Context, op *operation, answers graphql.ResponseHandler, stream bool) (waits bool) {
	for {
		answer := answers(ctx)
		switch {
		case stream && answer == c.t.Later:
			c.begun(op)
			if op.park() {
				return true
			}
			continue
		case answer == nil:
			c.finish(op, nil)
			return false
		case answer.Data == nil && len(answer.Errors) > 0: // it was refused, or ended with an error
			c.fail(op, answer.Errors)
			return false
		case !c.next(op, answer) && !stream:
			return false
		}
		if !stream {
			c.finish(op, nil)
			return false
		}
	}
}

// begin records the kind of the operation. It returns false when the operation must
// not run: the client has completed it, or the server is stopping.
func (c *conn) begin(op *operation, stream bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	op.stream = stream
	if c.stopping && stream && !op.done {
		c.forget(op)
	}
	return !op.done
}

// begun records that a subscription was not refused.
func (c *conn) begun(op *operation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	op.begun = true
}

// next sends one response. It returns false, and sends nothing, when the operation is
// done or the connection is closing.
func (c *conn) next(op *operation, answer *graphql.Response) bool {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.mu.Lock()
	over := op.done || c.why != nil
	op.begun = op.stream
	c.mu.Unlock()
	if over {
		return false
	}
	c.carrier.next(op, answer)
	return true
}

// finish sends the last message of an operation, with errors or without, unless the
// operation is done. The id is freed before the message is written, so that the client
// can reuse it as soon as it has read the message. Messages of the next operation with
// this id cannot overtake it, because writing is held.
func (c *conn) finish(op *operation, errs gqlerror.List) {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.mu.Lock()
	over := op.done
	if !over {
		c.forget(op)
	}
	c.mu.Unlock()
	if !over {
		c.carrier.last(op, errs)
	}
}

// fail ends an operation with errors, and also its connection when Fatal says that the
// errors end it.
func (c *conn) fail(op *operation, errs gqlerror.List) {
	c.finish(op, errs)
	if why := c.t.Fatal(c.ctx, errs); why != nil && !c.othersBegun(op) {
		c.endAll(errs, *why)
	}
}

// busy reports whether the connection has operations, including subscriptions that
// wait.
func (c *conn) busy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.operations) > 0
}

// othersBegun reports whether the failed operation is a query, a mutation or a refused
// subscription, while other subscriptions run. Those end for the same reason and may
// have items to send before that, so the connection is closed when the first of them
// fails.
func (c *conn) othersBegun(failed *operation) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if failed.begun {
		return false
	}
	for _, op := range c.operations {
		if op.begun && !op.done {
			return true
		}
	}
	return false
}
