package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
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
// once. Each has his own place in the log and his own rights, checked before every
// event. The zero value is ready for use.
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
	// Guarded by the sharer's mutex.
	made    time.Time // zero while somebody makes it
	waiting []func()  // to be woken then

	// Written before it is made, and never after.
	response *graphql.Response // nil: it has to be made for each of them
	late     bool              // it could not be made in time: nobody tries again
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

// shareable returns the one field of a subscription that selects nothing but what
// looks the same to everybody who may see it.
func shareable(op *graphql.OperationContext) (*ast.Field, bool) {
	// A fragment here, or a directive, is not worth the care.
	if len(op.Operation.SelectionSet) != 1 {
		return nil, false
	}
	field, plain := op.Operation.SelectionSet[0].(*ast.Field)
	if !plain || len(field.Directives) > 0 {
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

// join has a subscriber of the team share answers with those who ask the same,
// until he leaves; shares is false when he has answers of his own.
func (s *Sharer) join(op *graphql.OperationContext, teamID string) (q *question, shares bool) {
	field, ok := shareable(op)
	if !ok {
		return nil, false
	}
	key, err := questionOf(op, field, teamID)
	if err != nil {
		return nil, false // what cannot be compared is not shared
	}
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
	return q, true
}

func (s *Sharer) leave(q *question) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if q.askers--; q.askers == 0 {
		delete(s.questions, q.key)
	}
}

// answer returns the answer to the question about the event. Whose it is makes it,
// and says so by done; until then others get none, and are woken when it is there.
func (s *Sharer) answer(q *question, seq int64, now time.Time, wake func()) (a *answer, mine bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a = q.answers[seq]
	switch {
	case a != nil && a.made.IsZero():
		a.waiting = append(a.waiting, wake)
		return nil, false
	case a != nil && now.Sub(a.made).Abs() < sharedFor: // whichever way the clock was put
		return a, false
	}
	a = &answer{}
	q.answers[seq] = a
	if len(q.answers) > sharedEvents {
		for old := range q.answers {
			if old <= seq-sharedEvents {
				delete(q.answers, old)
			}
		}
	}
	return a, true
}

// done lets those who wait for the answer go on.
func (s *Sharer) done(a *answer, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a.made = now
	for _, wake := range a.waiting {
		wake()
	}
	a.waiting = nil
}

// makeFor makes the answer for all who ask the same. It goes on when the client
// it began for leaves: others wait for it.
func (s *subscriber) makeFor(ctx context.Context, it *item, a *answer) (*graphql.Response, error) {
	defer func() { s.r.sharer.done(a, s.r.Now()) }() // should it panic, too
	answer, err := s.make(context.WithoutCancel(ctx), it)
	a.late = errors.Is(err, context.DeadlineExceeded)
	if err == nil && len(answer.Errors) == 0 {
		a.response = &graphql.Response{Data: bytes.Clone(answer.Data)}
	}
	return answer, err
}
