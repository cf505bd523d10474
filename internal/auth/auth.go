// Package auth turns a credential into a session, and a session into a viewer.
//
// Each credential is checked in one place:
//
//	credential                          checked in
//	password of a user or a sign-up     Service.SignIn, by matchesEither
//	password, typed again               Service.ChangePassword, ChangeEmail, ResendVerification, by matches
//	token of a verification mail        Service.VerifyEmail
//	token of a reset mail               Service.ResetPassword
//	token of a change of address        Service.ConfirmEmailChange, Service.CancelEmailChange
//	token of an invitation              package invite, which calls CreateUser and StartSession
//	ID token of the identity provider   IdentityProvider.verify
//	code and cookie of a flow           Cookies.FlowOf, then IdentityProvider.redeem
//	session token, bearer or cookie     Service.Identify, for each request
//	secret of an API key                Service.Identify, for each request
//	session or key of an open socket    Service.ForOperation, for each operation
//
// Every password that somebody types is one guess (Limits), and costs the same for an
// address with a user and without. Tables hold the hashes of tokens, never a token.
package auth

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/predicate"
	"github.com/convoke-dev/convoke/ent/signup"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/address"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/lifecycle"
	"github.com/convoke-dev/convoke/internal/outbox"
	"github.com/convoke-dev/convoke/internal/roster"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/token"
	"github.com/convoke-dev/convoke/internal/uid"
)

const (
	// VerificationFor is how long a verification link is good.
	VerificationFor = 72 * time.Hour
	// maxSignUps is how many sign-ups of one address wait at the same time.
	maxSignUps = 5
)

// The kinds of mail auth sends.
const (
	MailVerification      = "verification"
	MailAlreadyRegistered = "already_registered"
	MailReset             = "password_reset"
)

// Service has the verbs on users and sessions.
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
	Log    *slog.Logger
	NoMail bool // the server sends no mail, so it trusts addresses without proof
	Limits Limits
	// Provider is the operator's identity provider, or nil.
	Provider *IdentityProvider
	// Sessions caches the viewers of sessions and API keys, by the hash of the token, and by
	// the id of the session or the key for sockets.
	Sessions *access.Cache[string, Known]
}

// SignUpPolicy says who may sign up.
type SignUpPolicy string

// The sign-up policies.
const (
	Open       SignUpPolicy = "open"
	InviteOnly SignUpPolicy = "invite-only"
)

// NewUser is a user to be created.
type NewUser struct {
	Address address.Address
	// Proof is what shows that the address is theirs. When it is empty, it is what this
	// server has: a mailed link, or trust.
	Proof                         user.EmailProof
	FirstName, LastName, JobTitle string
	PasswordHash                  string
}

// CreateUser creates the user and deletes all sign-ups of the address. A constraint
// error of ent means that the address has a user already. The context is the system's.
func (s *Service) CreateUser(ctx context.Context, tx *store.Tx, n NewUser) (*ent.User, error) {
	now := s.Now()
	if n.Proof == "" {
		n.Proof = s.proof()
	}
	u, err := tx.User.Create().
		SetID(uid.New(uid.User)).SetCreatedAt(now).SetUpdatedAt(now).
		SetEmail(n.Address.Typed).SetEmailKey(n.Address.Key).SetEmailVerifiedAt(now).SetEmailProof(n.Proof).
		SetFirstName(n.FirstName).SetLastName(n.LastName).SetJobTitle(n.JobTitle).
		SetPasswordHash(n.PasswordHash).
		Save(ctx)
	if err != nil {
		return nil, fmt.Errorf("create user: %w", err)
	}
	if _, err := tx.SignUp.Delete().Where(signup.EmailKey(n.Address.Key)).Exec(ctx); err != nil {
		return nil, fmt.Errorf("create user: void open sign-ups: %w", err)
	}
	return u, nil
}

// OpenPersonalAccount gives a new user an account of their own with a default team,
// which becomes their active team. An empty name becomes the user's.
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
		event.Draft{Type: event.UserSignedUp, ActorID: u.ID, SubjectID: u.ID},
		event.Draft{Type: event.UserEmailVerified, ActorID: u.ID, SubjectID: u.ID})
}

// DisplayName returns the user's name, or else the part of the address before the @.
func DisplayName(u *ent.User) string { return nameOf(u.FirstName, u.LastName, u.Email) }

func nameOf(first, last, email string) string {
	if name := strings.TrimSpace(first + " " + last); name != "" {
		return name
	}
	local, _, _ := strings.Cut(email, "@")
	return local
}

// SignIn begins a session of the user with this address and password.
// INVALID_CREDENTIALS when they do not belong together, whether or not the address has a
// user. Only after the right password: EMAIL_NOT_VERIFIED when it is that of a sign-up
// that waits, ACCESS_REVOKED or USER_DEACTIVATED for a user who has neither an active
// membership nor an open invitation. RATE_LIMITED after too many wrong passwords.
func (s *Service) SignIn(ctx context.Context, email, password string) (*SignedIn, error) {
	ctx = access.System(ctx, "sign in")
	addr, _ := address.Parse(email) // the empty key of an invalid address has no user
	u, waiting, err := s.login(ctx, addr.Key)
	if err != nil {
		return nil, err
	}
	ofUser, ofSignUp, err := s.matchesEither(ctx, addr.Key, password, u.PasswordHash, waiting)
	switch {
	case err != nil:
		return nil, err
	case ofUser:
		return s.enter(ctx, u, user.And(user.EmailKey(u.EmailKey), user.PasswordHash(u.PasswordHash)), errWrongPassword)
	case ofSignUp:
		// The password shows that this person signed up, so it is no secret from them.
		return nil, fault.Input(fault.EmailNotVerified, "Verify your address first: open the link in the mail we sent you.")
	default:
		return nil, errWrongPassword
	}
}

var errWrongPassword = fault.Input(fault.InvalidCredentials, "The address or the password is wrong.")

// enter begins a session of a user whose credential was right, and logs the sign-in. valid
// picks the user as long as the credential is theirs. It is checked once more in the
// transaction, because a new password, another address or an erasure may have overtaken the
// sign-in: it would have ended the session if that had begun before. Then enter fails with
// stale. ACCESS_REVOKED or USER_DEACTIVATED as in SignIn.
func (s *Service) enter(ctx context.Context, u *ent.User, valid predicate.User, stale error) (in *SignedIn, err error) {
	if err := s.checkAccess(ctx, u); err != nil {
		return nil, err
	}
	err = s.inActiveAccount(ctx, u.ID, func(tx *store.Tx, accountID string) error {
		if in, err = s.StartSession(ctx, tx, u.ID); err != nil {
			return err
		}
		// StartSession has locked the user.
		if still, err := tx.User.Query().Where(user.ID(u.ID), valid).Exist(ctx); err != nil {
			return fmt.Errorf("sign %s in: %w", u.ID, err)
		} else if !still {
			return stale
		}
		if accountID == "" {
			return nil
		}
		return s.Events.Append(ctx, tx, accountID,
			event.Draft{Type: event.UserSignedIn, ActorID: u.ID, SubjectID: u.ID})
	})
	if err != nil {
		return nil, err
	}
	return in, nil
}

// login returns the user of the address, and the password hash of its newest sign-up
// that waits. Where there is no user or no sign-up, the hash is empty, which no password
// matches.
func (s *Service) login(ctx context.Context, emailKey string) (u *ent.User, waiting string, err error) {
	if u, err = s.userOf(ctx, emailKey); err != nil {
		return nil, "", err
	}
	up, err := s.waiting(ctx, emailKey)
	if err != nil {
		return nil, "", err
	}
	return u, up.PasswordHash, nil
}

// userOf returns the user of the address, or one without a password.
func (s *Service) userOf(ctx context.Context, emailKey string) (*ent.User, error) {
	u, err := s.Store.Read().User.Query().Where(user.EmailKey(emailKey)).Only(ctx)
	if ent.IsNotFound(err) {
		return &ent.User{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find the user of an address: %w", err)
	}
	return u, nil
}

// checkAccess returns ACCESS_REVOKED or USER_DEACTIVATED for a user without an active
// membership. A user with an open invitation passes, so that they can accept it.
func (s *Service) checkAccess(ctx context.Context, u *ent.User) error {
	members, err := s.Store.Read().Member.Query().Where(member.UserID(u.ID)).All(ctx)
	if err != nil {
		return fmt.Errorf("sign in: look for a membership: %w", err)
	}
	for _, m := range members {
		if m.Status == member.StatusActive {
			return nil
		}
	}
	invited, err := s.Store.Read().Invitation.Query().
		Where(invitation.EmailKey(u.EmailKey), lifecycle.Open(s.Now())).
		Exist(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("sign in: look for an open invitation: %w", err)
	case invited:
		return nil
	case len(members) > 0:
		return fault.Input(fault.UserDeactivated, "Your access is deactivated; ask an admin of your team.")
	}
	return fault.Input(fault.AccessRevoked, "Your access has been revoked; ask an admin of your team.")
}

// inActiveAccount runs f in a transaction of the account of the user's active team, whose
// log has the events about the user. accountID is empty when the user is in no team.
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

// activeAccount returns the account of the team that the user has chosen, or else of the
// team they have been in for the longest time, as the dashboard shows it; empty when they
// are in none.
func (s *Service) activeAccount(ctx context.Context, userID string) (string, error) {
	u, err := s.Store.Read().User.Query().Where(user.ID(userID)).
		WithMembers(func(q *ent.MemberQuery) { q.Where(member.StatusEQ(member.StatusActive)).Order(member.ByID()) }).Only(ctx)
	if err != nil {
		return "", fmt.Errorf("find the active team of %s: %w", userID, err)
	}
	for _, m := range u.Edges.Members {
		if m.TeamID == u.ActiveTeamID {
			return m.AccountID, nil
		}
	}
	for _, m := range u.Edges.Members {
		return m.AccountID, nil
	}
	return "", nil
}
