package graph

import (
	"context"
	"errors"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/auth"
	"github.com/convoke-dev/convoke/internal/event"
)

// Later is what a subscription answers that has nothing to say yet. Nothing
// runs for it meanwhile: whoever asks for answers asks again once the stream's wake
// has been called, and until the answer is nil or has errors and no data, also
// after its context has ended, for only then does the subscription let go of what
// it holds.
var Later = new(graphql.Response)

type streamKey struct{}

// stream is what a subscription and its transport tell one another.
type stream struct {
	wake        func()
	lastEventID string
	last        *ent.Event // which the last answer tells of
}

// WithStream returns the context of a subscription. wake is called when an
// answer may be ready after Later was one, perhaps more often; it must not block.
// lastEventID is the last event its client says to have seen, or empty.
func WithStream(ctx context.Context, wake func(), lastEventID string) context.Context {
	return context.WithValue(ctx, streamKey{}, &stream{wake: wake, lastEventID: lastEventID})
}

// Cursor returns the cursor of the answer that came last in the context of a
// subscription; empty where its answers have none.
func Cursor(ctx context.Context) string {
	if s, ok := ctx.Value(streamKey{}).(*stream); ok && s.last != nil {
		return cursorOf(s.last)
	}
	return ""
}

// source is what a subscriber hears of, one thing after another.
type source interface {
	// next returns what comes next, or nil when there is nothing yet; then the
	// stream is woken when there may be.
	next(ctx context.Context) (*item, error)
	// may returns who is told of an item, as he is now, or why he is not.
	may(ctx context.Context) (*access.Viewer, error)
	// place is where the subscriber sits.
	place() *auth.Seat
	close()
}

// item is one thing a subscriber hears of.
type item struct {
	value  any            // what the field's resolver shows
	viewer *access.Viewer // who sees it
	event  *ent.Event     // that it comes from, if it has a place in a log
}

// errGone is the reason to pass over an item: there is nothing left to show.
var errGone = errors.New("graph: what there was to show is gone")

type partKey struct{}

// opening has the resolver of a subscription open its source.
type opening struct {
	on     *stream
	source source
}

// showing has the resolver of a subscription show one item.
type showing struct {
	value any
	err   error
}

// subscribe is what every resolver of a subscription does. It is called to open
// the source, once, and then to show each item.
func subscribe[I, T any](ctx context.Context, open func(context.Context, *stream) (source, error), show func(context.Context, I) (T, error)) (<-chan T, error) {
	out := make(chan T, 1)
	defer close(out)
	switch part := ctx.Value(partKey{}).(type) {
	case *opening:
		var err error
		part.source, err = open(ctx, part.on)
		return out, err
	case *showing:
		var change T
		if change, part.err = show(ctx, part.value.(I)); part.err == nil {
			out <- change
		}
		return out, nil
	default:
		return nil, errors.New("a subscription outside Stream")
	}
}

// Stream returns an operation interceptor, to be the innermost, that answers the
// schema's subscriptions. gqlgen would have two goroutines wait for each; here none
// does. Each item is answered by executing the document for it, or shares the
// answer of others: see Sharer.
func (r *Resolver) Stream(schema graphql.ExecutableSchema) graphql.OperationMiddleware {
	return func(ctx context.Context, execute graphql.OperationHandler) graphql.ResponseHandler {
		op := graphql.GetOperationContext(ctx)
		if op.Operation.Operation != ast.Subscription {
			return execute(ctx)
		}
		selected := *graphql.GetOperationContext(ctx) // a copy: what is collected is not kept for as long as the stream is
		if len(graphql.CollectFields(&selected, op.Operation.SelectionSet, []string{"Subscription"})) != 1 {
			err := gqlerror.Errorf("A subscription must select exactly one field.")
			errcode.Set(err, errcode.ValidationFailed)
			return refused(err)
		}
		on, ok := ctx.Value(streamKey{}).(*stream)
		if !ok {
			return refused(r.Present(ctx, errors.New("a subscription by a transport that knows no streams")))
		}
		s := &subscriber{r: r, schema: schema, stream: on}
		if errs := s.open(ctx); len(errs) > 0 {
			return refused(errs...)
		}
		if f, ofTeam := s.source.(*feed); ofTeam {
			s.question, s.shares = r.sharer.join(op, f.teamID)
		}
		return s.answer
	}
}

func refused(errs ...*gqlerror.Error) graphql.ResponseHandler {
	return graphql.OneShot(&graphql.Response{Errors: errs})
}

func cursorOf(e *ent.Event) string {
	return event.Cursor{AccountID: e.AccountID, Seq: e.Seq}.String()
}
