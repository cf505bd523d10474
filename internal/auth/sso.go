package auth

import (
	"context"
	"fmt"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/address"
	"github.com/convoke-dev/convoke/internal/fault"
)

// SignInWithIDToken takes an ID token of the operator's identity provider, which
// a client holds already. FEATURE_NOT_AVAILABLE when there is no provider,
// INVALID_TOKEN for a token that is not its own, not for this server, or too old,
// and what signInAs returns. TIMEOUT when the provider cannot be reached.
func (s *Service) SignInWithIDToken(ctx context.Context, idToken string) (*SignedIn, error) {
	if s.Provider == nil {
		return nil, fault.Input(fault.FeatureNotAvailable, "Single sign-on is not set up on this server.")
	}
	who, err := s.Provider.verify(ctx, idToken)
	if err != nil {
		return nil, err
	}
	return s.signInAs(ctx, who)
}

// SignInWithCode ends a flow with the code that the browser came back with. It
// fails like SignInWithIDToken.
func (s *Service) SignInWithCode(ctx context.Context, f Flow, code string) (*SignedIn, error) {
	who, err := s.Provider.redeem(ctx, f, code)
	if err != nil {
		return nil, err
	}
	return s.signInAs(ctx, who)
}

// signInAs signs in the user of the address that the provider vouches for. It
// makes no user: the first sign-in is by the invitation's link.
//
// EMAIL_NOT_VERIFIED when the provider does not say that the address is the
// person's: at some providers anybody can enter any address. The same when the
// address is not known to be the user's here, as on a server without mail: there
// a stranger may have signed up with it and a password of his, and would share
// all that its owner does from now on; and the owner of the address has no claim
// to what the stranger has done so far. NOT_FOUND when the address has no user;
// that tells its owner nothing of anybody else. ACCESS_REVOKED or
// USER_DEACTIVATED as in SignIn.
func (s *Service) signInAs(ctx context.Context, who *identity) (*SignedIn, error) {
	ctx = access.System(ctx, "sign in by the identity provider")
	if who.Email == "" || !who.Verified {
		return nil, fault.Input(fault.EmailNotVerified, "The identity provider does not say that it has verified your e-mail address.")
	}
	addr, _ := address.Parse(who.Email) // what is no address is a stranger's
	u, err := s.Store.Read().User.Query().Where(user.EmailKey(addr.Key)).Only(ctx)
	switch {
	case ent.IsNotFound(err):
		return nil, fault.Input(fault.NotFound, "Nobody has joined with your address yet. Open the link in your invitation first.")
	case err != nil:
		return nil, fmt.Errorf("sign in by the identity provider: %w", err)
	case s.NoMail || u.EmailVerifiedAt.IsZero():
		return nil, fault.Input(fault.EmailNotVerified, "This server does not know the address to be yours. Sign in with your password.")
	}
	return s.enter(ctx, u)
}
