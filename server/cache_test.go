package server_test

import (
	"strings"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/graph"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/roster"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/internal/uid"
)

// cacheStage is a world in which people keep lists open while others change things.
type cacheStage struct {
	t       *testing.T
	w       *testkit.World
	clients []*cachingClient

	owner, admin, limited, ann, mona, mike *testkit.Person
	key                                    *testkit.Client // of an API key
	account                                string
	ids                                    map[string]string // of things, by their names in the story
}

// do sends a mutation that must succeed.
func (s *cacheStage) do(p *testkit.Person, mutation, selection string, pairs ...any) *testkit.Answer {
	s.t.Helper()
	return p.Mutate(mutation, selection, pairs...).OK()
}

// invite invites an address without a mail, and returns the id and the token.
func (s *cacheStage) invite(email string, grant ...any) (id, secret string) {
	s.t.Helper()
	a := s.do(s.owner, "inviteUser", "invitation { id } inviteUrl",
		append([]any{"teamId", s.owner.TeamID, "email", email, "sendEmail", false}, grant...)...)
	return a.Text("inviteUser.invitation.id"), tokenOf(s.t, a.Text("inviteUser.inviteUrl"))
}

func (s *cacheStage) list(names ...string) []string {
	ids := make([]string, len(names))
	for i, name := range names {
		ids[i] = s.ids[name]
	}
	return ids
}

func newCacheStage(t *testing.T, w *testkit.World) *cacheStage {
	t.Helper()
	s := &cacheStage{t: t, w: w, owner: w.SignUp("olivia@acme.test"), ann: w.SignUp("ann@x.org"), ids: map[string]string{}}
	s.account = s.owner.AccountID()
	for _, key := range []string{"pilot", "copilot", "spare"} {
		s.ids[key] = newRole(s.owner, key, "team.read")
	}
	s.ids["crew"], s.ids["staff"] = newGroup(s.owner, "Crew", s.ids["pilot"]), newGroup(s.owner, "Staff")
	s.ids["north"], s.ids["south"] = newDivision(s.owner, "North", ""), newDivision(s.owner, "South", "")
	s.ids["harbour"] = newDivision(s.owner, "Harbour", s.ids["north"])
	s.admin = s.owner.Join("adam@acme.test", "account_admin")
	grant := []any{"roleIds", s.list("pilot"), "groupIds", s.list("crew"), "divisionIds", s.list("north")}
	s.limited, s.mona = s.owner.JoinWith("liam@acme.test", grant...), s.owner.JoinWith("mona@acme.test", grant...)
	s.mike = s.owner.Join("mike@acme.test", "viewer")
	for _, p := range []*testkit.Person{s.admin, s.limited, s.mona, s.mike} {
		s.owner.Delivered(p.Email)
		s.ids[p.Email] = s.owner.MemberID(p.Email)
	}
	s.ids["ann's"], _ = s.invite("ann@x.org", grant...)
	s.ids["open"], _ = s.invite("open@x.org", grant...)
	s.clients = []*cachingClient{
		{Person: s.owner, name: "the owner, by one stream", own: true, one: true, list: listOfTeam},
		{Person: s.owner, name: "the owner, by three", own: true, list: listOfTeam},
		{Person: s.admin, name: "an admin", list: listOfTeam}, // the next one shares results with them
		{Person: s.mike, name: "a viewer", list: listOfTeam},
		{Person: s.mike, name: "a viewer, by one stream", one: true, list: listOfTeam},
		{Person: s.limited, name: "a member without rights", own: true, list: listOfLittle},
		{Person: s.ann, name: "the addressee", own: true, list: listOfReceived},
	}
	for _, c := range s.clients {
		c.t, c.account = t, s.account
		c.open()
	}
	return s
}

// check compares each cache with a fresh one, once everything up to now has arrived. The
// markers are events about things that nobody has.
func (s *cacheStage) check(t *testing.T) {
	t.Helper()
	role, invitation := uid.New(uid.Role), uid.New(uid.Invitation)
	err := s.w.Server.Store.InAccount(t.Context(), s.account, func(tx *store.Tx) error {
		return s.w.Server.Auth.Events.Append(t.Context(), tx, s.account,
			event.Draft{Type: event.RoleDeleted, SubjectID: role},
			event.Draft{
				Type: event.InvitationRevoked, TeamID: "team_none", SubjectID: invitation,
				Data: map[string]string{event.Addressee: event.Addressed(s.ann.Email)},
			})
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range s.clients {
		c.until(role, c.members, c.invitations, c.team)
		c.until(invitation, c.received)
		fresh := c.settle()
		c.cache.findPeople()
		for _, d := range c.cache.differences(fresh) {
			t.Errorf("%s: %s", c.name, d)
		}
		c.cache = fresh // so that the next row is blamed for its own differences only
	}
}

// cacheRow is a mutation, or something that happens by itself.
type cacheRow struct {
	mutation string // empty for what happens by itself
	what     string
	do       func(s *cacheStage)
}

func cacheRows() []cacheRow {
	return append(append(cacheRowsOfPeople(), cacheRowsOfAccounts()...), cacheRowsOfUsers()...)
}

func cacheRowsOfPeople() []cacheRow {
	return []cacheRow{
		{"inviteUser", "a new address", func(s *cacheStage) {
			s.ids["bob's"], s.ids["bob's token"] = s.invite("bob@x.org", "roleIds", s.list("pilot"))
		}},
		{"inviteUsers", "two addresses, and one that is invited", func(s *cacheStage) {
			s.do(s.owner, "inviteUsers", "results { outcome }", "teamId", s.owner.TeamID, "emails", []string{"c@x.org", "d@x.org", "bob@x.org"}, "groupIds", s.list("crew"))
			s.owner.Delivered("c@x.org")
			s.owner.Delivered("d@x.org")
		}},
		{"updateInvite", "the note and the grant", func(s *cacheStage) {
			s.do(s.owner, "updateInvite", "", "invitationId", s.ids["ann's"], "note", "Soon", "roleIds", s.list("pilot", "copilot"))
		}},
		{"resendInvite", "an open invitation", func(s *cacheStage) {
			s.do(s.admin, "resendInvite", "", "invitationId", s.ids["ann's"], "sendEmail", false)
		}},
		{"acceptInvite", "a newcomer by the mail's link", func(s *cacheStage) { s.owner.Join("new@x.org", "billing"); s.owner.Delivered("new@x.org") }},
		{"declineInvite", "the addressee's own", func(s *cacheStage) { s.do(s.ann, "declineInvite", "", "id", s.ids["ann's"]) }},
		{"blockInvitations", "by who has declined", func(s *cacheStage) {
			s.ids["block"] = s.do(s.ann, "blockInvitations", "block { id }", "id", s.ids["ann's"]).Text("blockInvitations.block.id")
		}},
		{"unblockInvitations", "", func(s *cacheStage) { s.do(s.ann, "unblockInvitations", "", "blockId", s.ids["block"]) }},
		{"inviteUser", "an address that has declined, and has changed its mind", func(s *cacheStage) {
			s.ids["ann's"], _ = s.invite("ann@x.org", "groupIds", s.list("crew"), "divisionIds", s.list("north"))
		}},
		{"revokeInvite", "an open invitation", func(s *cacheStage) { s.do(s.owner, "revokeInvite", "", "invitationId", s.ids["ann's"]) }},
		{"inviteUser", "an address once more", func(s *cacheStage) {
			s.ids["ann's"], _ = s.invite("ann@x.org", "roleIds", s.list("spare"), "groupIds", s.list("crew"), "divisionIds", s.list("north"))
		}},
		{"updateProfile", "of the owner, who has sent invitations", func(s *cacheStage) { s.do(s.owner, "updateProfile", "", "firstName", "Olivia", "jobTitle", "CEO") }},
		{"setRoles", "of a member", func(s *cacheStage) {
			s.do(s.owner, "setRoles", "", "memberId", s.ids["mona@acme.test"], "roleIds", s.list("copilot"), "groupIds", s.list("crew"), "permissions", []string{"billing.read"})
		}},
		{"setRoles", "with the same permissions", func(s *cacheStage) {
			s.do(s.owner, "setRoles", "", "memberId", s.ids["liam@acme.test"], "roleIds", s.list("copilot"), "groupIds", s.list("crew"))
		}},
		{"setRestrictions", "to another division and a domain", func(s *cacheStage) {
			s.do(s.owner, "setRestrictions", "", "memberId", s.ids["mona@acme.test"], "divisionIds", s.list("south"), "allowedDomains", []string{"acme.test"})
		}},
		{"deactivateMember", "", func(s *cacheStage) { s.do(s.admin, "deactivateMember", "", "memberId", s.ids["mona@acme.test"]) }},
		{"reactivateMember", "", func(s *cacheStage) {
			s.do(s.admin, "reactivateMember", "", "memberId", s.ids["mona@acme.test"])
			s.mona = s.w.SignIn(s.mona.Email).In(s.owner.TeamID)
		}},
		{"requestOwnershipTransfer", "", func(s *cacheStage) {
			s.ids["offer"] = s.do(s.owner, "requestOwnershipTransfer", "transfer { id }", "memberId", s.ids["adam@acme.test"]).Text("requestOwnershipTransfer.transfer.id")
		}},
		{"cancelOwnershipTransfer", "", func(s *cacheStage) { s.do(s.owner, "cancelOwnershipTransfer", "", "transferId", s.ids["offer"]) }},
		{"declineOwnershipTransfer", "", func(s *cacheStage) {
			s.offer("adam@acme.test")
			s.do(s.admin, "declineOwnershipTransfer", "", "transferId", s.ids["offer"])
		}},
		{"acceptOwnershipTransfer", "", func(s *cacheStage) {
			s.offer("adam@acme.test")
			s.do(s.admin, "acceptOwnershipTransfer", "", "transferId", s.ids["offer"])
		}},
		{"acceptOwnershipTransfer", "back to the first owner", func(s *cacheStage) {
			back := s.do(s.admin, "requestOwnershipTransfer", "transfer { id }", "memberId", s.owner.MemberID(s.owner.Email)).Text("requestOwnershipTransfer.transfer.id")
			s.do(s.owner, "acceptOwnershipTransfer", "", "transferId", back)
		}},
		{"removeMember", "to whom the ownership is offered, who has sent an invitation", func(s *cacheStage) {
			s.do(s.owner, "setRoles", "", "memberId", s.ids["mona@acme.test"], "roleIds", []string{s.owner.Role("account_admin")})
			s.do(s.owner, "setRestrictions", "", "memberId", s.ids["mona@acme.test"], "divisionIds", []string{}, "allowedDomains", []string{})
			s.mona.Invite("by.mona@x.org", "viewer", "sendEmail", false).OK()
			s.offer("mona@acme.test")
			s.do(s.owner, "removeMember", "", "memberId", s.ids["mona@acme.test"])
		}},
		{"setRolesOfMembers", "of two", func(s *cacheStage) {
			for _, email := range []string{"max@acme.test", "mia@acme.test"} {
				s.owner.Join(email, "billing")
				s.owner.Delivered(email)
				s.ids[email] = s.owner.MemberID(email)
			}
			s.check(s.t)
			s.do(s.owner, "setRolesOfMembers", "results { outcome }", "teamId", s.owner.TeamID, "items", []map[string]any{
				{"memberId": s.ids["max@acme.test"], "roleIds": s.list("pilot"), "groupIds": s.list("crew")},
				{"memberId": s.ids["mia@acme.test"], "permissions": []string{"orders.read"}},
			})
		}},
		{"removeMembers", "two", func(s *cacheStage) {
			s.do(s.admin, "removeMembers", "results { outcome }", "teamId", s.owner.TeamID, "memberIds", s.list("max@acme.test", "mia@acme.test"))
		}},
		{"resendInvites", "the addressee's and another one", func(s *cacheStage) {
			s.w.Clock.Advance(2 * time.Minute) // past the cooldown of the last resend
			s.do(s.owner, "resendInvites", "results { outcome }", "teamId", s.owner.TeamID, "invitationIds", s.list("ann's", "open"))
			s.owner.Delivered("ann@x.org")
			s.owner.Delivered("open@x.org")
		}},
		{"revokeInvites", "two", func(s *cacheStage) {
			first, _ := s.invite("one@x.org", "roleIds", s.list("pilot"))
			second, _ := s.invite("two@x.org", "roleIds", s.list("pilot"))
			s.do(s.owner, "revokeInvites", "results { outcome }", "teamId", s.owner.TeamID, "invitationIds", []string{first, second, s.ids["bob's"]})
		}},
		{"leaveTeam", "", func(s *cacheStage) {
			nora := s.owner.Join("nora@x.org", "billing")
			s.owner.Delivered("nora@x.org")
			s.do(nora, "leaveTeam", "", "teamId", s.owner.TeamID)
		}},
	}
}

// offer offers the ownership to a member.
func (s *cacheStage) offer(email string) {
	s.t.Helper()
	s.ids["offer"] = s.do(s.owner, "requestOwnershipTransfer", "transfer { id }", "memberId", s.ids[email]).Text("requestOwnershipTransfer.transfer.id")
}

func cacheRowsOfAccounts() []cacheRow {
	return []cacheRow{
		{"createRole", "", func(s *cacheStage) { s.ids["fresh"] = newRole(s.admin, "fresh", "team.read") }},
		{"updateRole", "the name", func(s *cacheStage) { s.do(s.admin, "updateRole", "", "roleId", s.ids["pilot"], "name", "Captain") }},
		{"updateRole", "of an offer, the name", func(s *cacheStage) { s.do(s.admin, "updateRole", "", "roleId", s.ids["spare"], "name", "Spare") }},
		{"updateRole", "the permissions", func(s *cacheStage) {
			s.do(s.admin, "updateRole", "", "roleId", s.ids["copilot"], "permissions", []string{"team.read", "billing.read"})
		}},
		{"updateRole", "the permissions that a group gives", func(s *cacheStage) {
			s.do(s.admin, "updateRole", "", "roleId", s.ids["pilot"], "permissions", []string{"team.read", "orders.read"})
		}},
		{"deleteRole", "that nobody has", func(s *cacheStage) { s.do(s.admin, "deleteRole", "", "roleId", s.ids["fresh"]) }},
		{"deleteRole", "that another one replaces", func(s *cacheStage) {
			s.do(s.admin, "deleteRole", "", "roleId", s.ids["copilot"], "reassignTo", s.ids["pilot"])
		}},
		{"deleteRole", "of an offer, that another one replaces", func(s *cacheStage) {
			s.do(s.admin, "deleteRole", "", "roleId", s.ids["spare"], "reassignTo", s.ids["pilot"])
		}},
		{"createGroup", "", func(s *cacheStage) { s.ids["night"] = newGroup(s.admin, "Night", s.ids["pilot"]) }},
		{"updateGroup", "the name", func(s *cacheStage) { s.do(s.admin, "updateGroup", "", "groupId", s.ids["crew"], "name", "The crew") }},
		{"updateGroup", "the roles", func(s *cacheStage) {
			s.do(s.admin, "updateGroup", "", "groupId", s.ids["crew"], "roleIds", []string{s.owner.Role("installer")})
		}},
		{"deleteGroup", "that members and invitations have", func(s *cacheStage) {
			for _, email := range []string{"c@x.org", "d@x.org"} { // they are offered nothing else
				a := s.owner.Ask(`invitations(filter: {search: "` + email + `"}) { nodes { id } }`).OK()
				s.do(s.owner, "updateInvite", "", "invitationId", a.Text("team.invitations.nodes.0.id"), "groupIds", s.list("crew", "staff"))
			}
			s.do(s.admin, "deleteGroup", "", "groupId", s.ids["crew"])
		}},
		{"createApiKey", "", func(s *cacheStage) {
			made := createKey(s.owner.Client, s.account, []string{"members.invite", "team.read"}).OK()
			s.ids["key"] = made.Text("createApiKey.apiKey.id")
			s.key = s.w.WithToken(made.Text("createApiKey.secret"))
		}},
		{"inviteUser", "by a key", func(s *cacheStage) {
			s.key.Do(testkit.InviteMutation, testkit.Input("teamId", s.owner.TeamID, "email", "keyed@x.org", "permissions", []string{"team.read"}, "sendEmail", false)).OK()
		}},
		{"updateApiKey", "the name of one that has invited", func(s *cacheStage) {
			s.do(s.owner, "updateApiKey", "", "apiKeyId", s.ids["key"], "name", "Platform")
		}},
		{"revokeApiKey", "", func(s *cacheStage) { s.do(s.owner, "revokeApiKey", "", "apiKeyId", s.ids["key"]) }},
		{"createDivision", "below another one", func(s *cacheStage) { s.ids["pier"] = newDivision(s.admin, "Pier", s.ids["harbour"]) }},
		{"updateDivision", "the name", func(s *cacheStage) {
			s.do(s.admin, "updateDivision", "", "divisionId", s.ids["north"], "name", "Far north")
		}},
		{"updateDivision", "the place in the tree", func(s *cacheStage) {
			s.do(s.admin, "updateDivision", "", "divisionId", s.ids["harbour"], "parentId", s.ids["south"])
		}},
		{"deleteDivision", "", func(s *cacheStage) { s.do(s.admin, "deleteDivision", "", "divisionId", s.ids["pier"]) }},
		{"updateTeam", "the name", func(s *cacheStage) { s.do(s.admin, "updateTeam", "", "teamId", s.owner.TeamID, "name", "The A team") }},
		{"updateAccount", "the name and how seats are counted", func(s *cacheStage) {
			s.do(s.admin, "updateAccount", "", "accountId", s.account, "name", "Acme", "countPendingAsSeats", true, "invitationTtlHours", 48)
		}},
		{"createTeam", "by another member", func(s *cacheStage) {
			s.ids["second"] = newTeam(s.admin, "Second").Text("createTeam.team.id")
		}},
		{"setActiveTeam", "", func(s *cacheStage) { s.do(s.admin, "setActiveTeam", "", "teamId", s.ids["second"]) }},
		{"deleteTeam", "with an open invitation, which people look at", func(s *cacheStage) {
			there := s.admin.In(s.ids["second"])
			there.Invite("ann@x.org", "viewer", "sendEmail", false).OK()
			s.check(s.t) // the addressee has it
			streams := []*testkit.Stream{
				there.Subscribe(watch, map[string]any{"team": there.TeamID}), there.Subscribe(watchMembers, map[string]any{"team": there.TeamID}),
				there.Subscribe(document(watchOfLittle, true), map[string]any{"team": there.TeamID}),
			}
			waiting := s.w.Server.Streams
			before := 0
			for _, c := range s.clients {
				for _, stream := range []*testkit.Stream{c.members, c.invitations, c.team, c.received, c.rights} {
					if stream != nil {
						before++
					}
				}
			}
			testkit.Eventually(s.t, func() bool { return waiting() == before+len(streams) })
			s.do(there, "deleteTeam", "", "teamId", there.TeamID)
			for _, stream := range streams {
				endsWith(s.t, stream, "NOT_FOUND")
			}
		}},
		{"", "the operator changes a limit, suspends the account and resumes it", func(s *cacheStage) {
			most := 40
			for _, err := range []error{
				s.w.Server.Roster.SetLimits(s.t.Context(), s.account, roster.Limits{MaxMembersPerTeam: &roster.Limit{Most: &most}}),
				s.w.Server.Roster.Suspend(s.t.Context(), s.account),
			} {
				if err != nil {
					s.t.Fatal(err)
				}
			}
			s.check(s.t)
			if err := s.w.Server.Roster.Resume(s.t.Context(), s.account); err != nil {
				s.t.Fatal(err)
			}
		}},
		{"", "invitations and a transfer expire", func(s *cacheStage) {
			s.offer("adam@acme.test")
			s.w.Clock.Advance(8 * 24 * time.Hour)
			for _, err := range []error{s.w.Server.Invites.Sweep(s.t.Context()), s.w.Server.Roster.ExpireTransfers(s.t.Context())} {
				if err != nil {
					s.t.Fatal(err)
				}
			}
		}},
		{"resendInvite", "an expired invitation", func(s *cacheStage) {
			s.do(s.owner, "resendInvite", "", "invitationId", s.ids["ann's"], "sendEmail", false)
		}},
		{"inviteUser", "an address whose invitation has expired", func(s *cacheStage) {
			s.ids["bob's"], s.ids["bob's token"] = s.invite("bob@x.org", "roleIds", s.list("pilot"))
		}},
		{"acceptInvite", "the addressee's own", func(s *cacheStage) {
			s.do(s.ann, "acceptInvite", "member { id }", "id", s.ids["ann's"])
		}},
	}
}

func cacheRowsOfUsers() []cacheRow {
	return []cacheRow{
		{"eraseMe", "of a member who was an inviter", func(s *cacheStage) {
			erin := s.owner.Join("erin@x.org", "account_admin")
			erin.Invite("friend.of.erin@x.org", "billing").OK()
			s.owner.Delivered("erin@x.org")
			s.owner.Delivered("friend.of.erin@x.org")
			s.check(s.t)
			s.do(erin, "eraseMe", "", "password", testkit.Password)
		}},
		{"updateProfile", "of a member", func(s *cacheStage) { s.do(s.limited, "updateProfile", "", "lastName", "Little") }},
		{"signIn", "", func(s *cacheStage) { s.w.SignIn(s.limited.Email) }},
		{"signOut", "of another session", func(s *cacheStage) {
			s.w.SignIn(s.limited.Email).Do(`mutation { signOut { userErrors { code } } }`, nil).OK()
		}},
		{"revokeSession", "another one of one's own", func(s *cacheStage) { s.do(s.limited, "revokeSession", "", "sessionId", newSession(s.limited)) }},
		{"changeEmail", "of a member", func(s *cacheStage) {
			s.do(s.limited, "changeEmail", "", "newEmail", "tom@x.org", "password", testkit.Password)
		}},
		{"cancelEmailChange", "of a member", func(s *cacheStage) { s.do(s.limited, "cancelEmailChange", "") }},
		{"confirmEmailChange", "by both addresses of a member", func(s *cacheStage) {
			old, next := changeTokens(s.t, s.limited, s.w, "aaron@x.org")
			confirmEmail(s.w.Anonymous(), old).OK()
			confirmEmail(s.w.Anonymous(), next).OK()
			s.limited.Email = "aaron@x.org"
		}},
		{"changePassword", "of somebody who looks", func(s *cacheStage) {
			s.do(s.limited, "changePassword", "", "currentPassword", testkit.Password, "newPassword", newPassword)
		}},
		{"signUp", "of somebody else", func(s *cacheStage) { signUp(s.w, "zoe@z.org", testkit.Password).OK() }},
		{"resendVerification", "", func(s *cacheStage) {
			s.w.Anonymous().Mutate("resendVerification", "", "email", "zoe@z.org", "password", testkit.Password).OK()
		}},
		{"verifyEmail", "", func(s *cacheStage) { verify(s.w, testkit.Token(s.t, s.w.Mail.Wait(s.t, "zoe@z.org", 1))) }},
		{"requestPasswordReset", "", func(s *cacheStage) { s.ids["reset"] = resetToken(s.t, s.w, "zoe@z.org") }},
		{"resetPassword", "", func(s *cacheStage) { resetPassword(s.w.Anonymous(), s.ids["reset"], newPassword).OK() }},
		{"signInWithIdToken", "on a server without a provider", func(s *cacheStage) {
			s.w.Anonymous().Mutate("signInWithIdToken", "", "idToken", "x").Refused("FEATURE_NOT_AVAILABLE")
		}},
	}
}

func TestCachesHoldWhatAFreshQueryReturns(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		s := newCacheStage(t, w)
		for _, row := range cacheRows() {
			what := strings.TrimSpace(row.mutation + " " + row.what)
			t.Run("FE-14 every open list sees "+what, func(t *testing.T) {
				s.t = t
				for _, c := range s.clients {
					c.t = t
				}
				row.do(s)
				s.check(t)
			})
		}
	})
}

func TestEveryMutationIsTriedOnCaches(t *testing.T) {
	t.Parallel()
	tried := map[string]bool{}
	for _, row := range cacheRows() {
		tried[row.mutation] = true
	}
	for _, f := range graph.Schema().Mutation.Fields {
		if !tried[f.Name] {
			t.Errorf("no row changes something by %s while others look, want one", f.Name)
		}
	}
}
