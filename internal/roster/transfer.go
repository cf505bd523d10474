package roster

import (
	"context"
	"errors"
	"fmt"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/ownershiptransfer"
	"github.com/convoke-dev/convoke/ent/role"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/lifecycle"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/uid"
)

// transfersPerRound is how many transfers one round of ExpireTransfers looks at.
const transfersPerRound = 100

// RequestTransfer opens a transfer of the ownership to a member of the team. Needs
// the ownership of the team. Fails like act.AsOwner, and with NOT_FOUND,
// CANNOT_ACT_ON_SELF, MEMBER_DEACTIVATED or TRANSFER_PENDING.
func (s *Service) RequestTransfer(ctx context.Context, memberID string) (transferID string, err error) {
	if _, err := access.SignedIn(ctx); err != nil {
		return "", err
	}
	known, err := s.Store.Read().Member.Query().Where(member.ID(memberID)).Only(ctx)
	if known, err = found(known, err, "member"); err != nil {
		return "", err
	}
	err = s.Door.Do(ctx, act.AsOwner(known.AccountID, known.TeamID), func(ctx context.Context, a *act.Act) error {
		to, err := a.Tx.Member.Query().Where(member.ID(memberID)).Only(ctx)
		if to, err = found(to, err, "member"); err != nil {
			return err
		}
		transferID, err = s.createTransfer(ctx, a, to)
		return err
	})
	return transferID, err
}

// createTransfer makes a transfer to the member, and stores that the last one has
// expired.
func (s *Service) createTransfer(ctx context.Context, a *act.Act, to *ent.Member) (id string, err error) {
	switch {
	case to.UserID == a.UserID:
		return "", fault.Input(fault.CannotActOnSelf, "You own the team already.", "memberId")
	case to.Status != member.StatusActive:
		return "", fault.Input(fault.MemberDeactivated, "This member is deactivated. Reactivate them first.", "memberId")
	}
	last, err := a.Tx.OwnershipTransfer.Query().
		Where(ownershiptransfer.TeamID(to.TeamID), lifecycle.StoredPendingTransfer()).Only(ctx)
	if err != nil && !ent.IsNotFound(err) {
		return "", fmt.Errorf("look for an open transfer of %s: %w", to.TeamID, err)
	}
	if err == nil {
		if lifecycle.IsTransferOpen(last, s.Now()) {
			return "", fault.Input(fault.TransferPending, "A transfer of the ownership is open already. Cancel it first.", "memberId")
		}
		if err := s.expireTransfer(ctx, a.Tx, last); err != nil {
			return "", err
		}
	}
	now := s.Now()
	t, err := a.Tx.OwnershipTransfer.Create().
		SetID(uid.New(uid.Transfer)).SetCreatedAt(now).SetAccountID(a.Account.ID).SetTeamID(to.TeamID).
		SetFromID(a.Actor.ID).SetToID(to.ID).SetExpiresAt(now.Add(lifecycle.TransferTTL)).
		Save(ctx)
	if err != nil {
		return "", fmt.Errorf("open a transfer of %s: %w", to.TeamID, err)
	}
	return t.ID, a.Log(ctx, event.TransferRequested, t.TeamID, t.ID, transferData(t))
}

// transferData is the data of an event about a transfer.
func transferData(t *ent.OwnershipTransfer) map[string]string {
	return map[string]string{event.MemberID: t.ToID, event.FormerOwner: t.FromID}
}

// ExpireTransfers stores which transfers have expired, so that the event log and live
// views show it. No rule depends on it, because every rule compares the expiry
// itself. It acts for nobody.
func (s *Service) ExpireTransfers(ctx context.Context) error {
	ctx = access.System(ctx, "store which transfers of ownership have expired")
	due, err := s.Store.Read().OwnershipTransfer.Query().Where(lifecycle.OverdueTransfer(s.Now())).
		Order(ownershiptransfer.ByExpiresAt()).Limit(transfersPerRound).All(ctx)
	if err != nil {
		return fmt.Errorf("find the overdue transfers: %w", err)
	}
	var failed []error
	for _, t := range due {
		err := s.Store.InAccount(ctx, t.AccountID, func(tx *store.Tx) error {
			err := s.expireTransfer(ctx, tx, t)
			if fault.Is(err, fault.TransferNotPending) {
				return nil // meanwhile it has reached another end
			}
			return err
		})
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

func (s *Service) expireTransfer(ctx context.Context, tx *store.Tx, t *ent.OwnershipTransfer) error {
	if err := s.closeTransfer(ctx, tx, t, lifecycle.ExpireTransfer); err != nil {
		return err
	}
	return s.Events.Append(ctx, tx, t.AccountID,
		event.Draft{Type: event.TransferExpired, TeamID: t.TeamID, SubjectID: t.ID, Data: transferData(t)})
}

// onTransfer runs f on an open transfer, read in the transaction. Needs to be the
// member that side returns. Fails like act.AsMember, with NOT_FOUND for viewers
// who may not know of the transfer, FORBIDDEN for others, or
// TRANSFER_NOT_PENDING.
func (s *Service) onTransfer(ctx context.Context, id string, action lifecycle.TransferAction, side func(*ent.OwnershipTransfer) string, f func(ctx context.Context, a *act.Act, t *ent.OwnershipTransfer) error) error {
	if _, err := access.SignedIn(ctx); err != nil {
		return err
	}
	known, err := s.Store.Read().OwnershipTransfer.Query().Where(ownershiptransfer.ID(id)).Only(ctx)
	if known, err = found(known, err, "transfer of ownership"); err != nil {
		return err
	}
	return s.Door.Do(ctx, act.AsMember(known.AccountID, known.TeamID), func(ctx context.Context, a *act.Act) error {
		t, err := a.Tx.OwnershipTransfer.Get(ctx, id)
		if t, err = found(t, err, "transfer of ownership"); err != nil {
			return err
		}
		if side(t) != a.Actor.ID {
			return fault.Refuse(fault.Forbidden, "This transfer is not yours to answer.")
		}
		if _, denied := lifecycle.NextTransfer(lifecycle.EffectiveTransfer(t, s.Now()), action); denied != nil {
			return denied
		}
		return f(ctx, a, t)
	})
}

// The two sides of a transfer, by the ids of their members.
func giver(t *ent.OwnershipTransfer) string    { return t.FromID }
func receiver(t *ent.OwnershipTransfer) string { return t.ToID }

// AcceptTransfer makes the viewer the owner of the team. The former owner stays a
// member, with the admin role of the account's preset. Needs to be the receiver of
// the transfer. Fails like act.AsMember, and with FORBIDDEN, TRANSFER_NOT_PENDING
// or CONFLICT.
func (s *Service) AcceptTransfer(ctx context.Context, transferID string) error {
	return s.onTransfer(ctx, transferID, lifecycle.AcceptTransfer, receiver, func(ctx context.Context, a *act.Act, t *ent.OwnershipTransfer) error {
		if err := s.closeTransfer(ctx, a.Tx, t, lifecycle.AcceptTransfer); err != nil {
			return err
		}
		if err := s.handOver(ctx, a, t); err != nil {
			return err
		}
		return a.Log(ctx, event.TransferAccepted, t.TeamID, t.ID, transferData(t))
	})
}

// handOver changes the owner, by compare-and-set on both members. The former owner
// goes first, because a unique index allows a team one owner. Fails with CONFLICT.
func (s *Service) handOver(ctx context.Context, a *act.Act, t *ent.OwnershipTransfer) error {
	if err := s.makeAdmin(ctx, a, t.FromID); err != nil {
		return err
	}
	now := s.Now()
	n, err := a.Tx.Member.Update().Where(member.ID(t.FromID), member.IsOwner(true)).
		SetIsOwner(false).AddVersion(1).SetUpdatedAt(now).Save(ctx)
	if err != nil {
		return fmt.Errorf("hand over %s: %w", t.TeamID, err)
	}
	if n == 0 {
		return conflict()
	}
	if err := a.Tx.Member.UpdateOneID(t.ToID).ClearDivisions().SetAllowedDomains([]string{}).Exec(ctx); err != nil {
		return fmt.Errorf("hand over %s: lift the restrictions: %w", t.TeamID, err)
	}
	n, err = a.Tx.Member.Update().Where(member.ID(t.ToID), member.StatusEQ(member.StatusActive)).
		SetIsOwner(true).AddVersion(1).SetUpdatedAt(now).Save(ctx)
	if err != nil {
		return fmt.Errorf("hand over %s: %w", t.TeamID, err)
	}
	if n == 0 {
		return conflict()
	}
	return nil
}

// makeAdmin gives a member the admin role of the account's preset, or all
// permissions when the preset is no longer in the operator's catalogue.
func (s *Service) makeAdmin(ctx context.Context, a *act.Act, memberID string) error {
	u := a.Tx.Member.UpdateOneID(memberID).SetUpdatedAt(s.Now())
	preset, err := s.Access.Catalogue.Preset(a.Account.Preset)
	if err != nil {
		u.SetAllPermissions(true)
	} else {
		admin, err := a.Tx.Role.Query().Where(role.AccountID(a.Account.ID), role.Key(preset.Admin)).Only(ctx)
		if err != nil {
			return fmt.Errorf("find the admin role of %s: %w", a.Account.ID, err)
		}
		u.RemoveRoles(admin).AddRoles(admin) // the member may have it already
	}
	if err := u.Exec(ctx); err != nil {
		return fmt.Errorf("make %s an admin: %w", memberID, err)
	}
	return nil
}

// DeclineTransfer refuses the ownership. Needs to be the receiver of the transfer.
// Fails like act.AsMember, and with FORBIDDEN or TRANSFER_NOT_PENDING.
func (s *Service) DeclineTransfer(ctx context.Context, transferID string) error {
	return s.onTransfer(ctx, transferID, lifecycle.DeclineTransfer, receiver, func(ctx context.Context, a *act.Act, t *ent.OwnershipTransfer) error {
		if err := s.closeTransfer(ctx, a.Tx, t, lifecycle.DeclineTransfer); err != nil {
			return err
		}
		return a.Log(ctx, event.TransferDeclined, t.TeamID, t.ID, transferData(t))
	})
}

// CancelTransfer takes a transfer back. Needs to be the owner who requested it.
// Fails like act.AsMember, and with FORBIDDEN or TRANSFER_NOT_PENDING.
func (s *Service) CancelTransfer(ctx context.Context, transferID string) error {
	return s.onTransfer(ctx, transferID, lifecycle.CancelTransfer, giver, s.cancelTransfer)
}

func (s *Service) cancelTransfer(ctx context.Context, a *act.Act, t *ent.OwnershipTransfer) error {
	if err := s.closeTransfer(ctx, a.Tx, t, lifecycle.CancelTransfer); err != nil {
		return err
	}
	return a.Log(ctx, event.TransferCanceled, t.TeamID, t.ID, transferData(t))
}

// cancelTransfers cancels the transfer to a member whose membership ends or is put
// on hold.
func (s *Service) cancelTransfers(ctx context.Context, a *act.Act, m *ent.Member) error {
	open, err := a.Tx.OwnershipTransfer.Query().
		Where(ownershiptransfer.ToID(m.ID), lifecycle.StoredPendingTransfer()).All(ctx)
	if err != nil {
		return fmt.Errorf("look for open transfers to %s: %w", m.ID, err)
	}
	for _, t := range open {
		if err := s.cancelTransfer(ctx, a, t); err != nil {
			return err
		}
	}
	return nil
}

// closeTransfer moves a transfer that is stored as pending to its end, by
// compare-and-set. TRANSFER_NOT_PENDING when it has reached another end.
func (s *Service) closeTransfer(ctx context.Context, tx *store.Tx, t *ent.OwnershipTransfer, action lifecycle.TransferAction) error {
	to, denied := lifecycle.NextTransfer(t.Status, action)
	if denied != nil {
		return denied
	}
	n, err := tx.OwnershipTransfer.Update().
		Where(ownershiptransfer.ID(t.ID), lifecycle.StoredPendingTransfer()).SetStatus(to).Save(ctx)
	if err != nil {
		return fmt.Errorf("close transfer %s: %w", t.ID, err)
	}
	if n == 0 {
		_, denied = lifecycle.NextTransfer(to, action)
		return denied
	}
	return nil
}
