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

// SignInWithIDToken begins a session by an ID token of the operator's identity provider
// that a client has already. FEATURE_NOT_AVAILABLE without a provider, INVALID_TOKEN
// unless the provider issued the token for this server and it is valid now, TIMEOUT when
// the provider cannot be reached, and the errors of signInAs.
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

// SignInWithCode begins a session by the code that the browser brought back at the end of
// a flow. It fails like SignInWithIDToken.
func (s *Service) SignInWithCode(ctx context.Context, f Flow, code string) (*SignedIn, error) {
	who, err := s.Provider.redeem(ctx, f, code)
	if err != nil {
		return nil, err
	}
	return s.signInAs(ctx, who)
}

// signInAs begins a session of the user with the address of the identity. It creates no
// user: a person's first sign-in is by the link of their invitation.
//
// EMAIL_NOT_VERIFIED when the provider does not say that it has verified the address,
// because at some providers anybody can enter any address. The same when this server has
// no proof of the user's address, as without mail: a stranger may have signed up with it,
// and would share the user with the owner of the address. NOT_FOUND when the address has
// no user; only the owner of the address learns that. ACCESS_REVOKED or USER_DEACTIVATED
// as in SignIn.
func (s *Service) signInAs(ctx context.Context, who *identity) (*SignedIn, error) {
	ctx = access.System(ctx, "sign in by the identity provider")
	if who.Email == "" || !who.Verified {
		return nil, fault.Input(fault.EmailNotVerified, "The identity provider does not say that it has verified your e-mail address.")
	}
	addr, _ := address.Parse(who.Email) // the empty key of an invalid address has no user
	u, err := s.Store.Read().User.Query().Where(user.EmailKey(addr.Key)).Only(ctx)
	switch {
	case ent.IsNotFound(err):
		return nil, errNobodyJoined
	case err != nil:
		return nil, fmt.Errorf("sign in by the identity provider: %w", err)
	case u.EmailProof != user.EmailProofMail:
		return nil, fault.Input(fault.EmailNotVerified, "Nothing shows this server that the address is yours. Set a new password by mail first.")
	}
	return s.enter(ctx, u, user.And(user.EmailKey(u.EmailKey), user.EmailProofEQ(user.EmailProofMail)), errNobodyJoined)
}

var errNobodyJoined = fault.Input(fault.NotFound, "Nobody has joined with your address yet. Open the link in your invitation first.")
