package invite

import (
	"context"
	"fmt"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/address"
	"github.com/convoke-dev/convoke/internal/auth"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/lifecycle"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/text"
)

// newcomer is what an addressee without a user brings along, checked and
// hashed before the transaction begins, because hashing takes long.
type newcomer struct {
	passwordHash        string
	firstName, lastName string
}

// newcomer checks what a newcomer brings along. It returns nil when somebody is
// signed in, when no password was given, or when a newcomer cannot accept this
// invitation: accept then refuses. It fails with the refusal of the state,
// WEAK_PASSWORD or TOO_LONG.
func (s *Service) newcomer(ctx context.Context, viewer *access.Viewer, i *ent.Invitation, r Acceptance) (*newcomer, error) {
	if viewer != nil || r.Password == "" {
		return nil, nil //nolint:nilnil // no newcomer is the normal answer
	}
	// The state comes before a weak password: nobody needs a better one for a link
	// that is dead.
	if _, denied := lifecycle.Next(lifecycle.Effective(i, s.Now()), lifecycle.Accept); denied != nil {
		return nil, denied
	}
	if open, err := s.forNewcomers(ctx, i); err != nil || !open {
		return nil, err
	}
	n := &newcomer{firstName: i.FirstName, lastName: i.LastName}
	var wrong fault.Errors
	wrong.Add(s.Auth.Hasher.Check(r.Password, "password"))
	for _, name := range []struct {
		field string
		typed *string
		into  *string
	}{{"firstName", r.FirstName, &n.firstName}, {"lastName", r.LastName, &n.lastName}} {
		if name.typed != nil {
			clean, bad := text.Line(*name.typed, name.field)
			wrong.Add(bad)
			*name.into = clean
		}
	}
	if err := wrong.Err(); err != nil {
		return nil, err
	}
	var err error
	n.passwordHash, err = s.Auth.Hasher.Hash(ctx, r.Password)
	return n, err
}

// forNewcomers reports whether a newcomer can accept: only by a mailed link, and
// only for an address without a user.
func (s *Service) forNewcomers(ctx context.Context, i *ent.Invitation) (bool, error) {
	if !i.TokenMailed {
		return false, nil
	}
	known, err := s.hasUser(ctx, i)
	return !known, err
}

// hasUser reports whether there is a user with the invitation's address.
func (s *Service) hasUser(ctx context.Context, i *ent.Invitation) (bool, error) {
	known, err := s.Store.Read().User.Query().Where(user.EmailKey(i.EmailKey)).Exist(ctx)
	if err != nil {
		return false, fmt.Errorf("find the addressee of %s: %w", i.ID, err)
	}
	return known, nil
}

// newUser makes the user of a newcomer.
func (s *Service) newUser(ctx context.Context, tx *store.Tx, i *ent.Invitation, n *newcomer) (*ent.User, error) {
	return s.Auth.CreateUser(ctx, tx, auth.NewUser{
		Address:   address.Address{Typed: i.Email, Key: i.EmailKey},
		FirstName: n.firstName, LastName: n.lastName, JobTitle: i.JobTitle,
		PasswordHash: n.passwordHash, Proof: proofOf(i),
	})
}

// proofOf returns what the link of an invitation proves about its address. One that was
// handed over is trusted on a server without mail, and proves nothing.
func proofOf(i *ent.Invitation) user.EmailProof {
	if i.TokenMailed && i.Delivery != invitation.DeliveryNotRequested {
		return user.EmailProofMail
	}
	return user.EmailProofTrust
}

// welcome signs the user in, with the joined team as the active one. A user
// who was just made also gets an account of their own, if that is the rule.
func (s *Service) welcome(ctx context.Context, a *act.Act, u *ent.User, created bool, teamID string) (*auth.SignedIn, error) {
	if created && s.PersonalAccounts {
		if _, err := s.Auth.OpenPersonalAccount(ctx, a.Tx, u, ""); err != nil {
			return nil, err
		}
	}
	if err := a.Tx.User.UpdateOneID(u.ID).SetActiveTeamID(teamID).Exec(ctx); err != nil {
		return nil, fmt.Errorf("set the active team of %s: %w", u.ID, err)
	}
	return s.Auth.StartSession(ctx, a.Tx, u.ID)
}
