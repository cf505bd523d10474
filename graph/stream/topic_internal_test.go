package stream

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
)

// HARD-22: the results that subscribers share are bounded together, and those of topics
// that everybody has left count for nothing.
func TestSharedResultsAreBounded(t *testing.T) {
	t.Parallel()
	all, now := &topics{}, time.Unix(0, 0)
	share := func(of *topic, seq int64, size int) *result {
		r, mine := of.result(seq, now, func() {})
		if !mine {
			t.Fatal("the result is there already")
		}
		r.response = &graphql.Response{Data: make(json.RawMessage, size)}
		of.done(r, now)
		return r
	}
	all.byKey = map[string]*topic{}
	open := func(key string) *topic {
		all.byKey[key] = &topic{all: all, key: key, subscribers: 1, results: map[int64]*result{}}
		return all.byKey[key]
	}
	if r := share(open("large"), 1, maxSharedResult+1); r.response != nil || all.shared != 0 {
		t.Errorf("a large result is shared")
	}
	var many []*topic
	for n := range 10 {
		many = append(many, open(string(rune('a'+n))))
		for seq := range int64(40) {
			r := share(many[n], seq, maxSharedResult)
			if (r.response != nil) != (n*40+int(seq) < maxShared/maxSharedResult) || all.shared > maxShared {
				t.Fatalf("topic %d, result %d: shared %v, %d bytes in all", n, seq, r.response != nil, all.shared)
			}
		}
	}
	for _, of := range many[1:] {
		of.leave()
	}
	if all.shared != 40*maxSharedResult {
		t.Errorf("%d bytes are counted, want those of the topic that is left", all.shared)
	}
	now = now.Add(sharedFor)
	share(many[0], 1, 10) // too old, and made again
	if all.shared != 10 || len(many[0].results) != 1 {
		t.Errorf("%d results of %d bytes are kept, want only the newest", len(many[0].results), all.shared)
	}
	late, _ := many[0].result(99, now, func() {})
	many[0].leave()
	late.response = &graphql.Response{Data: make(json.RawMessage, 10)}
	many[0].done(late, now)
	if all.shared != 0 || len(all.byKey) != 1 {
		t.Errorf("%d bytes are counted after everybody has left", all.shared)
	}
}
