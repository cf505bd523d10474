// Package demo makes the sample account of `convoke demo`, and reads it back.
package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/convoke-dev/convoke/ent"
	entevent "github.com/convoke-dev/convoke/ent/event"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/role"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/address"
	"github.com/convoke-dev/convoke/internal/auth"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/invite"
	"github.com/convoke-dev/convoke/internal/roster"
	"github.com/convoke-dev/convoke/internal/store"
)

// Seeder makes the sample with the verbs of the domain packages.
type Seeder struct {
	Store   *store.Store
	Auth    *auth.Service
	Roster  *roster.Service
	Invites *invite.Service
	Now     func() time.Time
	// Deliver sends the queued mails; nil leaves them to the mail worker.
	Deliver func(context.Context) error
}

// Seed creates the demo's sample account unless it exists: people with the roles of the
// preset, three open invitations and an expired one. A seed that was cut off is completed.
// It returns the sample with the people who are still in its team, and an error instead of
// a sample in which something is missing.
func (s *Seeder) Seed(ctx context.Context) (Sample, error) {
	ctx = access.System(ctx, "seed the demo")
	c := castOf(s.Roster.Preset)
	owner, err := s.Store.Read().User.Query().Where(user.EmailKey(part{name: sampleOwner}.email())).Only(ctx)
	if ent.IsNotFound(err) {
		owner, err = s.openAccount(ctx, c)
	}
	if err != nil {
		return Sample{}, fmt.Errorf("seed people: %w", err)
	}
	first, err := s.firstTeam(ctx, owner)
	if err != nil {
		return Sample{}, fmt.Errorf("read the sample: %w", err)
	}
	if err := s.completeInvitations(ctx, owner, first, c); err != nil {
		return Sample{}, fmt.Errorf("seed invitations: %w", err)
	}
	made, err := s.sample(ctx, first)
	if err != nil {
		return Sample{}, fmt.Errorf("read the sample: %w", err)
	}
	return made, nil
}

// openAccount creates the sample's people and its account, all or nothing.
func (s *Seeder) openAccount(ctx context.Context, c cast) (owner *ent.User, err error) {
	hash, err := s.Auth.Hasher.Hash(ctx, samplePassword)
	if err != nil {
		return nil, err
	}
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		owner, err = s.seedPeople(ctx, tx, c, hash)
		return err
	})
	return owner, err
}

// firstTeam returns the event by which the owner's first team was created. The owner may
// have left the team, but the log keeps its creation.
func (s *Seeder) firstTeam(ctx context.Context, owner *ent.User) (*ent.Event, error) {
	return s.Store.Read().Event.Query().
		Where(entevent.Type(string(event.TeamCreated)), entevent.ActorID(owner.ID)).Order(entevent.ByID()).First(ctx)
}

func (s *Seeder) seedPeople(ctx context.Context, tx *store.Tx, c cast, hash string) (owner *ent.User, err error) {
	owner, err = s.seedUser(ctx, tx, part{sampleOwner, "Owens", ""}, "", hash)
	if err != nil {
		return nil, err
	}
	acme, err := s.Roster.OpenAccount(ctx, tx, owner, sampleAccount, sampleTeam)
	if err != nil {
		return nil, err
	}
	users := []*ent.User{owner}
	for _, p := range c.people {
		roles := rolesOf(acme.Roles, p.role)
		u, err := s.seedUser(ctx, tx, p, roles[0].Name, hash)
		if err != nil {
			return nil, err
		}
		_, err = s.Roster.Admit(ctx, tx, acme.Account, roster.Admission{
			AccountID: acme.Account.ID, TeamID: acme.Team.ID, UserID: u.ID, Grant: access.Grant{Roles: roles},
		})
		if err != nil {
			return nil, err
		}
		users = append(users, u)
	}
	for _, u := range users {
		if err := tx.User.UpdateOne(u).SetActiveTeamID(acme.Team.ID).Exec(ctx); err != nil {
			return nil, err
		}
	}
	return owner, nil
}

func (s *Seeder) seedUser(ctx context.Context, tx *store.Tx, p part, roleName, hash string) (*ent.User, error) {
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

// completeInvitations sends the invitations of the sample that are missing, as the owner,
// delivers their mails, and lets the last one expire. That expiry is in the log of a
// complete sample, and nothing is done then.
func (s *Seeder) completeInvitations(ctx context.Context, owner *ent.User, first *ent.Event, c cast) error {
	complete, err := s.Store.Read().Event.Query().
		Where(entevent.TeamID(first.TeamID), entevent.Type(string(event.InvitationExpired))).Exist(ctx)
	if err != nil || complete {
		return err
	}
	roles, err := s.Store.Read().Role.Query().Where(role.AccountID(first.AccountID)).All(ctx)
	if err != nil {
		return err
	}
	v, err := s.Roster.Access.Load(ctx, s.Store.Read(), owner.ID)
	if err != nil {
		return err
	}
	var last string
	for i, o := range [len(c.invited)]offer{
		{"ines@acme.test", "Ines", "Ivanova", "Welcome! You will look after our installations."},
		{"vera@acme.test", "Vera", "Vogel", ""},
		{"ben@partner.test", "Ben", "Becker", "For the year-end audit."},
		{"late@partner.test", "Lars", "Late", ""},
	} {
		if last, err = s.offered(access.WithViewer(ctx, v), first.TeamID, o, rolesOf(roles, c.invited[i])); err != nil {
			return err
		}
	}
	if s.Deliver != nil {
		if err := s.Deliver(ctx); err != nil {
			return err
		}
	}
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		return tx.Invitation.UpdateOneID(last).SetExpiresAt(s.Now()).Exec(ctx)
	})
	if err != nil {
		return err
	}
	return s.Invites.Sweep(ctx)
}

// offer is one of the sample's invitations.
type offer struct{ email, first, last, note string }

// offered returns the id of the invitation with the offer, and sends it unless an earlier
// seed has. A refusal by a rate limit says which flag to change.
func (s *Seeder) offered(ctx context.Context, teamID string, o offer, roles []*ent.Role) (string, error) {
	id, err := s.Store.Read().Invitation.Query().
		Where(invitation.TeamID(teamID), invitation.EmailKey(o.email)).FirstID(ctx)
	if !ent.IsNotFound(err) {
		return id, err
	}
	var ids []string
	for _, r := range roles {
		ids = append(ids, r.ID)
	}
	sent, err := s.Invites.Send(ctx, invite.Draft{
		TeamID: teamID, FirstName: o.first, LastName: o.last, Note: o.note, Grant: roster.Wish{RoleIDs: ids}, SendEmail: true,
	}, o.email)
	if fault.Is(err, fault.RateLimited) {
		return "", fmt.Errorf("the sample is not complete, because --rate-limits allows fewer invitations than it has: %w", err)
	}
	if err != nil {
		return "", err
	}
	return sent.ID, nil
}
