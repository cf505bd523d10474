package auth

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/passwordreset"
	"github.com/convoke-dev/convoke/ent/signup"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/internal/mail"
	"github.com/convoke-dev/convoke/internal/outbox"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/token"
)

// Composer writes the mails about sign-ups, resets and changes of address.
type Composer struct {
	Store     *store.Store
	Tokens    *token.Deriver
	Templates *mail.Templates
	Now       func() time.Time
}

// Compose writes the mail of the job. outbox.ErrObsolete when its link was used, was
// replaced or has expired.
func (c *Composer) Compose(ctx context.Context, j *ent.Job) (mail.Message, error) {
	switch j.Kind {
	case MailAlreadyRegistered:
		return c.alreadyRegistered(ctx, j)
	case MailReset:
		return c.reset(ctx, j)
	case MailConfirmOldAddress, MailConfirmNewAddress, MailAddressTaken:
		return c.emailChange(ctx, j)
	default:
		return c.verification(ctx, j)
	}
}

func (c *Composer) verification(ctx context.Context, j *ent.Job) (mail.Message, error) {
	now := c.Now()
	up, err := c.Store.Read().SignUp.Query().Where(signup.ID(j.SubjectID), signup.ExpiresAtGT(now)).Only(ctx)
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
	name := greeting(up.FirstName, up.LastName)
	content, err := c.Templates.Verification(mail.Verification{Name: name, Token: t, ValidFor: up.ExpiresAt.Sub(now)})
	return message(up.Email, name, content), err
}

// reset returns ErrObsolete also for a reset of an address without a user, which
// RequestPasswordReset stores so that its work is the same.
func (c *Composer) reset(ctx context.Context, j *ent.Job) (mail.Message, error) {
	now := c.Now()
	r, err := c.Store.Read().PasswordReset.Query().
		Where(passwordreset.ID(j.SubjectID), passwordreset.ExpiresAtGT(now), passwordreset.UserIDNEQ("")).Only(ctx)
	if ent.IsNotFound(err) {
		return mail.Message{}, outbox.ErrObsolete
	}
	if err != nil {
		return mail.Message{}, fmt.Errorf("find reset %s: %w", j.SubjectID, err)
	}
	u, err := c.Store.Read().User.Get(ctx, r.UserID)
	if err != nil {
		return mail.Message{}, fmt.Errorf("find user %s: %w", r.UserID, err)
	}
	t, err := c.Tokens.Rederive(token.Reset, r.ID, j.Generation, r.TokenHash)
	if err != nil {
		return mail.Message{}, err
	}
	name := greeting(u.FirstName, u.LastName)
	content, err := c.Templates.Reset(mail.Reset{Name: name, Token: t, ValidFor: r.ExpiresAt.Sub(now)})
	return message(u.Email, name, content), err
}

func (c *Composer) alreadyRegistered(ctx context.Context, j *ent.Job) (mail.Message, error) {
	u, err := c.Store.Read().User.Query().Where(user.ID(j.SubjectID)).Only(ctx)
	if ent.IsNotFound(err) {
		return mail.Message{}, outbox.ErrObsolete
	}
	if err != nil {
		return mail.Message{}, fmt.Errorf("find user %s: %w", j.SubjectID, err)
	}
	name := greeting(u.FirstName, u.LastName)
	content, err := c.Templates.AlreadyRegistered(mail.AlreadyRegistered{Name: name})
	return message(u.Email, name, content), err
}

// greeting returns the name of the reader. It is empty for an unknown name, because a part
// of the address would be a poor greeting.
func greeting(first, last string) string { return strings.TrimSpace(first + " " + last) }

func message(to, name string, c mail.Content) mail.Message {
	return mail.Message{To: to, ToName: name, Subject: c.Subject, Text: c.Text, HTML: c.HTML}
}

// Record does nothing: no view shows the delivery of these mails.
func (c *Composer) Record(context.Context, *store.Tx, *ent.Job, outbox.Result) error { return nil }
