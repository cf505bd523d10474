package server

import (
	"context"
	"fmt"
	"strings"

	"github.com/convoke-dev/convoke/ent"
	entevent "github.com/convoke-dev/convoke/ent/event"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/role"
	"github.com/convoke-dev/convoke/ent/team"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/address"
	"github.com/convoke-dev/convoke/internal/auth"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/invite"
	"github.com/convoke-dev/convoke/internal/roster"
	"github.com/convoke-dev/convoke/internal/store"
)

// Values that are the same in every sample.
const (
	sampleAccount  = "Acme"
	sampleTeam     = "Acme Security"
	samplePassword = "correct horse battery staple"
	sampleOwner    = "olivia"
)

// Sample is the demo's account.
type Sample struct {
	AccountName, TeamName, TeamID string
	Password                      string
	People                        []SamplePerson
}

// SamplePerson is a member of the demo's team. Role is the role's name, for people.
type SamplePerson struct{ Email, Role string }

// cast lists the demo's people besides the owner, and what the owner's four invitations
// grant: keys of roles, separated by spaces.
type cast struct {
	people  []part
	invited [4]string
}

// part is a person with a role. A person without a last name is called by the role's
// name.
type part struct{ name, last, role string }

func (p part) email() string { return p.name + "@acme.test" }

// castOf returns the people who show a preset's roles. For a preset that an operator
// has added, there is one person for each role.
func castOf(p access.Preset) (c cast) {
	switch p.Key {
	case "teams":
		c.people = []part{{"adam", "Abbott", "account_admin"}, {"bella", "Brown", "billing"}, {"victor", "Vance", "viewer"}}
		c.invited = [4]string{"installer", "validation", "billing viewer", "member"}
	case "departments":
		c.people = []part{
			{"adam", "Abbott", "manager"},
			{"fiona", "Fox", "finance_manager"},
			{"stan", "Stone", "standard_user"},
			{"victor", "Vance", "viewer"},
			{"lily", "Lane", "limited_user"},
		}
		c.invited = [4]string{"standard_user", "limited_user", "finance_manager", "viewer"}
	case "portal":
		c.people = []part{{"adam", "Abbott", "admin"}, {"uma", "Unger", "user"}}
		c.invited = [4]string{"user", "user", "admin", "user"}
	case "holder":
		c.people = []part{{"frank", "Fuller", "full"}}
	default:
		for _, r := range p.Roles {
			c.people = append(c.people, part{name: r.Key, role: r.Key})
		}
	}
	if c.invited[0] == "" { // one role after another
		for i := range c.invited {
			c.invited[i] = p.Roles[i%len(p.Roles)].Key
		}
	}
	return c
}

// Seed creates the demo's sample account unless it exists: people with the roles of the
// preset, three open invitations and an expired one. It returns the sample with the
// people who are still in its team.
func (s *Server) Seed(ctx context.Context) (Sample, error) {
	ctx = access.System(ctx, "seed the demo")
	owner, err := s.Store.Read().User.Query().Where(user.EmailKey(part{name: sampleOwner}.email())).Only(ctx)
	if ent.IsNotFound(err) {
		owner, err = s.seed(ctx)
	}
	if err != nil {
		return Sample{}, fmt.Errorf("seed: %w", err)
	}
	made, err := s.sample(ctx, owner)
	if err != nil {
		return Sample{}, fmt.Errorf("read the sample: %w", err)
	}
	return made, nil
}

func (s *Server) seed(ctx context.Context) (owner *ent.User, err error) {
	hash, err := s.Auth.Hasher.Hash(ctx, samplePassword)
	if err != nil {
		return nil, err
	}
	c := castOf(s.Roster.Preset)
	var acme *roster.Opened
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		owner, acme, err = s.seedPeople(ctx, tx, c, hash)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("people: %w", err)
	}
	if err := s.seedInvitations(ctx, owner, acme, c); err != nil {
		return nil, fmt.Errorf("invitations: %w", err)
	}
	return owner, nil
}

func (s *Server) seedPeople(ctx context.Context, tx *store.Tx, c cast, hash string) (owner *ent.User, acme *roster.Opened, err error) {
	owner, err = s.seedUser(ctx, tx, part{sampleOwner, "Owens", ""}, "", hash)
	if err != nil {
		return nil, nil, err
	}
	if acme, err = s.Roster.OpenAccount(ctx, tx, owner, sampleAccount, sampleTeam); err != nil {
		return nil, nil, err
	}
	users := []*ent.User{owner}
	for _, p := range c.people {
		roles := rolesOf(acme.Roles, p.role)
		u, err := s.seedUser(ctx, tx, p, roles[0].Name, hash)
		if err != nil {
			return nil, nil, err
		}
		_, err = s.Roster.Admit(ctx, tx, acme.Account, roster.Admission{
			AccountID: acme.Account.ID, TeamID: acme.Team.ID, UserID: u.ID, Grant: access.Grant{Roles: roles},
		})
		if err != nil {
			return nil, nil, err
		}
		users = append(users, u)
	}
	for _, u := range users {
		if err := tx.User.UpdateOne(u).SetActiveTeamID(acme.Team.ID).Exec(ctx); err != nil {
			return nil, nil, err
		}
	}
	return owner, acme, nil
}

func (s *Server) seedUser(ctx context.Context, tx *store.Tx, p part, roleName, hash string) (*ent.User, error) {
	first := strings.ToUpper(p.name[:1]) + p.name[1:]
	if p.last == "" {
		first = roleName
	}
	return s.Auth.CreateUser(ctx, tx, auth.NewUser{
		Address:   address.Address{Typed: p.email(), Key: p.email()},
		FirstName: first, LastName: p.last, PasswordHash: hash,
	})
}

// rolesOf selects roles by their keys, which are separated by spaces.
func rolesOf(roles []*ent.Role, keys string) (found []*ent.Role) {
	for _, k := range strings.Fields(keys) {
		for _, r := range roles {
			if r.Key == k {
				found = append(found, r)
			}
		}
	}
	return found
}

// seedInvitations sends the sample's invitations as the owner, delivers their mails,
// and lets the last one expire.
func (s *Server) seedInvitations(ctx context.Context, owner *ent.User, acme *roster.Opened, c cast) error {
	v, err := s.resolver.Access.Load(ctx, s.Store.Read(), owner.ID)
	if err != nil {
		return err
	}
	var last *invite.Issued
	for i, o := range [len(c.invited)]struct{ email, first, last, note string }{
		{"ines@acme.test", "Ines", "Ivanova", "Welcome! You will look after our installations."},
		{"vera@acme.test", "Vera", "Vogel", ""},
		{"ben@partner.test", "Ben", "Becker", "For the year-end audit."},
		{"late@partner.test", "Lars", "Late", ""},
	} {
		var ids []string
		for _, r := range rolesOf(acme.Roles, c.invited[i]) {
			ids = append(ids, r.ID)
		}
		last, err = s.Invites.Send(access.WithViewer(ctx, v), invite.Offer{
			TeamID: acme.Team.ID, FirstName: o.first, LastName: o.last, Note: o.note, Grant: roster.Wish{RoleIDs: ids}, SendEmail: true,
		}, o.email)
		if err != nil {
			return err
		}
	}
	if s.cfg.Mailbox != nil {
		if err := s.worker.Drain(ctx); err != nil {
			return err
		}
	}
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		return tx.Invitation.UpdateOneID(last.ID).SetExpiresAt(s.now()).Exec(ctx)
	})
	if err != nil {
		return err
	}
	return s.Invites.Sweep(ctx)
}

// sample reads the sample in its current state. It may have been created with another
// preset or renamed, and people may have left or have other roles.
func (s *Server) sample(ctx context.Context, owner *ent.User) (Sample, error) {
	read := s.Store.Read()
	// The owner may have left the team, but the log has the team that they created
	// first.
	opened, err := read.Event.Query().
		Where(entevent.Type(string(event.TeamCreated)), entevent.ActorID(owner.ID)).Order(entevent.ByID()).First(ctx)
	if err != nil {
		return Sample{}, err
	}
	t, err := read.Team.Query().Where(team.ID(opened.TeamID)).WithAccount().Only(ctx)
	if err != nil {
		return Sample{}, err
	}
	// People who accepted an invitation chose their own password, so they are not
	// listed with the sample's.
	invited := user.HasAcceptedInvitationsWith(invitation.TeamID(t.ID))
	members, err := read.Member.Query().
		Where(member.TeamID(t.ID), member.StatusEQ(member.StatusActive), member.HasUserWith(user.Not(invited))).
		WithUser().WithRoles(func(q *ent.RoleQuery) { q.Order(role.ByID()) }).Order(member.ByID()).
		All(ctx)
	if err != nil {
		return Sample{}, err
	}
	found := Sample{AccountName: t.Edges.Account.Name, TeamName: t.Name, TeamID: t.ID, Password: samplePassword}
	for _, m := range members {
		found.People = append(found.People, SamplePerson{Email: m.Edges.User.Email, Role: roleInWords(m)})
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
