package invite

import (
	"context"
	"errors"
	"fmt"

	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/lifecycle"
	"github.com/convoke-dev/convoke/internal/store"
)

// sweepBatch is how many invitations one round of the sweep looks at.
const sweepBatch = 500

// Sweep stores which invitations have expired, so that the event log and live
// views show it: those of a team in one transaction. No rule depends on the
// sweep, because every rule compares the expiry itself. Sweep acts for nobody. A
// team that fails does not stop the others; what exceeds a batch is left to the
// next round.
func (s *Service) Sweep(ctx context.Context) error {
	ctx = access.System(ctx, "store which invitations have expired")
	due, err := s.Store.Read().Invitation.Query().
		Where(lifecycle.Overdue(s.Now())).
		Order(invitation.ByExpiresAt()).Limit(sweepBatch).
		Select(invitation.FieldID, invitation.FieldAccountID, invitation.FieldTeamID).All(ctx)
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	type team struct{ accountID, id string }
	byTeam := map[team][]string{}
	for _, i := range due {
		t := team{i.AccountID, i.TeamID}
		byTeam[t] = append(byTeam[t], i.ID)
	}
	var failed []error
	for t, ids := range byTeam {
		err := s.Store.InAccount(ctx, t.accountID, func(tx *store.Tx) error {
			// Meanwhile some may have been revoked, resent or deleted.
			overdue, err := tx.Invitation.Query().
				Where(invitation.IDIn(ids...), lifecycle.Overdue(s.Now())).
				Order(invitation.ByExpiresAt(), invitation.ByID()).All(ctx)
			if err != nil {
				return err
			}
			return s.expire(ctx, tx, overdue...)
		})
		if err != nil {
			failed = append(failed, fmt.Errorf("sweep team %s: %w", t.id, err))
		}
	}
	return errors.Join(failed...)
}
