package server_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/testdb"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/internal/uid"
)

// tooLarge fails unless the response is the one error that refuses it as a whole.
func tooLarge(t *testing.T, a *testkit.Answer, says string) {
	t.Helper()
	if a.Code() != "QUERY_TOO_COMPLEX" || len(a.Errors) != 1 || a.Data != nil || !strings.Contains(a.Errors[0].Message, says) {
		t.Errorf("got %d errors and %d bytes: %.300s\nwant QUERY_TOO_COMPLEX with %q and nothing else", len(a.Errors), len(a.Raw), a.Raw, says)
	}
}

func TestListsCostWhatTheyHold(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		top := newDivision(owner, "Top", "")
		var below []string
		for n := range 60 {
			below = append(below, newDivision(owner, fmt.Sprintf("Division %d", n), top))
		}
		ask := func(selection string) *testkit.Answer {
			return owner.Do(`query($id: ID!) { node(id: $id) { ... on Division { `+selection+` } } }`, map[string]any{"id": top})
		}
		t.Run("HARD-4 a list without pages is charged by its elements before they are resolved", func(t *testing.T) {
			equal(t, "children", len(ask(`children { id }`).OK().List("node.children", "id")), 60)
			ask(`children { parent { children { id } } }`).OK() // 60 times 60
			tooLarge(t, ask(`children { parent { children { parent { children { id } } } } }`), "too large")
			tooLarge(t, ask(`children { parent { children { id name parent { id name } } } }`), "too large")
		})
		t.Run("HARD-4 an element costs something, whatever is asked of it", func(t *testing.T) {
			bare := `children { parent { children { parent { children { __typename } } } } }`
			tooLarge(t, ask(bare), "too large")
			var names strings.Builder
			for n := range 200 {
				fmt.Fprintf(&names, "t%d: __typename ", n)
			}
			ask(`children { __typename __typename }`).OK()
			tooLarge(t, ask(`children { `+names.String()+`}`), "too large")
		})
		t.Run("HARD-4 extensions.cost has what was charged", func(t *testing.T) {
			got := post(t, w, fmt.Sprintf(`{"extensions":{"cost":true},"query":"{ node(id: \"%s\") { ... on Division { children { id name } } } }"}`, top),
				"Authorization", "Bearer "+owner.Session).body
			if !strings.Contains(got, `"values":122}`) { // node, children, and two fields of each
				t.Errorf("got %s", got[max(0, len(got)-300):])
			}
		})
		t.Run("HARD-4 nodes costs a page for each id", func(t *testing.T) {
			ids := make([]string, 100)
			for n := range ids {
				ids[n] = owner.TeamID
			}
			ask := func(ids []string, selection string) *testkit.Answer {
				return owner.Do(`query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Team { `+selection+` } } }`, map[string]any{"ids": ids})
			}
			var pages strings.Builder
			for n := range 40 {
				fmt.Fprintf(&pages, "m%d: members(first: 100) { nodes { id } } ", n)
			}
			if a := ask(ids, pages.String()); a.Code() != "QUERY_TOO_COMPLEX" {
				t.Errorf("got %.200s", a.Raw)
			}
			equal(t, "the same id, again and again", len(ask(ids, `name`).OK().List("nodes", "id")), 100)
			equal(t, "in their order", strings.Join(ask([]string{below[1], owner.TeamID, below[0], below[1]}, `name`).OK().List("nodes", "id"), " "),
				strings.Join([]string{below[1], owner.TeamID, below[0], below[1]}, " "))
		})
		t.Run("HARD-4 a mutation whose response is too large says that the change was made", func(t *testing.T) {
			a := owner.Do(`mutation($input: UpdateDivisionInput!) { updateDivision(input: $input) { division { name children { parent { children { parent { children { id } } } } } } } }`,
				map[string]any{"input": map[string]any{"divisionId": top, "name": "Renamed"}})
			tooLarge(t, a, "The change was made")
			equal(t, "name", owner.Do(`query($id: ID!) { node(id: $id) { ... on Division { name } } }`, map[string]any{"id": top}).OK().Text("node.name"), "Renamed")
		})
		t.Run("HARD-4 an event of a subscription is charged alike", func(t *testing.T) {
			s := owner.Subscribe(`subscription($id: ID!, $after: EventCursor) { teamChanged(teamId: $id, after: $after) { node { ... on Division { children { parent { children { parent { children { id } } } } } } } } }`,
				map[string]any{"id": owner.TeamID, "after": owner.Ask(`eventCursor`).OK().Text("team.eventCursor")})
			owner.Mutate("updateDivision", "division { id }", "divisionId", top, "name", "Again").OK()
			tooLarge(t, s.Next(), "too large")
		})
	})
}

func TestAResponseHasAtMostTwoMegabytes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		for n := range 90 {
			owner.Mutate("createRole", "", "accountId", owner.AccountID(), "key", fmt.Sprintf("r%d", n), "name", "Role",
				"description", strings.Repeat("ж", 500), "permissions", []string{}).OK()
		}
		roles := func(aliases int) string {
			var b strings.Builder
			for n := range aliases {
				fmt.Fprintf(&b, "d%d: description ", n)
			}
			return `{ viewer { activeTeam { account { roles(first: 100) { nodes { ` + b.String() + ` } } } } } }`
		}
		t.Run("HARD-4 long texts are charged by their bytes", func(t *testing.T) {
			owner.Do(roles(20), nil).OK() // 90 times 20 times 1 kB
			tooLarge(t, owner.Do(roles(30), nil), "2 MiB")
		})
	})
}

func TestSearchesAreChargedForWhatTheyScan(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		fillInBulk(t, w, owner.TeamID, 20_000)
		searches := func(n int, list string) string {
			var b strings.Builder
			for i := range n {
				fmt.Fprintf(&b, "s%d: "+list+" ", i, i)
			}
			return b.String()
		}
		for name, list := range map[string]string{
			"people":  `people(first: 1, filter: {search: "nobody %d"}) { nodes { id } }`,
			"members": `members(first: 1, filter: {search: "nobody %d"}) { nodes { id } }`,
			"by role": `members(first: 1, filter: {roleId: "role_%d"}) { nodes { id } }`,
		} {
			t.Run("HARD-21 "+name, func(t *testing.T) {
				owner.Ask(searches(2, list)).OK()
				tooLarge(t, owner.Ask(searches(40, list)), "fewer searches") // each of 400 values
			})
		}
	})
}

func TestTheRowsThatAnOperationReadsAreBounded(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		t.Helper()
		w, owner, statements, _ := countedOwner(t, address)
		fillInBulk(t, w, owner.TeamID, 100)
		var users strings.Builder
		for n := range 45 {
			fmt.Fprintf(&users, "u%d: user(email: \"m%d@example.org\") { id } ", n, n)
		}
		below := func(members int) string { // a statement for each user
			return fmt.Sprintf(`members(first: %d) { nodes { team { account { %s } } } }`, members, users.String())
		}
		t.Run("HARD-4 a statement counts as rows, although it returns little", func(*testing.T) {
			owner.Ask(below(4)).OK()
			before := statements.Load()
			tooLarge(t, owner.Ask(below(100)), "reads too much")
			if sent := statements.Load() - before; sent > 425 {
				t.Errorf("%d statements were sent until the refusal, want at most 375 and those beside it", sent)
			}
		})
		t.Run("HARD-4 a mutation whose response reads too much says that the change was made", func(*testing.T) {
			selection := "viewer { activeTeam { " + below(100) + " } }"
			a := owner.Mutate("setActiveTeam", selection, "teamId", owner.TeamID)
			tooLarge(t, a, "The change was made")
		})
		t.Run("HARD-4 rows count that are read to compute a field", func(*testing.T) {
			ctx := access.System(t.Context(), "fill groups")
			err := w.Server.Store.InAccount(ctx, owner.AccountID(), func(tx *store.Tx) error {
				groups, now := make([]*ent.GroupCreate, 220), w.Clock.Now()
				ids := make([]string, len(groups))
				for n := range groups {
					ids[n] = uid.New(uid.Group)
					groups[n] = tx.Group.Create().SetID(ids[n]).SetCreatedAt(now).SetUpdatedAt(now).SetAccountID(owner.AccountID()).SetName("Group " + itoa(n))
				}
				if err := tx.Group.CreateBulk(groups...).Exec(ctx); err != nil {
					return err
				}
				members, err := tx.Member.Query().Where(member.TeamID(owner.TeamID)).IDs(ctx)
				for _, id := range members {
					err = errors.Join(err, tx.Member.UpdateOneID(id).AddGroupIDs(ids...).Exec(ctx))
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			owner.Ask(`members(first: 50) { nodes { effectivePermissions viewerCanReactivate } }`).OK()
			tooLarge(t, owner.Ask(`members(first: 100) { nodes { effectivePermissions } }`), "reads too much")
		})
		t.Run("HARD-4 the members of groups cost something to count", func(*testing.T) {
			pages := func(n int) string {
				var b strings.Builder
				for i := range n {
					fmt.Fprintf(&b, "g%d: groups(first: 100) { nodes { memberCount } } ", i)
				}
				return "account { " + b.String() + "}"
			}
			owner.Ask(pages(10)).OK()
			tooLarge(t, owner.Ask(pages(40)), "too large")
		})
	})
}

func TestTheRolesGroupsAndDivisionsOfAnAccountAreBounded(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		account := owner.AccountID()
		ctx := access.System(t.Context(), "fill an account")
		fill := func(kind string, n int, create func(tx *store.Tx, id string) error) {
			t.Helper()
			err := w.Server.Store.InAccount(ctx, account, func(tx *store.Tx) error {
				for i := range n {
					if err := create(tx, fmt.Sprintf("%s_%d", kind, i)); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		now := w.Clock.Now()
		roles := len(owner.Ask(`account { roles(first: 100) { nodes { id } } }`).OK().List("team.account.roles.nodes", "id"))
		fill("role", 199-roles, func(tx *store.Tx, id string) error {
			return tx.Role.Create().SetID(id).SetCreatedAt(now).SetUpdatedAt(now).SetAccountID(account).SetKey(id).SetName(id).SetPermissions([]string{}).Exec(ctx)
		})
		fill("grp", 499, func(tx *store.Tx, id string) error {
			return tx.Group.Create().SetID(id).SetCreatedAt(now).SetUpdatedAt(now).SetAccountID(account).SetName(id).Exec(ctx)
		})
		fill("div", 999, func(tx *store.Tx, id string) error {
			return tx.Division.Create().SetID(id).SetCreatedAt(now).SetUpdatedAt(now).SetAccountID(account).SetName(id).Exec(ctx)
		})
		for _, c := range creations[1:] {
			t.Run("HARD-21 "+c.mutation, func(*testing.T) {
				create := func(input []any) *testkit.Answer {
					return owner.Mutate(c.mutation, c.field+" { id }", append([]any{"accountId", account}, input...)...)
				}
				create(c.input).OK()
				other := c.other
				if c.field == "role" {
					other = append(slices.Clone(other), "key", "another")
				}
				create(other).Refused(strings.ToUpper(c.field) + "_LIMIT_REACHED")
			})
		}
	})
}
