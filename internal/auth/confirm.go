package auth

import (
	"context"
	"fmt"
	"time"

	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/fault"
)

// recently is how old the session of a user without a password may be for an act that
// cannot be undone.
const recently = 10 * time.Minute

// Confirm checks that it is the user who acts, and not somebody at their open browser: by
// the password, or, for a user without one, by a session that has just begun. It returns
// the user's id. Fails with UNAUTHENTICATED, RATE_LIMITED, INVALID_CREDENTIALS about
// password, or AUTHENTICATION_REQUIRED for an older session.
func (s *Service) Confirm(ctx context.Context, password string) (userID string, err error) {
	v, err := access.SignedIn(ctx)
	if err != nil {
		return "", err
	}
	ctx = access.System(ctx, "confirm who acts")
	u, err := s.Store.Read().User.Get(ctx, v.UserID)
	if err != nil {
		return "", fmt.Errorf("confirm who acts: %w", err)
	}
	if u.PasswordHash == "" {
		session, err := s.Store.Read().Session.Get(ctx, v.SessionID)
		if err != nil {
			return "", fmt.Errorf("confirm who acts: %w", err)
		}
		if age := s.Now().Sub(session.CreatedAt); age < 0 || age > recently {
			return "", fault.Input(fault.AuthenticationRequired, "Sign in again, and do this within ten minutes.")
		}
		return u.ID, nil
	}
	ok, err := s.matches(ctx, u.EmailKey, password, u.PasswordHash)
	if err != nil {
		return "", err
	}
	if !ok {
		return "", fault.Input(fault.InvalidCredentials, "This is not your current password.", "password")
	}
	return u.ID, nil
}
