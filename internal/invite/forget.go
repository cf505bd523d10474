package invite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/job"
	"github.com/convoke-dev/convoke/ent/predicate"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/address"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/lifecycle"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/token"
)

// forgetAtOnce is how many invitations one round of ForgetOld looks at.
const forgetAtOnce = 500

// Forget deletes who invitations are for: address, names, job title, note, the queued
// mails, and their traces in the event log. One that is open or expired is revoked
// first, because it could not be resent. The caller has a transaction of all their
// accounts, and a context of the system.
func (s *Service) Forget(ctx context.Context, tx *store.Tx, list ...*ent.Invitation) error {
	ids := make([]string, len(list))
	for n, i := range list {
		ids[n] = i.ID
		if state := lifecycle.Effective(i, s.Now()); state == lifecycle.Pending || state == lifecycle.Expired {
			if _, err := s.revoke(ctx, tx, i, ""); err != nil {
				return err
			}
		}
		if err := s.forget(ctx, tx, i); err != nil {
			return fmt.Errorf("forget invitation %s: %w", i.ID, err)
		}
	}
	if len(list) == 0 {
		return nil
	}
	if _, err := tx.Job.Delete().Where(job.SubjectIDIn(ids...)).Exec(ctx); err != nil {
		return fmt.Errorf("delete the mails of forgotten invitations: %w", err)
	}
	return event.ForgetAddressees(ctx, tx, s.Store.Postgres(), ids...)
}

// forget deletes who one invitation is for, and logs that it has changed.
func (s *Service) forget(ctx context.Context, tx *store.Tx, i *ent.Invitation) error {
	now, nobody := s.Now(), address.Erased(i.ID)
	err := tx.Invitation.UpdateOneID(i.ID).
		SetEmail(nobody).SetEmailKey(nobody).SetFirstName("").SetLastName("").SetJobTitle("").SetNote("").
		SetSortName(nobody).SetSearch(nobody).SetDeliveryError("").SetTokenHash(token.Hash(token.Random(""))).
		SetForgottenAt(now).AddVersion(1).SetUpdatedAt(now).Exec(ctx)
	if err != nil {
		return err
	}
	forgotten := *i
	forgotten.EmailKey = nobody
	return s.Events.Append(ctx, tx, i.AccountID, eventOf(event.InvitationUpdated, &forgotten, "", nil))
}

// ForgetOld forgets the invitations that ended before ForgetAfter; it does nothing when
// that is zero. It acts for nobody. An account that fails does not stop the others; what
// exceeds a round is left to the next one.
func (s *Service) ForgetOld(ctx context.Context) error {
	if s.ForgetAfter == 0 {
		return nil
	}
	ctx = access.System(ctx, "forget the addressees of old invitations")
	before := s.Now().Add(-s.ForgetAfter)
	old, err := s.Store.Read().Invitation.Query().Where(endedBefore(before)...).
		Order(invitation.ByUpdatedAt()).Limit(forgetAtOnce).
		Select(invitation.FieldID, invitation.FieldAccountID).All(ctx)
	if err != nil {
		return fmt.Errorf("find old invitations: %w", err)
	}
	byAccount := map[string][]string{}
	for _, i := range old {
		byAccount[i.AccountID] = append(byAccount[i.AccountID], i.ID)
	}
	var failed []error
	for accountID, ids := range byAccount {
		err := s.Store.InAccount(ctx, accountID, func(tx *store.Tx) error {
			// Meanwhile some may have been resent or deleted.
			due, err := tx.Invitation.Query().Where(invitation.IDIn(ids...)).Where(endedBefore(before)...).All(ctx)
			if err != nil {
				return err
			}
			return s.Forget(ctx, tx, due...)
		})
		if err != nil {
			failed = append(failed, fmt.Errorf("forget old invitations of %s: %w", accountID, err))
		}
	}
	return errors.Join(failed...)
}

// endedBefore picks the invitations that ended before the time and are not forgotten. It has
// an index of its own.
func endedBefore(t time.Time) []predicate.Invitation {
	return []predicate.Invitation{invitation.StatusNEQ(lifecycle.Pending), invitation.ForgottenAtIsNil(), invitation.UpdatedAtLTE(t)}
}
