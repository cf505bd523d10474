package graphqlws_test

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/convoke-dev/convoke/server/graphqlws"
)

// quiet is a subscription that waits until a test gives it an answer.
type quiet struct {
	mu    sync.Mutex
	wakes []func()
	says  []func() *graphql.Response
	asked chan struct{} // each time it had nothing to say
	left  chan struct{} // each time it ended
	after int           // how often it was asked after its end
}

func newQuiet() *quiet {
	return &quiet{asked: make(chan struct{}, 1024), left: make(chan struct{}, 1024)}
}

func (q *quiet) subscribe(ctx context.Context) graphql.ResponseHandler {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.wakes = append(q.wakes, ctx.Value(wakeKey{}).(func()))
	over := false
	return func(context.Context) *graphql.Response {
		q.mu.Lock()
		var say func() *graphql.Response
		if len(q.says) > 0 && ctx.Err() == nil {
			say, q.says = q.says[0], q.says[1:]
		}
		q.mu.Unlock()
		switch {
		case ctx.Err() != nil && !over:
			over = true
			q.left <- struct{}{}
			return nil
		case ctx.Err() != nil:
			q.mu.Lock()
			defer q.mu.Unlock()
			q.after++
			return nil
		case say != nil:
			return say()
		}
		q.asked <- struct{}{}
		return later
	}
}

// say gives one subscriber an answer, and wakes all.
func (q *quiet) say(what func() *graphql.Response) {
	q.mu.Lock()
	q.says = append(q.says, what)
	wakes := q.wakes
	q.mu.Unlock()
	for _, wake := range wakes {
		wake()
	}
}

func hello() *graphql.Response { return &graphql.Response{Data: json.RawMessage(`{"quiet":"hello"}`)} }

func await(t *testing.T, c <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		t.Fatal(what)
	}
}

func TestAWaitingSubscriptionGoesOnWhenWoken(t *testing.T) {
	t.Parallel()
	q := newQuiet()
	p := serve(t, fields{"quiet": q.subscribe}, nil).open()
	p.asks("1", "subscription { quiet }")
	for range 100 {
		await(t, q.asked, "not asked")
		q.say(hello)
		p.hears(`{"id":"1","type":"next","payload":{"data":{"quiet":"hello"}}}`)
	}
}

// A wake that comes while a subscription is being asked is not lost.
func TestAWakeWhileItIsAskedIsNotLost(t *testing.T) {
	t.Parallel()
	var wake func()
	asked := 0
	late := func(ctx context.Context) graphql.ResponseHandler {
		wake = ctx.Value(wakeKey{}).(func())
		return func(context.Context) *graphql.Response {
			switch asked++; {
			case ctx.Err() != nil:
				return nil
			case asked == 2:
				return hello()
			}
			wake()
			wake()
			if asked > 2 {
				wake = func() {} // it waits, at last
			}
			return later
		}
	}
	p := serve(t, fields{"quiet": late}, nil).open()
	p.asks("1", "subscription { quiet }")
	p.hears(`{"id":"1","type":"next","payload":{"data":{"quiet":"hello"}}}`)
}

// A waiting subscription is asked once more at its end, whatever ends it.
func TestAWaitingSubscriptionLetsGo(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*testing.T, *site, *peer){
		"completed": func(_ *testing.T, _ *site, p *peer) {
			p.says(`{"type":"complete","id":"1"}`)
			p.asks("1", "{ hello }") // and its id is free
			p.hears(`{"id":"1","type":"next","payload":{"data":{"hello":null}}}`)
		},
		"dropped":     func(t *testing.T, _ *site, p *peer) { t.Helper(); p.breaks(t) },
		"at the stop": func(_ *testing.T, s *site, _ *peer) { <-s.Stop(patience) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := newQuiet()
			s := serve(t, fields{"quiet": q.subscribe}, nil)
			p := s.open()
			p.asks("1", "subscription { quiet }")
			await(t, q.asked, "not asked")
			end(t, s, p)
			await(t, q.left, "the subscription has not ended")
			<-s.Stop(patience) // no subscription is asked any more
			q.mu.Lock()
			defer q.mu.Unlock()
			if q.after > 0 {
				t.Errorf("it was asked %d times after its end, want none", q.after)
			}
		})
	}
}

func TestAPanicAfterAWaitIsTheOperationsAlone(t *testing.T) {
	t.Parallel()
	q := newQuiet()
	p := serve(t, fields{"quiet": q.subscribe}, nil).open()
	p.asks("1", "subscription { quiet }")
	await(t, q.asked, "not asked")
	q.say(func() *graphql.Response { panic("no") })
	p.hears(`{"id":"1","type":"error","payload":[{"message":"it broke"}]}`)
	p.asks("1", "subscription { quiet }")
	await(t, q.asked, "not asked")
	q.say(hello)
	p.hears(`{"id":"1","type":"next","payload":{"data":{"quiet":"hello"}}}`)
}

// Stuck subscriptions do not delay later ones, however many are stuck.
func TestTheStuckHoldUpNobody(t *testing.T) {
	t.Parallel()
	const many = 300
	release, stuck := make(chan struct{}), newQuiet()
	q := newQuiet()
	s := serve(t, fields{"quietToo": stuck.subscribe, "quiet": q.subscribe}, func(c *graphqlws.Transport) { c.Operations = many })
	slow, other := s.open(), s.open()
	for i := range many {
		slow.asks(string(rune('a'+i)), "subscription { quietToo }")
		await(t, stuck.asked, "not asked")
	}
	other.asks("1", "subscription { quiet }")
	await(t, q.asked, "not asked")
	began := make(chan struct{}, many)
	for range many {
		stuck.mu.Lock()
		stuck.says = append(stuck.says, func() *graphql.Response {
			began <- struct{}{}
			<-release
			return hello()
		})
		stuck.mu.Unlock()
	}
	stuck.say(hello)
	q.say(hello)
	other.hears(`{"id":"1","type":"next","payload":{"data":{"quiet":"hello"}}}`)
	close(release)
	for range many {
		await(t, began, "not begun")
	}
}
