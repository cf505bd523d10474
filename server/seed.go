package server

import (
	"context"
	"fmt"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/address"
	"github.com/convoke-dev/convoke/internal/auth"
	"github.com/convoke-dev/convoke/internal/invite"
	"github.com/convoke-dev/convoke/internal/roster"
	"github.com/convoke-dev/convoke/internal/store"
)

// Sample is the demo's account.
type Sample struct {
	AccountName, TeamName, TeamID string
	Password                      string
	People                        []SamplePerson
}

// SamplePerson is a member of the demo's team.
type SamplePerson struct{ Email, FirstName, LastName, Role, RoleKey string }

var sample = Sample{
	AccountName: "Acme", TeamName: "Acme Security", Password: "correct horse battery staple",
	People: []SamplePerson{
		{"olivia@acme.test", "Olivia", "Owens", "owner", ""},
		{"adam@acme.test", "Adam", "Abbott", "account admin", "account_admin"},
		{"bella@acme.test", "Bella", "Brown", "billing", "billing"},
		{"victor@acme.test", "Victor", "Vance", "viewer", "viewer"},
	},
}

// Seed makes the demo's sample account, unless it is there already: four
// people, three open invitations and an expired one.
func (s *Server) Seed(ctx context.Context) (Sample, error) {
	ctx = access.System(ctx, "seed the demo")
	made := sample
	owner, err := s.Store.Read().User.Query().Where(user.EmailKey(sample.People[0].Email)).Only(ctx)
	if err == nil {
		made.TeamID = owner.ActiveTeamID
		return made, nil
	}
	if !ent.IsNotFound(err) {
		return made, fmt.Errorf("seed: %w", err)
	}
	hash, err := s.Auth.Hasher.Hash(ctx, sample.Password)
	if err != nil {
		return made, err
	}
	var roles []*ent.Role
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		made.TeamID, roles, err = s.seedPeople(ctx, tx, hash)
		return err
	})
	if err != nil {
		return made, fmt.Errorf("seed people: %w", err)
	}
	if err := s.seedInvitations(ctx, made.TeamID, roles); err != nil {
		return made, fmt.Errorf("seed invitations: %w", err)
	}
	return made, nil
}

func (s *Server) seedPeople(ctx context.Context, tx *store.Tx, hash string) (teamID string, roles []*ent.Role, err error) {
	var acme *roster.Opened
	for i, p := range sample.People {
		u, err := s.Auth.CreateUser(ctx, tx, auth.NewUser{
			Address:   address.Address{Typed: p.Email, Key: p.Email},
			FirstName: p.FirstName, LastName: p.LastName, PasswordHash: hash,
		})
		if err != nil {
			return "", nil, err
		}
		if i == 0 {
			acme, err = s.Roster.OpenAccount(ctx, tx, u, sample.AccountName, sample.TeamName)
		} else {
			_, err = s.Roster.Admit(ctx, tx, acme.Account, roster.Admission{
				AccountID: acme.Account.ID, TeamID: acme.Team.ID, UserID: u.ID,
				Grant: access.Grant{Roles: rolesOf(acme.Roles, p.RoleKey)},
			})
		}
		if err == nil {
			err = tx.User.UpdateOne(u).SetActiveTeamID(acme.Team.ID).Exec(ctx)
		}
		if err != nil {
			return "", nil, err
		}
	}
	return acme.Team.ID, acme.Roles, nil
}

func rolesOf(roles []*ent.Role, keys ...string) (found []*ent.Role) {
	for _, r := range roles {
		for _, k := range keys {
			if r.Key == k {
				found = append(found, r)
			}
		}
	}
	return found
}

// seedInvitations sends the sample's invitations as the owner would, mails
// them, and lets the last one expire.
func (s *Server) seedInvitations(ctx context.Context, teamID string, roles []*ent.Role) error {
	owner, err := s.Store.Read().User.Query().Where(user.EmailKey(sample.People[0].Email)).Only(ctx)
	if err != nil {
		return err
	}
	v, err := s.resolver.Access.Load(ctx, s.Store.Read(), owner.ID)
	if err != nil {
		return err
	}
	var last *invite.Issued
	for _, o := range []struct {
		email, first, last, note string
		roles                    []string
	}{
		{"ines@acme.test", "Ines", "Ivanova", "Welcome! You will look after our installations.", []string{"installer"}},
		{"vera@acme.test", "Vera", "Vogel", "", []string{"validation"}},
		{"ben@partner.test", "Ben", "Becker", "For the year-end audit.", []string{"billing", "viewer"}},
		{"late@partner.test", "Lars", "Late", "", []string{"member"}},
	} {
		var ids []string
		for _, r := range rolesOf(roles, o.roles...) {
			ids = append(ids, r.ID)
		}
		last, err = s.Invites.Send(access.WithViewer(ctx, v), invite.Offer{
			TeamID: teamID, Email: o.email, FirstName: o.first, LastName: o.last, Note: o.note, Grant: roster.Wish{RoleIDs: ids}, SendEmail: true,
		})
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
