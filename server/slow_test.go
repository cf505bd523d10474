package server_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/testkit"
)

// watchAtLength is a subscription with answers of 20 kB: a few hundred fill what
// the kernel keeps for a client that does not read.
var watchAtLength = func() string {
	var notes strings.Builder
	for i := range 40 {
		fmt.Fprintf(&notes, " n%d: note", i)
	}
	return `subscription($team: ID!, $after: EventCursor) { inviteStatusChanged(teamId: $team, after: $after) { cursor type invitation { email` + notes.String() + ` } } }`
}()

// inviteMany invites n addresses with long notes.
func inviteMany(p *testkit.Person, from, n int) {
	emails := make([]string, n)
	for i := range emails {
		emails[i] = fmt.Sprintf("p%d@x.org", from+i)
	}
	inviteAll(p, emails, "roleIds", []string{p.Role("viewer")}, "note", strings.Repeat("x", 500)).OK()
}

// cursors reads on until n changes have come, and returns their cursors.
func cursors(s *testkit.Stream, n int) (all []string) {
	for len(all) < n {
		all = append(all, s.Next().OK().Text("inviteStatusChanged.cursor"))
	}
	return all
}

func TestAClientThatReadsNothingIsCutAndCatchesUp(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		from := map[string]any{"team": owner.TeamID, "after": eventCursor(owner)}
		slow := socketOf(t, w, owner.Session)
		slow.ask("1", watchAtLength, from)
		other := owner.Subscribe(watch, from)
		testkit.Eventually(t, func() bool { return w.Server.Streams() == 2 })
		const invited = 400
		inviteMany(owner, 0, invited)
		want := cursors(other, 2*invited) // CREATED, and DELIVERY_CHANGED once the mail is out
		testkit.Eventually(t, func() bool { return w.Server.Streams() == 1 })
		got, last := []string(nil), from["after"].(string)
		for {
			_, frame, err := slow.ReadMessage()
			if err != nil {
				break // it was cut off
			}
			var m struct {
				Payload struct {
					Data struct{ InviteStatusChanged struct{ Cursor string } }
				}
			}
			if err := json.Unmarshal(frame, &m); err != nil {
				t.Fatal(err)
			}
			last = m.Payload.Data.InviteStatusChanged.Cursor
			got = append(got, last)
		}
		if len(got) >= len(want) {
			t.Error("the slow client was told of everything, want it cut off before")
		}
		again := owner.Subscribe(watch, map[string]any{"team": owner.TeamID, "after": last})
		if got = append(got, cursors(again, len(want)-len(got))...); !slices.Equal(got, want) {
			t.Errorf("got %d events, want the %d of the other, each once, in order", len(got), len(want))
		}
	})
}

// BenchmarkBesideStalled is one change of an invitation until the last of 100 subscribers has
// received it, alone and beside 3 clients that read nothing: the 99th percentile
// of 500.
func BenchmarkBesideStalled(b *testing.B) {
	const others, stalled, rounds = 100, 3, 500
	w := testkit.New(b, b.TempDir()+"/convoke.db", manySockets)
	owner := w.SignUp("olivia@acme.test")
	id := owner.Invite("ann@x.org", "viewer").OK().Text("inviteUser.invitation.id")
	heard, leave := idlers(b, others, "ws"+strings.TrimPrefix(w.URL, "http")+"/graphql", watchIdly(owner)...)
	defer leave()
	testkit.Eventually(b, func() bool { return w.Server.Streams() == others })
	n := 0
	change := func() {
		n++
		owner.Mutate("updateInvite", "", "invitationId", id, "note", strings.Repeat("x", 490)+itoa(n)).OK()
		heard()
	}
	p99 := func() time.Duration {
		took := make([]time.Duration, rounds)
		for i := range took {
			start := time.Now()
			change()
			took[i] = time.Since(start)
		}
		slices.Sort(took)
		return took[rounds*99/100]
	}
	for b.Loop() {
		alone := p99()
		for range stalled {
			s := socketOf(b, w, owner.Session)
			s.ask("1", watchAtLength, map[string]any{"team": owner.TeamID})
		}
		testkit.Eventually(b, func() bool { return w.Server.Streams() == others+stalled })
		const fill = 400 // 8 MB
		for range fill {
			change()
		}
		beside := p99()
		if got := w.Server.Streams(); got != others+stalled {
			b.Fatalf("%d streams, want the %d stalled ones not cut off yet", got, stalled)
		}
		b.ReportMetric(float64(alone.Microseconds()), "alone-p99-µs")
		b.ReportMetric(float64(beside.Microseconds()), "beside-p99-µs")
		b.ReportMetric(float64(beside)/float64(alone), "beside/alone")
		testkit.Eventually(b, func() bool { return w.Server.Streams() == others }) // they were stalled
	}
}
