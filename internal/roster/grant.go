package roster

import (
	"context"
	"fmt"
	"slices"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/division"
	"github.com/convoke-dev/convoke/ent/group"
	"github.com/convoke-dev/convoke/ent/role"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/address"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/store"
)

// maxScope is the greatest number of divisions, and of domains, that a member can
// be restricted to.
const maxScope = 100

// Wish is a grant as the client sends it: ids and keys that are not checked yet.
type Wish struct {
	RoleIDs        []string
	GroupIDs       []string
	Permissions    []string
	AllPermissions bool
}

// Chosen reports whether the wish names a role, a group or a permission.
func (w Wish) Chosen() bool { return len(w.RoleIDs)+len(w.GroupIDs)+len(w.Permissions) > 0 }

// CheckPermissions returns the keys sorted, each once. Fails with
// PERMISSION_UNKNOWN when a key is not in the catalogue.
func (s *Service) CheckPermissions(keys []string) ([]string, *fault.Error) {
	keys = slices.Compact(slices.Sorted(slices.Values(keys)))
	for _, k := range keys {
		if !s.Access.Catalogue.Knows(k) {
			return nil, fault.Input(fault.PermissionUnknown, "One of these permissions is not in the catalogue.", "permissions")
		}
	}
	return keys, nil
}

// Resolve reads the roles and groups that a wish names. Fails with ROLE_NOT_FOUND
// or NOT_FOUND when one of them is not in the account, or with
// PERMISSION_UNKNOWN. The context is the system's.
func (s *Service) Resolve(ctx context.Context, tx *store.Tx, accountID string, w Wish) (access.Grant, error) {
	g := access.Grant{AllPermissions: w.AllPermissions}
	var wrong fault.Errors
	var bad *fault.Error
	g.Permissions, bad = s.CheckPermissions(w.Permissions)
	wrong.Add(bad)
	var err error
	if g.Roles, bad, err = s.roles(ctx, tx, accountID, w.RoleIDs, "roleIds"); err != nil {
		return g, err
	}
	wrong.Add(bad)
	ids := distinct(w.GroupIDs)
	g.Groups, err = tx.Group.Query().Where(group.IDIn(ids...), group.AccountID(accountID)).WithRoles().All(ctx)
	if err != nil {
		return g, fmt.Errorf("read groups: %w", err)
	}
	if len(g.Groups) != len(ids) {
		wrong.Add(fault.Input(fault.NotFound, "One of these groups does not exist in this account.", "groupIds"))
	}
	return g, wrong.Err()
}

// roles reads the account's roles of these ids. The fault is ROLE_NOT_FOUND about
// the field when one of them is not in the account.
func (s *Service) roles(ctx context.Context, tx *store.Tx, accountID string, ids []string, field string) ([]*ent.Role, *fault.Error, error) {
	ids = distinct(ids)
	roles, err := tx.Role.Query().Where(role.IDIn(ids...), role.AccountID(accountID)).All(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("read roles: %w", err)
	}
	if len(roles) != len(ids) {
		return nil, fault.Input(fault.RoleNotFound, "One of these roles does not exist in this account.", field), nil
	}
	return roles, nil, nil
}

func distinct(ids []string) []string { return slices.Compact(slices.Sorted(slices.Values(ids))) }

// CheckCeiling fails with NOT_GRANTABLE for each field of the grant that holds a
// permission which the granter does not hold. It compares sets of permissions,
// never the names of roles. The roles of groups must be loaded.
func (s *Service) CheckCeiling(granter *access.Membership, g access.Grant) error {
	var above fault.Errors
	for _, part := range []struct {
		field string
		grant access.Grant
	}{
		{"roleIds", access.Grant{Roles: g.Roles}},
		{"groupIds", access.Grant{Groups: g.Groups}},
		{"permissions", access.Grant{Permissions: g.Permissions}},
		{"allPermissions", access.Grant{AllPermissions: g.AllPermissions}},
	} {
		if !granter.Permissions.Covers(s.Access.Granted(part.grant)) {
			above.Add(fault.Input(fault.NotGrantable, "You cannot grant what you do not hold yourself.", part.field))
		}
	}
	return above.Err()
}

// Scope is a restriction of a member. An empty list restricts to nothing: every
// division, or every domain.
type Scope struct {
	DivisionIDs []string
	Domains     []string
}

// CheckScope returns the scope sorted, with domains in their normal form and each
// entry once. Fails with INVALID_VALUE for a text that is not a domain, or for too
// many entries.
func CheckScope(sc Scope) (Scope, error) {
	var wrong fault.Errors
	out := Scope{DivisionIDs: distinct(sc.DivisionIDs), Domains: []string{}}
	for _, d := range sc.Domains {
		clean, bad := address.Domain(d, "allowedDomains")
		if bad != nil {
			wrong.Add(bad)
			break
		}
		out.Domains = append(out.Domains, clean)
	}
	out.Domains = distinct(out.Domains)
	for _, list := range []struct {
		field  string
		length int
	}{{"divisionIds", len(out.DivisionIDs)}, {"allowedDomains", len(out.Domains)}} {
		if list.length > maxScope {
			wrong.Add(fault.Input(fault.InvalidValue, fmt.Sprintf("At most %d are allowed.", maxScope), list.field))
		}
	}
	return out, wrong.Err()
}

// Divisions reads the account's divisions of these ids. Fails with NOT_FOUND when
// one of them is not in the account. The context is the system's.
func (s *Service) Divisions(ctx context.Context, tx *store.Tx, accountID string, ids []string) ([]*ent.Division, error) {
	divisions, err := tx.Division.Query().Where(division.IDIn(ids...), division.AccountID(accountID)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read divisions: %w", err)
	}
	if len(divisions) != len(ids) {
		return nil, fault.Input(fault.NotFound, "One of these divisions does not exist in this account.", "divisionIds")
	}
	return divisions, nil
}

// CheckReach fails with NOT_GRANTABLE or DOMAIN_NOT_ALLOWED when the scope reaches
// a division or domain that the granter does not reach. Otherwise a restricted
// member could let others do what they may not do themselves.
func CheckReach(granter *access.Membership, sc Scope) error {
	var above fault.Errors
	outside := func(id string) bool { return !granter.Reaches(id) }
	if granter.Restricted() && (len(sc.DivisionIDs) == 0 || slices.ContainsFunc(sc.DivisionIDs, outside)) {
		above.Add(fault.Input(fault.NotGrantable, "You are restricted to some divisions. Name one or more of them.", "divisionIds"))
	}
	foreign := func(d string) bool { return !granter.ReachesDomain(d) }
	if len(granter.Domains) > 0 && (len(sc.Domains) == 0 || slices.ContainsFunc(sc.Domains, foreign)) {
		above.Add(fault.Input(fault.DomainNotAllowed, "You are restricted to some domains. Name one or more of them.", "allowedDomains"))
	}
	return above.Err()
}
