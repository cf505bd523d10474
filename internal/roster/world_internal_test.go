package roster

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/testdb"
)

var noon = time.Date(2026, time.March, 14, 12, 0, 0, 0, time.UTC)

// world is the account "acc" with the default team "team" and the team "second".
type world struct{ *Service }

func eachWorld(t *testing.T, test func(t *testing.T, w world)) {
	t.Helper()
	testdb.Each(t, func(t *testing.T, address string) {
		s := testdb.Open(t, address)
		w := world{pure(t)}
		w.Store, w.Now = s, func() time.Time { return noon }
		w.Events = event.NewLog(event.NewHub(s.Read(), slog.New(slog.DiscardHandler)), w.Now)
		w.Door = &act.Door{Store: s, Access: w.Access, Events: w.Events}
		w.make(t, func(tx *store.Tx) []creation {
			return []creation{
				tx.Account.Create().SetID("acc").SetCreatedAt(noon).SetUpdatedAt(noon).SetName("A").SetPreset("teams"),
				tx.Team.Create().SetID("team").SetCreatedAt(noon).SetUpdatedAt(noon).SetAccountID("acc").SetName("T").SetIsDefault(true),
				tx.Team.Create().SetID("second").SetCreatedAt(noon).SetUpdatedAt(noon).SetAccountID("acc").SetName("S"),
			}
		})
		test(t, w)
	})
}

type creation interface {
	Exec(ctx context.Context) error
}

func system(t *testing.T) context.Context {
	t.Helper()
	return access.System(t.Context(), "test")
}

func (w world) change(t *testing.T, f func(ctx context.Context, tx *store.Tx) error) {
	t.Helper()
	ctx := system(t)
	if err := w.Store.InTx(ctx, func(tx *store.Tx) error { return f(ctx, tx) }); err != nil {
		t.Fatal(err)
	}
}

// make creates rows, parents first.
func (w world) make(t *testing.T, rows func(tx *store.Tx) []creation) {
	t.Helper()
	w.change(t, func(ctx context.Context, tx *store.Tx) error {
		for _, row := range rows(tx) {
			if err := row.Exec(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}

// aUser and aMember are rows about to be created; the member's id is
// "user@team".
func aUser(tx *store.Tx, id string) creation {
	return tx.User.Create().SetID(id).SetCreatedAt(noon).SetUpdatedAt(noon).SetEmail(id).SetEmailKey(id).SetEmailVerifiedAt(noon)
}

func aMember(tx *store.Tx, userID, teamID string) *ent.MemberCreate {
	return tx.Member.Create().SetID(userID + "@" + teamID).SetCreatedAt(noon).SetUpdatedAt(noon).
		SetAccountID("acc").SetTeamID(teamID).SetUserID(userID)
}

// membership is what the user is in the team.
func (w world) membership(t *testing.T, teamID, userID string) *access.Membership {
	t.Helper()
	m, err := w.Access.Membership(t.Context(), w.Store.Read(), teamID, userID)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
