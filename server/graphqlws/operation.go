package graphqlws

import (
	"context"
	"fmt"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// operation is one running operation. Its id is free again once it is done.
type operation struct {
	id     string
	quoted []byte          // the id as JSON
	ctx    context.Context //nolint:containedctx // it is the operation's
	cancel context.CancelFunc

	// Guarded by conn.mu.
	stream bool // a subscription
	done   bool // nothing is sent for it any more
}

// subscribe starts an operation, in a goroutine that ends with it: when it has
// been answered, the client completes it, or the connection ends.
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
	c.ended.Go(func() {
		stream := c.run(op.ctx, op, params)
		if stream == nil {
			c.left(op)
			return
		}
		// What began the operation has grown the stack; one that waits for events,
		// for hours perhaps, begins with a small one.
		c.ended.Go(func() {
			defer c.left(op)
			stream()
		})
	})
	return nil
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
	op := &operation{id: m.id, quoted: appendJSON(nil, m.id)}
	op.ctx, op.cancel = context.WithCancel(graphql.StartOperationTrace(c.ctx))
	// Those the client has completed may still be about to end.
	if len(c.operations) >= c.t.Operations || c.running >= 2*c.t.Operations {
		params = nil
	} else {
		c.running++
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
}

// left counts the goroutine of an operation as ended, and lets stop go on after
// the last one.
func (c *conn) left(op *operation) {
	op.cancel()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running--
	c.settle()
}

// settle tells stop when nothing runs any more; the caller holds mu.
func (c *conn) settle() {
	if c.stopping && c.running == 0 && c.idle != nil {
		close(c.idle)
		c.idle = nil
	}
}

// run executes an operation and sends what comes of it; of a subscription it
// returns what sends the answers.
func (c *conn) run(ctx context.Context, op *operation, params *graphql.RawParams) (stream func()) {
	var oc *graphql.OperationContext
	defer func() { c.recovered(ctx, op, oc, recover()) }()
	params.ReadTime = graphql.TraceTiming{Start: graphql.Now(), End: graphql.Now()}
	oc, errs := c.exec.CreateOperationContext(ctx, params)
	ctx = graphql.WithOperationContext(ctx, oc)
	if len(errs) > 0 {
		c.fail(op, c.exec.DispatchError(ctx, errs).Errors)
		return nil
	}
	streams := oc.Operation.Operation == ast.Subscription
	if !c.begin(op, streams) {
		return nil
	}
	answers, ctx := c.exec.DispatchOperation(ctx, oc)
	if !streams {
		c.answer(ctx, op, answers, false)
		return nil
	}
	return func() {
		defer func() { c.recovered(ctx, op, oc, recover()) }()
		c.answer(ctx, op, answers, true)
	}
}

// recovered answers an operation that panicked, if it did.
func (c *conn) recovered(ctx context.Context, op *operation, oc *graphql.OperationContext, panicked any) {
	if panicked == nil {
		return
	}
	err := fmt.Errorf("panic: %v", panicked)
	if oc != nil {
		err = oc.Recover(ctx, panicked)
	}
	c.fail(op, c.exec.DispatchError(ctx, gqlerror.List{gqlerror.WrapIfUnwrapped(err)}).Errors)
}

// answer sends the answers of an operation until it ends.
func (c *conn) answer(ctx context.Context, op *operation, answers graphql.ResponseHandler, stream bool) {
	for {
		answer := answers(ctx)
		switch {
		case answer == nil:
			c.finish(op, typeComplete, nil)
			return
		case answer.Data == nil && len(answer.Errors) > 0: // it did not run, or ended for a reason
			c.fail(op, answer.Errors)
			return
		case !c.next(op, answer):
			return
		}
		if !stream && (answer.HasNext == nil || !*answer.HasNext) {
			c.finish(op, typeComplete, nil)
			return
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

// next sends an answer; false when the operation is over.
func (c *conn) next(op *operation, answer *graphql.Response) bool {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.mu.Lock()
	over := op.done || c.why != nil
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
	if why := c.t.Fatal(c.ctx, errs); why != nil && (op.stream || !c.streaming()) {
		c.expel(errs, *why)
	}
}

// streaming reports whether subscriptions run. What is fatal for a query ends them
// too, and they may have something to say before: that is left to them.
func (c *conn) streaming() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, op := range c.operations {
		if op.stream && !op.done {
			return true
		}
	}
	return false
}
