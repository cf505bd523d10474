package live

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/convoke-dev/convoke/internal/access"
)

// spoken is a lastWord with a count of its wake-ups.
type spoken struct {
	lastWord
	lock  sync.Mutex
	wakes int
}

func newSpoken() *spoken {
	s := &spoken{}
	s.mu, s.wake = &s.lock, func() { s.wakes++ }
	s.viewer = &access.Viewer{}
	return s
}

// step is one thing that happens to a session, and what holds afterwards.
type step struct {
	name   string
	do     func(s *spoken, a, b *reporter)
	mayEnd bool
	wakes  int // since the step before
}

func join(s *spoken) (a, b *reporter) { return s.join(), s.join() }

func none(*spoken) (a, b *reporter) { return nil, nil }

func TestRightsStreamsHaveTheLastWord(t *testing.T) {
	t.Parallel()
	change := func(s *spoken, _, _ *reporter) { s.change(&access.Viewer{}) }
	end := func(s *spoken, _, _ *reporter) { s.end() }
	reportA := func(s *spoken, a, _ *reporter) { s.report(a, s.viewer) }
	reportB := func(s *spoken, _, b *reporter) { s.report(b, s.viewer) }
	leaveA := func(s *spoken, a, _ *reporter) { s.leave(a) }
	leaveB := func(s *spoken, _, b *reporter) { s.leave(b) }
	almost := func(s *spoken, _, _ *reporter) { pass(s, lastWordWithin-time.Nanosecond) }
	second := func(s *spoken, _, _ *reporter) { pass(s, lastWordWithin) }
	for name, tt := range map[string]struct {
		reporters func(*spoken) (a, b *reporter)
		steps     []step
	}{
		"without rights streams nobody waits": {none, []step{
			{"change", change, true, 0},
			{"end", end, true, 0},
		}},
		"a new rights stream has to report once": {join, []step{
			{"a reports", reportA, false, 0},
			{"b reports", reportB, true, 1},
		}},
		"a change has to be reported by all": {join, []step{
			{"a reports", reportA, false, 0},
			{"b reports", reportB, true, 1},
			{"change", change, false, 0},
			{"b reports", reportB, false, 0},
			{"b reports again", reportB, false, 0},
			{"a reports", reportA, true, 1},
			{"a reports again", reportA, true, 0},
		}},
		"what was reported before the change counts for nothing": {join, []step{
			{"a reports", reportA, false, 0},
			{"change", change, false, 0},
			{"b reports", reportB, false, 0},
			{"a reports", reportA, true, 1},
		}},
		"a rights stream that closes owes nothing": {join, []step{
			{"change", change, false, 0},
			{"a closes", leaveA, false, 0},
			{"a closes again", leaveA, false, 0},
			{"b closes", leaveB, true, 1},
		}},
		"the end has to be reported by all, whatever they reported before": {join, []step{
			{"a reports", reportA, false, 0},
			{"b reports", reportB, true, 1},
			{"end", end, false, 0},
			{"a reports the end", leaveA, false, 0},
			{"b reports the end", leaveB, true, 1},
		}},
		"an end while a change is owed": {join, []step{
			{"change", change, false, 0},
			{"end", end, false, 0},
			{"a reports the change", reportA, false, 0},
			{"a reports the end", leaveA, false, 0},
			{"b reports the end", leaveB, true, 1},
		}},
		"a change is waited for for a second": {join, []step{
			{"change", change, false, 0},
			{"almost a second", almost, false, 0},
			{"the second is over", func(s *spoken, _, _ *reporter) { pass(s, time.Nanosecond) }, true, 1},
			{"a reports", reportA, true, 0},
			{"next change", change, false, 0},
			{"a second", second, true, 1},
		}},
		"the end is waited for for a second": {join, []step{
			{"end", end, false, 0},
			{"a second", second, true, 1},
			{"a reports the end", leaveA, true, 0},
		}},
		"the end after a second in vain is waited for anew": {join, []step{
			{"change", change, false, 0},
			{"a second", second, true, 1},
			{"end", end, false, 0},
			{"almost a second", almost, false, 0},
			{"the second is over", func(s *spoken, _, _ *reporter) { pass(s, time.Nanosecond) }, true, 1},
		}},
		"neither a further change nor the end extends the second": {join, []step{
			{"change", change, false, 0},
			{"almost a second", almost, false, 0},
			{"next change", change, false, 0},
			{"end", end, false, 0},
			{"the second is over", func(s *spoken, _, _ *reporter) { pass(s, time.Nanosecond) }, true, 1},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newSpoken()
				a, b := tt.reporters(s)
				for n, step := range tt.steps {
					before := s.wakes
					s.lock.Lock()
					step.do(s, a, b)
					mayEnd := s.mayEnd()
					s.lock.Unlock()
					if mayEnd != step.mayEnd || s.wakes-before != step.wakes {
						t.Fatalf("step %d, %s: got may end %t and %d wake-ups, want %t and %d", n, step.name, mayEnd, s.wakes-before, step.mayEnd, step.wakes)
					}
				}
				s.lock.Lock()
				s.stop()
				s.lock.Unlock()
			})
		})
	}
}

// pass lets time go by, without the lock that the timer needs.
func pass(s *spoken, d time.Duration) {
	s.lock.Unlock()
	defer s.lock.Lock()
	<-time.After(d) // takes no real time in a synctest bubble
	synctest.Wait()
}
