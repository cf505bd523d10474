// Package access decides who may do what: the viewer, the permission
// catalogue, the role presets, and the guard on the ent client that narrows
// every query to what the viewer may know.
package access

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/predicate"
	"github.com/convoke-dev/convoke/ent/team"
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

// SignedIn returns the viewer of the context, or UNAUTHENTICATED.
func SignedIn(ctx context.Context) (*Viewer, error) {
	if v := ViewerFrom(ctx); v != nil {
		return v, nil
	}
	return nil, fault.Refuse(fault.Unauthenticated, "Sign in first.")
}

// Require returns the viewer's membership in the team if it holds the
// permission. It fails with UNAUTHENTICATED, with NOT_FOUND when he may not
// know of the team, or with FORBIDDEN. The client, which only a refusal reads
// with, is guarded.
func Require(ctx context.Context, client *ent.Client, teamID, permission string) (*Membership, error) {
	v, err := SignedIn(ctx)
	if err != nil {
		return nil, err
	}
	m := v.Membership(teamID)
	if m == nil {
		known, err := client.Team.Query().Where(team.ID(teamID)).Exist(ctx)
		if err != nil {
			return nil, fmt.Errorf("look for team %s: %w", teamID, err)
		}
		if !known {
			return nil, noTeam()
		}
		return nil, lacks(permission)
	}
	if !m.Permissions.Has(permission) {
		return nil, lacks(permission)
	}
	return m, nil
}

// RequireInAccount returns the viewer's membership in the account's default
// team if it holds the permission: account-wide acts look there. It fails like
// Require.
func RequireInAccount(ctx context.Context, accountID, permission string) (*Membership, error) {
	v, err := SignedIn(ctx)
	if err != nil {
		return nil, err
	}
	if !v.In(accountID) {
		return nil, fault.Refuse(fault.NotFound, "There is no such account.")
	}
	if m := v.defaultMembership(accountID); m != nil && m.Permissions.Has(permission) {
		return m, nil
	}
	return nil, lacks(permission)
}

// RequireRoles returns an error like RequireInAccount's unless the viewer
// may see the account's roles: because he may see or change who holds what in
// one of its teams.
func RequireRoles(ctx context.Context, accountID string) error {
	v, err := SignedIn(ctx)
	if err != nil {
		return err
	}
	if !v.In(accountID) {
		return fault.Refuse(fault.NotFound, "There is no such account.")
	}
	if !slices.Contains(v.accountsWithAny(forRoles...), any(accountID)) {
		return lacks(RolesRead)
	}
	return nil
}

func noTeam() error { return fault.Refuse(fault.NotFound, "There is no such team.") }

func lacks(permission string) error {
	return fault.Refuse(fault.Forbidden, "You need the permission %s for this.", permission)
}

// Loader makes viewers and memberships out of the database.
type Loader struct {
	Catalogue *Catalogue
	// Unproven says that addresses are not verified here: there is no mail.
	Unproven bool
	// Changes and Facts, when set, keep what Facts loads.
	Changes *Changes
	Facts   *Cache[Place, *Membership]
}

// Place is a user in a team.
type Place struct{ TeamID, UserID string }

// NewLoader returns a loader that keeps what it loaded while nothing changes.
func NewLoader(catalogue *Catalogue, changes *Changes, now func() time.Time) Loader {
	return Loader{Catalogue: catalogue, Changes: changes, Facts: NewCache[Place, *Membership](changes, now)}
}

// Load returns the user with his active memberships as a viewer. ent's
// not-found error means that the user is gone.
func (l Loader) Load(ctx context.Context, client *ent.Client, userID string) (*Viewer, error) {
	u, err := client.User.Query().Where(user.ID(userID)).Only(System(ctx, "load the viewer"))
	if err != nil {
		return nil, fmt.Errorf("load viewer %s: %w", userID, err)
	}
	return l.LoadFor(ctx, client, u)
}

// LoadFor is Load for a user whose row is at hand: in two statements, or three
// when he is restricted to divisions.
func (l Loader) LoadFor(ctx context.Context, client *ent.Client, u *ent.User) (*Viewer, error) {
	found, err := l.LoadAll(ctx, client, []*ent.User{u})
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

// LoadAll is LoadFor for many users, in as many statements as for one.
func (l Loader) LoadAll(ctx context.Context, client *ent.Client, users []*ent.User) ([]*Viewer, error) {
	ids := make([]string, len(users))
	for i, u := range users {
		ids[i] = u.ID
	}
	found, err := l.memberships(ctx, client, member.And(member.UserIDIn(ids...), member.StatusEQ(member.StatusActive)))
	if err != nil {
		return nil, err
	}
	of := make(map[string]map[string]*Membership, len(users))
	for _, m := range found {
		if of[m.UserID] == nil {
			of[m.UserID] = map[string]*Membership{}
		}
		of[m.UserID][m.TeamID] = m
	}
	viewers := make([]*Viewer, len(users))
	for i, u := range users {
		viewers[i] = &Viewer{UserID: u.ID, Email: u.Email, EmailKey: u.EmailKey, Unproven: l.Unproven, memberships: of[u.ID]}
	}
	return viewers, nil
}

// Teams returns the teams the viewer is in, in the order of their ids.
func (v *Viewer) Teams() []string {
	if v == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(v.memberships))
}

// Membership returns what a user is in a team as the transaction sees it, for
// a check that must not be overtaken. NOT_FOUND when he is no active member.
func (l Loader) Membership(ctx context.Context, client *ent.Client, teamID, userID string) (*Membership, error) {
	found, err := l.memberships(ctx, client, member.And(
		member.TeamID(teamID), member.UserID(userID), member.StatusEQ(member.StatusActive)))
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, noTeam()
	}
	return found[0], nil
}

// InAccount returns what a user is in the teams of an account, deactivated or
// not, by team.
func (l Loader) InAccount(ctx context.Context, client *ent.Client, accountID, userID string) (map[string]*Membership, error) {
	found, err := l.memberships(ctx, client, member.And(member.AccountID(accountID), member.UserID(userID)))
	if err != nil {
		return nil, err
	}
	byTeam := make(map[string]*Membership, len(found))
	for _, m := range found {
		byTeam[m.TeamID] = m
	}
	return byTeam, nil
}

// RequireStill is Require inside a transaction, so that the right was not
// taken away a moment before. The viewer is known to have had it.
func (l Loader) RequireStill(ctx context.Context, client *ent.Client, teamID, permission string) (*Membership, error) {
	v, err := SignedIn(ctx)
	if err != nil {
		return nil, err
	}
	m, err := l.Membership(ctx, client, teamID, v.UserID)
	if err != nil {
		return nil, err
	}
	if !m.Permissions.Has(permission) {
		return nil, lacks(permission)
	}
	return m, nil
}

// Members returns the memberships of the places, nil where there is none:
// from what is kept, and the others in as many statements as one costs.
func (l Loader) Members(ctx context.Context, client *ent.Client, places []Place) (map[Place]*Membership, error) {
	found := make(map[Place]*Membership, len(places))
	var missing []Place
	for _, p := range places {
		if m, ok := l.Facts.Get(p); ok {
			found[p] = m
		} else if !slices.Contains(missing, p) {
			missing = append(missing, p)
		}
	}
	if len(missing) == 0 {
		return found, nil
	}
	count := l.Changes.Count()
	which := make([]predicate.Member, len(missing))
	for i, p := range missing {
		which[i] = member.And(member.TeamID(p.TeamID), member.UserID(p.UserID))
	}
	loaded, err := l.memberships(ctx, client, member.Or(which...))
	if err != nil {
		return nil, err
	}
	for _, m := range loaded {
		found[Place{m.TeamID, m.UserID}] = m
	}
	for _, p := range missing {
		l.Facts.Put(count, p, found[p])
	}
	return found, nil
}

// Effective returns what a member holds: the owner everything, everybody
// else what his roles, groups and direct permissions hold. They must be loaded.
func (l Loader) Effective(m *ent.Member) Set {
	if m.IsOwner {
		return l.Catalogue.All()
	}
	return l.Granted(Grant{AllPermissions: m.AllPermissions, Permissions: m.Permissions, Roles: m.Edges.Roles, Groups: m.Edges.Groups})
}

// Grant is what an invitation offers or a member holds.
type Grant struct {
	AllPermissions bool
	Permissions    []string
	Roles          []*ent.Role
	Groups         []*ent.Group // with their roles
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
	for _, group := range g.Groups {
		for _, r := range group.Edges.Roles {
			s.add(r.Permissions)
		}
	}
	for k := range s {
		if !l.Catalogue.Knows(k) {
			delete(s, k)
		}
	}
	s.tidy()
	return s
}
