package graphqlws

import (
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Line is a connection that is no WebSocket. Its owner receives what the client sends,
// and its Output writes what the client gets. Apart from that it is a connection like a
// socket: it counts as one of its user's, EndSession and Stop end it, and its
// subscriptions wait without a goroutine.
type Line struct {
	conn
	out  Output
	done chan struct{}
}

// Output writes to the client of a Line. Next and Complete are called one at a time.
type Output interface {
	// Next writes one response of an operation. The id is JSON already.
	Next(id []byte, answer *graphql.Response)
	// Complete writes the end of an operation.
	Complete(id []byte)
	// Closed is called once, when the Line and all of its operations have ended.
	Closed(why CloseError)
}

// Open opens a Line for the user and session of ctx. It returns the error of Place when
// there are too many connections, and ErrClosed after Stop. The Line is open until Close,
// EndSession or Stop.
func (t *Transport) Open(ctx context.Context, exec graphql.GraphExecutor, out Output) (*Line, error) {
	if !t.enter() {
		return nil, ErrClosed
	}
	leave, err := t.Place(ctx, false)
	if err != nil {
		t.open.Done()
		return nil, err
	}
	l := &Line{out: out, done: make(chan struct{})}
	l.conn = conn{t: t, carrier: l, exec: exec, ctx: ctx, cancel: func() {}, opened: time.Now(), leave: leave, operations: map[string]*operation{}}
	t.assign(&l.conn)
	t.add(&l.conn)
	return l, nil
}

// Execute starts an operation. It may run for longer than ctx, whose values it has. It
// returns ErrExists or ErrClosed; every other error is a response of the operation.
func (l *Line) Execute(ctx context.Context, id string, params *graphql.RawParams) error {
	return l.execute(context.WithoutCancel(ctx), id, params)
}

// Complete ends an operation without a message. An unknown id is ignored, because the
// operation may just have ended.
func (l *Line) Complete(id string) { l.complete(id) }

// Close ends the Line and its operations without a message.
func (l *Line) Close(why CloseError) { l.startClosing(why) }

// Done is closed when the Line starts to close. Nothing is written after it, apart from
// what is being written.
func (l *Line) Done() <-chan struct{} { return l.done }

func (l *Line) next(op *operation, answer *graphql.Response) { l.out.Next(op.quoted, answer) }

func (l *Line) last(op *operation, errs gqlerror.List) {
	if len(errs) > 0 {
		l.out.Next(op.quoted, &graphql.Response{Errors: errs})
	}
	l.out.Complete(op.quoted)
}

func (l *Line) close(why CloseError) { l.startClosing(why) }

func (l *Line) hangUp() {
	close(l.done)
	go l.release() // ends with the last operation
}

func (l *Line) closed(why CloseError) { l.out.Closed(why) }
