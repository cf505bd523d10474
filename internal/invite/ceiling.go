package invite

import (
	"context"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/roster"
)

// grant returns what a wish amounts to, and the divisions it is restricted to.
// NOT_GRANTABLE or DOMAIN_NOT_ALLOWED when the inviter holds less, or is
// restricted more.
func (s *Service) grant(ctx context.Context, a *act.Act, w roster.Wish, sc roster.Scope) (access.Grant, []*ent.Division, error) {
	g, err := s.Roster.Resolve(ctx, a.Tx, a.Account.ID, w)
	if err != nil {
		return g, nil, err
	}
	divisions, err := s.Roster.Divisions(ctx, a.Tx, a.Account.ID, sc.DivisionIDs)
	if err != nil {
		return g, nil, err
	}
	if err := s.Roster.CheckCeiling(a.Actor, g); err != nil {
		return g, nil, err
	}
	return g, divisions, roster.CheckReach(a.Actor, sc)
}

// answersFor fails with NOT_GRANTABLE when the member holds less than the
// invitation grants, or is restricted more. What the invitation grants must be
// loaded. A nil error means that the member may be its granter.
func (s *Service) answersFor(granter *access.Membership, i *ent.Invitation) *fault.Error {
	if !granter.Permissions.Covers(s.Access.Granted(grantOf(i))) || roster.CheckReach(granter, scopeOf(i)) != nil {
		return fault.Input(fault.NotGrantable, "The invitation grants what you do not hold yourself.", "invitationId")
	}
	return nil
}

// grantsSomething fails with INVALID_GRANT for an invitation that grants nothing any
// more: it had expired, and its roles and groups were deleted. What it grants must be
// loaded.
func grantsSomething(i *ent.Invitation) *fault.Error {
	if i.AllPermissions || len(i.Permissions)+len(i.Edges.Roles)+len(i.Edges.Groups) > 0 {
		return nil
	}
	return fault.Input(fault.InvalidGrant, "Everything that this invitation granted was deleted; a new one is needed.", "invitationId")
}

// grantOf returns what an invitation grants. Its roles and groups must be
// loaded.
func grantOf(i *ent.Invitation) access.Grant {
	return access.Grant{AllPermissions: i.AllPermissions, Permissions: i.Permissions, Roles: i.Edges.Roles, Groups: i.Edges.Groups}
}

// scopeOf returns what an invitation restricts the member to. Its divisions
// must be loaded.
func scopeOf(i *ent.Invitation) roster.Scope {
	sc := roster.Scope{Domains: i.AllowedDomains}
	for _, d := range i.Edges.Divisions {
		sc.DivisionIDs = append(sc.DivisionIDs, d.ID)
	}
	return sc
}
