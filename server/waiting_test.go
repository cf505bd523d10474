package server_test

import (
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/internal/uid"
)

const watchNotes = `subscription($after: EventCursor) { receivedInvitationsChanged(after: $after) {
	cursor type previousStatus invitationId invitation { note status } } }`

// receivedList is the list of an addressee, with the cursor beside it.
func receivedList(p *testkit.Person) (ids []string, cursor string) {
	a := p.Do(`{ viewer { receivedInvitations { nodes { id } } receivedInvitationsCursor } }`, nil).OK()
	return a.List("viewer.receivedInvitations.nodes", "id"), a.Text("viewer.receivedInvitationsCursor")
}

func TestAddresseesComeBackWithACursor(t *testing.T) {
	t.Parallel()
	follow(t, func(t *testing.T, w, _ *testkit.World, subscribe subscriber) {
		ann := w.SignUp("ann@x.org")
		owners := []*testkit.Person{w.SignUp("olivia@acme.test"), w.SignUp("otto@b.test"), w.SignUp("oskar@c.test")}
		invite := func(p *testkit.Person) string {
			return p.Invite("ann@x.org", "viewer", "sendEmail", false).OK().Text("inviteUser.invitation.id")
		}
		var ids []string
		for _, p := range owners[:2] {
			ids = append(ids, invite(p))
		}
		listed, last := receivedList(ann)
		equalList(t, "listed", inOrder(listed), inOrder(ids)...)
		stream := subscribe(ann.Client, watchNotes, map[string]any{"after": last})
		told := map[string][]string{}
		next := func() (id string) {
			t.Helper()
			a := stream.Next().OK()
			id, last = a.Text("receivedInvitationsChanged.invitationId"), a.Text("receivedInvitationsChanged.cursor")
			told[id] = append(told[id], a.Text("receivedInvitationsChanged.type"))
			return id
		}
		t.Run("FE-14 an addressee who comes back with a cursor gets each change of every account once, in order", func(t *testing.T) {
			change := func(i int, mutation string, more ...any) {
				owners[i].Mutate(mutation, "", append([]any{"invitationId", ids[i]}, more...)...).OK()
			}
			change(0, "updateInvite", "note", "one")
			equal(t, "told of", next(), ids[0])
			stream.Close()
			change(0, "updateInvite", "note", "two")
			change(1, "updateInvite", "note", "three")
			ids = append(ids, invite(owners[2])) // an account that the cursor does not name
			change(0, "resendInvite", "sendEmail", false)
			stream = subscribe(ann.Client, watchNotes, map[string]any{"after": last})
			next()
			next()
			stream.Close() // in the middle of what is caught up with
			stream = subscribe(ann.Client, watchNotes, map[string]any{"after": last})
			for range 2 {
				next()
			}
			change(1, "revokeInvite")
			equal(t, "told of", next(), ids[1])
			for i, want := range []string{"UPDATED UPDATED RESENT", "UPDATED REVOKED", "CREATED"} {
				equal(t, "told of invitation "+itoa(i), strings.Join(told[ids[i]], " "), want)
			}
		})
		t.Run("FE-14 of an invitation that was deleted with its team the end is told, also after a reconnect", func(t *testing.T) {
			stream.Close()
			there := owners[0].In(newTeam(owners[0], "Second").OK().Text("createTeam.team.id"))
			id := invite(there)
			onTeam(there, "deleteTeam").OK()
			stream = subscribe(ann.Client, watchNotes, map[string]any{"after": last})
			a := stream.Next().OK()
			for _, want := range []string{"CREATED", "REVOKED"} {
				equal(t, "change", a.Text("receivedInvitationsChanged.type"), want)
				equal(t, "of", a.Text("receivedInvitationsChanged.invitationId"), id)
				equal(t, "invitation", a.At("receivedInvitationsChanged.invitation"), nil)
				if want == "CREATED" {
					a = stream.Next().OK()
				}
			}
			equal(t, "status before", a.Text("receivedInvitationsChanged.previousStatus"), "PENDING")
		})
	})
}

func TestAnOfferInTwoTeamsIsToldOnceForEach(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner, ann := w.SignUp("olivia@acme.test"), w.SignUp("ann@x.org")
		role := newRole(owner, "pilot", "team.read")
		second := owner.In(newTeam(owner, "Second").OK().Text("createTeam.team.id"))
		for _, p := range []*testkit.Person{owner, second} {
			p.Mutate("inviteUser", "", "teamId", p.TeamID, "email", "ann@x.org", "roleIds", []string{role}, "sendEmail", false).OK()
		}
		ids, last := receivedList(ann)
		owner.Mutate("updateRole", "", "roleId", role, "name", "Captain").OK()
		owner.Mutate("updateTeam", "", "teamId", owner.TeamID, "name", "First").OK()
		var told []string
		for range 3 { // each time the client leaves after one change
			stream := ann.Subscribe(watchNotes, map[string]any{"after": last})
			a := stream.Next().OK()
			equal(t, "change", a.Text("receivedInvitationsChanged.type"), "REFERENCE_CHANGED")
			told, last = append(told, a.Text("receivedInvitationsChanged.invitationId")), a.Text("receivedInvitationsChanged.cursor")
			stream.Close()
		}
		equalList(t, "FE-14 told of", inOrder(told[:2]), inOrder(ids)...)
		equal(t, "and of the team's name", told[2] == ids[0] || told[2] == ids[1], true)
	})
}

func TestCursorsOfAddressees(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner, ann := w.SignUp("olivia@acme.test"), w.SignUp("ann@x.org")
		owner.Invite("ann@x.org", "viewer", "sendEmail", false).OK()
		account := owner.AccountID()
		long := event.Positions{}
		for range event.MaxPositions + 1 {
			long[uid.New(uid.Account)] = event.Position{}
		}
		for name, cursor := range map[string]string{
			"of a team": eventCursor(owner), "empty": "", "garbage": "1.x", "of too many logs": long.String(),
			"beyond the end": event.Positions{account: {Seq: 1 << 40}}.String(),
		} {
			t.Run(name, func(*testing.T) {
				ann.Subscribe(watchNotes, map[string]any{"after": cursor}).Next().Refused("BAD_USER_INPUT")
			})
		}
		t.Run("of a log that does not concern the viewer, or that does not exist", func(t *testing.T) {
			stranger := w.SignUp("mallory@evil.test")
			var refused []string
			for _, log := range []string{account, uid.New(uid.Account)} {
				cursor := event.Positions{log: {}}.String()
				a := stranger.Subscribe(watchNotes, map[string]any{"after": cursor}).Next().Refused("BAD_USER_INPUT")
				refused = append(refused, strings.ReplaceAll(a.Raw, cursor, "CURSOR"))
			}
			equal(t, "the refusal of one that exists", refused[0], refused[1])
		})
	})
}
