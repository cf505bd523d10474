package invite

import (
	"testing"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/lifecycle"
	"github.com/convoke-dev/convoke/internal/roster"
)

func TestCountersOfAMove(t *testing.T) {
	t.Parallel()
	const pending, expired = lifecycle.Pending, lifecycle.Expired
	for _, c := range []struct {
		from       lifecycle.Status
		superseded bool
		to         lifecycle.Status
		want       roster.Delta
	}{
		{pending, false, pending, roster.Delta{}},
		{pending, false, expired, roster.Delta{Pending: -1, Expired: 1}},
		{pending, false, lifecycle.Accepted, roster.Delta{Pending: -1}},
		{pending, false, lifecycle.Declined, roster.Delta{Pending: -1}},
		{pending, false, lifecycle.Revoked, roster.Delta{Pending: -1}},
		{expired, false, pending, roster.Delta{Pending: 1, Expired: -1}},
		{expired, false, lifecycle.Revoked, roster.Delta{Expired: -1}},
		{expired, true, pending, roster.Delta{Pending: 1}},
		{expired, true, lifecycle.Revoked, roster.Delta{}},
		{expired, true, expired, roster.Delta{}},
	} {
		if got := moved(&ent.Invitation{Status: c.from, Superseded: c.superseded}, c.to); got != c.want {
			t.Errorf("from %s (superseded: %t) to %s: got %+v, want %+v", c.from, c.superseded, c.to, got, c.want)
		}
	}
}
