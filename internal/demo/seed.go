// Package demo makes the sample account of `convoke demo`, and reads it back.
package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/address"
	"github.com/convoke-dev/convoke/internal/auth"
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
// preset, three open invitations and an expired one. It returns the sample with the
// people who are still in its team.
func (s *Seeder) Seed(ctx context.Context) (Sample, error) {
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

func (s *Seeder) seed(ctx context.Context) (owner *ent.User, err error) {
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

func (s *Seeder) seedPeople(ctx context.Context, tx *store.Tx, c cast, hash string) (owner *ent.User, acme *roster.Opened, err error) {
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

// seedInvitations sends the sample's invitations as the owner, delivers their mails,
// and lets the last one expire.
func (s *Seeder) seedInvitations(ctx context.Context, owner *ent.User, acme *roster.Opened, c cast) error {
	v, err := s.Roster.Access.Load(ctx, s.Store.Read(), owner.ID)
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
		last, err = s.Invites.Send(access.WithViewer(ctx, v), invite.Draft{
			TeamID: acme.Team.ID, FirstName: o.first, LastName: o.last, Note: o.note, Grant: roster.Wish{RoleIDs: ids}, SendEmail: true,
		}, o.email)
		if err != nil {
			return err
		}
	}
	if s.Deliver != nil {
		if err := s.Deliver(ctx); err != nil {
			return err
		}
	}
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		return tx.Invitation.UpdateOneID(last.ID).SetExpiresAt(s.Now()).Exec(ctx)
	})
	if err != nil {
		return err
	}
	return s.Invites.Sweep(ctx)
}
