// Package access decides who may do what: the viewer, the permission
// catalogue, the role presets, and the guard on the ent client that narrows
// every query to what the viewer may know.
package access

import (
	"context"
	"maps"
	"slices"
	"sync/atomic"
)

// Viewer is who is asking, with everything he holds. It is loaded once per
// request, or per event of a subscription, and not changed afterwards.
type Viewer struct {
	UserID    string
	SessionID string
	Email     string // as typed
	EmailKey  string // as compared
	// Unproven is true where nothing shows that the address is his.
	Unproven bool

	memberships map[string]*Membership // by team
}

// Membership returns what the viewer is in the team, or nil.
func (v *Viewer) Membership(teamID string) *Membership {
	if v == nil {
		return nil
	}
	return v.memberships[teamID]
}

// HomeTeam returns the chosen team, if the viewer is in it, or else the one he
// has been in for longest; empty when he is in none.
func (v *Viewer) HomeTeam(chosen string) string {
	if v.Membership(chosen) != nil {
		return chosen
	}
	first := &Membership{}
	for _, m := range v.memberships {
		if first.ID == "" || m.ID < first.ID { // ids sort by the time they were made
			first = m
		}
	}
	return first.TeamID
}

// Same reports whether the other viewer is the same one and holds the same.
func (v *Viewer) Same(other *Viewer) bool {
	if v.UserID != other.UserID || v.SessionID != other.SessionID || v.Email != other.Email || v.EmailKey != other.EmailKey {
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

// Teams returns the teams the viewer is in, in the order of their ids.
func (v *Viewer) Teams() []string {
	if v == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(v.memberships))
}
