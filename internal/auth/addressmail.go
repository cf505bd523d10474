package auth

import (
	"context"
	"fmt"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/emailchange"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/internal/address"
	"github.com/convoke-dev/convoke/internal/mail"
	"github.com/convoke-dev/convoke/internal/outbox"
	"github.com/convoke-dev/convoke/internal/token"
)

// The kinds of mail about a change of address.
const (
	MailConfirmOldAddress = "email_change_old"
	MailConfirmNewAddress = "email_change_new"
	MailAddressTaken      = "email_change_taken"
)

// emailChange writes the mail to one of the two addresses of a change. It names the new
// address only in part: it is text of somebody else, and mail programs make links of
// addresses. The mail to the new address has no name in it, because its reader may be a
// stranger to the person who typed the name.
func (c *Composer) emailChange(ctx context.Context, j *ent.Job) (mail.Message, error) {
	now := c.Now()
	change, err := c.Store.Read().EmailChange.Query().Where(emailchange.ID(j.SubjectID), emailchange.ExpiresAtGT(now)).Only(ctx)
	if ent.IsNotFound(err) {
		return mail.Message{}, outbox.ErrObsolete
	}
	if err != nil {
		return mail.Message{}, fmt.Errorf("find change of address %s: %w", j.SubjectID, err)
	}
	d := mail.AddressChange{NewAddress: address.Mask(change.NewEmail), ValidFor: change.ExpiresAt.Sub(now)}
	if j.Kind == MailConfirmNewAddress {
		if d.Token, err = c.Tokens.Rederive(token.NewAddress, change.ID, j.Generation, change.NewTokenHash); err != nil {
			return mail.Message{}, err
		}
		content, err := c.Templates.ConfirmNewAddress(d)
		return message(change.NewEmail, "", content), err
	}
	key := change.OldEmailKey
	if j.Kind == MailAddressTaken {
		key = change.NewEmailKey
	}
	u, err := c.Store.Read().User.Query().Where(user.EmailKey(key)).Only(ctx)
	if ent.IsNotFound(err) {
		return mail.Message{}, outbox.ErrObsolete
	}
	if err != nil {
		return mail.Message{}, fmt.Errorf("find the user of an address: %w", err)
	}
	d.Name = greeting(u.FirstName, u.LastName)
	if j.Kind == MailAddressTaken {
		content, err := c.Templates.AddressTaken(d)
		return message(u.Email, d.Name, content), err
	}
	if d.Token, err = c.Tokens.Rederive(token.OldAddress, change.ID, j.Generation, change.OldTokenHash); err != nil {
		return mail.Message{}, err
	}
	content, err := c.Templates.ConfirmOldAddress(d)
	return message(u.Email, d.Name, content), err
}
