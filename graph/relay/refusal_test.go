package relay_test

import (
	"encoding/base64"
	"slices"
	"testing"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/graph/relay"
	"github.com/convoke-dev/convoke/internal/fault"
)

func encoded(s string) *string {
	c := base64.RawURLEncoding.EncodeToString([]byte(s))
	return &c
}

func (l lists) assertRefused(t *testing.T, what string, err error) {
	t.Helper()
	if !fault.Is(err, fault.BadUserInput) {
		t.Errorf("%s: err = %v, want %s", what, err, fault.BadUserInput)
	}
	if s := l.statements.Swap(0); s != 0 {
		t.Errorf("%s: %d statements, want none", what, s)
	}
}

func TestSenselessPagesAreRefused(t *testing.T) {
	t.Parallel()
	plain := func(s string) *string { return &s }
	cases := map[string]relay.Args{
		"first and last":        {First: size(1), Last: size(1)},
		"negative first":        {First: size(-1)},
		"negative last":         {Last: size(-1)},
		"first over the limit":  {First: size(relay.MaxPage + 1)},
		"last over the limit":   {Last: size(relay.MaxPage + 1)},
		"empty cursor":          {After: plain("")},
		"no base 64":            {After: plain("cursor of my own")},
		"padded":                {After: plain(base64.URLEncoding.EncodeToString([]byte(`["teams.created","2026-03-14T12:00:00Z","i"]`)))},
		"with a line break":     {After: plain(*encoded(`["teams.created","2026-03-14T12:00:00Z","i"]`) + "\n")},
		"no position":           {Before: encoded("team_1")},
		"an event log's cursor": {After: encoded("acc_1:17")},
	}
	eachDatabase(t, func(t *testing.T, l lists) {
		for what, a := range cases {
			_, err := l.page(t, 51, a, byAge)
			l.assertRefused(t, what, err)
		}
	})
}

func TestCursorsNotOfTheListAreRefused(t *testing.T) {
	t.Parallel()
	cases := map[string][]string{
		"teams.created": {
			`["teams.name","a","team"]`,
			`["roles.created","2026-03-14T12:00:00Z","role"]`,
			`["","2026-03-14T12:00:00Z","team"]`,
			`["teams.created","yesterday","team"]`,
			`["teams.created","2026-02-30T12:00:00Z","team"]`,
			`["teams.created","2026-03-14T14:00:00+02:00","team"]`,
			`["teams.created","2026-03-14T12:00:00.10Z","team"]`,
			`["teams.created","2026-03-14T12:00:00.0000001Z","team"]`,
			`["teams.created",1773489600,"team"]`,
			`["teams.created",null,"team"]`,
			`["teams.created","2026-03-14T12:00:00Z"]`,
			`["teams.created","2026-03-14T12:00:00Z","team",""]`,
			`["teams.created", "2026-03-14T12:00:00Z", "team"]`,
			`["teams.created","2026-03-14T12:00:00Z","team"]]`,
			`["teams.created","2026-03-14T12:00:00Z",{}]`,
			`{"teams.created":"2026-03-14T12:00:00Z"}`,
			`null`,
			`["teams.created","2026-03-14T12:00:00Z","team\u0000"]`,
			"[\"teams.created\",\"2026-03-14T12:00:00Z\",\"team\x00\"]",
			"[\"teams.created\",\"2026-03-14T12:00:00Z\",\"team\xff\"]",
		},
		"teams.name": {
			`["teams.created","2026-03-14T12:00:00Z","team"]`,
			`["teams.name",17,"team"]`,
			`["teams.name","a\u0000","team"]`,
			`["teams.name","\ud800","team"]`,
			"[\"teams.name\",\"a\xff\",\"team\"]",
		},
		"teams.version": {
			`["teams.name","1","team"]`,
			`["teams.version","one","team"]`,
			`["teams.version","01","team"]`,
			`["teams.version","1.5","team"]`,
			`["teams.version","9223372036854775808","team"]`,
			`["teams.version",1,"team"]`,
		},
	}
	eachDatabase(t, func(t *testing.T, l lists) {
		for _, o := range orders {
			for _, c := range cases[o.Name] {
				_, err := l.page(t, 51, relay.Args{After: encoded(c)}, o)
				l.assertRefused(t, "after "+c, err)
				_, err = l.page(t, 51, relay.Args{Before: encoded(c)}, o)
				l.assertRefused(t, "before "+c, err)
			}
		}
	})
}

func TestCursorsOfAnyKeyAreNoError(t *testing.T) {
	t.Parallel()
	cases := map[string][]string{
		"teams.created": {
			`["teams.created","0000-01-01T00:00:00Z","team"]`, `["teams.created","9999-12-31T23:59:59.999999Z","team"]`,
			`["teams.created","2026-03-14T12:00:00.000001Z",""]`,
		},
		"teams.name":    {`["teams.name","","team"]`, `["teams.name","' OR 1=1 --","team"]`, `["teams.name","😀","team"]`},
		"teams.version": {`["teams.version","-9223372036854775808","team"]`, `["teams.version","9223372036854775807","team"]`},
	}
	eachDatabase(t, func(t *testing.T, l lists) {
		for _, o := range orders {
			for _, c := range cases[o.Name] {
				if _, err := l.page(t, 51, relay.Args{After: encoded(c)}, o); err != nil {
					t.Errorf("%s: err = %v, want none", c, err)
				}
			}
		}
	})
}

func TestCursorNamesOrderKeyAndID(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, l lists) {
		for want, o := range map[string]relay.Order[*ent.Team]{
			`["teams.created","2026-03-14T12:00:00Z","team_1_000"]`: byAge,
			`["teams.name","d","team_1_000"]`:                       byName,
			`["teams.version","8","team_1_000"]`:                    byVersion,
		} {
			c, err := l.page(t, 1, relay.Args{}, o)
			if err != nil {
				t.Fatal(err)
			}
			if got := c.Edges[0].Cursor; got != *encoded(want) {
				t.Errorf("cursor = %s, want that of %s", got, want)
			}
		}
	})
}

func TestCursorIsGoodInEitherDirection(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, l lists) {
		for name, o := range orders {
			all, err := l.page(t, 50, relay.Args{}, o)
			if err != nil {
				t.Fatal(err)
			}
			c, err := l.page(t, 50, relay.Args{First: size(1), After: &all.Edges[20].Cursor}, o.In(!o.Descending))
			if err != nil {
				t.Fatal(err)
			}
			if got, want := ids(c.Nodes()), ids(all.Nodes())[19:20]; !slices.Equal(got, want) {
				t.Errorf("%s: got %v, want %v", name, got, want)
			}
		}
	})
}
