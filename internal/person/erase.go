// Package person has what concerns all data about one person: erasing it, and exporting it.
// The data lies in the tables of other packages.
package person

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/emailchange"
	"github.com/convoke-dev/convoke/ent/idempotencykey"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/job"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/passwordreset"
	"github.com/convoke-dev/convoke/ent/predicate"
	"github.com/convoke-dev/convoke/ent/session"
	"github.com/convoke-dev/convoke/ent/signup"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/address"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/invite"
	"github.com/convoke-dev/convoke/internal/roster"
	"github.com/convoke-dev/convoke/internal/store"
)

// Service erases and exports.
type Service struct {
	Store   *store.Store
	Roster  *roster.Service
	Invites *invite.Service
	Now     func() time.Time
	// Identified is true for the operator, who makes sure who a person is. A person who asks
	// by themselves needs proof that their address is theirs: see theirs.
	Identified bool
}

// Erase deletes what is known of a user: memberships, sessions, invitations to them,
// mails, address, names and password, in one transaction. The user's row stays, with an
// address that no mail reaches, as the pseudonym in logs and invitations. actorID is the
// user themselves, or empty for the operator. Erasing twice is a success. Fails like
// Roster.Vacate, and with CONFLICT when the person joins, is invited, or changes their
// address or password after u was read.
func (s *Service) Erase(ctx context.Context, u *ent.User, actorID string) error {
	if u.ErasedAt != nil {
		return nil
	}
	ctx = access.System(ctx, "erase a person")
	accounts, err := s.accountsOf(ctx, s.Store.Read(), u)
	if err != nil {
		return err
	}
	return s.Store.InAccounts(ctx, accounts, func(tx *store.Tx) error {
		if err := s.Roster.Vacate(ctx, tx, u.ID, actorID); err != nil {
			return err
		}
		received, err := tx.Invitation.Query().Where(s.receivedBy(u)).Where(invitation.ForgottenAtIsNil()).
			Order(invitation.ByID()).All(ctx)
		if err != nil {
			return fmt.Errorf("find the invitations to %s: %w", u.ID, err)
		}
		if slices.ContainsFunc(received, func(i *ent.Invitation) bool { return !slices.Contains(accounts, i.AccountID) }) {
			return fault.Input(fault.Conflict, "The person was invited meanwhile; try again.")
		}
		if err := s.Invites.Forget(ctx, tx, received...); err != nil {
			return err
		}
		if err := s.eraseUser(ctx, tx, u); err != nil {
			return fmt.Errorf("erase user %s: %w", u.ID, err)
		}
		invited := u.EmailKey
		if !s.theirs(u) {
			invited = "" // the address of no event
		}
		return event.ForgetPerson(ctx, tx, s.Store.Postgres(), u.ID, invited)
	})
}

// theirs reports whether what was sent to the user's address is theirs. Without proof of
// the address, its owner may be somebody else.
func (s *Service) theirs(u *ent.User) bool {
	return s.Identified || u.EmailProof == user.EmailProofMail
}

// receivedBy picks the invitations to a user: those that they have accepted, and those to
// their address that nobody else has accepted, who had the address before.
func (s *Service) receivedBy(u *ent.User) predicate.Invitation {
	accepted := invitation.AcceptedByID(u.ID)
	if !s.theirs(u) {
		return accepted
	}
	return invitation.Or(accepted, invitation.And(invitation.EmailKey(u.EmailKey), invitation.AcceptedByIDIsNil()))
}

// accountsOf returns the accounts whose logs tell of the user's end: those of their
// memberships and of the invitations to them.
func (s *Service) accountsOf(ctx context.Context, client *ent.Client, u *ent.User) ([]string, error) {
	joined, err := client.Member.Query().Where(member.UserID(u.ID)).Select(member.FieldAccountID).Strings(ctx)
	if err != nil {
		return nil, fmt.Errorf("find the accounts of %s: %w", u.ID, err)
	}
	invited, err := client.Invitation.Query().Where(s.receivedBy(u)).Select(invitation.FieldAccountID).Strings(ctx)
	if err != nil {
		return nil, fmt.Errorf("find the accounts that invited %s: %w", u.ID, err)
	}
	return slices.Compact(slices.Sorted(slices.Values(append(joined, invited...)))), nil
}

// eraseUser leaves the pseudonym, and deletes the user's own rows. It changes the user first:
// that waits for everything that refers to the user and is under way, such as a membership,
// so the steps after it see that. CONFLICT when a membership has begun since Vacate, or the
// address or the password has changed since u was read.
func (s *Service) eraseUser(ctx context.Context, tx *store.Tx, u *ent.User) error {
	if erased, err := s.pseudonymize(ctx, tx, u); err != nil || !erased {
		return err
	}
	if left, err := tx.Member.Query().Where(member.UserID(u.ID)).Exist(ctx); err != nil || left {
		if err == nil {
			err = fault.Input(fault.Conflict, "The person has joined a team meanwhile; try again.")
		}
		return err
	}
	signUps, err := tx.SignUp.Query().Where(signup.EmailKey(u.EmailKey)).IDs(ctx)
	if err != nil {
		return err
	}
	ofResets := passwordreset.Or(passwordreset.EmailKey(u.EmailKey), passwordreset.UserID(u.ID))
	resets, err := tx.PasswordReset.Query().Where(ofResets).IDs(ctx)
	if err != nil {
		return err
	}
	changes, err := tx.EmailChange.Query().Where(emailchange.UserID(u.ID)).IDs(ctx)
	if err != nil {
		return err
	}
	subjects := slices.Concat(signUps, resets, changes, []string{u.ID})
	for _, remove := range []func() (int, error){
		func() (int, error) { return tx.Job.Delete().Where(job.SubjectIDIn(subjects...)).Exec(ctx) },
		func() (int, error) { return tx.SignUp.Delete().Where(signup.EmailKey(u.EmailKey)).Exec(ctx) },
		func() (int, error) { return tx.PasswordReset.Delete().Where(ofResets).Exec(ctx) },
		func() (int, error) { return tx.EmailChange.Delete().Where(emailchange.UserID(u.ID)).Exec(ctx) },
		func() (int, error) { return tx.Session.Delete().Where(session.UserID(u.ID)).Exec(ctx) },
		func() (int, error) { return tx.IdempotencyKey.Delete().Where(idempotencykey.ActorID(u.ID)).Exec(ctx) },
	} {
		if _, err := remove(); err != nil {
			return err
		}
	}
	return nil
}

// pseudonymize empties the user's row. erased is false when another call has erased the
// person.
func (s *Service) pseudonymize(ctx context.Context, tx *store.Tx, u *ent.User) (erased bool, err error) {
	now, nobody := s.Now(), address.Erased(u.ID)
	n, err := tx.User.Update().Where(user.ID(u.ID), user.EmailKey(u.EmailKey), user.PasswordHash(u.PasswordHash), user.ErasedAtIsNil()).
		SetEmail(nobody).SetEmailKey(nobody).SetFirstName("").SetLastName("").SetJobTitle("").SetPasswordHash("").
		ClearLastSeenAt().SetActiveTeamID("").SetErasedAt(now).AddVersion(1).SetUpdatedAt(now).Save(ctx)
	if err != nil || n > 0 {
		return err == nil, err
	}
	changed, err := tx.User.Query().Where(user.ID(u.ID), user.ErasedAtIsNil()).Exist(ctx)
	if err == nil && changed {
		err = fault.Input(fault.Conflict, "The person has changed their address or password meanwhile; try again.")
	}
	return false, err
}
