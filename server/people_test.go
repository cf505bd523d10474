package server_test

import (
	"cmp"
	"database/sql"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/internal/text"
	"github.com/convoke-dev/convoke/server"
)

// mixture adds invited people to crowd: with names and without, one of them expired.
func mixture(t *testing.T, w *testkit.World) *testkit.Person {
	t.Helper()
	owner := crowd(t, w)
	for _, who := range [][]any{
		{"expired@x.org", "expiresInHours", 1},
		{"lukasz@z.org", "firstName", "Łukasz", "lastName", "Zieliński"},
		{"bob-brown@z.org", "firstName", "Bob", "lastName", "Brown"},
		{"_under@x.org"},
		{"Soren@x.org", "firstName", "Søren", "lastName", "Ægir"},
		{"ann.smith@x.org", "firstName", "Ａｎｎ", "lastName", "Smith"},
	} {
		w.Clock.Advance(time.Hour)
		owner.Invite(who[0].(string), "billing", append([]any{"sendEmail", false}, who[1:]...)...).OK()
	}
	owner.Invite("gone@x.org", "billing", "sendEmail", false).OK()
	revokeByEmail(owner, "gone@x.org")
	return owner
}

func revokeByEmail(p *testkit.Person, email string) {
	id := p.Ask(`invitations(filter: {search: "` + email + `"}) { nodes { id } }`).OK().Text("team.invitations.nodes.0.id")
	revoke(p, id).OK()
}

func TestPeopleByTheInterface(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		owner.JoinWith("Ann@x.org", "firstName", "Ann", "lastName", "Smith", "roleIds", []string{owner.Role("billing")},
			"groupIds", []string{newGroup(owner, "Crew", owner.Role("viewer"))})
		w.Clock.Advance(time.Hour)
		owner.Invite("bob@x.org", "installer", "sendEmail", false).OK()
		t.Run("FE-11 the natural people query works without aliases", func(t *testing.T) {
			a := owner.Do(`{ team { name people { totalCount nodes {
				__typename id email displayName personStatus roles { key } groups { name } addedAt lastSeenAt expiresAt } } } }`, nil).OK()
			line := func(i string) string {
				of := "team.people.nodes." + i + "."
				return strings.Join([]string{
					a.Text(of + "__typename"), a.Text(of + "email"), a.Text(of + "displayName"), a.Text(of + "personStatus"),
					a.Text(of + "roles.0.key"), a.Text(of + "groups.0.name"),
				}, "|")
			}
			equal(t, "totalCount", a.Text("team.people.totalCount"), "3")
			equal(t, "the newest", line("0"), "Invitation|bob@x.org|bob@x.org|INVITED|installer|")
			equal(t, "the second", line("1"), "Member|Ann@x.org|Ann Smith|ACTIVE|billing|Crew")
			equal(t, "the oldest", line("2"), "Member|olivia@acme.test|olivia@acme.test|ACTIVE||")
			equal(t, "last seen of an invitation", a.At("team.people.nodes.0.lastSeenAt"), nil)
			equal(t, "expiry of a member", a.At("team.people.nodes.1.expiresAt"), nil)
			for _, set := range []string{"0.expiresAt", "0.addedAt", "1.addedAt", "1.lastSeenAt"} {
				if a.Text("team.people.nodes."+set) == "" {
					t.Errorf("%s is null, want a moment", set)
				}
			}
		})
		t.Run("FE-11 an object is a person by its id too, also when its invitation is over", func(t *testing.T) {
			id := owner.Ask(`invitations(filter: {search: "bob"}) { nodes { id } }`).OK().Text("team.invitations.nodes.0.id")
			status := func() string {
				return owner.Do(`query($id: ID!) { node(id: $id) { ... on Person { personStatus } } }`, map[string]any{"id": id}).OK().Text("node.personStatus")
			}
			equal(t, "open", status(), "INVITED")
			revoke(owner, id).OK()
			equal(t, "revoked", status(), "CLOSED")
			equalList(t, "closed people", these(owner, "people", "filter: {status: [CLOSED]}", "id"))
			onMember(owner, "deactivateMember", owner.MemberID("Ann@x.org")).OK()
			equalList(t, "deactivated", these(owner, "people", "filter: {status: [CLOSED, DEACTIVATED]}", "personStatus"), "DEACTIVATED")
		})
		t.Run("FE-11 team without an id is the viewer's active team", func(t *testing.T) {
			labs := newTeam(owner, "Labs").OK().Text("createTeam.team.id")
			team := func(c *testkit.Client) any { return c.Do(`{ team { id } }`, nil).OK().At("team.id") }
			equal(t, "at first", team(owner.Client), any(owner.TeamID))
			onTeam(owner.In(labs), "setActiveTeam").OK()
			equal(t, "chosen", team(owner.Client), any(labs))
			equal(t, "of a visitor", w.Anonymous().Do(`{ team { id } }`, nil).OK().At("team"), nil)
			equal(t, "of another account", team(w.SignUp("mallory@evil.test").Client) != any(labs), true)
		})
	})
}

func TestIntrospectionNamesObjectsAsPossibleTypes(t *testing.T) {
	t.Parallel()
	eachWith(t, func(c *server.Config) { c.Introspection = true }, func(t *testing.T, w *testkit.World) {
		t.Run("FE-11 introspection names objects as possible types, and no interface", func(t *testing.T) {
			a := w.Anonymous().Do(`{ node: __type(name: "Node") { possibleTypes { name kind } } person: __type(name: "Person") { possibleTypes { name } } }`, nil).OK()
			equalList(t, "people", inOrder(a.List("person.possibleTypes", "name")), "Invitation", "Member")
			equal(t, "nodes of another kind", slices.ContainsFunc(a.List("node.possibleTypes", "kind"), func(k string) bool { return k != "OBJECT" }), false)
		})
	})
}

func TestPeopleAreOrderedAndPaged(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := mixture(t, w)
		a := owner.Ask(`people(first: 100) { nodes { id email displayName addedAt lastSeenAt } }`).OK()
		type person struct{ id, email, name, added, seen string }
		var all []person
		for i, id := range a.List("team.people.nodes", "id") {
			of := "team.people.nodes." + itoa(i) + "."
			all = append(all, person{
				id, text.Fold(a.Text(of + "email")), text.Fold(a.Text(of + "displayName")), a.Text(of + "addedAt"), a.Text(of + "lastSeenAt"),
			})
		}
		equal(t, "people", len(all), 9+6)
		for field, key := range map[string]func(person) string{
			"ADDED_AT":     func(p person) string { return p.added },
			"NAME":         func(p person) string { return p.name },
			"EMAIL":        func(p person) string { return p.email },
			"LAST_SEEN_AT": func(p person) string { return p.seen },
		} {
			t.Run("FE-11 people are ordered by "+field+" and paged both ways", func(t *testing.T) {
				inOrder := slices.SortedFunc(slices.Values(all), func(a, b person) int { return cmp.Or(cmp.Compare(key(a), key(b)), cmp.Compare(a.id, b.id)) })
				for _, direction := range []string{"ASC", "DESC"} {
					want := make([]string, len(inOrder))
					for i, p := range inOrder {
						want[i] = p.id
					}
					if direction == "DESC" {
						slices.Reverse(want)
					}
					arguments := "orderBy: {field: " + field + ", direction: " + direction + "}"
					equalList(t, arguments, these(owner, "people", "first: 100, "+arguments, "id"), want...)
					equalList(t, arguments+" forward", walk(t, owner, "people", arguments, "id", false), want...)
					equalList(t, arguments+" backward", walk(t, owner, "people", arguments, "id", true), want...)
				}
			})
		}
		equalList(t, "by default", these(owner, "people", "", "id"), these(owner, "people", "orderBy: {field: ADDED_AT, direction: DESC}", "id")...)
		equalList(t, "with a null order", these(owner, "people", "orderBy: null", "id"), these(owner, "people", "", "id")...)
	})
}

func TestPeopleAreFound(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := mixture(t, w)
		places := owner.Ask(`account { groups { nodes { id } } divisions { nodes { id } } }`).OK()
		group, division := places.Text("team.account.groups.nodes.0.id"), places.Text("team.account.divisions.nodes.0.id")
		owner.Invite("grouped@x.org", "viewer", "sendEmail", false, "groupIds", []string{group}, "divisionIds", []string{division}).OK()
		for filter, want := range map[string][]string{
			`search: "lukasz"`:                     {"lukasz@z.org"},
			`search: "Łukasz"`:                     {"lukasz@z.org"},
			`search: "ZIELINSKI lukasz"`:           {"lukasz@z.org"},
			`search: "zielinski z.org"`:            {"lukasz@z.org"},
			`search: "soren aegir"`:                {"Soren@x.org"},
			`search: "ÆGIR"`:                       {"Soren@x.org"},
			`search: "smith ann"`:                  {"ann.smith@x.org"},
			`search: "ＳＭＩＴＨ　ａｎｎ"`:                  {"ann.smith@x.org"},
			`search: "brown bob"`:                  {"bob-brown@x.org", "bob-brown@z.org"},
			`search: "brown bob @z"`:               {"bob-brown@z.org"},
			`search: "zola ÉMILE"`:                 {"emile@x.org"},
			`search: "weiss"`:                      {"weiss@z.org"},
			`search: "weiß 100%"`:                  {"weiss@z.org"},
			`search: "_"`:                          {"_under@x.org"},
			`search: "%"`:                          {"weiss@z.org"},
			`search: "\\"`:                         {},
			`search: "emile nobody"`:               {},
			`search: "expired", status: [EXPIRED]`: {"expired@x.org"},
			`groupId: "` + group + `"`:             {"grouped@x.org", "zoe@y.org"},
			`divisionId: "` + division + `"`:       {"Anna@y.org", "grouped@x.org"},
			`groupId: "grp_none"`:                  {},
			`search: "gone@x.org"`:                 {},
		} {
			t.Run("FE-11 people are found by "+filter, func(t *testing.T) {
				equalList(t, "found", inOrder(these(owner, "people", "filter: {"+filter+"}", "email")), inOrder(want)...)
				n := owner.Ask(`people(filter: {` + filter + `}) { totalCount }`).OK().Text("team.people.totalCount")
				equal(t, "counted", n, itoa(len(want)))
			})
		}
		for list, filter := range map[string]string{"members": `search: "zola emile"`, "invitations": `search: "zielinski lukasz"`} {
			equal(t, "FE-11 words in any order among "+list, len(these(owner, list, "filter: {"+filter+"}", "id")), 1)
			a := owner.Ask(list + `(filter: {search: "` + strings.Repeat("a ", 101) + `"}) { totalCount }`)
			equal(t, "FE-11 a search that is too long among "+list, a.Code(), "BAD_USER_INPUT")
		}
		equalList(t, "FE-11 invitations of a group", these(owner, "invitations", `filter: {status: [PENDING], groupId: "`+group+`"}`, "email"), "grouped@x.org")
		equalList(t, "FE-11 invitations of a division", these(owner, "invitations", `filter: {status: [PENDING], divisionId: "`+division+`"}`, "email"), "grouped@x.org")
		equal(t, "counted", owner.Ask(`invitations(filter: {groupId: "`+group+`"}) { totalCount }`).OK().Text("team.invitations.totalCount"), "2")
	})
}

// The plan of SQLite shows that a page is read from an index in the order of the list, whatever
// else the team has: accepted invitations, for example.
func TestAPageOfPeopleIsReadInTheOrderOfAnIndex(t *testing.T) { //nolint:tparallel // the statements of one list after the other are recorded
	t.Parallel()
	address := filepath.Join(t.TempDir(), "convoke.db")
	var mu sync.Mutex
	var read []string
	w := testkit.New(t, address, func(c *server.Config) {
		c.StoreOptions = []store.Option{store.ObserveStatements(func(query string) {
			mu.Lock()
			defer mu.Unlock()
			if strings.HasPrefix(query, "SELECT") && strings.Contains(query, "ORDER BY") {
				read = append(read, query)
			}
		})}
	})
	owner := w.SignUp("olivia@acme.test")
	db, err := sql.Open("sqlite3", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	for _, field := range []string{"ADDED_AT", "NAME", "EMAIL", "LAST_SEEN_AT"} {
		t.Run("FE-11 a page by "+field+" is read in the order of an index", func(t *testing.T) {
			mu.Lock()
			read = nil
			mu.Unlock()
			owner.Ask(`people(orderBy: {field: ` + field + `}) { nodes { id } }`).OK()
			mu.Lock()
			defer mu.Unlock()
			seen := map[string]bool{}
			for _, query := range read {
				for _, table := range []string{"members", "invitations"} {
					if !strings.Contains(query, "FROM `"+table+"`") || !strings.Contains(query, "ORDER BY `"+table+"`") {
						continue
					}
					seen[table] = true
					plan := planOf(t, db, query)
					if strings.Contains(plan, "TEMP B-TREE") || !strings.Contains(plan, "USING INDEX") && !strings.Contains(plan, "USING COVERING INDEX") {
						t.Errorf("%s are sorted, want them from an index: %s\n%s", table, plan, query)
					}
					if table == "invitations" && !strings.Contains(plan, "invitation_listed") {
						t.Errorf("the plan has no index of listed invitations: %s", plan)
					}
				}
			}
			equal(t, "tables seen", len(seen), 2)
		})
	}
}

func planOf(t *testing.T, db *sql.DB, query string) string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, make([]any, strings.Count(query, "?"))...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var steps []string
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, step)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(steps, "; ")
}
