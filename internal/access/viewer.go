// Package access decides who may do what: the viewer, the permission
// catalogue, the role presets, and the guard on the ent client that narrows
// every query to what the viewer may know.
package access

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/internal/fault"
)

// Viewer is who is asking, with everything he holds. It is loaded once per
// request, or per event of a subscription, and not changed afterwards.
type Viewer struct {
	UserID    string
	SessionID string
	Email     string // as typed
	EmailKey  string // as compared

	memberships map[string]*Membership // by team
}

// Membership is what the viewer is in one team. Only active memberships count.
type Membership struct {
	TeamID      string
	AccountID   string
	DefaultTeam bool
	Permissions Set
}

// Membership returns what the viewer is in the team, or nil.
func (v *Viewer) Membership(teamID string) *Membership {
	if v == nil {
		return nil
	}
	return v.memberships[teamID]
}

// Can reports whether the viewer holds the permission in the team.
func (v *Viewer) Can(teamID, permission string) bool {
	m := v.Membership(teamID)
	return m != nil && m.Permissions.Has(permission)
}

type contextKey struct{}

// system stands in a context in the place of a viewer.
type system struct{ reason string }

// asker is who is asking within one operation; it changes when the operation
// signs somebody in or out.
type asker struct{ viewer atomic.Pointer[Viewer] }

// WithViewer returns a context in which v is asking; a nil v is an anonymous
// visitor.
func WithViewer(ctx context.Context, v *Viewer) context.Context {
	a := &asker{}
	a.viewer.Store(v)
	return context.WithValue(ctx, contextKey{}, a)
}

// Become makes v the one who is asking in the context from now on: after
// signing in or out, and when a subscription has loaded its viewer anew.
func Become(ctx context.Context, v *Viewer) {
	if a, ok := ctx.Value(contextKey{}).(*asker); ok {
		a.viewer.Store(v)
	}
}

// System returns a context in which the program itself acts, past the guard.
// The reason is for the reader, and for errors.
func System(ctx context.Context, reason string) context.Context {
	return context.WithValue(ctx, contextKey{}, system{reason})
}

// ViewerFrom returns the viewer of the context, or nil for an anonymous
// visitor and for the system.
func ViewerFrom(ctx context.Context) *Viewer {
	if a, ok := ctx.Value(contextKey{}).(*asker); ok {
		return a.viewer.Load()
	}
	return nil
}

// SignedIn returns the viewer of the context, or UNAUTHENTICATED.
func SignedIn(ctx context.Context) (*Viewer, error) {
	if v := ViewerFrom(ctx); v != nil {
		return v, nil
	}
	return nil, fault.Refuse(fault.Unauthenticated, "Sign in first.")
}

// Require returns the viewer's membership in the team if it holds the
// permission. It fails with UNAUTHENTICATED, with NOT_FOUND when he may not
// know of the team, or with FORBIDDEN.
func Require(ctx context.Context, teamID, permission string) (*Membership, error) {
	v, err := SignedIn(ctx)
	if err != nil {
		return nil, err
	}
	m := v.Membership(teamID)
	if m == nil {
		return nil, fault.Refuse(fault.NotFound, "There is no such team.")
	}
	if !m.Permissions.Has(permission) {
		return nil, fault.Refuse(fault.Forbidden, "You need the permission %s for this.", permission)
	}
	return m, nil
}

// Loader makes viewers out of the database.
type Loader struct {
	Catalogue *Catalogue
}

// Load returns the viewer for a user, with his active memberships, in a fixed
// number of statements. ent's not-found error means the user is gone.
func (l Loader) Load(ctx context.Context, client *ent.Client, userID string) (*Viewer, error) {
	ctx = System(ctx, "load the viewer")
	u, err := client.User.Query().
		Where(user.ID(userID)).
		WithMembers(func(q *ent.MemberQuery) {
			q.Where(member.StatusEQ(member.StatusActive)).WithRoles().WithTeam()
		}).
		Only(ctx)
	if err != nil {
		return nil, fmt.Errorf("load viewer %s: %w", userID, err)
	}
	v := &Viewer{UserID: u.ID, Email: u.Email, EmailKey: u.EmailKey, memberships: make(map[string]*Membership, len(u.Edges.Members))}
	for _, m := range u.Edges.Members {
		v.memberships[m.TeamID] = l.membership(m)
	}
	return v, nil
}

// Membership returns what a user is in a team as the transaction sees it, for
// a check that must not be overtaken. NOT_FOUND when he is no active member.
func (l Loader) Membership(ctx context.Context, client *ent.Client, teamID, userID string) (*Membership, error) {
	m, err := client.Member.Query().
		Where(member.TeamID(teamID), member.UserID(userID), member.StatusEQ(member.StatusActive)).
		WithRoles().WithTeam().
		Only(System(ctx, "check a membership inside the transaction"))
	if ent.IsNotFound(err) {
		return nil, fault.Refuse(fault.NotFound, "There is no such team.")
	}
	if err != nil {
		return nil, fmt.Errorf("load membership of %s in %s: %w", userID, teamID, err)
	}
	return l.membership(m), nil
}

func (l Loader) membership(m *ent.Member) *Membership {
	return &Membership{
		TeamID: m.TeamID, AccountID: m.AccountID, DefaultTeam: m.Edges.Team.IsDefault,
		Permissions: l.Effective(m),
	}
}

// Effective returns what a member holds: the owner everything, everybody
// else his roles and direct permissions. The roles must be loaded.
func (l Loader) Effective(m *ent.Member) Set {
	if m.IsOwner {
		return l.Catalogue.All()
	}
	return l.Granted(Grant{AllPermissions: m.AllPermissions, Permissions: m.Permissions, Roles: m.Edges.Roles})
}

// Grant is what an invitation offers or a member holds.
type Grant struct {
	AllPermissions bool
	Permissions    []string
	Roles          []*ent.Role
}

// Granted returns the permissions a grant amounts to. A key that has left the
// catalogue grants nothing.
func (l Loader) Granted(g Grant) Set {
	if g.AllPermissions {
		return l.Catalogue.All()
	}
	s := Set{}
	s.add(g.Permissions)
	for _, r := range g.Roles {
		s.add(r.Permissions)
	}
	for k := range s {
		if !l.Catalogue.All().Has(k) {
			delete(s, k)
		}
	}
	return s
}
