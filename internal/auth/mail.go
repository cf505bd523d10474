package auth

import (
	"context"
	"fmt"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/internal/mail"
	"github.com/convoke-dev/convoke/internal/outbox"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/token"
)

// Composer writes the mails of sign-up.
type Composer struct {
	Store     *store.Store
	Tokens    *token.Deriver
	Templates *mail.Templates
}

// Compose writes the mail of the job; a verification that has been replaced or
// used meanwhile is obsolete.
func (c *Composer) Compose(ctx context.Context, j *ent.Job) (mail.Message, error) {
	u, err := c.Store.Read().User.Query().Where(user.ID(j.SubjectID)).Only(ctx)
	if ent.IsNotFound(err) {
		return mail.Message{}, outbox.ErrObsolete
	}
	if err != nil {
		return mail.Message{}, fmt.Errorf("find user %s: %w", j.SubjectID, err)
	}
	content, err := c.content(u, j)
	if err != nil {
		return mail.Message{}, err
	}
	return mail.Message{
		To: u.Email, ToName: DisplayName(u),
		Subject: content.Subject, Text: content.Text, HTML: content.HTML,
	}, nil
}

func (c *Composer) content(u *ent.User, j *ent.Job) (mail.Content, error) {
	if j.Kind == MailAlreadyRegistered {
		return c.Templates.AlreadyRegistered(mail.AlreadyRegistered{Name: DisplayName(u)})
	}
	if u.VerificationHash == nil || u.VerificationGeneration != j.Generation {
		return mail.Content{}, outbox.ErrObsolete
	}
	t, err := c.Tokens.Rederive(token.Verification, u.ID, j.Generation, *u.VerificationHash)
	if err != nil {
		return mail.Content{}, err
	}
	return c.Templates.Verification(mail.Verification{Name: DisplayName(u), Token: t, ValidFor: VerificationFor})
}

// Record has nothing to write down: nobody watches the delivery of these.
func (c *Composer) Record(context.Context, *store.Tx, *ent.Job, outbox.Result) error { return nil }
