package server_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/testdb"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/server"
)

// onSeveral sends a mutation about several objects of p's team.
func onSeveral(p *testkit.Person, mutation string, more ...any) *testkit.Answer {
	results := map[string]string{
		"resendInvites": "invitation { id status sendCount } inviteUrl", "revokeInvites": "invitation { id status }",
		"removeMembers": "member { id }", "setRolesOfMembers": "member { id roles { key } version }",
	}[mutation]
	return p.Mutate(mutation, "results { outcome "+results+" userErrors { code field } } team { counts { active invited } }",
		append([]any{"teamId", p.TeamID}, more...)...)
}

// outcomes are the results of onSeveral, each as "OUTCOME CODE field" without its empty
// parts.
func outcomes(a *testkit.Answer) []string {
	for mutation := range a.Data {
		lines := a.List(mutation+".results", "outcome")
		for i := range lines {
			at := fmt.Sprintf("%s.results.%d.userErrors.0.", mutation, i)
			lines[i] = strings.TrimSpace(lines[i] + " " + a.Text(at+"code") + " " + strings.Join(a.List(at+"field", ""), "."))
		}
		return lines
	}
	return nil
}

// times returns a list of n equal ids.
func times(n int, id string) []string { return slices.Repeat([]string{id}, n) }

func TestResendingAndRevokingSeveral(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		var ids []string
		for _, email := range addresses("p", 4) {
			ids = append(ids, owner.Invite(email, "billing").OK().Text("inviteUser.invitation.id"))
			owner.Delivered(email)
		}
		gone := owner.Invite("gone@example.org", "billing").OK().Text("inviteUser.invitation.id")
		revoke(owner, gone).OK()
		other := w.SignUp("mallory@evil.test").Invite("x@x.org", "billing").OK().Text("inviteUser.invitation.id")

		t.Run("FE-13 what can be resent is resent, and each has its result", func(t *testing.T) {
			a := onSeveral(owner, "resendInvites", "invitationIds", []string{ids[0], gone, ids[0], other, ids[1]}).OK()
			equalList(t, "results", outcomes(a), "DONE", "FAILED INVITATION_REVOKED invitationIds.1", "DUPLICATE DUPLICATE invitationIds.2",
				"FAILED NOT_FOUND invitationIds.3", "DONE")
			equal(t, "sent", a.Text("resendInvites.results.0.invitation.sendCount"), "2")
			equal(t, "the refused one as it is", a.Text("resendInvites.results.1.invitation.status"), "REVOKED")
			equal(t, "the stranger's", a.Text("resendInvites.results.3.invitation"), "")
			equal(t, "counts", a.Text("resendInvites.team.counts.invited"), "4")
			owner.Delivered("p0@example.org")
			equal(t, "mails", len(w.Mail.To("p0@example.org")), 2)
		})
		t.Run("FE-13 the cooldown of each invitation holds", func(t *testing.T) {
			a := onSeveral(owner, "resendInvites", "invitationIds", ids[:3]).OK()
			equalList(t, "results", outcomes(a), "FAILED RESEND_LIMIT_REACHED invitationIds.0", "FAILED RESEND_LIMIT_REACHED invitationIds.1", "DONE")
		})
		t.Run("FE-13 the same call with the same key resends nothing again", func(t *testing.T) {
			w.Clock.Advance(2 * time.Minute)
			again := func(more ...any) *testkit.Answer {
				return onSeveral(owner, "resendInvites", append([]any{"invitationIds", []string{ids[3], gone}, "idempotencyKey", "k"}, more...)...)
			}
			first := again().OK()
			equalList(t, "results", outcomes(first), "DONE", "FAILED INVITATION_REVOKED invitationIds.1")
			equal(t, "again", again().OK().Raw, first.Raw)
			again("expiresInHours", 5).Refused("IDEMPOTENCY_KEY_REUSED idempotencyKey")
		})
		t.Run("FE-13 what can be revoked is revoked, and the team is counted anew", func(t *testing.T) {
			a := onSeveral(owner, "revokeInvites", "invitationIds", []string{ids[0], gone, other, ids[1], ids[1]}).OK()
			equalList(t, "results", outcomes(a), "DONE", "UNCHANGED", "FAILED NOT_FOUND invitationIds.2", "DONE", "DUPLICATE DUPLICATE invitationIds.4")
			equal(t, "status", a.Text("revokeInvites.results.0.invitation.status"), "REVOKED")
			equal(t, "counts", a.Text("revokeInvites.team.counts.invited"), "2")
		})
		t.Run("FE-13 none and too many are refused as a whole", func(*testing.T) {
			for _, mutation := range []string{"resendInvites", "revokeInvites"} {
				onSeveral(owner, mutation, "invitationIds", []string{}).Refused("BLANK invitationIds")
				onSeveral(owner, mutation, "invitationIds", times(101, gone)).Refused("INVALID_VALUE invitationIds")
			}
			onSeveral(owner, "resendInvites", "invitationIds", ids, "expiresInHours", 0).Refused("INVALID_VALUE expiresInHours")
			onSeveral(owner, "resendInvites", "invitationIds", ids, "idempotencyKey", "").Refused("BLANK idempotencyKey")
		})
		t.Run("FE-13 an inviter who may not read members resends their own only", func(t *testing.T) {
			adam := owner.JoinWith("adam@acme.test", "permissions", []string{"members.invite", "team.read"})
			own := adam.Mutate("inviteUser", "invitation { id }", "teamId", owner.TeamID, "email", "q@x.org", "permissions", []string{"team.read"}).OK().Text("inviteUser.invitation.id")
			equalList(t, "results", outcomes(onSeveral(adam, "revokeInvites", "invitationIds", []string{ids[2], own})), "FAILED NOT_FOUND invitationIds.0", "DONE")
		})
	})
}

func TestLinksOfSeveralResends(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		t.Helper()
		w := testkit.New(t, address, func(c *server.Config) { c.Sender = nil })
		signUp(w, "olivia@acme.test", testkit.Password).OK()
		owner := w.SignIn("olivia@acme.test")
		id := owner.Invite("ann@x.org", "billing").OK().Text("inviteUser.invitation.id")
		t.Run("FE-13 without mail each result has its link, and the repeated call has it too", func(t *testing.T) {
			first := onSeveral(owner, "resendInvites", "invitationIds", []string{id}, "idempotencyKey", "k").OK()
			equal(t, "again", onSeveral(owner, "resendInvites", "invitationIds", []string{id}, "idempotencyKey", "k").OK().Raw, first.Raw)
			w.Anonymous().Accept(tokenOf(t, first.Text("resendInvites.results.0.inviteUrl")), "password", testkit.Password).OK()
			equal(t, "a used link", onSeveral(owner, "resendInvites", "invitationIds", []string{id}, "idempotencyKey", "k").OK().Text("resendInvites.results.0.inviteUrl"), "")
		})
	})
}

func TestChangingAndRemovingSeveral(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		var ids []string
		for _, email := range addresses("p", 4) {
			ids = append(ids, owner.MemberID(owner.Join(email, "billing").Email))
		}
		self := owner.MemberID("olivia@acme.test")
		mallory := w.SignUp("mallory@evil.test")
		other := mallory.MemberID("mallory@evil.test")
		viewer, billing := owner.Role("viewer"), owner.Role("billing")
		item := func(id string, role string, more ...any) map[string]any {
			fields := testkit.Input(append([]any{"memberId", id, "roleIds", []string{role}}, more...)...)
			return fields["input"].(map[string]any)
		}

		t.Run("FE-13 who can be changed is changed, and each has their result", func(t *testing.T) {
			a := onSeveral(owner, "setRolesOfMembers", "items", []any{
				item(ids[0], viewer), item(ids[1], billing), item(self, viewer), item(other, viewer),
				item(ids[2], viewer, "expectedVersion", 99), item(ids[3], "role_none"), item(ids[0], billing),
				map[string]any{"memberId": ids[3]},
			}).OK()
			equalList(t, "results", outcomes(a), "DONE", "UNCHANGED", "FAILED CANNOT_ACT_ON_SELF items.2.memberId", "FAILED NOT_FOUND items.3",
				"FAILED CONFLICT items.4.expectedVersion", "FAILED ROLE_NOT_FOUND items.5.roleIds", "DUPLICATE DUPLICATE items.6", "DUPLICATE DUPLICATE items.7")
			equalList(t, "changed", a.List("setRolesOfMembers.results.0.member.roles", "key"), "viewer")
			equal(t, "the one in conflict as they are", a.Text("setRolesOfMembers.results.4.member.version"), "1")
		})
		t.Run("FE-13 nobody gives to several what they lack", func(t *testing.T) {
			adam := owner.JoinWith("adam@acme.test", "permissions", []string{"roles.assign", "members.read", "team.read"})
			a := onSeveral(adam, "setRolesOfMembers", "items", []any{item(ids[2], owner.Role("account_admin"))}).OK()
			equalList(t, "results", outcomes(a), "FAILED NOT_GRANTABLE items.0.roleIds")
			onSeveral(adam, "removeMembers", "memberIds", ids).Refused("FORBIDDEN")
		})
		t.Run("FE-13 who can be removed is removed, and the team is counted anew", func(t *testing.T) {
			a := onSeveral(owner, "removeMembers", "memberIds", []string{ids[0], self, other, ids[1], ids[1]}).OK()
			equalList(t, "results", outcomes(a), "DONE", "FAILED CANNOT_ACT_ON_SELF memberIds.1", "FAILED NOT_FOUND memberIds.2", "DONE", "DUPLICATE DUPLICATE memberIds.4")
			equal(t, "the removed one", a.Text("removeMembers.results.0.member"), "")
			equal(t, "the refused one as they are", a.Text("removeMembers.results.1.member.id"), self)
			equal(t, "counts", a.Text("removeMembers.team.counts.active"), "4")
			equal(t, "in the list", len(owner.Ask(`members { nodes { id } }`).OK().List("team.members.nodes", "id")), 4)
		})
		t.Run("FE-13 none and too many are refused as a whole", func(*testing.T) {
			onSeveral(owner, "removeMembers", "memberIds", []string{}).Refused("BLANK memberIds")
			onSeveral(owner, "removeMembers", "memberIds", times(101, self)).Refused("INVALID_VALUE memberIds")
			onSeveral(owner, "setRolesOfMembers", "items", []any{}).Refused("BLANK items")
			onSeveral(mallory.In(owner.TeamID), "removeMembers", "memberIds", []string{self}).Refused("NOT_FOUND")
		})
		t.Run("FE-13 all that was removed at once is in the log, in order", func(t *testing.T) {
			a := owner.Ask(`account { auditLog(first: 2) { nodes { subjectId } } }`).OK()
			equalList(t, "removed", a.List("team.account.auditLog.nodes", "subjectId"), ids[1], ids[0])
		})
	})
}

func TestTwoAccountsRemoveTheSamePeople(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		hosts := [2]*testkit.Person{w.SignUp("olivia@acme.test"), w.SignUp("mallory@evil.test")}
		var ids [2][]string
		for _, email := range addresses("p", 6) {
			p := w.SignUp(email)
			for h, host := range hosts {
				host.JoinAs(p, "billing")
				ids[h] = append(ids[h], host.MemberID(email))
			}
		}
		slices.Reverse(ids[1])
		t.Run("FE-13 two accounts that remove the same people at once both succeed", func(t *testing.T) {
			var answers [2]*testkit.Answer
			together(2, func(i int) { answers[i] = onSeveral(hosts[i], "removeMembers", "memberIds", ids[i]) })
			for _, a := range answers {
				equalList(t, "results", outcomes(a.OK()), times(6, "DONE")...)
			}
		})
	})
}

func TestPayloadsHaveWhatACacheNeeds(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		ann := owner.Join("ann@x.org", "billing")
		id := owner.MemberID(ann.Email)
		const counts = "team { id counts { active } }"
		t.Run("FE-13 CONFLICT has the object as it is now", func(t *testing.T) {
			a := onMember(owner, "setRoles", id, "roleIds", []string{}, "expectedVersion", 99).Refused("CONFLICT expectedVersion")
			equal(t, "member", a.Text("setRoles.member.id"), id)
			a = onMember(owner, "setRestrictions", id, "expectedVersion", 99).Refused("CONFLICT expectedVersion")
			equal(t, "member", a.Text("setRestrictions.member.id"), id)

			role := owner.Mutate("createRole", "role { id }", "accountId", owner.AccountID(), "key", "clerk", "name", "Clerk", "permissions", []string{}).OK().Text("createRole.role.id")
			a = owner.Mutate("createRole", "role { id name }", "accountId", owner.AccountID(), "key", "clerk", "name", "Other", "permissions", []string{}).Refused("CONFLICT key")
			equal(t, "the role with the key", a.Text("createRole.role.id"), role)
			a = owner.Mutate("updateRole", "role { version }", "roleId", role, "expectedVersion", 99).Refused("CONFLICT expectedVersion")
			equal(t, "role", a.Text("updateRole.role.version"), "1")
			group := newGroup(owner, "Crew", role)
			a = owner.Mutate("updateGroup", "group { version }", "groupId", group, "expectedVersion", 99).Refused("CONFLICT expectedVersion")
			equal(t, "group", a.Text("updateGroup.group.version"), "1")

			north := owner.Mutate("createDivision", "division { id }", "accountId", owner.AccountID(), "name", "North").OK().Text("createDivision.division.id")
			owner.Mutate("createDivision", "", "accountId", owner.AccountID(), "name", "Pole", "parentId", north).OK()
			a = owner.Mutate("updateDivision", "division { version }", "divisionId", north, "expectedVersion", 99).Refused("CONFLICT expectedVersion")
			equal(t, "division", a.Text("updateDivision.division.version"), "1")
			a = owner.Mutate("deleteDivision", "deletedDivisionId division { name children { name } }", "divisionId", north).Refused("CONFLICT divisionId")
			equal(t, "the division in use", a.Text("deleteDivision.division.name")+a.Text("deleteDivision.deletedDivisionId"), "North")
		})
		t.Run("FE-13 an error about the state has the object as it is now", func(t *testing.T) {
			inv := owner.Ask(`invitations { nodes { id } }`).OK().Text("team.invitations.nodes.0.id")
			for _, mutation := range []string{"revokeInvite", "resendInvite", "updateInvite"} {
				a := owner.Mutate(mutation, "invitation { status }", "invitationId", inv).Refused("INVITATION_ALREADY_ACCEPTED")
				equal(t, mutation, a.Text(mutation+".invitation.status"), "ACCEPTED")
			}
			transfer := owner.Mutate("requestOwnershipTransfer", "transfer { id }", "memberId", id).OK().Text("requestOwnershipTransfer.transfer.id")
			ann.Mutate("declineOwnershipTransfer", "", "transferId", transfer).OK()
			a := owner.Mutate("cancelOwnershipTransfer", "transfer { status }", "transferId", transfer).Refused("TRANSFER_NOT_PENDING transferId")
			equal(t, "transfer", a.Text("cancelOwnershipTransfer.transfer.status"), "DECLINED")
		})
		t.Run("FE-13 other errors have no object", func(t *testing.T) {
			a := onMember(owner, "setRoles", id, "roleIds", []string{"role_none"}).Refused("ROLE_NOT_FOUND roleIds")
			equal(t, "member", a.Text("setRoles.member"), "")
		})
		t.Run("FE-13 a removal has the team and its counts", func(t *testing.T) {
			a := owner.Mutate("removeMember", "removedMemberId "+counts, "memberId", id).OK()
			equal(t, "left", a.Text("removeMember.team.counts.active"), "1")
			equal(t, "removed", a.Text("removeMember.removedMemberId"), id)
		})
		t.Run("FE-13 who leaves sees the team only if they still may", func(t *testing.T) {
			bob := owner.Join("bob@x.org", "billing")
			a := bob.Mutate("leaveTeam", "removedMemberId "+counts, "teamId", owner.TeamID).OK()
			equal(t, "the team of a stranger", a.Text("leaveTeam.team"), "")
			second := owner.In(newTeam(owner, "Second").OK().Text("createTeam.team.id"))
			adam := second.Join("adam@x.org", "account_admin")
			owner.JoinAs(adam, "account_admin")
			a = adam.Mutate("leaveTeam", "removedMemberId team { id name }", "teamId", second.TeamID).OK()
			equal(t, "the team of an admin of the account", a.Text("leaveTeam.team.id"), second.TeamID)
			a = owner.Mutate("deleteTeam", "deletedTeamId account { teams { totalCount } }", "teamId", second.TeamID).OK()
			equal(t, "teams left", a.Text("deleteTeam.account.teams.totalCount"), "1")
		})
	})
}

func TestSeveralCostNoMoreThanEachByItself(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		t.Helper()
		w, owner, statements, _ := countedOwner(t, address)
		fill(t, w, owner.TeamID, "p", 20)
		members := owner.Ask(`members(first: 100) { nodes { id } }`).OK().List("team.members.nodes", "id")[1:]
		var invitations []string
		for _, email := range addresses("q", 20) {
			invitations = append(invitations, owner.Invite(email, "billing").OK().Text("inviteUser.invitation.id"))
		}
		cost := func(does func()) int64 {
			before := statements.Load()
			does()
			return statements.Load() - before
		}
		t.Run("FE-13 ten at once cost no more statements than ten calls", func(t *testing.T) {
			for _, c := range []struct {
				one, several, key, keys string
				ids                     []string
			}{
				{"resendInvite", "resendInvites", "invitationId", "invitationIds", invitations},
				{"revokeInvite", "revokeInvites", "invitationId", "invitationIds", invitations},
				{"removeMember", "removeMembers", "memberId", "memberIds", members},
			} {
				one := cost(func() { owner.Mutate(c.one, "", c.key, c.ids[0]).OK() })
				ten := cost(func() {
					equalList(t, c.several, outcomes(onSeveral(owner, c.several, c.keys, c.ids[10:20]).OK()), times(10, "DONE")...)
				})
				if ten > 10*one {
					t.Errorf("%s: ten cost %d statements, and one costs %d", c.several, ten, one)
				}
			}
		})
	})
}
