package roster

import (
	"context"
	"errors"
	"testing"

	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/store"
)

// free is restricted to nothing; inB to the division b of the tree a - b - c
// beside d; atX to the domain x.example; both to b and x.example.
func withRestricted(t *testing.T, w world) {
	t.Helper()
	w.make(t, func(tx *store.Tx) (rows []creation) {
		for _, d := range [][2]string{{"a", ""}, {"b", "a"}, {"c", "b"}, {"d", ""}} {
			create := tx.Division.Create().SetID(d[0]).SetCreatedAt(noon).SetUpdatedAt(noon).SetAccountID("acc").SetName(d[0])
			if d[1] != "" {
				create.SetParentID(d[1])
			}
			rows = append(rows, create)
		}
		for _, id := range []string{"free", "inB", "atX", "both"} {
			m := aMember(tx, id, "team")
			if id == "inB" || id == "both" {
				m.AddDivisionIDs("b")
			}
			if id == "atX" || id == "both" {
				m.SetAllowedDomains([]string{"x.example"})
			}
			rows = append(rows, aUser(tx, id), m)
		}
		return rows
	})
}

func TestCheckReach(t *testing.T) {
	t.Parallel()
	const division, domain = "NOT_GRANTABLE divisionIds", "DOMAIN_NOT_ALLOWED allowedDomains"
	eachWorld(t, func(t *testing.T, w world) {
		withRestricted(t, w)
		for _, c := range []struct {
			divisions, domains string // names of one letter each; empty = every one
			inB, atX, both     string
		}{
			{"", "", division, domain, division + ", " + domain},
			{"b", "", "", domain, domain},
			{"c", "", "", domain, domain},
			{"bc", "", "", domain, domain},
			{"a", "", division, domain, division + ", " + domain},
			{"d", "", division, domain, division + ", " + domain},
			{"bd", "", division, domain, division + ", " + domain},
			{"", "x", division, "", division},
			{"", "s", division, "", division},
			{"", "y", division, domain, division + ", " + domain},
			{"", "xy", division, domain, division + ", " + domain},
			{"c", "x", "", "", ""},
			{"c", "y", "", domain, domain},
			{"d", "x", division, "", division},
		} {
			var sc Scope
			for _, id := range c.divisions {
				sc.DivisionIDs = append(sc.DivisionIDs, string(id))
			}
			for _, d := range c.domains {
				sc.Domains = append(sc.Domains, map[rune]string{'x': "x.example", 's': "s.x.example", 'y': "y.example"}[d])
			}
			for who, want := range map[string]string{"free": "", "inB": c.inB, "atX": c.atX, "both": c.both} {
				if got := refusals(t, CheckReach(w.membership(t, "team", who), sc)); got != want {
					t.Errorf("%s restricts to divisions %q and domains %q: got %q, want %q", who, c.divisions, c.domains, got, want)
				}
			}
		}
	})
}

func TestWhoIsRestrictedChangesNothingThatReachesFurther(t *testing.T) {
	t.Parallel()
	eachWorld(t, func(t *testing.T, w world) {
		withRestricted(t, w)
		for who, want := range map[string]string{
			"free": "", "inB": "NOT_GRANTABLE roleIds", "atX": "NOT_GRANTABLE roleIds", "both": "NOT_GRANTABLE roleIds",
		} {
			if got := refusals(t, checkUnrestricted(w.membership(t, "team", who), roleIDs)); got != want {
				t.Errorf("%s: got %q, want %q", who, got, want)
			}
		}
		for _, c := range []struct {
			division, inB string
		}{
			{"", "NOT_GRANTABLE parentId"}, {"a", "NOT_GRANTABLE parentId"}, {"b", ""}, {"c", ""}, {"d", "NOT_GRANTABLE parentId"},
		} {
			for who, want := range map[string]string{"free": "", "atX": "", "inB": c.inB, "both": c.inB} {
				a := &act.Act{Actor: w.membership(t, "team", who)}
				if got := refusals(t, checkReaches(a, c.division, "parentId")); got != want {
					t.Errorf("%s at division %q: got %q, want %q", who, c.division, got, want)
				}
			}
		}
	})
}

// The actor changes roles by what they hold in the default team. The role "r" is
// theirs in the team "second".
func TestWithoutGain(t *testing.T) {
	t.Parallel()
	const a, b = access.MembersInvite, access.MembersRemove
	errStop := errors.New("stop")
	eachWorld(t, func(t *testing.T, w world) {
		w.make(t, func(tx *store.Tx) []creation {
			return []creation{
				tx.Role.Create().SetID("r").SetCreatedAt(noon).SetUpdatedAt(noon).SetAccountID("acc").SetKey("r").SetName("R").SetPermissions([]string{a}),
				aUser(tx, "actor"),
				aUser(tx, "other"),
				aMember(tx, "actor", "team").SetPermissions([]string{a, b, access.RolesManage}),
				aMember(tx, "actor", "second").AddRoleIDs("r"),
				aMember(tx, "other", "second"),
			}
		})
		for _, c := range []struct {
			change string
			make   func(ctx context.Context, tx *store.Tx) error
			want   string
		}{
			{"nothing", func(context.Context, *store.Tx) error { return nil }, ""},
			{"more in the default team, held there", func(ctx context.Context, tx *store.Tx) error {
				return tx.Member.UpdateOneID("actor@team").AddRoleIDs("r").AddVersion(1).Exec(ctx)
			}, ""},
			{"more for somebody else", func(ctx context.Context, tx *store.Tx) error {
				return tx.Member.UpdateOneID("other@second").SetPermissions([]string{a, b}).Exec(ctx)
			}, ""},
			{"less in the other team", func(ctx context.Context, tx *store.Tx) error {
				return tx.Role.UpdateOneID("r").SetPermissions([]string{}).Exec(ctx)
			}, ""},
			{"more in the other team, by the role", func(ctx context.Context, tx *store.Tx) error {
				return tx.Role.UpdateOneID("r").SetPermissions([]string{a, b}).Exec(ctx)
			}, "NOT_GRANTABLE permissions"},
			{"another permission in the other team, by the role", func(ctx context.Context, tx *store.Tx) error {
				return tx.Role.UpdateOneID("r").SetPermissions([]string{b}).Exec(ctx)
			}, "NOT_GRANTABLE permissions"},
			{"more in the other team, where the actor is deactivated", func(ctx context.Context, tx *store.Tx) error {
				if err := tx.Member.UpdateOneID("actor@second").SetStatus(member.StatusDeactivated).Exec(ctx); err != nil {
					return err
				}
				return tx.Role.UpdateOneID("r").SetPermissions([]string{a, b}).Exec(ctx)
			}, "NOT_GRANTABLE permissions"},
			{"a membership in a third team", func(ctx context.Context, tx *store.Tx) error {
				err := tx.Team.Create().SetID("third").SetCreatedAt(noon).SetUpdatedAt(noon).SetAccountID("acc").SetName("3").Exec(ctx)
				if err != nil {
					return err
				}
				return aMember(tx, "actor", "third").Exec(ctx)
			}, "NOT_GRANTABLE permissions"},
			{"more in the default team than held there", func(ctx context.Context, tx *store.Tx) error {
				return tx.Member.UpdateOneID("actor@team").SetAllPermissions(true).Exec(ctx)
			}, "NOT_GRANTABLE permissions"},
		} {
			var got error
			err := w.Store.InTx(system(t), func(tx *store.Tx) error {
				acc, err := tx.Account.Get(system(t), "acc")
				if err != nil {
					return err
				}
				x := &act.Act{Tx: tx, Account: acc, Actor: &access.Membership{UserID: "actor"}, UserID: "actor"}
				got = w.withoutGain(system(t), x, "permissions", func() error { return c.make(system(t), tx) })
				return errStop // the next one finds the rows as they were
			})
			if !errors.Is(err, errStop) {
				t.Fatalf("%s: %v", c.change, err)
			}
			if got := refusals(t, got); got != c.want {
				t.Errorf("%s: got %q, want %q", c.change, got, c.want)
			}
		}
		w.change(t, func(ctx context.Context, tx *store.Tx) error {
			acc, err := tx.Account.Get(ctx, "acc")
			if err != nil {
				return err
			}
			x := &act.Act{Tx: tx, Account: acc, UserID: "actor"}
			if err := w.withoutGain(ctx, x, "permissions", func() error { return errStop }); !errors.Is(err, errStop) {
				t.Errorf("a change that fails: got %v, want its error", err)
			}
			return nil
		})
	})
}
