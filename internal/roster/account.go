package roster

import (
	"context"
	"fmt"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/account"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/lifecycle"
	"github.com/convoke-dev/convoke/internal/store"
)

// AccountChange is what to change of an account; nil leaves it.
type AccountChange struct {
	AccountID                       string
	Name                            *string
	InvitationTTLHours              *int
	CountPendingAsSeats             *bool
	KeepInvitationsOfRemovedMembers *bool
}

// UpdateAccount changes an account's name and settings. It needs account.update
// account-wide. Beside the refusals of rights it fails with BLANK, TOO_LONG,
// INVALID_VALUE or ACCOUNT_SUSPENDED.
func (s *Service) UpdateAccount(ctx context.Context, c AccountChange) error {
	return s.Door.Do(ctx, act.AccountWide(c.AccountID, access.AccountUpdate), func(ctx context.Context, a *act.Act) error {
		var wrong fault.Errors
		u := a.Tx.Account.UpdateOneID(c.AccountID).AddVersion(1).SetUpdatedAt(s.Now()).
			SetNillableCountPendingAsSeats(c.CountPendingAsSeats).
			SetNillableKeepInvitationsOfRemovedMembers(c.KeepInvitationsOfRemovedMembers)
		if c.Name != nil {
			clean, bad := name(*c.Name)
			wrong.Add(bad)
			u.SetName(clean)
		}
		if h := c.InvitationTTLHours; h != nil {
			wrong.Add(lifecycle.CheckTTL(*h, "invitationTtlHours"))
			u.SetInvitationTTLHours(*h)
		}
		if err := wrong.Err(); err != nil {
			return err
		}
		if err := u.Exec(ctx); err != nil {
			return fmt.Errorf("change account %s: %w", c.AccountID, err)
		}
		return a.Log(ctx, event.AccountUpdated, "", c.AccountID, nil)
	})
}

// Limits is what the operator changes of an account's limits; nil leaves one.
type Limits struct {
	MultiUser             *bool
	MaxTeams              *Limit
	MaxMembersPerTeam     *Limit
	MaxPendingInvitations *Limit
}

// Limit is a most; nil = none.
type Limit struct{ Most *int }

// SetLimits changes an account's limits: the operator's, not a viewer's. What
// is above a lower limit already stays. NOT_FOUND when there is no such account.
func (s *Service) SetLimits(ctx context.Context, accountID string, l Limits) error {
	return s.operate(ctx, accountID, event.AccountUpdated, func(_ *ent.Account, u *ent.AccountUpdateOne) bool {
		u.SetNillableMultiUser(l.MultiUser)
		for _, limit := range []struct {
			to    *Limit
			set   func(int) *ent.AccountUpdateOne
			clear func() *ent.AccountUpdateOne
		}{
			{l.MaxTeams, u.SetMaxTeams, u.ClearMaxTeams},
			{l.MaxMembersPerTeam, u.SetMaxMembersPerTeam, u.ClearMaxMembersPerTeam},
			{l.MaxPendingInvitations, u.SetMaxPendingInvitations, u.ClearMaxPendingInvitations},
		} {
			switch {
			case limit.to == nil:
			case limit.to.Most == nil:
				limit.clear()
			default:
				limit.set(*limit.to.Most)
			}
		}
		return true
	})
}

// Suspend stops an account: it can be looked at, and nothing in it changed. It
// is the operator's. One that is suspended already stays as it is, without an
// event. NOT_FOUND when there is no such account.
func (s *Service) Suspend(ctx context.Context, accountID string) error {
	return s.setStatus(ctx, accountID, account.StatusSuspended, event.AccountSuspended)
}

// Resume lets a suspended account go on. It is the operator's. One that is in
// use stays as it is, without an event. NOT_FOUND when there is no such account.
func (s *Service) Resume(ctx context.Context, accountID string) error {
	return s.setStatus(ctx, accountID, account.StatusActive, event.AccountResumed)
}

func (s *Service) setStatus(ctx context.Context, accountID string, to account.Status, typ event.Type) error {
	return s.operate(ctx, accountID, typ, func(acc *ent.Account, u *ent.AccountUpdateOne) bool {
		u.SetStatus(to)
		return acc.Status != to
	})
}

// operate changes the account and logs the event, unless change says that
// there is nothing to do.
func (s *Service) operate(ctx context.Context, accountID string, typ event.Type, change func(*ent.Account, *ent.AccountUpdateOne) bool) error {
	ctx = access.System(ctx, "the operator changes an account")
	return s.Store.InAccount(ctx, accountID, func(tx *store.Tx) error {
		acc, err := tx.Account.Get(ctx, accountID)
		if _, err := found(acc, err, "account"); err != nil {
			return err
		}
		u := tx.Account.UpdateOneID(accountID).AddVersion(1).SetUpdatedAt(s.Now())
		if !change(acc, u) {
			return nil
		}
		if err := u.Exec(ctx); err != nil {
			return fmt.Errorf("change account %s: %w", accountID, err)
		}
		return s.Events.Append(ctx, tx, accountID, event.Draft{Type: typ, SubjectID: accountID})
	})
}
