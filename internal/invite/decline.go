package invite

import (
	"context"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/lifecycle"
)

// Decline refuses the invitation for good; doing it twice is a success. The address has
// a cool-off then, in all teams of the account; with block, it has blocked the account
// (see Block). Decline needs no permission: it needs the signed-in user of the
// invitation's address, or the mailed link. It fails with INVALID_VALUE or INVALID_TOKEN; with
// UNAUTHENTICATED or NOT_FOUND for an id that is not the viewer's; with
// EMAIL_MISMATCH for another user, AUTHENTICATION_REQUIRED for a link that was
// not mailed, or with the refusal of the state the invitation is in. It works in
// a suspended account too.
func (s *Service) Decline(ctx context.Context, r Reference, block bool) (invitationID string, err error) {
	viewer := access.ViewerFrom(ctx)
	ctx = access.System(ctx, "decline an invitation")
	located, err := s.ofAddressee(ctx, viewer, r)
	if err != nil {
		return "", err
	}
	var i *ent.Invitation
	return located.ID, s.Door.Do(ctx, answering(viewer, located, r, &i), func(ctx context.Context, a *act.Act) error {
		previous := lifecycle.Effective(i, s.Now())
		to, denied := lifecycle.Next(previous, lifecycle.Decline)
		if denied != nil {
			return denied
		}
		if block {
			if _, err := s.block(ctx, a.Tx, i); err != nil {
				return err
			}
		}
		if to == previous {
			return nil
		}
		if err := s.move(ctx, a.Tx, i, to, nil); err != nil {
			return err
		}
		if err := s.noteDeclined(ctx, a.Tx, i); err != nil {
			return err
		}
		return s.Events.Append(ctx, a.Tx, i.AccountID, eventOf(event.InvitationDeclined, i, a.UserID, was(previous)))
	})
}
