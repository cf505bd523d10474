package lifecycle_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/predicate"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/lifecycle"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/testdb"
)

// eachDatabase runs the test on a database with an invitation and a transfer in
// every state that is stored.
func eachDatabase(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Helper()
	testdb.Each(t, func(t *testing.T, address string) {
		s := testdb.Open(t, address)
		ctx := access.System(t.Context(), "test")
		err := s.InTx(ctx, func(tx *store.Tx) error {
			rows := []interface{ Exec(context.Context) error }{
				tx.Account.Create().SetID("acc").SetCreatedAt(end).SetUpdatedAt(end).SetName("A").SetPreset("teams"),
				tx.Team.Create().SetID("team").SetCreatedAt(end).SetUpdatedAt(end).SetAccountID("acc").SetName("T"),
			}
			for _, id := range []string{"from", "to"} {
				rows = append(rows,
					tx.User.Create().SetID(id).SetCreatedAt(end).SetUpdatedAt(end).SetEmail(id).SetEmailKey(id).SetEmailVerifiedAt(end),
					tx.Member.Create().SetID(id).SetCreatedAt(end).SetUpdatedAt(end).SetAccountID("acc").SetTeamID("team").SetUserID(id))
			}
			for _, status := range states {
				rows = append(rows, tx.Invitation.Create().SetID(status.String()).SetCreatedAt(end).SetUpdatedAt(end).SetAccountID("acc").SetTeamID("team").
					SetEmail(status.String()).SetEmailKey(status.String()).SetTokenHash([]byte(status)).SetStatus(status).SetExpiresAt(end))
			}
			for _, status := range transferStates {
				rows = append(rows, tx.OwnershipTransfer.Create().SetID(status.String()).SetCreatedAt(end).SetAccountID("acc").SetTeamID("team").
					SetFromID("from").SetToID("to").SetStatus(status).SetExpiresAt(end))
			}
			for _, row := range rows {
				if err := row.Exec(ctx); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		test(t, s)
	})
}

// picked returns the ids of the rows that the function picks, sorted.
func picked[T any](rows []T, id func(T) string, holds func(T) bool) []string {
	ids := []string{}
	for _, row := range rows {
		if holds(row) {
			ids = append(ids, id(row))
		}
	}
	slices.Sort(ids)
	return ids
}

func TestAnInvitationsFunctionsAndPredicatesAgree(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		ctx := access.System(t.Context(), "test")
		id := func(i *ent.Invitation) string { return i.ID }
		all, err := s.Read().Invitation.Query().All(ctx)
		if err != nil || len(all) != len(states) {
			t.Fatalf("%d invitations, %v; want %d", len(all), err, len(states))
		}
		for _, m := range moments {
			type rule struct {
				name  string
				sql   predicate.Invitation
				holds func(*ent.Invitation) bool
			}
			rules := []rule{
				{"open", lifecycle.Open(m.at), func(i *ent.Invitation) bool { return lifecycle.IsOpen(i, m.at) }},
				{"overdue", lifecycle.Overdue(m.at), func(i *ent.Invitation) bool { return lifecycle.IsOverdue(i, m.at) }},
				{"stored as pending", lifecycle.StoredPending(), func(i *ent.Invitation) bool { return i.Status == lifecycle.Pending }},
				{"resendable", lifecycle.Resendable(), func(i *ent.Invitation) bool {
					_, denied := lifecycle.Next(lifecycle.Effective(i, m.at), lifecycle.Resend)
					return denied == nil
				}},
			}
			for _, state := range states {
				rules = append(rules, rule{
					fmt.Sprintf("in state %s", state), lifecycle.InState(state, m.at),
					func(i *ent.Invitation) bool { return lifecycle.Effective(i, m.at) == state },
				})
			}
			for _, r := range rules {
				want := picked(all, id, r.holds)
				got, err := s.Read().Invitation.Query().Where(r.sql).Order(ent.Asc("id")).IDs(ctx)
				if err != nil || !slices.Equal(got, want) {
					t.Errorf("%s, %v before the end: the predicate picks %v, %v; the function %v", r.name, end.Sub(m.at), got, err, want)
				}
			}
		}
	})
}

func TestATransfersFunctionsAndPredicatesAgree(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		ctx := access.System(t.Context(), "test")
		id := func(tr *ent.OwnershipTransfer) string { return tr.ID }
		all, err := s.Read().OwnershipTransfer.Query().All(ctx)
		if err != nil || len(all) != len(transferStates) {
			t.Fatalf("%d transfers, %v; want %d", len(all), err, len(transferStates))
		}
		for _, m := range moments {
			for _, r := range []struct {
				name  string
				sql   predicate.OwnershipTransfer
				holds func(*ent.OwnershipTransfer) bool
			}{
				{"open", lifecycle.OpenTransfer(m.at), func(tr *ent.OwnershipTransfer) bool { return lifecycle.IsTransferOpen(tr, m.at) }},
				{"overdue", lifecycle.OverdueTransfer(m.at), func(tr *ent.OwnershipTransfer) bool { return lifecycle.IsTransferOverdue(tr, m.at) }},
				{"stored as pending", lifecycle.StoredPendingTransfer(), func(tr *ent.OwnershipTransfer) bool { return tr.Status == lifecycle.TransferPending }},
			} {
				want := picked(all, id, r.holds)
				got, err := s.Read().OwnershipTransfer.Query().Where(r.sql).Order(ent.Asc("id")).IDs(ctx)
				if err != nil || !slices.Equal(got, want) {
					t.Errorf("%s, %v before the end: the predicate picks %v, %v; the function %v", r.name, end.Sub(m.at), got, err, want)
				}
			}
		}
	})
}
