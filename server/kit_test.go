package server_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/testdb"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/server"
)

// each runs the story on both databases, each in a world of its own.
func each(t *testing.T, story func(t *testing.T, w *testkit.World)) {
	t.Helper()
	testdb.Each(t, func(t *testing.T, address string) {
		t.Helper()
		story(t, testkit.New(t, address))
	})
}

// eachWith is each, with one setting changed.
func eachWith(t *testing.T, option func(*server.Config), story func(t *testing.T, w *testkit.World)) {
	t.Helper()
	testdb.Each(t, func(t *testing.T, address string) {
		t.Helper()
		story(t, testkit.New(t, address, option))
	})
}

// noPersonalAccounts makes newcomers members of the team they join, and of no
// other.
func noPersonalAccounts(c *server.Config) { c.PersonalAccounts = false }

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func equalList(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// inOrder sorts a list that the server returns in any order.
func inOrder(list []string) []string { return slices.Sorted(slices.Values(list)) }

func count(list []string, what string) (n int) {
	for _, s := range list {
		if s == what {
			n++
		}
	}
	return n
}

// ended fails the test unless the session with the token has ended.
func ended(t *testing.T, what string, c *testkit.Client) {
	t.Helper()
	a := c.Do(whoAmI, nil)
	equal(t, what+": status", a.Status, http.StatusUnauthorized)
	equal(t, what+": code", a.Code(), "UNAUTHENTICATED")
}

// endsWith fails unless the error with the code is all that comes before the
// stream's end.
func endsWith(t *testing.T, s *testkit.Stream, code string) {
	t.Helper()
	if rest := s.Ended(); len(rest) != 1 || rest[0].Code() != code {
		t.Errorf("before the end came %d answers, want one, %s", len(rest), code)
	}
}

// outcome is "in" for an answer without errors, else the first error.
func outcome(a *testkit.Answer) string {
	if code := a.Code(); code != "" {
		return code
	}
	if errs := a.UserErrors(); len(errs) > 0 {
		return errs[0]
	}
	return "in"
}

// together calls f n times at once and waits for all of them.
func together(n int, f func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	wg.Wait()
}

func itoa(i int) string { return strconv.Itoa(i) }

// onRequest is a transport that changes every request.
type onRequest func(*http.Request)

func (f onRequest) RoundTrip(r *http.Request) (*http.Response, error) {
	f(r)
	return http.DefaultTransport.RoundTrip(r)
}

// onAnswer is a transport that calls the function with every response.
type onAnswer func(*http.Response)

func (f onAnswer) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(r)
	if err == nil {
		f(res)
	}
	return res, err
}

// page is an answer to an HTTP request, read to its end.
type page struct {
	status  int
	header  http.Header
	cookies int
	body    string
}

// fetch sends a request without a body.
func fetch(t *testing.T, method, url string) page {
	t.Helper()
	return send(t, method, url, "")
}

// send sends a request with a body and headers in pairs.
func send(t *testing.T, method, url, body string, header ...string) page {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return page{status: res.StatusCode, header: res.Header, cookies: len(res.Cookies()), body: string(text)}
}

// browser is a client with a cookie jar, and all cookies the server has set.
func browser(t *testing.T, w *testkit.World) (c *testkit.Client, set *[]*http.Cookie) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	set = &[]*http.Cookie{}
	return w.WithHTTP(&http.Client{Jar: jar, Transport: onAnswer(func(r *http.Response) { *set = append(*set, r.Cookies()...) })}), set
}

// withCookie is a client that sends that cookie and nothing else.
func withCookie(w *testkit.World, cookie http.Cookie) *testkit.Client {
	return w.WithHTTP(&http.Client{Transport: onRequest(func(r *http.Request) { r.AddCookie(&cookie) })})
}

const (
	newPassword = "a password nobody has guessed yet"
	whoAmI      = `{ viewer { user { email } } }`
)

func signUp(w *testkit.World, email, password string) *testkit.Answer {
	return w.Anonymous().Do(`mutation($input: SignUpInput!) { signUp(input: $input) { verificationSent userErrors { code field message } } }`,
		testkit.Input("email", email, "password", password))
}

func verify(w *testkit.World, secret string) *testkit.Answer {
	return w.Anonymous().Do(`mutation($input: VerifyEmailInput!) { verifyEmail(input: $input) { sessionToken userErrors { code field message } } }`,
		testkit.Input("token", secret, "transport", "BEARER"))
}

func signIn(w *testkit.World, email, password string) *testkit.Answer {
	return w.Anonymous().Do(`mutation($input: SignInInput!) { signIn(input: $input) {
		sessionToken viewer { user { email } } userErrors { code field message } } }`,
		testkit.Input("email", email, "password", password, "transport", "BEARER"))
}

func requestReset(c *testkit.Client, email string) *testkit.Answer {
	return c.Mutate("requestPasswordReset", "resetSent", "email", email)
}

func resetPassword(c *testkit.Client, secret, password string, more ...any) *testkit.Answer {
	return c.Mutate("resetPassword", "sessionToken expiresAt viewer { user { email } }",
		append([]any{"token", secret, "newPassword", password, "transport", "BEARER"}, more...)...)
}

// resetToken asks for a reset and returns the token out of its mail.
func resetToken(t *testing.T, w *testkit.World, email string) string {
	t.Helper()
	next := len(w.Mail.To(email)) + 1
	requestReset(w.Anonymous(), email).OK()
	return testkit.Token(t, w.Mail.Wait(t, email, next))
}

// newSession signs the person in once more, elsewhere, and returns the id of
// the session.
func newSession(p *testkit.Person) string {
	return p.Elsewhere().Do(`mutation($input: SignInInput!) { signIn(input: $input) { viewer { sessions(first: 1) { nodes { id } } } userErrors { code } } }`,
		testkit.Input("email", p.Email, "password", testkit.Password, "transport", "BEARER")).OK().Text("signIn.viewer.sessions.nodes.0.id")
}

func revoke(p *testkit.Person, id string) *testkit.Answer {
	return p.Do(`mutation($input: RevokeInviteInput!) { revokeInvite(input: $input) {
		invitation { status } userErrors { code field message } } }`, testkit.Input("invitationId", id))
}

func resend(p *testkit.Person, id string) *testkit.Answer {
	return p.Do(`mutation($input: ResendInviteInput!) { resendInvite(input: $input) {
		invitation { id sendCount status } inviteUrl userErrors { code field message } } }`, testkit.Input("invitationId", id))
}

func decline(c *testkit.Client, secret string) *testkit.Answer {
	return c.Do(`mutation($input: DeclineInviteInput!) { declineInvite(input: $input) {
		invitation { status team { name } } userErrors { code field message } } }`, testkit.Input("token", secret))
}

func token(invitationToken string) map[string]any { return map[string]any{"token": invitationToken} }

// tokenOf returns the token of an invitation's link.
func tokenOf(t *testing.T, link string) string {
	t.Helper()
	_, secret, found := strings.Cut(link, "/accept#")
	if !found {
		t.Fatalf("no link: %q", link)
	}
	return secret
}

const preview = `query($token: String!) { invitationByToken(token: $token) {
	teamName accountName inviterName maskedEmail roleNames status expiresAt nextStep } }`

// addresses returns n addresses that begin with the prefix.
func addresses(prefix string, n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = prefix + itoa(i) + "@example.org"
	}
	return list
}

// inviteAll invites many addresses with one grant.
func inviteAll(p *testkit.Person, emails []string, more ...any) *testkit.Answer {
	return p.Mutate("inviteUsers", `invitedCount results { email outcome invitation { id status delivery { status } roles { key } } inviteUrl userErrors { code field } }`,
		append([]any{"teamId", p.TeamID, "emails", emails}, more...)...)
}

// results are the outcomes by address, each as "email OUTCOME CODE field" without
// its empty parts.
func results(a *testkit.Answer) []string {
	lines := a.List("inviteUsers.results", "email")
	for i := range lines {
		at := fmt.Sprintf("inviteUsers.results.%d.", i)
		lines[i] = strings.Join(strings.Fields(strings.Join([]string{
			lines[i], a.Text(at + "outcome"), a.Text(at + "userErrors.0.code"),
			strings.Join(a.List(at+"userErrors.0.field", ""), "."),
		}, " ")), " ")
	}
	return lines
}

// onMember sends a mutation about a member, with more fields of its input in
// pairs.
func onMember(p *testkit.Person, mutation, memberID string, more ...any) *testkit.Answer {
	selection := memberFields
	if mutation == "removeMember" {
		selection = "removedMemberId"
	}
	return p.Mutate(mutation, selection, append([]any{"memberId", memberID}, more...)...)
}

// onTeam sends a mutation about p's team.
func onTeam(p *testkit.Person, mutation string, more ...any) *testkit.Answer {
	selection := map[string]string{
		"leaveTeam": "removedMemberId", "deleteTeam": "deletedTeamId", "updateTeam": "team { name }",
		"setActiveTeam": "viewer { activeTeam { id name } }",
	}[mutation]
	return p.Mutate(mutation, selection, append([]any{"teamId", p.TeamID}, more...)...)
}

// newTeam makes a team in the account of p's team.
func newTeam(p *testkit.Person, name string) *testkit.Answer {
	return p.Mutate("createTeam", "team { id name isDefault owner { user { email } } members { totalCount } }",
		"accountId", p.AccountID(), "name", name)
}

func newRole(p *testkit.Person, key string, permissions ...string) (id string) {
	return p.Mutate("createRole", "role { id }", "accountId", p.AccountID(), "key", key, "name", "The "+key,
		"permissions", append([]string{}, permissions...)).
		OK().Text("createRole.role.id")
}

func newGroup(p *testkit.Person, name string, roleIDs ...string) (id string) {
	return p.Mutate("createGroup", "group { id }", "accountId", p.AccountID(), "name", name, "roleIds", append([]string{}, roleIDs...)).
		OK().Text("createGroup.group.id")
}

func newDivision(p *testkit.Person, name, parentID string) (id string) {
	pairs := []any{"accountId", p.AccountID(), "name", name}
	if parentID != "" {
		pairs = append(pairs, "parentId", parentID)
	}
	return p.Mutate("createDivision", "division { id }", pairs...).OK().Text("createDivision.division.id")
}

func userID(p *testkit.Person) string {
	return p.Do(`{ viewer { user { id } } }`, nil).OK().Text("viewer.user.id")
}

// roleKeys returns the keys of a member's roles, as p sees them.
func roleKeys(p *testkit.Person, email string) []string {
	a := p.Do(`query($id: ID!) { node(id: $id) { ... on Member { roles { key } } } }`, map[string]any{"id": p.MemberID(email)}).OK()
	return inOrder(a.List("node.roles", "key"))
}

// inStates returns how many people of p's team are "active invited expired
// deactivated". The counts and the lists must agree.
func inStates(t *testing.T, p *testkit.Person) string {
	t.Helper()
	a := p.Ask(`counts { active invited expired deactivated }
		active: people(filter: {status: [ACTIVE]}) { totalCount nodes { __typename } }
		invited: people(filter: {status: [INVITED]}) { totalCount nodes { __typename } }
		expired: people(filter: {status: [EXPIRED]}) { totalCount nodes { __typename } }
		deactivated: people(filter: {status: [DEACTIVATED]}) { totalCount nodes { __typename } }`).OK()
	all := ""
	for _, state := range []string{"active", "invited", "expired", "deactivated"} {
		n := a.Text("team.counts." + state)
		equal(t, state+" people", a.Text("team."+state+".totalCount"), n)
		equal(t, state+" people listed", itoa(len(a.List("team."+state+".nodes", "__typename"))), n)
		all += n + " "
	}
	return all[:len(all)-1]
}

// may reports whether p may do the task.
func may(p *testkit.Person, permission string, more ...any) bool {
	return decision(p, permission, more...).OK().At("accessDecision.allowed") == true
}

// allowed returns which tasks of the whole catalogue p may do, by one query.
func allowed(p *testkit.Person) (keys []string) {
	var inputs []any
	all := inOrder(catalogue(p))
	for _, key := range all {
		inputs = append(inputs, map[string]any{"teamId": p.TeamID, "permission": key})
	}
	a := p.Do(`query($inputs: [AccessDecisionInput!]!) { accessDecisions(inputs: $inputs) { allowed } }`, map[string]any{"inputs": inputs}).OK()
	for i, yes := range a.List("accessDecisions", "allowed") {
		if yes == "true" {
			keys = append(keys, all[i])
		}
	}
	return keys
}

// catalogue returns all permissions there are.
func catalogue(p *testkit.Person) (all []string) {
	a := p.Do(`{ permissions { permissions { key } } }`, nil).OK()
	for i := range a.List("permissions", "key") {
		all = append(all, a.List("permissions."+itoa(i)+".permissions", "key")...)
	}
	return all
}

// logged returns the types of the account's events, the newest first.
func logged(p *testkit.Person) []string {
	return p.Ask(`account { auditLog { nodes { type } } }`).OK().List("team.account.auditLog.nodes", "type")
}

func eventCursor(p *testkit.Person) string {
	return p.Do(`query($id: ID!) { team(id: $id) { eventCursor } }`, map[string]any{"id": p.TeamID}).OK().Text("team.eventCursor")
}

// patience is how long a test waits for something that should come at once.
const patience = 30 * time.Second

const watch = `subscription($team: ID!, $after: EventCursor) { inviteStatusChanged(teamId: $team, after: $after) {
	cursor type at previousStatus invitation { id email status delivery { status error } } member { user { email } } } }`

func seen(a *testkit.Answer) string {
	return a.Text("inviteStatusChanged.type") + " " + a.Text("inviteStatusChanged.invitation.email")
}

// subscriber opens a subscription, in one way or another.
type subscriber func(c *testkit.Client, query string, variables map[string]any) *testkit.Stream

// follow runs the story over a socket and over server-sent events. On PostgreSQL
// it also runs it with the subscriptions on another node than the changes; there
// is that node.
func follow(t *testing.T, story func(t *testing.T, w, there *testkit.World, subscribe subscriber)) {
	t.Helper()
	for name, subscribe := range map[string]subscriber{"socket": (*testkit.Client).Subscribe, "sse": (*testkit.Client).SubscribeSSE} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, w *testkit.World) { story(t, w, w, subscribe) })
			t.Run("BEY-30 on another node", func(t *testing.T) {
				testdb.Postgres(t, func(t *testing.T, address string) {
					w := testkit.New(t, address)
					there := w.Node()
					story(t, w, there, func(c *testkit.Client, query string, variables map[string]any) *testkit.Stream {
						return subscribe(c.At(there), query, variables)
					})
				})
			})
		})
	}
}

// onBothTransports follows the invitations of a team: see follow.
func onBothTransports(t *testing.T, story func(t *testing.T, w *testkit.World, subscribe func(*testkit.Person, map[string]any) *testkit.Stream)) {
	t.Helper()
	follow(t, func(t *testing.T, w, _ *testkit.World, subscribe subscriber) {
		story(t, w, func(p *testkit.Person, v map[string]any) *testkit.Stream { return subscribe(p.Client, watch, v) })
	})
}
