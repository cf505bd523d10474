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

// Sweep writes down which invitations have run out, so that it is logged and
// seen live: those of a team in one transaction. Nothing else waits for it. A team
// that fails does not keep the others; more than a batch is left to the next
// round.
func (s *Service) Sweep(ctx context.Context) error {
	ctx = access.System(ctx, "write down expired invitations")
	due, err := s.Store.Read().Invitation.Query().
		Where(lifecycle.Overdue(s.Now())).
		Order(invitation.ByExpiresAt()).Limit(sweepBatch).
		Select(invitation.FieldID, invitation.FieldAccountID, invitation.FieldTeamID).All(ctx)
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	type place struct{ account, team string }
	ids := map[place][]string{}
	for _, i := range due {
		at := place{i.AccountID, i.TeamID}
		ids[at] = append(ids[at], i.ID)
	}
	var failed []error
	for at, ids := range ids {
		err := s.Store.InAccount(ctx, at.account, func(tx *store.Tx) error {
			// Some may have been revoked, resent or deleted meanwhile.
			overdue, err := tx.Invitation.Query().
				Where(invitation.IDIn(ids...), lifecycle.Overdue(s.Now())).
				Order(invitation.ByExpiresAt(), invitation.ByID()).All(ctx)
			if err != nil {
				return err
			}
			return s.expire(ctx, tx, overdue...)
		})
		if err != nil {
			failed = append(failed, fmt.Errorf("sweep %s: %w", at.team, err))
		}
	}
	return errors.Join(failed...)
}
