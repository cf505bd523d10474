package stream

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/convoke-dev/convoke/internal/live"
)

const (
	// sharedFor is how long a result is shared after it was made: a subscriber sees a
	// state that is at most this old.
	sharedFor = 2 * time.Second
	// maxResults is how many results of one topic are kept.
	maxResults = 64
	// maxShared is how many bytes the results of all topics may have together, and one
	// result at the most. Beyond that, each subscriber makes their own.
	maxShared       = 32 << 20
	maxSharedResult = 256 << 10
	// executeWithin bounds one execution of a document.
	executeWithin = 10 * time.Second
)

// Fields is a set of fields of a schema, each as Type.field.
type Fields map[string]bool

// NewFields reads a set from lines such as "Role: id name".
func NewFields(lines string) Fields {
	set := Fields{}
	for line := range strings.Lines(strings.TrimSpace(lines)) {
		typ, fields, _ := strings.Cut(strings.TrimSpace(line), ": ")
		for _, f := range strings.Fields(fields) {
			set[typ+"."+f] = true
		}
	}
	return set
}

// topics are the topics of a node. The zero value is ready for use.
type topics struct {
	mu     sync.Mutex
	byKey  map[string]*topic
	shared int // bytes of all results
}

// topic is what subscribers of one source with the same document and variables have in
// common: for each event the result is made and encoded once. Each subscriber keeps a
// position and permissions of their own, which are checked before every event.
type topic struct {
	all *topics
	key string

	// Guarded by the topics' mutex.
	subscribers int
	results     map[int64]*result // by the number of the event
}

// result is the response to one event, shared by the subscribers of a topic.
type result struct {
	// Guarded by the topics' mutex.
	made    time.Time // zero while a subscriber makes it
	waiting []func()  // wake the subscribers that wait for it
	size    int       // bytes of the response, while they count

	// Written before it is made, and never after.
	response *graphql.Response // nil when each subscriber has to make their own
	timedOut bool              // it could not be made in time: nobody tries again
}

// sharedField returns the one field of a subscription that selects nothing but shared
// fields. A fragment or a directive at the top is not worth the care.
func sharedField(op *graphql.OperationContext, shared Fields) (*ast.Field, bool) {
	if len(op.Operation.SelectionSet) != 1 {
		return nil, false
	}
	field, plain := op.Operation.SelectionSet[0].(*ast.Field)
	if !plain || len(field.Directives) > 0 {
		return nil, false
	}
	return field, allShared(op.Operation.SelectionSet, shared, map[string]bool{})
}

func allShared(set ast.SelectionSet, shared Fields, seen map[string]bool) bool {
	for _, s := range set {
		below := ast.SelectionSet(nil)
		switch s := s.(type) {
		case *ast.Field:
			if s.Name != "__typename" && !shared[s.ObjectDefinition.Name+"."+s.Name] {
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
		if !allShared(below, shared, seen) {
			return false
		}
	}
	return true
}

// keyOf returns the key of a topic, a hash of the document, the operation, the variables and the
// field's arguments, without the position, which each subscriber has for themselves.
func keyOf(op *graphql.OperationContext, field *ast.Field) (string, error) {
	const position = "after"
	variables := make(map[string]any, len(op.Variables))
	for name, value := range op.Variables {
		variables[name] = value
	}
	if a := field.Arguments.ForName(position); a != nil && a.Value.Kind == ast.Variable {
		delete(variables, a.Value.Raw)
	}
	arguments := field.ArgumentMap(op.Variables)
	delete(arguments, position)
	key, err := json.Marshal([]any{op.OperationName, op.RawQuery, variables, arguments})
	sum := sha256.Sum256(key) // the document may be long
	return string(sum[:]), err
}

// join returns the topic of an operation, or nil when it selects fields that are not
// shared. The subscriber leaves the topic.
func (t *topics) join(op *graphql.OperationContext, shared Fields) *topic {
	field, ok := sharedField(op, shared)
	if !ok {
		return nil
	}
	key, err := keyOf(op, field)
	if err != nil {
		return nil // what cannot be compared is not shared
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byKey == nil {
		t.byKey = map[string]*topic{}
	}
	joined := t.byKey[key]
	if joined == nil {
		joined = &topic{all: t, key: key, results: map[int64]*result{}}
		t.byKey[key] = joined
	}
	joined.subscribers++
	return joined
}

func (t *topic) leave() {
	t.all.mu.Lock()
	defer t.all.mu.Unlock()
	if t.subscribers--; t.subscribers > 0 {
		return
	}
	delete(t.all.byKey, t.key)
	for seq := range t.results {
		t.drop(seq)
	}
}

// existing returns the result for the event if another subscriber has made it or makes it
// now. In the latter case it is nil, and wake is called when it is made.
func (t *topic) existing(seq int64, now time.Time, wake func()) (r *result, found bool) {
	t.all.mu.Lock()
	defer t.all.mu.Unlock()
	return t.find(seq, now, wake)
}

// find is existing for a caller that holds the lock.
func (t *topic) find(seq int64, now time.Time, wake func()) (r *result, found bool) {
	r = t.results[seq]
	switch {
	case r != nil && r.made.IsZero():
		r.waiting = append(r.waiting, wake)
		return nil, true
	case r != nil && now.Sub(r.made).Abs() < sharedFor: // the clock may have been set back
		return r, true
	}
	return nil, false
}

// result returns the result for the event. When mine is true the caller makes it and
// calls done; until then other subscribers get nil, and are woken when it is made.
func (t *topic) result(seq int64, now time.Time, wake func()) (r *result, mine bool) {
	t.all.mu.Lock()
	defer t.all.mu.Unlock()
	if r, found := t.find(seq, now, wake); found {
		return r, false
	}
	if t.results[seq] != nil {
		t.drop(seq) // it is too old
	}
	r = &result{}
	t.results[seq] = r
	for old, kept := range t.results {
		if old <= seq-maxResults || !kept.made.IsZero() && now.Sub(kept.made).Abs() >= sharedFor {
			t.drop(old)
		}
	}
	return r, true
}

// drop forgets a result; the caller holds the topics' mutex.
func (t *topic) drop(seq int64) {
	t.all.shared -= t.results[seq].size
	delete(t.results, seq)
}

// done publishes the result and wakes the subscribers that wait for it.
func (t *topic) done(r *result, now time.Time) {
	t.all.mu.Lock()
	defer t.all.mu.Unlock()
	if r.response != nil {
		// A result of a topic that everybody has left counts for nothing: nobody finds it.
		if size := len(r.response.Data); size > maxSharedResult || t.all.shared+size > maxShared {
			r.response = nil
		} else if t.holds(r) {
			r.size = size
			t.all.shared += size
		}
	}
	r.made = now
	for _, wake := range r.waiting {
		wake()
	}
	r.waiting = nil
}

// holds reports whether the result can still be found; the caller holds the mutex.
func (t *topic) holds(r *result) bool {
	for _, kept := range t.results {
		if kept == r {
			return true
		}
	}
	return false
}

// executeShared makes the result for all subscribers of the topic. It goes on when its
// own client leaves, because the others wait for it.
func (s *subscriber) executeShared(ctx context.Context, it *live.Item, r *result) (*graphql.Response, error) {
	defer func() { s.topic.done(r, s.streams.Now()) }() // also when execute panics
	response, err := s.execute(context.WithoutCancel(ctx), it)
	r.timedOut = errors.Is(err, context.DeadlineExceeded)
	if err == nil && len(response.Errors) == 0 {
		r.response = &graphql.Response{Data: bytes.Clone(response.Data)}
	}
	return response, err
}
