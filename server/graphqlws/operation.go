package graphqlws

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// operation is one running operation. Its id is free again once it is done.
type operation struct {
	conn   *conn
	id     string
	quoted []byte          // the id as JSON
	ctx    context.Context //nolint:containedctx // it is the operation's
	cancel context.CancelFunc

	// Of a subscription: where its answers come from, and in which context.
	answers graphql.ResponseHandler
	within  context.Context //nolint:containedctx // it is the operation's
	state   atomic.Int32

	// Guarded by conn.mu.
	stream bool // a subscription
	begun  bool // a subscription that has not been refused
	done   bool // nothing is sent for it any more
}

// The states of a subscription. It is asked for answers by one goroutine at a
// time, and by none while it waits.
const (
	running = iota
	waiting
	awoken // running, and to be asked once more
)

// wake has a subscription that waits go on. It never blocks.
func (op *operation) wake() {
	for {
		switch op.state.Load() {
		case waiting:
			if op.state.CompareAndSwap(waiting, running) {
				op.conn.t.crew.add(op)
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

// rests lets a subscription wait, unless it has been woken meanwhile.
func (op *operation) rests() bool {
	if op.state.CompareAndSwap(running, waiting) {
		return true
	}
	op.state.Store(running)
	return false
}

// subscribe starts an operation, in a goroutine that ends when it has been
// answered, when the client completes it, when the connection ends, or when it has
// to wait: then nothing runs for it.
func (c *conn) subscribe(m message) error {
	op, params, err := c.admit(m)
	switch {
	case err != nil:
		return err
	case op == nil:
		return nil // the connection closes, which says so
	case params == nil:
		c.fail(op, gqlerror.List{c.t.Busy})
		return nil
	}
	go func() {
		if c.run(op.ctx, op, params) {
			op.proceed()
		} else {
			c.left(op)
		}
	}()
	return nil
}

// proceed sends the answers of a subscription until it ends or has to wait.
func (op *operation) proceed() {
	c, waits := op.conn, false
	defer func() {
		if !waits {
			c.left(op)
		}
	}()
	defer func() { c.recovered(op.within, op, recover()) }()
	waits = c.answer(op.within, op, op.answers, true)
}

// admit looks whether an operation may run, and takes its id. There are no
// params for one too many, and no operation when the server is stopping.
func (c *conn) admit(m message) (*operation, *graphql.RawParams, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.acked {
		return nil, nil, CloseError{Unauthorized, "Unauthorized"}
	}
	params, err := m.params()
	switch {
	case err != nil:
		return nil, nil, err
	case c.operations[m.id] != nil:
		return nil, nil, CloseError{SubscriberExists, "Subscriber for " + m.id + " already exists"}
	case c.stopping:
		return nil, nil, nil
	}
	op := &operation{conn: c, id: m.id, quoted: appendJSON(nil, m.id)}
	op.ctx, op.cancel = context.WithCancel(graphql.StartOperationTrace(c.ctx))
	// Those the client has completed may still be about to end.
	if len(c.operations) >= c.t.Operations || c.running >= 2*c.t.Operations {
		params = nil
	} else {
		c.running++
		c.ended.Add(1)
	}
	c.operations[m.id] = op
	return op, params, nil
}

// complete is the client's wish to hear no more of an operation.
func (c *conn) complete(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if op := c.operations[id]; op != nil {
		c.forget(op)
	}
}

// forget stops an operation; the caller holds mu.
func (c *conn) forget(op *operation) {
	op.done = true
	delete(c.operations, op.id)
	op.cancel()
	op.wake() // so that it lets go of what it holds
}

// left counts an operation as ended, and lets stop go on after the last one.
func (c *conn) left(op *operation) {
	op.cancel()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running--
	c.settle()
	c.ended.Done()
}

// settle tells stop when nothing runs any more; the caller holds mu.
func (c *conn) settle() {
	if c.stopping && c.running == 0 && c.idle != nil {
		close(c.idle)
		c.idle = nil
	}
}

// run executes an operation and sends what comes of it; of a subscription it
// only gets ready to.
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

// recovered answers an operation that panicked, if it did.
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

// answer sends the answers of an operation until it ends, or a subscription has
// to wait for more.
func (c *conn) answer(ctx context.Context, op *operation, answers graphql.ResponseHandler, stream bool) (waits bool) {
	for {
		answer := answers(ctx)
		switch {
		case stream && answer == c.t.Later:
			c.begun(op)
			if op.rests() {
				return true
			}
			continue
		case answer == nil:
			c.finish(op, typeComplete, nil)
			return false
		case answer.Data == nil && len(answer.Errors) > 0: // it did not run, or ended for a reason
			c.fail(op, answer.Errors)
			return false
		case !c.next(op, answer) && !stream:
			return false // whereas a stream is asked once more, so that it lets go
		}
		if !stream && (answer.HasNext == nil || !*answer.HasNext) {
			c.finish(op, typeComplete, nil)
			return false
		}
	}
}

// begin notes what kind of operation it is; false when it has been stopped.
func (c *conn) begin(op *operation, stream bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	op.stream = stream
	if c.stopping && stream && !op.done {
		c.forget(op)
	}
	return !op.done
}

// begun notes that a subscription has not been refused.
func (c *conn) begun(op *operation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	op.begun = true
}

// next sends an answer; false when the operation is over.
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
	withFrame(func(b []byte) []byte {
		return appendMessage(b, typeNext, op.quoted, func(b []byte) []byte { return AppendResponse(b, answer) })
	}, c.write)
	return true
}

// finish sends the last message of an operation, unless its client has heard
// enough. The id is free before the client can know; what follows for the same id
// cannot overtake.
func (c *conn) finish(op *operation, kind string, payload func([]byte) []byte) {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.mu.Lock()
	over := op.done
	if !over {
		c.forget(op)
	}
	c.mu.Unlock()
	if !over {
		withFrame(func(b []byte) []byte { return appendMessage(b, kind, op.quoted, payload) }, c.write)
	}
}

// fail ends an operation with errors, and its connection too when they are of
// that kind.
func (c *conn) fail(op *operation, errs gqlerror.List) {
	c.finish(op, typeError, func(b []byte) []byte { return appendErrors(b, errs) })
	if why := c.t.Fatal(c.ctx, errs); why != nil && !c.waitsFor(op) {
		c.expel(errs, *why)
	}
}

// busy reports whether operations run, waiting ones among them.
func (c *conn) busy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.operations) > 0
}

// waitsFor reports whether subscriptions run beside a query, or one that was
// refused, and fatally so. That ends them too, and they may have something to say
// before: it is left to them.
func (c *conn) waitsFor(failed *operation) bool {
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
