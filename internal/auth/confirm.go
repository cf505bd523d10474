package auth

import (
	"context"
	"fmt"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/fault"
)

// recently is how old the session of a user without a password may be for an act that
// cannot be undone.
const recently = 10 * time.Minute

// Confirm checks that it is the user who acts, and not somebody at their open browser: by
// the password, or, for a user without one, by a session that has just begun. It returns
// the user as they were then. Fails with UNAUTHENTICATED, FORBIDDEN for an API key,
// RATE_LIMITED, INVALID_CREDENTIALS about password, or AUTHENTICATION_REQUIRED for an older
// session.
func (s *Service) Confirm(ctx context.Context, password string) (*ent.User, error) {
	v, err := access.Person(ctx)
	if err != nil {
		return nil, err
	}
	ctx = access.System(ctx, "confirm who acts")
	u, err := s.Store.Read().User.Get(ctx, v.UserID)
	if err != nil {
		return nil, fmt.Errorf("confirm who acts: %w", err)
	}
	if u.ErasedAt != nil {
		return nil, ErrEnded
	}
	if u.PasswordHash == "" {
		session, err := s.Store.Read().Session.Get(ctx, v.SessionID)
		if ent.IsNotFound(err) {
			return nil, ErrEnded
		}
		if err != nil {
			return nil, fmt.Errorf("confirm who acts: %w", err)
		}
		if age := s.Now().Sub(session.CreatedAt); age < 0 || age > recently {
			return nil, fault.Input(fault.AuthenticationRequired, "Sign in again, and do this within ten minutes.")
		}
		return u, nil
	}
	ok, err := s.matches(ctx, u.EmailKey, password, u.PasswordHash)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fault.Input(fault.InvalidCredentials, "This is not your current password.", "password")
	}
	return u, nil
}
