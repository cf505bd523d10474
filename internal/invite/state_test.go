package invite_test

import (
	"testing"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/invite"
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
		from   invite.Status
		action invite.Action
		to     invite.Status
		denied fault.Code
	}{
		{invite.Pending, invite.Resend, invite.Pending, ""},
		{invite.Pending, invite.Accept, invite.Accepted, ""},
		{invite.Pending, invite.Decline, invite.Declined, ""},
		{invite.Pending, invite.Revoke, invite.Revoked, ""},
		{invite.Pending, invite.Expire, invite.Expired, ""},
		{invite.Pending, invite.Update, invite.Pending, ""},

		{invite.Expired, invite.Resend, invite.Pending, ""},
		{invite.Expired, invite.Accept, invite.Expired, expired},
		{invite.Expired, invite.Decline, invite.Expired, expired},
		{invite.Expired, invite.Revoke, invite.Revoked, ""},
		{invite.Expired, invite.Expire, invite.Expired, ""},
		{invite.Expired, invite.Update, invite.Expired, expired},

		{invite.Declined, invite.Resend, invite.Declined, declined},
		{invite.Declined, invite.Accept, invite.Declined, declined},
		{invite.Declined, invite.Decline, invite.Declined, ""},
		{invite.Declined, invite.Revoke, invite.Declined, declined},
		{invite.Declined, invite.Expire, invite.Declined, declined},
		{invite.Declined, invite.Update, invite.Declined, declined},

		{invite.Revoked, invite.Resend, invite.Revoked, revoked},
		{invite.Revoked, invite.Accept, invite.Revoked, revoked},
		{invite.Revoked, invite.Decline, invite.Revoked, revoked},
		{invite.Revoked, invite.Revoke, invite.Revoked, ""},
		{invite.Revoked, invite.Expire, invite.Revoked, revoked},
		{invite.Revoked, invite.Update, invite.Revoked, revoked},

		{invite.Accepted, invite.Resend, invite.Accepted, accepted},
		{invite.Accepted, invite.Accept, invite.Accepted, accepted},
		{invite.Accepted, invite.Decline, invite.Accepted, accepted},
		{invite.Accepted, invite.Revoke, invite.Accepted, accepted},
		{invite.Accepted, invite.Expire, invite.Accepted, accepted},
		{invite.Accepted, invite.Update, invite.Accepted, accepted},
	} {
		to, err := invite.Next(c.from, c.action)
		if to != c.to || (err == nil) != (c.denied == "") || err != nil && err.Code != c.denied {
			t.Errorf("%s of a %s one: %s, %v; want %s, %q", c.action, c.from, to, err, c.to, c.denied)
		}
	}
}

func TestAnInvitationExpiresAtItsMoment(t *testing.T) {
	t.Parallel()
	end := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	i := &ent.Invitation{Status: invite.Pending, ExpiresAt: end}
	for _, c := range []struct {
		at   time.Time
		want invite.Status
	}{
		{end.Add(-time.Second), invite.Pending},
		{end, invite.Expired},
		{end.Add(time.Second), invite.Expired},
	} {
		if got := invite.Effective(i, c.at); got != c.want {
			t.Errorf("%v before its end it is %s, want %s", end.Sub(c.at), got, c.want)
		}
	}
	i.Status = invite.Accepted
	if got := invite.Effective(i, end.Add(time.Hour)); got != invite.Accepted {
		t.Errorf("an accepted one is %s after its end", got)
	}
}
