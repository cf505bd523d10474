package access

import (
	"context"
	"maps"
	"slices"
	"sync/atomic"
)

// Viewer is the signed-in user or the API key that sends the request, with all it holds. It is
// loaded once for a request, or for an item of a subscription, and does not change afterwards.
type Viewer struct {
	// UserID is the id by which the viewer acts: that of the user, or of the key.
	UserID string
	// SessionID is what the viewer is known by: the user's session, or the key itself.
	SessionID string
	Email     string // as typed
	EmailKey  string // as compared
	// Unproven is true when nothing shows that the address is the viewer's, because they
	// joined while the server had no mail.
	Unproven bool

	memberships map[string]*Membership // by team
}

// Membership returns what the viewer is in the team, or nil. A nil viewer has none.
func (v *Viewer) Membership(teamID string) *Membership {
	if v == nil {
		return nil
	}
	return v.memberships[teamID]
}

// IsKey reports whether the viewer is an API key. A nil viewer is none.
func (v *Viewer) IsKey() bool { return v != nil && IsKey(v.UserID) }

// HomeTeam returns the chosen team if the viewer is in it, or else the team they have
// been in for the longest time; empty when they are in none.
func (v *Viewer) HomeTeam(chosen string) string {
	if v.Membership(chosen) != nil {
		return chosen
	}
	first := &Membership{}
	for _, m := range v.memberships {
		if first.ID == "" || m.ID < first.ID { // ids sort by the time of their creation
			first = m
		}
	}
	return first.TeamID
}

// Same reports whether both are the same user in the same session, with the same
// memberships, roles and permissions.
func (v *Viewer) Same(other *Viewer) bool {
	if v.UserID != other.UserID || v.SessionID != other.SessionID || v.Email != other.Email || v.EmailKey != other.EmailKey || v.Unproven != other.Unproven {
		return false
	}
	return maps.EqualFunc(v.memberships, other.memberships, func(a, b *Membership) bool {
		return a.ID == b.ID && a.Same(b) && slices.Equal(sorted(a.roleIDs), sorted(b.roleIDs))
	})
}

// Can reports whether the viewer holds the permission in the team.
func (v *Viewer) Can(teamID, permission string) bool {
	m := v.Membership(teamID)
	return m != nil && m.Permissions.Has(permission)
}

type contextKey struct{}

// system is in a context instead of a viewer.
type system struct{ reason string }

// asker holds the viewer of one operation, which changes when the operation signs
// somebody in or out.
type asker struct{ viewer atomic.Pointer[Viewer] }

// WithViewer returns a context with v as the viewer; a nil v is an anonymous visitor.
func WithViewer(ctx context.Context, v *Viewer) context.Context {
	a := &asker{}
	a.viewer.Store(v)
	return context.WithValue(ctx, contextKey{}, a)
}

// Become replaces the viewer of the context and of all contexts derived from it: after
// a sign-in or sign-out, and when a subscription has loaded its viewer again. It does
// nothing to a context without a viewer.
func Become(ctx context.Context, v *Viewer) {
	if a, ok := ctx.Value(contextKey{}).(*asker); ok {
		a.viewer.Store(v)
	}
}

// System returns a context in which the program itself acts, past the guard. The
// reason is for the reader of the code.
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

// Teams returns the ids of the viewer's teams, sorted.
func (v *Viewer) Teams() []string {
	if v == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(v.memberships))
}

// Accounts returns the ids of the accounts that the viewer's teams belong to, sorted.
func (v *Viewer) Accounts() []string {
	if v == nil {
		return nil
	}
	ids := make([]string, 0, len(v.memberships))
	for _, m := range v.memberships {
		ids = append(ids, m.AccountID)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
