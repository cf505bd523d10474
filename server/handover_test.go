package server_test

import (
	"testing"

	"github.com/convoke-dev/convoke/internal/testkit"
)

// keepInvitations has the account keep the invitations of members who leave.
func keepInvitations(owner *testkit.Person) {
	owner.Mutate("updateAccount", "", "accountId", owner.AccountID(), "keepInvitationsOfRemovedMembers", true).OK()
}

// HARD-1: whatever the giver has lost stays refused when somebody else answers for the
// invitation, until that person confirms it.
func TestHandingOverNeverWidens(t *testing.T) {
	t.Parallel()
	leave := func(_, giver *testkit.Person) { giver.Mutate("leaveTeam", "", "teamId", giver.TeamID).OK() }
	remove := func(owner, giver *testkit.Person) {
		onMember(owner, "removeMember", owner.MemberID(giver.Email)).OK()
	}
	demote := func(owner, giver *testkit.Person) {
		onMember(owner, "setRoles", owner.MemberID(giver.Email), "roleIds", []string{owner.Role("viewer")}).OK()
	}
	all := []any{"allPermissions", true}
	for name, c := range map[string]struct {
		grant      []any // of the giver and of the invitation, which grants the same
		loses, go_ func(owner, giver *testkit.Person)
		stays      bool // the giver held all of it to the end
	}{
		"HARD-1 demoted, then leaves":       {grant: all, loses: demote, go_: leave},
		"HARD-1 demoted, then removed":      {grant: all, loses: demote, go_: remove},
		"HARD-1 holds all of it to the end": {grant: all, loses: func(_, _ *testkit.Person) {}, go_: leave, stays: true},
		"HARD-1 demoted and promoted again": {grant: all, go_: leave, stays: true, loses: func(owner, giver *testkit.Person) {
			demote(owner, giver)
			onMember(owner, "setRoles", owner.MemberID(giver.Email), "permissions", everyKey(owner)).OK()
		}},
		"HARD-1 deactivated, then removed": {grant: all, loses: func(owner, giver *testkit.Person) {
			onMember(owner, "deactivateMember", owner.MemberID(giver.Email)).OK()
		}, go_: remove},
		"HARD-1 deactivated and reactivated": {grant: all, go_: leave, stays: true, loses: func(owner, giver *testkit.Person) {
			id := owner.MemberID(giver.Email)
			onMember(owner, "deactivateMember", id).OK()
			onMember(owner, "reactivateMember", id).OK()
		}},
		"HARD-1 may not invite any more": {grant: all, go_: leave, loses: func(owner, giver *testkit.Person) {
			onMember(owner, "setRoles", owner.MemberID(giver.Email), "permissions", []string{"team.read"}).OK()
		}},
		"HARD-1 restricted, then removed": {grant: all, go_: remove, loses: func(owner, giver *testkit.Person) {
			onMember(owner, "setRestrictions", owner.MemberID(giver.Email), "divisionIds", []string{newDivision(owner, "East", "")}).OK()
		}},
		"HARD-1 restricted to a domain, leaves": {grant: all, go_: leave, loses: func(owner, giver *testkit.Person) {
			onMember(owner, "setRestrictions", owner.MemberID(giver.Email), "allowedDomains", []string{"acme.test"}).OK()
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, w *testkit.World) {
				owner := w.SignUp("olivia@acme.test")
				keepInvitations(owner)
				giver := owner.JoinWith("adam@acme.test", c.grant...)
				id := giver.Do(testkit.InviteMutation, testkit.Input(append([]any{"teamId", giver.TeamID, "email", "friend@x.org"}, c.grant...)...)).OK().Text("inviteUser.invitation.id")
				friend := testkit.Token(t, w.Mail.Wait(t, "friend@x.org", 1))
				c.loses(owner, giver)
				before := version(owner, id)
				c.go_(owner, giver)
				equal(t, "needs confirmation", needsConfirmation(owner, id), any(!c.stays))
				if c.stays {
					w.Anonymous().Accept(friend, "password", testkit.Password).OK()
					return
				}
				if version(owner, id) == before {
					t.Error("the invitation has changed, and its timeline does not say so")
				}
				w.Anonymous().Accept(friend, "password", testkit.Password).Refused("INVITER_LOST_GRANT")
				owner.Mutate("updateInvite", "", "invitationId", id, "note", "Hi").OK() // is no confirmation
				w.Anonymous().Accept(friend, "password", testkit.Password).Refused("INVITER_LOST_GRANT")
				owner.Mutate("updateInvite", "", append([]any{"invitationId", id}, c.grant...)...).OK()
				equal(t, "needs confirmation", needsConfirmation(owner, id), any(false))
				w.Anonymous().Accept(friend, "password", testkit.Password).OK()
			})
		})
	}
}

// HARD-1, by what the giver held through roles and groups, and after the second hand-over.
func TestHandingOverWhatRolesAndGroupsHeld(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		keepInvitations(owner)
		open := func(giver *testkit.Person, email string) (id, token string) {
			id = giver.Do(testkit.InviteMutation, testkit.Input("teamId", giver.TeamID, "email", email, "permissions", []string{"billing.refund"})).OK().Text("inviteUser.invitation.id")
			return id, testkit.Token(t, w.Mail.Wait(t, email, 1))
		}
		t.Run("HARD-1 a role loses a permission, then the giver leaves", func(t *testing.T) {
			role := newRole(owner, "refunds", "members.invite", "members.read", "billing.refund")
			giver := owner.JoinWith("rita@acme.test", "roleIds", []string{role})
			id, token := open(giver, "one@x.org")
			owner.Mutate("updateRole", "", "roleId", role, "permissions", []string{"members.invite", "members.read"}).OK()
			giver.Mutate("leaveTeam", "", "teamId", owner.TeamID).OK()
			w.Anonymous().Accept(token, "password", testkit.Password).Refused("INVITER_LOST_GRANT")
			resend(owner, id).OK()
			w.Anonymous().Accept(testkit.Token(t, w.Mail.Wait(t, "one@x.org", 2)), "password", testkit.Password).OK()
		})
		t.Run("HARD-1 a group loses a role, and the person is removed and invited again", func(t *testing.T) {
			role := newRole(owner, "payments", "members.invite", "members.read", "billing.refund")
			group := newGroup(owner, "Payments", role)
			giver := owner.JoinWith("gus@acme.test", "groupIds", []string{group})
			id, token := open(giver, "two@x.org")
			owner.Mutate("updateGroup", "", "groupId", group, "roleIds", []string{}).OK()
			onMember(owner, "removeMember", owner.MemberID(giver.Email)).OK()
			joinBy(owner, w.SignIn(giver.Email), "allPermissions", true)
			w.Anonymous().Accept(token, "password", testkit.Password).Refused("INVITER_LOST_GRANT")
			equal(t, "needs confirmation", needsConfirmation(owner, id), any(true))
		})
		t.Run("HARD-1 the ownership is handed over, and the former owner leaves", func(*testing.T) {
			heir := owner.JoinWith("hera@acme.test", "allPermissions", true)
			id, token := open(owner, "three@x.org")
			transfer := owner.Mutate("requestOwnershipTransfer", "transfer { id }", "memberId", owner.MemberID(heir.Email)).OK().Text("requestOwnershipTransfer.transfer.id")
			heir.Mutate("acceptOwnershipTransfer", "", "transferId", transfer).OK()
			onMember(heir, "setRoles", heir.MemberID(owner.Email), "roleIds", []string{heir.Role("viewer")}).OK()
			w.Anonymous().Accept(token, "password", testkit.Password).Refused("INVITER_LOST_GRANT")
			owner.Mutate("leaveTeam", "", "teamId", heir.TeamID).OK()
			w.Anonymous().Accept(token, "password", testkit.Password).Refused("INVITER_LOST_GRANT")
			clerk := heir.JoinWith("clerk@acme.test", "permissions", []string{"members.invite", "members.read"})
			resend(clerk, id).Refused("NOT_GRANTABLE invitationId")
			clerk.Mutate("updateInvite", "", "invitationId", id, "permissions", []string{"billing.refund"}).Refused("NOT_GRANTABLE invitationId")
			heir.Mutate("updateInvite", "", "invitationId", id, "permissions", []string{"billing.refund"}).OK()
			w.Anonymous().Accept(token, "password", testkit.Password).OK()
		})
	})
}

// everyKey is the whole catalogue.
func everyKey(p *testkit.Person) []string {
	a := p.Do(`{ permissions { permissions { key } } }`, nil).OK()
	var keys []string
	for i := range a.List("permissions", "") {
		keys = append(keys, a.List("permissions."+itoa(i)+".permissions", "key")...)
	}
	return keys
}

func needsConfirmation(p *testkit.Person, id string) any {
	return p.Do(`query($id: ID!) { node(id: $id) { ... on Invitation { needsConfirmation } } }`, map[string]any{"id": id}).OK().At("node.needsConfirmation")
}

// version is the number of events of the invitation.
func version(p *testkit.Person, id string) string {
	return p.Do(`query($id: ID!) { node(id: $id) { ... on Invitation { timeline { totalCount } } } }`, map[string]any{"id": id}).OK().Text("node.timeline.totalCount")
}

// HARD-2: nobody gives back, lengthens or rewords what they could not give.
func TestTheCeilingHoldsForWhatIsGivenBack(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		hr := owner.JoinWith("hr@acme.test", "permissions", []string{"members.read", "members.invite", "members.update", "members.deactivate", "members.remove", "account.update"})
		admin := owner.JoinWith("adam@acme.test", "allPermissions", true)
		east := newDivision(owner, "East", "")
		west := newDivision(owner, "West", "")
		id := owner.MemberID(admin.Email)
		can := func(p *testkit.Person) any {
			return p.Do(`query($id: ID!) { node(id: $id) { ... on Member { viewerCanReactivate } } }`, map[string]any{"id": id}).OK().At("node.viewerCanReactivate")
		}
		t.Run("HARD-2 reactivating gives back no more than the caller holds", func(t *testing.T) {
			onMember(hr, "deactivateMember", id).OK() // taking away is free
			equal(t, "may reactivate", can(hr), any(false))
			onMember(hr, "reactivateMember", id).Refused("NOT_GRANTABLE memberId")
			equal(t, "may reactivate", can(owner), any(true))
			clerk := owner.MemberID(owner.JoinWith("clerk@acme.test", "permissions", []string{"members.read"}).Email)
			onMember(hr, "deactivateMember", clerk).OK()
			onMember(hr, "reactivateMember", clerk).OK()
			onMember(owner, "setRestrictions", owner.MemberID(hr.Email), "divisionIds", []string{east}).OK()
			onMember(hr, "deactivateMember", clerk).OK()
			onMember(hr, "reactivateMember", clerk).Refused("NOT_GRANTABLE memberId")
			onMember(owner, "setRestrictions", owner.MemberID(hr.Email), "divisionIds", []string{}).OK()
			onMember(hr, "reactivateMember", clerk).OK()
			onMember(owner, "reactivateMember", id).OK()
		})
		t.Run("HARD-2 nor do restrictions that are lifted, or a division that is moved", func(*testing.T) {
			onMember(hr, "setRestrictions", id, "divisionIds", []string{east}, "allowedDomains", []string{"x.org"}).OK()
			onMember(hr, "setRestrictions", id, "allowedDomains", []string{"www.x.org"}).OK()
			onMember(hr, "setRestrictions", id, "allowedDomains", []string{"x.org"}).Refused("NOT_GRANTABLE memberId")
			onMember(hr, "setRestrictions", id, "divisionIds", []string{east, west}).Refused("NOT_GRANTABLE memberId")
			onMember(hr, "setRestrictions", id, "divisionIds", []string{}).Refused("NOT_GRANTABLE memberId")
			hr.Mutate("updateDivision", "", "divisionId", west, "parentId", east).Refused("NOT_GRANTABLE parentId")
			owner.Mutate("updateDivision", "", "divisionId", west, "parentId", east).OK()
			hr.Mutate("updateDivision", "", "divisionId", west, "name", "Far West").OK()
			hr.Mutate("updateDivision", "", "divisionId", west, "parentId", "").OK()
			onMember(owner, "setRestrictions", id, "divisionIds", []string{}).OK()
		})
		t.Run("HARD-2 nor is an invitation lengthened, reworded or resent above the ceiling", func(*testing.T) {
			open := owner.Do(testkit.InviteMutation, testkit.Input("teamId", owner.TeamID, "email", "friend@x.org", "allPermissions", true)).OK().Text("inviteUser.invitation.id")
			for _, change := range [][]any{
				{"expiresInHours", 720}, {"note", "Come in"}, {"firstName", "Fred"}, {"divisionIds", []string{east}}, {"permissions", []string{"members.read"}},
			} {
				hr.Mutate("updateInvite", "", append([]any{"invitationId", open}, change...)...).Refused("NOT_GRANTABLE invitationId")
			}
			resend(hr, open).Refused("NOT_GRANTABLE invitationId")
			hr.Do(testkit.InviteMutation, testkit.Input("teamId", hr.TeamID, "email", "friend@x.org", "permissions", []string{"members.read"}, "onConflict", "RESEND")).Refused("NOT_GRANTABLE email")
			revoke(hr, open).OK() // taking away is free
		})
	})
}
