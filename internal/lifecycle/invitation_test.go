package lifecycle_test

import (
	"testing"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/lifecycle"
)

func TestEveryMove(t *testing.T) {
	t.Parallel()
	const (
		expired  = fault.InvitationExpired
		declined = fault.InvitationDeclined
		revoked  = fault.InvitationRevoked
		accepted = fault.InvitationAlreadyAccepted
	)
	for _, c := range []struct {
		from   lifecycle.Status
		action lifecycle.Action
		to     lifecycle.Status
		denied fault.Code
	}{
		{lifecycle.Pending, lifecycle.Resend, lifecycle.Pending, ""},
		{lifecycle.Pending, lifecycle.Accept, lifecycle.Accepted, ""},
		{lifecycle.Pending, lifecycle.Decline, lifecycle.Declined, ""},
		{lifecycle.Pending, lifecycle.Revoke, lifecycle.Revoked, ""},
		{lifecycle.Pending, lifecycle.Expire, lifecycle.Expired, ""},
		{lifecycle.Pending, lifecycle.Update, lifecycle.Pending, ""},

		{lifecycle.Expired, lifecycle.Resend, lifecycle.Pending, ""},
		{lifecycle.Expired, lifecycle.Accept, lifecycle.Expired, expired},
		{lifecycle.Expired, lifecycle.Decline, lifecycle.Expired, expired},
		{lifecycle.Expired, lifecycle.Revoke, lifecycle.Revoked, ""},
		{lifecycle.Expired, lifecycle.Expire, lifecycle.Expired, ""},
		{lifecycle.Expired, lifecycle.Update, lifecycle.Expired, expired},

		{lifecycle.Declined, lifecycle.Resend, lifecycle.Declined, declined},
		{lifecycle.Declined, lifecycle.Accept, lifecycle.Declined, declined},
		{lifecycle.Declined, lifecycle.Decline, lifecycle.Declined, ""},
		{lifecycle.Declined, lifecycle.Revoke, lifecycle.Declined, declined},
		{lifecycle.Declined, lifecycle.Expire, lifecycle.Declined, declined},
		{lifecycle.Declined, lifecycle.Update, lifecycle.Declined, declined},

		{lifecycle.Revoked, lifecycle.Resend, lifecycle.Revoked, revoked},
		{lifecycle.Revoked, lifecycle.Accept, lifecycle.Revoked, revoked},
		{lifecycle.Revoked, lifecycle.Decline, lifecycle.Revoked, revoked},
		{lifecycle.Revoked, lifecycle.Revoke, lifecycle.Revoked, ""},
		{lifecycle.Revoked, lifecycle.Expire, lifecycle.Revoked, revoked},
		{lifecycle.Revoked, lifecycle.Update, lifecycle.Revoked, revoked},

		{lifecycle.Accepted, lifecycle.Resend, lifecycle.Accepted, accepted},
		{lifecycle.Accepted, lifecycle.Accept, lifecycle.Accepted, accepted},
		{lifecycle.Accepted, lifecycle.Decline, lifecycle.Accepted, accepted},
		{lifecycle.Accepted, lifecycle.Revoke, lifecycle.Accepted, accepted},
		{lifecycle.Accepted, lifecycle.Expire, lifecycle.Accepted, accepted},
		{lifecycle.Accepted, lifecycle.Update, lifecycle.Accepted, accepted},
	} {
		to, err := lifecycle.Next(c.from, c.action)
		if to != c.to || (err == nil) != (c.denied == "") || err != nil && err.Code != c.denied {
			t.Errorf("%s of a %s one: %s, %v; want %s, %q", c.action, c.from, to, err, c.to, c.denied)
		}
	}
}

var (
	end     = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	moments = []struct {
		at   time.Time
		over bool
	}{
		{end.Add(-time.Hour), false},
		{end.Add(-time.Microsecond), false},
		{end, true},
		{end.Add(time.Microsecond), true},
		{end.Add(time.Hour), true},
	}
	states = []lifecycle.Status{
		lifecycle.Pending, lifecycle.Accepted, lifecycle.Declined, lifecycle.Revoked, lifecycle.Expired,
	}
)

func TestAnInvitationExpiresAtItsMoment(t *testing.T) {
	t.Parallel()
	for _, c := range moments {
		for _, stored := range states {
			i := &ent.Invitation{Status: stored, ExpiresAt: end}
			overdue := stored == lifecycle.Pending && c.over
			want := stored
			if overdue {
				want = lifecycle.Expired
			}
			if got := lifecycle.Effective(i, c.at); got != want {
				t.Errorf("%v before its end a %s one is %s, want %s", end.Sub(c.at), stored, got, want)
			}
			if got, want := lifecycle.IsOpen(i, c.at), stored == lifecycle.Pending && !c.over; got != want {
				t.Errorf("%v before its end a %s one is open: %t, want %t", end.Sub(c.at), stored, got, want)
			}
			if got := lifecycle.IsOverdue(i, c.at); got != overdue {
				t.Errorf("%v before its end a %s one is overdue: %t, want %t", end.Sub(c.at), stored, got, overdue)
			}
		}
	}
}
