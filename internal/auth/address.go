package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/emailchange"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/passwordreset"
	"github.com/convoke-dev/convoke/ent/predicate"
	"github.com/convoke-dev/convoke/ent/session"
	"github.com/convoke-dev/convoke/ent/signup"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/address"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/outbox"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/token"
	"github.com/convoke-dev/convoke/internal/uid"
)

const (
	// EmailChangeFor is how long the links of a change of address are good.
	EmailChangeFor = 24 * time.Hour
	// changeAttempts bounds how often a change that another request overtook is tried.
	changeAttempts = 4
)

var (
	// errOvertaken means that rows changed between the look at them and the write.
	errOvertaken = errors.New("auth: overtaken by another request")
	// errTaken means that an address has a user. Its callers say so, or keep it to
	// themselves.
	errTaken = errors.New("auth: the address has a user")
)

// ChangeEmail stores that the viewer wants another address, in place of an earlier wish,
// and mails a link to the old address and one to the new address. ConfirmEmailChange then
// changes it. The answer and the work are the same for an address that has a user, who is
// told so by mail. mailed is false only when the server has no mail, and then the address
// changes at once. BLANK, INVALID_EMAIL for a wrong address, INVALID_VALUE for the
// viewer's own, INVALID_CREDENTIALS for a wrong password and for a user without one,
// RATE_LIMITED, FORBIDDEN for an API key, UNAUTHENTICATED without a viewer or when their session ends
// meanwhile.
func (s *Service) ChangeEmail(ctx context.Context, email, password string) (mailed bool, err error) {
	v, err := access.Person(ctx)
	if err != nil {
		return false, err
	}
	addr, bad := address.Parse(email, "newEmail")
	if bad != nil {
		return false, bad
	}
	ctx = access.System(ctx, "ask for another address")
	u, err := s.Store.Read().User.Get(ctx, v.UserID)
	if err != nil {
		return false, fmt.Errorf("ask for another address: %w", err)
	}
	if addr.Key == u.EmailKey {
		return false, fault.Input(fault.InvalidValue, "This is your address already.", "newEmail")
	}
	if ok, err := s.matches(ctx, u.EmailKey, password, u.PasswordHash); err != nil {
		return false, err
	} else if !ok {
		return false, fault.Input(fault.InvalidCredentials, "This is not your current password.", "password")
	}
	if s.NoMail {
		return false, s.changeUnproven(ctx, v, u, addr)
	}
	// Anybody can cause mails to a new address, so these leave what the user of an address
	// can ask for by themselves.
	if err := s.Limits.mail(MailConfirmNewAddress, addr.Key); err != nil {
		return false, err
	}
	if err := s.Limits.mail(MailConfirmOldAddress, u.EmailKey); err != nil {
		return false, err
	}
	return true, s.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := s.stillAsks(ctx, tx, v, u); err != nil {
			return err
		}
		taken, err := tx.User.Query().Where(user.EmailKey(addr.Key)).Exist(ctx)
		if err != nil {
			return fmt.Errorf("ask for another address: %w", err)
		}
		id, err := s.noteEmailChange(ctx, tx, u, addr)
		if err != nil {
			return err
		}
		toNew := MailConfirmNewAddress
		if taken {
			toNew = MailAddressTaken // the link is not mailed, so the change never completes
		}
		return s.Outbox.Enqueue(ctx, tx,
			outbox.Draft{Kind: MailConfirmOldAddress, SubjectID: id, Generation: 1},
			outbox.Draft{Kind: toNew, SubjectID: id, Generation: 1})
	})
}

// stillAsks checks in the transaction that the session has not ended, and that the
// password that was compared is still the user's. It locks the user. UNAUTHENTICATED,
// INVALID_CREDENTIALS.
func (s *Service) stillAsks(ctx context.Context, tx *store.Tx, v *access.Viewer, u *ent.User) error {
	n, err := tx.User.Update().Where(user.ID(u.ID), user.EmailKey(u.EmailKey), user.PasswordHash(u.PasswordHash)).SetUpdatedAt(s.Now()).Save(ctx)
	if err != nil {
		return fmt.Errorf("lock user %s: %w", u.ID, err)
	}
	if n == 0 {
		return errJustChanged
	}
	if alive, err := tx.Session.Query().Where(session.ID(v.SessionID), s.Live()).Exist(ctx); err != nil {
		return fmt.Errorf("find session %s: %w", v.SessionID, err)
	} else if !alive {
		return ErrEnded
	}
	return nil
}

var errJustChanged = fault.Input(fault.InvalidCredentials, "Your password or your address has just changed. Try again.", "password")

// noteEmailChange stores the change in place of an earlier one, and returns its id.
func (s *Service) noteEmailChange(ctx context.Context, tx *store.Tx, u *ent.User, addr address.Address) (id string, err error) {
	if _, err := tx.EmailChange.Delete().Where(emailchange.UserID(u.ID)).Exec(ctx); err != nil {
		return "", fmt.Errorf("void an earlier change of address of %s: %w", u.ID, err)
	}
	now := s.Now()
	id = uid.New(uid.EmailChange)
	err = tx.EmailChange.Create().
		SetID(id).SetCreatedAt(now).SetExpiresAt(now.Add(EmailChangeFor)).SetUserID(u.ID).
		SetOldEmailKey(u.EmailKey).SetNewEmail(addr.Typed).SetNewEmailKey(addr.Key).
		SetOldTokenHash(token.Hash(s.Tokens.Derive(token.OldAddress, id, 1))).
		SetNewTokenHash(token.Hash(s.Tokens.Derive(token.NewAddress, id, 1))).
		Exec(ctx)
	if err != nil {
		return "", fmt.Errorf("store a change of address of %s: %w", u.ID, err)
	}
	return id, nil
}

// changeUnproven changes the address at once, on a server without mail. Like SignUp, it
// does nothing and says nothing when the address has a user.
func (s *Service) changeUnproven(ctx context.Context, v *access.Viewer, u *ent.User, addr address.Address) error {
	err := s.inAllAccounts(ctx, u.ID, func(tx *store.Tx) error {
		now, err := tx.User.Get(ctx, u.ID)
		if err != nil {
			return fmt.Errorf("find user %s: %w", u.ID, err)
		}
		if now.EmailKey != u.EmailKey {
			return errJustChanged
		}
		if err := s.setAddress(ctx, tx, now, addr); err != nil {
			return err
		}
		return s.stillAsks(ctx, tx, v, now)
	})
	if errors.Is(err, errTaken) {
		return nil
	}
	return err
}

// ConfirmEmailChange takes the token of one of the two mails of a change. changed is true
// when the other address had confirmed before, so that the address has changed now.
// INVALID_TOKEN for a token that is unknown, used or expired; EMAIL_TAKEN when the new
// address got a user meanwhile, which only somebody learns who can read its mail.
func (s *Service) ConfirmEmailChange(ctx context.Context, secret string) (changed bool, err error) {
	ctx = access.System(ctx, "confirm a change of address")
	c, err := s.emailChangeOf(ctx, secret)
	if err != nil {
		return false, err
	}
	err = s.inAllAccounts(ctx, c.UserID, func(tx *store.Tx) error {
		changed, err = s.confirm(ctx, tx, c.ID, token.Hash(secret))
		return err
	})
	return changed && err == nil, err
}

// emailChangeOf returns the change that the token belongs to. INVALID_TOKEN.
func (s *Service) emailChangeOf(ctx context.Context, secret string) (*ent.EmailChange, error) {
	hash := token.Hash(secret)
	c, err := s.Store.Read().EmailChange.Query().
		Where(emailchange.Or(emailchange.OldTokenHash(hash), emailchange.NewTokenHash(hash)), emailchange.ExpiresAtGT(s.Now())).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, errEmailChangeLink
	}
	if err != nil {
		return nil, fmt.Errorf("find a change of address: %w", err)
	}
	return c, nil
}

var errEmailChangeLink = fault.Input(fault.InvalidToken, "This link was used, has expired, or belongs to a change that was replaced or canceled.", "token")

// inAllAccounts runs f in a transaction that has locked all accounts of the user, and
// once more after errOvertaken. All transactions lock in one order: accounts, members,
// user, changes of address.
func (s *Service) inAllAccounts(ctx context.Context, userID string, f func(tx *store.Tx) error) error {
	err := errOvertaken
	for n := 0; n < changeAttempts && errors.Is(err, errOvertaken); n++ {
		accounts, bad := s.Store.Read().Member.Query().Where(member.UserID(userID)).Unique(true).Select(member.FieldAccountID).Strings(ctx)
		if bad != nil {
			return fmt.Errorf("find the accounts of %s: %w", userID, bad)
		}
		err = s.Store.InAccounts(ctx, accounts, f)
	}
	return err
}

// confirm notes one confirmation, or, when the other one is there, changes the address.
// Both writes name the state that they expect. errOvertaken when it is another one.
func (s *Service) confirm(ctx context.Context, tx *store.Tx, id string, hash []byte) (changed bool, err error) {
	c, err := tx.EmailChange.Query().Where(emailchange.ID(id), emailchange.ExpiresAtGT(s.Now())).Only(ctx)
	if ent.IsNotFound(err) {
		return false, errEmailChangeLink
	}
	if err != nil {
		return false, fmt.Errorf("find change of address %s: %w", id, err)
	}
	byOld := string(c.OldTokenHash) == string(hash)
	if byOld && c.ConfirmedByOld || !byOld && c.ConfirmedByNew {
		return false, errEmailChangeLink
	}
	as := emailchange.And(emailchange.ID(id), emailchange.ConfirmedByOld(c.ConfirmedByOld), emailchange.ConfirmedByNew(c.ConfirmedByNew))
	if c.ConfirmedByOld || c.ConfirmedByNew {
		return true, s.complete(ctx, tx, c, as)
	}
	if !byOld {
		// A person with this link reads the mail of the new address, so they may know.
		if taken, err := tx.User.Query().Where(user.EmailKey(c.NewEmailKey)).Exist(ctx); err != nil {
			return false, fmt.Errorf("confirm change of address %s: %w", id, err)
		} else if taken {
			return false, errEmailTaken
		}
	}
	n, err := tx.EmailChange.Update().Where(as).SetConfirmedByOld(byOld).SetConfirmedByNew(!byOld).Save(ctx)
	if err != nil {
		return false, fmt.Errorf("confirm change of address %s: %w", id, err)
	}
	if n == 0 {
		return false, errOvertaken
	}
	return false, nil
}

var errEmailTaken = fault.Input(fault.EmailTaken, "The new address belongs to another user by now, so your address stays as it is.")

// complete changes the address of a change that both addresses have confirmed, and
// deletes the change.
func (s *Service) complete(ctx context.Context, tx *store.Tx, c *ent.EmailChange, as predicate.EmailChange) error {
	u, err := tx.User.Get(ctx, c.UserID)
	if err != nil {
		return fmt.Errorf("find user %s: %w", c.UserID, err)
	}
	if u.EmailKey != c.OldEmailKey {
		return errEmailChangeLink
	}
	if err := s.setAddress(ctx, tx, u, address.Address{Typed: c.NewEmail, Key: c.NewEmailKey}); errors.Is(err, errTaken) {
		return errEmailTaken
	} else if err != nil {
		return err
	}
	n, err := tx.EmailChange.Delete().Where(as).Exec(ctx)
	if err != nil {
		return fmt.Errorf("complete change of address %s: %w", c.ID, err)
	}
	if n == 0 {
		return errOvertaken
	}
	return nil
}

// setAddress gives the user another address, also where lists of their teams sort and
// search by it. It voids what was mailed to the old address, and the sign-ups of both.
// Sessions stay. The transaction has locked the user's accounts. errTaken when the
// address has a user; errOvertaken when the user's address has just changed, or they have
// just joined an account that is not locked.
func (s *Service) setAddress(ctx context.Context, tx *store.Tx, u *ent.User, addr address.Address) error {
	before, now := u.EmailKey, s.Now()
	u.Email, u.EmailKey = addr.Typed, addr.Key
	accounts, err := s.Roster.Readdress(ctx, tx, u)
	if err != nil {
		return err
	}
	n, err := tx.User.Update().Where(user.ID(u.ID), user.EmailKey(before)).
		SetEmail(addr.Typed).SetEmailKey(addr.Key).SetEmailVerifiedAt(now).SetEmailProof(s.proof()).AddVersion(1).SetUpdatedAt(now).Save(ctx)
	switch {
	case ent.IsConstraintError(err):
		return errTaken
	case err != nil:
		return fmt.Errorf("change the address of %s: %w", u.ID, err)
	case n == 0:
		return errOvertaken
	}
	// The row of a member who joins at this moment refers to the user's row, so the update
	// has waited for its commit.
	missed, err := tx.Member.Query().Where(member.UserID(u.ID), member.EmailKeyNEQ(addr.Key)).Exist(ctx)
	if err != nil {
		return fmt.Errorf("look for members of %s: %w", u.ID, err)
	}
	if missed {
		return errOvertaken
	}
	if _, err := tx.PasswordReset.Delete().Where(passwordreset.UserID(u.ID)).Exec(ctx); err != nil {
		return fmt.Errorf("void the open resets of %s: %w", u.ID, err)
	}
	if _, err := tx.SignUp.Delete().Where(signup.EmailKeyIn(before, addr.Key)).Exec(ctx); err != nil {
		return fmt.Errorf("void the sign-ups of an address: %w", err)
	}
	for _, id := range accounts {
		if err := s.Events.Append(ctx, tx, id, event.Draft{Type: event.UserEmailChanged, ActorID: u.ID, SubjectID: u.ID}); err != nil {
			return err
		}
	}
	return nil
}

// CancelEmailChange drops the change that a token belongs to, or for nil the viewer's own. canceled is false when they have none. INVALID_TOKEN for a token that is
// unknown or expired, UNAUTHENTICATED without a token and a viewer, FORBIDDEN for an API
// key without a token.
func (s *Service) CancelEmailChange(ctx context.Context, secret *string) (canceled bool, err error) {
	which := emailchange.ExpiresAtGT(s.Now())
	if secret == nil {
		v, err := access.Person(ctx)
		if err != nil {
			return false, err
		}
		which = emailchange.And(which, emailchange.UserID(v.UserID))
	} else {
		hash := token.Hash(*secret)
		which = emailchange.And(which, emailchange.Or(emailchange.OldTokenHash(hash), emailchange.NewTokenHash(hash)))
	}
	ctx = access.System(ctx, "cancel a change of address")
	var n int
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		n, err = tx.EmailChange.Delete().Where(which).Exec(ctx)
		return err
	})
	switch {
	case err != nil:
		return false, fmt.Errorf("cancel a change of address: %w", err)
	case n == 0 && secret != nil:
		return false, errEmailChangeLink
	}
	return n > 0, nil
}

// PendingEmailChange returns the viewer's change of address that is not expired. ent's
// not-found error means that there is none.
func PendingEmailChange(ctx context.Context, client *ent.Client, v *access.Viewer, now time.Time) (*ent.EmailChange, error) {
	return client.EmailChange.Query().Where(emailchange.UserID(v.UserID), emailchange.ExpiresAtGT(now)).Only(ctx)
}
