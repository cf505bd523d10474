package auth

import (
	"context"
	"fmt"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/emailchange"
	"github.com/convoke-dev/convoke/ent/passwordreset"
	"github.com/convoke-dev/convoke/ent/session"
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
	// ResetFor is how long a reset link is good.
	ResetFor = time.Hour
	// maxResets is how many resets of one address are valid at the same time.
	maxResets = 20
)

// RequestPasswordReset mails the user of the address a link that sets a new password. An
// address without a user gets the same answer after the same work: the reset is stored,
// and its mail turns out to be obsolete. mailed is false only when the server has no
// mail. BLANK, INVALID_EMAIL for wrong input; RATE_LIMITED.
func (s *Service) RequestPasswordReset(ctx context.Context, email string) (mailed bool, err error) {
	addr, bad := address.Parse(email, "email")
	if bad != nil {
		return false, bad
	}
	if s.NoMail {
		return false, nil
	}
	if err := s.Limits.mail(MailReset, addr.Key); err != nil {
		return false, err
	}
	ctx = access.System(ctx, "ask for a new password")
	return true, s.Store.InTx(ctx, func(tx *store.Tx) error {
		ids, err := tx.User.Query().Where(user.EmailKey(addr.Key)).IDs(ctx)
		if err != nil {
			return fmt.Errorf("ask for a new password: %w", err)
		}
		id, err := s.noteReset(ctx, tx, addr.Key, append(ids, "")[0])
		if err != nil {
			return err
		}
		return s.Outbox.Enqueue(ctx, tx, outbox.Draft{Kind: MailReset, SubjectID: id, Generation: 1})
	})
}

// noteReset stores the reset and returns its id. It deletes the oldest of too many, so
// that the link of the newest mail is always valid.
func (s *Service) noteReset(ctx context.Context, tx *store.Tx, emailKey, userID string) (id string, err error) {
	open, err := tx.PasswordReset.Query().Where(passwordreset.EmailKey(emailKey)).
		Order(passwordreset.ByCreatedAt(sql.OrderDesc()), passwordreset.ByID(sql.OrderDesc())).IDs(ctx)
	if err == nil && len(open) >= maxResets {
		_, err = tx.PasswordReset.Delete().Where(passwordreset.IDIn(open[maxResets-1:]...)).Exec(ctx)
	}
	if err != nil {
		return "", fmt.Errorf("ask for a new password: look for earlier requests: %w", err)
	}
	now := s.Now()
	id = uid.New(uid.Reset)
	err = tx.PasswordReset.Create().
		SetID(id).SetCreatedAt(now).SetExpiresAt(now.Add(ResetFor)).SetEmailKey(emailKey).SetUserID(userID).
		SetTokenHash(token.Hash(s.Tokens.Derive(token.Reset, id, 1))).
		Exec(ctx)
	if err != nil {
		return "", fmt.Errorf("ask for a new password: %w", err)
	}
	return id, nil
}

// ResetPassword takes the token of a reset mail, sets the user's password, ends all their
// sessions and begins a new one. BLANK or WEAK_PASSWORD for the password, INVALID_TOKEN
// for a token that is unknown, used or expired, ACCESS_REVOKED or USER_DEACTIVATED as in
// SignIn. Only a reset that succeeds uses the token up.
func (s *Service) ResetPassword(ctx context.Context, reset, password string) (in *SignedIn, err error) {
	if bad := s.Hasher.Check(password, "newPassword"); bad != nil {
		return nil, bad
	}
	ctx = access.System(ctx, "reset a password")
	invalid := fault.Input(fault.InvalidToken, "This link is no longer valid. Ask for a new one.", "token")
	hash := token.Hash(reset)
	r, err := s.Store.Read().PasswordReset.Query().
		Where(passwordreset.TokenHash(hash), passwordreset.ExpiresAtGT(s.Now()), passwordreset.UserIDNEQ("")).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, invalid
	}
	if err != nil {
		return nil, fmt.Errorf("reset a password: %w", err)
	}
	u, err := s.Store.Read().User.Get(ctx, r.UserID)
	if err != nil {
		return nil, fmt.Errorf("reset a password: %w", err)
	}
	if err := s.checkAccess(ctx, u); err != nil {
		return nil, err
	}
	next, err := s.nextHash(ctx, u, password)
	if err != nil {
		return nil, err
	}
	err = s.inActiveAccount(ctx, u.ID, func(tx *store.Tx, accountID string) error {
		used, err := tx.PasswordReset.Delete().Where(passwordreset.TokenHash(hash), passwordreset.ExpiresAtGT(s.Now())).Exec(ctx)
		if err != nil {
			return fmt.Errorf("use up reset %s: %w", r.ID, err)
		}
		if used == 0 {
			return invalid
		}
		if in, err = s.StartSession(ctx, tx, u.ID); err != nil {
			return err
		}
		if err := tx.User.Update().Where(user.ID(u.ID)).SetPasswordHash(next).SetUpdatedAt(s.Now()).Exec(ctx); err != nil {
			return fmt.Errorf("set the password of %s: %w", u.ID, err)
		}
		if err := s.Prove(ctx, tx, u.ID, r.EmailKey); err != nil {
			return err
		}
		return s.passwordChanged(ctx, tx, accountID, u.ID, in.SessionID)
	})
	if err == nil {
		s.forgetGuesses(ctx, u.EmailKey)
	}
	return in, err
}

// nextHash returns the hash of the user's new password. While a sign-up of the address
// waits, it has the salt of the old hash: see matchesEither.
func (s *Service) nextHash(ctx context.Context, u *ent.User, password string) (string, error) {
	up, err := s.waiting(ctx, u.EmailKey)
	if err != nil {
		return "", err
	}
	if up.PasswordHash == "" {
		return s.Hasher.Hash(ctx, password)
	}
	return s.Hasher.HashBeside(ctx, password, u.PasswordHash)
}

// passwordChanged ends all sessions of the user but the one to keep, deletes their resets
// and their change of address, which somebody who knew the password may have asked for,
// and logs the change in the account, if there is one.
func (s *Service) passwordChanged(ctx context.Context, tx *store.Tx, accountID, userID, keep string) error {
	if _, err := tx.Session.Delete().Where(session.UserID(userID), session.IDNEQ(keep)).Exec(ctx); err != nil {
		return fmt.Errorf("end the sessions of %s: %w", userID, err)
	}
	if _, err := tx.PasswordReset.Delete().Where(passwordreset.UserID(userID)).Exec(ctx); err != nil {
		return fmt.Errorf("void the open resets of %s: %w", userID, err)
	}
	if _, err := tx.EmailChange.Delete().Where(emailchange.UserID(userID)).Exec(ctx); err != nil {
		return fmt.Errorf("void the change of address of %s: %w", userID, err)
	}
	if accountID == "" {
		return nil
	}
	return s.Events.Append(ctx, tx, accountID,
		event.Draft{Type: event.UserPasswordChanged, ActorID: userID, SubjectID: userID})
}

// ChangePassword sets the viewer's password and ends their other sessions. With renew the
// viewer's session goes on with a new token, which it returns, so that a cookie from before
// the change is not valid any more. BLANK or WEAK_PASSWORD for the new password, INVALID_CREDENTIALS
// when the current one is wrong, RATE_LIMITED after too many wrong ones, UNAUTHENTICATED
// without a viewer or when their session ends meanwhile, FORBIDDEN for an API key.
func (s *Service) ChangePassword(ctx context.Context, current, password string, renew bool) (in *SignedIn, err error) {
	v, err := access.Person(ctx)
	if err != nil {
		return nil, err
	}
	if bad := s.Hasher.Check(password, "newPassword"); bad != nil {
		return nil, bad
	}
	ctx = access.System(ctx, "change a password")
	u, err := s.Store.Read().User.Get(ctx, v.UserID)
	if err != nil {
		return nil, fmt.Errorf("change a password: %w", err)
	}
	wrong := fault.Input(fault.InvalidCredentials, "This is not your current password.", "currentPassword")
	if ok, err := s.matches(ctx, u.EmailKey, current, u.PasswordHash); err != nil {
		return nil, err
	} else if !ok {
		return nil, wrong
	}
	next, err := s.nextHash(ctx, u, password)
	if err != nil {
		return nil, err
	}
	err = s.inActiveAccount(ctx, u.ID, func(tx *store.Tx, accountID string) error {
		n, err := tx.User.Update().Where(user.ID(u.ID), user.PasswordHash(u.PasswordHash)).
			SetPasswordHash(next).SetUpdatedAt(s.Now()).Save(ctx)
		if err != nil {
			return fmt.Errorf("set the password of %s: %w", u.ID, err)
		}
		if n == 0 {
			return wrong // another change was first
		}
		// A viewer who was signed out meanwhile must not get a new session by this.
		if alive, err := tx.Session.Query().Where(session.ID(v.SessionID)).Exist(ctx); err != nil {
			return fmt.Errorf("find session %s: %w", v.SessionID, err)
		} else if !alive {
			return ErrEnded
		}
		if renew {
			if in, err = s.renewToken(ctx, tx, v.SessionID); err != nil {
				return err
			}
		}
		return s.passwordChanged(ctx, tx, accountID, u.ID, v.SessionID)
	})
	return in, err
}
