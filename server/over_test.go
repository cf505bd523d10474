package server_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/auth"
	"github.com/convoke-dev/convoke/internal/testdb"
	"github.com/convoke-dev/convoke/internal/testkit"
)

// HARD-20: a session that was refused as idle or as expired stays ended when the clock is set
// back, by each way in which it is refused, and on every node.
func TestARefusedSessionStaysEnded(t *testing.T) { //nolint:tparallel // one story
	t.Parallel()
	const day = 24 * time.Hour
	story := func(t *testing.T, w, there *testkit.World) {
		t.Helper()
		owner := w.SignUp("olivia@acme.test")
		for why, after := range map[string]time.Duration{"idle": 14 * day, "expired": auth.SessionFor} {
			for how, refused := range map[string]func(p *testkit.Person, id string){
				"a request": func(p *testkit.Person, _ string) { ended(t, "the session", p.Client) },
				"a request with the cookie": func(p *testkit.Person, _ string) {
					c := withCookie(w, http.Cookie{Name: "convoke_session", Value: p.Session})
					equal(t, "viewer by the cookie", c.Do(whoAmI, nil).OK().At("viewer"), nil)
				},
				"the watch of sockets": func(_ *testkit.Person, id string) {
					over, err := w.Server.Auth.Ended(t.Context(), []string{id})
					if err != nil || len(over) != 1 {
						t.Errorf("ended: got %q, %v, want the session", over, err)
					}
				},
				"the watch of streams": func(_ *testkit.Person, id string) {
					viewers, err := w.Server.Auth.Viewers(t.Context(), []string{id})
					if err != nil || len(viewers) != 0 {
						t.Errorf("viewers: got %v, %v, want none", viewers, err)
					}
				},
			} {
				p := w.SignIn(owner.Email)
				id := currentSession(p)
				p.Do(whoAmI, nil).OK() // it is in the cache
				w.Clock.Advance(after)
				refused(p, id)
				w.Clock.Advance(-after)
				ended(t, "HARD-20 "+why+", refused by "+how, p.Client)
				ended(t, "HARD-20 "+why+", refused by "+how+", on another node", p.At(there))
			}
		}
	}
	each(t, func(t *testing.T, w *testkit.World) { story(t, w, w) })
	t.Run("on another node", func(t *testing.T) {
		testdb.Postgres(t, func(t *testing.T, address string) {
			w := testkit.New(t, address)
			story(t, w, w.Node())
		})
	})
}

// currentSession returns the id of the person's own session.
func currentSession(p *testkit.Person) string {
	a := p.Do(`{ viewer { sessions { nodes { id current } } } }`, nil).OK()
	for i, current := range a.List("viewer.sessions.nodes", "current") {
		if current == "true" {
			return a.Text("viewer.sessions.nodes." + itoa(i) + ".id")
		}
	}
	return ""
}

// HARD-20: a sign-in that asks for a cookie where none can be set is refused before it makes
// a session; where an answer may become a stream, the cookie comes with its headers.
func TestACookieIsAskedForOnlyWhereItCanBeSet(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		const in = `mutation($input: SignInInput!) { signIn(input: $input) { sessionToken userErrors { code field message } } }`
		input := testkit.Input("email", owner.Email, "password", testkit.Password, "transport", "COOKIE")
		sessions := func() string { return owner.Do(mySessions, nil).OK().Text("viewer.sessions.totalCount") }

		w.Anonymous().Subscribe(in, input).Next().Refused("INVALID_VALUE transport")
		owner.Subscribe(in, input).Next().Refused("INVALID_VALUE transport")
		one := openOne(t, w, owner.Session)
		one.ask("1", in, input)
		one.hears("next", "1", `"code":"INVALID_VALUE"`)
		one.hears("complete", "1", "")
		equal(t, "HARD-20 sessions after sign-ins that were refused", sessions(), "1")

		c, set := browser(t, w)
		c.SubscribeSSE(in, input).Next().OK()
		equal(t, "HARD-20 cookies of an answer in a stream", len(*set), 1)
		equal(t, "viewer", c.Do(whoAmI, nil).OK().Text("viewer.user.email"), owner.Email)
	})
}

// HARD-20: a user who changes the password stays signed in, over every transport.
func TestChangingThePasswordKeepsTheCallerSignedIn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		const change = `mutation($input: ChangePasswordInput!) { changePassword(input: $input) { userErrors { code field message } } }`
		passwords := []string{testkit.Password, newPassword}
		n := 0
		input := func() map[string]any {
			n++
			return testkit.Input("currentPassword", passwords[(n+1)%2], "newPassword", passwords[n%2])
		}
		c, set := browser(t, w)
		signedIn := func() (session string) {
			c.Mutate("signIn", "", "email", owner.Email, "password", passwords[n%2]).OK()
			return (*set)[len(*set)-1].Value
		}
		still := func(how string) {
			t.Helper()
			equal(t, "HARD-20 viewer after the change "+how, c.Do(whoAmI, nil).OK().Text("viewer.user.email"), owner.Email)
		}
		signedIn()
		c.Do(change, input()).OK()
		still("by cookie")
		c.SubscribeSSE(change, input()).Next().OK()
		still("by cookie, answered in a stream")
		c.Do(`mutation($input: ChangePasswordInput!, $next: ChangePasswordInput!) {
			changePassword(input: $input) { userErrors { code } } b: changePassword(input: $next) { userErrors { code } } }`,
			map[string]any{"input": input()["input"], "next": input()["input"]}).OK()
		still("twice in one request")
		session := signedIn()
		w.WithToken(session).Subscribe(change, input()).Next().OK()
		still("over a socket")
		one := openOne(t, w, signedIn())
		one.ask("1", change, input())
		one.hears("next", "1", `"userErrors":[]`)
		still("over a stream of several operations")
		w.WithToken(signedIn()).Do(change, input()).OK()
		still("by token")
	})
}
