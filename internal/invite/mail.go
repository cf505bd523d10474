package invite

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/lifecycle"
	"github.com/convoke-dev/convoke/internal/mail"
	"github.com/convoke-dev/convoke/internal/outbox"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/token"
)

// Composer is the outbox's composer of invitation mails. It also stores their
// delivery.
type Composer struct {
	Store     *store.Store
	Events    *event.Log
	Tokens    *token.Deriver
	Templates *mail.Templates
	Now       func() time.Time
	// ReplyToInviter lets replies go to the inviter, whose address the addressee then sees.
	ReplyToInviter bool
}

// Compose writes the mail of the job. It fails with outbox.ErrObsolete when the
// invitation is gone, not open any more, or has a newer link, or when the addressee has
// blocked the account.
func (c *Composer) Compose(ctx context.Context, j *ent.Job) (mail.Message, error) {
	i, err := c.Store.Read().Invitation.Query().Where(invitation.ID(j.SubjectID)).
		WithRoles().WithInviter().WithTeam(func(q *ent.TeamQuery) { q.WithAccount() }).
		Only(ctx)
	if ent.IsNotFound(err) {
		return mail.Message{}, outbox.ErrObsolete
	}
	if err != nil {
		return mail.Message{}, fmt.Errorf("find invitation %s: %w", j.SubjectID, err)
	}
	now := c.Now()
	if !lifecycle.IsOpen(i, now) || i.TokenGeneration != j.Generation || i.Edges.Team == nil { // deleted while it was read
		return mail.Message{}, outbox.ErrObsolete
	}
	switch is, err := blocked(ctx, c.Store.Read(), i.AccountID, i.EmailKey); {
	case err != nil:
		return mail.Message{}, err
	case is:
		return mail.Message{}, outbox.ErrObsolete
	}
	t, err := c.Tokens.Rederive(token.Invitation, i.ID, i.TokenGeneration, i.TokenHash)
	if err != nil {
		return mail.Message{}, err
	}
	name := strings.TrimSpace(i.FirstName + " " + i.LastName)
	content, err := c.Templates.Invitation(mail.Invitation{
		TeamName: i.Edges.Team.Name, AccountName: i.Edges.Team.Edges.Account.Name,
		InviterName: inviterName(i), InviteeName: name, RoleNames: roleNames(i),
		Note: i.Note, ExpiresAt: i.ExpiresAt, SentAt: now, Token: t,
	})
	if err != nil {
		return mail.Message{}, fmt.Errorf("render invitation %s: %w", i.ID, err)
	}
	replyTo, err := c.replyTo(ctx, i)
	return mail.Message{To: i.Email, ToName: name, ReplyTo: replyTo, Subject: content.Subject, Text: content.Text, HTML: content.HTML}, err
}

// replyTo returns the address of the inviter. It is empty unless mail has proven the address
// and the inviter is an active member of the team, because a reply to the invitation is meant
// for somebody of the team.
func (c *Composer) replyTo(ctx context.Context, i *ent.Invitation) (string, error) {
	u := i.Edges.Inviter
	if !c.ReplyToInviter || u == nil || u.EmailProof != user.EmailProofMail {
		return "", nil
	}
	is, err := c.Store.Read().Member.Query().
		Where(member.TeamID(i.TeamID), member.UserID(u.ID), member.StatusEQ(member.StatusActive)).Exist(ctx)
	if err != nil || !is {
		return "", err
	}
	return u.Email, nil
}

// notNeeded is the reason of a delivery that failed because the invitation ended
// first, or, while it is open, because the addressee has blocked the account.
var notNeeded = map[lifecycle.Status]string{
	lifecycle.Accepted: "It was accepted before the mail went out.",
	lifecycle.Declined: "It was declined before the mail went out.",
	lifecycle.Revoked:  "It was revoked before the mail went out.",
	lifecycle.Expired:  "It expired before the mail went out.",
	lifecycle.Pending:  "The address takes no invitations from this account.",
}

// Record stores what happened to the mail of the job, with its event. It
// changes nothing when the invitation is gone, has a newer link, or is marked as
// bounced already.
func (c *Composer) Record(ctx context.Context, tx *store.Tx, j *ent.Job, r outbox.Result) error {
	i, err := find(ctx, tx.Client(), j.SubjectID)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if i.TokenGeneration != j.Generation || i.Delivery == invitation.DeliveryBounced {
		return nil // a provider may report the bounce before the worker reports the sending
	}
	d := delivered{attempts: r.Attempts, reason: r.Reason, at: r.At}
	switch r.Outcome {
	case outbox.Sent:
		d.status, d.event = invitation.DeliverySent, event.InvitationSent
	case outbox.Failed:
		d.status, d.event = invitation.DeliveryFailed, event.InvitationFailed
	case outbox.Bounced:
		d.status, d.event = invitation.DeliveryBounced, event.InvitationBounced
	case outbox.Obsolete:
		d.status, d.event = invitation.DeliveryFailed, event.InvitationFailed
		d.reason = notNeeded[lifecycle.Effective(i, r.At)]
	case outbox.Retried:
		d.status = i.Delivery
	}
	return record(ctx, tx, c.Events, i, d)
}

// delivered is a change of the delivery.
type delivered struct {
	status   invitation.Delivery
	event    event.Type // empty = no event
	attempts int
	reason   string // safe to show to people who manage the invitation
	at       time.Time
}

// record stores the delivery of the invitation, and its event. It does not move
// the state.
func record(ctx context.Context, tx *store.Tx, log *event.Log, i *ent.Invitation, d delivered) error {
	err := tx.Invitation.UpdateOneID(i.ID).
		SetDelivery(d.status).SetDeliveryAttempts(d.attempts).SetDeliveryError(d.reason).SetDeliveryUpdatedAt(d.at).
		AddVersion(1).SetUpdatedAt(d.at).Exec(ctx)
	if err != nil {
		return fmt.Errorf("record the delivery of %s: %w", i.ID, err)
	}
	if d.event == "" {
		return nil
	}
	var data map[string]string
	if d.reason != "" {
		data = map[string]string{event.Reason: d.reason}
	}
	return log.Append(ctx, tx, i.AccountID, eventOf(d.event, i, "", data))
}
