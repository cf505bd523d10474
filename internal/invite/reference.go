package invite

import (
	"context"
	"fmt"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/address"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/token"
)

// Reference names an invitation as its addressee does: by the token of its
// link or, when signed in, by its id. Exactly one of them is set.
type Reference struct {
	Token        string
	InvitationID string
}

// locate finds the invitation that a reference names. It fails with
// FORBIDDEN for an API key, with INVALID_VALUE unless one of token and id is given, with INVALID_TOKEN, or,
// for an id, with UNAUTHENTICATED or, unless the viewer's proven address is that
// of the invitation, NOT_FOUND.
func (s *Service) locate(ctx context.Context, viewer *access.Viewer, r Reference) (*ent.Invitation, error) {
	switch given := token.Clean(r.Token); {
	case viewer.IsKey():
		return nil, access.NeedsPerson()
	case (given == "") == (r.InvitationID == ""):
		return nil, fault.Input(fault.InvalidValue, "Give either the token or the invitation's id.", "invitation")
	case given != "":
		i, err := s.byToken(ctx, r.Token)
		if ent.IsNotFound(err) {
			return nil, invalidToken()
		}
		return i, err
	case viewer == nil:
		return nil, fault.Refuse(fault.Unauthenticated, "Sign in first.")
	default:
		i, err := find(ctx, s.Store.Read(), r.InvitationID)
		if err == nil && (i.EmailKey != viewer.EmailKey || viewer.Unproven) {
			return nil, fault.Refuse(fault.NotFound, "There is no such invitation.")
		}
		return i, err
	}
}

// answering lets the addressee act on an invitation that locate has found. In
// the transaction it reads the invitation again into current, and fails with
// INVALID_TOKEN when a resend has replaced the link meanwhile, or the invitation was
// deleted with its team: the answers are those of locate. It opens
// suspended accounts too: Decline is allowed there, and Accept checks it later.
func answering(viewer *access.Viewer, located *ent.Invitation, r Reference, current **ent.Invitation) act.Rule {
	userID := ""
	if viewer != nil {
		userID = viewer.UserID
	}
	return act.AsAddressee(located.AccountID, userID, func(ctx context.Context, tx *store.Tx) (err error) {
		*current, err = find(ctx, tx.Client(), located.ID)
		byLink := token.Clean(r.Token) != ""
		if byLink && (fault.Is(err, fault.NotFound) || err == nil && (*current).TokenGeneration != located.TokenGeneration) {
			return invalidToken()
		}
		return err
	}).EvenSuspended()
}

// byToken returns the invitation with what a preview shows; ent's not-found error when
// no invitation has the token, or its team is deleted while it is read.
func (s *Service) byToken(ctx context.Context, invitationToken string) (*ent.Invitation, error) {
	i, err := s.Store.Read().Invitation.Query().
		Where(invitation.TokenHash(token.Hash(invitationToken))).
		WithRoles().WithInviter().WithTeam(func(q *ent.TeamQuery) { q.WithAccount() }).
		Only(ctx)
	if err == nil && (i.Edges.Team == nil || i.Edges.Team.Edges.Account == nil) {
		err = &ent.NotFoundError{}
	}
	if err != nil {
		return nil, fmt.Errorf("find an invitation by its token: %w", err)
	}
	return i, nil
}

// mismatch tells the viewer that the invitation is for another address, which
// it masks.
func mismatch(i *ent.Invitation, viewer *access.Viewer) error {
	return fault.Input(fault.EmailMismatch, fmt.Sprintf(
		"This invitation is for %s; you are signed in as %s.", address.Mask(i.Email), viewer.Email))
}

func invalidToken() error {
	return fault.Input(fault.InvalidToken, "This link is not valid, or a newer mail has replaced it.", "token")
}
