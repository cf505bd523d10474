package access

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"entgo.io/ent/dialect/sql"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/account"
	"github.com/convoke-dev/convoke/ent/division"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/predicate"
	"github.com/convoke-dev/convoke/ent/team"
)

// Membership is what a user or an API key is in one team, and what they hold there. It does
// not change after it was loaded.
type Membership struct {
	ID          string // of the member; for an API key, of the team
	UserID      string // of the user or the API key
	TeamID      string
	AccountID   string
	DefaultTeam bool
	Owner       bool
	Permissions Set
	// Domains the member is restricted to, lower case; empty = every domain.
	Domains []string

	active    bool
	suspended bool  // the account
	oneTeam   bool  // an API key that can act in no other team
	roleIDs   idSet // held directly and by groups
	sources   []source
	groups    []*groupGrants
	divisions []string          // restricted to; empty = every division
	parents   map[string]string // of the account's divisions; only for a restricted member
}

// source is one grant by which a member holds permissions.
type source struct {
	kind  GrantKind
	role  *ent.Role
	group *ent.Group
	holds Set
}

// groupGrants are what a group gives to its members. All members that are loaded together
// share it: a member of 500 groups with 200 roles each has 100,000 grants.
type groupGrants struct {
	group   *ent.Group
	sources []source
}

// grants calls f with every source of the member.
func (m *Membership) grants(f func(*source)) {
	for i := range m.sources {
		f(&m.sources[i])
	}
	for _, g := range m.groups {
		for i := range g.sources {
			f(&g.sources[i])
		}
	}
}

// GrantKind says by what a permission is held.
type GrantKind string

// The kinds of grants.
const (
	ByOwnership GrantKind = "OWNER"
	ByRole      GrantKind = "ROLE"
	ByGroup     GrantKind = "GROUP"
	Directly    GrantKind = "DIRECT"
)

// Names of columns that are selected beside those of a table.
const (
	ofDefaultTeam = "of_default_team"
	accountStatus = "account_status"
	isRestricted  = "is_restricted"
	ofMember      = "of_member"
)

// memberships loads the members that the condition picks, with all they hold. However
// many they are, it costs three statements, or four when one of them is restricted to
// divisions.
func (l Loader) memberships(ctx context.Context, client *ent.Client, which predicate.Member) ([]*Membership, error) {
	ctx = System(ctx, "load memberships")
	q := client.Member.Query().Where(which)
	q.Modify(besideMembers)
	rows, err := q.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load memberships: %w", err)
	}
	found := make([]*Membership, len(rows))
	byID := make(map[string]*Membership, len(rows))
	ids := make([]string, len(rows))
	var restrictedAccounts []string
	for i, m := range rows {
		ms := &Membership{
			ID: m.ID, UserID: m.UserID, TeamID: m.TeamID, AccountID: m.AccountID, Owner: m.IsOwner,
			DefaultTeam: isTrue(m.Value(ofDefaultTeam)),
			Domains:     m.AllowedDomains,
			active:      m.Status == member.StatusActive,
			suspended:   asText(m.Value(accountStatus)) != string(account.StatusActive),
		}
		if held := l.Granted(Grant{AllPermissions: m.AllPermissions, Permissions: m.Permissions}); len(held) > 0 {
			ms.sources = append(ms.sources, source{kind: Directly, holds: held})
		}
		if isTrue(m.Value(isRestricted)) {
			restrictedAccounts = append(restrictedAccounts, m.AccountID)
		}
		found[i], byID[m.ID], ids[i] = ms, ms, m.ID
	}
	if len(rows) == 0 {
		return found, nil
	}
	members := newIDSet(ids)
	if err := l.loadRoles(ctx, client, members, byID); err != nil {
		return nil, err
	}
	if len(restrictedAccounts) > 0 {
		if err := loadDivisions(ctx, client, newIDSet(restrictedAccounts), members, byID); err != nil {
			return nil, err
		}
	}
	for _, m := range found {
		l.sum(m)
	}
	return found, nil
}

// sum fills in Permissions from the sources. The owner holds everything, everywhere.
func (l Loader) sum(m *Membership) {
	if m.Owner {
		m.sources = []source{{kind: ByOwnership, holds: l.Catalogue.All()}}
		m.Permissions = l.Catalogue.All()
		m.groups, m.Domains, m.divisions = nil, nil, nil
		return
	}
	m.Permissions = Set{}
	m.grants(func(s *source) {
		for k := range s.holds {
			m.Permissions[k] = struct{}{}
		}
	})
	m.Permissions.tidy()
}

// besideMembers selects columns of the team and the account beside those of a member.
func besideMembers(s *sql.Selector) {
	t, a, d := sql.Table(team.Table), sql.Table(account.Table), sql.Table(member.DivisionsTable)
	s.Join(t).On(s.C(member.FieldTeamID), t.C(team.FieldID))
	s.Join(a).On(s.C(member.FieldAccountID), a.C(account.FieldID))
	s.AppendSelectAs(t.C(team.FieldIsDefault), ofDefaultTeam)
	s.AppendSelectAs(a.C(account.FieldStatus), accountStatus)
	s.AppendSelectExprAs(sql.Exists(
		sql.Select(d.C(member.DivisionsPrimaryKey[0])).From(d).
			Where(sql.ColumnsEQ(d.C(member.DivisionsPrimaryKey[0]), s.C(member.FieldID))),
	), isRestricted)
}

// loadDivisions adds the divisions of restricted members, and the tree of all divisions
// of their accounts.
func loadDivisions(ctx context.Context, client *ent.Client, accounts, members idSet, byID map[string]*Membership) error {
	q := client.Division.Query().Where(func(s *sql.Selector) { s.Where(isIn(s.C(division.FieldAccountID), accounts)) })
	q.Modify(func(s *sql.Selector) {
		d := sql.Table(member.DivisionsTable)
		s.LeftJoin(d).OnP(sql.And(
			sql.ColumnsEQ(d.C(member.DivisionsPrimaryKey[1]), s.C(division.FieldID)),
			isIn(d.C(member.DivisionsPrimaryKey[0]), members),
		))
		s.AppendSelectAs(d.C(member.DivisionsPrimaryKey[0]), ofMember)
	})
	rows, err := q.All(ctx)
	if err != nil {
		return fmt.Errorf("load the divisions of members: %w", err)
	}
	trees := map[string]map[string]string{}
	for _, d := range rows {
		if trees[d.AccountID] == nil {
			trees[d.AccountID] = map[string]string{}
		}
		parent := ""
		if d.ParentID != nil {
			parent = *d.ParentID
		}
		trees[d.AccountID][d.ID] = parent
		if m := byID[asText(d.Value(ofMember))]; m != nil {
			m.divisions = append(m.divisions, d.ID)
			m.parents = trees[d.AccountID]
		}
	}
	return nil
}

// Same reports whether the other membership lets its member do the same.
func (m *Membership) Same(other *Membership) bool {
	return m.Owner == other.Owner && maps.Equal(m.Permissions, other.Permissions) &&
		slices.Equal(m.Domains, other.Domains) && slices.Equal(sorted(m.divisions), sorted(other.divisions)) &&
		m.suspended == other.suspended
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

// Active reports whether the member is not deactivated.
func (m *Membership) Active() bool { return m.active }

// Suspended reports whether the operator has suspended the account.
func (m *Membership) Suspended() bool { return m.suspended }

// OneTeam reports whether it is an API key that can act in no other team.
func (m *Membership) OneTeam() bool { return m.oneTeam }

// Restricted reports whether the member is restricted to some divisions.
func (m *Membership) Restricted() bool { return len(m.divisions) > 0 }

// Reaches reports whether the member may act in the division: in any if they are not
// restricted, or else in their divisions and those below them. It ends also on a tree
// with a cycle.
func (m *Membership) Reaches(divisionID string) bool {
	if !m.Restricted() {
		return true
	}
	for id, steps := divisionID, 0; id != "" && steps <= len(m.parents); id, steps = m.parents[id], steps+1 {
		if slices.Contains(m.divisions, id) {
			return true
		}
	}
	return false
}

// ReachesDomain reports whether the member may act on the domain: on any if they are not
// restricted, or else on their domains and subdomains of them.
func (m *Membership) ReachesDomain(domain string) bool {
	if len(m.Domains) == 0 {
		return true
	}
	domain = strings.TrimSuffix(strings.ToLower(domain), ".")
	return slices.ContainsFunc(m.Domains, func(d string) bool { return domain == d || strings.HasSuffix(domain, "."+d) })
}

// SelectedText returns a column that was selected beside those of a table as text,
// because the drivers return strings or bytes. Empty for NULL.
func SelectedText(v ent.Value, err error) (string, error) {
	switch v := v.(type) {
	case string:
		return v, err
	case []byte:
		return string(v), err
	default:
		return "", err
	}
}

// asText, isTrue and asInt read a column that was selected beside those of a table. One
// that was not, or has another type, reads as the zero value, which grants nothing.
func asText(v ent.Value, err error) string {
	s, err := SelectedText(v, err)
	if err != nil {
		return ""
	}
	return s
}

func isTrue(v ent.Value, err error) bool {
	b, ok := v.(bool)
	return err == nil && (ok && b || asInt(v, nil) != 0)
}

func asInt(v ent.Value, err error) int64 {
	n, ok := v.(int64)
	if err != nil || !ok {
		return 0
	}
	return n
}
