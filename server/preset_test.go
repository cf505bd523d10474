package server_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/testkit"
)

// administers tries, as p, all that adds, changes or removes users or their
// rights, or changes the account, and returns those that were not refused. The
// target is a member, and the newcomer's address has no invitation.
func administers(p, owner *testkit.Person, target, newcomer string) (did []string) {
	account, id := owner.AccountID(), owner.MemberID(target)
	invitation := owner.Invite("open-"+newcomer, lowestRole(owner)).OK().Text("inviteUser.invitation.id")
	role := newRole(owner, strings.NewReplacer("@", "-", ".", "-").Replace(newcomer), "team.read")
	for name, a := range map[string]*testkit.Answer{
		"inviteUser":       p.Mutate("inviteUser", "invitation { id }", "teamId", p.TeamID, "email", newcomer, "permissions", []string{"team.read"}),
		"resendInvite":     resend(p, invitation),
		"updateInvite":     p.Mutate("updateInvite", "invitation { id }", "invitationId", invitation, "note", "x"),
		"revokeInvite":     revoke(p, invitation),
		"setRoles":         onMember(p, "setRoles", id, "permissions", []string{"team.read"}),
		"setRestrictions":  onMember(p, "setRestrictions", id, "allowedDomains", []string{}),
		"deactivateMember": onMember(p, "deactivateMember", id),
		"reactivateMember": onMember(p, "reactivateMember", id),
		"removeMember":     onMember(p, "removeMember", id),
		"updateTeam":       onTeam(p, "updateTeam", "name", "Renamed"),
		"createTeam":       p.Mutate("createTeam", "team { id }", "accountId", account, "name", "Made"),
		"updateAccount":    p.Mutate("updateAccount", "account { id }", "accountId", account, "name", "Renamed"),
		"createRole":       p.Mutate("createRole", "role { id }", "accountId", account, "key", "made", "name", "Made", "permissions", []string{}),
		"deleteRole":       p.Mutate("deleteRole", "deletedRoleId", "roleId", role),
		"createGroup":      p.Mutate("createGroup", "group { id }", "accountId", account, "name", "Made", "roleIds", []string{}),
		"createDivision":   p.Mutate("createDivision", "division { id }", "accountId", account, "name", "Made"),
		"offers ownership": p.Mutate("requestOwnershipTransfer", "transfer { id }", "memberId", id),
	} {
		switch outcome(a) {
		case "FORBIDDEN", "NOT_FOUND": // hidden, or not allowed
		default:
			did = append(did, name)
		}
	}
	return inOrder(did)
}

// lowestRole returns the key of the last role of p's account, which the presets
// list from the most to the least.
func lowestRole(p *testkit.Person) string {
	keys := p.Ask(`account { roles { nodes { key isSystem } } }`).OK().List("team.account.roles.nodes", "key")
	i := slices.IndexFunc(keys, func(key string) bool { return key == "viewer" || key == "user" || key == "full" })
	return keys[i]
}

// ofModules returns the permissions of these modules.
func ofModules(p *testkit.Person, modules ...string) (keys []string) {
	for _, key := range catalogue(p) {
		if module, _, _ := strings.Cut(key, "."); slices.Contains(modules, module) {
			keys = append(keys, key)
		}
	}
	return keys
}

func TestThePresetOfTeams(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		t.Run("SSL-1 teams need no plan: every new user has them, and invites", func(t *testing.T) {
			a := owner.Ask(`viewerCanInvite account { limits { multiUser maxTeams maxMembersPerTeam } }`).OK()
			equal(t, "may invite", a.Text("team.viewerCanInvite"), "true")
			equal(t, "multi-user", a.Text("team.account.limits.multiUser"), "true")
			equal(t, "most members", a.At("team.account.limits.maxMembersPerTeam"), nil)
			owner.Join("first@acme.test", "member")
		})
		t.Run("SSL-8 the roles are there from the start; the owner is no role", func(t *testing.T) {
			a := owner.Ask(`account { roles { nodes { name isSystem } } } viewerMembership { isOwner roles { key } }`).OK()
			equalList(t, "roles", a.List("team.account.roles.nodes", "name"), "Account Admin", "Billing", "Validation", "Installer", "Member", "Viewer")
			equalList(t, "the owner's roles", a.List("team.viewerMembership.roles", "key"))
			equal(t, "owner", a.Text("team.viewerMembership.isOwner"), "true")
		})
		bella, val, ina := owner.Join("bella@acme.test", "billing"), owner.Join("val@acme.test", "validation"), owner.Join("ina@acme.test", "installer")
		t.Run("SSL-24 the tasks of Billing, Validation and Installer", func(t *testing.T) {
			equalList(t, "billing", allowed(bella), "billing.profiles", "billing.read", "billing.refund", "billing.transactions", "team.read")
			equalList(t, "validation", allowed(val), "team.read", "validation.perform", "validation.read", "validation.upload")
			equalList(t, "installer", allowed(ina), "certificates.download", "certificates.install", "certificates.read", "team.read")
		})
		t.Run("SSL-9 Billing cannot do what Validation does, nor the reverse", func(t *testing.T) {
			for _, task := range []string{"validation.read", "validation.upload", "validation.perform"} {
				equal(t, task+" by billing", may(bella, task), false)
				equalList(t, task+" by validation", grantedBy(decision(val, task)), "ROLE validation "+task)
			}
			for _, task := range []string{"billing.read", "billing.transactions", "billing.profiles", "billing.refund"} {
				equal(t, task+" by validation", may(val, task), false)
				equalList(t, task+" by billing", grantedBy(decision(bella, task)), "ROLE billing "+task)
			}
			equalList(t, "administered by billing", administers(bella, owner, "val@acme.test", "b@x.org"))
			equalList(t, "administered by validation", administers(val, owner, "bella@acme.test", "v@x.org"))
		})
		t.Run("SSL-23 the account admin does everything but remove or change the owner", func(t *testing.T) {
			adam := owner.Join("adam@acme.test", "account_admin")
			equalList(t, "may", allowed(adam), inOrder(catalogue(owner))...)
			equalList(t, "administered", administers(adam, owner, "ina@acme.test", "a@x.org"),
				"createDivision", "createGroup", "createRole", "createTeam", "deactivateMember", "deleteRole", "inviteUser", "reactivateMember",
				"removeMember", "resendInvite", "revokeInvite", "setRestrictions", "setRoles", "updateAccount", "updateInvite", "updateTeam")
			for _, mutation := range []string{"deactivateMember", "removeMember"} {
				onMember(adam, mutation, owner.MemberID("olivia@acme.test")).Refused("OWNER_PROTECTED memberId")
			}
		})
	})
}

func TestThePresetOfDepartments(t *testing.T) {
	t.Parallel()
	eachWith(t, testkit.Preset("departments"), func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		t.Run("DC-7 five roles, one for each", func(t *testing.T) {
			a := owner.Ask(`account { roles { nodes { name } } }`).OK()
			equalList(t, "roles", a.List("team.account.roles.nodes", "name"), "Manager", "Finance Manager", "Standard User", "Viewer", "Limited User")
			p := owner.Join("one@acme.test", "standard_user")
			onMember(owner, "setRoles", owner.MemberID(p.Email), "roleIds", []string{owner.Role("finance_manager")}).OK()
			equalList(t, "one in place of the other", roleKeys(owner, p.Email), "finance_manager")
		})
		t.Run("DC-8 a manager does everything, with billing and users", func(t *testing.T) {
			mia := owner.Join("mia@acme.test", "manager")
			equalList(t, "may", allowed(mia), inOrder(catalogue(owner))...)
			mia.Invite("x@x.org", "viewer").OK()
			onMember(mia, "removeMember", mia.MemberID("one@acme.test")).OK()
		})
		t.Run("DC-9 a finance manager sees orders and billing, and changes no settings", func(t *testing.T) {
			fin := owner.Join("fin@acme.test", "finance_manager")
			equalList(t, "may", allowed(fin), "account.read", "billing.read", "members.read", "orders.read", "pricing.read", "settings.read", "team.read")
			equalList(t, "administered", administers(fin, owner, "mia@acme.test", "f@x.org"))
		})
		t.Run("DC-10 a standard user requests and manages certificates", func(t *testing.T) {
			stan := owner.Join("stan@acme.test", "standard_user")
			equalList(t, "may", allowed(stan), "certificates.download", "certificates.install", "certificates.manage",
				"certificates.read", "certificates.request", "orders.read", "team.read")
			equalList(t, "administered", administers(stan, owner, "mia@acme.test", "s@x.org"))
		})
		t.Run("DC-12 a limited user approves and sees only their own requests", func(t *testing.T) {
			lim, other := owner.Join("lim@acme.test", "limited_user"), owner.Join("other@acme.test", "limited_user")
			mine, others := userID(lim), userID(other)
			equalList(t, "may with anybody's", allowed(lim), "certificates.request", "team.read")
			for _, task := range []string{"certificates.approve", "certificates.read"} {
				equalList(t, task+" of their own", grantedBy(decision(lim, task, "resourceOwnerId", mine)), "ROLE limited_user "+task+":own")
				equal(t, task+" of another's", may(lim, task, "resourceOwnerId", others), false)
				equal(t, task+" of nobody's", may(lim, task), false)
			}
			equal(t, "manages their own", may(lim, "certificates.manage", "resourceOwnerId", mine), false)
			equalList(t, "administered", administers(lim, owner, "mia@acme.test", "l@x.org"))
		})
		t.Run("DC-11 a viewer reads and changes nothing", func(t *testing.T) {
			vic := owner.Join("vic@acme.test", "viewer")
			for _, task := range allowed(vic) {
				equal(t, task+" is reading", strings.HasSuffix(task, ".read"), true)
			}
			equalList(t, "members", vic.Members(), owner.Members()...)
			equalList(t, "administered", administers(vic, owner, "mia@acme.test", "w@x.org"))
		})
	})
}

func TestThePresetOfTheHolder(t *testing.T) {
	t.Parallel()
	eachWith(t, testkit.Preset("holder"), func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		ann, target := owner.Join("ann@x.org", "full"), owner.Join("bob@x.org", "full")
		t.Run("GR-2 an additional user does all the holder does, but manage users and the account", func(t *testing.T) {
			equalList(t, "withheld", slices.DeleteFunc(inOrder(catalogue(owner)), func(key string) bool { return slices.Contains(allowed(ann), key) }),
				"account.delete", "account.update", "members.deactivate", "members.invite", "members.remove", "members.update",
				"roles.assign", "roles.manage", "team.create", "team.delete")
			for _, task := range ofModules(owner, "billing", "certificates", "orders", "pricing", "settings", "validation") {
				equal(t, task, may(ann, task), true)
			}
			equalList(t, "members", ann.Members(), owner.Members()...)
			ann.Ask(`account { auditLog { totalCount } }`).OK()
		})
		administered := administers(ann, owner, target.Email, "x@x.org")
		t.Run("GR-3 an additional user neither adds nor removes users", func(t *testing.T) {
			for _, mutation := range []string{
				"inviteUser", "resendInvite", "updateInvite", "revokeInvite", "setRoles", "setRestrictions",
				"deactivateMember", "reactivateMember", "removeMember", "createRole", "createGroup", "createTeam",
			} {
				equal(t, mutation, slices.Contains(administered, mutation), false)
			}
			a := ann.Ask(`viewerCanInvite viewerCanManageMembers viewerCanManageRoles viewerCanTransferOwnership assignableRoles { key }`).OK()
			for _, flag := range []string{"viewerCanInvite", "viewerCanManageMembers", "viewerCanManageRoles", "viewerCanTransferOwnership"} {
				equal(t, flag, a.Text("team."+flag), "false")
			}
			equalList(t, "roles to give", a.List("team.assignableRoles", "key"))
		})
		t.Run("GR-4 an additional user does not change or delete the account", func(t *testing.T) {
			equalList(t, "administered", administered, "updateTeam")
			equal(t, "deletes the account", may(ann, "account.delete"), false)
			equal(t, "deletes a team", may(ann, "team.delete"), false)
		})
	})
}

func TestTheUsersPage(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		bella, member := owner.Join("bella@acme.test", "billing"), owner.Join("max@acme.test", "member")
		t.Run("DC-4 names and address are captured on the invitation and prefill the user", func(t *testing.T) {
			owner.Invite("ann@x.org", "billing", "firstName", "Ann", "lastName", "Ames", "jobTitle", "Buyer").OK()
			a := owner.Ask(`invitations(filter: {status: [PENDING]}) { nodes { email firstName lastName jobTitle } }`).OK()
			equal(t, "invited", a.Text("team.invitations.nodes.0.firstName")+" "+a.Text("team.invitations.nodes.0.lastName"), "Ann Ames")
			joined := w.Anonymous().Accept(testkit.Token(t, w.Mail.Wait(t, "ann@x.org", 1)), "password", testkit.Password).OK()
			a = w.WithToken(joined.Text("acceptInvite.sessionToken")).Do(`{ viewer { user { email firstName lastName jobTitle } } }`, nil).OK()
			equal(t, "user", strings.Join([]string{
				a.Text("viewer.user.firstName"), a.Text("viewer.user.lastName"), a.Text("viewer.user.jobTitle"),
				a.Text("viewer.user.email"),
			}, " "), "Ann Ames Buyer ann@x.org")
		})
		t.Run("DC-1 users are listed with role and status", func(t *testing.T) {
			onMember(owner, "deactivateMember", owner.MemberID(bella.Email)).OK()
			w.Clock.Advance(time.Minute)
			owner.Invite("bob@x.org", "viewer").OK()
			a := owner.Ask(`people { nodes {
				... on Member { user { email } memberStatus: status roles { name } isOwner }
				... on Invitation { email status roles { name } } } }`).OK()
			var lines []string
			for i := range a.List("team.people.nodes", "email") {
				at := "team.people.nodes." + itoa(i) + "."
				lines = append(lines, strings.Join(strings.Fields(strings.Join([]string{
					a.Text(at + "user.email"), a.Text(at + "email"), a.Text(at + "memberStatus"), a.Text(at + "status"), a.Text(at + "roles.0.name"),
				}, " ")), " "))
			}
			equalList(t, "people", lines, "bob@x.org PENDING Viewer", "ann@x.org ACTIVE Billing",
				"max@acme.test ACTIVE Member", "bella@acme.test DEACTIVATED Billing", "olivia@acme.test ACTIVE")
		})
		t.Run("DC-2 the viewer is told what they may do, so that buttons can be hidden", func(t *testing.T) {
			for _, p := range []*testkit.Person{owner, owner.Join("adam@acme.test", "account_admin"), member, owner.JoinWith("hr@acme.test", "permissions", []string{"members.invite", "members.read"})} {
				can := p.Ask(`viewerCanInvite`).OK().Text("team.viewerCanInvite") == "true"
				equal(t, p.Email+" may invite", can, may(p, "members.invite"))
				done := p.Mutate("inviteUser", "invitation { id }", "teamId", p.TeamID, "email", "by-"+p.Email, "permissions", []string{"members.invite"})
				equal(t, p.Email+" invites", outcome(done) == "in", can)
			}
			equal(t, "Max may invite", may(member, "members.invite"), false)
		})
		t.Run("a member who may invite and see nobody gets the result", func(t *testing.T) {
			p := owner.JoinWith("temp@acme.test", "permissions", []string{"members.invite", "billing.read"})
			a := p.Mutate("inviteUser", "invitation { id email status }", "teamId", p.TeamID, "email", "carl@x.org", "permissions", []string{"billing.read"}).OK()
			equal(t, "invitation", a.Text("inviteUser.invitation.email"), "carl@x.org")
			id := a.Text("inviteUser.invitation.id")
			equal(t, "an invitation to the viewer", p.Do(`query($id: ID!) { node(id: $id) { ... on Invitation { email inviter { ... on User { email } } } } }`, map[string]any{"id": id}).OK().Text("node.email"), "carl@x.org")
			equal(t, "somebody else's", p.Do(`query($id: ID!) { node(id: $id) { id } }`,
				map[string]any{"id": owner.Invite("dora@x.org", "billing").OK().Text("inviteUser.invitation.id")}).OK().Text("node.id"), "")
			revoke(p, id).OK()
			p.Mutate("inviteUser", "invitation { email status }", "teamId", p.TeamID, "email", "carl@x.org", "permissions", []string{"billing.read"}).OK()
			equal(t, "there is one", slices.Contains(owner.Ask(`invitations { nodes { email } }`).OK().List("team.invitations.nodes", "email"), "carl@x.org"), true)
		})
	})
}
