package auth

import (
	"context"
	"fmt"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/signup"
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

// Compose writes the mail of the job. A verification that was used or dropped
// meanwhile is obsolete.
func (c *Composer) Compose(ctx context.Context, j *ent.Job) (mail.Message, error) {
	if j.Kind == MailAlreadyRegistered {
		return c.alreadyRegistered(ctx, j)
	}
	up, err := c.Store.Read().SignUp.Query().Where(signup.ID(j.SubjectID)).Only(ctx)
	if ent.IsNotFound(err) {
		return mail.Message{}, outbox.ErrObsolete
	}
	if err != nil {
		return mail.Message{}, fmt.Errorf("find sign-up %s: %w", j.SubjectID, err)
	}
	t, err := c.Tokens.Rederive(token.Verification, up.ID, j.Generation, up.TokenHash)
	if err != nil {
		return mail.Message{}, err
	}
	name := nameOf(up.FirstName, up.LastName, up.Email)
	content, err := c.Templates.Verification(mail.Verification{Name: name, Token: t, ValidFor: VerificationFor})
	return message(up.Email, name, content), err
}

func (c *Composer) alreadyRegistered(ctx context.Context, j *ent.Job) (mail.Message, error) {
	u, err := c.Store.Read().User.Query().Where(user.ID(j.SubjectID)).Only(ctx)
	if ent.IsNotFound(err) {
		return mail.Message{}, outbox.ErrObsolete
	}
	if err != nil {
		return mail.Message{}, fmt.Errorf("find user %s: %w", j.SubjectID, err)
	}
	content, err := c.Templates.AlreadyRegistered(mail.AlreadyRegistered{Name: DisplayName(u)})
	return message(u.Email, DisplayName(u), content), err
}

func message(to, name string, c mail.Content) mail.Message {
	return mail.Message{To: to, ToName: name, Subject: c.Subject, Text: c.Text, HTML: c.HTML}
}

// Record has nothing to write down: nobody watches the delivery of these.
func (c *Composer) Record(context.Context, *store.Tx, *ent.Job, outbox.Result) error { return nil }
