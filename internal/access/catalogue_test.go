package access_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/access"
)

func catalogue(t *testing.T) *access.Catalogue {
	t.Helper()
	c, err := access.NewCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// everything is the built-in catalogue as it is promised to clients.
var everything = strings.Fields(`
	account.read account.update account.delete
	team.create team.read team.update team.delete
	members.read members.invite members.update members.deactivate members.remove
	roles.read roles.assign roles.manage
	apikeys.read apikeys.manage
	audit.read
	webhooks.read webhooks.manage
	pricing.read
	billing.read billing.transactions billing.profiles billing.refund
	validation.read validation.upload validation.perform
	certificates.read certificates.request certificates.approve certificates.manage certificates.download certificates.install
	orders.read orders.manage
	settings.read settings.update
`)

func sorted(keys []string) []string { return slices.Sorted(slices.Values(keys)) }

func TestCatalogueHasThePromisedKeys(t *testing.T) {
	t.Parallel()
	c := catalogue(t)
	var listed []string
	for _, m := range c.Modules() {
		if m.Key == "" || m.Name == "" {
			t.Errorf("module %+v, want a key and a name", m)
		}
		for _, p := range m.Permissions {
			listed = append(listed, p.Key)
			if p.Name == "" || p.Description == "" || !strings.HasPrefix(p.Key, m.Key+".") {
				t.Errorf("permission %+v of %s, want name, description and the module's prefix", p, m.Key)
			}
		}
	}
	if !slices.Equal(listed, everything) {
		t.Errorf("listed %v, want %v", listed, everything)
	}
	if got, want := c.All().Keys(), sorted(everything); !slices.Equal(got, want) {
		t.Errorf("all = %v, want %v", got, want)
	}
}

func TestTheProgramsOwnPermissionsAreInTheCatalogue(t *testing.T) {
	t.Parallel()
	for _, key := range []string{
		access.MembersRead, access.MembersInvite, access.RolesAssign, "roles.read", "roles.manage", "account.read", access.AuditRead,
	} {
		if !catalogue(t).All().Has(key) {
			t.Errorf("%s is missing", key)
		}
	}
}

// presets are the built-in presets as they are promised to operators: the role
// of a former owner, and what each role holds.
var presets = map[string]struct {
	admin string
	roles map[string]string
}{
	"teams": {"account_admin", map[string]string{
		"account_admin": strings.Join(everything, " "),
		"billing":       "team.read billing.read billing.transactions billing.profiles billing.refund",
		"validation":    "team.read validation.read validation.upload validation.perform",
		"installer":     "team.read certificates.read certificates.download certificates.install",
		"member":        "team.read members.read roles.read",
		"viewer": `account.read team.read members.read roles.read audit.read billing.read validation.read
			certificates.read orders.read settings.read`,
	}},
	"departments": {"manager", map[string]string{
		"manager":         strings.Join(everything, " "),
		"finance_manager": "team.read account.read members.read orders.read billing.read pricing.read settings.read",
		"standard_user": `team.read certificates.read certificates.request certificates.manage certificates.download
			certificates.install orders.read`,
		"viewer": `account.read team.read members.read roles.read audit.read pricing.read billing.read validation.read
			certificates.read orders.read settings.read`,
		"limited_user": "team.read certificates.request certificates.read:own certificates.approve:own",
	}},
	"portal": {"admin", map[string]string{
		"admin": strings.Join(everything, " "),
		"user": `team.read validation.read validation.upload validation.perform certificates.read certificates.request
			certificates.approve certificates.manage certificates.download certificates.install orders.read orders.manage
			settings.read`,
	}},
	"holder": {"full", map[string]string{
		"full": `account.read team.read team.update members.read roles.read apikeys.read apikeys.manage audit.read
			webhooks.read webhooks.manage pricing.read billing.read billing.transactions billing.profiles billing.refund
			validation.read validation.upload validation.perform certificates.read certificates.request
			certificates.approve certificates.manage certificates.download certificates.install orders.read orders.manage
			settings.read settings.update`,
	}},
}

func TestRolesOfThePresets(t *testing.T) {
	t.Parallel()
	c := catalogue(t)
	if got, want := c.PresetKeys(), []string{"teams", "departments", "portal", "holder"}; !slices.Equal(got, want) {
		t.Errorf("presets = %v, want %v", got, want)
	}
	for key, want := range presets {
		preset, err := c.Preset(key)
		if err != nil {
			t.Fatal(err)
		}
		if preset.Admin != want.admin || len(preset.Roles) != len(want.roles) {
			t.Errorf("%s: got admin %s and %d roles, want %s and %d", key, preset.Admin, len(preset.Roles), want.admin, len(want.roles))
		}
		for _, r := range preset.Roles {
			if got, want := r.Permissions, sorted(strings.Fields(want.roles[r.Key])); !slices.Equal(got, want) {
				t.Errorf("%s of %s: got %v, want %v", r.Key, key, got, want)
			}
			if r.Name == "" || r.Description == "" {
				t.Errorf("%s of %s: %+v, want a name and a description", r.Key, key, r)
			}
		}
	}
}

// Beyond seeing the team the two share nothing.
func TestBillingAndValidationAreSeparate(t *testing.T) {
	t.Parallel()
	preset, err := catalogue(t).Preset("teams")
	if err != nil {
		t.Fatal(err)
	}
	held := map[string]access.Set{}
	for _, r := range preset.Roles {
		held[r.Key] = access.NewSet(r.Permissions...)
	}
	for _, key := range everything {
		if key != "team.read" && held["billing"].Has(key) && held["validation"].Has(key) {
			t.Errorf("billing and validation both hold %s", key)
		}
		if strings.HasPrefix(key, "members.") && (held["billing"].Has(key) || held["validation"].Has(key)) {
			t.Errorf("billing or validation holds %s", key)
		}
	}
}

func TestUnknownPresetNamesTheOnesThereAre(t *testing.T) {
	t.Parallel()
	c := catalogue(t)
	_, err := c.Preset("nonsense")
	if err == nil {
		t.Fatal("err = nil, want a refusal")
	}
	for _, key := range append(c.PresetKeys(), "nonsense") {
		if !strings.Contains(err.Error(), key) {
			t.Errorf("err = %v, want it to name %s", err, key)
		}
	}
}

func TestSetOperations(t *testing.T) {
	t.Parallel()
	none, a, ab := access.NewSet(), access.NewSet("a"), access.NewSet("b", "a", "b")
	if !a.Has("a") || a.Has("b") || none.Has("a") || access.Set(nil).Has("a") {
		t.Errorf("Has: %v has a and not b, %v nothing", a, none)
	}
	for _, tt := range []struct {
		set, other access.Set
		want       bool
	}{
		{ab, a, true},
		{a, ab, false},
		{a, a, true},
		{a, none, true},
		{none, a, false},
		{none, none, true},
		{nil, none, true},
		{nil, a, false},
	} {
		if got := tt.set.Covers(tt.other); got != tt.want {
			t.Errorf("%v covers %v = %t, want %t", tt.set.Keys(), tt.other.Keys(), got, tt.want)
		}
	}
	if got, want := ab.Keys(), []string{"a", "b"}; !slices.Equal(got, want) {
		t.Errorf("Keys = %v, want %v", got, want)
	}
	if got := access.Set(nil).Keys(); got == nil || len(got) != 0 {
		t.Errorf("Keys of nothing = %#v, want an empty list", got)
	}
}

func TestOwnIsCoveredAndCoversNothing(t *testing.T) {
	t.Parallel()
	plain, own := access.NewSet("a.b"), access.NewSet("a.b"+access.Own)
	for _, tt := range []struct {
		set, other access.Set
		want       bool
	}{
		{plain, own, true},
		{own, plain, false},
		{own, own, true},
		{plain, access.NewSet("a.b", "a.b:own"), true},
		{own, access.NewSet("a.b", "a.b:own"), false},
		{plain, access.NewSet("a.c:own"), false},
		{access.NewSet("a"), own, false},
		{nil, own, false},
	} {
		if got := tt.set.Covers(tt.other); got != tt.want {
			t.Errorf("%v covers %v = %t, want %t", tt.set.Keys(), tt.other.Keys(), got, tt.want)
		}
	}
	for _, tt := range []struct {
		set         access.Set
		has, hasOwn bool
	}{
		{plain, true, true},
		{own, false, true},
		{access.NewSet("a.b", "a.b:own"), true, true},
		{access.NewSet("a.c:own"), false, false},
		{nil, false, false},
	} {
		if has, hasOwn := tt.set.Has("a.b"), tt.set.HasOwn("a.b"); has != tt.has || hasOwn != tt.hasOwn {
			t.Errorf("%v: Has = %t, HasOwn = %t, want %t, %t", tt.set.Keys(), has, hasOwn, tt.has, tt.hasOwn)
		}
	}
}

func TestCatalogueKnowsItsKeysAndTheSameWithOwn(t *testing.T) {
	t.Parallel()
	c := catalogue(t)
	for _, key := range everything {
		if !c.Knows(key) || !c.Knows(key+access.Own) {
			t.Errorf("%s is not known, alone or with :own", key)
		}
		if c.All().Has(key + access.Own) {
			t.Errorf("all permissions list %s with :own", key)
		}
	}
	for _, key := range []string{"", ":own", "gone.key", "gone.key:own", "team.read:own:own", "team.read:", "team.read:OWN", "team.*", "*", "*:own", "TEAM.READ"} {
		if c.Knows(key) {
			t.Errorf("%q is known", key)
		}
	}
}

func TestGrantedAddsUpAndDropsUnknownKeys(t *testing.T) {
	t.Parallel()
	l := access.Loader{Catalogue: catalogue(t)}
	for rule, tt := range map[string]struct {
		grant access.Grant
		want  []string
	}{
		"nothing is granted by omission": {access.Grant{}, []string{}},
		"roles and direct permissions add up": {
			access.Grant{Permissions: []string{"team.read", "orders.read"}, Roles: []*ent.Role{
				{Permissions: []string{"team.read"}}, {Permissions: []string{"audit.read"}},
			}},
			[]string{"audit.read", "orders.read", "team.read"},
		},
		"unknown keys grant nothing": {
			access.Grant{Permissions: []string{"gone.key", "*", "billing.*", "", "team.read"}, Roles: []*ent.Role{{Permissions: []string{"gone.too", "TEAM.READ"}}}},
			[]string{"team.read"},
		},
		"all permissions are the whole catalogue": {access.Grant{AllPermissions: true, Permissions: []string{"gone.key"}}, sorted(everything)},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			if got := l.Granted(tt.grant).Keys(); !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
	if got, want := l.Catalogue.All().Keys(), sorted(everything); !slices.Equal(got, want) {
		t.Errorf("the catalogue afterwards = %v, want %v", got, want)
	}
}

func TestEffectivePermissions(t *testing.T) {
	t.Parallel()
	l := access.Loader{Catalogue: catalogue(t)}
	for rule, tt := range map[string]struct {
		member *ent.Member
		want   []string
	}{
		"the owner holds everything":                        {&ent.Member{IsOwner: true}, sorted(everything)},
		"no role takes anything from the owner":             {&ent.Member{IsOwner: true, Permissions: []string{"team.read"}}, sorted(everything)},
		"a member holds what their roles and grants hold":   {withRole(&ent.Member{Permissions: []string{"orders.read"}}, "team.read"), []string{"orders.read", "team.read"}},
		"a member with all permissions holds the catalogue": {&ent.Member{AllPermissions: true}, sorted(everything)},
		"a member without roles holds nothing":              {&ent.Member{}, []string{}},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			if got := l.Effective(tt.member).Keys(); !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func withRole(m *ent.Member, keys ...string) *ent.Member {
	m.Edges.Roles = []*ent.Role{{Permissions: keys}}
	return m
}
