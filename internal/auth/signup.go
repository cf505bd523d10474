package auth

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/passwordreset"
	"github.com/convoke-dev/convoke/ent/session"
	"github.com/convoke-dev/convoke/ent/signup"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/address"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/outbox"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/text"
	"github.com/convoke-dev/convoke/internal/token"
	"github.com/convoke-dev/convoke/internal/uid"
)

// SignUp is a wish to join, as typed.
type SignUp struct {
	Email, Password     string
	FirstName, LastName string
	AccountName         string
}

// SignUp notes a wish to join and mails a link that proves the address:
// opening it makes the user, with an account and a default team of his own. It answers
// alike for a known and an unknown address: who has a user already is told so
// by mail. mailed is false only when the server has no mail, and the user is
// made at once. FORBIDDEN when only invited people may join; BLANK,
// INVALID_EMAIL, WEAK_PASSWORD, TOO_LONG for wrong input; RATE_LIMITED.
func (s *Service) SignUp(ctx context.Context, in SignUp) (mailed bool, err error) {
	if s.Policy != Open {
		return false, fault.Refuse(fault.Forbidden, "Only invited people may join here.")
	}
	var wrong fault.Errors
	addr, bad := address.Parse(in.Email, "email")
	wrong.Add(bad)
	wrong.Add(s.Hasher.Check(in.Password, "password"))
	in.FirstName, bad = text.Line(in.FirstName, "firstName")
	wrong.Add(bad)
	in.LastName, bad = text.Line(in.LastName, "lastName")
	wrong.Add(bad)
	in.AccountName, bad = text.Line(in.AccountName, "accountName")
	wrong.Add(bad)
	if err := wrong.Err(); err != nil {
		return false, err
	}
	if err := s.Limits.PerRecipient.Take("verification "+addr.Key, 1); err != nil {
		return false, err
	}
	hash, err := s.Hasher.Hash(ctx, in.Password)
	if err != nil {
		return false, err
	}
	ctx = access.System(ctx, "sign up")
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		known, err := tx.User.Query().Where(user.EmailKey(addr.Key)).Only(ctx)
		switch {
		case err == nil && s.NoMail:
			return nil
		case err == nil:
			// Noted all the same, so that signing in tells nothing either; its link
			// is never mailed, and would make no user.
			if _, err := s.note(ctx, tx, addr, in, hash); err != nil {
				return err
			}
			return s.Outbox.Enqueue(ctx, tx, outbox.Draft{Kind: MailAlreadyRegistered, SubjectID: known.ID})
		case !ent.IsNotFound(err):
			return fmt.Errorf("sign up: %w", err)
		case s.NoMail:
			_, err = s.join(ctx, tx, NewUser{Address: addr, FirstName: in.FirstName, LastName: in.LastName, PasswordHash: hash}, in.AccountName)
			return err
		default:
			id, err := s.note(ctx, tx, addr, in, hash)
			if err != nil {
				return err
			}
			return s.Outbox.Enqueue(ctx, tx, outbox.Draft{Kind: MailVerification, SubjectID: id, Generation: 1})
		}
	})
	if s.NoMail && ent.IsConstraintError(err) {
		err = nil // somebody else was first with this address: now it is known
	}
	return !s.NoMail, err
}

// ResendVerification mails the link of the newest open sign-up of the address
// once more, to who knows its password. Anybody else is answered alike, after
// the same work as for an address nobody has signed up with; so is the owner of
// an address that has a user, who is told so by mail. mailed is false only when
// the server has no mail. BLANK, INVALID_EMAIL for wrong input; RATE_LIMITED.
func (s *Service) ResendVerification(ctx context.Context, email, password string) (mailed bool, err error) {
	addr, bad := address.Parse(email, "email")
	if bad != nil {
		return false, bad
	}
	if s.NoMail {
		return false, nil
	}
	ctx = access.System(ctx, "mail a verification once more")
	up, err := s.waiting(ctx, addr.Key)
	if err != nil {
		return false, err
	}
	if err := s.Limits.PerRecipient.Take("verification "+addr.Key, 1); err != nil {
		return false, err
	}
	if ok, err := s.matches(ctx, addr.Key, password, up.PasswordHash); err != nil || !ok {
		return err == nil, err
	}
	return true, s.Store.InTx(ctx, func(tx *store.Tx) error {
		known, err := tx.User.Query().Where(user.EmailKey(addr.Key)).IDs(ctx)
		if err != nil {
			return fmt.Errorf("mail a verification once more: %w", err)
		}
		if len(known) > 0 {
			return s.Outbox.Enqueue(ctx, tx, outbox.Draft{Kind: MailAlreadyRegistered, SubjectID: known[0]})
		}
		return s.Outbox.Enqueue(ctx, tx, outbox.Draft{Kind: MailVerification, SubjectID: up.ID, Generation: 1})
	})
}

// waiting returns the newest sign-up of the address that waits to be verified;
// one without a password when there is none.
func (s *Service) waiting(ctx context.Context, emailKey string) (*ent.SignUp, error) {
	up, err := s.Store.Read().SignUp.Query().
		Where(signup.EmailKey(emailKey), signup.ExpiresAtGT(s.Now())).
		Order(signup.ByCreatedAt(sql.OrderDesc()), signup.ByID(sql.OrderDesc())).First(ctx)
	if ent.IsNotFound(err) {
		return &ent.SignUp{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for a sign-up: %w", err)
	}
	return up, nil
}

// note writes the sign-up down and returns its id. Each sign-up has a link and
// a password of its own, so that nobody can put a password of his behind the
// link somebody else asked for. The oldest of too many is dropped.
func (s *Service) note(ctx context.Context, tx *store.Tx, addr address.Address, in SignUp, hash string) (id string, err error) {
	open, err := tx.SignUp.Query().Where(signup.EmailKey(addr.Key)).Order(signup.ByCreatedAt(), signup.ByID()).IDs(ctx)
	if err == nil && len(open) >= maxSignUps {
		_, err = tx.SignUp.Delete().Where(signup.IDIn(open[:len(open)-maxSignUps+1]...)).Exec(ctx)
	}
	if err != nil {
		return "", fmt.Errorf("sign up: look for earlier ones: %w", err)
	}
	now := s.Now()
	id = uid.New(uid.SignUp)
	err = tx.SignUp.Create().
		SetID(id).SetCreatedAt(now).SetExpiresAt(now.Add(VerificationFor)).
		SetEmail(addr.Typed).SetEmailKey(addr.Key).
		SetFirstName(in.FirstName).SetLastName(in.LastName).SetAccountName(in.AccountName).SetPasswordHash(hash).
		SetTokenHash(token.Hash(s.Tokens.Derive(token.Verification, id, 1))).
		Exec(ctx)
	if err != nil {
		return "", fmt.Errorf("sign up: %w", err)
	}
	return id, nil
}

// join makes a user with an account of his own.
func (s *Service) join(ctx context.Context, tx *store.Tx, n NewUser, accountName string) (*ent.User, error) {
	u, err := s.CreateUser(ctx, tx, n)
	if err != nil {
		return nil, err
	}
	_, err = s.OpenPersonalAccount(ctx, tx, u, accountName)
	return u, err
}

// VerifyEmail takes the token of a verification mail: the user of that sign-up
// is made and signed in. INVALID_TOKEN for a token that is unknown, used, or
// too old, or whose address has got a user meanwhile.
func (s *Service) VerifyEmail(ctx context.Context, verification string) (in *SignedIn, err error) {
	ctx = access.System(ctx, "verify an address")
	invalid := fault.Input(fault.InvalidToken, "This link is not valid any more. Sign up again to get a new one.", "token")
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		up, err := tx.SignUp.Query().
			Where(signup.TokenHash(token.Hash(verification)), signup.ExpiresAtGT(s.Now())).
			Only(ctx)
		if ent.IsNotFound(err) {
			return invalid
		}
		if err != nil {
			return fmt.Errorf("verify an address: %w", err)
		}
		u, err := s.join(ctx, tx, NewUser{
			Address:   address.Address{Typed: up.Email, Key: up.EmailKey},
			FirstName: up.FirstName, LastName: up.LastName, PasswordHash: up.PasswordHash,
		}, up.AccountName)
		if err != nil {
			return err
		}
		in, err = s.StartSession(ctx, tx, u.ID)
		return err
	})
	if ent.IsConstraintError(err) {
		err = invalid
	}
	return in, err
}

// Purge forgets sign-ups and resets whose links have run out, and sessions that
// ended of age.
func (s *Service) Purge(ctx context.Context) error {
	ctx = access.System(ctx, "forget old sign-ups, resets and sessions")
	old, now := s.Store.Read(), s.Now()
	// A look first: with nothing to do the writer is left alone.
	signUps, err := old.SignUp.Query().Where(signup.ExpiresAtLTE(now)).Exist(ctx)
	if err != nil {
		return fmt.Errorf("purge: %w", err)
	}
	resets, err := old.PasswordReset.Query().Where(passwordreset.ExpiresAtLTE(now)).Exist(ctx)
	if err != nil {
		return fmt.Errorf("purge: %w", err)
	}
	sessions, err := old.Session.Query().Where(session.ExpiresAtLTE(now)).Exist(ctx)
	if err != nil || !signUps && !resets && !sessions {
		return err
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.SignUp.Delete().Where(signup.ExpiresAtLTE(now)).Exec(ctx)
		if err == nil {
			_, err = tx.PasswordReset.Delete().Where(passwordreset.ExpiresAtLTE(now)).Exec(ctx)
		}
		if err == nil {
			_, err = tx.Session.Delete().Where(session.ExpiresAtLTE(now)).Exec(ctx)
		}
		return err
	})
}
