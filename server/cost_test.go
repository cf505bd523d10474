package server_test

import (
	"math"
	"sync/atomic"
	"testing"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/team"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/address"
	"github.com/convoke-dev/convoke/internal/auth"
	"github.com/convoke-dev/convoke/internal/roster"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/testdb"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/server"
)

const peoplePage = `query($id: ID!) { team(id: $id) {
	members(first: 50) { nodes { isOwner user { email firstName } roles { key } effectivePermissions lastSeenAt } pageInfo { hasNextPage endCursor } } } }`

const invitationsPage = `query($id: ID!) { team(id: $id) {
	invitations(first: 50) { nodes { email status roles { key } inviter { ... on User { email } } acceptedBy { email } member { id } delivery { status } viewerCanResend } pageInfo { hasNextPage } } } }`

// counted starts a world whose statements are counted.
func counted(t testing.TB, address string) (*testkit.World, *atomic.Int64) {
	t.Helper()
	var statements atomic.Int64
	w := testkit.New(t, address, func(c *server.Config) {
		c.StoreOptions = []store.Option{store.ObserveStatements(func(string) { statements.Add(1) })}
		c.Sender = nil // no worker, whose statements would be counted too
	})
	return w, &statements
}

// fill admits n people to the team, past GraphQL.
func fill(t testing.TB, w *testkit.World, teamID, prefix string, n int) {
	t.Helper()
	ctx := access.System(t.Context(), "fill a team")
	at, err := w.Server.Store.Read().Team.Query().Where(team.ID(teamID)).WithAccount(func(q *ent.AccountQuery) { q.WithRoles() }).Only(ctx)
	if err != nil {
		t.Fatal(err)
	}
	acc := at.Edges.Account
	err = w.Server.Store.InAccount(ctx, acc.ID, func(tx *store.Tx) error {
		for i := range n {
			email := prefix + itoa(i) + "@example.org"
			u, err := w.Server.Auth.CreateUser(ctx, tx, auth.NewUser{Address: address.Address{Typed: email, Key: email}})
			if err != nil {
				return err
			}
			_, err = w.Server.Roster.Admit(ctx, tx, acc, roster.Admission{
				AccountID: acc.ID, TeamID: teamID, UserID: u.ID, Grant: access.Grant{Roles: acc.Edges.Roles[i%3 : i%3+2]},
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAPageCostsTheSameInATeamOfAnySize(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		t.Helper()
		w, statements := counted(t, address)
		signUp(w, "olivia@acme.test", testkit.Password).OK()
		owner := w.SignIn("olivia@acme.test")
		role := owner.Role("billing")
		// The least of three: the sweep may come in between.
		cost := func(query string) int64 {
			least := int64(math.MaxInt64)
			for range 3 {
				before := statements.Load()
				owner.Do(query, map[string]any{"id": owner.TeamID}).OK()
				least = min(least, statements.Load()-before)
			}
			return least
		}
		invite := func(email string) {
			a := owner.Do(testkit.InviteMutation, testkit.Input("teamId", owner.TeamID, "email", email, "roleIds", []string{role})).OK()
			if email[0] == 'a' {
				w.Anonymous().Accept(tokenOf(t, a.Text("inviteUser.inviteUrl")), "password", testkit.Password).OK()
			}
		}
		for _, email := range []string{"a@example.org", "b@example.org"} {
			invite(email)
		}
		fewPeople, fewInvitations := cost(peoplePage), cost(invitationsPage)
		fill(t, w, owner.TeamID, "p", 120)
		for i := range 30 {
			invite("a" + itoa(i) + "@example.org")
			invite("b" + itoa(i) + "@example.org")
		}
		equal(t, "statements for a page of members", cost(peoplePage), fewPeople)
		equal(t, "statements for a page of invitations", cost(invitationsPage), fewInvitations)
		if fewPeople > 12 || fewInvitations > 14 {
			t.Errorf("a page of members costs %d statements, of invitations %d: more than it should", fewPeople, fewInvitations)
		}
	})
}

// BenchmarkPageOfMembers compares a page of 50 in teams of 50 and of 5,000.
func BenchmarkPageOfMembers(b *testing.B) {
	for _, size := range []int{50, 5000} {
		b.Run("of "+itoa(size), func(b *testing.B) {
			w, statements := counted(b, b.TempDir()+"/convoke.db")
			signUp(w, "olivia@acme.test", testkit.Password).OK()
			owner := w.SignIn("olivia@acme.test")
			fill(b, w, owner.TeamID, "p", size)
			before := statements.Load()
			for b.Loop() {
				owner.Do(peoplePage, map[string]any{"id": owner.TeamID}).OK()
			}
			b.ReportMetric(float64(statements.Load()-before)/float64(b.N), "statements/op")
		})
	}
}

// BenchmarkInvite is one invitation after another, mail written to the outbox.
func BenchmarkInvite(b *testing.B) {
	w := testkit.New(b, b.TempDir()+"/convoke.db")
	owner := w.SignUp("olivia@acme.test")
	role := owner.Role("billing")
	n := 0
	for b.Loop() {
		n++
		a := owner.Do(testkit.InviteMutation, testkit.Input("teamId", owner.TeamID, "email", "p"+itoa(n)+"@example.org", "roleIds", []string{role}))
		if outcome(a) == "PENDING_LIMIT_REACHED" {
			b.StopTimer()
			owner = w.SignUp("o" + itoa(n) + "@acme.test")
			role = owner.Role("billing")
			b.StartTimer()
			continue
		}
		a.OK()
	}
}
