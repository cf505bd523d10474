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

// maxBounceReason is how much of a reason is kept, in runes.
const maxBounceReason = 200

// maxBounced is how many invitations one report about an address may mark.
const maxBounced = 100

// Bounce is a report that a mail came back. One of MessageID and Email tells
// which: the id names one mail, the address all that went there and are open.
type Bounce struct {
	MessageID string // with or without angle brackets
	Email     string
	Reason    string // shown to the team's admins; may be empty
}

// Bounce notes that mails came back, and returns how many invitations they were
// of. A report about nothing of ours, about an older link, or made twice,
// changes nothing. BLANK without a Message-ID and an address, INVALID_EMAIL.
// Whoever calls it has proved to be the mail provider.
func (s *Service) Bounce(ctx context.Context, b Bounce) (marked int, err error) {
	ctx = access.System(ctx, "note that a mail came back")
	reason := []rune(strings.Join(strings.Fields(b.Reason), " "))
	b.Reason, _ = text.Note(string(reason[:min(len(reason), maxBounceReason)])) // which is never too long
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

// bounced finds the invitations a report is about.
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
		return nil, fmt.Errorf("find what came back: %w", err)
	}
	return hit, nil
}

// bounce marks one invitation, unless a newer mail is on its way.
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
