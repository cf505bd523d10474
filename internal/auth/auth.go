// Package auth turns a password or a token into a viewer: sign-up,
// verification of addresses, sign-in, sessions.
package auth

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/team"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/address"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/outbox"
	"github.com/convoke-dev/convoke/internal/roster"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/text"
	"github.com/convoke-dev/convoke/internal/token"
	"github.com/convoke-dev/convoke/internal/uid"
)

// VerificationFor is how long a verification link is good.
const VerificationFor = 72 * time.Hour

// The kinds of mail auth sends.
const (
	MailVerification      = "verification"
	MailAlreadyRegistered = "already_registered"
)

// Service holds the verbs on users and sessions.
type Service struct {
	Store  *store.Store
	Access access.Loader
	Events *event.Log
	Outbox *outbox.Queue
	Roster *roster.Service
	Tokens *token.Deriver
	Hasher *Hasher
	Now    func() time.Time
	Policy SignUpPolicy
	NoMail bool // there is no mail: addresses count as verified
}

// SignUpPolicy says who may sign up.
type SignUpPolicy string

// The sign-up policies.
const (
	Open       SignUpPolicy = "open"
	InviteOnly SignUpPolicy = "invite-only"
)

// SignUp is a wish to join, as typed.
type SignUp struct {
	Email, Password     string
	FirstName, LastName string
	AccountName         string
}

// SignUp makes a user with an account and a default team of his own, and mails
// a link that verifies the address. It answers alike for a known and an unknown
// address: who has a user already is told so by mail. mailed is false only
// when the server has no mail. FORBIDDEN when only invited people may join; BLANK, INVALID_EMAIL,
// WEAK_PASSWORD, TOO_LONG for wrong input.
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
	hash, err := s.Hasher.Hash(ctx, in.Password)
	if err != nil {
		return false, err
	}
	ctx = access.System(ctx, "sign up")
	signUp := func() error {
		return s.Store.InTx(ctx, func(tx *store.Tx) error {
			known, err := tx.User.Query().Where(user.EmailKey(addr.Key)).Only(ctx)
			switch {
			case ent.IsNotFound(err):
				return s.signUpNew(ctx, tx, addr, in, hash)
			case err != nil:
				return fmt.Errorf("sign up: %w", err)
			case known.EmailVerifiedAt != nil:
				return s.signUpKnown(ctx, tx, known)
			default:
				return s.signUpAgain(ctx, tx, known, in, hash)
			}
		})
	}
	err = signUp()
	if ent.IsConstraintError(err) {
		// Somebody else was first with this address: now it is known.
		err = signUp()
	}
	return !s.NoMail, err
}

// signUpNew makes a user that nobody has yet.
func (s *Service) signUpNew(ctx context.Context, tx *store.Tx, addr address.Address, in SignUp, hash string) error {
	u, err := s.CreateUser(ctx, tx, NewUser{
		Address: addr, FirstName: in.FirstName, LastName: in.LastName, PasswordHash: hash, Verified: s.NoMail,
	})
	if err != nil {
		return err
	}
	if _, err := s.OpenPersonalAccount(ctx, tx, u, in.AccountName); err != nil {
		return err
	}
	return s.mailVerification(ctx, tx, u)
}

// signUpAgain renews a sign-up whose address was never verified. The last one
// to sign up wins and the older link dies: so nobody can lie in wait with a
// password on somebody else's address.
func (s *Service) signUpAgain(ctx context.Context, tx *store.Tx, u *ent.User, in SignUp, hash string) error {
	u, err := tx.User.UpdateOne(u).
		SetFirstName(in.FirstName).SetLastName(in.LastName).SetPasswordHash(hash).
		AddVersion(1).SetUpdatedAt(s.Now()).
		Save(ctx)
	if err != nil {
		return fmt.Errorf("sign up again: %w", err)
	}
	return s.mailVerification(ctx, tx, u)
}

// signUpKnown tells the owner of an address, and nobody else, that he has a
// user already.
func (s *Service) signUpKnown(ctx context.Context, tx *store.Tx, u *ent.User) error {
	if s.NoMail {
		return nil
	}
	return s.Outbox.Enqueue(ctx, tx, outbox.Draft{Kind: MailAlreadyRegistered, SubjectID: u.ID})
}

func (s *Service) mailVerification(ctx context.Context, tx *store.Tx, u *ent.User) error {
	if s.NoMail {
		return nil
	}
	generation := u.VerificationGeneration + 1
	err := tx.User.UpdateOne(u).
		SetVerificationGeneration(generation).
		SetVerificationHash(token.Hash(s.Tokens.Derive(token.Verification, u.ID, generation))).
		SetVerificationExpiresAt(s.Now().Add(VerificationFor)).
		Exec(ctx)
	if err != nil {
		return fmt.Errorf("renew the verification token of %s: %w", u.ID, err)
	}
	return s.Outbox.Enqueue(ctx, tx, outbox.Draft{Kind: MailVerification, SubjectID: u.ID, Generation: generation})
}

// NewUser is a person about to get a login.
type NewUser struct {
	Address                       address.Address
	FirstName, LastName, JobTitle string
	PasswordHash                  string
	Verified                      bool
}

// CreateUser makes the user. A constraint error of ent means that the address
// has one. The context is the system's.
func (s *Service) CreateUser(ctx context.Context, tx *store.Tx, n NewUser) (*ent.User, error) {
	now := s.Now()
	c := tx.User.Create().
		SetID(uid.New(uid.User)).SetCreatedAt(now).SetUpdatedAt(now).
		SetEmail(n.Address.Typed).SetEmailKey(n.Address.Key).
		SetFirstName(n.FirstName).SetLastName(n.LastName).SetJobTitle(n.JobTitle).
		SetPasswordHash(n.PasswordHash)
	if n.Verified {
		c.SetEmailVerifiedAt(now)
	}
	u, err := c.Save(ctx)
	if err != nil {
		return nil, fmt.Errorf("create user: %w", err)
	}
	return u, nil
}

// OpenPersonalAccount gives a new user an account and a default team of his
// own, and makes that team his active one. An empty name is made from his.
func (s *Service) OpenPersonalAccount(ctx context.Context, tx *store.Tx, u *ent.User, name string) (*roster.Opened, error) {
	if name == "" {
		name = DisplayName(u)
	}
	o, err := s.Roster.OpenAccount(ctx, tx, u, name, name)
	if err != nil {
		return nil, err
	}
	if err := tx.User.UpdateOne(u).SetActiveTeamID(o.Team.ID).Exec(ctx); err != nil {
		return nil, fmt.Errorf("set the active team of %s: %w", u.ID, err)
	}
	return o, s.Events.Append(ctx, tx, o.Account.ID,
		event.Draft{Type: event.UserSignedUp, ActorID: u.ID, SubjectID: u.ID})
}

// DisplayName is what a person is called: his name, or else what stands before
// the @ of his address.
func DisplayName(u *ent.User) string {
	if name := strings.TrimSpace(u.FirstName + " " + u.LastName); name != "" {
		return name
	}
	local, _, _ := strings.Cut(u.Email, "@")
	return local
}

// VerifyEmail takes the token of a verification mail: the address is verified
// and its user signed in. INVALID_TOKEN for a token that is unknown, used,
// replaced by a newer one, or too old.
func (s *Service) VerifyEmail(ctx context.Context, verification string) (in *SignedIn, err error) {
	ctx = access.System(ctx, "verify an address")
	invalid := fault.Input(fault.InvalidToken, "This link is not valid any more. Sign up again to get a new one.", "token")
	hash := token.Hash(verification)
	u, err := s.Store.Read().User.Query().Where(user.VerificationHash(hash)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, invalid
	}
	if err != nil {
		return nil, fmt.Errorf("verify an address: %w", err)
	}
	err = s.inActiveAccount(ctx, u.ID, func(tx *store.Tx, accountID string) error {
		now := s.Now()
		n, err := tx.User.Update().
			Where(user.ID(u.ID), user.VerificationHash(hash), user.VerificationExpiresAtGT(now)).
			SetEmailVerifiedAt(now).ClearVerificationHash().ClearVerificationExpiresAt().
			AddVersion(1).SetUpdatedAt(now).
			Save(ctx)
		if err != nil {
			return fmt.Errorf("verify the address of %s: %w", u.ID, err)
		}
		if n == 0 {
			return invalid
		}
		if in, err = s.StartSession(ctx, tx, u.ID); err != nil || accountID == "" {
			return err
		}
		return s.Events.Append(ctx, tx, accountID,
			event.Draft{Type: event.UserEmailVerified, ActorID: u.ID, SubjectID: u.ID})
	})
	return in, err
}

// SignIn takes an address and a password. INVALID_CREDENTIALS when they do not
// belong together, whether or not the address has a user; and only after the
// right password EMAIL_NOT_VERIFIED, or ACCESS_REVOKED or USER_DEACTIVATED for
// a person with no active membership left.
func (s *Service) SignIn(ctx context.Context, email, password string) (in *SignedIn, err error) {
	ctx = access.System(ctx, "sign in")
	wrong := fault.Input(fault.InvalidCredentials, "The address or the password is wrong.")
	var u *ent.User
	hash := ""
	if addr, bad := address.Parse(email); bad == nil {
		u, err = s.Store.Read().User.Query().Where(user.EmailKey(addr.Key)).WithMembers().Only(ctx)
		if err != nil && !ent.IsNotFound(err) {
			return nil, fmt.Errorf("sign in: %w", err)
		}
		if u != nil {
			hash = u.PasswordHash
		}
	}
	// No password that was accepted is longer; the hash is not to be kept busy.
	if len(password) > maxPassword {
		password = ""
	}
	match, err := s.Hasher.Matches(ctx, password, hash)
	if err != nil {
		return nil, fmt.Errorf("sign in: %w", err)
	}
	if !match {
		return nil, wrong
	}
	if u.EmailVerifiedAt == nil {
		return nil, fault.Input(fault.EmailNotVerified, "Verify your address first: open the link in the mail we sent you.")
	}
	if err := admitted(u); err != nil {
		return nil, err
	}
	err = s.inActiveAccount(ctx, u.ID, func(tx *store.Tx, accountID string) error {
		if in, err = s.StartSession(ctx, tx, u.ID); err != nil || accountID == "" {
			return err
		}
		return s.Events.Append(ctx, tx, accountID,
			event.Draft{Type: event.UserSignedIn, ActorID: u.ID, SubjectID: u.ID})
	})
	return in, err
}

// admitted tells a person with no active membership why he cannot come in.
func admitted(u *ent.User) error {
	deactivated := false
	for _, m := range u.Edges.Members {
		if m.Status == member.StatusActive {
			return nil
		}
		deactivated = true
	}
	if deactivated {
		return fault.Input(fault.UserDeactivated, "Your access is deactivated; ask an admin of your team.")
	}
	return fault.Input(fault.AccessRevoked, "Your access has been revoked; ask an admin of your team.")
}

// inActiveAccount runs f in a transaction of the account whose log hears of
// what the user does: that of his active team. accountID is empty when he is
// in none.
func (s *Service) inActiveAccount(ctx context.Context, userID string, f func(tx *store.Tx, accountID string) error) error {
	accountID, err := s.activeAccount(ctx, userID)
	if err != nil {
		return err
	}
	if accountID == "" {
		return s.Store.InTx(ctx, func(tx *store.Tx) error { return f(tx, "") })
	}
	return s.Store.InAccount(ctx, accountID, func(tx *store.Tx) error { return f(tx, accountID) })
}

func (s *Service) activeAccount(ctx context.Context, userID string) (string, error) {
	u, err := s.Store.Read().User.Get(ctx, userID)
	if err != nil {
		return "", fmt.Errorf("find the active team of %s: %w", userID, err)
	}
	if u.ActiveTeamID == "" {
		return "", nil
	}
	t, err := s.Store.Read().Team.Query().Where(team.ID(u.ActiveTeamID)).Only(ctx)
	if ent.IsNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("find the active team of %s: %w", userID, err)
	}
	return t.AccountID, nil
}
