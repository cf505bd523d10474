package server_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/convoke-dev/convoke/internal/testkit"
)

// creations are the mutations that create an object of an account, each with its input
// beside the account and the key, the same input with another name, and what deletes the object.
var creations = []struct {
	mutation, field string
	input, other    []any
	deletion, id    string
}{
	{"createTeam", "team", []any{"name", "Labs"}, []any{"name", "Shop"}, "deleteTeam", "teamId"},
	{
		"createRole", "role",
		[]any{"key", "buyer", "name", "Buyer", "permissions", []string{"members.read"}},
		[]any{"key", "buyer", "name", "Buyers", "permissions", []string{"members.read"}},
		"deleteRole", "roleId",
	},
	{"createGroup", "group", []any{"name", "Night", "roleIds", []string{}}, []any{"name", "Day", "roleIds", []string{}}, "deleteGroup", "groupId"},
	{"createDivision", "division", []any{"name", "North"}, []any{"name", "South"}, "deleteDivision", "divisionId"},
}

func TestACreationWithAKeyIsDoneOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		for _, c := range creations {
			t.Run("HARD-23 "+c.mutation+" again with the same key gives the same "+c.field, func(t *testing.T) {
				owner := w.SignUp(strings.ToLower(c.mutation) + "@acme.test")
				account := owner.AccountID()
				create := func(input []any, key string) *testkit.Answer {
					t.Helper()
					return owner.Mutate(c.mutation, c.field+" { id name }", append([]any{"accountId", account, "idempotencyKey", key}, input...)...)
				}
				at := c.mutation + "." + c.field + ".id"

				ids := make([]string, 8)
				var all sync.WaitGroup
				for n := range ids {
					all.Go(func() { ids[n] = create(c.input, "once").Text(at) })
				}
				all.Wait()
				slices.Sort(ids)
				if got := slices.Compact(ids); len(got) != 1 || got[0] == "" {
					t.Fatalf("8 calls at once with one key gave the ids %q, want one", got)
				}
				equal(t, "again", create(c.input, "once").OK().Text(at), ids[0])
				create(c.other, "once").Refused("IDEMPOTENCY_KEY_REUSED idempotencyKey")
				create(c.input, "").Refused("BLANK idempotencyKey")
				create(c.input, strings.Repeat("k", 256)).Refused("TOO_LONG idempotencyKey")

				if err := w.Server.Roster.Suspend(t.Context(), account); err != nil {
					t.Fatal(err)
				}
				equal(t, "in a suspended account", create(c.input, "once").OK().Text(at), ids[0])
				create(c.other, "new").Refused("ACCOUNT_SUSPENDED")
				if err := w.Server.Roster.Resume(t.Context(), account); err != nil {
					t.Fatal(err)
				}
				owner.Mutate(c.deletion, "userErrors { code }", c.id, ids[0]).OK()
				create(c.input, "once").Refused("NOT_FOUND")
				if again := create(c.other, "new").OK().Text(at); again == ids[0] || again == "" {
					t.Errorf("another key gave the id %q, want a new one", again)
				}
			})
		}
	})
}
