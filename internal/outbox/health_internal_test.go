package outbox

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/mail"
	"github.com/convoke-dev/convoke/internal/uid"
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
	job, inv := uid.New(uid.Job), uid.New(uid.Invitation)
	for id, want := range map[string]struct {
		subject    string
		generation int
		ok         bool
	}{
		"<" + job + "." + inv + ".3@x.test>": {inv, 3, true}, job + "." + inv + ".3": {inv, 3, true},
		job + "." + inv + ".+3@d": {}, job + "." + inv + ".03@d": {}, job + "." + inv + ".x@d": {}, job + "." + inv + "\x00.3@d": {}, "job_1.inv_2.3@d": {},
		"": {}, "@": {}, "<a@b>": {}, "a.b@c": {}, "a.b.c.1@d": {},
	} {
		subject, generation, ok := ParseMessageID(id)
		if ok != want.ok || ok && (subject != want.subject || generation != want.generation) {
			t.Errorf("%q: got %q %d %v, want %+v", id, subject, generation, ok, want)
		}
	}
}

func FuzzParseMessageID(f *testing.F) {
	job, inv := uid.New(uid.Job), uid.New(uid.Invitation)
	for _, in := range []string{"<" + job + "." + inv + ".3@x.test>", job + "." + inv + ".+3", job + "." + inv + ".-1@", " <" + job + ".\x00.3@x>", "job_1.inv_2.3@x", "", "<@>"} {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		subject, generation, ok := ParseMessageID(in)
		if !ok {
			if subject != "" || generation != 0 {
				t.Errorf("%q: got %q, %d, want nothing", in, subject, generation)
			}
			return
		}
		written := MessageID(&ent.Job{ID: job, SubjectID: subject, Generation: generation}, "x.test")
		if s, g, ok := ParseMessageID(written); !ok || s != subject || g != generation || !strings.Contains(in, written[len(job):len(written)-len("@x.test")]) {
			t.Errorf("%q: got %q, %d, which are written %q", in, subject, generation, written)
		}
	})
}
