package server_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/testkit"
)

func activeTeam(p *testkit.Person) string {
	return p.Do(`{ viewer { activeTeam { id } } }`, nil).OK().Text("viewer.activeTeam.id")
}

func TestTeams(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		t.Run("SSL-2 and SSL-3 a new user has a default team, alone in it, as its owner", func(t *testing.T) {
			a := owner.Ask(`isDefault owner { user { email } } members { nodes { isOwner user { email } } } account { teams { totalCount } }`).OK()
			equal(t, "default", a.Text("team.isDefault"), "true")
			equal(t, "teams", a.Text("team.account.teams.totalCount"), "1")
			equalList(t, "members", a.List("team.members.nodes", "user.email"), "olivia@acme.test")
			equal(t, "owner", a.Text("team.owner.user.email"), "olivia@acme.test")
		})
		t.Run("SSL-11 the dashboard shows the team", func(t *testing.T) {
			a := owner.Do(`{ viewer { user { email } activeTeam { id name viewerMembership { isOwner } members { totalCount } } } }`, nil).OK()
			equal(t, "team", a.Text("viewer.activeTeam.id"), owner.TeamID)
			equal(t, "name", a.Text("viewer.activeTeam.name"), "olivia")
			equal(t, "is owner", a.Text("viewer.activeTeam.viewerMembership.isOwner"), "true")
		})
		t.Run("CP-1 who made the account is its administrator", func(t *testing.T) {
			equalList(t, "may", allowed(owner), inOrder(catalogue(owner))...)
			owner.Mutate("updateAccount", "account { name }", "accountId", owner.AccountID(), "name", "Acme").OK()
			newRole(owner, "made", "members.read")
		})
		t.Run("SSL-4 and SSL-12 a team of one works fully, and never asks for a second member", func(t *testing.T) {
			onTeam(owner, "updateTeam", "name", "Acme").OK()
			a := owner.Ask(`name counts { active invited seatsUsed } people { totalCount } account { auditLog { totalCount } counts { active } } assignableRoles { key }`).OK()
			equal(t, "name", a.Text("team.name"), "Acme")
			equal(t, "people", a.Text("team.people.totalCount"), "1")
			w.SignIn("olivia@acme.test")
			equal(t, "may all", may(owner, "orders.manage"), true)
		})
		second := owner
		t.Run("SSL-27 who makes a second team is the owner of it", func(t *testing.T) {
			a := newTeam(owner, "Labs").OK()
			second = owner.In(a.Text("createTeam.team.id"))
			equal(t, "owner", a.Text("createTeam.team.owner.user.email"), "olivia@acme.test")
			equal(t, "members", a.Text("createTeam.team.members.totalCount"), "1")
			equal(t, "default", a.Text("createTeam.team.isDefault"), "false")
			equal(t, "may all", may(second, "members.remove"), true)
			newTeam(owner, " ").Refused("BLANK name")
			newTeam(owner, strings.Repeat("x", 101)).Refused("TOO_LONG name")
		})
		t.Run("SSL-13 three teams, the fourth is refused", func(t *testing.T) {
			third := newTeam(owner, "Third").OK().Text("createTeam.team.id")
			newTeam(owner, "Fourth").Refused("TEAM_LIMIT_REACHED")
			a := owner.Ask(`account { teams { nodes { name } } limits { maxTeams } }`).OK()
			equalList(t, "teams", a.List("team.account.teams.nodes", "name"), "Acme", "Labs", "Third")
			equal(t, "limit", a.Text("team.account.limits.maxTeams"), "3")
			onTeam(owner.In(third), "deleteTeam").OK()
			newTeam(owner, "Fourth").OK()
		})
		t.Run("SSL-17 and SSL-18 one user in two teams holds in each what was given there", func(t *testing.T) {
			ann := owner.Join("ann@x.org", "billing")
			second.JoinAs(ann, "account_admin")
			there := ann.In(second.TeamID)
			equal(t, "refunds here", may(ann, "billing.refund"), true)
			equal(t, "invites here", may(ann, "members.invite"), false)
			equal(t, "invites there", may(there, "members.invite"), true)
			there.Invite("bob@x.org", "billing").OK()
			ann.Do(testkit.InviteMutation, testkit.Input("teamId", ann.TeamID, "email", "carl@x.org", "roleIds", []string{there.Role("billing")})).Refused("FORBIDDEN")
			onMember(there, "removeMember", owner.MemberID("olivia@acme.test")).Refused("FORBIDDEN")
			// Account-wide rights are those of the default team.
			ann.Mutate("updateAccount", "account { name }", "accountId", there.AccountID(), "name", "Mine").Refused("FORBIDDEN")
			a := ann.Do(`{ viewer { memberships { nodes { team { name } roles { key } } } } }`, nil).OK()
			equalList(t, "teams", a.List("viewer.memberships.nodes", "team.name"), "Acme", "ann", "Labs")
		})
		t.Run("SSL-19 the active team is switched, to a team of one's own only", func(t *testing.T) {
			ann := w.SignIn("ann@x.org")
			equal(t, "active", activeTeam(ann), owner.TeamID)
			equal(t, "switched", onTeam(ann.In(second.TeamID), "setActiveTeam").OK().Text("setActiveTeam.viewer.activeTeam.name"), "Labs")
			equal(t, "shown in the next session", w.SignIn("ann@x.org").TeamID, second.TeamID)
			for _, id := range []string{w.SignUp("mallory@evil.test").TeamID, "team_none", ""} {
				onTeam(ann.In(id), "setActiveTeam").Refused("NOT_FOUND")
			}
			equal(t, "active", activeTeam(ann), second.TeamID)
			onMember(second, "removeMember", second.MemberID("ann@x.org")).OK()
			equal(t, "active after Ann was removed", activeTeam(ann), owner.TeamID)
			onTeam(ann.In(second.TeamID), "setActiveTeam").Refused("NOT_FOUND")
		})
	})
}

func TestDeletingATeam(t *testing.T) {
	t.Parallel()
	eachWith(t, noPersonalAccounts, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		labs := owner.In(newTeam(owner, "Labs").OK().Text("createTeam.team.id"))
		ann, both := labs.Join("ann@x.org", "account_admin"), owner.Join("both@x.org", "viewer")
		labs.JoinAs(both, "billing")
		onTeam(both.In(labs.TeamID), "setActiveTeam").OK()
		labs.Invite("bob@x.org", "billing").OK()
		secret := testkit.Token(t, w.Mail.Wait(t, "bob@x.org", 1))
		labs.Delivered("bob@x.org")
		labs.Delivered(ann.Email)
		labs.Delivered(both.Email)
		stream := ann.Subscribe(watch, map[string]any{"team": labs.TeamID, "after": eventCursor(labs)})
		t.Run("not the default one, and not by everybody", func(*testing.T) {
			onTeam(owner, "deleteTeam").Refused("INVALID_VALUE teamId")
			onTeam(both.In(labs.TeamID), "deleteTeam").Refused("FORBIDDEN")
			onTeam(both.In(labs.TeamID), "updateTeam", "name", "Mine").Refused("FORBIDDEN")
			onTeam(w.SignUp("mallory@evil.test").In(labs.TeamID), "deleteTeam").Refused("NOT_FOUND")
		})
		t.Run("its people and invitations are gone, and the sessions of members of no other team", func(t *testing.T) {
			members := []string{labs.MemberID(ann.Email), labs.MemberID(both.Email)}
			equal(t, "deleted", onTeam(labs, "deleteTeam").OK().Text("deleteTeam.deletedTeamId"), labs.TeamID)
			a := owner.Do(`query($team: ID!, $members: [ID!]!) { team(id: $team) { id } nodes(ids: $members) { id } }`,
				map[string]any{"team": labs.TeamID, "members": members}).OK()
			equal(t, "team", a.At("team"), nil)
			equalList(t, "members", a.List("nodes", ""), "", "")
			w.Anonymous().Accept(secret, "password", testkit.Password).Refused("INVALID_TOKEN invitation.token")
			equal(t, "preview", w.Anonymous().Do(preview, token(secret)).OK().At("invitationByToken"), nil)
			endsWith(t, stream, "UNAUTHENTICATED")
			equal(t, "the session of a member of no other team", ann.Ask(`name`).Code(), "UNAUTHENTICATED")
			signIn(w, ann.Email, testkit.Password).Refused("ACCESS_REVOKED")
			equal(t, "the session of a member of another team", activeTeam(both), owner.TeamID)
			onTeam(labs, "updateTeam", "name", "Back").Refused("NOT_FOUND")
			onTeam(labs, "deleteTeam").Refused("NOT_FOUND")
			newTeam(owner, "Labs").OK()
		})
	})
}

func TestTheOwnerIsProtected(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		adam := owner.Join("adam@acme.test", "account_admin")
		id := owner.MemberID(owner.Email)
		t.Run("SSL-10 nothing an admin does takes anything from the owner", func(t *testing.T) {
			onMember(adam, "setRoles", id, "roleIds", []string{owner.Role("viewer")}).Refused("OWNER_PROTECTED memberId")
			onMember(adam, "setRestrictions", id, "allowedDomains", []string{"acme.test"}).Refused("OWNER_PROTECTED memberId")
			onMember(adam, "deactivateMember", id).Refused("OWNER_PROTECTED memberId")
			onMember(adam, "removeMember", id).Refused("OWNER_PROTECTED memberId")
			a := adam.Do(`query($id: ID!) { node(id: $id) { ... on Member { viewerCanSetRoles viewerCanDeactivate viewerCanRemove } } }`, map[string]any{"id": id}).OK()
			for _, flag := range []string{"viewerCanSetRoles", "viewerCanDeactivate", "viewerCanRemove"} {
				equal(t, flag, a.Text("node."+flag), "false")
			}
		})
		t.Run("SSL-10 nor the owner their own", func(*testing.T) {
			onMember(owner, "setRoles", id, "roleIds", []string{owner.Role("viewer")}).Refused("CANNOT_ACT_ON_SELF memberId")
			onMember(owner, "setRestrictions", id, "allowedDomains", []string{"acme.test"}).Refused("OWNER_PROTECTED memberId")
			onMember(owner, "deactivateMember", id).Refused("CANNOT_ACT_ON_SELF memberId")
			onMember(owner, "removeMember", id).Refused("CANNOT_ACT_ON_SELF memberId")
			onTeam(owner, "leaveTeam").Refused("OWNER_PROTECTED teamId")
			owner.Mutate("deleteRole", "deletedRoleId", "roleId", owner.Role("account_admin")).Refused("ROLE_PROTECTED roleId")
		})
		t.Run("SSL-10 the owner's permissions are all there are", func(t *testing.T) {
			held := owner.Ask(`viewerMembership { status effectivePermissions }`).OK().List("team.viewerMembership.effectivePermissions", "")
			equal(t, "permissions", len(held), len(catalogue(owner)))
			equal(t, "in a division, on a domain", may(owner, "orders.manage", "divisionId", newDivision(owner, "North", ""), "domain", "example.com"), true)
			equalList(t, "members", owner.Members(), "olivia@acme.test", "adam@acme.test")
		})
	})
}

const transferFields = `transfer { id status requestedAt expiresAt team { id } from { user { email } } to { user { email } } }`

// onTransferOf sends a mutation about an offer of ownership.
func onTransferOf(p *testkit.Person, verb, transferID string) *testkit.Answer {
	return p.Mutate(verb+"OwnershipTransfer", transferFields, "transferId", transferID)
}

// offered returns the offer of ownership that p sees, empty when there is none.
func offered(p *testkit.Person) string {
	return p.Ask(`pendingOwnershipTransfer { id }`).OK().Text("team.pendingOwnershipTransfer.id")
}

func TestOwnershipChangesHands(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		ann, adam, vic := owner.Join("ann@x.org", "billing"), owner.Join("adam@x.org", "account_admin"), owner.Join("vic@x.org", "viewer")
		request := func(p *testkit.Person, to string) *testkit.Answer {
			return p.Mutate("requestOwnershipTransfer", transferFields, "memberId", owner.MemberID(to))
		}
		t.Run("SSL-25 only the owner can offer the ownership", func(t *testing.T) {
			request(adam, adam.Email).Refused("FORBIDDEN")
			request(adam, ann.Email).Refused("FORBIDDEN")
			request(vic, adam.Email).Refused("FORBIDDEN")
			request(w.SignUp("mallory@evil.test"), ann.Email).Refused("NOT_FOUND")
			request(owner, owner.Email).Refused("CANNOT_ACT_ON_SELF memberId")
			equal(t, "owner", ownerOf(owner), owner.Email)
		})
		t.Run("BEY-25 an offer is seen by who gives and who gets, and declined, canceled or run out it changes nothing", func(t *testing.T) {
			a := request(owner, ann.Email).OK()
			id := a.Text("requestOwnershipTransfer.transfer.id")
			equal(t, "until", a.Text("requestOwnershipTransfer.transfer.expiresAt"), "2030-01-14T12:00:00Z")
			equal(t, "seen by Ann", offered(ann), id)
			equal(t, "seen by the owner", offered(owner), id)
			request(owner, adam.Email).Refused("TRANSFER_PENDING memberId")
			for _, verb := range []string{"accept", "decline"} {
				for _, other := range []*testkit.Person{owner, adam} {
					onTransferOf(other, verb, id).Refused("FORBIDDEN")
				}
				onTransferOf(w.SignIn("mallory@evil.test"), verb, id).Refused("NOT_FOUND")
			}
			onTransferOf(ann, "cancel", id).Refused("FORBIDDEN")
			equal(t, "status", onTransferOf(ann, "decline", id).OK().Text("declineOwnershipTransfer.transfer.status"), "DECLINED")
			closed := []string{id, request(owner, ann.Email).OK().Text("requestOwnershipTransfer.transfer.id")}
			equal(t, "status", onTransferOf(owner, "cancel", closed[1]).OK().Text("cancelOwnershipTransfer.transfer.status"), "CANCELED")
			closed = append(closed, request(owner, ann.Email).OK().Text("requestOwnershipTransfer.transfer.id"))
			w.Clock.Advance(7*24*time.Hour - time.Second)
			equal(t, "on the last second", offered(ann), closed[2])
			w.Clock.Advance(time.Second)
			for _, old := range closed {
				onTransferOf(ann, "accept", old).Refused("TRANSFER_NOT_PENDING transferId")
				onTransferOf(owner, "cancel", old).Refused("TRANSFER_NOT_PENDING transferId")
			}
			equal(t, "seen", offered(ann)+offered(owner), "")
			equal(t, "owner", ownerOf(owner), owner.Email)
		})
		t.Run("BEY-25 who gets it and is put on hold or leaves gets it no more", func(t *testing.T) {
			id := request(owner, vic.Email).OK().Text("requestOwnershipTransfer.transfer.id")
			onMember(adam, "deactivateMember", owner.MemberID(vic.Email)).OK()
			equal(t, "seen", offered(owner), "")
			request(owner, vic.Email).Refused("MEMBER_DEACTIVATED memberId")
			onMember(owner, "reactivateMember", owner.MemberID(vic.Email)).OK()
			onTransferOf(vic, "accept", id).Refused("TRANSFER_NOT_PENDING transferId")
		})
		t.Run("SSL-25 and BEY-25 accepted it changes the owner; the former one is an admin", func(t *testing.T) {
			onMember(owner, "setRestrictions", owner.MemberID(ann.Email), "allowedDomains", []string{"x.org"}).OK()
			id := request(owner, ann.Email).OK().Text("requestOwnershipTransfer.transfer.id")
			a := onTransferOf(ann, "accept", id).OK()
			equal(t, "status", a.Text("acceptOwnershipTransfer.transfer.status"), "ACCEPTED")
			equal(t, "owner", ownerOf(adam), ann.Email)
			equalList(t, "roles of the former owner", roleKeys(ann, owner.Email), "account_admin")
			a = ann.Ask(`members { nodes { isOwner user { email } allowedDomains } }`).OK()
			equalList(t, "owners", a.List("team.members.nodes", "isOwner"), "false", "true", "false", "false")
			equal(t, "everywhere", may(ann, "account.delete", "domain", "example.com"), true)
			onTransferOf(ann, "accept", id).Refused("TRANSFER_NOT_PENDING transferId")
			request(owner, adam.Email).Refused("FORBIDDEN")
			onMember(owner, "removeMember", owner.MemberID(ann.Email)).Refused("OWNER_PROTECTED memberId")
			onMember(ann, "setRoles", owner.MemberID(owner.Email), "roleIds", []string{owner.Role("viewer")}).OK()
			equal(t, "invites", may(owner, "members.invite"), false)
		})
	})
}

func ownerOf(p *testkit.Person) string {
	return p.Ask(`owner { user { email } }`).OK().Text("team.owner.user.email")
}

func TestEveryActHasItsActor(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		adam := owner.Join("adam@acme.test", "account_admin")
		bella := adam.Join("bella@acme.test", "billing")
		owner.Delivered(bella.Email)
		id := owner.MemberID(bella.Email)
		w.SignIn(bella.Email)
		onMember(adam, "setRoles", id, "roleIds", []string{owner.Role("viewer")}).OK()
		onMember(owner, "setRestrictions", id, "allowedDomains", []string{"x.org"}).OK()
		onMember(adam, "deactivateMember", id).OK()
		onMember(owner, "reactivateMember", id).OK()
		role := newRole(adam, "mine", "members.read")
		adam.Mutate("updateRole", "role { id }", "roleId", role, "name", "Mine").OK()
		owner.Mutate("deleteRole", "deletedRoleId", "roleId", role).OK()
		group := newGroup(adam, "Mine")
		owner.Mutate("deleteGroup", "deletedGroupId", "groupId", group).OK()
		onTeam(adam, "updateTeam", "name", "Acme").OK()
		owner.Mutate("updateAccount", "account { id }", "accountId", owner.AccountID(), "name", "Acme").OK()
		transfer := owner.Mutate("requestOwnershipTransfer", transferFields, "memberId", id).OK().Text("requestOwnershipTransfer.transfer.id")
		onTransferOf(bella, "decline", transfer).OK()
		onMember(adam, "removeMember", id).OK()
		t.Run("SSL-26 every act is one user's, also a former member's", func(t *testing.T) {
			a := owner.Ask(`account { auditLog(first: 100) { nodes { type actor { __typename ... on User { email } } } } }`).OK()
			types, actors := a.List("team.account.auditLog.nodes", "type"), a.List("team.account.auditLog.nodes", "actor.email")
			var lines []string
			for i, typ := range types {
				actor, _, _ := strings.Cut(actors[i], "@")
				if typ == "INVITATION_SENT" { // whenever the mail server took it
					equal(t, "actor of "+typ, a.Text("team.account.auditLog.nodes."+itoa(i)+".actor.__typename"), "SystemActor")
					continue
				}
				lines = append(lines, typ+" "+actor)
			}
			slices.Reverse(lines)
			equalList(t, "log", lines,
				"TEAM_CREATED olivia", "MEMBER_JOINED olivia", "USER_SIGNED_UP olivia", "USER_EMAIL_VERIFIED olivia",
				"INVITATION_CREATED olivia", "INVITATION_QUEUED olivia", "MEMBER_JOINED adam", "INVITATION_ACCEPTED adam",
				"INVITATION_CREATED adam", "INVITATION_QUEUED adam", "MEMBER_JOINED bella", "INVITATION_ACCEPTED bella", "USER_SIGNED_IN bella",
				"MEMBER_UPDATED adam", "MEMBER_UPDATED olivia", "MEMBER_DEACTIVATED adam", "MEMBER_REACTIVATED olivia",
				"ROLE_CREATED adam", "ROLE_UPDATED adam", "ROLE_DELETED olivia", "GROUP_CREATED adam", "GROUP_DELETED olivia",
				"TEAM_UPDATED adam", "ACCOUNT_UPDATED olivia", "OWNER_TRANSFER_REQUESTED olivia", "OWNER_TRANSFER_DECLINED bella",
				"MEMBER_REMOVED adam")
		})
	})
}
