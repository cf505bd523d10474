package invite

import (
	"context"
	"errors"
	"fmt"

	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/lifecycle"
)

// capacity reads what limits the new invitations to a team. On a plan for one
// user it reads nothing, because nothing else matters.
func (s *Service) capacity(ctx context.Context, a *act.Act, teamID string) (capacity, error) {
	acc, tx := a.Account, a.Tx
	c := capacity{oneUser: !acc.MultiUser, maxPending: acc.MaxPendingInvitations, reserves: acc.CountPendingAsSeats}
	if c.oneUser {
		return c, nil
	}
	var err error
	if c.maxPending != nil {
		c.pending, err = tx.Invitation.Query().
			Where(invitation.AccountID(acc.ID), lifecycle.Open(s.Now())).Count(ctx)
		if err != nil {
			return c, fmt.Errorf("count the open invitations of %s: %w", acc.ID, err)
		}
	}
	t, err := tx.Team.Get(ctx, teamID)
	if err != nil {
		return c, fmt.Errorf("read team %s: %w", teamID, err)
	}
	c.seats, err = s.Roster.SeatsLeft(ctx, tx, acc, t)
	return c, err
}

// take charges the rate limits for what the plan would send, and returns the
// refusals about single addresses by their index: each resend by itself, and
// each address a new invitation is mailed to. The new invitations count
// together against the budgets of the inviter and the account; when that is too
// much, RATE_LIMITED is the error of the whole call. What was charged before a
// refusal stays charged: a call that the limit of an address refuses has used
// the inviter's budget.
func (s *Service) take(p plan, to []addressee, inviter *access.Membership, mailed bool) (refused map[int]*fault.Error, err error) {
	refused = map[int]*fault.Error{}
	note := func(n int, err error) error {
		var limited *fault.Error
		if errors.As(err, &limited) {
			refused[n] = limited
			return nil
		}
		return err
	}
	for n, d := range p {
		if d.outcome != Resent {
			continue
		}
		if err := note(n, s.takeResend(inviter, to[n].key(), mailed)); err != nil {
			return nil, err
		}
	}
	if err := s.takeSender(inviter, p.count(Invited)); err != nil {
		return nil, err
	}
	for n, d := range p {
		if d.outcome != Invited {
			continue
		}
		if err := note(n, s.takeAddress(to[n].key(), mailed)); err != nil {
			return nil, err
		}
	}
	return refused, nil
}

// takeResend charges one resend. RATE_LIMITED.
func (s *Service) takeResend(inviter *access.Membership, key string, mailed bool) error {
	if err := s.takeSender(inviter, 1); err != nil {
		return err
	}
	return s.takeAddress(key, mailed)
}

// takeSender charges n invitations to the inviter and to the account.
// RATE_LIMITED.
func (s *Service) takeSender(inviter *access.Membership, n int) error {
	if err := s.PerInviter.Take(inviter.UserID, n); err != nil {
		return err
	}
	return s.PerAccount.Take(inviter.AccountID, n)
}

// takeAddress charges one mail to the address. RATE_LIMITED.
func (s *Service) takeAddress(key string, mailed bool) error {
	if !mailed {
		return nil
	}
	return s.PerRecipient.Take("invitation "+key, 1)
}
