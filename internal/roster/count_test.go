package roster_test

import (
	"context"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/roster"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/testdb"
)

var noon = time.Date(2026, time.March, 14, 12, 0, 0, 0, time.UTC)

func TestCountChangesEachCounterByItsNumber(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		if _, err := store.Migrate(t.Context(), address); err != nil {
			t.Fatal(err)
		}
		s, err := store.Open(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		ctx := access.System(t.Context(), "test")
		change := func(f func(ctx context.Context, tx *store.Tx) error) {
			t.Helper()
			if err := s.InTx(ctx, func(tx *store.Tx) error { return f(ctx, tx) }); err != nil {
				t.Fatal(err)
			}
		}
		change(func(ctx context.Context, tx *store.Tx) error {
			if err := tx.Account.Create().SetID("acc").SetCreatedAt(noon).SetUpdatedAt(noon).SetName("A").SetPreset("teams").Exec(ctx); err != nil {
				return err
			}
			return tx.Team.Create().SetID("team").SetCreatedAt(noon).SetUpdatedAt(noon).SetAccountID("acc").SetName("T").SetActiveMembers(1).Exec(ctx)
		})
		want := roster.Delta{Active: 1}
		for _, d := range []roster.Delta{
			{Active: 2}, {Deactivated: 3}, {Pending: 5}, {Expired: 7}, {All: 11},
			{Active: -1, Deactivated: 1}, {Pending: -2, Expired: 2}, {Pending: 4, Expired: -1, All: 4}, {},
		} {
			change(func(ctx context.Context, tx *store.Tx) error { return roster.Count(ctx, tx, "team", d) })
			want.Active += d.Active
			want.Deactivated += d.Deactivated
			want.Pending += d.Pending
			want.Expired += d.Expired
			want.All += d.All
			team, err := s.Read().Team.Get(ctx, "team")
			if err != nil {
				t.Fatal(err)
			}
			got := roster.Delta{
				Active: team.ActiveMembers, Deactivated: team.DeactivatedMembers,
				Pending: team.PendingInvitations, Expired: team.ExpiredInvitations, All: team.AllInvitations,
			}
			if got != want {
				t.Fatalf("after %+v: got %+v, want %+v", d, got, want)
			}
		}
	})
}
