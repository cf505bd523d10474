package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/server"
)

func TestVariablesAreCoercedByTheSpecification(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		input := func(field string, value any) map[string]any {
			return testkit.Input("teamId", owner.TeamID, "email", "ann@x.org", "permissions", []string{"team.read"}, field, value)
		}
		for name, wrong := range map[string]struct {
			at    string
			value any
		}{
			"a number as text":              {"input.expiresInHours", "2"},
			"a fraction":                    {"input.expiresInHours", 2.5},
			"a text as number":              {"input.note", 7},
			"an object for a text":          {"input.note", map[string]any{"text": "x"}},
			"an enum in other letters":      {"input.onConflict", "resend"},
			"an enum that is none":          {"input.onConflict", "SKIP"},
			"an object for a custom scalar": {"input.email", map[string]any{"address": "x"}},
			"a number for a custom scalar":  {"input.email", 7},
		} {
			t.Run("FE-7 "+name, func(t *testing.T) {
				variables := input(strings.TrimPrefix(wrong.at, "input."), wrong.value)
				for way, a := range map[string]*testkit.Answer{
					"HTTP":   owner.Do(testkit.InviteMutation, variables),
					"SSE":    owner.SubscribeSSE(testkit.InviteMutation, variables).Next(),
					"socket": owner.Subscribe(testkit.InviteMutation, variables).Next(),
				} {
					a.Refused("GRAPHQL_VALIDATION_FAILED")
					if text := a.Errors[0].Message; !strings.Contains(text, `"$input"`) || !strings.Contains(text, `"`+wrong.at+`"`) {
						t.Errorf("%s: the message names no variable and path: %s", way, text)
					}
					equal(t, way+": variable", a.Errors[0].Extensions["variable"], any("$input"))
				}
			})
		}
		t.Run("FE-7 literals of custom scalars are checked as variables are", func(*testing.T) {
			for _, literal := range []string{"7", "{a: 1}", "[[1]]", "true", "ANN"} {
				owner.Do(`{ account(id: "acc_x") { user(email: `+literal+`) { id } } }`, nil).Refused("GRAPHQL_VALIDATION_FAILED")
			}
			owner.Do(`{ account(id: "acc_x") { auditLog(filter: {from: "yesterday"}) { totalCount } } }`, nil).Refused("GRAPHQL_VALIDATION_FAILED")
		})
		t.Run("HARD-13 a moment is RFC 3339, and has a year of four digits in UTC", func(*testing.T) {
			for _, moment := range []string{"2030-01-31T1:00:00Z", "2030-01-31T12:00:00,5Z", "9999-12-31T23:59:59-01:00", "0000-01-01T00:00:00+01:00"} {
				owner.Do(`query($at: DateTime) { account(id: "acc_x") { auditLog(filter: {from: $at}) { totalCount } } }`, map[string]any{"at": moment}).Refused("GRAPHQL_VALIDATION_FAILED")
				owner.Do(`{ account(id: "acc_x") { auditLog(filter: {from: "`+moment+`"}) { totalCount } } }`, nil).Refused("GRAPHQL_VALIDATION_FAILED")
			}
		})
		t.Run("FE-7 a single value stands for a list of one, also inside of an input", func(t *testing.T) {
			for _, filter := range []map[string]any{{"status": "ACTIVE"}, {"status": []string{"ACTIVE"}}} {
				a := owner.Do(`query($f: PersonFilter) { team { people(filter: $f) { totalCount } } }`, map[string]any{"f": filter}).OK()
				equal(t, "people", a.Text("team.people.totalCount"), "1")
			}
			grant := map[string]any{"chosen": map[string]any{"roleIds": owner.Role("viewer")}}
			owner.Mutate("inviteUser", "", "teamId", owner.TeamID, "email", "single@x.org", "sendEmail", false, "grant", grant).OK()
		})
		equal(t, "invitations", len(owner.Invitations()), 1)
	})
}

func TestWhatIsNotServedIsNotInTheSchema(t *testing.T) {
	t.Parallel()
	w := surface(t)
	t.Run("FE-4 @defer is unknown", func(t *testing.T) {
		t.Parallel()
		for _, document := range []string{
			`{ serverInfo { ... @defer { version } } }`,
			`{ serverInfo { ...f @defer(label: \"x\") } } fragment f on ServerInfo { version }`,
			`query($v: Boolean!) { serverInfo { ...f @defer(if: $v) } } fragment f on ServerInfo { version }`,
			`{ serverInfo { version @stream } }`,
		} {
			got := post(t, w, `{"query":"`+document+`"}`)
			if !strings.Contains(got.body, "GRAPHQL_VALIDATION_FAILED") || !strings.Contains(got.body, "Unknown directive") {
				t.Errorf("%s: got %s", document, got.body)
			}
		}
	})
	t.Run("FE-4 it is neither introspected nor printed", func(t *testing.T) {
		t.Parallel()
		if text := fetch(t, http.MethodGet, w.URL+"/schema.graphql").body; strings.Contains(text, "defer") {
			t.Error("the printed schema has @defer")
		}
		open := testkit.New(t, t.TempDir()+"/convoke.db", func(c *server.Config) { c.Introspection = true })
		a := open.Anonymous().Do(`{ __schema { directives { name } } }`, nil).OK()
		equalList(t, "directives", a.List("__schema.directives", "name"), "deprecated", "include", "oneOf", "skip", "specifiedBy")
	})
}
