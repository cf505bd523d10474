package invite

import (
	"slices"
	"testing"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/roster"
)

func TestAGrantHasOneForm(t *testing.T) {
	t.Parallel()
	one := []string{"x"}
	for _, c := range []struct {
		rule  string
		wish  roster.Wish
		field string // of INVALID_GRANT; empty = allowed
	}{
		{"nothing", roster.Wish{}, "grant"},
		{"empty lists", roster.Wish{RoleIDs: []string{}, GroupIDs: []string{}, Permissions: []string{}}, "grant"},
		{"a role", roster.Wish{RoleIDs: one}, ""},
		{"a group", roster.Wish{GroupIDs: one}, ""},
		{"a permission", roster.Wish{Permissions: one}, ""},
		{"all three", roster.Wish{RoleIDs: one, GroupIDs: one, Permissions: one}, ""},
		{"all permissions", roster.Wish{AllPermissions: true}, ""},
		{"all permissions and a role", roster.Wish{AllPermissions: true, RoleIDs: one}, "grant"},
		{"all permissions and a group", roster.Wish{AllPermissions: true, GroupIDs: one}, "grant"},
		{"all permissions and a permission", roster.Wish{AllPermissions: true, Permissions: one}, "grant"},
	} {
		wantFault(t, c.rule, checkForm(c.wish), fault.InvalidGrant, c.field)
	}
}

// wantFault compares a user error: an empty field means that there is none.
func wantFault(t *testing.T, rule string, got *fault.Error, code fault.Code, field string) {
	t.Helper()
	switch {
	case field == "" && got == nil:
	case field == "" || got == nil || got.Code != code || !slices.Equal(got.Field, []string{field}):
		t.Errorf("%s: got %v, want %s about %q", rule, got, code, field)
	}
}

func TestHowLongALinkIsGood(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		hours *int
		field string
	}{
		{nil, ""},
		{number(-1), "expiresInHours"},
		{number(0), "expiresInHours"},
		{number(1), ""},
		{number(720), ""},
		{number(721), "expiresInHours"},
	} {
		wantFault(t, "hours", checkTTL(c.hours), fault.InvalidValue, c.field)
	}
	acc := &ent.Account{InvitationTTLHours: 72}
	if got := ttl(acc, nil).Hours(); got != 72 {
		t.Errorf("by the account: got %v hours, want 72", got)
	}
	if got := ttl(acc, number(5)).Hours(); got != 5 {
		t.Errorf("by the call: got %v hours, want 5", got)
	}
}

func TestWhoMayAnswerForAnInvitation(t *testing.T) {
	t.Parallel()
	catalogue, err := access.NewCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	s := &Service{Access: access.Loader{Catalogue: catalogue}}
	holding := func(keys ...string) *access.Membership {
		return &access.Membership{Permissions: access.NewSet(keys...)}
	}
	within := func(m *access.Membership, domains ...string) *access.Membership {
		m.Domains = domains
		return m
	}
	read, refund, ownApprove := "members.read", "billing.refund", "certificates.approve:own"
	role := func(keys ...string) *ent.Role { return &ent.Role{Permissions: keys} }
	granting := func(change func(*ent.Invitation)) *ent.Invitation {
		i := &ent.Invitation{Permissions: []string{}, AllowedDomains: []string{}}
		change(i)
		return i
	}
	direct := func(keys ...string) *ent.Invitation {
		return granting(func(i *ent.Invitation) { i.Permissions = keys })
	}
	byGroup := granting(func(i *ent.Invitation) {
		g := &ent.Group{}
		g.Edges.Roles = []*ent.Role{role(refund)}
		i.Edges.Groups = []*ent.Group{g}
	})
	byRole := granting(func(i *ent.Invitation) { i.Edges.Roles = []*ent.Role{role(read), role(refund)} })
	all := granting(func(i *ent.Invitation) { i.AllPermissions = true })
	for _, c := range []struct {
		rule    string
		granter *access.Membership
		i       *ent.Invitation
		may     bool
	}{
		{"just what they hold", holding(read), direct(read), true},
		{"less", holding(read, refund), direct(read), true},
		{"more", holding(read), direct(read, refund), false},
		{"a key that left the catalogue grants nothing", holding(), direct("gone.away"), true},
		{"their own, and everybody's is granted", holding(ownApprove), direct("certificates.approve"), false},
		{"everybody's, and their own is granted", holding("certificates.approve"), direct(ownApprove), true},
		{"by roles, all held", holding(read, refund), byRole, true},
		{"by roles, one is not held", holding(read), byRole, false},
		{"by the role of a group, held", holding(refund), byGroup, true},
		{"by the role of a group, not held", holding(read), byGroup, false},
		{"all permissions, by who has all", holding(catalogue.All().Keys()...), all, true},
		{"all permissions, by who lacks some", holding(read, refund), all, false},
		{"restricted to a domain, and the invitation is not", within(holding(read), "x.org"), direct(read), false},
		{"restricted to a domain, and the invitation to one below it", within(holding(read), "x.org"), granting(func(i *ent.Invitation) {
			i.Permissions, i.AllowedDomains = []string{read}, []string{"a.x.org"}
		}), true},
		{"restricted to a domain, and the invitation to another", within(holding(read), "x.org"), granting(func(i *ent.Invitation) {
			i.Permissions, i.AllowedDomains = []string{read}, []string{"x.org", "y.org"}
		}), false},
		{"not restricted, and the invitation is", holding(read), granting(func(i *ent.Invitation) {
			i.Permissions, i.AllowedDomains = []string{read}, []string{"y.org"}
		}), true},
	} {
		refused := s.answersFor(c.granter, c.i)
		want := "invitationId"
		if c.may {
			want = ""
		}
		wantFault(t, c.rule, refused, fault.NotGrantable, want)
		inviting := *c.granter
		inviting.Permissions = access.NewSet(append(c.granter.Permissions.Keys(), access.MembersInvite)...)
		if got := s.CanResend(&inviting, c.i); got != c.may {
			t.Errorf("%s: CanResend with members.invite: got %t, want %t", c.rule, got, c.may)
		}
		if s.CanResend(holding(slices.DeleteFunc(c.granter.Permissions.Keys(), func(k string) bool { return k == access.MembersInvite })...), c.i) {
			t.Errorf("%s: CanResend without members.invite: got true", c.rule)
		}
	}
	if s.CanResend(nil, direct(read)) {
		t.Error("CanResend of no member: got true")
	}
}

func TestAmendedGrant(t *testing.T) {
	t.Parallel()
	chosen := &ent.Invitation{Permissions: []string{"p"}}
	chosen.Edges.Roles, chosen.Edges.Groups = []*ent.Role{{ID: "r"}}, []*ent.Group{{ID: "g"}}
	all := &ent.Invitation{Permissions: []string{}, AllPermissions: true}
	for _, c := range []struct {
		rule string
		i    *ent.Invitation
		a    Amendment
		want roster.Wish
	}{
		{"nothing", chosen, Amendment{}, roster.Wish{RoleIDs: []string{"r"}, GroupIDs: []string{"g"}, Permissions: []string{"p"}}},
		{"a grant replaces the whole one", chosen, Amendment{Grant: &roster.Wish{RoleIDs: []string{"s"}}}, roster.Wish{RoleIDs: []string{"s"}}},
		{"all permissions replace what was chosen", chosen, Amendment{Grant: &roster.Wish{AllPermissions: true}}, roster.Wish{AllPermissions: true}},
		{"of all permissions: a group replaces them", all, Amendment{Grant: &roster.Wish{GroupIDs: []string{"h"}}}, roster.Wish{GroupIDs: []string{"h"}}},
		{"nothing, which checkForm refuses", chosen, Amendment{Grant: &roster.Wish{}}, roster.Wish{}},
		{"restrictions do not matter", all, Amendment{DivisionIDs: []string{"d"}, Domains: []string{"x.org"}}, roster.Wish{Permissions: []string{}, AllPermissions: true}},
	} {
		got := amended(c.i, c.a)
		if got.AllPermissions != c.want.AllPermissions || !slices.Equal(got.RoleIDs, c.want.RoleIDs) ||
			!slices.Equal(got.GroupIDs, c.want.GroupIDs) || !slices.Equal(got.Permissions, c.want.Permissions) {
			t.Errorf("%s: got %+v, want %+v", c.rule, got, c.want)
		}
	}
}

func TestWhichAmendmentsRegrant(t *testing.T) {
	t.Parallel()
	text, hours, none := "x", 1, []string{}
	for _, c := range []struct {
		rule string
		a    Amendment
		want bool
	}{
		{"nothing", Amendment{}, false},
		{"names, note and expiry", Amendment{FirstName: &text, LastName: &text, JobTitle: &text, Note: &text, ExpiresInHours: &hours}, false},
		{"a grant", Amendment{Grant: &roster.Wish{}}, true},
		{"divisions", Amendment{DivisionIDs: none}, true},
		{"domains", Amendment{Domains: none}, true},
	} {
		if got := c.a.regrants(); got != c.want {
			t.Errorf("%s: got %t, want %t", c.rule, got, c.want)
		}
	}
}
