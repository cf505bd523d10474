package server_test

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/server"
)

// httpClient starts a client that sends operations over HTTP.
func httpClient(t *testing.T, kind string, w *testkit.World, token string) *program {
	t.Helper()
	return run(t, "node", filepath.Join("testdata", "clients", "http.mjs"), kind, w.URL+"/graphql", token)
}

func TestTheClientsOverHTTP(t *testing.T) {
	t.Parallel()
	needClients(t)
	w := testkit.New(t, t.TempDir()+"/convoke.db")
	owner := w.SignUp("olivia@acme.test")
	from := eventCursor(owner)
	owner.Invite("ann@x.org", "billing", "sendEmail", false).OK()
	for kind, method := range map[string]string{"urql": "GET", "apollo": "POST"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			p := httpClient(t, kind, w, owner.Session)
			t.Run("FE-1 FE-2 a query", func(t *testing.T) {
				p.say(operationText(t, whoAmI, nil))
				p.hear(`"sent":"`+method+`"`, `"status":200`, asResponse)
				p.hear(`"email":"olivia@acme.test"`)
			})
			t.Run("FE-1 a mutation", func(t *testing.T) {
				p.say(operationText(t, `mutation($id: ID!) { updateTeam(input: {teamId: $id, name: ""}) { userErrors { code } } }`, map[string]any{"id": owner.TeamID}))
				p.hear(`"sent":"POST"`, `"status":200`, asResponse)
				p.hear(`"code":"BLANK"`)
			})
			t.Run("FE-5 a query that is not valid", func(t *testing.T) {
				p.say(operationText(t, `{ veiwer { id } }`, nil))
				p.hear(`"status":400`, asResponse)
				p.hear(`"codes":["GRAPHQL_VALIDATION_FAILED"]`)
			})
			t.Run("FE-5 a session that has ended", func(t *testing.T) {
				p := httpClient(t, kind, w, "nonsense")
				p.say(operationText(t, whoAmI, nil))
				p.hear(`"status":401`, asResponse)
				p.hear(`"codes":["UNAUTHENTICATED"]`)
			})
		})
	}
	for kind, method := range map[string]string{"urql-persisted": "GET", "apollo-persisted": "POST"} {
		t.Run("FE-3 "+kind+" sends a document once, and then its hash", func(t *testing.T) {
			t.Parallel()
			w := testkit.New(t, t.TempDir()+"/convoke.db")
			p := httpClient(t, kind, w, "")
			p.say(operationText(t, askVersion, nil))
			p.hear(`"sent":"`+method+`"`, `"text":false,"hash":true,"status":400`, asResponse)
			p.hear(`"sent":"`+method+`"`, `"text":true,"hash":true,"status":200`)
			p.hear(`"version":"test"`)
			again := httpClient(t, kind, w, "")
			again.say(operationText(t, askVersion, nil))
			again.hear(`"text":false,"hash":true,"status":200`)
			again.hear(`"version":"test"`)
		})
	}
	t.Run("FE-1 a subscription of urql", func(t *testing.T) {
		t.Parallel()
		p := httpClient(t, "urql", w, owner.Session)
		p.say(operationText(t, watch, map[string]any{"team": owner.TeamID, "after": from}))
		p.hear(`"sent":"POST"`, `"status":200`, asEvents)
		p.hear(`"email":"ann@x.org"`)
	})
}

// graphql-http has 61 audits: 13 MUST, 23 SHOULD and 25 MAY.
func TestTheAuditsOfGraphQLHTTP(t *testing.T) {
	t.Parallel()
	needClients(t)
	w := testkit.New(t, t.TempDir()+"/convoke.db", func(c *server.Config) { c.Introspection = true })
	p := run(t, "node", filepath.Join("testdata", "clients", "audit.mjs"), w.URL+"/graphql")
	audits := 0
	for line := range p.lines {
		var result struct{ Audit, Name, Status, Reason string }
		if err := json.Unmarshal([]byte(line), &result); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		audits++
		t.Run("FE-2 "+result.Audit+" "+result.Name, func(t *testing.T) {
			t.Parallel()
			if result.Status != "ok" {
				t.Errorf("%s: %s", result.Status, result.Reason)
			}
		})
	}
	equal(t, "audits", audits, 61)
}
