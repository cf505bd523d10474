package access

import (
	"context"
	"fmt"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/team"
	"github.com/convoke-dev/convoke/internal/fault"
)

// SignedIn returns the viewer of the context, or UNAUTHENTICATED.
func SignedIn(ctx context.Context) (*Viewer, error) {
	if v := ViewerFrom(ctx); v != nil {
		return v, nil
	}
	return nil, fault.Refuse(fault.Unauthenticated, "Sign in first.")
}

// Person returns the viewer of the context, who is no API key: for what a program cannot do,
// such as accepting an invitation. UNAUTHENTICATED, or FORBIDDEN for a key.
func Person(ctx context.Context) (*Viewer, error) {
	v, err := SignedIn(ctx)
	if err == nil && v.IsKey() {
		return nil, NeedsPerson()
	}
	return v, err
}

// NeedsPerson returns the refusal of an API key where only a person can act.
func NeedsPerson() error {
	return fault.Refuse(fault.Forbidden, "An API key cannot do this. It needs a person who is signed in.")
}

// Require returns the viewer's membership in the team if it holds the permission. It
// fails with UNAUTHENTICATED, with NOT_FOUND when the viewer may not know of the team,
// or with FORBIDDEN. Only a refusal reads from the client, which must be guarded.
func Require(ctx context.Context, client *ent.Client, teamID, permission string) (*Membership, error) {
	m, err := RequireMember(ctx, client, teamID)
	if err == nil && !m.Permissions.Has(permission) || fault.Is(err, fault.Forbidden) {
		return nil, lacks(permission)
	}
	return m, err
}

// RequireMember returns the viewer's membership in the team. It fails like Require.
func RequireMember(ctx context.Context, client *ent.Client, teamID string) (*Membership, error) {
	v, err := SignedIn(ctx)
	if err != nil {
		return nil, err
	}
	if m := v.Membership(teamID); m != nil {
		return m, nil
	}
	known, err := client.Team.Query().Where(team.ID(teamID)).Exist(ctx)
	switch {
	case err != nil:
		return nil, fmt.Errorf("look for team %s: %w", teamID, err)
	case !known:
		return nil, noTeam()
	}
	return nil, fault.Refuse(fault.Forbidden, "You are not in this team.")
}

// RequireInAccount returns the viewer's membership in the account's default team, which
// decides about account-wide acts, if it holds the permission. It fails like Require.
func RequireInAccount(ctx context.Context, accountID, permission string) (*Membership, error) {
	v, err := SignedIn(ctx)
	if err != nil {
		return nil, err
	}
	if !v.In(accountID) {
		return nil, fault.Refuse(fault.NotFound, "There is no such account.")
	}
	if m := v.DefaultMembership(accountID); m != nil && m.Permissions.Has(permission) {
		return m, nil
	}
	return nil, lacks(permission)
}

// RequireRoles fails like RequireInAccount unless the viewer may see the account's roles,
// because they may see or change who holds what in one of its teams.
func RequireRoles(ctx context.Context, accountID string) error {
	v, err := SignedIn(ctx)
	if err != nil {
		return err
	}
	if !v.In(accountID) {
		return fault.Refuse(fault.NotFound, "There is no such account.")
	}
	if !v.accountsWithAny(forRoles...).has(accountID) {
		return lacks(RolesRead)
	}
	return nil
}

func noTeam() error { return fault.Refuse(fault.NotFound, "There is no such team.") }

func lacks(permission string) error {
	return fault.Refuse(fault.Forbidden, "You need the permission %s for this.", permission)
}
