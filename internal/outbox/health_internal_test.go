package outbox

import (
	"errors"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/mail"
)

var (
	busy        = &mail.Error{Temporary: true, Code: 451}
	unreachable = &mail.Error{Temporary: true}
)

func TestHealth(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, time.March, 14, 12, 0, 0, 0, time.UTC)
	// Each step is done at its second after noon.
	type step struct {
		at    int
		do    func(h *health, now time.Time) bool
		wants bool
	}
	ill := func(id string, err error) func(*health, time.Time) bool {
		return func(h *health, now time.Time) bool { h.ill(id, err, now); return true }
	}
	probe := func(h *health, now time.Time) bool { return h.probe(now) }
	trust := func(h *health, _ time.Time) bool { h.trust(); return true }
	well := func(h *health, _ time.Time) bool { return h.well() }
	for name, steps := range map[string][]step{
		"a healthy server is not asked":              {{0, probe, false}, {0, well, false}, {100, probe, false}},
		"one mail's failure is that mail's":          {{0, ill("a", busy), true}, {1, ill("a", busy), true}, {2, well, false}},
		"three mails' failure is the server's":       {{0, ill("a", busy), true}, {1, ill("b", busy), true}, {2, ill("c", busy), true}, {3, well, true}, {4, well, false}},
		"a server out of reach is ill at once":       {{0, ill("a", unreachable), true}, {1, well, true}},
		"whatever is no reply is out of reach not":   {{0, ill("a", errors.New("compose")), true}, {1, well, false}},
		"it is asked every 20 seconds":               {{0, ill("a", busy), true}, {19, probe, false}, {20, probe, true}, {39, probe, false}, {40, probe, true}},
		"until it is well":                           {{0, ill("a", busy), true}, {1, well, false}, {30, probe, false}},
		"in vain for one mail: it waits for its own": {{0, ill("a", busy), true}, {20, probe, true}, {20, trust, true}, {21, ill("a", busy), true}, {41, probe, false}, {55, probe, true}},
		"in vain for all: it goes on being asked": {
			{0, ill("a", unreachable), true}, {20, probe, true}, {20, trust, true}, {21, ill("a", busy), true}, {40, probe, true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := &health{}
			for i, s := range steps {
				if got := s.do(h, noon.Add(time.Duration(s.at)*time.Second)); got != s.wants {
					t.Errorf("step %d: got %v, want %v", i, got, s.wants)
				}
			}
		})
	}
}

func TestMessageIDsTellWhatTheyAreAbout(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]struct {
		subject    string
		generation int
		ok         bool
	}{
		"<job_1.inv_2.3@x.test>": {"inv_2", 3, true}, "job_1.inv_2.3": {"inv_2", 3, true},
		"": {}, "@": {}, "<a@b>": {}, "a.b@c": {}, "a.b.c.1@d": {}, "job_1.inv_2.x@d": {},
	} {
		subject, generation, ok := ParseMessageID(id)
		if ok != want.ok || ok && (subject != want.subject || generation != want.generation) {
			t.Errorf("%q: got %q %d %v, want %+v", id, subject, generation, ok, want)
		}
	}
}
