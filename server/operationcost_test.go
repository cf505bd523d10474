package server_test

import (
	"strings"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/limit"
	"github.com/convoke-dev/convoke/internal/testdb"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/server"
)

func TestAnOperationReportsItsCost(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		t.Helper()
		w := testkit.New(t, address, func(c *server.Config) {
			c.RateLimits = server.RateLimits{Inviter: limit.Rule{N: 10, Per: time.Hour}, Client: limit.Rule{N: 100, Per: time.Minute}}
		})
		owner := w.SignUp("olivia@acme.test")
		auth := []string{"Authorization", "Bearer " + owner.Session}
		const people = `{"query":"query($n: Int) { viewer { activeTeam { members(first: $n) { nodes { id user { email } } } } } }","variables":{"n":20}}`
		const limits = `"limit":{"depth":15,"fields":500,"values":10000}`
		t.Run("FE-16 a query that asks by a header is told its cost and what is left", func(t *testing.T) {
			got := post(t, w, people, append(auth, "X-Convoke-Cost", "1")...).body
			// A page of 20 has 20 times nodes, id, user and email, and each level above counts once.
			const want = `"extensions":{"cost":{"requested":{"depth":6,"fields":7,"values":83},` + limits +
				`,"rateLimits":[{"name":"client","limit":100,"remaining":99,"perSeconds":60},{"name":"inviter","limit":10,"remaining":10,"perSeconds":3600}]}}}`
			if !strings.HasSuffix(strings.TrimSpace(got), want) {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
		t.Run("FE-16 what a mutation used is gone from what is left", func(t *testing.T) {
			got := post(t, w, `{"extensions":{"cost":true},"query":"mutation { inviteUser(input: {teamId: \"`+owner.TeamID+
				`\", email: \"ann@x.org\", grant: {allPermissions: true}}) { userErrors { code } } }"}`, auth...).body
			if !strings.Contains(got, `{"name":"inviter","limit":10,"remaining":9,"perSeconds":3600}`) {
				t.Errorf("got %s, want 9 invitations left", got)
			}
		})
		t.Run("FE-16 nobody else is told", func(t *testing.T) {
			for _, header := range [][]string{nil, {"X-Convoke-Cost", "0"}} {
				if got := post(t, w, people, append(auth, header...)...).body; strings.Contains(got, "extensions") {
					t.Errorf("with %v: got %s", header, got)
				}
			}
		})
		t.Run("FE-16 an operation that is too large says by how much", func(t *testing.T) {
			got := post(t, w, `{"query":"{ viewer { activeTeam { account { teams(first: 100) { nodes { members(first: 100) { nodes { id } } } } } } } }"}`, auth...).body
			if !strings.Contains(got, "20204 values, at most 10000") {
				t.Errorf("got %s", got)
			}
		})
	})
}
