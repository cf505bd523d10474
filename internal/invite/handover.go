package invite

import (
	"context"
	"fmt"
	"slices"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/roster"
	"github.com/convoke-dev/convoke/internal/store"
)

// handedOverAtOnce is how many invitations one statement hands over.
const handedOverAtOnce = 500

// handOver makes the heir the granter of pending invitations whose granter leaves. What
// the leaving granter could not answer for at this moment stays refused: such an
// invitation is marked as unconfirmed, because the heir may hold what the granter had
// lost. It stays so until somebody who holds all of it confirms it, by Resend or by an
// Update of the grant.
func (s *Service) handOver(ctx context.Context, tx *store.Tx, d roster.Departure, pending []*ent.Invitation) error {
	if len(pending) == 0 {
		return nil
	}
	leaving, err := s.Access.Membership(ctx, tx.Client(), d.TeamID, d.UserID)
	if err != nil && !fault.Is(err, fault.NotFound) { // not found: deactivated, so they hold nothing
		return err
	}
	now := s.Now()
	var events []event.Draft
	for part := range slices.Chunk(pending, handedOverAtOnce) {
		var all, lost []string
		for _, i := range part {
			all = append(all, i.ID)
			if i.UnconfirmedAt == nil && !s.CanResend(leaving, i) {
				lost = append(lost, i.ID)
				events = append(events, eventOf(event.InvitationUpdated, i, d.ActorID, nil))
			}
		}
		err := tx.Invitation.Update().Where(invitation.IDIn(all...)).SetGranterID(d.HeirID).Exec(ctx)
		if err == nil && len(lost) > 0 {
			err = tx.Invitation.Update().Where(invitation.IDIn(lost...)).
				SetUnconfirmedAt(now).AddVersion(1).SetUpdatedAt(now).Exec(ctx)
		}
		if err != nil {
			return fmt.Errorf("hand the invitations of %s over: %w", d.UserID, err)
		}
	}
	return s.Events.Append(ctx, tx, d.AccountID, events...)
}

// vouchedFor reports whether the granter, nil when they have left, answers for the
// invitation at the moment. What it grants must be loaded.
func (s *Service) vouchedFor(granter *access.Membership, i *ent.Invitation) bool {
	return i.UnconfirmedAt == nil && s.CanResend(granter, i)
}
