package server_test

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/server"
)

// get sends an operation in the URL; its parameters and headers come in pairs.
func get(t *testing.T, w *testkit.World, parameters []string, header ...string) page {
	t.Helper()
	values := url.Values{}
	for i := 0; i < len(parameters); i += 2 {
		values.Set(parameters[i], parameters[i+1])
	}
	return send(t, http.MethodGet, w.URL+"/graphql?"+values.Encode(), "", header...)
}

func TestQueriesByGet(t *testing.T) {
	t.Parallel()
	var log testkit.Buffer
	w := testkit.New(t, t.TempDir()+"/convoke.db", func(c *server.Config) {
		c.CORSOrigins, c.Log = []string{portal}, slog.New(slog.NewJSONHandler(&log, nil))
	})
	owner := w.SignUp("olivia@acme.test")
	const node = `query Other { __typename } query One($id: ID!) { node(id: $id) { ... on Team { name } } }`
	ask := []string{"query", node, "operationName", "One", "variables", `{"id":"` + owner.TeamID + `"}`, "extensions", `{}`}
	cookie := "convoke_session=" + owner.Session

	t.Run("FE-2 a query is answered, and not stored", func(t *testing.T) {
		t.Parallel()
		got := get(t, w, ask, "Authorization", "Bearer "+owner.Session)
		equal(t, "status", got.status, http.StatusOK)
		equal(t, "cache", got.header.Get("Cache-Control"), "private, no-store")
		if !strings.Contains(got.body, `{"data":{"node":{"name":`) {
			t.Errorf("got %s, want the team", got.body)
		}
		if strings.Contains(log.String(), owner.TeamID) || strings.Contains(log.String(), "node(id") {
			t.Errorf("the log has the query:\n%s", log.String())
		}
	})
	t.Run("FE-2 a refusal is not stored either", func(t *testing.T) {
		t.Parallel()
		got := get(t, w, ask, "Authorization", "Bearer nonsense")
		equal(t, "status", got.status, http.StatusUnauthorized)
		equal(t, "cache", got.header.Get("Cache-Control"), "private, no-store")
	})
	for name, c := range map[string]struct {
		header []string
		status int
	}{
		"a program without a cookie":       {nil, 200},
		"a link, an image or a script":     {[]string{"Cookie", cookie, "Sec-Fetch-Site", "cross-site"}, 400},
		"the same, to a visitor":           {[]string{"Sec-Fetch-Site", "cross-site"}, 400},
		"another port, without an origin":  {[]string{"Cookie", cookie, "Sec-Fetch-Site", "same-site"}, 400},
		"a typed address":                  {[]string{"Cookie", cookie, "Sec-Fetch-Site", "none"}, 400},
		"a browser that does not say":      {[]string{"Cookie", cookie}, 400},
		"a page of a foreign origin":       {[]string{"Cookie", cookie, "Origin", evil, "GraphQL-Require-Preflight", "1"}, 403},
		"a form":                           {[]string{"Cookie", cookie, "Content-Type", "application/x-www-form-urlencoded"}, 400},
		"text":                             {[]string{"Cookie", cookie, "Content-Type", "text/plain; charset=utf-8"}, 400},
		"our own page":                     {[]string{"Cookie", cookie, "Sec-Fetch-Site", "same-origin"}, 200},
		"a page of the portal":             {[]string{"Cookie", cookie, "Origin", portal, "Sec-Fetch-Site", "cross-site"}, 200},
		"a header that needs a preflight":  {[]string{"Cookie", cookie, "GraphQL-Require-Preflight", "1"}, 200},
		"Apollo's header":                  {[]string{"Cookie", cookie, "Apollo-Require-Preflight", "true"}, 200},
		"Apollo's other header":            {[]string{"Cookie", cookie, "X-Apollo-Operation-Name", "One"}, 200},
		"a content type with a preflight":  {[]string{"Cookie", cookie, "Content-Type", "application/json"}, 200},
		"a token, which no page can guess": {[]string{"Authorization", "Bearer " + owner.Session, "Sec-Fetch-Site", "cross-site"}, 200},
	} {
		t.Run("FE-2 "+name, func(t *testing.T) {
			t.Parallel()
			got := get(t, w, ask, c.header...)
			equal(t, "status", got.status, c.status)
			if c.status == http.StatusBadRequest && !strings.Contains(got.body, "Add the header GraphQL-Require-Preflight: 1") {
				t.Errorf("got %s, want the way out", got.body)
			}
		})
	}
	for name, query := range map[string]string{"mutation": `mutation { signOut { userErrors { code } } }`, "subscription": watch} {
		t.Run("FE-2 no "+name, func(t *testing.T) {
			t.Parallel()
			got := get(t, w, []string{"query", query, "variables", `{"team":"` + owner.TeamID + `"}`}, "Authorization", "Bearer "+owner.Session, "Accept", "application/json, text/event-stream")
			equal(t, "status", got.status, http.StatusMethodNotAllowed)
			equal(t, "allowed", got.header.Get("Allow"), http.MethodPost)
			if !strings.Contains(got.body, `"code":"BAD_USER_INPUT"`) || strings.Contains(got.body, `"data"`) {
				t.Errorf("got %s, want a refusal", got.body)
			}
			owner.Do(whoAmI, nil).OK() // the session goes on
		})
	}
	for name, c := range map[string]struct {
		url    string
		status int
	}{
		"no query":                   {"", 400},
		"variables that are no JSON": {"?query={__typename}&variables=hunter2", 400},
		"variables of no shape":      {"?query={__typename}&variables=[1]", 400},
		"text behind the variables":  {"?query={__typename}&variables={}hunter2", 400}, // HARD-13
		"text behind the extensions": {"?query={__typename}&extensions={}{}", 400},
		"a broken escape":            {"?query=%zz", 400},
	} {
		t.Run("FE-2 "+name, func(t *testing.T) {
			t.Parallel()
			got := fetch(t, http.MethodGet, w.URL+"/graphql"+c.url)
			equal(t, "status", got.status, c.status)
			if strings.Contains(got.body, "hunter2") {
				t.Errorf("the response repeats the request: %s", got.body)
			}
		})
	}
	t.Run("FE-2 another method is told which there are", func(t *testing.T) {
		t.Parallel()
		got := fetch(t, http.MethodPatch, w.URL+"/graphql")
		equal(t, "status", got.status, http.StatusMethodNotAllowed)
		equal(t, "allowed", got.header.Get("Allow"), "GET, POST, PUT, DELETE")
	})
}
