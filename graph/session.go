package graph

import (
	"context"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/team"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/auth"
	"github.com/convoke-dev/convoke/internal/fault"
)

// canCarry fails with INVALID_VALUE when a session is to go into a cookie
// where there is none: on a socket.
func canCarry(ctx context.Context, t *model.SessionTransport) error {
	if wantsCookie(t) && auth.CookiesFrom(ctx) == nil {
		return fault.Input(fault.InvalidValue, "A cookie needs an HTTP request; ask for BEARER here.", "transport")
	}
	return nil
}

func wantsCookie(t *model.SessionTransport) bool {
	return t == nil || *t == model.SessionTransportCookie
}

// signedIn carries a new session to the client and continues as its viewer. It
// returns the token when it does not go into a cookie.
func (r *Resolver) signedIn(ctx context.Context, in *auth.SignedIn, t *model.SessionTransport) (*access.Viewer, *string, error) {
	v, err := r.Auth.Refresh(ctx, in.SessionID)
	if err != nil {
		return nil, nil, err
	}
	access.Become(ctx, v)
	if wantsCookie(t) {
		auth.CookiesFrom(ctx).Set(in.Token, in.ExpiresAt)
		return v, nil, nil
	}
	return v, &in.Token, nil
}

// signedOut continues as nobody, and takes the cookie away.
func signedOut(ctx context.Context) {
	access.Become(ctx, nil)
	if c := auth.CookiesFrom(ctx); c != nil {
		c.Clear()
	}
}

// changePassword changes the viewer's password. A session held by a cookie is
// replaced by a new one, so that a cookie somebody planted or copied is good
// for nothing afterwards; one carried by its bearer goes on, for the payload
// hands out no token. So does a socket's, which can set no cookie.
func (r *Resolver) changePassword(ctx context.Context, current, password string) error {
	in, err := r.Auth.ChangePassword(ctx, current, password, auth.CookiesFrom(ctx).Carries())
	if err == nil && in != nil {
		_, _, err = r.signedIn(ctx, in, nil)
	}
	return err
}

// signInPayload is the answer to a sign-in, in whichever way it was done.
func (r *Resolver) signInPayload(ctx context.Context, in *auth.SignedIn, err error, t *model.SessionTransport) (*model.SignInPayload, error) {
	if err != nil {
		list, rest := payloadErrors(err)
		return &model.SignInPayload{UserErrors: list}, rest
	}
	v, sessionToken, err := r.signedIn(ctx, in, t)
	return &model.SignInPayload{Viewer: v, SessionToken: sessionToken, ExpiresAt: &in.ExpiresAt, UserErrors: none}, err
}

// orEmpty returns the text, empty when it was left out.
func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// activeTeam returns the team the viewer has chosen to see, or else one he is
// in; null when he is in none.
func (r *Resolver) activeTeam(ctx context.Context, v *access.Viewer) (*ent.Team, error) {
	u, err := r.read(ctx).User.Query().Where(user.ID(v.UserID)).Only(ctx)
	if err != nil {
		return nil, err
	}
	q := r.read(ctx).Team.Query().Where(team.ID(v.HomeTeam(u.ActiveTeamID)))
	r.withTeam(ctx, selected(ctx))(q)
	return orNull(q.Only(ctx))
}
