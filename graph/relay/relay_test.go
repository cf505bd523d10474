package relay_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/team"
	"github.com/convoke-dev/convoke/graph/relay"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/store"
)

func size(n int) *int { return &n }

// sizes are those pages are asked in; nil is the default.
var sizes = map[string]*int{"1": size(1), "7": size(7), "50": size(50), "100": size(100), "default": nil}

func length(s *int) int {
	if s == nil {
		return relay.DefaultPage
	}
	return *s
}

// eachWalk runs the test for each list, page size and direction of order.
func eachWalk(t *testing.T, test func(t *testing.T, l lists, n int, pageSize *int, o relay.Order[*ent.Team])) {
	t.Helper()
	eachDatabase(t, func(t *testing.T, l lists) {
		for _, n := range lengths {
			for sizeName, pageSize := range sizes {
				for orderName, o := range orders {
					t.Run(fmt.Sprintf("%d by %s %s", n, sizeName, orderName), func(t *testing.T) { test(t, l, n, pageSize, o) })
				}
			}
		}
	})
}

// assertPage checks what a page says of itself against the rows before and
// after it.
func assertPage[T any](t *testing.T, c *relay.Connection[T], previous, next bool) {
	t.Helper()
	if i := c.PageInfo; i.HasPreviousPage != previous || i.HasNextPage != next {
		t.Errorf("hasPreviousPage %t, hasNextPage %t, want %t, %t", i.HasPreviousPage, i.HasNextPage, previous, next)
	}
	if len(c.Edges) == 0 {
		if c.PageInfo.StartCursor != nil || c.PageInfo.EndCursor != nil {
			t.Errorf("page info of no rows = %+v, want no cursors", c.PageInfo)
		}
		return
	}
	start, end := c.Edges[0].Cursor, c.Edges[len(c.Edges)-1].Cursor
	if *c.PageInfo.StartCursor != start || *c.PageInfo.EndCursor != end {
		t.Errorf("cursors %s to %s, want %s to %s", *c.PageInfo.StartCursor, *c.PageInfo.EndCursor, start, end)
	}
}

func TestPagesForwardGiveEachRowOnceInOrder(t *testing.T) {
	t.Parallel()
	eachWalk(t, func(t *testing.T, l lists, n int, pageSize *int, o relay.Order[*ent.Team]) {
		want, got := l.want(t, n, o), []string{}
		for a := (relay.Args{First: pageSize}); ; {
			l.statements.Store(0)
			c, err := l.page(t, n, a, o)
			if err != nil {
				t.Fatal(err)
			}
			if s := l.statements.Load(); s != 1 {
				t.Errorf("%d statements for a page, want 1", s)
			}
			got = append(got, ids(c.Nodes())...)
			assertPage(t, c, a.After != nil, len(got) < n)
			if wanted := min(length(pageSize), n-len(got)+len(c.Edges)); len(c.Edges) != wanted {
				t.Fatalf("a page of %d rows, want %d", len(c.Edges), wanted)
			}
			if !c.PageInfo.HasNextPage {
				break
			}
			a.After = c.PageInfo.EndCursor
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestPagesBackwardGiveEachRowOnceInOrder(t *testing.T) {
	t.Parallel()
	eachWalk(t, func(t *testing.T, l lists, n int, pageSize *int, o relay.Order[*ent.Team]) {
		if pageSize == nil {
			pageSize = size(relay.DefaultPage)
		}
		want, got := l.want(t, n, o), []string{}
		for a := (relay.Args{Last: pageSize}); ; {
			l.statements.Store(0)
			c, err := l.page(t, n, a, o)
			if err != nil {
				t.Fatal(err)
			}
			if s := l.statements.Load(); s != 1 {
				t.Errorf("%d statements for a page, want 1", s)
			}
			got = append(ids(c.Nodes()), got...)
			assertPage(t, c, len(got) < n, a.Before != nil)
			if !c.PageInfo.HasPreviousPage {
				break
			}
			a.Before = c.PageInfo.StartCursor
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestBeforeWithoutSizeIsTheDefaultPageBeforeIt(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, l lists) {
		o := byAge
		last, err := l.page(t, 101, relay.Args{Last: size(1)}, o)
		if err != nil {
			t.Fatal(err)
		}
		c, err := l.page(t, 101, relay.Args{Before: last.PageInfo.StartCursor}, o)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := ids(c.Nodes()), l.want(t, 101, o)[50:100]; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestRowsBetweenTwoCursors(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, l lists) {
		for name, o := range orders {
			whole, err := l.page(t, 50, relay.Args{}, o)
			if err != nil {
				t.Fatal(err)
			}
			want := ids(whole.Nodes())[11:40]
			bounds := relay.Args{After: &whole.Edges[10].Cursor, Before: &whole.Edges[40].Cursor}
			for direction, a := range map[string]relay.Args{
				"forward":  {First: size(100), After: bounds.After, Before: bounds.Before},
				"backward": {Last: size(100), After: bounds.After, Before: bounds.Before},
			} {
				c, err := l.page(t, 50, a, o)
				if err != nil {
					t.Fatal(err)
				}
				if got := ids(c.Nodes()); !slices.Equal(got, want) {
					t.Errorf("%s %s: got %v, want %v", name, direction, got, want)
				}
			}
		}
	})
}

func TestCursorsAreTheSameOnEveryPage(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, l lists) {
		o := byAge.In(true)
		want := map[string]string{}
		for _, a := range []relay.Args{{}, {First: size(100)}, {Last: size(30)}, {First: size(3)}} {
			c, err := l.page(t, 51, a, o)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range c.Edges {
				if was, seen := want[e.Node.ID]; seen && was != e.Cursor {
					t.Errorf("cursor of %s = %s, want %s as before", e.Node.ID, e.Cursor, was)
				}
				want[e.Node.ID] = e.Cursor
			}
		}
	})
}

func TestRowsAddedMeanwhileShiftNothing(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, l lists) {
		o, want := byAge, l.want(t, 51, byAge)
		first, err := l.page(t, 51, relay.Args{First: size(20)}, o)
		if err != nil {
			t.Fatal(err)
		}
		err = l.InTx(t.Context(), func(tx *store.Tx) error {
			return newTeam(tx, 51, "team_new", noon.Add(-time.Hour)).Exec(system(t))
		})
		if err != nil {
			t.Fatal(err)
		}
		rest, err := l.page(t, 51, relay.Args{First: size(100), After: first.PageInfo.EndCursor}, o)
		if err != nil {
			t.Fatal(err)
		}
		if got := ids(rest.Nodes()); !slices.Equal(got, want[20:]) {
			t.Errorf("rest = %v, want %v", got, want[20:])
		}
	})
}

func TestEmptyPageSaysWhetherThereIsMore(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, l lists) {
		for _, n := range []int{0, 1} {
			c, err := l.page(t, n, relay.Args{First: size(0)}, byAge)
			if err != nil {
				t.Fatal(err)
			}
			if got := ids(c.Nodes()); len(got) != 0 {
				t.Errorf("got %v, want no rows", got)
			}
			assertPage(t, c, false, n > 0)
		}
	})
}

func TestTotalCountIsCountedOnDemand(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, l lists) {
		first, err := l.page(t, 101, relay.Args{First: size(10)}, byAge)
		if err != nil {
			t.Fatal(err)
		}
		c, err := l.page(t, 101, relay.Args{First: size(10), After: first.PageInfo.EndCursor}, byAge)
		if err != nil {
			t.Fatal(err)
		}
		l.statements.Store(0)
		var aliases sync.WaitGroup
		for range 4 {
			aliases.Go(func() {
				if got, err := c.TotalCount(system(t)); err != nil || got != 101 {
					t.Errorf("totalCount = %d, %v, want 101, the page notwithstanding", got, err)
				}
			})
		}
		aliases.Wait()
		if s := l.statements.Load(); s != 1 {
			t.Errorf("%d statements, want 1", s)
		}
	})
}

func TestTotalCountIsCountedByAnother(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, l lists) {
		c, err := l.page(t, 51, relay.Args{First: size(10)}, byAge)
		if err != nil {
			t.Fatal(err)
		}
		called := 0
		c = c.CountedBy(func(context.Context) (int, error) {
			called++
			return 17, nil
		})
		l.statements.Store(0)
		if called != 0 {
			t.Error("counted before anybody asked")
		}
		if got, err := c.TotalCount(system(t)); err != nil || got != 17 || called != 1 {
			t.Errorf("totalCount = %d, %v, counted %d times, want 17, counted once", got, err, called)
		}
		if s := l.statements.Load(); s != 0 {
			t.Errorf("%d statements, want none", s)
		}
	})
}

func TestKeysOfAnotherKindAreAnError(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, l lists) {
		for kind, o := range map[string]relay.Order[*ent.Team]{
			"nil":       {Name: "wrong", Column: team.FieldCreatedAt, Position: func(t *ent.Team) (any, string) { return nil, t.ID }},
			"int":       {Name: "wrong", Column: team.FieldVersion, Kind: relay.Number, Position: func(t *ent.Team) (any, string) { return t.Version, t.ID }},
			"time":      {Name: "wrong", Column: team.FieldName, Kind: relay.Text, Position: byAge.Position},
			"text":      {Name: "wrong", Column: team.FieldCreatedAt, Position: byName.Position},
			"no kind":   {Name: "wrong", Column: team.FieldCreatedAt, Kind: -1, Position: byAge.Position},
			"a pointer": {Name: "wrong", Column: team.FieldCreatedAt, Position: func(t *ent.Team) (any, string) { return &t.CreatedAt, t.ID }},
		} {
			if _, err := l.page(t, 1, relay.Args{}, o); err == nil || fault.Is(err, fault.BadUserInput) {
				t.Errorf("%s: err = %v, want one that is ours", kind, err)
			}
		}
	})
}
