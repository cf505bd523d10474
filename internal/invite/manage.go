package invite

import (
	"context"
	"fmt"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/predicate"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/lifecycle"
	"github.com/convoke-dev/convoke/internal/roster"
	"github.com/convoke-dev/convoke/internal/store"
)

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
	previous := lifecycle.Effective(i, s.Now())
	to, denied := lifecycle.Next(previous, lifecycle.Revoke)
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
		invitation.TeamID(d.TeamID), invitation.GranterID(d.UserID), lifecycle.StoredPending(),
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
		ids[n], drafts[n] = i.ID, draft(event.InvitationExpired, i, "", was(lifecycle.Pending))
	}
	n, err := tx.Invitation.Update().Where(invitation.IDIn(ids...), lifecycle.StoredPending()).
		SetStatus(lifecycle.Expired).AddVersion(1).SetUpdatedAt(s.Now()).Save(ctx)
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
