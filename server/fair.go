package server

import (
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/convoke-dev/convoke/graph"
	"github.com/convoke-dev/convoke/graph/stream"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/limit"
)

const (
	// operations is the default of Config.Operations.
	operations = 32
	// queueWithin is how long an operation waits until it may run. The time to answer it
	// begins after that.
	queueWithin = 5 * time.Second
	// queueOne is how many operations of one user may wait: those of all tabs when a
	// browser starts again, each on 100 sockets or streams.
	queueOne = 1000
	// queueAll is how many operations may wait in all.
	queueAll = 2000
	// heaviest is the weight of the most expensive operation; the others weigh less by their
	// values, at least 1.
	heaviest = 4
)

// newGate returns the gate for operations: of n at once, a user has a quarter, and an
// account and a client address half.
func newGate(n int) *limit.Gate {
	return limit.NewGate(
		limit.Shares{All: n, User: max(1, n/4), Account: max(1, n/2), Address: max(1, n/2)},
		limit.Wait{Within: queueWithin, Queue: queueOne, All: queueAll}, "operations")
}

// party returns the party of the viewer and the client address of the context.
func party(ctx context.Context) *limit.Party {
	ip := event.RequestFrom(ctx).ClientIP
	if v := access.ViewerFrom(ctx); v != nil {
		return limit.NewParty(v.UserID, v.Accounts(), ip)
	}
	return limit.NewParty("", nil, ip)
}

// weight returns how much of the gate an operation takes.
func weight(op *graphql.OperationContext) int {
	return 1 + (heaviest-1)*graph.CostOf(op).Values/maxCost.Values
}

// load is the party that an operation counts for, and what it weighs.
type load struct {
	party  *limit.Party
	weight int
}

// loadName is the name under which the context of an operation has its load. The context in
// which a subscription responds has nothing else of the context in which it was opened.
const loadName = "ConvokeLoad"

// turn waits until the operation may run, and returns its context and its ticket. A
// subscription waits as long as its client does, because many clients take a refusal for
// the end, and how many of them a user has is limited.
func (s *Server) turn(ctx context.Context, op *graphql.OperationContext) (context.Context, *limit.Ticket, error) {
	l := load{party(ctx), weight(op)}
	enter := s.gate.Enter
	if op.Operation.Operation == ast.Subscription {
		enter = s.gate.EnterPatiently
	}
	op.Stats.SetExtension(loadName, l)
	ticket, err := enter(ctx, l.party, l.weight)
	return limit.WithParty(ctx, l.party), ticket, err
}

// nextTurn asks for a turn of a subscription that turn has let in, to respond once more. It
// is never refused.
func (s *Server) nextTurn(ctx context.Context, wake func()) stream.Turn {
	l, _ := graphql.GetOperationContext(ctx).Stats.GetExtension(loadName).(load)
	return s.gate.Ask(l.party, l.weight, wake)
}
