package invite

import (
	"strings"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/lifecycle"
)

func TestQuota(t *testing.T) {
	t.Parallel()
	// before is a quota whose day began so long before noon, with that many
	// resends since, the last of them so long before noon.
	before := func(since time.Duration, count int, last time.Duration) quota {
		return quota{since: noon.Add(-since), count: count, last: noon.Add(-last)}
	}
	for _, c := range []struct {
		rule    string
		had     quota
		since   time.Duration // before noon
		count   int
		refused string // part of the message
	}{
		{"the first resend needs no wait", quota{}, 0, 1, ""},
		{"the second at once", before(0, 1, 0), 0, 0, "in 61 seconds"},
		{"within the cooldown", before(time.Hour, 2, 20*time.Second), 0, 0, "in 41 seconds"},
		{"a nanosecond too early", before(time.Hour, 2, time.Minute-1), 0, 0, "in 1 seconds"},
		{"just after the cooldown", before(time.Minute, 1, time.Minute), time.Minute, 2, ""},
		{"the last of the day", before(time.Hour, 4, time.Minute), time.Hour, 5, ""},
		{"one more than the day allows", before(time.Hour, 5, time.Minute), 0, 0, "5 times within a day"},
		{"the cooldown before the day", before(time.Hour, 5, time.Second), 0, 0, "in 60 seconds"},
		{"just before the day is over", before(24*time.Hour-1, 5, time.Hour), 0, 0, "5 times within a day"},
		{"when the day is over", before(24*time.Hour, 5, time.Minute), 0, 1, ""},
		{"within the cooldown when the day is over", before(24*time.Hour, 5, time.Second), 0, 0, "in 60 seconds"},
		{"after two days", before(48*time.Hour, 1, 48*time.Hour), 0, 1, ""},
		{"a day that is not full", before(23*time.Hour, 1, 23*time.Hour), 23 * time.Hour, 2, ""},
		{"the clock was set back: the cooldown lasts as much longer", before(-time.Hour, 1, -time.Hour), 0, 0, "in 3661 seconds"},
		{"the clock was set back less than the cooldown", before(time.Hour, 1, -30*time.Second), 0, 0, "in 91 seconds"},
		{"the day seems to begin later: it still counts", before(-time.Second, 1, time.Minute), -time.Second, 2, ""},
	} {
		got, refused := c.had.use(noon)
		if c.refused != "" {
			if refused == nil || refused.Code != fault.ResendLimitReached || !strings.Contains(refused.Message, c.refused) {
				t.Errorf("%s: got %v, want RESEND_LIMIT_REACHED, %q", c.rule, refused, c.refused)
			}
			continue
		}
		if want := (quota{since: noon.Add(-c.since), count: c.count, last: noon}); refused != nil || got != want {
			t.Errorf("%s: got %+v, %v; want %+v", c.rule, got, refused, want)
		}
	}
}

func TestQuotaOfAnInvitation(t *testing.T) {
	t.Parallel()
	since, last := noon.Add(-time.Hour), noon.Add(-time.Minute)
	for _, c := range []struct {
		rule string
		i    *ent.Invitation
		want quota
	}{
		{"never resent", &ent.Invitation{}, quota{}},
		{"resent", &ent.Invitation{ResentAt: &last, ResendDayStart: &since, ResendsOfDay: 3}, quota{since: since, count: 3, last: last}},
	} {
		if got := quotaOf(c.i); got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.rule, got, c.want)
		}
	}
}

func TestTheFirstReasonAgainstAResend(t *testing.T) {
	t.Parallel()
	const state, above, taken, used, plan = fault.InvitationRevoked, fault.NotGrantable, fault.AlreadyMember, fault.ResendLimitReached, fault.FeatureNotAvailable
	reasons := []fault.Code{state, above, taken, used, plan}
	for first, want := range append(reasons, "") {
		// Every later reason holds too.
		holds := func(n int) bool { return n >= first }
		i := open("i", "a@x.org", nil)
		if holds(0) {
			i.Status = lifecycle.Revoked
		}
		tt := terms{now: noon, answersFor: allow}
		if holds(1) {
			tt.answersFor = func(*ent.Invitation) *fault.Error { return fault.Input(above, "") }
		}
		var address *fault.Error
		if holds(2) {
			address = fault.Input(taken, "")
		}
		if holds(3) {
			i.ResentAt, i.ResendDayStart, i.ResendsOfDay = &noon, &noon, 1
		}
		if holds(4) {
			tt.account = fault.Input(plan, "")
		}
		q, refused := tt.resendable(i, address)
		if want == "" {
			if refused != nil || q.count != 1 {
				t.Errorf("no reason: got %+v, %v", q, refused)
			}
			continue
		}
		if refused == nil || refused.Code != want {
			t.Errorf("got %v, want %s", refused, want)
		}
	}
}

func TestAResendStartsFromPendingAndExpired(t *testing.T) {
	t.Parallel()
	for status, want := range map[lifecycle.Status]fault.Code{
		lifecycle.Pending: "", lifecycle.Expired: "", lifecycle.Accepted: fault.InvitationAlreadyAccepted,
		lifecycle.Declined: fault.InvitationDeclined, lifecycle.Revoked: fault.InvitationRevoked,
	} {
		for _, expires := range []time.Time{noon.Add(time.Hour), noon.Add(-time.Hour)} {
			i := open("i", "a@x.org", func(i *ent.Invitation) { i.Status, i.ExpiresAt = status, expires })
			_, refused := terms{now: noon, answersFor: allow}.resendable(i, nil)
			if (refused == nil) != (want == "") || refused != nil && refused.Code != want {
				t.Errorf("%s until %s: got %v, want %q", status, expires, refused, want)
			}
		}
	}
}
