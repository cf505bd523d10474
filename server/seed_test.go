package server_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/convoke-dev/convoke/internal/demo"
	"github.com/convoke-dev/convoke/internal/testdb"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/server"
)

// ownPreset is a preset as an operator adds it, with more and fewer rights than
// the demo could know.
const ownPreset = `presets:
  - key: factory
    name: Factory
    admin: lead
    roles:
      - {key: lead, name: Lead, permissions: ["*"]}
      - {key: shift_lead, name: Shift lead, permissions: ["members.*", team.read]}
      - {key: guest, name: Guest, permissions: []}
`

func TestTheDemoShowsEveryPreset(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "own.yaml")
	if err := os.WriteFile(file, []byte(ownPreset), 0o600); err != nil {
		t.Fatal(err)
	}
	for preset, people := range map[string][]string{
		"teams":       {"olivia owner", "adam account admin", "bella billing", "victor viewer"},
		"departments": {"olivia owner", "adam manager", "fiona finance manager", "stan standard user", "victor viewer", "lily limited user"},
		"portal":      {"olivia owner", "adam admin", "uma user"},
		"holder":      {"olivia owner", "frank full access"},
		"factory":     {"olivia owner", "lead lead", "shift_lead shift lead", "guest guest"},
	} {
		t.Run(preset, func(t *testing.T) {
			t.Parallel()
			testdb.Each(t, func(t *testing.T, address string) {
				t.Helper()
				w := testkit.New(t, address, func(c *server.Config) { c.Preset, c.Catalogue = preset, []string{file} })
				s := seeded(t, w)
				equal(t, "the account", s.AccountName+", "+s.TeamName, "Acme, Acme Security")
				equalList(t, "people", played(s), people...)
				for _, p := range s.People {
					equal(t, "the team of "+p.Email, w.SignIn(p.Email).TeamID, s.TeamID)
				}
				olivia := w.SignIn("olivia@acme.test")
				equal(t, "open invitations", len(olivia.Invitations("PENDING")), 3)
				equal(t, "expired invitations", len(olivia.Invitations("EXPIRED")), 1)
				equalList(t, "people at the next start", played(seeded(t, w)), people...)
			})
		})
	}
}

// seeded has the server make its sample, or find it.
func seeded(t *testing.T, w *testkit.World) demo.Sample {
	t.Helper()
	s, err := w.Server.Seed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// played returns the people of a sample as "olivia owner".
func played(s demo.Sample) []string {
	people := make([]string, len(s.People))
	for i, p := range s.People {
		people[i] = p.Email[:len(p.Email)-len("@acme.test")] + " " + p.Role
	}
	return people
}

func TestTheDemoTellsOfThoseWhoAreThere(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		t.Helper()
		first := testkit.New(t, address)
		seeded(t, first)
		olivia := first.SignIn("olivia@acme.test")
		olivia.Join("nina@acme.test", "member") // Nina chooses a password
		olivia.Mutate("removeMember", "", "memberId", olivia.MemberID("bella@acme.test")).OK()
		olivia.Mutate("setRoles", "", "memberId", olivia.MemberID("victor@acme.test"),
			"roleIds", []string{olivia.Role("member"), olivia.Role("viewer")}).OK()
		team := olivia.Mutate("createTeam", "team { id }", "accountId", olivia.AccountID(), "name", "Another").OK().Text("createTeam.team.id")
		olivia.Mutate("setActiveTeam", "", "teamId", team).OK()

		first.Stop()
		second := testkit.New(t, address, testkit.Preset("portal"))
		s := seeded(t, second)
		equalList(t, "people", played(s), "olivia owner", "adam account admin", "victor member, viewer")
		equal(t, "the team", s.TeamID, olivia.TeamID)
		equal(t, "invitations", len(second.SignIn("olivia@acme.test").In(s.TeamID).Invitations("PENDING")), 3)
	})
}

// SQLite takes at most 32,766 parameters in a statement.
func TestTheDemoStartsAgainWithManyMembers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		t.Run("HARD-23 a demo with more members than a statement takes parameters", func(t *testing.T) {
			s := seeded(t, w)
			fillInBulk(t, w, s.TeamID, 33_000)
			equalList(t, "people", played(seeded(t, w))[:4], played(s)...)
		})
	})
}
