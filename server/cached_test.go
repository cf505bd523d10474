package server_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/testkit"
)

// The selections that queries and subscriptions of a cache have in common. Each object in
// them has its id. $viewer stands for fields that depend on the viewer, and that
// subscribers therefore cannot share.
const cachedFields = `
	fragment U on User { __typename id email firstName lastName jobTitle emailVerified }
	fragment R on Role { __typename id key name description permissions isSystem version }
	fragment G on Group { __typename id name description version roles { ...R } }
	fragment D on Division { __typename id name version parent { id } }
	fragment M on Member { __typename id memberStatus: status isOwner version joinedAt directPermissions effectivePermissions allowedDomains
		user { ...U } roles { ...R } groups { ...G } divisions { ...D } $member }
	fragment I on Invitation { __typename id email firstName lastName jobTitle note invitationStatus: status permissions allowedDomains createdAt expiresAt lastSentAt sendCount
		roles { ...R } groups { ...G } divisions { ...D } delivery { status attempts error } member { id } $invitation }
	fragment X on OwnershipTransfer { __typename id transferStatus: status requestedAt expiresAt from { id } to { id } }
	fragment T on Team { __typename id name isDefault createdAt owner { ...M } pendingOwnershipTransfer { ...X }
		counts { active invited expired deactivated seatsUsed seatLimit } $team }
	fragment A on Account { __typename id name accountStatus: status $account }
	fragment N on Node { ...U ...R ...G ...D ...M ...X ... on OwnershipTransfer { from { ...M } } ... on Team { id name isDefault createdAt } ...A $key }`

// ofTheViewer are the fields that depend on the viewer.
var ofTheViewer = map[string]string{
	"$member":     `viewerCanSetRoles viewerCanDeactivate viewerCanRemove`,
	"$invitation": `viewerCanResend viewerCanRevoke viewerCanUpdate inviter { ... on User { ...U } ... on ApiKey { __typename id name } } acceptedBy { ...U }`,
	"$team":       `assignableRoles { ...R } viewerMembership { id } viewerCanInvite viewerCanManageRoles`,
	"$key":        `... on ApiKey { __typename id name }`,
	"$account":    `settings { invitationTtlHours countPendingAsSeats keepInvitationsOfRemovedMembers } limits { multiUser maxTeams maxMembersPerTeam maxPendingInvitations }`,
}

// What a cache keeps open: for people who may see the team's people, for other members,
// and for addressees.
const (
	listOfTeam = `query($team: ID!) { team(id: $team) { ...T eventCursor account { ...A
			roles(first: 20) { nodes { ...R } } groups(first: 20) { nodes { ...G } } divisions(first: 20) { nodes { ...D } } }
		members(first: 25) { nodes { ...M } } invitations(first: 25) { nodes { ...I } } people(first: 25) { nodes { id } } }
		viewer { permissions(teamId: $team) } }`
	listOfLittle = `query($team: ID!) { team(id: $team) { __typename id name isDefault eventCursor
			owner { id isOwner user { ...U } } viewerMembership { ...M } account { __typename id name accountStatus: status divisions(first: 20) { nodes { ...D } } } }
		viewer { permissions(teamId: $team) } }`
	listOfReceived = `query { viewer { receivedInvitationsCursor receivedInvitations(first: 20) { nodes { ...O } } } }`

	watchOfMembers = `subscription($team: ID!, $after: EventCursor) { membersChanged(teamId: $team, after: $after) {
		cursor type memberId removedMemberId nodeId reload team { ...T } member { ...M } formerOwner { ...M } node { ...N } } }`
	watchOfInvitations = `subscription($team: ID!, $after: EventCursor) { inviteStatusChanged(teamId: $team, after: $after) {
		cursor type nodeId reload team { ...T } invitation { ...I } member { ...M } node { ...N } } }`
	watchOfTeam = `subscription($team: ID!, $after: EventCursor) { teamChanged(teamId: $team, after: $after) {
		cursor type nodeId reload team { ...T } node { ...N ...I } } }`
	watchOfLittle = `subscription($team: ID!, $after: EventCursor) { teamChanged(teamId: $team, after: $after) {
		cursor type nodeId reload team { __typename id name isDefault owner { id isOwner user { ...U } } viewerMembership { ...M } }
		node { id ...D ...M ... on Account { __typename id name accountStatus: status } } } }`
	watchOfReceived = `subscription($after: EventCursor) { receivedInvitationsChanged(after: $after) { cursor type invitationId invitation { ...O } } }`

	offeredFields = `
	fragment O on Invitation { __typename id email note status permissions allowedDomains createdAt expiresAt
		team { __typename id name account { __typename id name accountStatus: status } } inviter { ... on User { __typename id email firstName lastName } ... on ApiKey { __typename id name } }
		roles { ...R } groups { ...G } divisions { __typename id name version } delivery { status attempts error } }`
)

// document adds the fragments that the operation spreads, directly or by others.
func document(operation string, own bool) string {
	all := cachedFields + offeredFields
	for name, fields := range ofTheViewer {
		if !own {
			fields = ""
		}
		all = strings.ReplaceAll(all, name, fields)
	}
	fragments := map[string]string{}
	for _, f := range strings.Split(all, "fragment ")[1:] {
		fragments[f[:1]] = "fragment " + f
	}
	doc, used := operation, map[string]bool{}
	for more := true; more; {
		more = false
		for name, text := range fragments {
			if !used[name] && slices.Contains(strings.Fields(doc), "..."+name) {
				doc, used[name], more = doc+text, true, true
			}
		}
	}
	return doc
}

// cache is the normalised cache of a client: objects by their ids, and lists of ids. In an
// object another one is {"ref": id}.
type cache struct {
	objects map[string]map[string]any
	lists   map[string]map[string]bool
}

func newCache() *cache {
	return &cache{objects: map[string]map[string]any{}, lists: map[string]map[string]bool{}}
}

// put stores the objects in a value, and returns the value with references.
func (c *cache) put(value any) any {
	switch v := value.(type) {
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = c.put(v[i])
		}
		return list
	case map[string]any:
		kept := map[string]any{}
		for field, below := range v {
			below := c.put(below)
			if page, _ := below.(map[string]any); field == "eventCursor" || page["nodes"] != nil {
				continue // it changes with every event; and lists are kept by their names
			}
			kept[field] = below
		}
		id, _ := v["id"].(string)
		if id == "" {
			return kept
		}
		if c.objects[id] == nil {
			c.objects[id] = map[string]any{}
		}
		maps.Copy(c.objects[id], kept)
		return map[string]any{"ref": id}
	default:
		return v
	}
}

func (c *cache) add(list, id string) {
	if c.lists[list] == nil {
		c.lists[list] = map[string]bool{}
	}
	c.lists[list][id] = true
}

// drop removes an object. References to it dangle from then on, which counts as null.
func (c *cache) drop(id string) { delete(c.objects, id) }

// seen returns a value as the client shows it: without references to what is gone.
func (c *cache) seen(value any) any {
	switch v := value.(type) {
	case []any:
		list := []any{}
		for _, element := range v {
			if element = c.seen(element); element != nil {
				list = append(list, element)
			}
		}
		slices.SortFunc(list, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) }) // compared as a set
		return list
	case map[string]any:
		if id, is := v["ref"].(string); is {
			if c.objects[id] == nil {
				return nil
			}
			return v
		}
		kept := map[string]any{}
		for field, below := range v {
			kept[field] = c.seen(below)
		}
		return kept
	default:
		return v
	}
}

// ids returns the ids of a list, without objects that are gone.
func (c *cache) ids(list string) (ids []string) {
	for id := range c.lists[list] {
		if c.objects[id] != nil {
			ids = append(ids, id)
		}
	}
	return inOrder(ids)
}

// differences says where the cache is not what a fresh one has.
func (c *cache) differences(fresh *cache) (found []string) {
	for list := range fresh.lists {
		if got, want := c.ids(list), fresh.ids(list); !slices.Equal(got, want) {
			found = append(found, fmt.Sprintf("%s: got %v, want %v", list, got, want))
		}
	}
	for list := range c.lists {
		if len(c.ids(list)) > 0 && fresh.lists[list] == nil {
			found = append(found, fmt.Sprintf("%s: got %v, want none", list, c.ids(list)))
		}
	}
	for id, want := range fresh.objects {
		for field := range want {
			if g, w := c.seen(c.objects[id][field]), fresh.seen(want[field]); !reflect.DeepEqual(g, w) {
				found = append(found, fmt.Sprintf("%s.%s: got %s, want %s", id, field, shortJSON(g), shortJSON(w)))
			}
		}
	}
	return inOrder(found)
}

func shortJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// cachingClient is a person whose client keeps lists open: it applies what its streams
// deliver by the rules that the descriptions of the schema give.
type cachingClient struct {
	*testkit.Person
	t       *testing.T
	name    string
	account string
	one     bool   // whether it follows everything of the team by one stream
	own     bool   // whether it selects fields that depend on the viewer
	list    string // the query of its lists
	cache   *cache

	team, members, invitations, received, rights *testkit.Stream
}

// open opens the lists that the person may see, and the streams that keep them.
func (c *cachingClient) open() {
	c.t.Helper()
	c.cache, c.rights = newCache(), c.Subscribe(watchAccess, nil)
	if c.list == listOfReceived {
		first := c.read(c.cache)
		c.received = c.follow(watchOfReceived, first.Text("viewer.receivedInvitationsCursor"))
		return
	}
	cursor := c.read(c.cache).Text("team.eventCursor")
	switch {
	case c.list == listOfLittle:
		c.team = c.follow(watchOfLittle, cursor)
		return
	case !c.one:
		c.members, c.invitations = c.follow(watchOfMembers, cursor), c.follow(watchOfInvitations, cursor)
	}
	c.team = c.follow(watchOfTeam, cursor)
}

func (c *cachingClient) follow(subscription, cursor string) *testkit.Stream {
	return c.Subscribe(document(subscription, c.own), map[string]any{"team": c.TeamID, "after": cursor})
}

// read reads all lists into a cache.
func (c *cachingClient) read(into *cache) *testkit.Answer {
	c.t.Helper()
	a := c.Do(document(c.list, c.own), map[string]any{"team": c.TeamID}).OK()
	into.lists = map[string]map[string]bool{}
	for _, list := range []struct{ name, path string }{
		{"members", "team.members.nodes"},
		{"invitations", "team.invitations.nodes"},
		{"people", "team.people.nodes"},
		{"roles", "team.account.roles.nodes"},
		{"groups", "team.account.groups.nodes"},
		{"divisions", "team.account.divisions.nodes"},
		{"received", "viewer.receivedInvitations.nodes"},
	} {
		for _, id := range a.List(list.path, "id") {
			into.add(list.name, id)
		}
	}
	for _, key := range a.List("viewer.permissions", "") {
		into.add("permissions", key)
		into.objects[key] = map[string]any{}
	}
	into.put(a.Data)
	return a
}

// until applies what the streams deliver up to a marker, in the order of their cursors.
// Streams have no common order otherwise; a client that follows everything by one stream
// needs none.
func (c *cachingClient) until(marker string, streams ...*testkit.Stream) {
	c.t.Helper()
	type arrived struct {
		field  string
		change map[string]any
		seq    int64
	}
	var all []arrived
	for _, s := range streams {
		for over := s == nil; !over; {
			for field, value := range s.Next().OK().Data {
				change, _ := value.(map[string]any)
				if over = change["nodeId"] == marker || change["invitationId"] == marker; over {
					continue
				}
				cursor, _ := change["cursor"].(string)
				at, err := event.ParseCursor(cursor, c.account)
				if err != nil && len(streams) > 1 {
					c.t.Fatal(err)
				}
				all = append(all, arrived{field, change, at.Seq})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b arrived) int { return cmp.Compare(a.seq, b.seq) })
	for _, a := range all {
		c.apply(a.field, a.change)
	}
}

// apply applies one change.
func (c *cachingClient) apply(field string, change map[string]any) {
	c.t.Helper()
	text := func(name string) string { s, _ := change[name].(string); return s }
	c.cache.put(change)
	object := func(name string) (id string) {
		o, _ := change[name].(map[string]any)
		id, _ = o["id"].(string)
		return id
	}
	switch field {
	case "membersChanged":
		if id := object("member"); id != "" {
			c.cache.add("members", id)
		}
		c.cache.drop(text("removedMemberId"))
	case "inviteStatusChanged":
		if id := object("invitation"); id != "" {
			c.cache.add("invitations", id)
		}
	case "teamChanged":
		kind, _, _ := strings.Cut(text("type"), "_")
		if list := strings.ToLower(kind) + "s"; c.lists(list) && object("node") != "" {
			c.cache.add(list, object("node"))
		}
	case "receivedInvitationsChanged":
		id := text("invitationId")
		o, _ := change["invitation"].(map[string]any)
		switch {
		case o == nil:
			c.cache.drop(id)
		case o["status"] == "PENDING":
			c.cache.add("received", id)
		default:
			delete(c.cache.lists["received"], id)
		}
	}
	if id := text("nodeId"); id != "" && change["node"] == nil {
		c.cache.drop(id)
	}
	if change["reload"] == true {
		c.read(c.cache)
	}
}

// findPeople makes the list of people from those of members and invitations: open and
// expired ones, unless the address has a newer one.
func (c *cache) findPeople() {
	newest := map[any]string{}
	for _, id := range c.ids("invitations") { // ids sort by the time of creation
		newest[c.objects[id]["email"]] = id
	}
	people := map[string]bool{}
	for _, id := range c.ids("members") {
		people[id] = true
	}
	for _, id := range c.ids("invitations") {
		i := c.objects[id]
		switch i["invitationStatus"] {
		case "PENDING":
			people[id] = true
		case "EXPIRED":
			people[id] = newest[i["email"]] == id
		}
	}
	maps.DeleteFunc(people, func(_ string, is bool) bool { return !is })
	c.lists["people"] = people
}

// lists reports whether the client has a list of that name open.
func (c *cachingClient) lists(name string) bool {
	switch name {
	case "divisions":
		return c.list != listOfReceived
	case "members", "invitations", "roles", "groups":
		return c.list == listOfTeam
	}
	return false
}

// settle applies the changes of rights until the client knows what it may do. After each
// of them it reads its lists again, because what it sees depends on its rights.
func (c *cachingClient) settle() *cache {
	c.t.Helper()
	var fresh *cache
	testkit.Eventually(c.t, func() bool {
		for a := c.rights.Poll(); a != nil; a = c.rights.Poll() {
			a.OK()
			c.read(c.cache)
		}
		fresh = newCache()
		c.read(fresh)
		return slices.Equal(c.cache.ids("permissions"), fresh.ids("permissions"))
	})
	return fresh
}
