package server_test

import (
	"net/http"
	"testing"

	"github.com/convoke-dev/convoke/internal/testkit"
)

// HARD-3: a client that signs in over a session overwrites its token, so the session ends,
// with its sockets.
func TestSigningInOverASessionEndsIt(t *testing.T) {
	t.Parallel()
	eachTrusting(t, func(t *testing.T, w *testkit.World, p *testkit.Provider) {
		owner := w.SignUp("olivia@acme.test")
		w.SignUp("otto@acme.test")
		otto := []any{"email", "otto@acme.test", "password", testkit.Password}
		signUp(w, "nina@acme.test", testkit.Password).OK()
		verification := testkit.Token(t, w.Mail.Wait(t, "nina@acme.test", 1))
		reset := resetToken(t, w, "otto@acme.test")
		for _, way := range []struct {
			name string
			in   func(s *surfer) *testkit.Answer
		}{
			{"password", func(s *surfer) *testkit.Answer { return s.Mutate("signIn", "", otto...) }},
			{"password of the same user", func(s *surfer) *testkit.Answer {
				return s.Mutate("signIn", "", "email", "olivia@acme.test", "password", testkit.Password)
			}},
			{"ID token", func(s *surfer) *testkit.Answer {
				return withIDToken(s.Client, p.IDToken("otto@acme.test"), "transport", "COOKIE")
			}},
			{"verification", func(s *surfer) *testkit.Answer { return s.Mutate("verifyEmail", "", "token", verification) }},
			{"reset", func(s *surfer) *testkit.Answer {
				return s.Mutate("resetPassword", "", "token", reset, "newPassword", testkit.Password)
			}},
			{"redirect", func(s *surfer) *testkit.Answer {
				p.Is("otto@acme.test")
				equal(t, "why the sign-in failed", s.signIn(t), "")
				return s.Do(whoAmI, nil)
			}},
		} {
			s := newSurfer(t, w)
			s.Mutate("signIn", "", "email", "olivia@acme.test", "password", testkit.Password).OK()
			old := s.set[len(s.set)-1].Value
			socket := socketOf(t, w, old)
			way.in(s).OK()
			if next := s.set[len(s.set)-1].Value; next == old {
				t.Errorf("HARD-3 %s: the cookie is as it was", way.name)
			}
			ended(t, "HARD-3 the session before the sign-in by "+way.name, w.WithToken(old))
			socket.end("4401 The session has ended")
			s.Do(whoAmI, nil).OK()
		}
		owner.Do(whoAmI, nil).OK() // another session of the same user
	})
}

// HARD-3: a wrong password ends nothing, and what does not overwrite a token ends no session.
func TestSessionsThatASignInKeeps(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		w.SignUp("olivia@acme.test")
		credentials := []any{"email", "olivia@acme.test", "password", testkit.Password}
		c, set := browser(t, w)
		c.Mutate("signIn", "", credentials...).OK()
		cookie := *(*set)[0]
		c.Mutate("signIn", "", "email", "olivia@acme.test", "password", "wrong").Refused("INVALID_CREDENTIALS")
		in := c.Mutate("signIn", "sessionToken", append(credentials, "transport", "BEARER")...).OK()
		withCookie(w, cookie).Do(whoAmI, nil).OK().Text("viewer.user.email")
		bearer := w.WithToken(in.Text("signIn.sessionToken"))
		bearer.Mutate("signIn", "", credentials...).OK() // a cookie beside the token
		bearer.Do(whoAmI, nil).OK()

		next := bearer.Mutate("signIn", "sessionToken", append(credentials, "transport", "BEARER")...).OK().Text("signIn.sessionToken")
		ended(t, "HARD-3 the session of the token that was sent along", bearer)
		w.WithToken(next).Do(whoAmI, nil).OK()

		// A cookie that is overwritten ends, also when a token says who asks.
		both := w.WithHTTP(&http.Client{Transport: onRequest(func(r *http.Request) {
			r.AddCookie(&cookie)
			r.Header.Set("Authorization", "Bearer "+next)
		})})
		both.Mutate("signIn", "", credentials...).OK()
		equal(t, "viewer by the cookie that was overwritten", withCookie(w, cookie).Do(whoAmI, nil).OK().At("viewer"), nil)
		w.WithToken(next).Do(whoAmI, nil).OK()

		// Of several sign-ins in one request, the browser keeps the last.
		c.Do(whoAmI, nil).OK() // and forgets the cookie that has ended
		*set = nil
		c.Do(`mutation($input: SignInInput!) { a: signIn(input: $input) { userErrors { code } } b: signIn(input: $input) { userErrors { code } } }`,
			testkit.Input(credentials...)).OK()
		equal(t, "cookies", len(*set), 2)
		ended(t, "the first of two", w.WithToken((*set)[0].Value))
		c.Do(whoAmI, nil).OK().Text("viewer.user.email")
	})
}

// HARD-3: changing the password by cookie keeps the socket and the streams of that browser;
// those of other sessions end.
func TestABrowserKeepsItsSocketWhenItChangesThePassword(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		c, set := browser(t, w)
		c.Mutate("signIn", "", "email", "olivia@acme.test", "password", testkit.Password).OK()
		old := (*set)[0].Value
		mine, others := socketOf(t, w, old), socketOf(t, w, owner.Session)
		mine.ask("1", `subscription { viewerAccessChanged { type } }`, nil)
		stream := w.WithToken(old).SubscribeSSE(watch, map[string]any{"team": owner.TeamID, "after": eventCursor(owner)})

		c.Mutate("changePassword", "", "currentPassword", testkit.Password, "newPassword", newPassword).OK()
		others.end("4401 The session has ended")
		ended(t, "HARD-3 the token from before", w.WithToken(old))
		mine.quiet()
		mine.ask("2", whoAmI, nil)
		mine.hear(`/\{"id":"2","type":"next","payload":\{"data":\{"viewer":\{"user":\{"email":"olivia@acme.test"\}\}\}.*\}/`)
		mine.hear(`{"id":"2","type":"complete"}`)
		p := *owner
		p.Client = c
		p.Invite("ann@example.org", "viewer").OK()
		equal(t, "the stream goes on", seen(stream.Next()), "CREATED ann@example.org")
	})
}
