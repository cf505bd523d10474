package invite

import (
	"context"
	"fmt"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/lifecycle"
	"github.com/convoke-dev/convoke/internal/roster"
	"github.com/convoke-dev/convoke/internal/store"
)

// manage runs f on the invitation as the transaction sees it, for a viewer who
// holds members.invite in its team. It fails with UNAUTHENTICATED, with
// NOT_FOUND when the viewer may not know of the invitation, or with FORBIDDEN.
// It opens suspended accounts too, because some verbs refuse an invitation in
// the wrong state first: f calls InUse.
func (s *Service) manage(ctx context.Context, id string, f func(ctx context.Context, a *act.Act, i *ent.Invitation) error) error {
	if _, err := access.SignedIn(ctx); err != nil {
		return err
	}
	seen, err := find(ctx, s.Store.Read(), id)
	if err != nil {
		return err
	}
	rule := act.InTeam(seen.TeamID, access.MembersInvite).EvenSuspended()
	return s.Door.Do(ctx, rule, func(ctx context.Context, a *act.Act) error {
		i, err := find(ctx, a.Tx.Client(), id)
		if err != nil {
			return err
		}
		return f(ctx, a, i)
	})
}

// Revoke ends an open or expired invitation; its link stops working. Doing it
// twice is a success. Revoke needs members.invite in the team. It fails with
// UNAUTHENTICATED, NOT_FOUND or FORBIDDEN, with ACCOUNT_SUSPENDED, or with the
// refusal of the state the invitation is in.
func (s *Service) Revoke(ctx context.Context, id string) error {
	return s.manage(ctx, id, func(ctx context.Context, a *act.Act, i *ent.Invitation) error {
		if err := a.InUse(); err != nil {
			return err
		}
		_, err := s.takeBack(ctx, a.Tx, i, a.UserID)
		return err
	})
}

// takeBack is Revoke in its transaction. It reports whether anything changed. A mailed
// invitation that is taken back counts for the cool-off of its address.
func (s *Service) takeBack(ctx context.Context, tx *store.Tx, i *ent.Invitation, actorID string) (changed bool, err error) {
	if changed, err = s.revoke(ctx, tx, i, actorID); err == nil && changed {
		err = s.NoteUnanswered(ctx, tx, i)
	}
	return changed, err
}

// revoke moves the invitation to its end, with the event. It reports whether anything
// changed.
func (s *Service) revoke(ctx context.Context, tx *store.Tx, i *ent.Invitation, actorID string) (changed bool, err error) {
	previous := lifecycle.Effective(i, s.Now())
	to, denied := lifecycle.Next(previous, lifecycle.Revoke)
	if denied != nil {
		return false, denied
	}
	if to == previous {
		return false, nil
	}
	if err := s.move(ctx, tx, i, to, nil); err != nil {
		return false, err
	}
	return true, s.Events.Append(ctx, tx, i.AccountID, eventOf(event.InvitationRevoked, i, actorID, was(previous)))
}

// Depart settles the pending invitations of a granter who leaves the team: they pass
// to the heir, or they are revoked. The roster calls it in its own transaction, after
// its own check of the permission, before the member is deleted, and with a context of
// the system.
func (s *Service) Depart(ctx context.Context, tx *store.Tx, d roster.Departure) error {
	q := tx.Invitation.Query().
		Where(invitation.TeamID(d.TeamID), invitation.GranterID(d.UserID), lifecycle.StoredPending()).
		Order(invitation.ByCreatedAt(), invitation.ByID())
	if d.HeirID != "" {
		withGrant(q)
	}
	pending, err := q.All(ctx)
	if err != nil {
		return fmt.Errorf("find the invitations of %s: %w", d.UserID, err)
	}
	if d.HeirID != "" {
		return s.handOver(ctx, tx, d, pending)
	}
	for _, i := range pending {
		if _, err := s.takeBack(ctx, tx, i, d.ActorID); err != nil {
			return err
		}
	}
	return nil
}

// expire stores that the overdue invitations, all of one team, have expired. It
// fails when one of them is not stored as pending any more.
func (s *Service) expire(ctx context.Context, tx *store.Tx, overdue ...*ent.Invitation) error {
	if len(overdue) == 0 {
		return nil
	}
	ids, events := make([]string, len(overdue)), make([]event.Draft, len(overdue))
	for n, i := range overdue {
		ids[n], events[n] = i.ID, eventOf(event.InvitationExpired, i, "", was(lifecycle.Pending))
	}
	n, err := tx.Invitation.Update().Where(invitation.IDIn(ids...), lifecycle.StoredPending()).
		SetStatus(lifecycle.Expired).AddVersion(1).SetUpdatedAt(s.Now()).Save(ctx)
	if err == nil && n != len(overdue) {
		err = fmt.Errorf("%d of %d are not pending any more", len(overdue)-n, len(overdue))
	}
	if err == nil {
		// None of them is superseded: only expired ones are.
		err = roster.Count(ctx, tx, overdue[0].TeamID, roster.Delta{Pending: -n, Expired: n})
	}
	if err != nil {
		return fmt.Errorf("expire invitations of %s: %w", overdue[0].TeamID, err)
	}
	return s.Events.Append(ctx, tx, overdue[0].AccountID, events...)
}
