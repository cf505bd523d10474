package roster

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/text"
)

// roleIDs is the field of the input that names roles.
const roleIDs = "roleIds"

// refusals spells an error out as "CODE field" for each of its faults; empty
// for no error.
func refusals(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	list, ok := fault.UserErrors(err)
	if !ok {
		t.Fatalf("got %v, want faults about the input", err)
	}
	said := make([]string, len(list))
	for i, f := range list {
		said[i] = strings.TrimSpace(string(f.Code) + " " + strings.Join(f.Field, "."))
	}
	return strings.Join(said, ", ")
}

// orNil is the fault as an error, and nil for none.
func orNil(f *fault.Error) error {
	if f == nil {
		return nil
	}
	return f
}

func pure(t *testing.T) *Service {
	t.Helper()
	catalogue, err := access.NewCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	return &Service{Access: access.Loader{Catalogue: catalogue}}
}

func aRole(id string, permissions ...string) *ent.Role {
	return &ent.Role{ID: id, Permissions: permissions}
}

func aGroup(id string, roles ...*ent.Role) *ent.Group {
	g := &ent.Group{ID: id}
	g.Edges.Roles = roles
	return g
}

func TestCheckVersion(t *testing.T) {
	t.Parallel()
	version := func(n int) *int { return &n }
	for _, c := range []struct {
		seen *int
		want string
	}{
		{nil, ""},
		{version(7), ""},
		{version(6), "CONFLICT expectedVersion"},
		{version(8), "CONFLICT expectedVersion"},
	} {
		if got := refusals(t, orNil(checkVersion(c.seen, 7))); got != c.want {
			t.Errorf("version 7, the client expects %v: got %q, want %q", c.seen, got, c.want)
		}
	}
}

func TestCheckName(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä", text.MaxName)
	for typed, want := range map[string][2]string{
		"Support":      {"Support", ""},
		"  Support \n": {"Support", ""},
		"a\u0000b":     {"ab", ""},
		long:           {long, ""},
		"":             {"", "BLANK name"},
		" \t":          {"", "BLANK name"},
		long + "ä":     {"", "TOO_LONG name"},
	} {
		got, bad := checkName(typed)
		if got != want[0] || refusals(t, orNil(bad)) != want[1] {
			t.Errorf("%q: got %q, %v; want %q, %q", typed, got, bad, want[0], want[1])
		}
	}
}

func TestFirstOf(t *testing.T) {
	t.Parallel()
	for _, roles := range []bool{false, true} {
		for _, groups := range []bool{false, true} {
			for _, permissions := range []bool{false, true} {
				var g access.Grant
				want := ""
				if permissions {
					g.Permissions, want = []string{"team.read"}, "permissions"
				}
				if groups {
					g.Groups, want = []*ent.Group{{}}, "groupIds"
				}
				if roles {
					g.Roles, want = []*ent.Role{{}}, roleIDs
				}
				if got := firstOf(g); got != want {
					t.Errorf("roles %t, groups %t, permissions %t: got %q, want %q", roles, groups, permissions, got, want)
				}
			}
		}
	}
}

// spell is a grant as text.
func spell(g access.Grant) string {
	var parts []string
	for _, r := range g.Roles {
		parts = append(parts, r.ID)
	}
	for _, gr := range g.Groups {
		parts = append(parts, gr.ID)
	}
	parts = append(parts, g.Permissions...)
	if g.AllPermissions {
		parts = append(parts, "all")
	}
	return strings.Join(parts, " ")
}

func TestBeyondWhatAMemberHolds(t *testing.T) {
	t.Parallel()
	full := access.Grant{Roles: []*ent.Role{aRole("r1"), aRole("r2")}, Groups: []*ent.Group{aGroup("g1"), aGroup("g2")}, Permissions: []string{"p1", "p2"}}
	for _, c := range []struct {
		rule  string
		holds access.Grant
		given access.Grant
		want  string
	}{
		{"nothing is given", full, access.Grant{}, ""},
		{"the same is given", full, full, ""},
		{"everything is new", access.Grant{}, full, "r1 r2 g1 g2 p1 p2"},
		{"one role is new", access.Grant{Roles: full.Roles[:1]}, access.Grant{Roles: full.Roles}, "r2"},
		{"one group is new", access.Grant{Groups: full.Groups[1:]}, access.Grant{Groups: full.Groups}, "g1"},
		{"one permission is new", access.Grant{Permissions: full.Permissions[:1]}, access.Grant{Permissions: full.Permissions}, "p2"},
		{"less is given", full, access.Grant{Roles: full.Roles[:1]}, ""},
		{"all permissions hold every permission, but no role or group", access.Grant{AllPermissions: true}, full, "r1 r2 g1 g2"},
	} {
		m := &ent.Member{Permissions: c.holds.Permissions, AllPermissions: c.holds.AllPermissions}
		m.Edges.Roles, m.Edges.Groups = c.holds.Roles, c.holds.Groups
		if got := spell(beyond(m, c.given)); got != c.want {
			t.Errorf("%s: got %q, want %q", c.rule, got, c.want)
		}
	}
}

func TestCheckCeiling(t *testing.T) {
	t.Parallel()
	s := pure(t)
	const a, b = access.MembersInvite, access.MembersRemove
	everything := s.Access.Catalogue.All().Keys()
	granters := map[string]access.Set{
		"nothing": {}, "a": access.NewSet(a), "b": access.NewSet(b), "a and b": access.NewSet(a, b), "everything": access.NewSet(everything...),
	}
	// The parts of a grant, with the granters who may give them.
	type part struct {
		field string
		grant func(*access.Grant)
		by    []string
	}
	for name, p := range map[string]part{
		"no role":            {"", func(*access.Grant) {}, []string{"nothing", "a", "b", "a and b", "everything"}},
		"a role with a":      {roleIDs, func(g *access.Grant) { g.Roles = append(g.Roles, aRole("r", a)) }, []string{"a", "a and b", "everything"}},
		"a role with both":   {roleIDs, func(g *access.Grant) { g.Roles = append(g.Roles, aRole("r", a, b)) }, []string{"a and b", "everything"}},
		"an empty role":      {roleIDs, func(g *access.Grant) { g.Roles = append(g.Roles, aRole("r")) }, []string{"nothing", "a", "b", "a and b", "everything"}},
		"a role of old keys": {roleIDs, func(g *access.Grant) { g.Roles = append(g.Roles, aRole("r", "gone.key")) }, []string{"nothing", "a", "b", "a and b", "everything"}},
		"a group with b":     {"groupIds", func(g *access.Grant) { g.Groups = append(g.Groups, aGroup("g", aRole("r", b))) }, []string{"b", "a and b", "everything"}},
		"a direct":           {"permissions", func(g *access.Grant) { g.Permissions = append(g.Permissions, a) }, []string{"a", "a and b", "everything"}},
		"all permissions":    {"allPermissions", func(g *access.Grant) { g.AllPermissions = true }, []string{"everything"}},
	} {
		for who, holds := range granters {
			var g access.Grant
			p.grant(&g)
			want := "NOT_GRANTABLE " + p.field
			if slices.Contains(p.by, who) {
				want = ""
			}
			if got := refusals(t, s.CheckCeiling(&access.Membership{Permissions: holds}, g)); got != want {
				t.Errorf("%s by a granter who holds %s: got %q, want %q", name, who, got, want)
			}
		}
	}

	mixed := access.Grant{Roles: []*ent.Role{aRole("r", a)}, Groups: []*ent.Group{aGroup("g", aRole("r", b))}, Permissions: []string{b}}
	got := refusals(t, s.CheckCeiling(&access.Membership{Permissions: access.NewSet(a)}, mixed))
	if want := "NOT_GRANTABLE groupIds, NOT_GRANTABLE permissions"; got != want {
		t.Errorf("several parts above the ceiling: got %q, want %q", got, want)
	}
	own := access.Grant{Permissions: []string{a + access.Own}}
	if got := refusals(t, s.CheckCeiling(&access.Membership{Permissions: access.NewSet(a)}, own)); got != "" {
		t.Errorf("a permission for one's own by who holds it for all: got %q, want none", got)
	}
}

func TestCheckPermissions(t *testing.T) {
	t.Parallel()
	s := pure(t)
	for _, c := range []struct {
		keys []string
		want string
		code string
	}{
		{nil, "", ""},
		{[]string{access.RolesRead, access.AuditRead, access.RolesRead}, "audit.read roles.read", ""},
		{[]string{access.RolesRead, "gone.key"}, "", "PERMISSION_UNKNOWN permissions"},
		{[]string{""}, "", "PERMISSION_UNKNOWN permissions"},
	} {
		got, bad := s.CheckPermissions(c.keys)
		if strings.Join(got, " ") != c.want || refusals(t, orNil(bad)) != c.code {
			t.Errorf("%v: got %v, %v; want %q, %q", c.keys, got, bad, c.want, c.code)
		}
	}
}

func TestChosen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		wish Wish
		want bool
	}{
		{Wish{}, false},
		{Wish{AllPermissions: true}, false},
		{Wish{RoleIDs: []string{}}, false},
		{Wish{RoleIDs: []string{"r"}}, true},
		{Wish{GroupIDs: []string{"g"}}, true},
		{Wish{Permissions: []string{"p"}}, true},
	} {
		if got := c.wish.Chosen(); got != c.want {
			t.Errorf("%+v: got %t, want %t", c.wish, got, c.want)
		}
	}
}

func TestCheckScope(t *testing.T) {
	t.Parallel()
	many := func(n int, format string) (list []string) {
		for i := range n {
			list = append(list, fmt.Sprintf(format, i))
		}
		return list
	}
	for _, c := range []struct {
		rule    string
		in      Scope
		want    Scope
		refused string
	}{
		{"none", Scope{}, Scope{}, ""},
		{"every id once", Scope{DivisionIDs: []string{"b", "a", "b"}}, Scope{DivisionIDs: []string{"a", "b"}}, ""},
		{"domains in their normal form, each once", Scope{Domains: []string{"*.B.example.", "a.example", "b.example"}}, Scope{Domains: []string{"a.example", "b.example"}}, ""},
		{"no domain", Scope{Domains: []string{"a.example", "no domain", "none either"}}, Scope{}, "INVALID_VALUE allowedDomains"},
		{
			"as many as can be",
			Scope{DivisionIDs: many(maxScope, "%03d"), Domains: many(maxScope, "d%03d.example")},
			Scope{DivisionIDs: many(maxScope, "%03d"), Domains: many(maxScope, "d%03d.example")},
			"",
		},
		{"the same too often", Scope{DivisionIDs: slices.Repeat([]string{"a"}, maxScope+1)}, Scope{DivisionIDs: []string{"a"}}, ""},
		{"too many divisions", Scope{DivisionIDs: many(maxScope+1, "%03d")}, Scope{}, "INVALID_VALUE divisionIds"},
		{"too many domains", Scope{Domains: many(maxScope+1, "d%03d.example")}, Scope{}, "INVALID_VALUE allowedDomains"},
		{
			"too many of both",
			Scope{DivisionIDs: many(maxScope+1, "%03d"), Domains: many(maxScope+1, "d%03d.example")},
			Scope{},
			"INVALID_VALUE divisionIds, INVALID_VALUE allowedDomains",
		},
	} {
		got, err := CheckScope(c.in)
		if refused := refusals(t, err); refused != c.refused {
			t.Errorf("%s: got %q, want %q", c.rule, refused, c.refused)
		}
		if err == nil && (!slices.Equal(got.DivisionIDs, c.want.DivisionIDs) || !slices.Equal(got.Domains, c.want.Domains)) {
			t.Errorf("%s: got %v, want %v", c.rule, got, c.want)
		}
	}
}

func TestNotSelfAndNotOwner(t *testing.T) {
	t.Parallel()
	const self, owner = "CANNOT_ACT_ON_SELF memberId", "OWNER_PROTECTED memberId"
	for _, c := range []struct {
		userID            string
		isOwner           bool
		notSelf, notOwner string
	}{
		{"me", false, self, ""},
		{"me", true, self, owner},
		{"other", false, "", ""},
		{"other", true, owner, owner},
	} {
		m := &ent.Member{UserID: c.userID, IsOwner: c.isOwner}
		if got := refusals(t, notSelf(&act.Act{UserID: "me"}, m)); got != c.notSelf {
			t.Errorf("notSelf of %s, owner %t: got %q, want %q", c.userID, c.isOwner, got, c.notSelf)
		}
		if got := refusals(t, notOwner(m)); got != c.notOwner {
			t.Errorf("notOwner of %s, owner %t: got %q, want %q", c.userID, c.isOwner, got, c.notOwner)
		}
	}
}

func TestInOrderNamesTheStepThatFailed(t *testing.T) {
	t.Parallel()
	errDisk := errors.New("disk full")
	ran := ""
	err := inOrder("delete team t", []step{
		{"one", func() error { ran += "1"; return nil }},
		{"two", func() error { ran += "2"; return errDisk }},
		{"three", func() error { ran += "3"; return nil }},
	})
	if !errors.Is(err, errDisk) || err.Error() != "delete team t: two: disk full" || ran != "12" {
		t.Errorf("got %v after %s, want the second step named and the third not run", err, ran)
	}
}
