package graph

import (
	"context"
	"encoding/json"
	"errors"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/convoke-dev/convoke/internal/access"
)

// lastWordWithin is how long a stream that ends waits for the one that says why.
const lastWordWithin = time.Second

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
