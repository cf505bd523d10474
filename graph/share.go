package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/event"
)

const (
	// sharedFor is how long an answer serves those who come to its event: they see
	// things as they are now, within this.
	sharedFor = 2 * time.Second
	// sharedEvents is how many answers of one question are kept.
	sharedEvents = 64
	// answerWithin bounds the making of one answer.
	answerWithin = 10 * time.Second
)

// Sharer has subscribers who ask the same share each answer, made and encoded
// once. The zero value is ready for use.
type Sharer struct {
	mu        sync.Mutex
	questions map[string]*question
}

// question is what several subscribers ask of a team.
type question struct {
	key     string
	askers  int
	answers map[int64]*answer // by the number of the event
}

// answer is what they are all told of one event.
type answer struct {
	made time.Time
	once sync.Once
	data json.RawMessage // nil: it has to be made for each of them
}

// alike are the fields that look the same to everybody who may see the people of
// the team: nothing in them depends on who is asking. Whoever adds a field leaves
// it out when in doubt; then each subscriber has an answer of his own.
var alike = setOf(`
	InviteStatusChange: cursor type at invitation previousStatus member
	MembersChange: cursor type at memberId member
	Invitation: id email firstName lastName jobTitle note status roles groups permissions divisions allowedDomains
	Invitation: inviter createdAt expiresAt lastSentAt sendCount delivery acceptedBy member
	Delivery: status attempts error updatedAt
	Member: id user status isOwner roles groups directPermissions effectivePermissions divisions allowedDomains joinedAt lastSeenAt version
	User: id email firstName lastName jobTitle emailVerified lastSeenAt
	SystemActor: name
	Role: id key name description permissions isSystem version
	Group: id name description roles version
	Division: id name version`)

func setOf(lines string) map[string]bool {
	set := map[string]bool{}
	for line := range strings.Lines(strings.TrimSpace(lines)) {
		typ, fields, _ := strings.Cut(strings.TrimSpace(line), ": ")
		for _, f := range strings.Fields(fields) {
			set[typ+"."+f] = true
		}
	}
	return set
}

// sharedFeeds are the subscriptions to a team's events whose answers are shared.
var sharedFeeds = map[string]func(event.Type) bool{
	"inviteStatusChanged": showsInvites, "membersChanged": showsMembers,
}

// Share is an operation interceptor, the innermost: it answers subscriptions to
// a team that look the same to all who may see it. Each subscriber has his own
// place in the log and his own rights, checked before every event; what he is told
// of it is made once for all.
func (r *Resolver) Share(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	op := graphql.GetOperationContext(ctx)
	field, ok := shareable(op)
	if !ok {
		return next(ctx)
	}
	args := field.ArgumentMap(op.Variables)
	teamID, isText := args["teamId"].(string)
	after, given := args["after"].(string)
	if !isText || !given && args["after"] != nil {
		return next(ctx)
	}
	key, err := questionOf(op, field, teamID)
	if err != nil {
		return next(ctx) // what cannot be compared is not shared
	}
	var cursor *string
	if given {
		cursor = &after
	}
	f, err := r.follow(ctx, teamID, cursor, sharedFeeds[field.Name])
	if err != nil {
		r.end(ctx, err)
		return func(context.Context) *graphql.Response { return LastWord(ctx, noMore) }
	}
	q, leave := r.sharer.ask(key)
	context.AfterFunc(ctx, func() { leave(); f.close() })
	over := false
	return func(context.Context) *graphql.Response {
		return LastWord(ctx, func(ctx context.Context) *graphql.Response {
			if over {
				return nil
			}
			e, err := f.next(ctx)
			if err != nil {
				over = true
				r.end(ctx, err)
				lastWord(ctx, f.seat)
				return nil
			}
			if announce(ctx, e) != nil {
				over = true
				return nil // the client has left
			}
			return r.answer(ctx, q, f, e, next)
		})
	}
}

func noMore(context.Context) *graphql.Response { return nil }

// answer is what the subscriber is told of the event.
func (r *Resolver) answer(ctx context.Context, q *question, f *feed, e *ent.Event, next graphql.OperationHandler) *graphql.Response {
	a := r.sharer.answer(q, e.Seq, r.Now())
	a.once.Do(func() {
		if res := r.makeAnswer(ctx, f.viewer, e, next); res != nil && len(res.Errors) == 0 {
			a.data = bytes.Clone(res.Data)
		}
	})
	if a.data == nil {
		return r.makeAnswer(ctx, f.viewer, e, next)
	}
	return &graphql.Response{Data: a.data}
}

type oneEventKey struct{}

// makeAnswer executes the subscription for one event. It goes on when the client
// it began for leaves: others wait for it.
func (r *Resolver) makeAnswer(ctx context.Context, v *access.Viewer, e *ent.Event, next graphql.OperationHandler) *graphql.Response {
	op := *graphql.GetOperationContext(ctx)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerWithin)
	defer cancel()
	ctx = graphql.WithOperationContext(access.WithViewer(ctx, v), &op)
	ctx = context.WithValue(ctx, streamKey{}, nil)
	ctx = context.WithValue(ctx, oneEventKey{}, e)
	return next(ctx)(ctx)
}

// oneEvent is the stream of the event the answer is made for, if there is one.
func oneEvent[T any](ctx context.Context, r *Resolver, show func(context.Context, *ent.Event) (T, error)) (<-chan T, bool) {
	e, only := ctx.Value(oneEventKey{}).(*ent.Event)
	if !only {
		return nil, false
	}
	out := make(chan T, 1)
	defer close(out)
	change, err := show(ctx, e)
	if err != nil {
		graphql.AddError(ctx, r.Present(ctx, err))
		return out, true
	}
	out <- change
	return out, true
}

// shareable returns the one field of a subscription that selects nothing but what
// looks the same to everybody.
func shareable(op *graphql.OperationContext) (*ast.Field, bool) {
	if op.Operation.Operation != ast.Subscription {
		return nil, false
	}
	// A fragment here, or a directive, is not worth the care.
	if len(op.Operation.SelectionSet) != 1 {
		return nil, false
	}
	field, plain := op.Operation.SelectionSet[0].(*ast.Field)
	if !plain || len(field.Directives) > 0 || sharedFeeds[field.Name] == nil {
		return nil, false
	}
	return field, looksAlike(field.SelectionSet, map[string]bool{})
}

func looksAlike(set ast.SelectionSet, seen map[string]bool) bool {
	for _, s := range set {
		below := ast.SelectionSet(nil)
		switch s := s.(type) {
		case *ast.Field:
			if s.Name != "__typename" && !alike[s.ObjectDefinition.Name+"."+s.Name] {
				return false
			}
			below = s.SelectionSet
		case *ast.InlineFragment:
			below = s.SelectionSet
		case *ast.FragmentSpread:
			if seen[s.Name] {
				continue
			}
			seen[s.Name] = true
			below = s.Definition.SelectionSet
		}
		if !looksAlike(below, seen) {
			return false
		}
	}
	return true
}

// questionOf is what a subscriber asks, but for where he begins.
func questionOf(op *graphql.OperationContext, field *ast.Field, teamID string) (string, error) {
	variables := make(map[string]any, len(op.Variables))
	for name, value := range op.Variables {
		variables[name] = value
	}
	if a := field.Arguments.ForName("after"); a != nil && a.Value.Kind == ast.Variable {
		delete(variables, a.Value.Raw)
	}
	asked, err := json.Marshal([]any{teamID, op.OperationName, op.RawQuery, variables})
	return string(asked), err
}

// ask notes one more asker of the question, until he leaves.
func (s *Sharer) ask(key string) (q *question, leave func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.questions == nil {
		s.questions = map[string]*question{}
	}
	q = s.questions[key]
	if q == nil {
		q = &question{key: key, answers: map[int64]*answer{}}
		s.questions[key] = q
	}
	q.askers++
	return q, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if q.askers--; q.askers == 0 {
			delete(s.questions, q.key)
		}
	}
}

// answer returns the answer to the question about the event, which the first to
// come makes.
func (s *Sharer) answer(q *question, seq int64, now time.Time) *answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := q.answers[seq]; a != nil && now.Sub(a.made) < sharedFor {
		return a
	}
	a := &answer{made: now}
	q.answers[seq] = a
	if len(q.answers) > sharedEvents {
		for old := range q.answers {
			if old <= seq-sharedEvents {
				delete(q.answers, old)
			}
		}
	}
	return a
}
