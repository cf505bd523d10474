package server_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/internal/testkit/rounds"
)

// place is the number of the event that a cursor names.
func place(t *testing.T, owner *testkit.Person, cursor string) int64 {
	t.Helper()
	c, err := event.ParseCursor(cursor, owner.AccountID())
	if err != nil {
		t.Fatal(err)
	}
	return c.Seq
}

func TestNothingLeaksToWhoeverIsRemoved(t *testing.T) {
	t.Parallel()
	const victims, sockets, invitations = 5, 10, 10
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		account := owner.AccountID()
		var people []*testkit.Person
		for n := range victims {
			people = append(people, w.SignUp(fmt.Sprintf("victim%d@x.org", n)))
		}
		t.Run("BEY-4 a member removed while events come sees none from that commit on", func(t *testing.T) {
			for round := range rounds.Of(t, 5) {
				streams := make([][]*testkit.Stream, victims)
				members := make([]string, victims)
				for n, p := range people {
					owner.JoinAs(p, "account_admin")
					members[n] = owner.MemberID(p.Email)
				}
				from := map[string]any{"team": owner.TeamID, "after": eventCursor(owner)}
				for n, p := range people {
					for range sockets {
						streams[n] = append(streams[n], p.Subscribe(watch, from))
					}
				}
				testkit.Eventually(t, func() bool { return w.Server.Streams() == victims*sockets })
				role := owner.Role("viewer")
				var both sync.WaitGroup
				both.Go(func() {
					for i := range invitations {
						owner.Do(testkit.InviteMutation, testkit.Input("teamId", owner.TeamID, "sendEmail", false,
							"email", fmt.Sprintf("r%d.i%d@x.org", round, i), "roleIds", []string{role})).OK()
					}
				})
				both.Go(func() {
					for _, id := range members {
						onMember(owner, "removeMember", id).OK()
					}
				})
				both.Wait()
				for n, id := range members {
					removed := owner.Do(`query($id: ID!, $member: ID!) { account(id: $id) { auditLog(filter: {types: [MEMBER_REMOVED], subjectId: $member}) { nodes { cursor } } } }`,
						map[string]any{"id": account, "member": id}).OK().Text("account.auditLog.nodes.0.cursor")
					end := place(t, owner, removed)
					for _, s := range streams[n] {
						answers := s.Ended()
						s.Close()
						for _, a := range answers[:len(answers)-1] {
							if at := place(t, owner, a.OK().Text("inviteStatusChanged.cursor")); at >= end {
								t.Errorf("round %d: event %d was shown to a member removed by event %d", round, at, end)
							}
						}
						answers[len(answers)-1].Refused("FORBIDDEN")
					}
				}
			}
		})
	})
}
