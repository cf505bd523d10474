package demo

import (
	"context"
	"strings"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/role"
	"github.com/convoke-dev/convoke/ent/team"
	"github.com/convoke-dev/convoke/ent/user"
)

// Values that are the same in every sample.
const (
	sampleAccount  = "Acme"
	sampleTeam     = "Acme Security"
	samplePassword = "correct horse battery staple"
	sampleOwner    = "olivia"
)

// maxShown limits the people of a Sample. They are the first members of the team, so those
// of the cast are among them, however many join later.
const maxShown = 50

// Sample is the demo's account.
type Sample struct {
	AccountName, TeamName, TeamID string
	Password                      string
	People                        []Person
}

// Person is a member of the demo's team. Role is the role's name, for people.
type Person struct{ Email, Role string }

// sample reads the sample in its current state. It may have been created with another
// preset or renamed, and people may have left or have other roles.
func (s *Seeder) sample(ctx context.Context, first *ent.Event) (Sample, error) {
	read := s.Store.Read()
	t, err := read.Team.Query().Where(team.ID(first.TeamID)).WithAccount().Only(ctx)
	if err != nil {
		return Sample{}, err
	}
	// People who accepted an invitation chose their own password, so they are not
	// listed with the sample's.
	invited := user.HasAcceptedInvitationsWith(invitation.TeamID(t.ID))
	members, err := read.Member.Query().
		Where(member.TeamID(t.ID), member.StatusEQ(member.StatusActive), member.HasUserWith(user.Not(invited))).
		WithUser().WithRoles(func(q *ent.RoleQuery) { q.Order(role.ByID()) }).Order(member.ByID()).
		Limit(maxShown).All(ctx)
	if err != nil {
		return Sample{}, err
	}
	found := Sample{AccountName: t.Edges.Account.Name, TeamName: t.Name, TeamID: t.ID, Password: samplePassword}
	for _, m := range members {
		found.People = append(found.People, Person{Email: m.Edges.User.Email, Role: roleInWords(m)})
	}
	return found, nil
}

func roleInWords(m *ent.Member) string {
	if m.IsOwner {
		return "owner"
	}
	names := make([]string, len(m.Edges.Roles))
	for i, r := range m.Edges.Roles {
		names[i] = strings.ToLower(r.Name)
	}
	if len(names) == 0 {
		return "no role"
	}
	return strings.Join(names, ", ")
}
