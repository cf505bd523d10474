package server_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/internal/testkit/rounds"
	"github.com/convoke-dev/convoke/internal/uid"
)

const mySessions = `{ viewer { sessions { totalCount pageInfo { hasNextPage } nodes { id createdAt lastSeenAt expiresAt userAgent clientIp current } } } }`

func revokeSession(c *testkit.Client, id string) *testkit.Answer {
	return c.Mutate("revokeSession", "revokedSessionId", "sessionId", id)
}

func TestTheViewersSessions(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		stranger := w.SignUp("mallory@evil.test")
		w.Clock.Advance(time.Minute)
		phone := w.WithHTTP(&http.Client{Transport: onRequest(func(r *http.Request) { r.Header.Set("User-Agent", "A phone") })})
		in := phone.Mutate("signIn", "sessionToken", "email", "olivia@acme.test", "password", testkit.Password, "transport", "BEARER").OK()
		other := w.WithToken(in.Text("signIn.sessionToken"))

		a := owner.Do(mySessions, nil).OK()
		equal(t, "how many", a.Text("viewer.sessions.totalCount"), "2")
		equalList(t, "agents", a.List("viewer.sessions.nodes", "userAgent"), "A phone", "Go-http-client/1.1")
		equalList(t, "current", a.List("viewer.sessions.nodes", "current"), "false", "true")
		equalList(t, "addresses", a.List("viewer.sessions.nodes", "clientIp"), "127.0.0.1", "127.0.0.1")
		equal(t, "begun", a.Text("viewer.sessions.nodes.0.createdAt"), "2030-01-07T12:01:00Z")
		equal(t, "ends", a.Text("viewer.sessions.nodes.0.expiresAt"), "2030-02-06T12:01:00Z")
		equalList(t, "current, as the phone sees it", other.Do(mySessions, nil).OK().List("viewer.sessions.nodes", "current"), "true", "false")
		equal(t, "a stranger's", stranger.Do(mySessions, nil).OK().Text("viewer.sessions.totalCount"), "1")

		page := owner.Do(`{ viewer { sessions(first: 1) { nodes { userAgent } pageInfo { hasNextPage endCursor } } } }`, nil).OK()
		equal(t, "more", page.Text("viewer.sessions.pageInfo.hasNextPage"), "true")
		page = owner.Do(`query($after: String) { viewer { sessions(first: 1, after: $after) { nodes { current } pageInfo { hasNextPage } } } }`,
			map[string]any{"after": page.Text("viewer.sessions.pageInfo.endCursor")}).OK()
		equal(t, "on the second page", page.Text("viewer.sessions.nodes.0.current"), "true")
		equal(t, "no more", page.Text("viewer.sessions.pageInfo.hasNextPage"), "false")

		ofPhone, own := a.Text("viewer.sessions.nodes.0.id"), a.Text("viewer.sessions.nodes.1.id")
		for _, unknown := range []string{ofPhone, uid.New(uid.Session), "nonsense"} {
			revokeSession(stranger.Client, unknown).Refused("NOT_FOUND")
		}
		revokeSession(w.Anonymous(), ofPhone).Refused("UNAUTHENTICATED")
		stream := other.Subscribe(watch, map[string]any{"team": owner.TeamID, "after": eventCursor(owner)})
		equal(t, "revoked", revokeSession(owner.Client, ofPhone).OK().Text("revokeSession.revokedSessionId"), ofPhone)
		ended(t, "the phone's session", other)
		stream.Ended()
		revokeSession(owner.Client, ofPhone).Refused("NOT_FOUND")
		equal(t, "signed out in the log", count(logged(owner), "USER_SIGNED_OUT"), 1)

		gone := owner.Do(`mutation($input: RevokeSessionInput!) { revokeSession(input: $input) { revokedSessionId userErrors { code } } }`,
			testkit.Input("sessionId", own)).OK()
		equal(t, "revoked", gone.Text("revokeSession.revokedSessionId"), own)
		ended(t, "one's own session", owner.Client)
	})
}

func TestSessionsThatAreOverAreNotListed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		old := newSession(w.SignUp("olivia@acme.test"))
		w.Clock.Advance(14 * 24 * time.Hour)
		now := w.SignIn("olivia@acme.test")
		equal(t, "sessions", now.Do(mySessions, nil).OK().Text("viewer.sessions.totalCount"), "1")
		equal(t, "one left idle", now.Do(`query($id: ID!) { node(id: $id) { id } }`, map[string]any{"id": old}).OK().At("node"), nil)
	})
}

func TestRevokingOnesOwnSessionTakesTheCookieAway(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		w.SignUp("olivia@acme.test")
		c, set := browser(t, w)
		in := c.Mutate("signIn", "viewer { sessions(first: 1) { nodes { id current } } }", "email", "olivia@acme.test", "password", testkit.Password).OK()
		equal(t, "current", in.Text("signIn.viewer.sessions.nodes.0.current"), "true")
		dead := *(*set)[0]
		revokeSession(c, in.Text("signIn.viewer.sessions.nodes.0.id")).OK()
		equal(t, "cookie taken away", (*set)[len(*set)-1].MaxAge, -1)
		equal(t, "viewer", c.Do(whoAmI, nil).OK().At("viewer"), nil)
		equal(t, "viewer by the dead cookie", withCookie(w, dead).Do(whoAmI, nil).OK().At("viewer"), nil)
	})
}

func TestTheProfileIsShownEverywhere(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner, host := w.SignUp("olivia@acme.test"), w.SignUp("henry@host.test")
		host.JoinAs(owner, "viewer")
		host.Join("mia@host.test", "viewer")
		owner.Mutate("createTeam", "", "accountId", owner.AccountID(), "name", "Second").OK()
		since := eventCursor(host)
		update := func(pairs ...any) *testkit.Answer {
			return owner.Mutate("updateProfile", "user { firstName lastName jobTitle }", pairs...)
		}
		a := update("firstName", "  Åsa\u202e ", "lastName", "Ångström", "jobTitle", "Head of Security").OK()
		equal(t, "name", a.Text("updateProfile.user.firstName")+" "+a.Text("updateProfile.user.lastName"), "Åsa Ångström")
		equal(t, "job title", a.Text("updateProfile.user.jobTitle"), "Head of Security")
		for p, teams := range map[*testkit.Person]int{owner: 2, host: 1} {
			found := p.Ask(`members(filter: {search: "angstrom"}) { nodes { user { email jobTitle } } }`).OK()
			equalList(t, "found by the new name", found.List("team.members.nodes", "user.email"), "olivia@acme.test")
			equal(t, "changes in the log", count(logged(p), "MEMBER_UPDATED"), teams)
		}
		sorted := host.Ask(`members(orderBy: {field: NAME}) { nodes { version user { email } } }`).OK()
		equalList(t, "by name", sorted.List("team.members.nodes", "user.email"), "olivia@acme.test", "henry@host.test", "mia@host.test")
		equal(t, "version of the member", sorted.Text("team.members.nodes.0.version"), "1")

		update("firstName", "Åsa", "jobTitle", "Head of Security").OK()
		update().OK()
		equal(t, "changes in the log after nothing changed", count(logged(host), "MEMBER_UPDATED"), 1)
		a = update("lastName", "", "firstName", "").OK()
		equal(t, "an empty name", a.Text("updateProfile.user.firstName"), "")
		equal(t, "the job title is as it was", a.Text("updateProfile.user.jobTitle"), "Head of Security")
		equal(t, "the cursor went on", eventCursor(host) == since, false)
		long := strings.Repeat("x", 101)
		equalList(t, "too long", update("firstName", "New", "lastName", long, "jobTitle", long).UserErrors(), "TOO_LONG lastName", "TOO_LONG jobTitle")
		w.Anonymous().Mutate("updateProfile", "", "firstName", "x").Refused("UNAUTHENTICATED")
	})
}

func TestChangesOfOnePersonDoNotBlockOneAnother(t *testing.T) {
	t.Parallel()
	rounds := rounds.Of(t, 12)
	each(t, func(t *testing.T, w *testkit.World) {
		olivia, henry, ann := w.SignUp("olivia@acme.test"), w.SignUp("henry@host.test"), w.SignUp("ann@example.org")
		olivia.JoinAs(ann, "viewer")
		henry.JoinAs(ann, "viewer")
		tries := []func(i int) *testkit.Answer{
			func(int) *testkit.Answer { return signIn(w, "ann@example.org", testkit.Password) },
			func(i int) *testkit.Answer { return ann.Mutate("updateProfile", "", "firstName", "Ann "+itoa(i)) },
			func(i int) *testkit.Answer { return ann.Mutate("updateProfile", "", "lastName", "Other "+itoa(i)) },
			func(int) *testkit.Answer {
				return ann.Mutate("changePassword", "", "currentPassword", testkit.Password, "newPassword", testkit.Password)
			},
		}
		for _, owner := range []*testkit.Person{olivia, henry} {
			id := owner.MemberID("ann@example.org")
			tries = append(tries,
				func(i int) *testkit.Answer {
					return owner.Mutate("setRoles", "", "memberId", id, "permissions", []string{"members.read", []string{"team.read", "roles.read"}[i%2]})
				},
				func(i int) *testkit.Answer {
					return owner.Mutate([]string{"deactivateMember", "reactivateMember"}[i%2], "", "memberId", id)
				})
		}
		together(len(tries), func(i int) {
			for round := range rounds {
				if a := tries[i](round); a.Code() == "INTERNAL" || a.Code() == "TIMEOUT" {
					t.Errorf("try %d: %s", i, a.Raw)
				}
			}
		})
		last := itoa(rounds - 1)
		for _, owner := range []*testkit.Person{olivia, henry} {
			a := owner.Ask(`members(filter: {search: "ann ` + last + ` other ` + last + `"}) { totalCount }`).OK()
			equal(t, "found by the last name", a.Text("team.members.totalCount"), "1")
		}
	})
}
