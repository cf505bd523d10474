package server

import (
	"context"
	"fmt"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/convoke-dev/convoke/internal/access"
)

// kept are values that clients cause the server to keep: the least recently used ones
// are dropped when they weigh more than the limit together. A value above a sixteenth of
// the limit is not kept, so that no value drops many others.
type kept[V any] struct {
	limit int
	weigh func(key string, value V) int

	mu     sync.Mutex
	lru    *simplelru.LRU[string, V]
	weight int // estimated bytes
}

// keptOverhead is what an entry costs beside its key and value, in bytes.
const keptOverhead = 200

func newKept[V any](limit int, weigh func(key string, value V) int) (*kept[V], error) {
	k := &kept[V]{limit: limit, weigh: weigh}
	var err error
	k.lru, err = simplelru.NewLRU(limit/keptOverhead, func(key string, value V) { k.weight -= weigh(key, value) + keptOverhead })
	if err != nil {
		return nil, fmt.Errorf("bounded cache: %w", err)
	}
	return k, nil
}

// get returns a value. With used, it becomes the most recently used one.
func (k *kept[V]) get(key string, used bool) (V, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if used {
		return k.lru.Get(key)
	}
	return k.lru.Peek(key)
}

// add keeps a value, unless it is too large or there is one under its key.
func (k *kept[V]) add(key string, value V) {
	weight := k.weigh(key, value) + keptOverhead
	if weight > k.limit/16 {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.lru.Contains(key) {
		return
	}
	k.lru.Add(key, value)
	for k.weight += weight; k.weight > k.limit; {
		k.lru.RemoveOldest()
	}
}

// keptApart are values of users and of visitors, apart: whatever visitors send, what users
// use stays. Both read both.
type keptApart[V any] struct{ users, visitors *kept[V] }

func newKeptApart[V any](users, visitors int, weigh func(key string, value V) int) (keptApart[V], error) {
	var k keptApart[V]
	var err error
	if k.users, err = newKept(users, weigh); err != nil {
		return k, err
	}
	k.visitors, err = newKept(visitors, weigh)
	return k, err
}

// own returns those of the context's viewer, and the others.
func (k keptApart[V]) own(ctx context.Context) (own, other *kept[V]) {
	if access.ViewerFrom(ctx) != nil {
		return k.users, k.visitors
	}
	return k.visitors, k.users
}

// get returns a value. One that only the others have becomes one of the viewer's own when
// the viewer is a user.
func (k keptApart[V]) get(ctx context.Context, key string) (V, bool) {
	own, other := k.own(ctx)
	if value, known := own.get(key, true); known {
		return value, true
	}
	value, known := other.get(key, false)
	if known && own == k.users {
		own.add(key, value)
	}
	return value, known
}

func (k keptApart[V]) add(ctx context.Context, key string, value V) {
	own, _ := k.own(ctx)
	own.add(key, value)
}

// The bytes that the parts of a parsed document take, from measurements of documents that
// consist of many of them; see TestTheWeightOfADocument. A part keeps its tokens.
const (
	weightOfSelection = 400
	weightOfValue     = 220
	weightOfName      = 100 // of an argument, a directive, or a field of a literal
)

// weightOfDocument estimates how many bytes a parsed document takes, with its text.
func weightOfDocument(text string, doc *ast.QueryDocument) int {
	w := len(text)
	for _, o := range doc.Operations {
		w += weightOfSelection + weightOfSelections(o.SelectionSet) + weightOfDirectives(o.Directives)
		for _, v := range o.VariableDefinitions {
			w += weightOfSelection + weightOfDirectives(v.Directives) + weightOfLiteral(v.DefaultValue)
		}
	}
	for _, f := range doc.Fragments {
		w += weightOfSelection + weightOfSelections(f.SelectionSet) + weightOfDirectives(f.Directives)
	}
	return w
}

func weightOfSelections(set ast.SelectionSet) (w int) {
	for _, s := range set {
		w += weightOfSelection
		switch s := s.(type) {
		case *ast.Field:
			w += weightOfSelections(s.SelectionSet) + weightOfArguments(s.Arguments) + weightOfDirectives(s.Directives)
		case *ast.InlineFragment:
			w += weightOfSelections(s.SelectionSet) + weightOfDirectives(s.Directives)
		case *ast.FragmentSpread:
			w += weightOfDirectives(s.Directives)
		}
	}
	return w
}

func weightOfDirectives(directives ast.DirectiveList) (w int) {
	for _, d := range directives {
		w += weightOfName + weightOfArguments(d.Arguments)
	}
	return w
}

func weightOfArguments(arguments ast.ArgumentList) (w int) {
	for _, a := range arguments {
		w += weightOfName + weightOfLiteral(a.Value)
	}
	return w
}

func weightOfLiteral(value *ast.Value) int {
	if value == nil {
		return 0
	}
	w := weightOfValue
	for _, c := range value.Children {
		w += weightOfName + weightOfLiteral(c.Value)
	}
	return w
}
