package stream

import (
	"context"
	"errors"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/convoke-dev/convoke/internal/live"
)

// Later is the response of a subscription that has none yet. Nothing runs for it
// meanwhile: the transport asks again once wake has been called. It asks until the
// response is nil or has errors and no data, also after the context has ended, because
// only then does the subscription release what it holds.
var Later = new(graphql.Response)

// ErrGone is returned by the resolver of a subscription to pass over an item: there is
// nothing left to show.
var ErrGone = errors.New("stream: the item is gone")

// Client is the client of one subscription, as its transport knows it.
type Client struct {
	// Wake has the transport ask for a response after Later was one. It must not block.
	Wake func()

	lastEventID string
	last        *live.Item // the one that the last response is about
}

type clientKey struct{}

// WithClient returns the context of a subscription. wake is called when a response may
// be ready after Later was one, perhaps more often; it must not block. lastEventID is
// the cursor of the last event that the client has seen, or empty.
func WithClient(ctx context.Context, wake func(), lastEventID string) context.Context {
	return context.WithValue(ctx, clientKey{}, &Client{Wake: wake, lastEventID: lastEventID})
}

// Cursors returns where the client wants the stream to begin: after the argument of its
// document, and after the last event it has seen. A client that reconnects by itself
// repeats its request with the old argument, so the one further on counts.
func (c *Client) Cursors(after *string) (cursors []string) {
	if after != nil {
		cursors = append(cursors, *after)
	}
	if c.lastEventID != "" {
		cursors = append(cursors, c.lastEventID)
	}
	return cursors
}

// Cursor returns the cursor of the last response in the context of a subscription;
// empty when its responses have none.
func Cursor(ctx context.Context) string {
	if c, ok := ctx.Value(clientKey{}).(*Client); ok && c.last != nil {
		return c.last.Cursor()
	}
	return ""
}

// Streams answers the subscriptions of a schema.
type Streams struct {
	Present graphql.ErrorPresenterFunc
	Now     func() time.Time
	// Bound prepares the context of one execution, and returns a function that replaces
	// a response that is too large by an error.
	Bound func(context.Context) (context.Context, func(*graphql.Response) *graphql.Response)
	// Shared are the fields that look the same to all subscribers of a source. Fields
	// that are not in it are not shared.
	Shared Fields
	// Turn asks for a turn to execute the document of a subscription once. When the turn
	// is not inside, wake is called once it may be; it must not block. The turn must be
	// left.
	Turn func(ctx context.Context, wake func()) Turn

	topics topics
}

// Turn is a turn to execute a document, or to wait for it.
type Turn interface {
	Inside() bool
	Leave()
}

// Intercept returns the operation interceptor that answers the schema's subscriptions.
// It must be the innermost one.
func (s *Streams) Intercept(schema graphql.ExecutableSchema) graphql.OperationMiddleware {
	return func(ctx context.Context, execute graphql.OperationHandler) graphql.ResponseHandler {
		op := graphql.GetOperationContext(ctx)
		if op.Operation.Operation != ast.Subscription {
			return execute(ctx)
		}
		// A copy, because collecting fields fills a cache in it that would live as long as
		// the stream.
		selected := *graphql.GetOperationContext(ctx)
		if len(graphql.CollectFields(&selected, op.Operation.SelectionSet, []string{"Subscription"})) != 1 {
			err := gqlerror.Errorf("A subscription must select exactly one field.")
			errcode.Set(err, errcode.ValidationFailed)
			return refused(err)
		}
		client, ok := ctx.Value(clientKey{}).(*Client)
		if !ok {
			return refused(s.Present(ctx, errors.New("a subscription by a transport without streams")))
		}
		sub := &subscriber{streams: s, schema: schema, client: client}
		if errs := sub.open(ctx); len(errs) > 0 {
			return refused(errs...)
		}
		sub.topic = s.topics.join(op, s.Shared)
		return sub.respond
	}
}

func refused(errs ...*gqlerror.Error) graphql.ResponseHandler {
	return graphql.OneShot(&graphql.Response{Errors: errs})
}

// stepKey is the key of the step that an execution of a subscription is for.
type stepKey struct{}

// opening is the first execution of a subscription: it opens the source.
type opening struct {
	client *Client
	source live.Source
}

// showing is each further execution: it shows one item.
type showing struct {
	item *live.Item
	err  error
}

// Resolve is the body of every resolver of a subscription. Its first execution calls
// open; each further one calls show with an item.
func Resolve[T any](ctx context.Context, open func(context.Context, *Client) (live.Source, error), show func(context.Context, *live.Item) (T, error)) (<-chan T, error) {
	out := make(chan T, 1)
	defer close(out)
	switch step := ctx.Value(stepKey{}).(type) {
	case *opening:
		var err error
		step.source, err = open(ctx, step.client)
		return out, err
	case *showing:
		var shown T
		if shown, step.err = show(ctx, step.item); step.err == nil {
			out <- shown
		}
		return out, nil
	default:
		return nil, errors.New("a subscription outside of Intercept")
	}
}
