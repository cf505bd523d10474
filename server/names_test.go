package server_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/internal/testkit"
)

// kept are names that a language, or an emoji, needs invisible characters for.
var kept = []string{
	"علی\u200Cرضا", "क्\u200Dष", "র\u200D্যাচেল", "辻\U000E0100", "\u2764\uFE0F\u200D🔥", "👩🏽\u200D🚀", "1\uFE0F\u20E3", "🇮🇷",
	"🏴\U000E0067\U000E0062\U000E0073\U000E0063\U000E0074\U000E007F",
}

func TestNamesKeepWhatTheirLanguageNeeds(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("owner@x.org")
		account := owner.AccountID()
		ways := map[string]func(name, key string) string{
			"first name": func(name, _ string) string {
				return owner.Mutate("updateProfile", "user { firstName }", "firstName", name).OK().Text("updateProfile.user.firstName")
			},
			"team": func(name, _ string) string {
				return owner.Mutate("updateTeam", "team { name }", "teamId", owner.TeamID, "name", name).OK().Text("updateTeam.team.name")
			},
			"role": func(name, key string) string {
				return owner.Mutate("createRole", "role { name }", "accountId", account, "key", key, "name", name, "permissions", []string{"team.read"}).OK().
					Text("createRole.role.name")
			},
			"group": func(name, _ string) string {
				return owner.Mutate("createGroup", "group { name }", "accountId", account, "name", name, "roleIds", []string{}).OK().Text("createGroup.group.name")
			},
			"division": func(name, _ string) string {
				return owner.Mutate("createDivision", "division { name }", "accountId", account, "name", name).OK().Text("createDivision.division.name")
			},
			"note": func(name, key string) string {
				a := owner.Invite(key+"@x.org", "billing", "note", name+"\n"+name).OK()
				first, second, _ := strings.Cut(a.Text("inviteUser.invitation.note"), "\n")
				equal(t, "the second line of a note", strings.TrimSpace(second), first)
				return first
			},
		}
		for what, set := range ways {
			t.Run("HARD-14 joiners, selectors and emoji of a "+what+" are kept", func(t *testing.T) {
				for i, name := range kept {
					equal(t, "what is stored", set(name, fmt.Sprintf("kept-%d", i)), name)
				}
			})
			t.Run("HARD-14 what is invisible, or without effect, in a "+what+" is removed", func(t *testing.T) {
				for i, typed := range []string{
					"An\u200Cn", "An\u200Dn", "Ann\uFE0F", "\u202EAnn", "An\u200Bn", "\uFEFFAnn", "A\u00ADnn", "Ann\u3164", "An\u180En",
					"Ann\U000E0068\U000E0069\U000E007F", "\u0301Ann", "\u2800Ann",
				} {
					equal(t, fmt.Sprintf("what is stored of %+q", typed), set(typed, fmt.Sprintf("removed-%d", i)), "Ann")
				}
			})
		}
		t.Run("HARD-14 a search finds a name with and without its joiner", func(t *testing.T) {
			owner.Invite("reza@y.org", "billing", "firstName", "علی\u200Cرضا").OK()
			for _, search := range []string{"علی\u200Cرضا", "علیرضا", "علی\u200Dرضا", "علی"} {
				a := owner.Ask(`invitations(filter: {search: "` + search + `"}) { nodes { email } }`).OK()
				equalList(t, search, a.List("team.invitations.nodes", "email"), "reza@y.org")
			}
		})
		t.Run("HARD-14 a name of invisible characters is blank", func(*testing.T) {
			for _, name := range []string{"\u200C\u200D", "\u2800\u3000", "\u0301", "\uFE0F", "\U000E0067\U000E007F"} {
				a := owner.Mutate("updateTeam", "team { name }", "teamId", owner.TeamID, "name", name)
				a.Refused("BLANK name")
			}
		})
		t.Run("HARD-14 the length is counted without what is removed", func(t *testing.T) {
			name := strings.Repeat("é", 100)
			a := owner.Mutate("updateTeam", "team { name }", "teamId", owner.TeamID, "name", strings.Repeat("e\u0301\u200B", 100)).OK()
			equal(t, "name", a.Text("updateTeam.team.name"), name)
			a = owner.Mutate("updateTeam", "team { name }", "teamId", owner.TeamID, "name", name+"x")
			a.Refused("TOO_LONG name")
		})
	})
}
