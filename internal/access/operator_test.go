package access_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/internal/access"
)

// catalogueFile writes an operator's file and returns its path.
func catalogueFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "catalogue.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func rolesOf(t *testing.T, c *access.Catalogue, preset string) map[string]access.Set {
	t.Helper()
	p, err := c.Preset(preset)
	if err != nil {
		t.Fatal(err)
	}
	roles := map[string]access.Set{}
	for _, r := range p.Roles {
		roles[r.Key] = access.NewSet(r.Permissions...)
	}
	return roles
}

const shop = `
modules:
  - key: certificates
    permissions:
      - {key: certificates.escrow, name: Escrow keys}
  - key: shop
    name: Shop
    permissions:
      - key: shop.read
        name: See the shop
        description: See what is for sale
      - {key: shop.buy, name: Buy}
presets:
  - key: shop
    name: Shop
    admin: keeper
    roles:
      - key: keeper
        name: Keeper
        permissions: ["*"]
        except: ["*.read", "certificates.*", shop.buy]
      - key: guest
        name: Guest
        description: Looks around
        permissions: ["shop.*:own", "*.read:own", shop.read, team.read]
        except: ["billing.*", "account.read:own"]
      - {key: nobody, name: Nobody}
`

func TestOperatorsFileAddsModulesPermissionsAndPresets(t *testing.T) {
	t.Parallel()
	c, err := access.NewCatalogue(catalogueFile(t, shop), catalogueFile(t, `
modules:
  - {key: shop, permissions: [{key: shop.sell, name: Sell}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	modules := c.Modules()
	if got, want := modules[len(modules)-1], "shop"; got.Key != want || got.Name != "Shop" {
		t.Errorf("the last module is %+v, want %s", got, want)
	}
	builtin := catalogue(t).Modules()
	if len(modules) != len(builtin)+1 {
		t.Errorf("%d modules, want the %d built-in ones and one more", len(modules), len(builtin))
	}
	for i, m := range builtin {
		if got := modules[i]; got.Key != m.Key || got.Name != m.Name || !slices.Equal(got.Permissions[:len(m.Permissions)], m.Permissions) {
			t.Errorf("module %d begins as %+v, want %+v", i, got, m)
		}
	}
	added := []string{"certificates.escrow", "shop.read", "shop.buy", "shop.sell"}
	if got, want := c.All().Keys(), sorted(append(added, everything...)); !slices.Equal(got, want) {
		t.Errorf("all = %v, want %v", got, want)
	}
	if got, want := c.PresetKeys(), []string{"teams", "departments", "portal", "holder", "shop"}; !slices.Equal(got, want) {
		t.Errorf("presets = %v, want %v", got, want)
	}
}

func TestPatternsOfBuiltInPresetsTakeInTheOperatorsPermissions(t *testing.T) {
	t.Parallel()
	c, err := access.NewCatalogue(catalogueFile(t, shop))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		preset, role string
		want         []string
	}{
		{"teams", "account_admin", []string{"certificates.escrow", "shop.buy", "shop.read"}},
		{"teams", "installer", nil},
		{"departments", "manager", []string{"certificates.escrow", "shop.buy", "shop.read"}},
		{"departments", "standard_user", nil},
		{"departments", "viewer", []string{"shop.read"}},
		{"portal", "user", []string{"certificates.escrow"}},
		{"holder", "full", []string{"certificates.escrow", "shop.buy", "shop.read"}},
	} {
		before, after := rolesOf(t, catalogue(t), tt.preset)[tt.role], rolesOf(t, c, tt.preset)[tt.role]
		got := slices.DeleteFunc(after.Keys(), before.Has)
		if !slices.Equal(got, tt.want) || len(after) != len(before)+len(got) {
			t.Errorf("%s of %s: also holds %v, want %v and all it held before", tt.role, tt.preset, got, tt.want)
		}
	}
}

func TestPatternsAndExceptions(t *testing.T) {
	t.Parallel()
	c, err := access.NewCatalogue(catalogueFile(t, shop))
	if err != nil {
		t.Fatal(err)
	}
	roles := rolesOf(t, c, "shop")
	for role, want := range map[string][]string{
		"keeper": slices.DeleteFunc(slices.Clone(everything), func(k string) bool {
			return strings.HasSuffix(k, ".read") || strings.HasPrefix(k, "certificates.")
		}),
		// A key is not repeated with :own; billing.read:own
		// goes with billing.*.
		"guest": {
			"apikeys.read:own", "audit.read:own", "certificates.read:own", "members.read:own", "orders.read:own", "pricing.read:own",
			"roles.read:own", "settings.read:own", "shop.buy:own", "shop.read", "team.read", "validation.read:own", "webhooks.read:own",
		},
		"nobody": {},
	} {
		if got := roles[role].Keys(); !slices.Equal(got, sorted(want)) {
			t.Errorf("%s: got %v, want %v", role, got, sorted(want))
		}
	}
	if p, _ := c.Preset("shop"); p.Admin != "keeper" {
		t.Errorf("admin = %q, want keeper", p.Admin)
	}
}

func TestWhatIsWrongWithAFileIsToldWithItsLine(t *testing.T) {
	t.Parallel()
	const preset = "presets:\n- key: mine\n  name: Mine\n  admin: all\n  roles:\n"
	for rule, tt := range map[string]struct {
		text string
		want string // what follows the path
	}{
		"an empty file":          {"", ":1: the file is empty"},
		"a file of comments":     {"# nothing\n# at all\n", ":1: the file is empty"},
		"nothing in a file":      {"# so\n{}\n", ":2: there are neither"},
		"no modules":             {"modules:\n", ":1: there are neither"},
		"a list":                 {"# so\n- key: mine\n", ":2: sequence was used where mapping is expected"},
		"a syntax error":         {"modules:\n  - key: mine\n   name: Mine\n", ":3: "},
		"a tab":                  {"modules:\n\t- key: mine\n", ":2: "},
		"an open bracket":        {"modules:\n  - key: mine\n    permissions: [\n", ":3: "},
		"a bare star":            {preset + "  - key: all\n    name: All\n    permissions: [*]\n", ":8: "},
		"a field twice":          {"modules:\n- key: mine\n  name: Mine\n  key: other\n", ":4: mapping key \"key\" already defined"},
		"an unknown field":       {"modules:\n- key: mine\n  name: Mine\n  colour: red\n", ":4: unknown field \"colour\""},
		"an unknown field above": {"# so\nroles: []\n", ":2: unknown field \"roles\""},
		"a field of the program": {"# so\npath: here\n", ":2: unknown field \"path\""},
		"Windows line ends":      {"modules:\r\n- key: mine\r\n  colour: red\r\n", ":3: unknown field \"colour\""},
		"text for a list":        {preset + "  - key: all\n    name: All\n    permissions: \"*\"\n", ":8: string was used where sequence is expected"},
		"text for a mapping":     {"modules:\n- key: team\n  permissions:\n  - team.fly\n", ":4: string was used where mapping is expected"},
		"a list for text":        {"modules:\n- key: mine\n  name: [Mine]\n", ":3: the value must be text"},
		"a mapping for text":     {preset + "  - key: all\n    name: All\n    permissions:\n    - \"*\"\n    - a: b\n", ":10: the value must be text"},
		"a number for text":      {"modules:\n- key: mine\n  name: 010\n", ":3: \"010\" is not plain text; put the value in quotes"},
		"a truth for text":       {"modules:\n- key: mine\n  name: true\n", ":3: \"true\" is not plain text"},
		"a number for a field":   {"modules:\n- key: mine\n  1: Mine\n", ":3: \"1\" is not plain text"},
		"a pattern unquoted":     {preset + "  - key: all\n    name: All\n    permissions:\n    - *.read\n", ":9: \"*\" is not plain text; put the value in quotes"},
		"an anchor":              {"modules:\n- &m\n  key: mine\n", ":2: \"&\" is not plain text"},
		"a tag":                  {"modules: !!int mine\n", ":1: \"!!int\" is not plain text"},
		"a merge":                {"modules:\n- <<: {key: mine}\n", ":2: \"<<\" is not plain text"},
		"a second document":      {"modules:\n- key: team\n---\npresets: []\n", ":3: a second document begins here"},

		"a module without a key":            {"modules:\n- name: Mine\n  permissions: []\n", ":2: the key is missing"},
		"a module that is nothing":          {"modules:\n- key: team\n  permissions: [{key: team.fly, name: Fly}]\n-\n", ":4: the key is missing"},
		"a module with an empty key":        {"modules:\n- name: Mine\n  key: \"\"\n", ":3: the key is missing"},
		"a module with an odd key":          {"modules:\n- name: Mine\n  key: Mine\n", ":3: the key \"Mine\" must be like example_1"},
		"a module with a digit first":       {"modules:\n- name: Mine\n  key: 1st\n", ":3: the key \"1st\" must be like"},
		"a module with a dot":               {"modules:\n- name: Mine\n  key: a.b\n", ":3: the key \"a.b\" must be like"},
		"a new module without a name":       {"modules:\n- key: mine\n  permissions: [{key: mine.read, name: See}]\n", ":2: the name of mine is missing"},
		"a blank name":                      {"modules:\n- key: mine\n  name: \" \"\n", ":3: the name of mine is missing"},
		"another name for a module":         {"modules:\n- key: team\n  name: Crews\n", ":3: the module team exists"},
		"a module without permissions":      {"modules:\n- key: mine\n  name: Mine\n", ":2: the module mine has no permissions"},
		"a permission without a key":        {"modules:\n- key: team\n  permissions:\n  - name: Fly\n", ":4: the key is missing"},
		"a permission without a name":       {"modules:\n- key: team\n  permissions:\n  - key: team.fly\n    description: So\n", ":4: the name of team.fly is missing"},
		"a permission of another module":    {"modules:\n- key: team\n  permissions:\n  - name: Fly\n    key: teams.fly\n", ":5: the key \"teams.fly\" must be like team.example_1"},
		"a permission without its module":   {"modules:\n- key: team\n  permissions:\n  - name: Fly\n    key: fly\n", ":5: the key \"fly\" must be like"},
		"a permission of three words":       {"modules:\n- key: team\n  permissions:\n  - name: Fly\n    key: team.fly.high\n", ":5: the key \"team.fly.high\" must be like"},
		"a permission of one's own":         {"modules:\n- key: team\n  permissions:\n  - name: Fly\n    key: team.fly:own\n", ":5: the key \"team.fly:own\" must be like"},
		"a permission that is a pattern":    {"modules:\n- key: team\n  permissions:\n  - name: Fly\n    key: team.*\n", ":5: the key \"team.*\" must be like"},
		"a permission there is":             {"modules:\n- key: team\n  permissions:\n  - {key: team.fly, name: Fly}\n  - {key: team.read, name: See}\n", ":5: the permission team.read exists already"},
		"a permission twice":                {"modules:\n- key: team\n  permissions: [{key: team.fly, name: Fly}]\n- key: team\n  permissions:\n  - {key: team.fly, name: Fly}\n", ":6: the permission team.fly exists already"},
		"a preset without a key":            {"presets:\n- name: Mine\n", ":2: the key is missing"},
		"a preset with an odd key":          {"presets:\n- key: my-preset\n", ":2: the key \"my-preset\" must be like"},
		"a preset without a name":           {"presets:\n- key: mine\n", ":2: the name of mine is missing"},
		"a preset there is":                 {"presets:\n- name: Teams\n  key: teams\n", ":3: the preset teams exists already"},
		"a preset twice":                    {preset + "  - {key: all, name: All}\n- name: Mine\n  key: mine\n", ":8: the preset mine exists already"},
		"a preset without roles":            {"presets:\n- key: mine\n  name: Mine\n  admin: all\n", ":2: the preset mine has no roles"},
		"a preset with an empty list":       {"presets:\n- key: mine\n  name: Mine\n  roles: []\n", ":4: the preset mine has no roles"},
		"a preset without an admin":         {"presets:\n- key: mine\n  name: Mine\n  roles:\n  - {key: all, name: All}\n", ":2: the admin of the preset mine"},
		"an admin that is no role":          {"presets:\n- key: mine\n  name: Mine\n  admin: full\n  roles:\n  - {key: all, name: All}\n", ":4: the admin of the preset mine"},
		"a role without a key":              {preset + "  - name: All\n", ":6: the key is missing"},
		"a role with an odd key":            {preset + "  - name: All\n    key: All in\n", ":7: the key \"All in\" must be like"},
		"a role without a name":             {preset + "  - key: all\n    permissions: []\n", ":6: the name of all is missing"},
		"a role twice":                      {preset + "  - {key: all, name: All}\n  - name: All\n    key: all\n", ":8: the preset mine has a role all already"},
		"a permission there is not":         {preset + "  - key: all\n    name: All\n    permissions:\n    - team.read\n    - team.fly\n", ":10: \"team.fly\" matches no permission"},
		"a module there is not":             {preset + "  - key: all\n    name: All\n    permissions: [team.read,\n      \"teams.*\"]\n", ":9: \"teams.*\" matches no permission"},
		"a word there is not":               {preset + "  - key: all\n    name: All\n    permissions: [\"*.fly\"]\n", ":8: \"*.fly\" matches no permission"},
		"part of a word":                    {preset + "  - key: all\n    name: All\n    permissions: [\"team.re*\"]\n", ":8: \"team.re*\" matches no permission"},
		"a module without its star":         {preset + "  - key: all\n    name: All\n    permissions: [team]\n", ":8: \"team\" matches no permission"},
		"no pattern":                        {preset + "  - key: all\n    name: All\n    permissions:\n    -\n", ":9: \"\" matches no permission"},
		"own of nothing":                    {preset + "  - key: all\n    name: All\n    permissions: [\"teams.read:own\"]\n", ":8: \"teams.read:own\" matches no permission"},
		"own twice":                         {preset + "  - key: all\n    name: All\n    permissions: [\"team.read:own:own\"]\n", ":8: \"team.read:own:own\" matches no permission"},
		"an exception there is not":         {preset + "  - key: all\n    name: All\n    permissions: [\"*\"]\n    except:\n    - teams.read\n", ":10: \"teams.read\" matches no permission of the role"},
		"an exception that takes nothing":   {preset + "  - key: all\n    name: All\n    permissions: [\"team.*\"]\n    except:\n    - \"billing.*\"\n", ":10: \"billing.*\" matches no permission of the role"},
		"an exception of one's own for all": {preset + "  - key: all\n    name: All\n    permissions: [\"team.*\"]\n    except: [\"team.read:own\"]\n", ":9: \"team.read:own\" matches no permission of the role"},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			path := catalogueFile(t, tt.text)
			_, err := access.NewCatalogue(path)
			if err == nil || !strings.HasPrefix(err.Error(), path+tt.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("err = %v, want %s", err, path+tt.want)
			}
		})
	}
}

func TestRefusalNamesTheFileThatIsWrong(t *testing.T) {
	t.Parallel()
	first, second := catalogueFile(t, shop), catalogueFile(t, shop)
	if _, err := access.NewCatalogue(first, second); err == nil || !strings.HasPrefix(err.Error(), second+":5: the permission certificates.escrow exists already") {
		t.Errorf("err = %v, want line 5 of %s", err, second)
	}
	missing := filepath.Join(t.TempDir(), "missing.yaml")
	for _, path := range []string{missing, t.TempDir()} {
		if _, err := access.NewCatalogue(first, path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("err = %v, want it to name %s", err, path)
		}
	}
}

func TestExampleInTheDocumentsIsRight(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(text), "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	c, err := access.NewCatalogue(catalogueFile(t, example))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := rolesOf(t, c, "factory")["technician"].Keys(), sorted(strings.Fields(`
		team.read devices.read devices.manage certificates.read:own certificates.request:own certificates.manage:own
		certificates.download:own certificates.install:own certificates.escrow:own
	`)); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// The presets come after all modules, so the order of files does not matter
// to the patterns.
func TestPresetSeesPermissionsOfALaterFile(t *testing.T) {
	t.Parallel()
	preset := catalogueFile(t, "presets:\n- key: mine\n  name: Mine\n  admin: all\n  roles:\n  - {key: all, name: All, permissions: [\"shop.*\"]}\n")
	c, err := access.NewCatalogue(preset, catalogueFile(t, shop))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := rolesOf(t, c, "mine")["all"].Keys(), []string{"shop.buy", "shop.read"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
