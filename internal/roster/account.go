package roster

import (
	"context"
	"fmt"

	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/lifecycle"
)

// AccountChange is a change of an account. A nil field stays as it is.
type AccountChange struct {
	AccountID                       string
	Name                            *string
	InvitationTTLHours              *int
	CountPendingAsSeats             *bool
	KeepInvitationsOfRemovedMembers *bool
}

// UpdateAccount changes an account's name and settings. Needs account.update
// account-wide. Fails like act.AccountWide, and with BLANK, TOO_LONG or
// INVALID_VALUE.
func (s *Service) UpdateAccount(ctx context.Context, c AccountChange) error {
	return s.Door.Do(ctx, act.AccountWide(c.AccountID, access.AccountUpdate), func(ctx context.Context, a *act.Act) error {
		var wrong fault.Errors
		u := a.Tx.Account.UpdateOneID(c.AccountID).AddVersion(1).SetUpdatedAt(s.Now()).
			SetNillableCountPendingAsSeats(c.CountPendingAsSeats).
			SetNillableKeepInvitationsOfRemovedMembers(c.KeepInvitationsOfRemovedMembers)
		if c.Name != nil {
			clean, bad := checkName(*c.Name)
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
