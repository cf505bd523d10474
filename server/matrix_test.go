package server_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/convoke-dev/convoke/graph"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/testdb"
	"github.com/convoke-dev/convoke/internal/testkit"
)

// matrixRow is a line of the matrix: something to be done, and who may do it.
// It changes nothing: once the right is there its input is refused, or it says
// what is so already.
type matrixRow struct {
	field string // of the schema
	of    string // what it is done to, where a field has several rows
	needs string // the permission that the field's description names
	does  string // $name is a thing of the stage

	who  func(matrixColumn) bool // who may, where not the permission alone decides
	sees func(matrixColumn) bool // which members may know of the thing: NOT_FOUND for the others; nil = all of them
	may  string                  // the answer to who may; empty = it is done
	self string                  // the answer to the owner, where it is another one
	full string                  // the answer to those who hold everything, where it is another one: the ceiling
	last bool                    // it is done indeed, after everything else

	person bool // only a person can do it: FORBIDDEN for an API key
}

// matrixColumn is somebody who tries every row.
type matrixColumn struct {
	*testkit.Person  // without an address for nobody
	name             string
	holds            access.Set // nil for a person who is no member
	owner, addressee bool       // of the team, of the offer and the invitation
	full             bool       // holds everything
	key              bool       // an API key, not a person
}

func (c matrixColumn) hasAny(permissions ...string) bool {
	return slices.ContainsFunc(permissions, c.holds.Has)
}

const (
	matrixNull = "null"        // a query finds nothing
	matrixGone = "(not asked)" // it would be done, and cannot be done twice
)

func matrixRows() []matrixRow {
	anybody := func(matrixColumn) bool { return true }
	signedIn := func(c matrixColumn) bool { return c.Email != "" }
	members := func(c matrixColumn) bool { return c.holds != nil }
	theOwner := func(c matrixColumn) bool { return c.owner }
	theAddressee := func(c matrixColumn) bool { return c.addressee }
	ofPeople := func(c matrixColumn) bool { return c.hasAny("members.read") }
	ofTheOffer := func(c matrixColumn) bool { return c.hasAny("members.read") || c.owner || c.addressee }
	ofRoles := func(c matrixColumn) bool {
		return c.hasAny("roles.read", "roles.assign", "roles.manage", "members.read", "members.invite")
	}
	const self, protected, closed = "CANNOT_ACT_ON_SELF memberId", "OWNER_PROTECTED memberId", "TRANSFER_NOT_PENDING transferId"
	return []matrixRow{
		{field: "Account.settings", needs: "account.read", does: `account(id: "$account") { settings { invitationTtlHours } }`},
		{field: "Account.limits", needs: "account.read", does: `account(id: "$account") { limits { maxTeams } }`},
		{field: "Account.counts", needs: "account.read", does: `account(id: "$account") { counts { active } }`},
		{field: "Account.roles", needs: "roles.read", who: ofRoles, does: `account(id: "$account") { roles { nodes { id } } }`},
		{field: "Account.groups", needs: "roles.read", who: ofRoles, does: `account(id: "$account") { groups { nodes { id } } }`},
		{field: "Account.auditLog", needs: "audit.read", does: `account(id: "$account") { auditLog { nodes { id } } }`},
		{field: "Account.apiKeys", needs: "apikeys.read", does: `account(id: "$account") { apiKeys { nodes { id } } }`},
		{field: "Team.members", needs: "members.read", does: `team(id: "$team") { members { nodes { id } } }`},
		{field: "Team.invitations", needs: "members.read", does: `team(id: "$team") { invitations { nodes { id } } }`},
		{field: "Team.people", needs: "members.read", does: `team(id: "$team") { people { nodes { __typename } } }`},
		{field: "Team.counts", needs: "members.read", does: `team(id: "$team") { counts { active } }`},
		{field: "Invitation.timeline", needs: "members.read", does: `team(id: "$team") { invitations { nodes { timeline { nodes { id } } } } }`},
		{field: "Subscription.inviteStatusChanged", needs: "members.read", does: `inviteStatusChanged(teamId: "$team", after: "$start") { cursor }`},

		{field: "Subscription.membersChanged", needs: "members.read", does: `membersChanged(teamId: "$team", after: "$start") { cursor }`},
		{field: "Subscription.teamChanged", who: members, does: `teamChanged(teamId: "$team", after: "$start") { cursor }`},

		// A stream that stays open is no answer, so only refusals are tested.
		{field: "Subscription.receivedInvitationsChanged", person: true, who: signedIn, does: `receivedInvitationsChanged { cursor }`, may: matrixGone},
		{field: "Subscription.viewerAccessChanged", who: signedIn, does: `viewerAccessChanged { type }`, may: matrixGone},

		{field: "Mutation.updateAccount", needs: "account.update", does: `updateAccount(input: {accountId: "$account", name: ""})`, may: "BLANK name"},
		{field: "Mutation.createTeam", person: true, needs: "team.create", does: `createTeam(input: {accountId: "$account", name: ""})`, may: "BLANK name"},
		{field: "Mutation.updateTeam", needs: "team.update", does: `updateTeam(input: {teamId: "$team", name: ""})`, may: "BLANK name"},
		{field: "Mutation.deleteTeam", needs: "team.delete", does: `deleteTeam(input: {teamId: "$team"})`, may: "INVALID_VALUE teamId"},

		{field: "Mutation.createRole", needs: "roles.manage", does: `createRole(input: {accountId: "$account", key: "k", name: "", permissions: []})`, may: "BLANK name"},
		{field: "Mutation.updateRole", needs: "roles.manage", sees: ofRoles, does: `updateRole(input: {roleId: "$role", name: ""})`, may: "BLANK name"},
		{field: "Mutation.deleteRole", needs: "roles.manage", sees: ofRoles, does: `deleteRole(input: {roleId: "$role"})`, may: "ROLE_IN_USE reassignTo"},
		{field: "Mutation.createGroup", needs: "roles.manage", does: `createGroup(input: {accountId: "$account", name: "", roleIds: []})`, may: "BLANK name"},
		{field: "Mutation.updateGroup", needs: "roles.manage", sees: ofRoles, does: `updateGroup(input: {groupId: "$group", name: ""})`, may: "BLANK name"},
		{field: "Mutation.deleteGroup", needs: "roles.manage", sees: ofRoles, does: `deleteGroup(input: {groupId: "$newGroup"})`},
		{field: "Mutation.createDivision", needs: "account.update", does: `createDivision(input: {accountId: "$account", name: ""})`, may: "BLANK name"},
		{field: "Mutation.updateDivision", needs: "account.update", does: `updateDivision(input: {divisionId: "$division", name: ""})`, may: "BLANK name"},
		{field: "Mutation.deleteDivision", needs: "account.update", does: `deleteDivision(input: {divisionId: "$division"})`, may: "CONFLICT divisionId"},

		{field: "Mutation.createApiKey", person: true, needs: "apikeys.manage", does: `createApiKey(input: {accountId: "$account", name: "", permissions: ["team.read"]})`, may: "BLANK name"},
		{field: "Mutation.updateApiKey", needs: "apikeys.manage", does: `updateApiKey(input: {apiKeyId: "$key", name: ""})`, may: "BLANK name"},
		{field: "Mutation.revokeApiKey", needs: "apikeys.manage", does: `revokeApiKey(input: {apiKeyId: "$key"})`},

		{field: "Mutation.setRoles", of: "the owner", needs: "roles.assign", does: `setRoles(input: {memberId: "$owner", roleIds: []})`, may: protected, self: self},
		{field: "Mutation.setRoles", of: "a colleague", needs: "roles.assign", sees: ofPeople, does: `setRoles(input: {memberId: "$colleague", permissions: ["team.read"]})`},
		{field: "Mutation.setRestrictions", of: "the owner", needs: "members.update", does: `setRestrictions(input: {memberId: "$owner"})`, may: protected},
		{field: "Mutation.setRestrictions", of: "a colleague", needs: "members.update", sees: ofPeople, does: `setRestrictions(input: {memberId: "$colleague", expectedVersion: 99})`, may: "CONFLICT expectedVersion"},
		{field: "Mutation.deactivateMember", of: "the owner", needs: "members.deactivate", does: `deactivateMember(input: {memberId: "$owner"})`, may: protected, self: self},
		{field: "Mutation.deactivateMember", of: "a colleague", needs: "members.deactivate", sees: ofPeople, does: `deactivateMember(input: {memberId: "$colleague"})`},
		{field: "Mutation.reactivateMember", of: "the owner", needs: "members.deactivate", does: `reactivateMember(input: {memberId: "$owner"})`},
		{field: "Mutation.reactivateMember", of: "a colleague", needs: "members.deactivate", sees: ofPeople, does: `reactivateMember(input: {memberId: "$colleague"})`, may: matrixGone},
		{field: "Mutation.removeMember", of: "the owner", needs: "members.remove", does: `removeMember(input: {memberId: "$owner"})`, may: protected, self: self},
		{field: "Mutation.removeMember", of: "a colleague", needs: "members.remove", sees: ofPeople, does: `removeMember(input: {memberId: "$colleague"})`, may: matrixGone},

		// HARD-2: the ceiling holds for what is given back, lengthened or moved.
		{field: "Mutation.reactivateMember", of: "an admin", needs: "members.deactivate", sees: ofPeople, does: `reactivateMember(input: {memberId: "$admin"})`, may: "NOT_GRANTABLE memberId", full: matrixGone},
		{field: "Mutation.setRestrictions", of: "an admin", needs: "members.update", sees: ofPeople, does: `setRestrictions(input: {memberId: "$admin", divisionIds: []})`, may: "NOT_GRANTABLE memberId", full: matrixGone},
		{field: "Mutation.updateDivision", of: "admins", needs: "account.update", does: `updateDivision(input: {divisionId: "$division", parentId: "$south"})`, may: "NOT_GRANTABLE parentId", full: matrixGone},
		{field: "Mutation.resendInvite", of: "an admin", needs: "members.invite", sees: ofPeople, does: `resendInvite(input: {invitationId: "$above"})`, may: "NOT_GRANTABLE invitationId", full: matrixGone},
		{field: "Mutation.updateInvite", of: "an admin", needs: "members.invite", sees: ofPeople, does: `updateInvite(input: {invitationId: "$above", expiresInHours: 999})`, may: "NOT_GRANTABLE invitationId", full: "INVALID_VALUE expiresInHours"},

		{field: "Mutation.removeMembers", needs: "members.remove", does: `removeMembers(input: {teamId: "$team", memberIds: []})`, may: "BLANK memberIds"},
		{field: "Mutation.setRolesOfMembers", needs: "roles.assign", does: `setRolesOfMembers(input: {teamId: "$team", items: []})`, may: "BLANK items"},

		{field: "Mutation.inviteUser", needs: "members.invite", does: `inviteUser(input: {teamId: "$team", email: "", grant: {chosen: {permissions: ["team.read"]}}})`, may: "BLANK email"},
		{field: "Mutation.inviteUsers", needs: "members.invite", does: `inviteUsers(input: {teamId: "$team", emails: [], grant: {chosen: {permissions: ["team.read"]}}})`, may: "BLANK emails"},
		{field: "Mutation.resendInvite", needs: "members.invite", sees: ofPeople, does: `resendInvite(input: {invitationId: "$revoked"})`, may: "INVITATION_REVOKED"},
		{field: "Mutation.resendInvites", needs: "members.invite", does: `resendInvites(input: {teamId: "$team", invitationIds: []})`, may: "BLANK invitationIds"},
		{field: "Mutation.revokeInvites", needs: "members.invite", does: `revokeInvites(input: {teamId: "$team", invitationIds: []})`, may: "BLANK invitationIds"},
		{field: "Mutation.updateInvite", needs: "members.invite", sees: ofPeople, does: `updateInvite(input: {invitationId: "$revoked", note: "Hi"})`, may: "INVITATION_REVOKED"},
		{field: "Mutation.revokeInvite", needs: "members.invite", sees: ofPeople, does: `revokeInvite(input: {invitationId: "$revoked"})`},
		{field: "Mutation.acceptInvite", person: true, of: "a token", who: anybody, does: `acceptInvite(input: {invitation: {token: "x"}})`, may: "INVALID_TOKEN invitation.token"},
		{field: "Mutation.acceptInvite", person: true, of: "an id", who: theAddressee, sees: theAddressee, does: `acceptInvite(input: {invitation: {id: "$accepted"}})`},
		{field: "Mutation.declineInvite", person: true, of: "a token", who: anybody, does: `declineInvite(input: {invitation: {token: "x"}})`, may: "INVALID_TOKEN invitation.token"},
		{field: "Mutation.declineInvite", person: true, of: "an id", who: theAddressee, sees: theAddressee, does: `declineInvite(input: {invitation: {id: "$accepted"}})`, may: "INVITATION_ALREADY_ACCEPTED"},

		{field: "Mutation.blockInvitations", person: true, of: "a token", who: anybody, does: `blockInvitations(input: {invitation: {token: "x"}})`, may: "INVALID_TOKEN invitation.token"},
		{field: "Mutation.blockInvitations", person: true, of: "an id", who: theAddressee, sees: theAddressee, does: `blockInvitations(input: {invitation: {id: "$accepted"}})`},
		{field: "Mutation.unblockInvitations", person: true, of: "a token", who: anybody, does: `unblockInvitations(input: {token: "x"})`, may: "INVALID_TOKEN token"},
		{field: "Mutation.unblockInvitations", person: true, of: "an id", who: signedIn, sees: func(matrixColumn) bool { return false }, does: `unblockInvitations(input: {blockId: "cool_none"})`, may: "NOT_FOUND"},

		{field: "Mutation.requestOwnershipTransfer", of: "the owner", who: theOwner, does: `requestOwnershipTransfer(input: {memberId: "$owner"})`, may: self},
		{field: "Mutation.requestOwnershipTransfer", of: "a colleague", who: theOwner, sees: ofPeople, does: `requestOwnershipTransfer(input: {memberId: "$colleague"})`, may: "MEMBER_DEACTIVATED memberId"},
		{field: "Mutation.cancelOwnershipTransfer", who: theOwner, sees: ofTheOffer, does: `cancelOwnershipTransfer(input: {transferId: "$declined"})`, may: closed},
		{field: "Mutation.acceptOwnershipTransfer", who: theAddressee, sees: ofTheOffer, does: `acceptOwnershipTransfer(input: {transferId: "$declined"})`, may: closed},
		{field: "Mutation.declineOwnershipTransfer", who: theAddressee, sees: ofTheOffer, does: `declineOwnershipTransfer(input: {transferId: "$declined"})`, may: closed},

		{field: "Mutation.signUp", who: anybody, does: `signUp(input: {email: "", password: "` + testkit.Password + `"})`, may: "BLANK email"},
		{field: "Mutation.verifyEmail", who: anybody, does: `verifyEmail(input: {token: "x"})`, may: "INVALID_TOKEN token"},
		{field: "Mutation.signIn", who: anybody, does: `signIn(input: {email: "", password: ""})`, may: "INVALID_CREDENTIALS"},
		{field: "Mutation.signInWithIdToken", who: anybody, does: `signInWithIdToken(input: {idToken: "x"})`, may: "FEATURE_NOT_AVAILABLE"},
		{field: "Mutation.resendVerification", who: anybody, does: `resendVerification(input: {email: "", password: "x"})`, may: "BLANK email"},
		{field: "Mutation.requestPasswordReset", who: anybody, does: `requestPasswordReset(input: {email: ""})`, may: "BLANK email"},
		{field: "Mutation.resetPassword", who: anybody, does: `resetPassword(input: {token: "x", newPassword: "` + testkit.Password + `"})`, may: "INVALID_TOKEN token"},
		{field: "Mutation.changePassword", person: true, who: signedIn, does: `changePassword(input: {currentPassword: "x", newPassword: "` + testkit.Password + `"})`, may: "INVALID_CREDENTIALS currentPassword"},
		{field: "Mutation.changeEmail", person: true, who: signedIn, does: `changeEmail(input: {newEmail: "", password: "x"})`, may: "BLANK newEmail"},
		{field: "Mutation.confirmEmailChange", who: anybody, does: `confirmEmailChange(input: {token: "x"})`, may: "INVALID_TOKEN token"},
		{field: "Mutation.cancelEmailChange", person: true, who: signedIn, does: `cancelEmailChange(input: {})`},
		{field: "Mutation.cancelEmailChange", of: "a token", who: anybody, does: `cancelEmailChange(input: {token: "x"})`, may: "INVALID_TOKEN token"},
		{field: "Mutation.updateProfile", person: true, who: signedIn, does: `updateProfile(input: {firstName: "` + strings.Repeat("x", 101) + `"})`, may: "TOO_LONG firstName"},
		{field: "Mutation.revokeSession", person: true, who: theOwner, sees: theOwner, does: `revokeSession(input: {sessionId: "$newSession"})`},
		{field: "Mutation.setActiveTeam", person: true, who: members, does: `setActiveTeam(input: {teamId: "$team"})`},
		{field: "Mutation.leaveTeam", person: true, who: members, does: `leaveTeam(input: {teamId: "$team"})`, self: "OWNER_PROTECTED teamId", last: true},
		{field: "Mutation.eraseMe", person: true, who: signedIn, does: `eraseMe(input: {password: "x"})`, may: "INVALID_CREDENTIALS password"},
		{field: "Mutation.signOut", person: true, who: signedIn, does: `signOut`, last: true},
	}
}

func (r matrixRow) writes() bool {
	return strings.HasPrefix(r.field, "Mutation.") || strings.HasPrefix(r.field, "Subscription.")
}

func (r matrixRow) granted(c matrixColumn) bool {
	if r.who != nil {
		return r.who(c)
	}
	return c.hasAny(r.needs)
}

// want is the expected answer to the column.
func (r matrixRow) want(c matrixColumn) string {
	switch {
	case c.key && r.person:
		return "FORBIDDEN"
	case c.holds != nil && r.sees != nil && !r.sees(c):
		return "NOT_FOUND"
	case r.granted(c) && c.owner && r.self != "":
		return r.self
	case r.granted(c) && c.full && r.full != "":
		return r.full
	case r.granted(c):
		return r.may
	case c.holds == nil && !r.writes():
		return matrixNull
	case c.Email == "":
		return "UNAUTHENTICATED"
	case c.holds == nil:
		return "NOT_FOUND"
	default:
		return "FORBIDDEN"
	}
}

// try does what the row says and returns what came of it, in short.
func (r matrixRow) try(t *testing.T, m *matrixStage, c *testkit.Client) (short string, a *testkit.Answer) {
	t.Helper()
	does := os.Expand(r.does, m.thing)
	switch kind, _, _ := strings.Cut(r.field, "."); kind {
	case "Mutation":
		a = c.Do(`mutation { `+does+` { userErrors { code field message } } }`, nil)
	case "Subscription":
		s := c.SubscribeSSE(`subscription { `+does+` }`, nil)
		defer s.Close()
		a = s.Next()
	default:
		a = c.Do(`query { `+does+` }`, nil)
	}
	short = strings.Join(a.UserErrors(), ", ")
	for _, value := range a.Data {
		if value == nil && a.Code() == "" {
			short = matrixNull
		}
	}
	if a.Code() != "" {
		if len(a.Errors[0].Path) > 0 && a.At(pathOf(a.Errors[0].Path)) != nil {
			t.Errorf("%s: a refused field that is not null: %s", r.field, a.Raw)
		}
		short = a.Code()
		if len(a.Errors) != 1 || a.Status != 200 {
			t.Errorf("%s: got status %d and %d errors, want 200 and one: %s", r.field, a.Status, len(a.Errors), a.Raw)
		}
	}
	return short, a
}

// matrixStage is a team and the things in it that rows act on.
type matrixStage struct {
	owner, addressee *testkit.Person
	things           map[string]string
	everything       []string // the keys of the catalogue
}

func (m *matrixStage) thing(name string) string {
	switch name { // for every cell its own: it can be deleted once
	case "newGroup":
		return newGroup(m.owner, "To be deleted")
	case "newSession":
		return newSession(m.owner)
	default:
		return m.things[name]
	}
}

// newMatrixStage fills the owner's team. The addressee holds the role.
func newMatrixStage(owner *testkit.Person, role string) *matrixStage {
	things := map[string]string{
		"team": owner.TeamID, "account": owner.AccountID(), "start": eventCursor(owner),
		"owner": owner.MemberID(owner.Email), "role": newRole(owner, "r"+owner.TeamID[len("team_"):]),
	}
	things["group"] = newGroup(owner, "Crew", things["role"])
	things["key"] = createKey(owner.Client, things["account"], []string{"team.read"}).OK().Text("createApiKey.apiKey.id")
	owner.Mutate("revokeApiKey", "", "apiKeyId", things["key"]).OK()
	division := func(more ...any) string {
		return owner.Mutate("createDivision", "division { id }", append([]any{"accountId", things["account"], "name", "North"}, more...)...).OK().Text("createDivision.division.id")
	}
	things["division"] = division()
	division("parentId", things["division"])
	things["revoked"] = owner.Invite("gone@x.org", role).OK().Text("inviteUser.invitation.id")
	revoke(owner, things["revoked"]).OK()
	things["colleague"] = owner.MemberID(owner.JoinWith("colleague."+things["team"]+"@x.org", "permissions", []string{"team.read"}).Email)
	owner.Mutate("deactivateMember", "", "memberId", things["colleague"]).OK()
	things["south"] = division("name", "South")
	things["admin"] = owner.MemberID(owner.JoinWith("admin."+things["team"]+"@x.org", "allPermissions", true, "divisionIds", []string{things["south"]}).Email)
	owner.Mutate("deactivateMember", "", "memberId", things["admin"]).OK()
	things["above"] = owner.Do(testkit.InviteMutation, testkit.Input("teamId", owner.TeamID, "email", "above@x.org", "allPermissions", true)).OK().Text("inviteUser.invitation.id")
	m := &matrixStage{owner: owner, addressee: owner.Join("addressee."+things["team"]+"@x.org", role), things: things}
	things["accepted"] = owner.Ask(fmt.Sprintf(`invitations(filter: {search: %q}) { nodes { id } }`, m.addressee.Email)).OK().Text("team.invitations.nodes.0.id")
	things["declined"] = owner.Mutate("requestOwnershipTransfer", "transfer { id }", "memberId", owner.MemberID(m.addressee.Email)).OK().Text("requestOwnershipTransfer.transfer.id")
	m.addressee.Mutate("declineOwnershipTransfer", "", "transferId", things["declined"]).OK()
	return m
}

// state is all that a row could have changed, but groups that come and go.
func (m *matrixStage) state() string {
	return m.owner.Ask(`name account { name settings { invitationTtlHours } teams { nodes { id } } roles { nodes { id version } } divisions { nodes { id version } } }
		owner { id } pendingOwnershipTransfer { id } members(first: 100) { nodes { id status version effectivePermissions } }
		invitations(first: 100) { nodes { id status note sendCount } }`).OK().Raw
}

// matrixColumns are one member for every role of the preset, the addressee, the
// owner, a stranger and nobody.
func matrixColumns(w *testkit.World, m *matrixStage, preset access.Preset) []matrixColumn {
	columns := make([]matrixColumn, len(preset.Roles), len(preset.Roles)+4)
	for i, r := range preset.Roles {
		columns[i] = matrixColumn{Person: m.owner.Join(r.Key+"@acme.test", r.Key), name: r.Key, holds: access.NewSet(r.Permissions...)}
	}
	return append(columns,
		matrixColumn{Person: m.addressee, name: "the addressee", addressee: true, holds: columns[len(columns)-1].holds},
		matrixColumn{Person: m.owner, name: "the owner", owner: true, holds: access.NewSet(m.everything...)},
		matrixColumn{Person: w.SignUp("mallory@evil.test"), name: "a stranger"},
		matrixColumn{Person: &testkit.Person{Client: w.Anonymous()}, name: "nobody"})
}

// keyColumn is an API key of the account, or of a foreign one if holds is nil.
func keyColumn(w *testkit.World, of *testkit.Person, name string, holds access.Set) matrixColumn {
	permissions := holds.Keys()
	if holds == nil {
		permissions = []string{"team.read"}
	}
	k := newKey(w, of, permissions)
	return matrixColumn{Person: &testkit.Person{Client: k.Client, Email: "none", TeamID: of.TeamID}, name: name, holds: holds, key: true}
}

func TestPermissionMatrix(t *testing.T) {
	t.Parallel()
	catalogue := matrixCatalogue(t)
	for _, key := range catalogue.PresetKeys() {
		t.Run(key, func(t *testing.T) {
			t.Parallel()
			preset, err := catalogue.Preset(key)
			if err != nil {
				t.Fatal(err)
			}
			testdb.Each(t, func(t *testing.T, address string) {
				t.Helper()
				w := testkit.New(t, address, testkit.Preset(key))
				m := newMatrixStage(w.SignUp("olivia@acme.test"), preset.Roles[len(preset.Roles)-1].Key)
				m.everything = catalogue.All().Keys()
				columns := matrixColumns(w, m, preset)
				matrixStories(t, m, key, columns)
				for _, r := range preset.Roles {
					columns = append(columns, keyColumn(w, m.owner, "a key that holds what "+r.Key+" does", access.NewSet(r.Permissions...)))
				}
				columns = append(columns,
					keyColumn(w, m.owner, "a key that holds everything", catalogue.All()),
					keyColumn(w, w.SignUp("trudy@evil.test"), "a stranger's key", nil))
				for i := range columns {
					columns[i].full = columns[i].holds.Covers(catalogue.All())
				}
				before := m.state()
				matrixCells(t, m, columns, func(r matrixRow) bool { return !r.last })
				equal(t, "what is there after all that was tried", m.state(), before)
				matrixCells(t, m, columns, func(r matrixRow) bool { return r.last })
			})
		})
	}
}

// TestEveryRightIsItsOwn has a member who holds one right only, and
// somebody who lacks nothing but it, for each: the presets' roles hold many at
// once.
func TestEveryRightIsItsOwn(t *testing.T) {
	t.Parallel()
	everything := matrixCatalogue(t).All().Keys()
	each(t, func(t *testing.T, w *testkit.World) {
		m := newMatrixStage(w.SignUp("olivia@acme.test"), "billing")
		var columns []matrixColumn
		join := func(name string, holds []string) {
			p := m.owner.JoinWith("p"+itoa(len(columns))+"@acme.test", "permissions", holds)
			columns = append(columns, matrixColumn{Person: p, name: name, holds: access.NewSet(holds...), full: len(holds) == len(everything)})
			k := keyColumn(w, m.owner, "a key instead of "+name, access.NewSet(holds...))
			k.full = len(holds) == len(everything)
			columns = append(columns, k)
		}
		decides := map[string]bool{}
		for _, r := range matrixRows() {
			if r.needs != "" && !decides[r.needs] {
				decides[r.needs] = true
				join("a member with "+r.needs+" alone", []string{r.needs})
				join("who lacks "+r.needs+" alone", slices.DeleteFunc(slices.Clone(everything), func(k string) bool { return k == r.needs }))
			}
		}
		matrixCells(t, m, columns, func(r matrixRow) bool { return !r.last })
	})
}

// matrixCells tries the picked rows, each by everybody.
func matrixCells(t *testing.T, m *matrixStage, columns []matrixColumn, pick func(matrixRow) bool) {
	t.Helper()
	for _, r := range matrixRows() {
		if !pick(r) {
			continue
		}
		t.Run(strings.TrimSuffix(r.field+" of "+r.of, " of "), func(t *testing.T) {
			for _, c := range columns {
				want := r.want(c)
				if want == matrixGone {
					continue
				}
				if got, a := r.try(t, m, c.Client); got != want {
					t.Errorf("by %s: got %q, want %q: %s", c.name, got, want, a.Raw)
				}
			}
		})
	}
}

// matrixStories are what products of each kind promise of their roles.
func matrixStories(t *testing.T, m *matrixStage, preset string, columns []matrixColumn) {
	t.Helper()
	by := func(name string) matrixColumn {
		return columns[slices.IndexFunc(columns, func(c matrixColumn) bool { return c.name == name })]
	}
	// refused tries every mutation that needs one of the permissions.
	refused := func(t *testing.T, permissions, name string) {
		t.Helper()
		for _, r := range matrixRows() {
			if !strings.HasPrefix(r.field, "Mutation.") || !regexp.MustCompile(permissions).MatchString(r.needs) {
				continue
			}
			if got, a := r.try(t, m, by(name).Client); got != "FORBIDDEN" && got != "NOT_FOUND" {
				t.Errorf("%s of %s by %s: got %q, want a refusal: %s", r.field, r.of, name, got, a.Raw)
			}
		}
	}
	const ofUsers, ofAccount = `^(members|roles)\.`, `^(account\.|team\.(create|delete)$)`
	switch preset {
	case "teams":
		t.Run("BEY-22 DC-13 the matrix of roles and permissions is one query", func(t *testing.T) {
			a := m.owner.Do(`query($id: ID!) { team(id: $id) { account { roles { nodes { key permissions } } } } permissions { key permissions { key name } } }`,
				map[string]any{"id": m.owner.TeamID}).OK()
			for _, c := range columns[:len(columns)-4] {
				i := slices.Index(a.List("team.account.roles.nodes", "key"), c.name)
				equal(t, "what "+c.name+" holds", a.Text(fmt.Sprintf("team.account.roles.nodes.%d.permissions", i)), fmt.Sprint(c.holds.Keys()))
			}
			var keys []string
			for i := range a.List("permissions", "key") {
				keys = append(keys, a.List(fmt.Sprintf("permissions.%d.permissions", i), "key")...)
			}
			equalList(t, "the catalogue", slices.Sorted(slices.Values(keys)), m.everything...)
		})
	case "departments":
		t.Run("DC-3 a role without the management of users is refused by the server", func(t *testing.T) {
			for _, name := range []string{"finance_manager", "standard_user", "viewer", "limited_user"} {
				refused(t, ofUsers, name)
			}
		})
		t.Run("DC-11 the viewer only reads: every mutation that needs a right is refused", func(t *testing.T) { refused(t, ".", "viewer") })
	case "portal":
		t.Run("CP-2 the admin adds, deactivates and removes users, and nobody else does", func(t *testing.T) {
			refused(t, ofUsers, "user")
			admin := by("admin")
			id := admin.MemberID(admin.Join("new@acme.test", "user").Email)
			for _, mutation := range []string{"deactivateMember", "reactivateMember", "removeMember"} {
				admin.Mutate(mutation, "", "memberId", id).OK()
			}
		})
		t.Run("CP-6 the user never reaches pricing, payment and the management of users; the admin does", func(t *testing.T) {
			refused(t, ofUsers, "user")
			for _, key := range m.everything {
				if regexp.MustCompile(`^(pricing|billing|members|roles)\.`).MatchString(key) {
					equal(t, "the user may "+key, may(by("user").Person, key), false)
					equal(t, "the admin may "+key, may(by("admin").Person, key), true)
				}
			}
		})
	case "holder":
		t.Run("GR-3 GR-4 additional users manage neither users nor the account", func(t *testing.T) {
			refused(t, ofUsers, "full")
			refused(t, ofAccount, "full")
		})
	}
}

func matrixCatalogue(t *testing.T) *access.Catalogue {
	t.Helper()
	c, err := access.NewCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// matrixFields returns the fields that must have a row, with the permission
// their description names: mutations, subscriptions, and whatever needs a right.
func matrixFields() map[string]string {
	needs, likewise := regexp.MustCompile("Needs `([a-z.]+)`"), regexp.MustCompile(`Needs the same as ([a-zA-Z]+)`)
	fields := map[string]string{}
	for _, def := range graph.Schema().Types {
		if def.Kind != ast.Object || def.BuiltIn {
			continue
		}
		for _, f := range def.Fields {
			says := f.Description
			if like := likewise.FindStringSubmatch(says); like != nil {
				says = def.Fields.ForName(like[1]).Description
			}
			permission := append(needs.FindStringSubmatch(says), "", "")[1]
			if permission != "" || strings.Contains(says, "Needs ") || def.Name == "Mutation" || def.Name == "Subscription" {
				fields[def.Name+"."+f.Name] = permission
			}
		}
	}
	return fields
}

func TestEveryFieldThatNeedsARightHasARow(t *testing.T) {
	t.Parallel()
	fields, rows := matrixFields(), map[string]bool{}
	for _, r := range matrixRows() {
		rows[r.field] = true
		if permission, there := fields[r.field]; !there {
			t.Errorf("%s has a row, and is no field that needs one", r.field)
		} else if permission != r.needs {
			t.Errorf("%s needs %q by its row, %q by its description", r.field, r.needs, permission)
		}
	}
	for field := range fields {
		if !rows[field] {
			t.Errorf("%s has no row in the matrix", field)
		}
	}
	if len(fields) < 45 {
		t.Errorf("%d fields need a row, want more: are they found?", len(fields))
	}
}
