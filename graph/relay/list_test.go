package relay_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/team"
	"github.com/convoke-dev/convoke/graph/relay"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/testdb"
)

var noon = time.Date(2026, time.March, 14, 12, 0, 0, 0, time.UTC)

// lengths are those of the lists: around nothing, a page and two pages.
var lengths = []int{0, 1, 50, 51, 101}

// The orders of the lists, one of each kind. The names of one letter are sorted
// alike in every language.
var (
	byAge = relay.Order[*ent.Team]{
		Name: "teams.created", Column: team.FieldCreatedAt,
		Position: func(t *ent.Team) (any, string) { return t.CreatedAt, t.ID },
	}
	byName = relay.Order[*ent.Team]{
		Name: "teams.name", Column: team.FieldName, Kind: relay.Text,
		Position: func(t *ent.Team) (any, string) { return t.Name, t.ID },
	}
	byVersion = relay.Order[*ent.Team]{
		Name: "teams.version", Column: team.FieldVersion, Kind: relay.Number,
		Position: func(t *ent.Team) (any, string) { return int64(t.Version), t.ID },
	}

	names = []string{"d", "b\"<&>", "a", "c\u2028é", "e|,]", "2026-03-14T12:00:00Z"}
)

// orders are both directions of them.
var orders = map[string]relay.Order[*ent.Team]{
	"by age": byAge, "by age descending": byAge.In(true),
	"by name": byName, "by name descending": byName.In(true),
	"by version": byVersion, "by version descending": byVersion.In(true),
}

// lists is a database with a list of teams of each length.
type lists struct {
	*store.Store
	statements *atomic.Int64
}

func eachDatabase(t *testing.T, test func(t *testing.T, l lists)) {
	t.Helper()
	testdb.Each(t, func(t *testing.T, address string) {
		if _, err := store.Migrate(t.Context(), address); err != nil {
			t.Fatal(err)
		}
		l := lists{statements: &atomic.Int64{}}
		var err error
		l.Store, err = store.Open(t.Context(), address, store.ObserveStatements(func(string) { l.statements.Add(1) }))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		})
		for _, n := range lengths {
			l.fill(t, n)
		}
		l.statements.Store(0)
		test(t, l)
	})
}

// fill makes a list of n teams. Three at a time are of the same moment, their
// ids in another order than they were made in; some moments are whole seconds.
// Names and versions repeat too.
func (l lists) fill(t *testing.T, n int) {
	t.Helper()
	err := l.InTx(t.Context(), func(tx *store.Tx) error {
		err := tx.Account.Create().SetID(accountOf(n)).SetCreatedAt(noon).SetUpdatedAt(noon).SetName("A").SetPreset("teams").Exec(system(t))
		if err != nil {
			return err
		}
		teams := make([]*ent.TeamCreate, n)
		for i := range teams {
			teams[i] = newTeam(tx, n, fmt.Sprintf("team_%d_%03d", n, i*37%101), noon.Add(time.Duration(i/3)*250*time.Millisecond)).
				SetName(names[i%len(names)]).SetVersion(8 + i%5)
		}
		return tx.Team.CreateBulk(teams...).Exec(system(t))
	})
	if err != nil {
		t.Fatal(err)
	}
}

func newTeam(tx *store.Tx, n int, id string, at time.Time) *ent.TeamCreate {
	return tx.Team.Create().SetID(id).SetCreatedAt(at).SetUpdatedAt(at).SetAccountID(accountOf(n)).SetName("A")
}

func accountOf(n int) string { return fmt.Sprintf("acc_%d", n) }

func system(t *testing.T) context.Context { return access.System(t.Context(), "test") }

// query returns the list of the length.
func (l lists) query(n int) *ent.TeamQuery {
	return l.Read().Team.Query().Where(team.AccountID(accountOf(n)))
}

func (l lists) page(t *testing.T, n int, a relay.Args, o relay.Order[*ent.Team]) (*relay.Connection[*ent.Team], error) {
	t.Helper()
	return relay.Page(system(t), l.query(n), a, o)
}

// want returns the ids of a list, put in order without the database.
func (l lists) want(t *testing.T, n int, o relay.Order[*ent.Team]) []string {
	t.Helper()
	all, err := l.query(n).All(system(t))
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(all, func(a, b *ent.Team) int {
		var keys int
		switch o.Kind {
		case relay.Time:
			keys = a.CreatedAt.Compare(b.CreatedAt)
		case relay.Text:
			keys = cmp.Compare(a.Name, b.Name)
		case relay.Number:
			keys = cmp.Compare(a.Version, b.Version)
		}
		return cmp.Or(keys, cmp.Compare(a.ID, b.ID))
	})
	if o.Descending {
		slices.Reverse(all)
	}
	return ids(all)
}

func ids(teams []*ent.Team) []string {
	list := make([]string, len(teams))
	for i, t := range teams {
		list[i] = t.ID
	}
	return list
}
