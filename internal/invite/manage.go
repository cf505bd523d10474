package invite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/predicate"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/roster"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/token"
)

const (
	// resendCooldown lies between two resends of an invitation; the first is
	// free at once.
	resendCooldown = time.Minute
	// resendsPerDay is how often an invitation can be resent in 24 hours.
	resendsPerDay = 5
)

// Renewal is a wish to send an invitation again.
type Renewal struct {
	InvitationID   string
	ExpiresInHours *int // nil = the account's setting
	SendEmail      bool
}

// Resend gives an open or expired invitation a new link and a new expiry; the
// old link is dead. It fails with UNAUTHENTICATED, NOT_FOUND or FORBIDDEN;
// with INVALID_VALUE, the refusal of the state it is in, ALREADY_MEMBER or
// ALREADY_INVITED when an expired one has been overtaken, NOT_GRANTABLE when
// the viewer holds less than it offers, ACCOUNT_SUSPENDED, RESEND_LIMIT_REACHED, RATE_LIMITED,
// and for an expired one the limits of Send.
func (s *Service) Resend(ctx context.Context, r Renewal) (issued *Issued, err error) {
	err = s.manage(ctx, r.InvitationID, func(tx *store.Tx, i *ent.Invitation, inviter *access.Membership) error {
		if bad := checkTTL(r.ExpiresInHours); bad != nil {
			return bad
		}
		issued, err = s.resend(ctx, tx, i, inviter, r.ExpiresInHours, r.SendEmail)
		return err
	})
	return issued, err
}

func (s *Service) resend(ctx context.Context, tx *store.Tx, i *ent.Invitation, inviter *access.Membership, hours *int, sendEmail bool) (*Issued, error) {
	now, mailed := s.Now(), sendEmail && !s.NoMail
	previous := Effective(i, now)
	if err := s.resendable(ctx, tx, i, inviter, previous); err != nil {
		return nil, err
	}
	day, count, err := quota(i, now)
	if err != nil {
		return nil, err
	}
	acc, err := s.account(ctx, tx, i.AccountID)
	if err != nil {
		return nil, err
	}
	if !acc.MultiUser {
		return nil, oneUserOnly()
	}
	if previous == Expired {
		if room, full, err := s.room(ctx, tx, acc, i.TeamID, 1); err != nil {
			return nil, err
		} else if room == 0 {
			return nil, full
		}
	}
	if err := s.notTooMany(inviter, 1); err != nil {
		return nil, err
	}
	if err := s.notTooManyTo(i.EmailKey, mailed); err != nil {
		return nil, err
	}
	generation := i.TokenGeneration + 1
	secret := s.Tokens.Derive(token.Invitation, i.ID, generation)
	err = s.move(ctx, tx, i, Pending, func(u *ent.InvitationUpdate) {
		u.SetTokenGeneration(generation).SetTokenHash(token.Hash(secret)).SetTokenMailed(mailed || s.NoMail).
			SetExpiresAt(now.Add(ttl(acc, hours))).SetSuperseded(false).SetGranterID(inviter.UserID).
			SetResentAt(now).SetResendDayStart(day).SetResendsOfDay(count).
			SetDeliveryAttempts(0).SetDeliveryError("").SetDeliveryUpdatedAt(now)
		if mailed {
			u.SetDelivery(invitation.DeliveryQueued).SetLastSentAt(now).AddSendCount(1)
		} else {
			u.SetDelivery(invitation.DeliveryNotRequested)
		}
	})
	if err != nil {
		return nil, err
	}
	i.TokenGeneration = generation
	resent := draft(event.InvitationResent, i, inviter.UserID, was(previous))
	if !mailed {
		return &Issued{ID: i.ID, URL: s.link(secret), generation: generation}, s.Events.Append(ctx, tx, i.AccountID, resent)
	}
	if err := s.Events.Append(ctx, tx, i.AccountID, resent, draft(event.InvitationQueued, i, inviter.UserID, nil)); err != nil {
		return nil, err
	}
	return &Issued{ID: i.ID}, s.Outbox.Enqueue(ctx, tx, letter(i))
}

// resendable fails when the state of the invitation, the viewer's own rights, or
// what went to its address meanwhile forbid to resend it.
func (s *Service) resendable(ctx context.Context, tx *store.Tx, i *ent.Invitation, inviter *access.Membership, state Status) error {
	if _, denied := Next(state, Resend); denied != nil {
		return denied
	}
	if err := s.answersFor(inviter, i); err != nil || i.Status != Expired {
		return err
	}
	open, err := s.makeWay(ctx, tx, i)
	if err == nil && open != nil {
		err = fault.Input(fault.AlreadyInvited, "This address has a newer invitation.", "invitationId")
	}
	return err
}

// answersFor fails with NOT_GRANTABLE when somebody holds less than the
// invitation grants, or is restricted where it is not.
func (s *Service) answersFor(granter *access.Membership, i *ent.Invitation) error {
	if !granter.Permissions.Covers(s.Access.Granted(Offered(i))) || roster.CheckReach(granter, scopeOf(i)) != nil {
		return fault.Input(fault.NotGrantable, "The invitation grants what you do not hold yourself.", "invitationId")
	}
	return nil
}

// CanResend reports whether Resend would be refused for lack of a right. What
// the invitation offers must be loaded.
func (s *Service) CanResend(granter *access.Membership, i *ent.Invitation) bool {
	return granter != nil && granter.Permissions.Has(access.MembersInvite) && s.answersFor(granter, i) == nil
}

// scopeOf returns what an invitation restricts to. Its divisions must be loaded.
func scopeOf(i *ent.Invitation) roster.Scope {
	sc := roster.Scope{Domains: i.AllowedDomains}
	for _, d := range i.Edges.Divisions {
		sc.DivisionIDs = append(sc.DivisionIDs, d.ID)
	}
	return sc
}

// quota counts one resend more, or refuses it.
func quota(i *ent.Invitation, now time.Time) (dayStart time.Time, count int, err error) {
	if i.ResentAt == nil || i.ResendDayStart == nil {
		return now, 1, nil
	}
	if wait := i.ResentAt.Add(resendCooldown).Sub(now); wait > 0 {
		return now, 0, fault.Input(fault.ResendLimitReached,
			fmt.Sprintf("It was resent a moment ago; try again in %d seconds.", int(wait.Seconds())+1))
	}
	if now.Sub(*i.ResendDayStart) >= 24*time.Hour {
		return now, 1, nil
	}
	if i.ResendsOfDay >= resendsPerDay {
		return now, 0, fault.Input(fault.ResendLimitReached,
			fmt.Sprintf("It was resent %d times within a day, more is not allowed.", i.ResendsOfDay))
	}
	return *i.ResendDayStart, i.ResendsOfDay + 1, nil
}

// Revoke takes an open or expired invitation back; its link is dead. Doing it
// twice is a success. It fails with UNAUTHENTICATED, NOT_FOUND or FORBIDDEN,
// with the refusal of the state it is in, or with ACCOUNT_SUSPENDED.
func (s *Service) Revoke(ctx context.Context, id string) error {
	return s.manage(ctx, id, func(tx *store.Tx, i *ent.Invitation, m *access.Membership) error {
		if _, err := s.account(ctx, tx, i.AccountID); err != nil {
			return err
		}
		return s.revoke(ctx, tx, i, m.UserID)
	})
}

func (s *Service) revoke(ctx context.Context, tx *store.Tx, i *ent.Invitation, actorID string) error {
	previous := Effective(i, s.Now())
	to, denied := Next(previous, Revoke)
	if denied != nil {
		return denied
	}
	if to == previous {
		return nil
	}
	if err := s.move(ctx, tx, i, to, nil); err != nil {
		return err
	}
	return s.Events.Append(ctx, tx, i.AccountID, draft(event.InvitationRevoked, i, actorID, was(previous)))
}

// Depart settles the open invitations of a member who leaves: his heir answers
// for them from now on, or they are revoked. It is the roster's, in its
// transaction; the context is the system's.
func (s *Service) Depart(ctx context.Context, tx *store.Tx, d roster.Departure) error {
	his := []predicate.Invitation{
		invitation.TeamID(d.TeamID), invitation.GranterID(d.UserID), invitation.StatusEQ(Pending),
	}
	if d.HeirID != "" {
		if _, err := tx.Invitation.Update().Where(his...).SetGranterID(d.HeirID).Save(ctx); err != nil {
			return fmt.Errorf("pass the invitations of %s on: %w", d.UserID, err)
		}
		return nil
	}
	open, err := tx.Invitation.Query().Where(his...).Order(invitation.ByCreatedAt(), invitation.ByID()).All(ctx)
	if err != nil {
		return fmt.Errorf("find the invitations of %s: %w", d.UserID, err)
	}
	for _, i := range open {
		if err := s.revoke(ctx, tx, i, d.ActorID); err != nil {
			return err
		}
	}
	return nil
}

// expire writes down that pending invitations of one team have run out.
func (s *Service) expire(ctx context.Context, tx *store.Tx, overdue ...*ent.Invitation) error {
	if len(overdue) == 0 {
		return nil
	}
	ids, drafts := make([]string, len(overdue)), make([]event.Draft, len(overdue))
	for n, i := range overdue {
		ids[n], drafts[n] = i.ID, draft(event.InvitationExpired, i, "", was(Pending))
	}
	n, err := tx.Invitation.Update().Where(invitation.IDIn(ids...), invitation.StatusEQ(Pending)).
		SetStatus(Expired).AddVersion(1).SetUpdatedAt(s.Now()).Save(ctx)
	if err == nil && n != len(overdue) {
		err = fmt.Errorf("%d of %d were not pending any more", len(overdue)-n, len(overdue))
	}
	if err == nil {
		// None of them is superseded: that comes after.
		err = tx.Team.UpdateOneID(overdue[0].TeamID).AddPendingInvitations(-n).AddExpiredInvitations(n).Exec(access.System(ctx, "keep the team's numbers"))
	}
	if err != nil {
		return fmt.Errorf("expire invitations of %s: %w", overdue[0].TeamID, err)
	}
	return s.Events.Append(ctx, tx, overdue[0].AccountID, drafts...)
}

// sweepBatch is how many invitations one round of the sweep looks at.
const sweepBatch = 500

// Sweep writes down which invitations have run out, so that it is logged and
// seen live: those of a team in one transaction. Nothing else waits for it. A team
// that fails does not keep the others; more than a batch is left to the next
// round.
func (s *Service) Sweep(ctx context.Context) error {
	ctx = access.System(ctx, "write down expired invitations")
	due, err := s.Store.Read().Invitation.Query().
		Where(invitation.StatusEQ(Pending), invitation.ExpiresAtLTE(s.Now())).
		Order(invitation.ByExpiresAt()).Limit(sweepBatch).
		Select(invitation.FieldID, invitation.FieldAccountID, invitation.FieldTeamID).All(ctx)
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	type place struct{ account, team string }
	ids := map[place][]string{}
	for _, i := range due {
		at := place{i.AccountID, i.TeamID}
		ids[at] = append(ids[at], i.ID)
	}
	var failed []error
	for at, ids := range ids {
		err := s.Store.InAccount(ctx, at.account, func(tx *store.Tx) error {
			// Some may have been revoked, resent or deleted meanwhile.
			overdue, err := tx.Invitation.Query().
				Where(invitation.IDIn(ids...), invitation.StatusEQ(Pending), invitation.ExpiresAtLTE(s.Now())).
				Order(invitation.ByExpiresAt(), invitation.ByID()).All(ctx)
			if err != nil {
				return err
			}
			return s.expire(ctx, tx, overdue...)
		})
		if err != nil {
			failed = append(failed, fmt.Errorf("sweep %s: %w", at.team, err))
		}
	}
	return errors.Join(failed...)
}
