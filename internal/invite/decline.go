package invite

import (
	"context"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/lifecycle"
)

// Decline refuses the invitation for good; doing it twice is a success. Decline
// needs no permission: it needs the signed-in user of the invitation's address,
// or the mailed link. It fails with INVALID_VALUE or INVALID_TOKEN; with
// UNAUTHENTICATED or NOT_FOUND for an id that is not the viewer's; with
// EMAIL_MISMATCH for another user, AUTHENTICATION_REQUIRED for a link that was
// not mailed, or with the refusal of the state the invitation is in. It works in
// a suspended account too.
func (s *Service) Decline(ctx context.Context, r Reference) (invitationID string, err error) {
	viewer := access.ViewerFrom(ctx)
	ctx = access.System(ctx, "decline an invitation")
	located, err := s.locate(ctx, viewer, r)
	switch {
	case err != nil:
		return "", err
	case viewer != nil && viewer.EmailKey != located.EmailKey:
		return "", mismatch(located, viewer)
	case viewer == nil && !located.TokenMailed:
		return "", signInFirst()
	}
	var i *ent.Invitation
	return located.ID, s.Door.Do(ctx, answering(viewer, located, r, &i), func(ctx context.Context, a *act.Act) error {
		previous := lifecycle.Effective(i, s.Now())
		to, denied := lifecycle.Next(previous, lifecycle.Decline)
		if denied != nil {
			return denied
		}
		if to == previous {
			return nil
		}
		if err := s.move(ctx, a.Tx, i, to, nil); err != nil {
			return err
		}
		return s.Events.Append(ctx, a.Tx, i.AccountID, eventOf(event.InvitationDeclined, i, a.UserID, was(previous)))
	})
}
