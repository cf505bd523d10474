package roster

import (
	"context"
	"fmt"

	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/store"
)

// Delta is a change of the counters of a team. A counter goes up by its number,
// or down by a negative one.
type Delta struct {
	Active      int // members
	Deactivated int // members
	Pending     int // invitations that are stored as pending
	Expired     int // invitations that are stored as expired, without superseded ones
	All         int // invitations in any state
}

// Count changes the counters of a team, in the transaction that changes its
// members or invitations. Only the creation of a team writes them elsewhere.
// Lists and limits read the counters and do not count rows.
func Count(ctx context.Context, tx *store.Tx, teamID string, d Delta) error {
	if d == (Delta{}) {
		return nil
	}
	u := tx.Team.UpdateOneID(teamID)
	for _, c := range []struct {
		by  int
		add func(int)
	}{
		{d.Active, func(n int) { u.AddActiveMembers(n) }},
		{d.Deactivated, func(n int) { u.AddDeactivatedMembers(n) }},
		{d.Pending, func(n int) { u.AddPendingInvitations(n) }},
		{d.Expired, func(n int) { u.AddExpiredInvitations(n) }},
		{d.All, func(n int) { u.AddAllInvitations(n) }},
	} {
		if c.by != 0 {
			c.add(c.by)
		}
	}
	if err := u.Exec(access.System(ctx, "keep the counters of a team")); err != nil {
		return fmt.Errorf("count the people of %s: %w", teamID, err)
	}
	return nil
}
