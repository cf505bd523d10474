package relay_test

import (
	"encoding/base64"
	"testing"

	"github.com/convoke-dev/convoke/graph/relay"
	"github.com/convoke-dev/convoke/internal/fault"
)

func TestSenselessPagesAreRefused(t *testing.T) {
	t.Parallel()
	encode := func(s string) *string {
		c := base64.RawURLEncoding.EncodeToString([]byte(s))
		return &c
	}
	plain := func(s string) *string { return &s }
	cases := map[string]relay.Args{
		"first and last":        {First: size(1), Last: size(1)},
		"negative first":        {First: size(-1)},
		"negative last":         {Last: size(-1)},
		"first over the limit":  {First: size(relay.MaxPage + 1)},
		"last over the limit":   {Last: size(relay.MaxPage + 1)},
		"empty cursor":          {After: plain("")},
		"no base 64":            {After: plain("cursor of my own")},
		"padded":                {After: plain(base64.URLEncoding.EncodeToString([]byte("2026-03-14T12:00:00Z|i")))},
		"no position":           {Before: encode("team_1")},
		"no time":               {Before: encode("yesterday|team_1")},
		"no such day":           {After: encode("2026-02-30T12:00:00Z|team_1")},
		"an event log's cursor": {After: encode("acc_1:17")},
		"a zero byte":           {After: encode("2026-03-14T12:00:00Z|team\x00")},
		"no UTF-8":              {After: encode("2026-03-14T12:00:00Z|team\xff")},
	}
	eachDatabase(t, func(t *testing.T, l lists) {
		for what, a := range cases {
			t.Run(what, func(t *testing.T) {
				l.statements.Store(0)
				c, err := l.page(t, 51, a, orders["ascending"])
				if !fault.Is(err, fault.BadUserInput) {
					t.Errorf("got a page: %t, %v, want %s", c != nil, err, fault.BadUserInput)
				}
				if s := l.statements.Load(); s != 0 {
					t.Errorf("%d statements, want none", s)
				}
			})
		}
	})
}

func TestCursorsOfAnyTimeAreNoError(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, l lists) {
		for _, moment := range []string{"0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "2026-03-14T14:00:00.1+02:00"} {
			c := base64.RawURLEncoding.EncodeToString([]byte(moment + "|team"))
			if _, err := l.page(t, 51, relay.Args{After: &c}, orders["ascending"]); err != nil && !fault.Is(err, fault.BadUserInput) {
				t.Errorf("%s: err = %v, want none or %s", moment, err, fault.BadUserInput)
			}
		}
	})
}
