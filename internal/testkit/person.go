package testkit

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// Person is a signed-in user, with the values of their first session.
type Person struct {
	*Client
	w       *World
	Email   string
	Session string // the bearer token
	TeamID  string // the active team of the first session
}

// SignUp signs a user up, verifies the address by the mail's link, and signs them
// in. The team is their own.
func (w *World) SignUp(email string) *Person {
	w.t.Helper()
	const page = "/verify#" // an invitation may come at the same time
	before, _ := w.Mail.to(email, page)
	w.Anonymous().Do(`mutation($input: SignUpInput!) { signUp(input: $input) { verificationSent userErrors { code field } } }`,
		Input("email", email, "password", Password)).OK()
	a := w.Anonymous().Do(`mutation($input: VerifyEmailInput!) {
		verifyEmail(input: $input) { sessionToken viewer { activeTeam { id } } userErrors { code field } } }`,
		Input("token", Token(w.t, w.Mail.wait(w.t, email, len(before)+1, page)), "transport", "BEARER")).OK()
	return w.person(email, a.Text("verifyEmail.sessionToken"), a.Text("verifyEmail.viewer.activeTeam.id"))
}

// SignIn signs a user in by the usual password.
func (w *World) SignIn(email string) *Person {
	w.t.Helper()
	a := w.Anonymous().Do(`mutation($input: SignInInput!) {
		signIn(input: $input) { sessionToken viewer { activeTeam { id } } userErrors { code field } } }`,
		Input("email", email, "password", Password, "transport", "BEARER")).OK()
	return w.person(email, a.Text("signIn.sessionToken"), a.Text("signIn.viewer.activeTeam.id"))
}

func (w *World) person(email, session, teamID string) *Person {
	return &Person{Client: w.WithToken(session), w: w, Email: email, Session: session, TeamID: teamID}
}

// Input returns variables with one input object of these keys and values.
func Input(pairs ...any) map[string]any {
	fields := map[string]any{}
	for pair := range slices.Chunk(pairs, 2) {
		fields[fmt.Sprint(pair[0])] = pair[1]
	}
	return map[string]any{"input": fields}
}

// Role returns the id of a role of the account of the person's team, by its key.
func (p *Person) Role(key string) string {
	p.t.Helper()
	a := p.Do(`query($id: ID!) { team(id: $id) { account { roles { nodes { id key } } } } }`, map[string]any{"id": p.TeamID}).OK()
	for i, k := range a.List("team.account.roles.nodes", "key") {
		if k == key {
			return a.Text(fmt.Sprintf("team.account.roles.nodes.%d.id", i))
		}
	}
	p.t.Fatalf("no role %q: %s", key, a.Raw)
	return ""
}

// InviteMutation is what Invite sends.
const InviteMutation = `mutation($input: InviteUserInput!) { inviteUser(input: $input) {
	invitation { id status email note lastSentAt sendCount expiresAt delivery { status } }
	inviteUrl userErrors { code field message } } }`

// Invite invites an address into the person's team, with a role by its key. More fields
// of the input may follow in pairs.
func (p *Person) Invite(email, role string, more ...any) *Answer {
	p.t.Helper()
	pairs := append([]any{"teamId", p.TeamID, "email", email, "roleIds", []string{p.Role(role)}}, more...)
	return p.Do(InviteMutation, Input(pairs...))
}

// AcceptMutation is what Accept sends.
const AcceptMutation = `mutation($input: AcceptInviteInput!) { acceptInvite(input: $input) {
	alreadyAccepted sessionToken member { id user { email firstName lastName } roles { key } effectivePermissions }
	viewer { user { email } activeTeam { id } } userErrors { code field message } } }`

// Accept accepts by the token. An anonymous client accepts as a newcomer and adds
// a password.
func (c *Client) Accept(invitationToken string, more ...any) *Answer {
	c.t.Helper()
	pairs := append([]any{"token", invitationToken, "transport", "BEARER"}, more...)
	return c.Do(AcceptMutation, Input(pairs...))
}

// Join invites a newcomer with the role, and has them accept by the mail's link.
func (p *Person) Join(email, role string) *Person {
	p.t.Helper()
	p.Invite(email, role).OK()
	token := Token(p.t, p.w.Mail.Wait(p.t, email, 1))
	a := p.w.Anonymous().Accept(token, "password", Password).OK()
	return p.w.person(email, a.Text("acceptInvite.sessionToken"), p.TeamID)
}

// Invitations returns the team's invitations in these states, as
// "email STATUS DELIVERY", newest first.
func (p *Person) Invitations(states ...string) []string {
	p.t.Helper()
	a := p.Do(`query($id: ID!, $filter: InvitationFilter) { team(id: $id) {
		invitations(filter: $filter) { nodes { email status delivery { status } } } } }`,
		map[string]any{"id": p.TeamID, "filter": map[string]any{"status": states}}).OK()
	emails, status := a.List("team.invitations.nodes", "email"), a.List("team.invitations.nodes", "status")
	delivery := a.List("team.invitations.nodes", "delivery.status")
	lines := make([]string, len(emails))
	for i := range lines {
		lines[i] = strings.Join([]string{emails[i], status[i], delivery[i]}, " ")
	}
	return lines
}

// Members returns the addresses of the team's active members, oldest first.
func (p *Person) Members() []string {
	p.t.Helper()
	return p.Do(`query($id: ID!) { team(id: $id) { members(filter: {status: [ACTIVE]}) { nodes { user { email } } } } }`,
		map[string]any{"id": p.TeamID}).OK().List("team.members.nodes", "user.email")
}

// Delivered waits until the delivery of the team's newest invitation to the address
// is SENT.
func (p *Person) Delivered(email string) {
	p.t.Helper()
	Eventually(p.t, func() bool {
		a := p.Do(`query($id: ID!, $filter: InvitationFilter) { team(id: $id) {
			invitations(first: 1, filter: $filter) { nodes { delivery { status } } } } }`,
			map[string]any{"id": p.TeamID, "filter": map[string]any{"search": email}}).OK()
		return a.Text("team.invitations.nodes.0.delivery.status") == "SENT"
	})
}

// Eventually calls yes again and again until it returns true, and fails the test
// when it does not in half a minute.
func Eventually(t testing.TB, yes func() bool) {
	t.Helper()
	EventuallyWithin(t, patience, yes)
}

// EventuallyWithin is Eventually with a time limit of its own.
func EventuallyWithin(t testing.TB, patience time.Duration, yes func() bool) {
	t.Helper()
	late, again := time.After(patience), time.NewTicker(5*time.Millisecond)
	defer again.Stop()
	for !yes() {
		select {
		case <-again.C:
		case <-late:
			t.Fatalf("the condition was still false after %s", patience)
		}
	}
}
