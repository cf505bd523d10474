package stream

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/live"
)

// subscriber is one running subscription.
type subscriber struct {
	streams *Streams
	schema  graphql.ExecutableSchema
	source  live.Source
	client  *Client
	topic   *topic     // whose results it shares; nil when it shares none
	item    *live.Item // the one to respond with; nil between two items
	turn    Turn       // to execute the document for the item; nil when none was asked for
	end     error      // why there will be no more responses
	closed  bool
}

// respond is the ResponseHandler of the subscription.
func (s *subscriber) respond(ctx context.Context) *graphql.Response {
	if s.closed {
		return nil
	}
	over := true // also when next panics
	defer func() {
		if over {
			s.close()
		}
	}()
	response := s.next(ctx)
	if ctx.Err() != nil {
		return nil // the client is gone
	}
	if over = response != Later && response.Data == nil; over {
		s.client.last = nil
	}
	return response
}

// next returns the next response; the last one has the error that ends the stream.
func (s *subscriber) next(ctx context.Context) *graphql.Response {
	for ctx.Err() == nil {
		switch {
		case s.end != nil:
		case s.item == nil:
			s.item, s.end = s.source.Next(ctx)
		default: // it waited for a shared result, and its viewer may have lost the right to it
			s.item.Viewer, s.end = s.source.Viewer(ctx)
		}
		if s.end != nil {
			s.leaveTurn()
		}
		switch {
		case s.end != nil && !s.source.MayEnd():
			return Later
		case s.end != nil:
			return &graphql.Response{Errors: gqlerror.List{s.streams.Present(ctx, s.end)}}
		case s.item == nil:
			return Later
		}
		response, err := s.show(ctx, s.item)
		switch {
		case response == Later:
			return Later
		case err == nil && response.Data == nil: // errors only: the last response
			return response
		case err == nil:
			s.client.last, s.item = s.item, nil
			return response
		case !errors.Is(err, ErrGone):
			s.end = err
		}
		s.item = nil
	}
	return nil
}

// show returns the response that shows the item: a shared one where there is one. To
// execute the document, it needs a turn.
func (s *subscriber) show(ctx context.Context, it *live.Item) (*graphql.Response, error) {
	shared := s.topic != nil && it.Event != nil && !it.Own
	if shared {
		r, found := s.topic.existing(it.Event.Seq, s.streams.Now(), s.client.Wake)
		if found && (r == nil || r.timedOut || r.response != nil) {
			s.leaveTurn()
			return showShared(r)
		}
	}
	if s.turn == nil {
		s.turn = s.streams.Turn(ctx, s.client.Wake)
	}
	if !s.turn.Inside() {
		return Later, nil
	}
	defer s.leaveTurn()
	if !shared {
		return s.execute(ctx, it)
	}
	switch r, mine := s.topic.result(it.Event.Seq, s.streams.Now(), s.client.Wake); {
	case mine:
		return s.executeShared(ctx, it, r)
	case r != nil && r.response == nil && !r.timedOut:
		return s.execute(ctx, it)
	default:
		return showShared(r)
	}
}

// showShared returns the response of a result that another subscriber has made, or Later
// while there is none.
func showShared(r *result) (*graphql.Response, error) {
	switch {
	case r == nil:
		return Later, nil
	case r.timedOut:
		return nil, context.DeadlineExceeded
	default:
		return r.response, nil
	}
}

// leaveTurn gives the turn back, or stops waiting for one.
func (s *subscriber) leaveTurn() {
	if s.turn != nil {
		s.turn.Leave()
		s.turn = nil
	}
}

// open executes the document to open the source.
func (s *subscriber) open(ctx context.Context) gqlerror.List {
	ctx, cancel := context.WithTimeout(ctx, executeWithin)
	defer cancel()
	step := &opening{client: s.client}
	_, errs := s.run(ctx, step)
	s.source = step.source
	switch {
	case s.source == nil && len(errs) == 0:
		return gqlerror.List{s.streams.Present(ctx, errors.New("the subscription has no source"))}
	case s.source != nil && len(errs) > 0:
		s.source.Close()
	}
	return errs
}

// execute executes the document for one item, as its viewer.
func (s *subscriber) execute(ctx context.Context, it *live.Item) (*graphql.Response, error) {
	ctx, cancel := context.WithTimeout(access.WithViewer(ctx, it.Viewer), executeWithin)
	defer cancel()
	step := &showing{item: it}
	next, errs := s.run(ctx, step)
	switch {
	case step.err != nil:
		return nil, step.err
	case len(errs) > 0:
		return &graphql.Response{Errors: errs}, nil
	}
	response := next()
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case response == nil:
		return nil, errors.New("the subscription gave no response")
	case len(response.Errors) > 0 && allNull(response.Data):
		return &graphql.Response{Errors: response.Errors}, nil
	}
	return response, nil
}

// allNull reports whether no field of the data has a value. The one field of a
// subscription is null when a non-null field below it failed.
func allNull(data json.RawMessage) bool {
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

// run executes the document for one step; next returns its response. What gqlgen keeps
// of an execution is released with it, not with the stream.
func (s *subscriber) run(ctx context.Context, step any) (next func() *graphql.Response, errs gqlerror.List) {
	op := *graphql.GetOperationContext(ctx)
	ctx, bounded := s.streams.Bound(context.WithValue(graphql.WithOperationContext(ctx, &op), stepKey{}, step))
	opened := graphql.WithResponseContext(ctx, s.streams.Present, op.Recover)
	responses := s.schema.Exec(opened)
	return func() *graphql.Response {
		responding := graphql.WithResponseContext(ctx, s.streams.Present, op.Recover)
		response := responses(responding)
		if response != nil {
			response.Errors = append(response.Errors, graphql.GetErrors(responding)...)
			response.Extensions = graphql.GetExtensions(responding)
		}
		return bounded(response)
	}, graphql.GetErrors(opened)
}

// close releases the source and the topic.
func (s *subscriber) close() {
	s.closed = true
	s.leaveTurn()
	s.source.Close()
	if s.topic != nil {
		s.topic.leave()
	}
}
