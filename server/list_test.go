package server_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/testkit"
)

// these returns a list of p's team with these arguments, each element by what
// stands at the path in it.
func these(p *testkit.Person, list, arguments, path string) []string {
	if arguments != "" {
		arguments = "(" + arguments + ")"
	}
	return p.Ask(list+arguments+` { nodes { `+selectionOf(path)+` } }`).OK().List("team."+list+".nodes", path)
}

// selectionOf returns the selection for a path: a { b } for a.b.
func selectionOf(path string) string {
	steps := strings.Split(path, ".")
	return strings.Join(steps, " { ") + strings.Repeat(" }", len(steps)-1)
}

// listPage is one page of a list, as a test walks it.
type listPage struct {
	found      []string
	start, end string
	more, less string // whether there is a page after it, and before it
}

func pageOf(p *testkit.Person, list, arguments, path string) listPage {
	a := p.Ask(fmt.Sprintf(`%s(%s) { edges { cursor } nodes { %s } pageInfo { startCursor endCursor hasNextPage hasPreviousPage } }`,
		list, arguments, selectionOf(path))).OK()
	at := "team." + list + "."
	return listPage{
		found: a.List(at+"nodes", path), start: a.Text(at + "pageInfo.startCursor"), end: a.Text(at + "pageInfo.endCursor"),
		more: a.Text(at + "pageInfo.hasNextPage"), less: a.Text(at + "pageInfo.hasPreviousPage"),
	}
}

// walk reads a list by pages of three, from its beginning or from its end.
func walk(t *testing.T, p *testkit.Person, list, arguments, path string, backward bool) (found []string) {
	t.Helper()
	size, from := "first: 3", ""
	if backward {
		size = "last: 3"
	}
	for range 20 {
		page := pageOf(p, list, strings.Join([]string{size, from, arguments}, " "), path)
		further, behind, cursor := page.more, page.less, page.end
		if backward {
			found = append(page.found, found...)
			further, behind, cursor = page.less, page.more, page.start
			from = fmt.Sprintf("before: %q", cursor)
		} else {
			found = append(found, page.found...)
			from = fmt.Sprintf("after: %q", cursor)
		}
		if len(found) > len(page.found) && behind != "true" {
			t.Errorf("%s %s: nothing is said to lie behind a page that is not the first", list, arguments)
		}
		if further != "true" {
			return found
		}
	}
	t.Errorf("%s %s: goes on without end", list, arguments)
	return found
}

// crowd fills the team of a new owner: people with names and without, seen at
// different times and never.
func crowd(t *testing.T, w *testkit.World) *testkit.Person {
	t.Helper()
	owner := w.SignUp("olivia@acme.test")
	finance := newGroup(owner, "Finance", owner.Role("billing"))
	europe := newDivision(owner, "Europe", "")
	for _, who := range [][]any{
		{"emile@x.org", "firstName", "Émile", "lastName", "Zola", "roleIds", []string{owner.Role("billing")}},
		{"zoe@y.org", "firstName", "Zoë", "lastName", "Adams", "groupIds", []string{finance}},
		{"Anna@y.org", "roleIds", []string{owner.Role("viewer")}, "divisionIds", []string{europe}},
		{"bob-brown@x.org", "firstName", "bob", "lastName", "Brown", "roleIds", []string{owner.Role("installer")}},
		{"weiss@z.org", "firstName", "Weiß", "lastName", "100%", "roleIds", []string{owner.Role("installer")}},
	} {
		w.Clock.Advance(time.Hour)
		owner.JoinWith(who[0].(string), who[1:]...)
	}
	w.Clock.Advance(time.Hour)
	fill(t, w, owner.TeamID, "never", 3)
	w.SignIn("zoe@y.org")
	return owner
}

func TestMembersAreFound(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := crowd(t, w)
		a := owner.Ask(`account { groups { nodes { id } } divisions { nodes { id } } roles { nodes { id key } } }`).OK()
		group, division := a.Text("team.account.groups.nodes.0.id"), a.Text("team.account.divisions.nodes.0.id")
		onMember(owner, "deactivateMember", owner.MemberID("weiss@z.org")).OK()
		noon := w.Clock.Now().Add(-6 * time.Hour)
		for filter, want := range map[string][]string{
			`search: "emile"`:                         {"emile@x.org"},
			`search: " ÉMILE  zo"`:                    {"emile@x.org"},
			`search: "zoe"`:                           {"zoe@y.org"},
			`search: "WEISS"`:                         {"weiss@z.org"},
			`search: "ANNA@Y"`:                        {"Anna@y.org"},
			`search: "y.org"`:                         {"zoe@y.org", "Anna@y.org"},
			`search: "%"`:                             {"weiss@z.org"},
			`search: "b_b"`:                           {},
			`search: "nobody"`:                        {},
			`status: [DEACTIVATED]`:                   {"weiss@z.org"},
			`status: [ACTIVE], search: "z.org"`:       {},
			`groupId: "` + group + `"`:                {"zoe@y.org"},
			`divisionId: "` + division + `"`:          {"Anna@y.org"},
			`groupId: "grp_none"`:                     {},
			`roleId: "` + owner.Role("billing") + `"`: {"emile@x.org", "zoe@y.org", "never0@example.org", "never1@example.org"},
			`roleId: "` + owner.Role("viewer") + `"`:  {"Anna@y.org"},
			`roleId: "` + group + `"`:                 {},
			`lastSeenBefore: "` + rfc3339(noon) + `"`: {"never0@example.org", "never1@example.org", "never2@example.org"},
			`lastSeenBefore: "` + rfc3339(noon.Add(2*time.Hour)) + `"`: {"emile@x.org", "never0@example.org", "never1@example.org", "never2@example.org"},
			`search: "@example.org", status: [ACTIVE]`:                 {"never0@example.org", "never1@example.org", "never2@example.org"},
		} {
			equalList(t, filter, these(owner, "members", "filter: {"+filter+"}", "user.email"), want...)
			n := owner.Ask(`members(filter: {` + filter + `}) { totalCount }`).OK().Text("team.members.totalCount")
			equal(t, filter+" counted", n, itoa(len(want)))
		}
		equal(t, "all, whatever the state", len(these(owner, "members", "filter: {status: []}", "id")), 9)
	})
}

func rfc3339(moment time.Time) string { return moment.UTC().Format(time.RFC3339) }

func TestListsAreOrderedAndPaged(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := crowd(t, w)
		for i, email := range []string{"d@x.org", "B@x.org", "a@x.org", "e@x.org", "c@x.org"} {
			w.Clock.Advance(time.Minute)
			owner.Invite(email, "billing", "sendEmail", false, "expiresInHours", 100-i).OK()
		}
		for _, c := range []struct {
			list, field, path string
			want              []string // nil = by the path alone
		}{
			{"members", "NAME", "user.email", []string{
				"Anna@y.org", "bob-brown@x.org", "emile@x.org", "never0@example.org", "never1@example.org", "never2@example.org",
				"olivia@acme.test", "weiss@z.org", "zoe@y.org",
			}},
			{"members", "EMAIL", "user.email", []string{
				"Anna@y.org", "bob-brown@x.org", "emile@x.org", "never0@example.org", "never1@example.org", "never2@example.org",
				"olivia@acme.test", "weiss@z.org", "zoe@y.org",
			}},
			{"members", "JOINED_AT", "joinedAt", nil},
			{"members", "LAST_SEEN_AT", "lastSeenAt", nil},
			{"invitations", "CREATED_AT", "createdAt", nil},
			{"invitations", "EXPIRES_AT", "expiresAt", nil},
			{"invitations", "EMAIL", "email", nil},
		} {
			for _, direction := range []string{"ASC", "DESC"} {
				arguments := "orderBy: {field: " + c.field + ", direction: " + direction + "}"
				want := slices.Clone(c.want)
				if want == nil {
					want = these(owner, c.list, arguments, c.path)
					want = slices.SortedStableFunc(slices.Values(want), func(a, b string) int { return cmp.Compare(strings.ToLower(a), strings.ToLower(b)) })
				} else if direction == "DESC" {
					slices.Reverse(want)
				}
				if c.want == nil && direction == "DESC" {
					slices.Reverse(want)
				}
				equalList(t, c.list+" "+arguments, these(owner, c.list, arguments, c.path), want...)
				whole := these(owner, c.list, "first: 100, "+arguments, "id")
				equalList(t, c.list+" "+arguments+" forward", walk(t, owner, c.list, arguments, "id", false), whole...)
				equalList(t, c.list+" "+arguments+" backward", walk(t, owner, c.list, arguments, "id", true), whole...)
			}
		}
		equalList(t, "members by default", these(owner, "members", "", "id"), these(owner, "members", "orderBy: {field: JOINED_AT}", "id")...)
		equalList(t, "invitations by default", these(owner, "invitations", "", "id"), these(owner, "invitations", "orderBy: {field: CREATED_AT}", "id")...)
		equalList(t, "narrowed", walk(t, owner, "invitations", `filter: {status: [PENDING]}`, "email", true), "c@x.org", "e@x.org", "a@x.org", "B@x.org", "d@x.org")
		people := func(arguments string) []string {
			return owner.Ask(`people(`+arguments+`) { edges { cursor } }`).OK().List("team.people.edges", "cursor")
		}
		whole := people("first: 100")
		var paged []string
		for after := ""; len(paged) < len(whole); after = fmt.Sprintf("after: %q", paged[len(paged)-1]) {
			next := people("first: 4 " + after)
			if len(next) == 0 {
				break
			}
			paged = append(paged, next...)
		}
		equal(t, "people", len(whole), 9+5)
		equalList(t, "people by pages", paged, whole...)
	})
}

func TestCursorsBelongToTheirList(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		owner.Invite("ann@x.org", "billing", "sendEmail", false).OK()
		lists := []string{
			"members(%s)", "members(%s orderBy: {field: NAME})", "members(%s orderBy: {field: EMAIL})", "members(%s orderBy: {field: LAST_SEEN_AT})",
			"invitations(%s)", "invitations(%s orderBy: {field: EMAIL})", "invitations(%s orderBy: {field: EXPIRES_AT})", "people(%s)",
		}
		ask := func(list, arguments string) *testkit.Answer {
			return owner.Ask("list: " + fmt.Sprintf(list, arguments) + " { nodes { __typename } pageInfo { endCursor } }")
		}
		cursors := []string{
			eventCursor(owner), "", "garbage", "WyJtZW1iZXJzLmpvaW5lZCJd",
			owner.Ask(`account { roles(first: 1) { pageInfo { endCursor } } }`).OK().Text("team.account.roles.pageInfo.endCursor"),
		}
		for _, list := range lists {
			cursors = append(cursors, ask(list, "first: 1").OK().Text("team.list.pageInfo.endCursor"))
		}
		for i, list := range lists {
			for j, cursor := range cursors {
				a := ask(list, fmt.Sprintf("after: %q", cursor))
				if j == len(cursors)-len(lists)+i {
					a.OK()
				} else {
					a.Refused("BAD_USER_INPUT")
				}
			}
		}
	})
}

func TestWhereSomebodyStands(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		invite := func(email string) {
			owner.Invite(email, "billing").OK()
			owner.Delivered(email) // what runs out while it is queued is not sent
		}
		people := func(status string) []string {
			a := owner.Ask(`people(filter: {status: [` + status + `]}) { nodes { ... on Member { user { email } } ... on Invitation { email } } }`).OK()
			emails := a.List("team.people.nodes", "email")
			for i, member := range a.List("team.people.nodes", "user.email") {
				emails[i] += member
			}
			return inOrder(emails)
		}
		const day = 24 * time.Hour
		t.Run("CP-8 an addressee is shown as Invited, listed and counted, until it runs out", func(t *testing.T) {
			invite("ann@x.org")
			invite("bob@x.org")
			equal(t, "people", inStates(t, owner), "1 2 0 0")
			equalList(t, "invited", people("INVITED"), "ann@x.org", "bob@x.org")
			equalList(t, "pending", inOrder(these(owner, "invitations", "filter: {status: [PENDING]}", "email")), "ann@x.org", "bob@x.org")
			equalList(t, "found", these(owner, "invitations", `filter: {status: [PENDING], search: "BOB"}`, "status"), "PENDING")
			equalList(t, "by the role", inOrder(these(owner, "invitations", `filter: {roleId: "`+owner.Role("billing")+`"}`, "email")), "ann@x.org", "bob@x.org")
			equalList(t, "by another", these(owner, "invitations", `filter: {roleId: "`+owner.Role("viewer")+`"}`, "email"))
			w.Clock.Advance(3 * day) // to the second, swept or not
			equal(t, "people", inStates(t, owner), "1 0 2 0")
			equalList(t, "invited", people("INVITED"))
			equalList(t, "expired", people("EXPIRED"), "ann@x.org", "bob@x.org")
		})
		t.Run("everybody is listed and counted once, however often invited", func(t *testing.T) {
			invite("Ann@x.org")
			equal(t, "people", inStates(t, owner), "1 1 1 0")
			equalList(t, "all", people(""), "Ann@x.org", "bob@x.org", "olivia@acme.test")
			w.Clock.Advance(3 * day)
			if err := w.Server.Invites.Sweep(t.Context()); err != nil {
				t.Error(err)
			}
			equal(t, "people", inStates(t, owner), "1 0 2 0")
			invite("ann@x.org")
			w.Anonymous().Accept(testkit.Token(t, w.Mail.Wait(t, "ann@x.org", 3)), "password", testkit.Password).OK()
			equalList(t, "all", people(""), "ann@x.org", "bob@x.org", "olivia@acme.test")
			equal(t, "people", inStates(t, owner), "2 0 1 0")
			onMember(owner, "deactivateMember", owner.MemberID("ann@x.org")).OK()
			equal(t, "people", inStates(t, owner), "1 0 1 1")
			equalList(t, "deactivated", people("DEACTIVATED"), "ann@x.org")
			equalList(t, "two states", people("ACTIVE, EXPIRED"), "bob@x.org", "olivia@acme.test")
			equalList(t, "found", these(owner, "people", `filter: {search: "BOB"}`, "__typename"), "Invitation")
			onMember(owner, "removeMember", owner.MemberID("ann@x.org")).OK()
			equal(t, "people", inStates(t, owner), "1 0 1 0")
			equalList(t, "all", people(""), "bob@x.org", "olivia@acme.test")
		})
		t.Run("an account counts the people of all its teams, and finds one by address", func(t *testing.T) {
			labs := owner.In(newTeam(owner, "Labs").OK().Text("createTeam.team.id"))
			labs.Join("carl@x.org", "billing")
			labs.Invite("dora@x.org", "billing").OK()
			a := owner.Ask(`account { counts { active invited expired deactivated seatsUsed seatLimit }
				carl: user(email: " CARL@x.org") { email } dora: user(email: "dora@x.org") { id } gone: user(email: "ann@x.org") { id }
				none: user(email: "no address") { id } stranger: user(email: "` + w.SignUp("mallory@evil.test").Email + `") { id } }`).OK()
			for state, want := range map[string]string{"active": "3", "invited": "1", "expired": "1", "deactivated": "0", "seatsUsed": "3", "seatLimit": ""} {
				equal(t, state, a.Text("team.account.counts."+state), want)
			}
			equal(t, "Carl", a.Text("team.account.carl.email"), "carl@x.org")
			for _, nobody := range []string{"dora", "gone", "none", "stranger"} {
				equal(t, nobody, a.At("team.account."+nobody), nil)
			}
			owner.Mutate("updateAccount", "account { id }", "accountId", owner.AccountID(), "countPendingAsSeats", true).OK()
			a = labs.Ask(`counts { seatsUsed } account { counts { seatsUsed } }`).OK()
			equal(t, "seats with the open invitation", a.Text("team.counts.seatsUsed")+" "+a.Text("team.account.counts.seatsUsed"), "3 4")
		})
	})
}

func TestTheAuditLogIsNarrowedAndPaged(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		adam, bella := owner.Join("adam@acme.test", "account_admin"), owner.Join("bella@acme.test", "billing")
		owner.Delivered(bella.Email)
		owner.Delivered(adam.Email)
		id := owner.MemberID(bella.Email)
		early := w.Clock.Now()
		w.Clock.Advance(time.Minute)
		onMember(adam, "setRoles", id, "roleIds", []string{owner.Role("viewer")}).OK()
		w.Clock.Advance(time.Minute)
		onMember(owner, "deactivateMember", id).OK()
		role := newRole(adam, "made", "team.read")
		log := func(arguments string) []string {
			return owner.Ask(`account { auditLog(`+arguments+`) { nodes { type } } }`).OK().List("team.account.auditLog.nodes", "type")
		}
		whole := log("first: 100")
		for filter, want := range map[string][]string{
			`kinds: [MEMBER]`:                                   {"MEMBER_DEACTIVATED", "MEMBER_UPDATED", "MEMBER_JOINED", "MEMBER_JOINED", "MEMBER_JOINED"},
			`types: [MEMBER_UPDATED], kinds: [ROLE]`:            {"ROLE_CREATED", "MEMBER_UPDATED"},
			`types: [UNKNOWN]`:                                  {},
			`types: []`:                                         whole,
			`kinds: [` + everyKind() + `]`:                      whole,
			`subjectId: "` + id + `"`:                           {"MEMBER_DEACTIVATED", "MEMBER_UPDATED", "MEMBER_JOINED"},
			`subjectId: "` + role + `"`:                         {"ROLE_CREATED"},
			`actorId: "` + userID(adam) + `"`:                   {"ROLE_CREATED", "MEMBER_UPDATED", "INVITATION_ACCEPTED", "MEMBER_JOINED"},
			`actorId: "usr_none"`:                               {},
			`from: "` + rfc3339(early.Add(time.Second)) + `"`:   {"ROLE_CREATED", "MEMBER_DEACTIVATED", "MEMBER_UPDATED"},
			`from: "` + rfc3339(early.Add(2*time.Minute)) + `"`: {"ROLE_CREATED", "MEMBER_DEACTIVATED"},
			`to: "` + rfc3339(early.Add(time.Minute)) + `"`:     whole[3:],
			`kinds: [MEMBER], actorId: "` + userID(adam) + `"`:  {"MEMBER_UPDATED", "MEMBER_JOINED"},
		} {
			equalList(t, filter, log("first: 100 filter: {"+filter+"}"), want...)
			n := owner.Ask(`account { auditLog(filter: {` + filter + `}) { totalCount } }`).OK().Text("team.account.auditLog.totalCount")
			equal(t, filter+" counted", n, itoa(len(want)))
		}
		var ids []string
		for after := ""; ; {
			a := owner.Ask(`account { auditLog(first: 3 ` + after + `) { nodes { id } pageInfo { endCursor hasNextPage } } }`).OK()
			ids = append(ids, a.List("team.account.auditLog.nodes", "id")...)
			if a.Text("team.account.auditLog.pageInfo.hasNextPage") != "true" {
				break
			}
			after = fmt.Sprintf("after: %q", a.Text("team.account.auditLog.pageInfo.endCursor"))
		}
		equalList(t, "by pages", ids, owner.Ask(`account { auditLog(first: 100) { nodes { id } } }`).OK().List("team.account.auditLog.nodes", "id")...)
		a := owner.Ask(`account { auditLog(first: 1) { nodes { summary at subjectId cursor actor { ... on User { email } } } } }`).OK()
		equal(t, "the newest", strings.Join([]string{
			a.Text("team.account.auditLog.nodes.0.summary"), a.Text("team.account.auditLog.nodes.0.actor.email"),
			a.Text("team.account.auditLog.nodes.0.at"), a.Text("team.account.auditLog.nodes.0.subjectId"),
		}, " "), "Created a role adam@acme.test 2030-01-07T12:02:00Z "+role)
		bella.Ask(`name`).OK()
		equal(t, "without audit.read", owner.Join("clerk@acme.test", "billing").Ask(`account { auditLog { totalCount } }`).Code(), "FORBIDDEN")
	})
}
