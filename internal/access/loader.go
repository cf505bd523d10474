package access

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/predicate"
	"github.com/convoke-dev/convoke/ent/team"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/internal/fault"
)

// Loader reads viewers and memberships from the database.
type Loader struct {
	Catalogue *Catalogue
	// Changes and Facts are the cache of Members, which needs both.
	Changes *Changes
	Facts   *Cache[Place, *Membership]
	// Now decides whether an API key has expired.
	Now func() time.Time
}

// Place is a user or an API key in a team.
type Place struct{ TeamID, UserID string }

// NewLoader returns a loader with a cache of memberships.
func NewLoader(catalogue *Catalogue, changes *Changes, now func() time.Time) Loader {
	return Loader{Catalogue: catalogue, Changes: changes, Facts: NewCache[Place, *Membership](changes, now), Now: now}
}

// Load returns the user with their active memberships as a viewer. ent's not-found
// error means that the user is gone.
func (l Loader) Load(ctx context.Context, client *ent.Client, userID string) (*Viewer, error) {
	u, err := client.User.Query().Where(user.ID(userID)).Only(System(ctx, "load the viewer"))
	if err != nil {
		return nil, fmt.Errorf("load viewer %s: %w", userID, err)
	}
	return l.LoadFor(ctx, client, u)
}

// LoadFor is Load for a user whose row is loaded already. It costs two statements, or
// three when the user is restricted to divisions.
func (l Loader) LoadFor(ctx context.Context, client *ent.Client, u *ent.User) (*Viewer, error) {
	found, err := l.LoadAll(ctx, client, []*ent.User{u})
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

// LoadAll is LoadFor for many users, in the same number of statements.
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
		viewers[i] = &Viewer{UserID: u.ID, Email: u.Email, EmailKey: u.EmailKey, Unproven: u.EmailProof != user.EmailProofMail, memberships: of[u.ID]}
	}
	return viewers, nil
}

// Membership returns what a user or an API key is in a team, past every cache: with the
// client of a transaction, for a check that must not be overtaken. NOT_FOUND when the user is
// no active member, or the key has ended or is of another team.
func (l Loader) Membership(ctx context.Context, client *ent.Client, teamID, userID string) (*Membership, error) {
	var found []*Membership
	var err error
	if IsKey(userID) {
		found, err = l.ofKeys(ctx, client, []string{userID}, team.ID(teamID))
	} else {
		found, err = l.memberships(ctx, client, member.And(
			member.TeamID(teamID), member.UserID(userID), member.StatusEQ(member.StatusActive)))
	}
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, noTeam()
	}
	return found[0], nil
}

// Which returns the memberships of the members that the condition picks, also the
// deactivated ones, past every cache.
func (l Loader) Which(ctx context.Context, client *ent.Client, members predicate.Member) ([]*Membership, error) {
	return l.memberships(ctx, client, members)
}

// InAccount returns the memberships of a user, also the deactivated ones, or of an API key in
// the teams of an account, by team.
func (l Loader) InAccount(ctx context.Context, client *ent.Client, accountID, userID string) (map[string]*Membership, error) {
	var found []*Membership
	var err error
	if IsKey(userID) {
		found, err = l.ofKeys(ctx, client, []string{userID}, team.AccountID(accountID))
	} else {
		found, err = l.memberships(ctx, client, member.And(member.AccountID(accountID), member.UserID(userID)))
	}
	if err != nil {
		return nil, err
	}
	byTeam := make(map[string]*Membership, len(found))
	for _, m := range found {
		byTeam[m.TeamID] = m
	}
	return byTeam, nil
}

// RequireStill is Require with the client of a transaction, so that no change in between
// is overlooked. It is for a viewer for whom Require has succeeded before: it answers
// NOT_FOUND to any other.
func (l Loader) RequireStill(ctx context.Context, client *ent.Client, teamID, permission string) (*Membership, error) {
	v, err := SignedIn(ctx)
	if err != nil {
		return nil, err
	}
	m, err := l.Membership(ctx, client, teamID, v.UserID)
	if v.IsKey() && fault.Is(err, fault.NotFound) {
		if ended := l.checkKey(ctx, client, v.UserID); ended != nil {
			return nil, ended
		}
	}
	if err != nil {
		return nil, err
	}
	if !m.Permissions.Has(permission) {
		return nil, lacks(permission)
	}
	return m, nil
}

// Members returns the memberships of the places, nil where there is none. It takes them
// from the cache, and loads all others in as many statements as one costs.
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
	loaded, err := l.at(ctx, client, missing)
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

// at loads the memberships of the places, and for API keys perhaps of more.
func (l Loader) at(ctx context.Context, client *ent.Client, places []Place) (found []*Membership, err error) {
	var of []predicate.Member
	var keys, teams []string
	for _, p := range places {
		if IsKey(p.UserID) {
			keys, teams = append(keys, p.UserID), append(teams, p.TeamID)
		} else {
			of = append(of, member.And(member.TeamID(p.TeamID), member.UserID(p.UserID)))
		}
	}
	if len(of) > 0 {
		if found, err = l.memberships(ctx, client, member.Or(of...)); err != nil {
			return nil, err
		}
	}
	if len(keys) > 0 {
		more, err := l.ofKeys(ctx, client, keys, team.IDIn(teams...))
		return append(found, more...), err
	}
	return found, nil
}

// Effective returns what a member holds: the owner everything, anybody else what their
// roles, groups and direct permissions hold, which must be loaded.
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
