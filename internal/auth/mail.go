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

// Composer writes the mails of sign-up and of forgotten passwords.
type Composer struct {
	Store     *store.Store
	Tokens    *token.Deriver
	Templates *mail.Templates
	Now       func() time.Time
}

// Compose writes the mail of the job. A link that was used, dropped or has run
// out meanwhile is obsolete.
func (c *Composer) Compose(ctx context.Context, j *ent.Job) (mail.Message, error) {
	switch j.Kind {
	case MailAlreadyRegistered:
		return c.alreadyRegistered(ctx, j)
	case MailReset:
		return c.reset(ctx, j)
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

// reset writes nothing for an address nobody has: its request is there all the
// same.
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

// greeting is how a mail calls its reader: by no name at all rather than by a
// piece of the address.
func greeting(first, last string) string { return strings.TrimSpace(first + " " + last) }

func message(to, name string, c mail.Content) mail.Message {
	return mail.Message{To: to, ToName: name, Subject: c.Subject, Text: c.Text, HTML: c.HTML}
}

// Record has nothing to write down: nobody watches the delivery of these.
func (c *Composer) Record(context.Context, *store.Tx, *ent.Job, outbox.Result) error { return nil }
