package graph

import (
	"context"
	"encoding/json"
	"errors"
	"sync/atomic"
	"time"

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

// lastWordWithin is how long a stream that ends waits for the one that says why.
const lastWordWithin = time.Second

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

// subscriber is one who is told of the items of a source.
type subscriber struct {
	r        *Resolver
	schema   graphql.ExecutableSchema
	source   source
	stream   *stream
	question *question // of which he shares the answers
	shares   bool
	item     *item // that he is to be told of
	why      error // why there will be no more
	late     *time.Timer
	tooLate  atomic.Bool // to wait for others to speak first
	over     bool
}

// answer is the stream's ResponseHandler.
func (s *subscriber) answer(ctx context.Context) *graphql.Response {
	if s.over {
		return nil
	}
	over := true // should it panic, too
	defer func() {
		if over {
			s.leave()
		}
	}()
	answer := s.tell(ctx)
	if ctx.Err() != nil {
		return nil // nobody listens any more
	}
	if over = answer != Later && answer.Data == nil; over {
		s.stream.last = nil
	}
	return answer
}

// tell returns what the subscriber is told next; at last that is why the stream
// ends.
func (s *subscriber) tell(ctx context.Context) *graphql.Response {
	for ctx.Err() == nil {
		switch {
		case s.why != nil:
		case s.item == nil:
			s.item, s.why = s.source.next(ctx)
		default: // he has waited for the answer, and may have lost the right to it
			s.item.viewer, s.why = s.source.may(ctx)
		}
		switch {
		case s.why != nil:
			// The last word belongs to the stream that tells the viewer what he lost, or
			// that his session ended: the transport may close the connection after this one.
			if !s.source.place().Told() && s.waits() {
				return Later
			}
			return &graphql.Response{Errors: gqlerror.List{s.r.Present(ctx, s.why)}}
		case s.item == nil:
			return Later
		}
		answer, err := s.show(ctx, s.item)
		switch {
		case answer == Later:
			return Later
		case err == nil && answer.Data == nil: // it says why there is none, and is the last
			return answer
		case err == nil:
			s.stream.last, s.item = s.item.event, nil
			return answer
		case !errors.Is(err, errGone):
			s.why = err
		}
		s.item = nil
	}
	return nil
}

// waits reports whether the stream may wait for others to speak first, which it
// does for a while.
func (s *subscriber) waits() bool {
	if s.late == nil {
		s.late = time.AfterFunc(lastWordWithin, func() {
			s.tooLate.Store(true)
			s.stream.wake()
		})
	}
	return !s.tooLate.Load()
}

// show returns the answer that tells of the item.
func (s *subscriber) show(ctx context.Context, it *item) (*graphql.Response, error) {
	if !s.shares {
		return s.make(ctx, it)
	}
	a, mine := s.r.sharer.answer(s.question, it.event.Seq, s.r.Now(), s.stream.wake)
	switch {
	case a == nil:
		return Later, nil // somebody makes it
	case mine:
		return s.makeFor(ctx, it, a)
	case a.late:
		return nil, context.DeadlineExceeded
	case a.response == nil:
		return s.make(ctx, it)
	}
	return a.response, nil
}

// open executes the subscription to open its source.
func (s *subscriber) open(ctx context.Context) gqlerror.List {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	part := &opening{on: s.stream}
	_, errs := s.execute(ctx, part)
	s.source = part.source
	if s.source == nil && len(errs) == 0 {
		return gqlerror.List{s.r.Present(ctx, errors.New("the subscription has no source"))}
	}
	return errs
}

// make executes the subscription to show one item.
func (s *subscriber) make(ctx context.Context, it *item) (*graphql.Response, error) {
	ctx, cancel := context.WithTimeout(access.WithViewer(ctx, it.viewer), answerWithin)
	defer cancel()
	part := &showing{value: it.value}
	next, errs := s.execute(ctx, part)
	switch {
	case part.err != nil:
		return nil, part.err
	case len(errs) > 0:
		return &graphql.Response{Errors: errs}, nil
	}
	answer := next()
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case answer == nil:
		return nil, errors.New("the subscription gave no answer")
	case len(answer.Errors) > 0 && empty(answer.Data):
		return &graphql.Response{Errors: answer.Errors}, nil
	}
	return answer, nil
}

// empty reports whether nothing is left of an answer's data: the one field of a
// subscription is null where something in it failed that may not be.
func empty(data json.RawMessage) bool {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return true
	}
	for _, value := range fields {
		if string(value) != "null" {
			return false
		}
	}
	return true
}

// execute has the subscription's resolver do its part; next is what comes of it.
// What gqlgen keeps of an execution is not kept for as long as the stream is.
func (s *subscriber) execute(ctx context.Context, part any) (next func() *graphql.Response, errs gqlerror.List) {
	op := *graphql.GetOperationContext(ctx)
	ctx = context.WithValue(graphql.WithOperationContext(ctx, &op), partKey{}, part)
	within := graphql.WithResponseContext(ctx, s.r.Present, op.Recover)
	answers := s.schema.Exec(within)
	return func() *graphql.Response {
		within := graphql.WithResponseContext(ctx, s.r.Present, op.Recover)
		answer := answers(within)
		if answer != nil {
			answer.Errors = append(answer.Errors, graphql.GetErrors(within)...)
			answer.Extensions = graphql.GetExtensions(within)
		}
		return answer
	}, graphql.GetErrors(within)
}

// leave lets go of what the subscriber holds.
func (s *subscriber) leave() {
	s.over = true
	if s.late != nil {
		s.late.Stop()
	}
	s.source.close()
	if s.shares {
		s.r.sharer.leave(s.question)
	}
}

func cursorOf(e *ent.Event) string {
	return event.Cursor{AccountID: e.AccountID, Seq: e.Seq}.String()
}
