package access

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"entgo.io/ent/dialect/sql"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/group"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/role"
)

// link is a row of how members hold roles. Its kind says what of and to are.
type link struct {
	Kind        string `sql:"kind"`
	Of          string `sql:"link_of"`
	To          string `sql:"link_to"`
	Name        string `sql:"group_name"`
	Description string `sql:"group_description"`
	Version     int    `sql:"group_version"`
}

const (
	memberHasRole = "1 member, role"
	groupHasRole  = "2 group, role"
	groupIs       = "3 group, its account"
	memberIsIn    = "4 member, group"
)

// maxLinked is how many members one statement names. It names each four times, and
// SQLite has 32,766 parameters.
const maxLinked = 5000

// loadRoles adds the roles that the members hold, directly and by groups, to their
// sources. Roles and groups are read once, however many members hold them.
func (l Loader) loadRoles(ctx context.Context, client *ent.Client, members idSet, byID map[string]*Membership) error {
	for some := range slices.Chunk(members, maxLinked) {
		if err := l.loadSomeRoles(ctx, client, some, byID); err != nil {
			return err
		}
	}
	return nil
}

func (l Loader) loadSomeRoles(ctx context.Context, client *ent.Client, members idSet, byID map[string]*Membership) error {
	links, err := linksOf(ctx, client, members)
	if err != nil {
		return err
	}
	roles, err := l.rolesIn(ctx, client, links)
	if err != nil {
		return err
	}
	groups := map[string]*groupGrants{}
	inGroup := map[string][]string{}
	for _, r := range links {
		switch r.Kind {
		case memberHasRole:
			if held := roles[r.To]; held != nil {
				m := byID[r.Of]
				m.sources = append(m.sources, source{kind: ByRole, role: held.role, holds: held.holds})
				m.roleIDs = append(m.roleIDs, r.To)
			}
		case groupHasRole:
			inGroup[r.Of] = append(inGroup[r.Of], r.To)
		case groupIs:
			groups[r.Of] = l.groupOf(r, inGroup[r.Of], roles)
		case memberIsIn:
			if g := groups[r.To]; g != nil && len(g.sources) > 0 {
				m := byID[r.Of]
				m.groups = append(m.groups, g)
			}
		}
	}
	for _, id := range members {
		m := byID[id]
		for _, g := range m.groups {
			for _, s := range g.sources {
				m.roleIDs = append(m.roleIDs, s.role.ID)
			}
		}
		m.roleIDs = slices.Clip(newIDSet(m.roleIDs))
	}
	return nil
}

// linksOf reads how the members hold roles, each kind after those that it needs.
func linksOf(ctx context.Context, client *ent.Client, members idSet) (links []link, err error) {
	err = client.Member.Query().Modify(func(s *sql.Selector) {
		const of, to = 0, 1
		hasRole, inGroups, groupRoles, groups := sql.Table(member.RolesTable), sql.Table(member.GroupsTable), sql.Table(group.RolesTable), sql.Table(group.Table)
		named := func(kind, linkOf, linkTo string, ofGroup ...string) *sql.Selector {
			t := sql.Dialect(s.Dialect()).Select().
				AppendSelectExprAs(sql.Raw("'"+kind+"'"), "kind").AppendSelectAs(linkOf, "link_of").AppendSelectAs(linkTo, "link_to")
			if len(ofGroup) > 0 {
				return t.AppendSelectAs(ofGroup[0], "group_name").AppendSelectAs(ofGroup[1], "group_description").AppendSelectAs(ofGroup[2], "group_version")
			}
			return t.AppendSelectExprAs(sql.Raw("''"), "group_name").AppendSelectExprAs(sql.Raw("''"), "group_description").AppendSelectExprAs(sql.Raw("0"), "group_version")
		}
		theirGroups := func() *sql.Selector {
			t := sql.Table(member.GroupsTable)
			return sql.Dialect(s.Dialect()).Select(t.C(member.GroupsPrimaryKey[to])).From(t).Where(isIn(t.C(member.GroupsPrimaryKey[of]), members))
		}
		all := named(memberHasRole, hasRole.C(member.RolesPrimaryKey[of]), hasRole.C(member.RolesPrimaryKey[to])).
			From(hasRole).Where(isIn(hasRole.C(member.RolesPrimaryKey[of]), members)).
			UnionAll(named(groupHasRole, groupRoles.C(group.RolesPrimaryKey[of]), groupRoles.C(group.RolesPrimaryKey[to])).
				From(groupRoles).Where(sql.In(groupRoles.C(group.RolesPrimaryKey[of]), theirGroups()))).
			UnionAll(named(groupIs, groups.C(group.FieldID), groups.C(group.FieldAccountID), groups.C(group.FieldName), groups.C(group.FieldDescription), groups.C(group.FieldVersion)).
				From(groups).Where(sql.In(groups.C(group.FieldID), theirGroups()))).
			UnionAll(named(memberIsIn, inGroups.C(member.GroupsPrimaryKey[of]), inGroups.C(member.GroupsPrimaryKey[to])).
				From(inGroups).Where(isIn(inGroups.C(member.GroupsPrimaryKey[of]), members))).
			As("links")
		*s = *sql.Dialect(s.Dialect()).Select("*").From(all).OrderBy("kind", "link_of", "link_to")
	}).Scan(ctx, &links)
	if err != nil {
		return nil, fmt.Errorf("load how members hold roles: %w", err)
	}
	return links, nil
}

// heldRole is a role with what it grants. Its rank is its place among the roles by age.
type heldRole struct {
	role  *ent.Role
	holds Set
	rank  int
}

// rolesIn loads the roles that the links name.
func (l Loader) rolesIn(ctx context.Context, client *ent.Client, links []link) (map[string]*heldRole, error) {
	var ids []string
	for _, r := range links {
		if r.Kind == memberHasRole || r.Kind == groupHasRole {
			ids = append(ids, r.To)
		}
	}
	if len(ids) == 0 {
		return map[string]*heldRole{}, nil
	}
	set := newIDSet(ids)
	found, err := client.Role.Query().Where(func(s *sql.Selector) { s.Where(isIn(s.C(role.FieldID), set)) }).
		Order(role.ByCreatedAt(), role.ByID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the roles of members: %w", err)
	}
	roles := make(map[string]*heldRole, len(found))
	for rank, r := range found {
		roles[r.ID] = &heldRole{role: r, holds: l.Granted(Grant{Roles: []*ent.Role{r}}), rank: rank}
	}
	return roles, nil
}

// groupOf returns what a group gives, by the age of its roles.
func (l Loader) groupOf(r link, roleIDs []string, roles map[string]*heldRole) *groupGrants {
	g := &groupGrants{group: &ent.Group{ID: r.Of, AccountID: r.To, Name: r.Name, Description: r.Description, Version: r.Version}}
	var held []*heldRole
	for _, id := range roleIDs {
		if h := roles[id]; h != nil {
			held = append(held, h)
		}
	}
	slices.SortFunc(held, func(a, b *heldRole) int { return cmp.Compare(a.rank, b.rank) })
	for _, h := range held {
		g.sources = append(g.sources, source{kind: ByGroup, role: h.role, group: g.group, holds: h.holds})
	}
	return g
}

// What the parts of a membership take in bytes, roughly.
const (
	weightOfMembership = 1000
	weightOfRow        = 600 // of a role or a group, beside its texts
	weightOfSmall      = 80  // a source, or an element of a set or tree
)

// Weight estimates how many bytes the membership holds. What it shares with others that
// were loaded with it counts for each of them, because the cache may keep one alone.
func (m *Membership) Weight() int {
	if m == nil {
		return weightOfSmall
	}
	w := weightOfMembership + weightOfSmall*(len(m.Permissions)+len(m.roleIDs)+len(m.divisions)+len(m.parents)+len(m.Domains))
	seen := map[*ent.Role]bool{}
	m.grants(func(s *source) {
		w += weightOfSmall
		if s.role != nil && !seen[s.role] {
			seen[s.role] = true
			w += weightOfRow + len(s.role.Name) + len(s.role.Description) + weightOfSmall*(len(s.role.Permissions)+len(s.holds))
		}
	})
	for _, g := range m.groups {
		w += weightOfRow + len(g.group.Name) + len(g.group.Description)
	}
	return w
}

// Weight estimates how many bytes the viewer holds.
func (v *Viewer) Weight() (w int) {
	for _, m := range v.memberships {
		w += m.Weight()
	}
	return w + weightOfMembership
}
