package roster

import (
	"context"
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
	"github.com/convoke-dev/convoke/internal/uid"
)

// RequestTransfer offers the viewer's ownership of a team to a member of it.
// It fails with UNAUTHENTICATED, NOT_FOUND, with FORBIDDEN for anybody but the
// owner, with CANNOT_ACT_ON_SELF, MEMBER_DEACTIVATED, TRANSFER_PENDING or
// ACCOUNT_SUSPENDED.
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
		transferID, err = s.offer(ctx, a, to)
		return err
	})
	return transferID, err
}

func (s *Service) offer(ctx context.Context, a *act.Act, to *ent.Member) (id string, err error) {
	switch {
	case to.UserID == a.UserID:
		return "", fault.Input(fault.CannotActOnSelf, "You own the team already.", "memberId")
	case to.Status != member.StatusActive:
		return "", fault.Input(fault.MemberDeactivated, "This member is deactivated; reactivate him first.", "memberId")
	}
	open, err := a.Tx.OwnershipTransfer.Query().
		Where(ownershiptransfer.TeamID(to.TeamID), lifecycle.StoredPendingTransfer()).Only(ctx)
	if err != nil && !ent.IsNotFound(err) {
		return "", fmt.Errorf("look for an open transfer of %s: %w", to.TeamID, err)
	}
	if err == nil {
		if lifecycle.IsTransferOpen(open, s.Now()) {
			return "", fault.Input(fault.TransferPending, "The ownership is on offer already; cancel that first.", "memberId")
		}
		if err := s.closeTransfer(ctx, a, open, lifecycle.ExpireTransfer); err != nil {
			return "", err
		}
	}
	now := s.Now()
	t, err := a.Tx.OwnershipTransfer.Create().
		SetID(uid.New(uid.Transfer)).SetCreatedAt(now).SetAccountID(a.Account.ID).SetTeamID(to.TeamID).
		SetFromID(a.Actor.ID).SetToID(to.ID).SetExpiresAt(now.Add(lifecycle.TransferTTL)).
		Save(ctx)
	if err != nil {
		return "", fmt.Errorf("offer team %s: %w", to.TeamID, err)
	}
	return t.ID, a.Log(ctx, event.TransferRequested, t.TeamID, t.ID, parties(t))
}

// parties is the data of an event about a transfer.
func parties(t *ent.OwnershipTransfer) map[string]string {
	return map[string]string{event.MemberID: t.ToID, event.FormerOwner: t.FromID}
}

// onTransfer runs f on an open transfer as it stands in the transaction. allowed
// says who may: FORBIDDEN for others who know of it, NOT_FOUND for the rest.
// TRANSFER_NOT_PENDING when it is not open any more.
func (s *Service) onTransfer(ctx context.Context, id string, action lifecycle.TransferAction, allowed func(*ent.OwnershipTransfer) string, f func(ctx context.Context, a *act.Act, t *ent.OwnershipTransfer) error) error {
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
		if allowed(t) != a.Actor.ID {
			return fault.Refuse(fault.Forbidden, "This is not for you to decide.")
		}
		if _, denied := lifecycle.NextTransfer(lifecycle.EffectiveTransfer(t, s.Now()), action); denied != nil {
			return denied
		}
		return f(ctx, a, t)
	})
}

func offerer(t *ent.OwnershipTransfer) string  { return t.FromID }
func receiver(t *ent.OwnershipTransfer) string { return t.ToID }

// AcceptTransfer makes the viewer the owner of a team that was offered to him.
// The former owner stays, with the admin role of the account's preset. It fails
// with UNAUTHENTICATED, NOT_FOUND, FORBIDDEN, TRANSFER_NOT_PENDING, CONFLICT or
// ACCOUNT_SUSPENDED.
func (s *Service) AcceptTransfer(ctx context.Context, transferID string) error {
	return s.onTransfer(ctx, transferID, lifecycle.AcceptTransfer, receiver, func(ctx context.Context, a *act.Act, t *ent.OwnershipTransfer) error {
		if err := s.closeTransfer(ctx, a, t, lifecycle.AcceptTransfer); err != nil {
			return err
		}
		if err := s.handOver(ctx, a, t); err != nil {
			return err
		}
		return a.Log(ctx, event.TransferAccepted, t.TeamID, t.ID, parties(t))
	})
}

// handOver changes the owner, by compare-and-set on both sides: the index that
// allows one owner would refuse a second one.
func (s *Service) handOver(ctx context.Context, a *act.Act, t *ent.OwnershipTransfer) error {
	if err := s.makeAdmin(ctx, a, t.FromID); err != nil {
		return err
	}
	now := s.Now()
	changed := fault.Input(fault.Conflict, "The team has changed meanwhile; look again.")
	n, err := a.Tx.Member.Update().Where(member.ID(t.FromID), member.IsOwner(true)).
		SetIsOwner(false).AddVersion(1).SetUpdatedAt(now).Save(ctx)
	if err != nil {
		return fmt.Errorf("hand over %s: %w", t.TeamID, err)
	}
	if n == 0 {
		return changed
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
		return changed
	}
	return nil
}

// makeAdmin gives a member the admin role of the account's preset; or every
// permission, where the preset has left the operator's catalogue.
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
		u.RemoveRoles(admin).AddRoles(admin) // once, if he has it already
	}
	if err := u.Exec(ctx); err != nil {
		return fmt.Errorf("make %s an admin: %w", memberID, err)
	}
	return nil
}

// DeclineTransfer is the receiver's no. It fails like AcceptTransfer.
func (s *Service) DeclineTransfer(ctx context.Context, transferID string) error {
	return s.onTransfer(ctx, transferID, lifecycle.DeclineTransfer, receiver, func(ctx context.Context, a *act.Act, t *ent.OwnershipTransfer) error {
		if err := s.closeTransfer(ctx, a, t, lifecycle.DeclineTransfer); err != nil {
			return err
		}
		return a.Log(ctx, event.TransferDeclined, t.TeamID, t.ID, parties(t))
	})
}

// CancelTransfer takes the owner's offer back. It fails like AcceptTransfer.
func (s *Service) CancelTransfer(ctx context.Context, transferID string) error {
	return s.onTransfer(ctx, transferID, lifecycle.CancelTransfer, offerer, s.cancelTransfer)
}

func (s *Service) cancelTransfer(ctx context.Context, a *act.Act, t *ent.OwnershipTransfer) error {
	if err := s.closeTransfer(ctx, a, t, lifecycle.CancelTransfer); err != nil {
		return err
	}
	return a.Log(ctx, event.TransferCanceled, t.TeamID, t.ID, parties(t))
}

// cancelTransfers ends the open transfer that a member who is put on hold or
// leaves was to receive.
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
func (s *Service) closeTransfer(ctx context.Context, a *act.Act, t *ent.OwnershipTransfer, action lifecycle.TransferAction) error {
	to, denied := lifecycle.NextTransfer(t.Status, action)
	if denied != nil {
		return denied
	}
	n, err := a.Tx.OwnershipTransfer.Update().
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
