package server_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/testdb"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/internal/testkit/rounds"
	"github.com/convoke-dev/convoke/server"
)

// chance is a random world of people who hold this and that.
type chance struct {
	*rand.Rand
	keys []string
}

func newChance(t *testing.T, seed uint64) chance {
	t.Helper()
	c, err := access.NewCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, k := range c.All().Keys() { // what the flags depend on, and a little of the rest
		if slices.Contains([]string{"members", "roles", "account", "team", "billing"}, k[:slices.Index([]byte(k), '.')]) {
			keys = append(keys, k)
		}
	}
	return chance{rand.New(rand.NewPCG(seed, seed)), keys}
}

// some returns about half of what decides, so that every flag is seen both ways.
func (c chance) some() []string {
	held := []string{"team.read"}
	for _, k := range c.keys {
		if c.IntN(2) == 0 {
			held = append(held, k)
		}
	}
	return held
}

// lacksRight reports whether an answer refuses because of a missing right, and not
// because of the input or a state.
func lacksRight(a *testkit.Answer) bool {
	return slices.Contains([]string{"FORBIDDEN", "NOT_FOUND", "OWNER_PROTECTED memberId", "CANNOT_ACT_ON_SELF memberId", "NOT_GRANTABLE invitationId", "NOT_GRANTABLE memberId"}, outcome(a))
}

// A flag is true exactly when the mutation is not refused for lack of a right. The
// attempts change nothing: they are refused because of the version, or undone.
func TestFlagsAgreeWithMutations(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		t.Helper()
		w := testkit.New(t, address, func(c *server.Config) { c.SignUp = "open" })
		for seed := range rounds.Of(t, 3) {
			c := newChance(t, uint64(seed))
			owner := w.SignUp(fmt.Sprintf("o%d@acme.test", seed))
			people := []*testkit.Person{owner}
			for i := range 5 {
				people = append(people, owner.JoinWith(fmt.Sprintf("p%d.%d@acme.test", seed, i), "permissions", c.some()))
			}
			for i := range 3 {
				owner.Do(testkit.InviteMutation, testkit.Input("teamId", owner.TeamID, "email", fmt.Sprintf("i%d.%d@x.org", seed, i), "permissions", c.some())).OK()
			}
			owner.Mutate("createTeam", "team { id }", "accountId", owner.AccountID(), "name", "Second").OK()
			checks := 0
			for _, p := range people {
				checks += flagsOf(t, p, owner)
			}
			if checks < 60 {
				t.Errorf("seed %d: %d flags were compared, want more", seed, checks)
			}
		}
	})
}

// flagsOf compares all flags that p sees with what p can do.
func flagsOf(t *testing.T, p, owner *testkit.Person) (checks int) {
	t.Helper()
	agree := func(what string, flag any, tried *testkit.Answer) {
		t.Helper()
		checks++
		if can := !lacksRight(tried); flag != can {
			t.Errorf("%s of %s says %v, and the mutation %s", what, p.Email, flag, outcome(tried))
		}
	}
	team := p.Ask(`account { id viewerCanUpdate viewerCannotUpdateReasons } viewerCanInvite viewerCannotInviteReasons viewerCanManageMembers viewerCannotManageMembersReasons
		viewerCanManageRoles viewerCannotManageRolesReasons viewerCanTransferOwnership viewerCannotTransferOwnershipReasons
		viewerCanUpdate viewerCannotUpdateReasons viewerCanDelete viewerCannotDeleteReasons`).OK()
	reasonsOf(t, team.Data)
	agree("viewerCanInvite", team.At("team.viewerCanInvite"), p.Mutate("inviteUser", "", "teamId", p.TeamID, "email", "", "permissions", []string{}))
	agree("Team.viewerCanUpdate", team.At("team.viewerCanUpdate"), p.Mutate("updateTeam", "", "teamId", p.TeamID, "name", ""))
	deleted := p.Mutate("deleteTeam", "", "teamId", p.TeamID) // of the default team
	equal(t, "deletion of the default team", team.At("team.viewerCanDelete"), any(outcome(deleted) == "in"))
	agree("Account.viewerCanUpdate", team.At("team.account.viewerCanUpdate"), p.Mutate("updateAccount", "", "accountId", team.Text("team.account.id"), "name", ""))
	checks += flagsOfRoles(t, p, owner)
	agree("viewerCanManageRoles", team.At("team.viewerCanManageRoles"), p.Mutate("createRole", "", "accountId", team.Text("team.account.id"), "key", "", "name", "", "permissions", []string{}))
	everybody := owner.Ask(`members { nodes { id } } invitations { nodes { id } }`).OK()
	manages := false
	for _, id := range everybody.List("team.members.nodes", "id") {
		seen := p.Do(`query($id: ID!) { node(id: $id) { ... on Member { isOwner user { email } viewerCanSetRoles viewerCannotSetRolesReasons viewerCanSetRestrictions viewerCannotSetRestrictionsReasons
			viewerCanDeactivate viewerCannotDeactivateReasons viewerCanRemove viewerCannotRemoveReasons } } }`, map[string]any{"id": id}).OK()
		reasonsOf(t, seen.Data)
		flag := func(name string) any { return seen.At("node."+name) == true } // a hidden flag counts as false
		ownOrOwner := seen.Text("node.isOwner") == "true" || seen.Text("node.user.email") == p.Email
		if seen.At("node.isOwner") == true {
			agree("viewerCanTransferOwnership", team.At("team.viewerCanTransferOwnership"), transferTo(p, id))
		}
		agree("viewerCanSetRoles", flag("viewerCanSetRoles"), p.Mutate("setRoles", "", "memberId", id, "roleIds", []string{}, "expectedVersion", 999))
		restrict := p.Mutate("setRestrictions", "", "memberId", id, "expectedVersion", 999)
		agree("viewerCanSetRestrictions", flag("viewerCanSetRestrictions"), restrict)
		manages = manages || !lacksRight(restrict) && !ownOrOwner
		// These would change something where they are allowed: there they are undone.
		deactivate := p.Mutate("deactivateMember", "", "memberId", id)
		agree("viewerCanDeactivate", flag("viewerCanDeactivate"), deactivate)
		if outcome(deactivate) == "in" {
			manages = true
			// Who gives back more than they hold is refused, and somebody else does it.
			held := p.Do(`query($id: ID!) { node(id: $id) { ... on Member { viewerCanReactivate viewerCannotReactivateReasons } } }`, map[string]any{"id": id}).OK()
			reasonsOf(t, held.Data)
			flag := func(name string) any { return held.At("node."+name) == true }
			agree("HARD-2 viewerCanReactivate", flag("viewerCanReactivate"), p.Mutate("reactivateMember", "", "memberId", id))
			owner.Mutate("reactivateMember", "", "memberId", id).OK()
		}
		if ownOrOwner || flag("viewerCanRemove") == false {
			agree("viewerCanRemove", flag("viewerCanRemove"), p.Mutate("removeMember", "", "memberId", id))
		} else {
			manages = true
			agree("viewerCanRemove", true, p.Mutate("removeMember", "", "memberId", removable(owner)))
		}
	}
	if got := team.At("team.viewerCanManageMembers"); got != manages {
		t.Errorf("viewerCanManageMembers of %s says %v, and managing is %t", p.Email, got, manages)
	}
	for _, id := range everybody.List("team.invitations.nodes", "id") {
		seen := p.Do(`query($id: ID!) { node(id: $id) { ... on Invitation { status viewerCanResend viewerCannotResendReasons viewerCanRevoke viewerCannotRevokeReasons viewerCanUpdate viewerCannotUpdateReasons } } }`, map[string]any{"id": id}).OK()
		reasonsOf(t, seen.Data)
		if seen.At("node") != nil && seen.Text("node.status") != "PENDING" {
			continue
		}
		flag := func(name string) any { return seen.At("node."+name) == true }
		agree("viewerCanUpdate", flag("viewerCanUpdate"), p.Mutate("updateInvite", "", "invitationId", id, "expiresInHours", 999))
		agree("viewerCanResend", flag("viewerCanResend"), p.Mutate("resendInvite", "", "invitationId", id, "sendEmail", false))
	}
	return checks
}

// reasonsOf checks that every flag is true exactly when no reason is beside it.
func reasonsOf(t *testing.T, value any) {
	t.Helper()
	object, is := value.(map[string]any)
	if !is {
		return
	}
	for name, v := range object {
		reasonsOf(t, v)
		if does, about := strings.CutPrefix(name, "viewerCan"); about && !strings.HasPrefix(does, "not") {
			reasons, _ := object["viewerCannot"+does+"Reasons"].([]any)
			equal(t, fmt.Sprintf("FE-10 %s beside %v", name, reasons), v, any(len(reasons) == 0))
		}
	}
}

// flagsOfRoles compares the flags of roles, groups and divisions that p sees with what p can do.
func flagsOfRoles(t *testing.T, p, owner *testkit.Person) (checks int) {
	t.Helper()
	things := owner.Ask(`account { id roles { nodes { id isSystem } } groups { nodes { id } } divisions { nodes { id } } }`).OK()
	own := newRole(owner, "r"+itoa(len(things.List("team.account.roles.nodes", "id"))))
	group, division := newGroup(owner, "Flags"), newDivision(owner, "Flags", "")
	for _, c := range []struct{ typ, id, update, argument string }{
		{"Role", own, "updateRole", "roleId"},
		{"Role", things.Text("team.account.roles.nodes.0.id"), "updateRole", "roleId"},
		{"Group", group, "updateGroup", "groupId"},
		{"Division", division, "updateDivision", "divisionId"},
	} {
		seen := p.Do(`query($id: ID!) { node(id: $id) { ... on `+c.typ+` { viewerCanUpdate viewerCannotUpdateReasons viewerCanDelete viewerCannotDeleteReasons } } }`, map[string]any{"id": c.id}).OK()
		reasonsOf(t, seen.Data)
		tried := p.Mutate(c.update, "", c.argument, c.id, "name", "")
		can := !slices.Contains([]string{"FORBIDDEN", "NOT_FOUND", "ROLE_PROTECTED roleId"}, outcome(tried))
		equal(t, fmt.Sprintf("viewerCanUpdate of a %s by %s, and the mutation %s", c.typ, p.Email, outcome(tried)), seen.At("node.viewerCanUpdate") == true, can)
		checks++
	}
	return checks
}

// The reasons say why, one by one.
func TestReasonsAgainstAnAct(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		admin, clerk := owner.Join("adam@acme.test", "account_admin"), owner.JoinWith("clerk@acme.test", "permissions", []string{"members.read", "members.invite"})
		open := owner.Invite("ann@x.org", "account_admin").OK().Text("inviteUser.invitation.id")
		over := owner.Invite("bob@x.org", "billing").OK().Text("inviteUser.invitation.id")
		revoke(owner, over).OK()
		own := newRole(owner, "own")
		for _, c := range []struct {
			p             *testkit.Person
			typ, id, flag string
			want          []string
		}{
			{owner, "Member", owner.MemberID(owner.Email), "Remove", []string{"SELF", "OWNER"}},
			{admin, "Member", owner.MemberID(owner.Email), "Remove", []string{"OWNER"}},
			{admin, "Member", owner.MemberID(admin.Email), "SetRoles", []string{"SELF"}},
			{admin, "Member", owner.MemberID(clerk.Email), "SetRoles", nil},
			{clerk, "Member", owner.MemberID(owner.Email), "Deactivate", []string{"MISSING_PERMISSION", "OWNER"}},
			{admin, "Member", owner.MemberID(owner.Email), "SetRestrictions", []string{"OWNER"}},
			{admin, "Team", owner.TeamID, "TransferOwnership", []string{"NOT_OWNER"}},
			{owner, "Team", owner.TeamID, "TransferOwnership", nil},
			{owner, "Team", owner.TeamID, "Delete", []string{"DEFAULT_TEAM"}},
			{clerk, "Team", owner.TeamID, "Update", []string{"MISSING_PERMISSION"}},
			{clerk, "Invitation", open, "Resend", []string{"BEYOND_OWN_GRANT"}},
			{clerk, "Invitation", open, "Update", []string{"BEYOND_OWN_GRANT"}},
			{clerk, "Invitation", open, "Revoke", nil},
			{owner, "Invitation", over, "Resend", []string{"NOT_OPEN"}},
			{owner, "Role", owner.Role("billing"), "Update", []string{"PRESET_ROLE"}},
			{owner, "Role", own, "Delete", nil},
			{clerk, "Role", own, "Delete", []string{"MISSING_PERMISSION"}},
			{clerk, "Account", owner.AccountID(), "Update", []string{"MISSING_PERMISSION"}},
		} {
			t.Run(fmt.Sprintf("FE-10 %s may %s %s, but for %v", c.p.Email, c.flag, c.typ, c.want), func(t *testing.T) {
				a := c.p.Do(`query($id: ID!) { node(id: $id) { ... on `+c.typ+` { viewerCan`+c.flag+` viewerCannot`+c.flag+`Reasons } } }`, map[string]any{"id": c.id}).OK()
				equalList(t, "reasons", a.List("node.viewerCannot"+c.flag+"Reasons", ""), c.want...)
				reasonsOf(t, a.Data)
			})
		}
		t.Run("FE-10 a suspended account is a reason", func(t *testing.T) {
			if err := w.Server.Roster.Suspend(t.Context(), owner.AccountID()); err != nil {
				t.Fatal(err)
			}
			a := owner.Ask(`viewerCanInvite viewerCannotInviteReasons`).OK()
			equalList(t, "reasons", a.List("team.viewerCannotInviteReasons", ""), "ACCOUNT_SUSPENDED")
			reasonsOf(t, a.Data)
			owner.Invite("carl@x.org", "billing").Refused("ACCOUNT_SUSPENDED")
		})
	})
}

// transferTo offers the ownership to the owner, which is refused with another code
// once the right is there.
func transferTo(p *testkit.Person, ownerMemberID string) *testkit.Answer {
	a := p.Mutate("requestOwnershipTransfer", "", "memberId", ownerMemberID)
	if outcome(a) == "CANNOT_ACT_ON_SELF memberId" {
		return p.Ask(`name`) // nothing but the target was wrong
	}
	return a
}

// removable admits a member and returns their id, so that a test can remove them.
func removable(owner *testkit.Person) string {
	email := "r" + owner.Ask(`counts { active } account { auditLog(first: 1) { nodes { id } } }`).OK().Text("team.account.auditLog.nodes.0.id") + "@x.org"
	return owner.MemberID(owner.JoinWith(email, "permissions", []string{"team.read"}).Email)
}

// The counters of a team agree with counts after any history.
func TestTeamsKnowTheirNumbers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		c := newChance(t, 7)
		owner := w.SignUp("olivia@acme.test")
		role := []string{owner.Role("billing")}
		deeds := rounds.Of(t, 150)
		for i := range deeds {
			randomDeed(t, w, c, owner, role, i)
			if i%10 == 9 || i == deeds-1 {
				inStates(t, owner)
				a := owner.Ask(`members(first: 100) { totalCount nodes { status } } invitations(first: 100) { totalCount nodes { status } } counts { active deactivated invited }`).OK()
				for path, want := range map[string]int{
					"members.totalCount": len(a.List("team.members.nodes", "status")), "invitations.totalCount": len(a.List("team.invitations.nodes", "status")),
					"counts.active":      tally(a.List("team.members.nodes", "status"), "ACTIVE"),
					"counts.deactivated": tally(a.List("team.members.nodes", "status"), "DEACTIVATED"),
					"counts.invited":     tally(a.List("team.invitations.nodes", "status"), "PENDING"),
				} {
					equal(t, fmt.Sprintf("after %d deeds: %s", i, path), a.Text("team."+path), itoa(want))
				}
			}
		}
	})
}

func tally(list []string, what string) (n int) {
	for _, s := range list {
		if s == what {
			n++
		}
	}
	return n
}

// randomDeed does one random thing. It may be refused.
func randomDeed(t *testing.T, w *testkit.World, c chance, owner *testkit.Person, role []string, i int) {
	t.Helper()
	pick := func(ids []string) string { return append(ids, "none")[c.IntN(len(ids)+1)] }
	people := owner.Ask(`members(first: 100) { nodes { id } } invitations(first: 100) { nodes { id } }`).OK()
	memberID, invitationID := pick(people.List("team.members.nodes", "id")), pick(people.List("team.invitations.nodes", "id"))
	email := "p" + itoa(c.IntN(12)) + "@x.org"
	switch c.IntN(10) {
	case 0, 1, 2:
		owner.Do(testkit.InviteMutation, testkit.Input("teamId", owner.TeamID, "email", email, "roleIds", role, "sendEmail", false))
	case 3, 4:
		if mails := owner.Do(testkit.InviteMutation, testkit.Input("teamId", owner.TeamID, "email", "n"+itoa(i)+"@x.org", "roleIds", role)); outcome(mails) == "in" {
			w.Anonymous().Accept(testkit.Token(t, w.Mail.Wait(t, "n"+itoa(i)+"@x.org", 1)), "password", testkit.Password).OK()
		}
	case 5:
		owner.Mutate([]string{"revokeInvite", "resendInvite"}[c.IntN(2)], "", "invitationId", invitationID)
	case 6:
		owner.Mutate("removeMember", "", "memberId", memberID)
	case 7:
		owner.Mutate("deactivateMember", "", "memberId", memberID)
	case 8:
		owner.Mutate("reactivateMember", "", "memberId", memberID)
	case 9:
		w.Clock.Advance(10 * 60 * 60 * 1e9)
		if c.IntN(2) == 0 {
			if err := w.Server.Invites.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
}
