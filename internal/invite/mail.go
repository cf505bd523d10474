package invite

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/mail"
	"github.com/convoke-dev/convoke/internal/outbox"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/token"
)

// Composer writes the mails of invitations and keeps their delivery status.
type Composer struct {
	Store     *store.Store
	Events    *event.Log
	Tokens    *token.Deriver
	Templates *mail.Templates
	Now       func() time.Time
}

// Compose writes the mail of the job. One whose invitation is not open any
// more, or has a newer link, is obsolete.
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
	if Effective(i, now) != Pending || i.TokenGeneration != j.Generation {
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
	return mail.Message{To: i.Email, ToName: name, Subject: content.Subject, Text: content.Text, HTML: content.HTML}, nil
}

// Record writes the delivery status and its event, unless a newer mail is on
// its way.
func (c *Composer) Record(ctx context.Context, tx *store.Tx, j *ent.Job, r outbox.Result) error {
	i, err := find(ctx, tx.Client(), j.SubjectID)
	if err != nil {
		return err
	}
	if i.TokenGeneration != j.Generation {
		return nil
	}
	u := tx.Invitation.UpdateOneID(i.ID).
		SetDeliveryAttempts(r.Attempts).SetDeliveryError(r.Reason).SetDeliveryUpdatedAt(r.At).
		AddVersion(1).SetUpdatedAt(r.At)
	var drafts []event.Draft
	switch r.Outcome {
	case outbox.Sent:
		u.SetDelivery(invitation.DeliverySent)
		drafts = append(drafts, draft(event.InvitationSent, i, "", nil))
	case outbox.Failed:
		u.SetDelivery(invitation.DeliveryFailed)
		drafts = append(drafts, draft(event.InvitationFailed, i, "", map[string]string{event.Reason: r.Reason}))
	case outbox.Retried:
	}
	if err := u.Exec(ctx); err != nil {
		return fmt.Errorf("record the delivery of %s: %w", i.ID, err)
	}
	if len(drafts) == 0 {
		return nil
	}
	return c.Events.Append(ctx, tx, i.AccountID, drafts...)
}
