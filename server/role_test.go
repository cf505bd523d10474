package server_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/internal/testkit"
)

const decide = `query($input: AccessDecisionInput!) { accessDecision(input: $input) {
	allowed reason grantedBy { kind role { key } group { name } permission } } }`

// decision asks whether p may do something in p's team; more of the question
// may follow in pairs.
func decision(p *testkit.Person, permission string, more ...any) *testkit.Answer {
	return p.Do(decide, testkit.Input(append([]any{"teamId", p.TeamID, "permission", permission}, more...)...))
}

// grantedBy returns the grants of a decision, in order.
func grantedBy(a *testkit.Answer) []string {
	lines := a.OK().List("accessDecision.grantedBy", "kind")
	for i, kind := range lines {
		at := "accessDecision.grantedBy." + itoa(i)
		lines[i] = strings.Join(strings.Fields(strings.Join([]string{
			kind, a.Text(at + ".role.key"), a.Text(at + ".group.name"), a.Text(at + ".permission"),
		}, " ")), " ")
	}
	return inOrder(lines)
}

func TestThePermissionMatrix(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		owner.Join("bella@acme.test", "billing")
		owner.Invite("ann@x.org", "billing").OK()
		t.Run("SEC-1 members and invitations are listed, to those who may see them", func(t *testing.T) {
			const listing = `members { nodes { user { email } status } } invitations(filter: {status: [PENDING]}) { nodes { email status } }`
			a := owner.Join("vic@acme.test", "viewer").Ask(listing).OK()
			equalList(t, "members", a.List("team.members.nodes", "user.email"), "olivia@acme.test", "bella@acme.test", "vic@acme.test")
			equalList(t, "invitations", a.List("team.invitations.nodes", "email"), "ann@x.org")
			w.SignIn("bella@acme.test").In(owner.TeamID).Ask(listing).Refused("FORBIDDEN")
			equal(t, "to a stranger", w.SignUp("mallory@evil.test").In(owner.TeamID).Ask(listing).OK().At("team"), nil)
		})
		a := owner.Do(`query($id: ID!) { permissions { key name permissions { key name description } }
			account(id: $id) { roles { nodes { id key name description permissions isSystem version } } } }`, map[string]any{"id": owner.AccountID()}).OK()
		all := catalogue(owner)
		t.Run("SSL-22 a permission is one task, a role a named set of them; both are listed", func(t *testing.T) {
			for i := range a.List("permissions", "key") {
				at := "permissions." + itoa(i)
				for j, key := range a.List(at+".permissions", "key") {
					equal(t, "module of "+key, strings.HasPrefix(key, a.Text(at+".key")+"."), true)
					p := at + ".permissions." + itoa(j)
					equal(t, key+" says what it is", a.Text(p+".name") != "" && a.Text(p+".description") != "", true)
				}
			}
			equalList(t, "roles", a.List("account.roles.nodes", "key"), "account_admin", "billing", "validation", "installer", "member", "viewer")
		})
		t.Run("DC-13 roles and permissions in one query make the chart", func(t *testing.T) {
			for i, key := range a.List("account.roles.nodes", "key") {
				holds := a.List("account.roles.nodes."+itoa(i)+".permissions", "")
				for _, p := range holds {
					equal(t, p+" of "+key+" is in the catalogue", slices.Contains(all, p), true)
				}
				equal(t, key+" holds something", len(holds) > 0, true)
				equal(t, key+" is of the preset", a.Text("account.roles.nodes."+itoa(i)+".isSystem"), "true")
			}
			w.SignIn("bella@acme.test").In(owner.TeamID).Ask(`account { roles { totalCount } }`).Refused("FORBIDDEN")
		})
	})
}

func TestWhatAnInvitationGrants(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		nothing := newGroup(owner, "Nothing")
		t.Run("SSL-7 one role or several are assigned at the invitation", func(t *testing.T) {
			p := owner.JoinWith("two@x.org", "roleIds", []string{owner.Role("billing"), owner.Role("installer")})
			equalList(t, "roles", roleKeys(owner, p.Email), "billing", "installer")
			equalList(t, "may", allowed(p), "billing.profiles", "billing.read", "billing.refund", "billing.transactions",
				"certificates.download", "certificates.install", "certificates.read", "team.read")
			equalList(t, "one role", roleKeys(owner, owner.Join("one@x.org", "billing").Email), "billing")
		})
		t.Run("SEC-3 all permissions are full access, except ownership", func(t *testing.T) {
			p := owner.JoinWith("all@x.org", "allPermissions", true)
			equalList(t, "may", allowed(p), inOrder(catalogue(owner))...)
			equal(t, "is owner", p.Ask(`viewerMembership { isOwner }`).OK().Text("team.viewerMembership.isOwner"), "false")
			p.Invite("more@x.org", "account_admin").OK()
			p.Mutate("requestOwnershipTransfer", "transfer { id }", "memberId", p.MemberID(p.Email)).Refused("FORBIDDEN")
			onMember(p, "removeMember", p.MemberID("olivia@acme.test")).Refused("OWNER_PROTECTED memberId")
		})
		t.Run("SEC-4 chosen permissions are granted, and nothing else", func(t *testing.T) {
			p := owner.JoinWith("some@x.org", "permissions", []string{"orders.read", "billing.refund", "certificates.read:own", "orders.read"})
			a := p.Ask(`viewerMembership { effectivePermissions roles { key } directPermissions }`).OK()
			equalList(t, "held", a.List("team.viewerMembership.effectivePermissions", ""), "billing.refund", "certificates.read:own", "orders.read")
			equalList(t, "roles", a.List("team.viewerMembership.roles", "key"))
			equalList(t, "may", allowed(p), "billing.refund", "orders.read")
			equalList(t, "permissions of the viewer", p.Do(`query($id: ID!) { viewer { permissions(teamId: $id) } }`,
				map[string]any{"id": p.TeamID}).OK().List("viewer.permissions", ""), "billing.refund", "certificates.read:own", "orders.read")
		})
		t.Run("SEC-5 neither and both are refused, and the field named; groups are a choice", func(*testing.T) {
			invite := func(grant ...any) *testkit.Answer {
				return owner.Mutate("inviteUser", "invitation { id }", append([]any{"teamId", owner.TeamID, "email", "x@x.org"}, grant...)...)
			}
			both := func(a *testkit.Answer) {
				a.Refused("GRAPHQL_VALIDATION_FAILED")
				if text := a.Errors[0].Message; !strings.Contains(text, `"input.grant"`) {
					t.Errorf("the message does not name the field: %s", text)
				}
			}
			invite().Refused("GRAPHQL_VALIDATION_FAILED")
			invite("roleIds", []string{}).Refused("INVALID_GRANT grant")
			invite("allPermissions", false).Refused("INVALID_GRANT grant")
			invite("roleIds", []string{}, "groupIds", []string{}, "permissions", []string{}).Refused("INVALID_GRANT grant")
			both(invite("allPermissions", true, "roleIds", []string{owner.Role("billing")}))
			both(invite("allPermissions", true, "groupIds", []string{nothing}))
			both(invite("allPermissions", true, "permissions", []string{"team.read"}))
			invite("groupIds", []string{"grp_none"}).Refused("NOT_FOUND grant.chosen.groupIds")
			invite("groupIds", []string{nothing}).OK()
		})
		t.Run("SEC-15 nothing is granted by leaving something out", func(t *testing.T) {
			p := owner.JoinWith("least@x.org", "groupIds", []string{nothing}, "divisionIds", []string{}, "allowedDomains", []string{})
			equalList(t, "may, by a group without roles", allowed(p))
			onMember(owner, "setRoles", owner.MemberID(p.Email), "roleIds", []string{newRole(owner, "empty")}).OK()
			equalList(t, "may, by a role without permissions", allowed(p))
			onMember(owner, "setRoles", owner.MemberID(p.Email), "permissions", []string{"orders.read"}).OK()
			onMember(owner, "setRoles", owner.MemberID(p.Email), "roleIds", []string{}).OK() // the other lists are empty then
			equalList(t, "may, with all taken", allowed(p))
		})
		t.Run("SEC-11 one does what was granted and is refused everything else", func(t *testing.T) {
			p := owner.JoinWith("clerk@x.org", "permissions", []string{"members.read", "members.invite", "billing.read"})
			role := newRole(owner, "other", "team.read")
			p.Do(testkit.InviteMutation, testkit.Input("teamId", p.TeamID, "email", "y@x.org", "permissions", []string{"billing.read"})).OK()
			equal(t, "open invitations", len(p.Invitations("PENDING")), 3)
			id, account := owner.MemberID("one@x.org"), owner.AccountID()
			for _, refused := range []*testkit.Answer{
				onMember(p, "setRoles", id, "permissions", []string{"billing.read"}),
				onMember(p, "setRestrictions", id, "allowedDomains", []string{"x.org"}),
				onMember(p, "deactivateMember", id), onMember(p, "reactivateMember", id), onMember(p, "removeMember", id),
				onTeam(p, "updateTeam", "name", "Mine"), onTeam(p, "deleteTeam"),
				p.Mutate("createTeam", "team { id }", "accountId", account, "name", "Mine"),
				p.Mutate("updateAccount", "account { id }", "accountId", account, "name", "Mine"),
				p.Mutate("createRole", "role { id }", "accountId", account, "key", "mine", "name", "Mine", "permissions", []string{}),
				p.Mutate("createGroup", "group { id }", "accountId", account, "name", "Mine", "roleIds", []string{}),
				p.Mutate("createDivision", "division { id }", "accountId", account, "name", "Mine"),
				p.Mutate("deleteRole", "deletedRoleId", "roleId", role),
				p.Ask(`account { auditLog { totalCount } }`), p.Ask(`account { settings { invitationTtlHours } }`),
			} {
				refused.Refused("FORBIDDEN")
			}
		})
	})
}

func TestDecisionsSayWhy(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		sales := newGroup(owner, "Sales", owner.Role("billing"), owner.Role("member"))
		ann := owner.JoinWith("ann@x.org", "roleIds", []string{owner.Role("billing")}, "groupIds", []string{sales},
			"permissions", []string{"billing.refund", "certificates.approve:own"})
		bob := owner.Join("bob@x.org", "billing")
		annID, bobID := userID(ann), userID(bob)
		t.Run("BEY-22 yes, by all the grants that say so", func(t *testing.T) {
			equalList(t, "owner", grantedBy(decision(owner, "billing.refund")), "OWNER billing.refund")
			equalList(t, "role", grantedBy(decision(bob, "billing.refund")), "ROLE billing billing.refund")
			equalList(t, "group", grantedBy(decision(ann, "members.read")), "GROUP member Sales members.read")
			equalList(t, "direct", grantedBy(decision(ann, "certificates.approve", "resourceOwnerId", annID)), "DIRECT certificates.approve:own")
			equalList(t, "all of them", grantedBy(decision(ann, "billing.refund")),
				"DIRECT billing.refund", "GROUP billing Sales billing.refund", "ROLE billing billing.refund")
			equal(t, "reason", decision(bob, "billing.refund").Text("accessDecision.reason"), "Granted by the role Billing.")
			equal(t, "reason", decision(ann, "members.read").Text("accessDecision.reason"), "Granted by the group Sales, through the role Member.")
		})
		t.Run("BEY-22 no, and why", func(t *testing.T) {
			no := func(a *testkit.Answer, why string) {
				t.Helper()
				equal(t, "allowed", a.OK().Text("accessDecision.allowed"), "false")
				equalList(t, "granted by", grantedBy(a))
				if got := a.Text("accessDecision.reason"); !strings.Contains(got, why) {
					t.Errorf("reason %q, want %q in it", got, why)
				}
			}
			no(decision(bob, "orders.read"), "holds orders.read")
			no(decision(ann, "certificates.approve"), "own only")
			no(decision(ann, "certificates.approve", "resourceOwnerId", bobID), "own only")
			no(decision(owner, "certificates.approve", "userId", bobID, "resourceOwnerId", bobID), "holds certificates.approve")
			no(decision(w.SignUp("mallory@evil.test").In(owner.TeamID), "team.read"), "no such team")
			no(decision(w.SignIn("mallory@evil.test").In(owner.TeamID), "team.read", "userId", annID), "no such team")
			no(decision(owner, "team.read", "userId", "usr_none"), "no member")
			onMember(owner, "setRestrictions", owner.MemberID(bob.Email), "allowedDomains", []string{"x.org"}).OK()
			no(decision(bob, "billing.read", "domain", "y.org"), "other domains")
			onMember(owner, "deactivateMember", owner.MemberID(bob.Email)).OK()
			no(decision(owner, "billing.read", "userId", bobID), "deactivated")
			no(decision(bob, "billing.read"), "no such team")
		})
		t.Run("BEY-22 about others with members.read only, and about what there is", func(t *testing.T) {
			equal(t, "asked by a group's right", decision(ann, "orders.read", "userId", userID(owner)).OK().Text("accessDecision.allowed"), "true")
			clerk := owner.Join("clerk@x.org", "billing")
			decision(clerk, "billing.read", "userId", annID).Refused("FORBIDDEN")
			decision(clerk, "billing.read", "userId", userID(clerk)).OK()
			for _, key := range []string{"no.such", "", "certificates.approve:own", "billing.*"} {
				decision(owner, key).Refused("BAD_USER_INPUT")
			}
			w.Anonymous().Do(decide, testkit.Input("teamId", owner.TeamID, "permission", "team.read")).Refused("UNAUTHENTICATED")
		})
		t.Run("BEY-22 a hundred at once, in order, and no more", func(t *testing.T) {
			inputs := make([]any, 101)
			for i := range inputs {
				inputs[i] = map[string]any{"teamId": owner.TeamID, "permission": "orders.read", "userId": []string{annID, userID(owner)}[i%2]}
			}
			ask := func(n int) *testkit.Answer {
				return owner.Do(`query($inputs: [AccessDecisionInput!]!) { accessDecisions(inputs: $inputs) { allowed } }`, map[string]any{"inputs": inputs[:n]})
			}
			for i, yes := range ask(100).OK().List("accessDecisions", "allowed") {
				equal(t, "answer "+itoa(i), yes, []string{"false", "true"}[i%2])
			}
			ask(101).Refused("BAD_USER_INPUT")
		})
	})
}

func TestRolesOfOnesOwn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		account := owner.AccountID()
		const fields = "role { id key name description permissions isSystem version }"
		create := func(key, name string, permissions ...string) *testkit.Answer {
			return owner.Mutate("createRole", fields, "accountId", account, "key", key, "name", name, "permissions", permissions)
		}
		change := func(id string, pairs ...any) *testkit.Answer {
			return owner.Mutate("updateRole", fields, append([]any{"roleId", id}, pairs...)...)
		}
		remove := func(id string, pairs ...any) *testkit.Answer {
			return owner.Mutate("deleteRole", "deletedRoleId", append([]any{"roleId", id}, pairs...)...)
		}
		made := create("auditor", " Auditor ", "audit.read", "orders.read:own", "audit.read").OK()
		id := made.Text("createRole.role.id")
		ann := owner.JoinWith("ann@x.org", "roleIds", []string{id})
		t.Run("a role is made, with a key of its own", func(t *testing.T) {
			equal(t, "name", made.Text("createRole.role.name"), "Auditor")
			equal(t, "of the preset", made.Text("createRole.role.isSystem"), "false")
			equalList(t, "permissions", made.List("createRole.role.permissions", ""), "audit.read", "orders.read:own")
			create("auditor", "Again", "audit.read").Refused("CONFLICT key")
			create("billing", "Again", "audit.read").Refused("CONFLICT key")
			for _, key := range []string{"Auditor", "1st", "an auditor", strings.Repeat("x", 51)} {
				create(key, "X", "audit.read").Refused("INVALID_VALUE key")
			}
			create("x", "X", "no.such").Refused("PERMISSION_UNKNOWN permissions")
			equalList(t, "all at once", create("", "", "audit.*").UserErrors(), "BLANK key", "BLANK name", "PERMISSION_UNKNOWN permissions")
			create("x", strings.Repeat("x", 101), "audit.read").Refused("TOO_LONG name")
			w.SignUp("mallory@evil.test").Mutate("createRole", fields, "accountId", account, "key", "x", "name", "X", "permissions", []string{}).Refused("NOT_FOUND")
		})
		t.Run("a change counts at once for every holder; omitted fields stay", func(t *testing.T) {
			ann.Ask(`account { auditLog { totalCount } }`).OK()
			seen := change(id, "name", "Inspector", "expectedVersion", 1).OK().At("updateRole.role.version")
			equalList(t, "may", allowed(ann), "audit.read")
			a := change(id, "permissions", []string{"billing.read"}, "expectedVersion", seen).OK()
			equal(t, "name", a.Text("updateRole.role.name"), "Inspector")
			equalList(t, "may", allowed(ann), "billing.read")
			ann.Ask(`account { auditLog { totalCount } }`).Refused("FORBIDDEN")
			change(id, "permissions", []string{"audit.read"}, "expectedVersion", seen).Refused("CONFLICT expectedVersion")
			change(id, "name", " ").Refused("BLANK name")
			change(id, "permissions", []string{"no.such"}).Refused("PERMISSION_UNKNOWN permissions")
			change("role_none", "name", "X").Refused("NOT_FOUND")
			equalList(t, "may", allowed(ann), "billing.read")
		})
		t.Run("a role of the preset is neither changed nor deleted", func(*testing.T) {
			change(owner.Role("billing"), "permissions", []string{}).Refused("ROLE_PROTECTED roleId")
			remove(owner.Role("viewer")).Refused("ROLE_PROTECTED roleId")
		})
		t.Run("a role in use is deleted with another one in its place only", func(t *testing.T) {
			remove(id).Refused("ROLE_IN_USE reassignTo")
			onMember(owner, "setRoles", owner.MemberID(ann.Email), "roleIds", []string{id, owner.Role("viewer")}).OK()
			group := newGroup(owner, "Inspectors", id)
			bob := owner.JoinWith("bob@x.org", "groupIds", []string{group})
			invitation := owner.Mutate("inviteUser", "invitation { id }", "teamId", owner.TeamID, "email", "carl@x.org", "roleIds", []string{id}).OK()
			remove(id, "reassignTo", "role_none").Refused("ROLE_NOT_FOUND reassignTo")
			remove(id, "reassignTo", w.SignIn("mallory@evil.test").Role("viewer")).Refused("ROLE_NOT_FOUND reassignTo")
			remove(id, "reassignTo", id).Refused("INVALID_VALUE reassignTo")
			equal(t, "deleted", remove(id, "reassignTo", owner.Role("viewer")).OK().Text("deleteRole.deletedRoleId"), id)
			equalList(t, "member who had both", roleKeys(owner, ann.Email), "viewer")
			equal(t, "by the group", grantedBy(decision(bob, "orders.read"))[0], "GROUP viewer Inspectors orders.read")
			a := owner.Do(`query($id: ID!) { node(id: $id) { ... on Invitation { roles { key } } } }`,
				map[string]any{"id": invitation.Text("inviteUser.invitation.id")}).OK()
			equalList(t, "invitation", a.List("node.roles", "key"), "viewer")
			carl := w.Anonymous().Accept(testkit.Token(t, w.Mail.Wait(t, "carl@x.org", 1)), "password", testkit.Password).OK()
			equalList(t, "who accepts then", carl.List("acceptInvite.member.roles", "key"), "viewer")
			remove(id).Refused("NOT_FOUND")
			create("auditor", "Auditor", "audit.read").OK() // the key is free again
		})
		t.Run("each use alone keeps a role, and none when it has ended", func(*testing.T) {
			role := newRole(owner, "kept", "team.read")
			group := newGroup(owner, "Kept", role)
			remove(role).Refused("ROLE_IN_USE reassignTo")
			owner.Mutate("deleteGroup", "deletedGroupId", "groupId", group).OK()
			open := owner.Mutate("inviteUser", "invitation { id }", "teamId", owner.TeamID, "email", "dora@x.org", "roleIds", []string{role}).OK()
			remove(role).Refused("ROLE_IN_USE reassignTo")
			revoke(owner, open.Text("inviteUser.invitation.id")).OK()
			remove(role).OK()
		})
	})
}

func TestGroups(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		const fields = "group { id name description roles { key } memberCount version }"
		group := newGroup(owner, "Finance", owner.Role("billing"))
		ann, bob := owner.JoinWith("ann@x.org", "groupIds", []string{group}), owner.Join("bob@x.org", "member")
		t.Run("DC-16 what a group may, everybody in it may, and what changes, changes for all", func(t *testing.T) {
			onMember(owner, "setRoles", owner.MemberID(bob.Email), "groupIds", []string{group}, "roleIds", []string{owner.Role("member")}).OK()
			equal(t, "Ann refunds", may(ann, "billing.refund"), true)
			equal(t, "Bob refunds", may(bob, "billing.refund"), true)
			a := owner.Mutate("updateGroup", fields, "groupId", group, "roleIds", []string{owner.Role("validation")}, "description", "Of the house").OK()
			equal(t, "people", a.Text("updateGroup.group.memberCount"), "2")
			equal(t, "name", a.Text("updateGroup.group.name"), "Finance")
			for _, p := range []*testkit.Person{ann, bob} {
				equal(t, p.Email+" refunds", may(p, "billing.refund"), false)
				equal(t, p.Email+" validates", may(p, "validation.perform"), true)
			}
			seen := a.At("updateGroup.group.version")
			owner.Mutate("updateGroup", fields, "groupId", group, "name", "Validators", "expectedVersion", seen).OK()
			owner.Mutate("updateGroup", fields, "groupId", group, "name", "Late", "expectedVersion", seen).Refused("CONFLICT expectedVersion")
			owner.Mutate("updateGroup", fields, "groupId", group, "name", " ").Refused("BLANK name")
			owner.Mutate("updateGroup", fields, "groupId", group, "roleIds", []string{"role_none"}).Refused("ROLE_NOT_FOUND roleIds")
			equalList(t, "groups", owner.Ask(`account { groups { nodes { name } } }`).OK().List("team.account.groups.nodes", "name"), "Validators")
		})
		t.Run("DC-16 without the group its people lose what it gave them, and nothing else", func(t *testing.T) {
			owner.Mutate("deleteGroup", "deletedGroupId", "groupId", group).OK()
			equalList(t, "Ann may", allowed(ann))
			equalList(t, "Bob may", allowed(bob), "members.read", "roles.read", "team.read")
			equalList(t, "members", owner.Members(), "olivia@acme.test", "ann@x.org", "bob@x.org")
			owner.Mutate("deleteGroup", "deletedGroupId", "groupId", group).Refused("NOT_FOUND")
			a := owner.Mutate("createGroup", fields, "accountId", owner.AccountID(), "name", "", "roleIds", []string{"role_none"})
			equalList(t, "all at once", a.UserErrors(), "BLANK name", "ROLE_NOT_FOUND roleIds")
		})
	})
}

func TestDivisionsAreATree(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		const fields = "division { name parent { name } children { name } version }"
		europe := newDivision(owner, "Europe", "")
		france := newDivision(owner, "France", europe)
		paris := newDivision(owner, "Paris", france)
		change := func(id string, pairs ...any) *testkit.Answer {
			return owner.Mutate("updateDivision", fields, append([]any{"divisionId", id}, pairs...)...)
		}
		remove := func(id string) *testkit.Answer {
			return owner.Mutate("deleteDivision", "deletedDivisionId", "divisionId", id)
		}
		t.Run("it is listed with what stands above and below", func(t *testing.T) {
			a := owner.Ask(`account { divisions { nodes { name parent { name } children { name } } } }`).OK()
			equalList(t, "names", a.List("team.account.divisions.nodes", "name"), "Europe", "France", "Paris")
			equalList(t, "above", a.List("team.account.divisions.nodes", "parent.name"), "", "Europe", "France")
			equalList(t, "below", a.List("team.account.divisions.nodes", "children.0.name"), "France", "Paris", "")
		})
		t.Run("nothing stands below itself, nor too deep", func(t *testing.T) {
			for _, below := range []string{europe, france, paris} {
				change(europe, "parentId", below).Refused("INVALID_VALUE parentId")
			}
			change(europe, "parentId", "div_none").Refused("NOT_FOUND parentId")
			at := paris
			for n := range 7 {
				at = newDivision(owner, "Level "+itoa(n+4), at)
			}
			owner.Mutate("createDivision", fields, "accountId", owner.AccountID(), "name", "Level 11", "parentId", at).Refused("INVALID_VALUE parentId")
			world := newDivision(owner, "World", "")
			change(europe, "parentId", world).Refused("INVALID_VALUE parentId")
			change(paris, "parentId", world).OK()
			equal(t, "above Paris", change(paris, "name", "Île-de-France").OK().Text("updateDivision.division.parent.name"), "World")
			a := change(paris, "parentId", nil, "expectedVersion", 3).OK()
			equal(t, "above the top", a.At("updateDivision.division.parent"), nil)
			change(paris, "name", "Paris", "expectedVersion", 3).Refused("CONFLICT expectedVersion")
			change(paris, "name", "").Refused("BLANK name")
		})
		t.Run("what something depends on is not deleted", func(t *testing.T) {
			remove(europe).Refused("CONFLICT divisionId") // France is below
			ann := owner.Join("ann@x.org", "billing")
			id := owner.MemberID(ann.Email)
			onMember(owner, "setRestrictions", id, "divisionIds", []string{france}).OK()
			remove(france).Refused("CONFLICT divisionId")
			onMember(owner, "setRestrictions", id, "divisionIds", []string{}).OK()
			open := owner.Invite("bob@x.org", "billing", "divisionIds", []string{france}).OK().Text("inviteUser.invitation.id")
			remove(france).Refused("CONFLICT divisionId")
			revoke(owner, open).OK()
			equal(t, "deleted", remove(france).OK().Text("deleteDivision.deletedDivisionId"), france)
			remove(europe).OK()
			remove(europe).Refused("NOT_FOUND")
		})
	})
}

func TestScopesNarrowWhatIsHeld(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		europe, asia := newDivision(owner, "Europe", ""), newDivision(owner, "Asia", "")
		france := newDivision(owner, "France", europe)
		paris := newDivision(owner, "Paris", france)
		where := func(p *testkit.Person, permission string) (names []string) {
			for _, d := range []struct{ name, id string }{{"Europe", europe}, {"France", france}, {"Paris", paris}, {"Asia", asia}} {
				if may(p, permission, "divisionId", d.id) {
					names = append(names, d.name)
				}
			}
			return names
		}
		ann := owner.JoinWith("ann@x.org", "roleIds", []string{owner.Role("validation")}, "divisionIds", []string{france})
		bob := owner.Join("bob@x.org", "validation")
		id := owner.MemberID(bob.Email)
		t.Run("CP-3 and DC-14 what is held is held per module and in a division and all below it", func(t *testing.T) {
			equalList(t, "validates in", where(ann, "validation.perform"), "France", "Paris")
			equalList(t, "refunds in", where(ann, "billing.refund"))
			equalList(t, "an unrestricted member validates in", where(bob, "validation.perform"), "Europe", "France", "Paris", "Asia")
			equal(t, "in a division there is none of", may(ann, "validation.perform", "divisionId", "div_none"), false)
			equal(t, "and to a member without restrictions", may(owner, "validation.perform", "divisionId", "div_none"), false)
			elsewhere := w.SignUp("other@acme.test")
			equal(t, "in a division of another account", may(owner, "validation.perform", "divisionId", newDivision(elsewhere, "Far", "")), false)
			equal(t, "in none in particular", may(ann, "validation.perform"), true)
			owner.Mutate("updateDivision", "division { id }", "divisionId", asia, "parentId", paris).OK()
			equalList(t, "after Asia was moved", where(ann, "validation.perform"), "France", "Paris", "Asia")
			owner.Mutate("updateDivision", "division { id }", "divisionId", asia, "parentId", nil).OK()
			owner.Invite("x@x.org", "billing", "divisionIds", []string{france, "div_none"}).Refused("NOT_FOUND divisionIds")
		})
		t.Run("DC-17 left out at first, a scope is tightened later, and lifted", func(t *testing.T) {
			a := onMember(owner, "setRestrictions", id, "divisionIds", []string{asia, paris}).OK()
			equalList(t, "divisions", inOrder(a.List("setRestrictions.member.divisions", "name")), "Asia", "Paris")
			equalList(t, "validates in", where(bob, "validation.perform"), "Paris", "Asia")
			onMember(owner, "setRestrictions", id, "allowedDomains", []string{"x.org"}).OK() // leaves the divisions
			equalList(t, "validates in", where(bob, "validation.perform"), "Paris", "Asia")
			onMember(owner, "setRestrictions", id, "divisionIds", []string{}).OK() // leaves the domains
			equalList(t, "validates in", where(bob, "validation.perform"), "Europe", "France", "Paris", "Asia")
			equal(t, "elsewhere", may(bob, "validation.perform", "domain", "y.org"), false)
			onMember(owner, "setRestrictions", id, "divisionIds", []string{"div_none"}).Refused("NOT_FOUND divisionIds")
		})
		t.Run("DC-15 a list of domains restricts to these and what is below them", func(t *testing.T) {
			carl := owner.JoinWith("carl@x.org", "roleIds", []string{owner.Role("validation")}, "allowedDomains", []string{" Example.COM ", "bücher.example"})
			a := carl.Ask(`viewerMembership { allowedDomains }`).OK()
			equalList(t, "domains", a.List("team.viewerMembership.allowedDomains", ""), "example.com", "xn--bcher-kva.example")
			for domain, want := range map[string]bool{
				"example.com": true, "www.EXAMPLE.com": true, "bücher.example": true, "www.xn--bcher-kva.example": true,
				"evil-example.com": false, "example.com.evil.org": false, "com": false, "not a domain": false,
			} {
				equal(t, domain, may(carl, "validation.perform", "domain", domain), want)
			}
			equal(t, "a permission Carl does not hold", may(carl, "billing.refund", "domain", "example.com"), false)
			owner.Invite("x@x.org", "billing", "allowedDomains", []string{"example.com", "not a domain"}).Refused("INVALID_VALUE allowedDomains")
			onMember(owner, "setRestrictions", id, "allowedDomains", []string{"*"}).Refused("INVALID_VALUE allowedDomains")
		})
	})
}

func TestWhoIsRestrictedLetsNobodyOut(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		europe, asia := newDivision(owner, "Europe", ""), newDivision(owner, "Asia", "")
		france := newDivision(owner, "France", europe)
		admin := []string{owner.Role("account_admin")}
		ines := owner.JoinWith("ines@x.org", "roleIds", admin, "divisionIds", []string{europe})
		dom := owner.JoinWith("dom@x.org", "roleIds", admin, "allowedDomains", []string{"x.org"})
		ann := owner.Join("ann@x.org", "billing")
		for _, c := range []struct {
			p                *testkit.Person
			field, refused   string
			within, too, far []string
		}{
			{ines, "divisionIds", "NOT_GRANTABLE divisionIds", []string{france}, []string{france, asia}, []string{}},
			{dom, "allowedDomains", "DOMAIN_NOT_ALLOWED allowedDomains", []string{"www.x.org"}, []string{"x.org", "y.org"}, []string{}},
		} {
			t.Run("by "+c.field, func(t *testing.T) {
				to := c.field + "@y.org"
				c.p.Invite(to, "billing").Refused(c.refused)
				c.p.Invite(to, "billing", c.field, c.too).Refused(c.refused)
				open := c.p.Invite(to, "billing", c.field, c.within).OK().Text("inviteUser.invitation.id")
				for _, scope := range [][]string{c.too, c.far} {
					c.p.Mutate("updateInvite", "invitation { id }", "invitationId", open, c.field, scope).Refused(c.refused)
					onMember(c.p, "setRestrictions", owner.MemberID(ann.Email), c.field, scope).Refused(c.refused)
					onMember(c.p, "setRestrictions", owner.MemberID(c.p.Email), c.field, scope).Refused(c.refused)
				}
				onMember(c.p, "setRestrictions", owner.MemberID(ann.Email), c.field, c.within).OK()
				onMember(owner, "setRestrictions", owner.MemberID(ann.Email), c.field, []string{}).OK()
				unbound := owner.Invite("un"+to, "billing").OK().Text("inviteUser.invitation.id")
				resend(c.p, unbound).Refused("NOT_GRANTABLE invitationId")
				// Tightened before the invitee accepts, the granter does not answer for the invitation any more.
				narrow := map[string][]string{"divisionIds": {asia}, "allowedDomains": {"elsewhere.org"}}[c.field]
				onMember(owner, "setRestrictions", owner.MemberID(c.p.Email), c.field, narrow).OK()
				secret := testkit.Token(t, w.Mail.Wait(t, to, 1))
				w.Anonymous().Accept(secret, "password", testkit.Password).Refused("INVITER_LOST_GRANT")
				onMember(owner, "setRestrictions", owner.MemberID(c.p.Email), c.field, []string{}).OK()
				w.Anonymous().Accept(secret, "password", testkit.Password).OK()
			})
		}
		t.Run("nor the viewer, by moving a division below one of theirs", func(t *testing.T) {
			rob := owner.JoinWith("rob@x.org", "roleIds", admin, "divisionIds", []string{europe})
			rob.Mutate("updateDivision", "division { id }", "divisionId", asia, "parentId", europe).Refused("NOT_GRANTABLE divisionId")
			rob.Mutate("updateDivision", "division { id }", "divisionId", france, "parentId", asia).Refused("NOT_GRANTABLE parentId")
			rob.Mutate("updateDivision", "division { id }", "divisionId", france, "parentId", nil).Refused("NOT_GRANTABLE parentId")
			rob.Mutate("deleteDivision", "", "divisionId", asia).Refused("NOT_GRANTABLE divisionId")
			rob.Mutate("createDivision", "division { id }", "accountId", owner.AccountID(), "name", "Mine").Refused("NOT_GRANTABLE parentId")
			lyon := rob.Mutate("createDivision", "division { id }", "accountId", owner.AccountID(), "name", "Lyon", "parentId", france).OK().Text("createDivision.division.id")
			rob.Mutate("updateDivision", "division { id }", "divisionId", lyon, "parentId", europe, "name", "Lyons").OK()
			equal(t, "manages orders in Asia", may(rob, "orders.manage", "divisionId", asia), false)
		})
	})
}
