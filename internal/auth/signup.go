package auth

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/emailchange"
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

// SignUp is the input of a sign-up, as typed.
type SignUp struct {
	Email, Password     string
	FirstName, LastName string
	AccountName         string
}

// SignUp stores a sign-up and mails a link that proves the address. VerifyEmail then
// creates the user, with an account and a default team of their own. The answer and the
// work are the same for an address that has a user, who is told so by mail. mailed is
// false only when the server has no mail, and then the user is created at once.
// FORBIDDEN when only invited people may join; BLANK, INVALID_EMAIL, WEAK_PASSWORD,
// TOO_LONG for wrong input; RATE_LIMITED.
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
	if !s.NoMail {
		if err := s.Limits.mail(MailVerification, addr.Key); err != nil {
			return false, err
		}
	}
	ctx = access.System(ctx, "sign up")
	u, err := s.userOf(ctx, addr.Key)
	if err != nil {
		return false, err
	}
	hash, err := s.Hasher.HashBeside(ctx, in.Password, u.PasswordHash)
	if err != nil {
		return false, err
	}
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		known, err := tx.User.Query().Where(user.EmailKey(addr.Key)).Only(ctx)
		switch {
		case err == nil && s.NoMail:
			return nil
		case err == nil:
			// The sign-up is stored all the same, so that a sign-in with its password gets
			// the same answer. Its link is not mailed, and would create no user.
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
		err = nil // another sign-up was first, so the address has a user now
	}
	return !s.NoMail, err
}

// ResendVerification mails the link of the address's newest sign-up again, if the password
// is that of the sign-up. The answer is the same if not, after the same work as for an
// address without a sign-up. When the address has a user, the mail says so instead.
// mailed is false only when the server has no mail. BLANK, INVALID_EMAIL for wrong input;
// RATE_LIMITED.
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
	if err := s.Limits.mail(MailVerification, addr.Key); err != nil {
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

// waiting returns the newest sign-up of the address that is not expired, or one without a
// password.
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

// note stores the sign-up and returns its id. Each sign-up has a link and a password of
// its own, so that nobody can set the password behind a link that somebody else asked
// for. The oldest of too many is deleted.
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

// join creates a user with an account of their own.
func (s *Service) join(ctx context.Context, tx *store.Tx, n NewUser, accountName string) (*ent.User, error) {
	u, err := s.CreateUser(ctx, tx, n)
	if err != nil {
		return nil, err
	}
	_, err = s.OpenPersonalAccount(ctx, tx, u, accountName)
	return u, err
}

// VerifyEmail takes the token of a verification mail, creates the user of the sign-up and
// begins a session. INVALID_TOKEN for a token that is unknown, used or expired, and when
// the address has a user by now.
func (s *Service) VerifyEmail(ctx context.Context, verification string) (in *SignedIn, err error) {
	ctx = access.System(ctx, "verify an address")
	invalid := fault.Input(fault.InvalidToken, "This link is no longer valid. Sign up again to get a new one.", "token")
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
			Address: address.Address{Typed: up.Email, Key: up.EmailKey}, Proof: user.EmailProofMail,
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

// Purge deletes expired sign-ups, resets, changes of address and sessions.
func (s *Service) Purge(ctx context.Context) error {
	ctx = access.System(ctx, "forget old sign-ups, resets, changes of address and sessions")
	old, now := s.Store.Read(), s.Now()
	// It reads first, so that it does not lock the database when there is nothing to do.
	signUps, err := old.SignUp.Query().Where(signup.ExpiresAtLTE(now)).Exist(ctx)
	if err != nil {
		return fmt.Errorf("purge: %w", err)
	}
	resets, err := old.PasswordReset.Query().Where(passwordreset.ExpiresAtLTE(now)).Exist(ctx)
	if err != nil {
		return fmt.Errorf("purge: %w", err)
	}
	changes, err := old.EmailChange.Query().Where(emailchange.ExpiresAtLTE(now)).Exist(ctx)
	if err != nil {
		return fmt.Errorf("purge: %w", err)
	}
	sessions, err := old.Session.Query().Where(session.ExpiresAtLTE(now)).Exist(ctx)
	if err != nil || !signUps && !resets && !changes && !sessions {
		return err
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.SignUp.Delete().Where(signup.ExpiresAtLTE(now)).Exec(ctx)
		if err == nil {
			_, err = tx.PasswordReset.Delete().Where(passwordreset.ExpiresAtLTE(now)).Exec(ctx)
		}
		if err == nil {
			_, err = tx.EmailChange.Delete().Where(emailchange.ExpiresAtLTE(now)).Exec(ctx)
		}
		if err == nil {
			_, err = tx.Session.Delete().Where(session.ExpiresAtLTE(now)).Exec(ctx)
		}
		return err
	})
}
