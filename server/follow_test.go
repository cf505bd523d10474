package server_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/testdb"
	"github.com/convoke-dev/convoke/internal/testkit"
)

const (
	watchMembers = `subscription($team: ID!, $after: EventCursor) { membersChanged(teamId: $team, after: $after) { cursor type memberId member { id isOwner status user { email } roles { key } }
		removedMemberId formerOwner { isOwner user { email } } nodeId team { counts { active } } } }`
	watchAccess   = `subscription { viewerAccessChanged { type teamId permissions } }`
	watchReceived = `subscription($after: EventCursor) { receivedInvitationsChanged(after: $after) { cursor type previousStatus invitationId
		invitation { id status note team { name account { name } } inviter { ... on User { email lastSeenAt } } roles { key } } } }`
)

func TestMembersAreFollowed(t *testing.T) {
	t.Parallel()
	follow(t, func(t *testing.T, w, _ *testkit.World, subscribe subscriber) {
		owner := w.SignUp("olivia@acme.test")
		stream := subscribe(owner.Client, watchMembers, map[string]any{"team": owner.TeamID, "after": eventCursor(owner)})
		next := func(want string) *testkit.Answer {
			t.Helper()
			a := stream.Next().OK()
			equal(t, "event", a.Text("membersChanged.type")+" "+a.Text("membersChanged.member.user.email"), want)
			return a
		}
		t.Run("BEY-1 DC-21 a new member is seen at once, and every later change of the member", func(t *testing.T) {
			adam := owner.Join("adam@acme.test", "viewer")
			id := next("JOINED adam@acme.test").Text("membersChanged.memberId")
			onMember(owner, "setRoles", id, "roleIds", []string{owner.Role("account_admin")}).OK()
			equal(t, "role", next("UPDATED adam@acme.test").Text("membersChanged.member.roles.0.key"), "account_admin")
			onMember(owner, "deactivateMember", id).OK()
			equal(t, "status", next("DEACTIVATED adam@acme.test").Text("membersChanged.member.status"), "DEACTIVATED")
			onMember(owner, "reactivateMember", id).OK()
			next("REACTIVATED adam@acme.test")
			back := w.SignIn(adam.Email)
			transfer := owner.Mutate("requestOwnershipTransfer", "transfer { id }", "memberId", id).OK().Text("requestOwnershipTransfer.transfer.id")
			a := next("REFERENCE_CHANGED ")
			equal(t, "the offer", a.Text("membersChanged.nodeId"), transfer)
			back.Mutate("acceptOwnershipTransfer", "", "transferId", transfer).OK()
			a = stream.Next().OK()
			equal(t, "owner", a.Text("membersChanged.type")+" "+a.Text("membersChanged.memberId"), "OWNER_CHANGED "+id)
			equal(t, "is owner", a.Text("membersChanged.member.isOwner"), "true")
			equal(t, "the former owner is", a.Text("membersChanged.formerOwner.user.email")+" "+a.Text("membersChanged.formerOwner.isOwner"), "olivia@acme.test false")
			back.Do(`mutation($input: UpdateProfileInput!) { updateProfile(input: $input) { userErrors { code } } }`, testkit.Input("firstName", "Adam")).OK()
			next("UPDATED adam@acme.test")
			// The former owner is a member still, and so the stream goes on.
			equalList(t, "members after the change of the owner", owner.Members(), "olivia@acme.test", "adam@acme.test")
			equal(t, "the former owner is the owner", owner.Ask(`viewerMembership { isOwner }`).OK().Text("team.viewerMembership.isOwner"), "false")
			back.In(owner.TeamID).Join("ann@x.org", "viewer")
			gone := next("JOINED ann@x.org").Text("membersChanged.memberId")
			onMember(back.In(owner.TeamID), "removeMember", gone).OK()
			a = next("REMOVED ")
			equal(t, "whom", a.Text("membersChanged.memberId"), gone)
			equal(t, "removed", a.Text("membersChanged.removedMemberId"), gone)
			equal(t, "left", a.Text("membersChanged.team.counts.active"), "2")
			equal(t, "member", a.At("membersChanged.member"), nil)
		})
	})
}

func TestViewersAreToldWhatTheyHold(t *testing.T) {
	t.Parallel()
	follow(t, func(t *testing.T, w, there *testkit.World, subscribe subscriber) {
		owner, ann := w.SignUp("olivia@acme.test"), w.SignUp("ann@x.org")
		stream := subscribe(ann.Client, watchAccess, nil)
		testkit.Eventually(t, func() bool { return there.Server.Streams() == 1 })
		next := func(want, team string) *testkit.Answer {
			t.Helper()
			a := stream.Next().OK()
			equal(t, "event", a.Text("viewerAccessChanged.type"), want)
			equal(t, "team", a.Text("viewerAccessChanged.teamId"), team)
			return a
		}
		t.Run("BEY-4 changes of one's rights are pushed: granted, changed, revoked", func(t *testing.T) {
			owner.JoinAs(ann, "viewer")
			next("GRANTED", owner.TeamID)
			id := owner.MemberID(ann.Email)
			onMember(owner, "setRoles", id, "permissions", []string{"team.read", "billing.read"}).OK()
			equal(t, "permissions", strings.Join(next("CHANGED", owner.TeamID).List("viewerAccessChanged.permissions", ""), " "), "billing.read team.read")
			onMember(owner, "deactivateMember", id).OK()
			next("REVOKED", owner.TeamID)
			onMember(owner, "reactivateMember", id).OK()
			next("GRANTED", owner.TeamID)
			onMember(owner, "removeMember", id).OK()
			next("REVOKED", owner.TeamID)
		})
		t.Run("BEY-4 and the end of the session, before the stream ends", func(t *testing.T) {
			ann.Do(`mutation { signOut { userErrors { code } } }`, nil).OK()
			next("SIGNED_OUT", "")
			rest := stream.Ended()
			equal(t, "answers after it", len(rest), 1)
			rest[0].Refused("UNAUTHENTICATED")
		})
	})
}

func TestAddresseesAreToldWhatWaits(t *testing.T) {
	t.Parallel()
	follow(t, func(t *testing.T, w, there *testkit.World, subscribe subscriber) {
		owner, ann, bob := w.SignUp("olivia@acme.test"), w.SignUp("ann@x.org"), w.SignUp("bob@x.org")
		owner.Invite("bob@x.org", "billing").OK()
		stream, others := subscribe(ann.Client, watchReceived, nil), subscribe(bob.Client, watchReceived, nil)
		testkit.Eventually(t, func() bool { return there.Server.Streams() == 2 })
		next := func(want string) *testkit.Answer {
			t.Helper()
			a := stream.Next().OK()
			for a.Text("receivedInvitationsChanged.type") == "DELIVERY_CHANGED" {
				a = stream.Next().OK()
			}
			equal(t, "event", a.Text("receivedInvitationsChanged.invitation.status"), want)
			return a
		}
		t.Run("BEY-24 an invitation is seen at once, and its end", func(t *testing.T) {
			var id string
			first := owner.Invite("Ann@X.org", "billing", "note", "Join us").OK().Text("inviteUser.invitation.id")
			a := next("PENDING")
			equal(t, "id", a.Text("receivedInvitationsChanged.invitationId"), first)
			equal(t, "inviter", a.Text("receivedInvitationsChanged.invitation.inviter.email"), "olivia@acme.test")
			equal(t, "role", a.Text("receivedInvitationsChanged.invitation.roles.0.key"), "billing")
			owner.Mutate("updateInvite", "", "invitationId", first, "note", "Soon").OK()
			equal(t, "note", next("PENDING").Text("receivedInvitationsChanged.invitation.note"), "Soon")
			revoke(owner, first).OK()
			over := next("REVOKED")
			equal(t, "team", over.Text("receivedInvitationsChanged.invitation.team.name"), "olivia")
			for _, shown := range []*testkit.Answer{a, over} {
				equal(t, "the inviter's last use, for a stranger", shown.At("receivedInvitationsChanged.invitation.inviter.lastSeenAt"), nil)
			}
			id = w.SignUp("otto@b.test").Invite("ann@x.org", "viewer").OK().Text("inviteUser.invitation.id")
			equal(t, "from another account", next("PENDING").Text("receivedInvitationsChanged.invitationId"), id)
			ann.Do(testkit.AcceptMutation, testkit.Input("id", id)).OK()
			next("ACCEPTED")
		})
		t.Run("BEY-24 and nothing that is somebody else's", func(t *testing.T) {
			id := owner.Invite("bob@x.org", "viewer", "onConflict", "RESEND").OK().Text("inviteUser.invitation.id")
			equal(t, "the first event of Bob's stream", others.Next().OK().Text("receivedInvitationsChanged.invitationId"), id)
		})
	})
}

func TestWhatIsLostIsSaidBeforeStreamsEnd(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		team := map[string]any{"team": owner.TeamID}
		for i := range 10 {
			ann := owner.Join("ann"+itoa(i)+"@x.org", "viewer")
			// Her mail is there a moment before its event SENT, which her streams must not have.
			testkit.Eventually(t, func() bool { return jobs(t, w) == 0 })
			s := socketOf(t, w, ann.Session)
			s.ask("invites", watch, team)
			s.ask("members", watchMembers, team)
			s.ask("access", `subscription { viewerAccessChanged { type } }`, nil)
			testkit.Eventually(t, func() bool { return w.Server.Streams() == 3 })
			onMember(owner, "removeMember", owner.MemberID(ann.Email)).OK()
			// CHANGED may come first: the watch reads members and their roles in two statements.
			for revoked := false; !revoked; {
				m := s.next()
				if m.ID != "access" {
					t.Fatalf("got %s of %s, want REVOKED before the other streams end", m.Payload, m.ID)
				}
				revoked = strings.Contains(string(m.Payload), `"REVOKED"`)
			}
			for range 2 {
				if m := s.next(); m.ID == "access" || !strings.Contains(string(m.Payload), `"FORBIDDEN"`) {
					t.Errorf("got %s of %s, want FORBIDDEN of another stream", m.Payload, m.ID)
				}
			}
			_ = s.Close()
			testkit.Eventually(t, func() bool { return w.Server.Streams() == 0 })
		}
	})
}

func TestAnEventThatCannotBeShownEndsTheStream(t *testing.T) {
	t.Parallel()
	follow(t, func(t *testing.T, w, there *testkit.World, subscribe subscriber) {
		owner := w.SignUp("olivia@acme.test")
		from := map[string]any{"team": owner.TeamID, "after": eventCursor(owner)}
		streams := []*testkit.Stream{subscribe(owner.Client, watch, from), subscribe(owner.Client, watch, from)}
		testkit.Eventually(t, func() bool { return there.Server.Streams() == len(streams) })
		account := owner.AccountID()
		err := w.Server.Store.InAccount(t.Context(), account, func(tx *store.Tx) error {
			return w.Server.Auth.Events.Append(t.Context(), tx, account,
				event.Draft{Type: event.InvitationCreated, TeamID: owner.TeamID, SubjectID: "inv_none"})
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range streams {
			s.Next().Refused("NOT_FOUND")
			if rest := s.Ended(); len(rest) > 0 {
				t.Errorf("got %v, want the end", rest)
			}
		}
		testkit.Eventually(t, func() bool { return there.Server.Streams() == 0 }) // and nothing is left of them
	})
}

func TestWhatAnEventCosts(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		w, statements, _ := counted(t, address)
		for _, email := range []string{"olivia@acme.test", "adam@acme.test"} {
			signUp(w, email, testkit.Password).OK()
		}
		owner, admin := w.SignIn("olivia@acme.test"), w.SignIn("adam@acme.test")
		admin.Accept(tokenOf(t, owner.Invite(admin.Email, "account_admin").OK().Text("inviteUser.inviteUrl"))).OK()
		admin = admin.In(owner.TeamID)
		var streams []*testkit.Stream
		invited := 0
		// cost counts the statements of an invitation that goes to all streams.
		cost := func(listening int) int64 {
			for len(streams) < listening {
				p := []*testkit.Person{owner, admin}[len(streams)%2] // a user has only so many sockets
				streams = append(streams, p.Subscribe(watch, map[string]any{"team": owner.TeamID, "after": eventCursor(owner)}))
			}
			role := owner.Role("viewer")
			tell := func() {
				invited++
				owner.Do(testkit.InviteMutation, testkit.Input("teamId", owner.TeamID, "email", fmt.Sprintf("p%d@x.org", invited), "roleIds", []string{role}, "sendEmail", false)).OK()
				for _, s := range streams {
					equal(t, "event", seen(s.Next().OK()), fmt.Sprintf("CREATED p%d@x.org", invited))
				}
			}
			tell() // fill the caches
			return leastCost(statements, tell)
		}
		few := cost(2)
		if many := cost(36); many != few {
			t.Errorf("%d statements for 36 subscribers, %d for 2, want the same", many, few)
		}
	})
}
