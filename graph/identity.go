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

// canCarry fails with INVALID_VALUE when the client wants the session in a cookie but the
// transport cannot set one, as on a WebSocket.
func canCarry(ctx context.Context, t *model.SessionTransport) error {
	if wantsCookie(t) && auth.CookiesFrom(ctx) == nil {
		return fault.Input(fault.InvalidValue, "A cookie needs an HTTP request; ask for BEARER here.", "transport")
	}
	return nil
}

func wantsCookie(t *model.SessionTransport) bool {
	return t == nil || *t == model.SessionTransportCookie
}

// signedIn hands the new session to the client: in a cookie, or else as the token that it
// returns. It ends the session whose cookie or header is replaced by that. The operation
// continues as the session's viewer.
func (r *Resolver) signedIn(ctx context.Context, in *auth.SignedIn, t *model.SessionTransport) (*access.Viewer, *string, error) {
	if err := r.Auth.EndReplaced(ctx, auth.CookiesFrom(ctx).Replaced(wantsCookie(t))); err != nil {
		return nil, nil, err
	}
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

// signedOut clears the cookie. The operation continues without a viewer.
func signedOut(ctx context.Context) {
	access.Become(ctx, nil)
	if c := auth.CookiesFrom(ctx); c != nil {
		c.Clear()
	}
}

// changePassword changes the viewer's password. A session in a cookie goes on with a new
// token, so that a cookie that was planted or copied is void afterwards. A bearer token
// stays, because the payload has no place for a new one, and so does the token of a
// WebSocket, which cannot set a cookie.
func (r *Resolver) changePassword(ctx context.Context, current, password string) error {
	cookies := auth.CookiesFrom(ctx)
	in, err := r.Auth.ChangePassword(ctx, current, password, cookies.Carries())
	if err == nil && in != nil {
		// Nothing that can fail comes between: without the cookie, the browser is signed out.
		cookies.Set(in.Token, in.ExpiresAt)
	}
	return err
}

// homeTeam returns the team that the viewer's dashboard shows, for an API key the first in
// which it can act; null when they are in none.
func (r *Resolver) homeTeam(ctx context.Context, v *access.Viewer) (*ent.Team, error) {
	chosen := ""
	if !v.IsKey() {
		u, err := r.read(ctx).User.Query().Where(user.ID(v.UserID)).Only(ctx)
		if err != nil {
			return nil, err
		}
		chosen = u.ActiveTeamID
	}
	q := r.read(ctx).Team.Query().Where(team.ID(v.HomeTeam(chosen)))
	r.withTeam(ctx, selected(ctx))(q)
	return orNull(q.Only(ctx))
}

// viewerID returns the id of the viewer's user; empty for an anonymous one.
func viewerID(ctx context.Context) string {
	if v := access.ViewerFrom(ctx); v != nil {
		return v.UserID
	}
	return ""
}
