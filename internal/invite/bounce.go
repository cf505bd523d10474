package invite

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/address"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/lifecycle"
	"github.com/convoke-dev/convoke/internal/outbox"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/text"
)

// maxBounceReason is how many runes of a reason are stored.
const maxBounceReason = 200

// maxBounced is how many invitations one report may mark.
const maxBounced = 100

// Bounce is a report of a mail provider that a mail came back. MessageID names
// one mail; without it, Email names all mails of pending invitations to that
// address.
type Bounce struct {
	MessageID string // with or without angle brackets
	Email     string
	Reason    string // shown to people who manage the invitation; may be empty
}

// Bounce stores that mails came back, and returns how many invitations it
// marked. It needs no permission: the caller has checked that the report comes
// from the mail provider. A report about an unknown mail or an older link, or
// one made twice, marks nothing. Bounce fails with BLANK without a Message-ID and
// an address, or with INVALID_EMAIL.
func (s *Service) Bounce(ctx context.Context, b Bounce) (marked int, err error) {
	ctx = access.System(ctx, "store that a mail came back")
	reason := []rune(strings.Join(strings.Fields(b.Reason), " "))
	b.Reason, _ = text.Note(string(reason[:min(len(reason), maxBounceReason)])) // short enough not to fail
	if b.Reason == "" {
		b.Reason = "The mail came back."
	}
	hit, err := s.bounced(ctx, b)
	if err != nil {
		return 0, err
	}
	var failed []error
	for _, i := range hit {
		changed, err := s.bounce(ctx, i, b.Reason)
		if changed {
			marked++
		}
		failed = append(failed, err)
	}
	return marked, errors.Join(failed...)
}

// bounced finds the invitations that a report is about.
func (s *Service) bounced(ctx context.Context, b Bounce) ([]*ent.Invitation, error) {
	q := s.Store.Read().Invitation.Query().Limit(maxBounced)
	id, generation, ours := outbox.ParseMessageID(b.MessageID)
	switch {
	case ours:
		q.Where(invitation.ID(id), invitation.TokenGeneration(generation))
	case b.Email == "" && b.MessageID == "":
		return nil, fault.Input(fault.Blank, "Give the Message-ID of the mail, or the address it went to.", "messageId")
	case b.Email == "":
		return nil, nil
	default:
		addr, bad := address.Parse(b.Email, "email")
		if bad != nil {
			return nil, bad
		}
		q.Where(invitation.EmailKey(addr.Key), lifecycle.StoredPending())
	}
	hit, err := q.Where(invitation.DeliveryIn(invitation.DeliveryQueued, invitation.DeliverySent)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("find the invitations of a bounce: %w", err)
	}
	return hit, nil
}

// bounce marks one invitation, unless it has a newer link or is marked already.
func (s *Service) bounce(ctx context.Context, seen *ent.Invitation, reason string) (changed bool, err error) {
	err = s.Store.InAccount(ctx, seen.AccountID, func(tx *store.Tx) error {
		i, err := find(ctx, tx.Client(), seen.ID)
		if fault.Is(err, fault.NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		changed = i.TokenGeneration == seen.TokenGeneration && i.Delivery != invitation.DeliveryBounced
		if !changed {
			return nil
		}
		return record(ctx, tx, s.Events, i, delivered{
			status: invitation.DeliveryBounced, event: event.InvitationBounced,
			attempts: i.DeliveryAttempts, reason: reason, at: s.Now(),
		})
	})
	return changed, err
}
