package roster

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/lifecycle"
	"github.com/convoke-dev/convoke/internal/store"
)

func TestCountChangesEachCounterByItsNumber(t *testing.T) {
	t.Parallel()
	eachWorld(t, func(t *testing.T, w world) {
		var want Delta
		for _, d := range []Delta{
			{Active: 2},
			{Deactivated: 3},
			{Pending: 5},
			{Expired: 7},
			{All: 11},
			{Active: -1, Deactivated: 1},
			{Pending: -2, Expired: 2},
			{Pending: 4, Expired: -1, All: 4},
			{},
		} {
			w.change(t, func(ctx context.Context, tx *store.Tx) error { return Count(ctx, tx, "team", d) })
			want.Active += d.Active
			want.Deactivated += d.Deactivated
			want.Pending += d.Pending
			want.Expired += d.Expired
			want.All += d.All
			team, err := w.Store.Read().Team.Get(system(t), "team")
			if err != nil {
				t.Fatal(err)
			}
			got := Delta{
				Active: team.ActiveMembers, Deactivated: team.DeactivatedMembers,
				Pending: team.PendingInvitations, Expired: team.ExpiredInvitations, All: team.AllInvitations,
			}
			if got != want {
				t.Fatalf("after %+v: got %+v, want %+v", d, got, want)
			}
		}
	})
}

// In the team, 2 of 3 invitations that are stored as pending are open.
func TestSeatsLeft(t *testing.T) {
	t.Parallel()
	most := func(n int) *int { return &n }
	eachWorld(t, func(t *testing.T, w world) {
		w.make(t, func(tx *store.Tx) (rows []creation) {
			for n, expires := range []time.Time{noon.Add(time.Hour), noon.Add(time.Second), noon} {
				id := fmt.Sprint("inv", n)
				rows = append(rows, tx.Invitation.Create().SetID(id).SetCreatedAt(noon).SetUpdatedAt(noon).SetAccountID("acc").SetTeamID("team").
					SetEmail(id).SetEmailKey(id).SetTokenHash([]byte(id)).SetStatus(lifecycle.Pending).SetExpiresAt(expires))
			}
			return rows
		})
		for _, c := range []struct {
			limit        *int
			active       int
			countPending bool
			want         *int
		}{
			{nil, 3, false, nil},
			{nil, 3, true, nil},
			{most(5), 3, false, most(2)},
			{most(5), 3, true, most(0)},
			{most(6), 3, true, most(1)},
			{most(4), 4, false, most(0)},
			{most(3), 4, false, most(0)}, // the limit was lowered since
			{most(0), 0, false, most(0)},
			{most(5), 4, true, most(0)},
		} {
			acc := &ent.Account{ID: "acc", MaxMembersPerTeam: c.limit, CountPendingAsSeats: c.countPending}
			team := &ent.Team{ID: "team", ActiveMembers: c.active, DeactivatedMembers: 9, PendingInvitations: 3, ExpiredInvitations: 9}
			var left *int
			var full error
			w.change(t, func(ctx context.Context, tx *store.Tx) (err error) {
				left, err = w.SeatsLeft(ctx, tx, acc, team)
				full = w.CheckSeats(ctx, tx, acc, team)
				return err
			})
			name := fmt.Sprintf("limit %s, %d active, pending count: %t", spellNumber(c.limit), c.active, c.countPending)
			if spellNumber(left) != spellNumber(c.want) {
				t.Errorf("%s: got %s left, want %s", name, spellNumber(left), spellNumber(c.want))
			}
			want := ""
			if c.want != nil && *c.want == 0 {
				want = "SEAT_LIMIT_REACHED"
			}
			if got := refusals(t, full); got != want {
				t.Errorf("%s: got %q, want %q", name, got, want)
			}
		}
	})
}

func spellNumber(n *int) string {
	if n == nil {
		return "none"
	}
	return fmt.Sprint(*n)
}
