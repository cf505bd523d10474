package relay_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/role"
	"github.com/convoke-dev/convoke/graph/relay"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/store"
)

var rolesByAge = relay.Order[*ent.Role]{
	Name: byAge.Name, Column: role.FieldCreatedAt,
	Position: func(r *ent.Role) (any, string) { return r.CreatedAt, r.ID },
}

// things are two lists of teams, none of another, and roles: some of a moment
// with teams, some of one between them. They are known by their ids.
type things struct{ lists }

func eachUnion(t *testing.T, test func(t *testing.T, l things)) {
	t.Helper()
	eachDatabase(t, func(t *testing.T, l lists) {
		err := l.InTx(t.Context(), func(tx *store.Tx) error {
			roles := make([]*ent.RoleCreate, 30)
			for i := range roles {
				at := noon.Add(time.Duration(i/2) * 125 * time.Millisecond)
				roles[i] = tx.Role.Create().SetID(fmt.Sprintf("role_%03d", i*7%30)).SetCreatedAt(at).SetUpdatedAt(at).
					SetAccountID(accountOf(51)).SetKey(fmt.Sprint("k", i)).SetName("A").SetPermissions([]string{})
			}
			return tx.Role.CreateBulk(roles...).Exec(system(t))
		})
		if err != nil {
			t.Fatal(err)
		}
		l.statements.Store(0)
		test(t, things{l})
	})
}

func (l things) sources(descending bool) []relay.Source[string] {
	teamID := func(t *ent.Team) string { return t.ID }
	return []relay.Source[string]{
		relay.From(l.query(51), byAge.In(descending), teamID),
		relay.From(l.Read().Role.Query(), rolesByAge.In(descending), func(r *ent.Role) string { return r.ID }),
		relay.From(l.query(0), byAge.In(descending), teamID),
		relay.From(l.query(1), byAge.In(descending), teamID),
	}
}

// page reads a page of them all, and counts the statements.
func (l things) page(t *testing.T, a relay.Args, descending bool) *relay.Connection[string] {
	t.Helper()
	l.statements.Store(0)
	c, err := relay.Union(system(t), a, l.sources(descending)...)
	if err != nil {
		t.Fatal(err)
	}
	if s := l.statements.Load(); s != 4 {
		t.Errorf("%d statements for a page, want 4: one for each source", s)
	}
	return c
}

// want returns the ids of all, put in order without the database.
func (l things) want(t *testing.T, descending bool) []string {
	t.Helper()
	at := map[string]time.Time{}
	for _, n := range []int{51, 1} {
		teams, err := l.query(n).All(system(t))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range teams {
			at[e.ID] = e.CreatedAt
		}
	}
	roles, err := l.Read().Role.Query().All(system(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range roles {
		at[e.ID] = e.CreatedAt
	}
	all := make([]string, 0, len(at))
	for id := range at {
		all = append(all, id)
	}
	slices.SortFunc(all, func(a, b string) int { return cmp.Or(at[a].Compare(at[b]), cmp.Compare(a, b)) })
	if descending {
		slices.Reverse(all)
	}
	return all
}

// walk pages to the other end, from the start or backward from the end.
func (l things) walk(t *testing.T, pageSize int, descending, backward bool) (got []string) {
	t.Helper()
	total := len(l.want(t, descending))
	for a := (relay.Args{}); ; {
		if backward {
			a.Last = &pageSize
		} else {
			a.First = &pageSize
		}
		c := l.page(t, a, descending)
		if want := min(pageSize, total-len(got)); len(c.Edges) != want {
			t.Fatalf("a page of %d, want %d", len(c.Edges), want)
		}
		if backward {
			got = append(c.Nodes(), got...)
			assertPage(t, c, len(got) < total, a.Before != nil)
			a.Before = c.PageInfo.StartCursor
		} else {
			got = append(got, c.Nodes()...)
			assertPage(t, c, a.After != nil, len(got) < total)
			a.After = c.PageInfo.EndCursor
		}
		if len(got) >= total {
			return got
		}
	}
}

func TestUnionPagedIsTheWholeMergedList(t *testing.T) {
	t.Parallel()
	eachUnion(t, func(t *testing.T, l things) {
		for _, descending := range []bool{false, true} {
			want := l.want(t, descending)
			if len(want) != 82 {
				t.Fatalf("%d things, want 82", len(want))
			}
			for pageSize := 1; pageSize <= len(want)+1; pageSize++ {
				for _, backward := range []bool{false, true} {
					if got := l.walk(t, pageSize, descending, backward); !slices.Equal(got, want) {
						t.Fatalf("by %d, descending %t, backward %t: got %v, want %v", pageSize, descending, backward, got, want)
					}
				}
			}
		}
	})
}

func TestUnionBetweenAnyTwoCursors(t *testing.T) {
	t.Parallel()
	eachUnion(t, func(t *testing.T, l things) {
		all := l.page(t, relay.Args{First: size(relay.MaxPage)}, false)
		for from := 0; from < len(all.Edges); from += 3 {
			to := min(from+20, len(all.Edges)-1)
			bounds := relay.Args{After: &all.Edges[from].Cursor, Before: &all.Edges[to].Cursor}
			for _, a := range []relay.Args{
				{First: size(50), After: bounds.After, Before: bounds.Before},
				{Last: size(50), After: bounds.After, Before: bounds.Before},
			} {
				if got, want := l.page(t, a, false).Nodes(), all.Nodes()[from+1:max(to, from+1)]; !slices.Equal(got, want) {
					t.Errorf("from %d to %d: got %v, want %v", from, to, got, want)
				}
			}
		}
	})
}

func TestUnionTotalCountIsTheSumOnDemand(t *testing.T) {
	t.Parallel()
	eachUnion(t, func(t *testing.T, l things) {
		c := l.page(t, relay.Args{First: size(5)}, false)
		c = l.page(t, relay.Args{First: size(5), After: c.PageInfo.EndCursor}, false)
		for range 2 {
			if got, err := c.TotalCount(system(t)); err != nil || got != 82 {
				t.Errorf("totalCount = %d, %v, want 82, the page notwithstanding", got, err)
			}
		}
	})
}

func TestEmptyUnionPageSaysWhetherThereIsMore(t *testing.T) {
	t.Parallel()
	eachUnion(t, func(t *testing.T, l things) {
		c := l.page(t, relay.Args{First: size(0)}, false)
		if len(c.Edges) != 0 {
			t.Errorf("got %v, want nothing", c.Nodes())
		}
		assertPage(t, c, false, true)
	})
}

func TestSenselessPagesOfUnionAreRefused(t *testing.T) {
	t.Parallel()
	eachUnion(t, func(t *testing.T, l things) {
		for what, a := range map[string]relay.Args{
			"first and last":   {First: size(1), Last: size(1)},
			"over the limit":   {First: size(relay.MaxPage + 1)},
			"of another order": {After: encoded(`["teams.name","a","team"]`)},
			"no time":          {After: encoded(`["teams.created","a","team"]`)},
			"garbage":          {Before: encoded("garbage")},
		} {
			_, err := relay.Union(system(t), a, l.sources(false)...)
			l.assertRefused(t, what, err)
		}
	})
}

func TestUnionOfUnlikeOrdersIsAnError(t *testing.T) {
	t.Parallel()
	eachUnion(t, func(t *testing.T, l things) {
		teamID := func(t *ent.Team) string { return t.ID }
		byJoining, byNumber := byAge, byVersion
		byJoining.Name, byNumber.Name = "teams.joined", byAge.Name
		for what, sources := range map[string][]relay.Source[string]{
			"nothing":    nil,
			"names":      {relay.From(l.query(1), byAge, teamID), relay.From(l.query(50), byJoining, teamID)},
			"directions": {relay.From(l.query(1), byAge, teamID), relay.From(l.query(50), byAge.In(true), teamID)},
			"kinds":      {relay.From(l.query(1), byAge, teamID), relay.From(l.query(50), byNumber, teamID)},
		} {
			if _, err := relay.Union(system(t), relay.Args{}, sources...); err == nil || fault.Is(err, fault.BadUserInput) {
				t.Errorf("%s: err = %v, want one that is ours", what, err)
			}
		}
	})
}
