package server_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/convoke-dev/convoke/internal/testkit"
)

// reader is a client that follows a team: it keeps the changes it got and its last
// cursor, and may be connected or not.
type reader struct {
	subscribe subscriber
	stream    *testkit.Stream
	told      []string
	last      string
}

// reads reads on until the reader has got n changes.
func (r *reader) reads(p *testkit.Person, n int) {
	for len(r.told) < n {
		if r.stream == nil {
			r.stream = r.subscribe(p.Client, watch, map[string]any{"team": p.TeamID, "after": r.last})
		}
		a := r.stream.Next().OK()
		r.told, r.last = append(r.told, seen(a)), a.Text("inviteStatusChanged.cursor")
	}
}

// leaves breaks the connection off. Unread events are lost with it.
func (r *reader) leaves() {
	if r.stream != nil {
		r.stream.Close()
		r.stream = nil
	}
}

// A client that comes back with its cursor gets every change of its team exactly
// once, in order: over sockets, event streams and restarts, and whatever was done
// before.
func TestEachClientIsToldOnceInOrder(t *testing.T) {
	t.Parallel()
	testkit.RandomLives(t, 30) // each restarts the server
	each(t, func(t *testing.T, w *testkit.World) {
		people := 0
		rapid.Check(t, func(r *rapid.T) {
			people++
			owner := w.SignUp("o" + itoa(people) + "@acme.test")
			role, start := []string{owner.Role("viewer")}, eventCursor(owner)
			var happened, open []string // "TYPE email"; ids of invitations by their number
			var readers []*reader
			some := func(r *rapid.T) *reader {
				if len(readers) == 0 {
					r.Skip("nobody reads yet")
				}
				return rapid.SampledFrom(readers).Draw(r, "reader")
			}
			r.Repeat(map[string]func(*rapid.T){
				"invite": func(r *rapid.T) {
					for range rapid.IntRange(1, 4).Draw(r, "invitations") {
						email := "p" + itoa(len(open)) + "@x.org"
						open = append(open, owner.Do(testkit.InviteMutation,
							testkit.Input("teamId", owner.TeamID, "email", email, "roleIds", role, "sendEmail", false)).OK().Text("inviteUser.invitation.id"))
						happened = append(happened, "CREATED "+email)
					}
				},
				"change": func(r *rapid.T) {
					if len(open) == 0 {
						r.Skip("nobody is invited yet")
					}
					i := rapid.IntRange(0, len(open)-1).Draw(r, "invitation")
					owner.Mutate("updateInvite", "", "invitationId", open[i], "note", itoa(len(happened))).OK()
					happened = append(happened, "UPDATED p"+itoa(i)+"@x.org")
				},
				"begin": func(r *rapid.T) {
					by := rapid.SampledFrom([]subscriber{(*testkit.Client).Subscribe, (*testkit.Client).SubscribeSSE}).Draw(r, "transport")
					readers = append(readers, &reader{subscribe: by, last: start})
				},
				"read": func(r *rapid.T) {
					one := some(r)
					one.reads(owner, rapid.IntRange(len(one.told), len(happened)).Draw(r, "until"))
				},
				"leave": func(r *rapid.T) { some(r).leaves() },
				"restart": func(r *rapid.T) {
					if rapid.IntRange(0, 5).Draw(r, "really") > 0 {
						return
					}
					for _, one := range readers {
						one.leaves()
					}
					w = w.Restart()
					owner.Client = owner.At(w)
				},
			})
			for _, one := range readers {
				one.reads(owner, len(happened))
				one.leaves()
				if !slices.Equal(one.told, happened) {
					r.Fatalf("was told %v, want %v", one.told, happened)
				}
			}
		})
	})
}
