package testkit

import (
	"fmt"

	"github.com/convoke-dev/convoke/graph"
	"github.com/convoke-dev/convoke/server"
)

// Mutate sends the mutation of that name, with one input of these keys and
// values, and asks for the selection beside the user errors.
func (c *Client) Mutate(mutation, selection string, pairs ...any) *Answer {
	c.t.Helper()
	def := graph.Schema().Mutation.Fields.ForName(mutation)
	if def == nil || len(def.Arguments) != 1 {
		c.t.Fatalf("no mutation %q with one input", mutation)
	}
	return c.Do(fmt.Sprintf(`mutation($input: %s) { %s(input: $input) { %s userErrors { code field message } } }`,
		def.Arguments[0].Type, mutation, selection), Input(pairs...))
}

// Ask sends a query about the person's team: the selection stands below team(id).
func (p *Person) Ask(selection string) *Answer {
	p.t.Helper()
	return p.Do(`query($id: ID!) { team(id: $id) { `+selection+` } }`, map[string]any{"id": p.TeamID})
}

// AccountID returns the id of the account of the person's team.
func (p *Person) AccountID() string {
	p.t.Helper()
	return p.Ask(`account { id }`).OK().Text("team.account.id")
}

// MemberID returns the id of the member with the address, as this person sees the
// team.
func (p *Person) MemberID(email string) string {
	p.t.Helper()
	a := p.Ask(fmt.Sprintf(`members(first: 100, filter: {search: %q}) { nodes { id user { email } } }`, email)).OK()
	for i, found := range a.List("team.members.nodes", "user.email") {
		if found == email {
			return a.Text(fmt.Sprintf("team.members.nodes.%d.id", i))
		}
	}
	p.t.Fatalf("%s is no member: %s", email, a.Raw)
	return ""
}

// JoinWith invites a newcomer with the grant, in pairs of fields of
// InviteUserInput and values, and has them accept by the mail's link.
func (p *Person) JoinWith(email string, grant ...any) *Person {
	p.t.Helper()
	before := len(p.w.Mail.To(email))
	p.Do(InviteMutation, Input(append([]any{"teamId", p.TeamID, "email", email}, grant...)...)).OK()
	token := Token(p.t, p.w.Mail.Wait(p.t, email, before+1))
	a := p.w.Anonymous().Accept(token, "password", Password).OK()
	return p.w.person(email, a.Text("acceptInvite.sessionToken"), p.TeamID)
}

// JoinAs invites a person who has a user already with the role, and has them
// accept.
func (p *Person) JoinAs(other *Person, role string) {
	p.t.Helper()
	before := len(p.w.Mail.To(other.Email))
	p.Invite(other.Email, role).OK()
	other.Accept(Token(p.t, p.w.Mail.Wait(p.t, other.Email, before+1))).OK()
}

// In is the same person, looking at another team.
func (p *Person) In(teamID string) *Person {
	there := *p
	there.TeamID = teamID
	return &there
}

// Preset is the option of a world whose new accounts get the preset's roles.
func Preset(key string) func(*server.Config) {
	return func(c *server.Config) { c.Preset = key }
}
