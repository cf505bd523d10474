package invite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/lifecycle"
	"github.com/convoke-dev/convoke/internal/store"
)

const (
	// resendCooldown is the least time between two resends of an invitation. The
	// first resend needs no wait.
	resendCooldown = time.Minute
	// resendsPerDay is how often an invitation can be resent in 24 hours.
	resendsPerDay = 5
	// resendDay is how long the resends of an invitation are counted together,
	// from the first one on.
	resendDay = 24 * time.Hour
)

// Renewal is a resend as the inviter typed it.
type Renewal struct {
	InvitationID   string
	ExpiresInHours *int // nil = the account's setting
	SendEmail      bool
}

// Resend gives an open or expired invitation a new link and a new expiry; the
// old link stops working. The viewer becomes its granter. Resend needs
// members.invite in the team. It fails with UNAUTHENTICATED, NOT_FOUND or
// FORBIDDEN; with INVALID_VALUE; with the refusal of the state the invitation
// is in; with INVALID_GRANT when it grants nothing any more; with NOT_GRANTABLE
// when the viewer holds less than it grants; for an expired one with ALREADY_MEMBER,
// MEMBER_DEACTIVATED or ALREADY_INVITED when its address has joined or was invited
// again; with INVITE_COOL_OFF, RESEND_LIMIT_REACHED, ACCOUNT_SUSPENDED,
// FEATURE_NOT_AVAILABLE or RATE_LIMITED; and for an expired one with the limits of Send.
func (s *Service) Resend(ctx context.Context, r Renewal) (issued *Issued, err error) {
	err = s.manage(ctx, r.InvitationID, func(ctx context.Context, a *act.Act, i *ent.Invitation) error {
		if bad := checkTTL(r.ExpiresInHours); bad != nil {
			return bad
		}
		issued, err = s.resend(ctx, a, i, r)
		return err
	})
	return issued, err
}

func (s *Service) resend(ctx context.Context, a *act.Act, i *ent.Invitation, r Renewal) (*Issued, error) {
	now := s.Now()
	taken, err := s.taken(ctx, a.Tx, now, i)
	if err != nil {
		return nil, err
	}
	q, refused := s.terms(a, now).resendable(i, taken)
	if refused != nil {
		return nil, refused
	}
	previous := lifecycle.Effective(i, now)
	if previous == lifecycle.Expired { // it counts as open again
		c, err := s.capacity(ctx, a, i.TeamID)
		if err != nil {
			return nil, err
		}
		if room, full := c.room(1); room == 0 {
			return nil, full
		}
	}
	mailed := r.SendEmail && !s.NoMail
	if err := s.takeResend(a.Actor, i.EmailKey, mailed); err != nil {
		return nil, err
	}
	return s.renew(ctx, a.Tx, i, renewal{
		now: now, expires: now.Add(ttl(a.Account, r.ExpiresInHours)), mailed: mailed,
		granterID: a.UserID, quota: q, previous: previous,
	})
}

// terms are what a resend depends on besides the invitation.
type terms struct {
	now     time.Time
	account *fault.Error // why the account allows no resend at all; nil = it does
	// answersFor refuses an invitation that grants nothing, or more than the inviter holds.
	answersFor func(*ent.Invitation) *fault.Error
}

func (s *Service) terms(a *act.Act, now time.Time) terms {
	return terms{
		now: now, account: refusedByAccount(a),
		answersFor: func(i *ent.Invitation) *fault.Error {
			if nothing := grantsSomething(i); nothing != nil {
				return nothing
			}
			return s.answersFor(a.Actor, i)
		},
	}
}

// refusedByAccount returns ACCOUNT_SUSPENDED, or FEATURE_NOT_AVAILABLE on a plan
// for one user.
func refusedByAccount(a *act.Act) *fault.Error {
	var suspended *fault.Error
	if errors.As(a.InUse(), &suspended) {
		return suspended
	}
	if !a.Account.MultiUser {
		return oneUserOnly()
	}
	return nil
}

// resendable returns the quota that one more resend leaves, or the first reason
// against it: the state, the inviter's own rights, an address that is taken, the
// quota, the account.
func (t terms) resendable(i *ent.Invitation, taken *fault.Error) (quota, *fault.Error) {
	if _, denied := lifecycle.Next(lifecycle.Effective(i, t.now), lifecycle.Resend); denied != nil {
		return quota{}, denied
	}
	if above := t.answersFor(i); above != nil {
		return quota{}, above
	}
	if taken != nil {
		return quota{}, taken
	}
	q, used := quotaOf(i).use(t.now)
	if used == nil {
		used = t.account
	}
	return q, used
}

// taken returns the refusal to resend an invitation because of its address: the address
// takes no invitations from the account now, or, for an invitation that is stored as
// expired, it has joined the team since then or got a newer invitation. An invitation that
// is stored as pending needs no such look, because an address has only one.
func (s *Service) taken(ctx context.Context, tx *store.Tx, now time.Time, i *ent.Invitation) (*fault.Error, error) {
	if i.Status != lifecycle.Expired {
		cooling, err := s.cooling(ctx, tx, now, i.AccountID, i.EmailKey)
		return about(cooling[i.EmailKey], "invitationId"), err
	}
	k, err := s.known(ctx, tx, now, i.AccountID, i.TeamID, i.EmailKey)
	switch {
	case err != nil:
		return nil, err
	case k.members[i.EmailKey] != "":
		return alreadyMember(k.members[i.EmailKey], "invitationId"), nil
	case k.open[i.EmailKey] != nil:
		return fault.Input(fault.AlreadyInvited, "This address has a newer invitation.", "invitationId"), nil
	}
	return about(k.cooling[i.EmailKey], "invitationId"), nil
}

// CanResend reports whether Resend would be allowed to the member. What the
// invitation grants must be loaded.
func (s *Service) CanResend(granter *access.Membership, i *ent.Invitation) bool {
	return granter != nil && granter.Permissions.Has(access.MembersInvite) && s.answersFor(granter, i) == nil && grantsSomething(i) == nil
}

// quota is how often an invitation was resent. The zero quota is that of an
// invitation that never was.
type quota struct {
	since time.Time // the first resend of the day that is counted
	count int       // the resends since then
	last  time.Time
}

func quotaOf(i *ent.Invitation) quota {
	if i.ResentAt == nil || i.ResendDayStart == nil {
		return quota{}
	}
	return quota{since: *i.ResendDayStart, count: i.ResendsOfDay, last: *i.ResentAt}
}

// passing returns RESEND_LIMIT_REACHED with the wait after which a resend is allowed.
func passing(wait time.Duration, message string) *fault.Error {
	f := fault.Input(fault.ResendLimitReached, message)
	f.RetryAfter = wait
	return f
}

// use counts one resend more, or refuses it with RESEND_LIMIT_REACHED. After
// the clock was set back the cooldown lasts as much longer.
func (q quota) use(now time.Time) (quota, *fault.Error) {
	switch wait := q.last.Add(resendCooldown).Sub(now); {
	case q == quota{}:
	case wait > 0:
		return q, passing(wait, fmt.Sprintf("It was resent a moment ago; try again in %d seconds.", int(wait.Seconds())+1))
	case now.Sub(q.since) >= resendDay:
	case q.count >= resendsPerDay:
		return q, passing(q.since.Add(resendDay).Sub(now), fmt.Sprintf("It was resent %d times within a day; more is not allowed.", q.count))
	default:
		return quota{since: q.since, count: q.count + 1, last: now}, nil
	}
	return quota{since: now, count: 1, last: now}, nil
}
