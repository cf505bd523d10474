package store_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/migrate"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/store"
)

// ways is every way to look at the database that the guard must narrow.
func ways() []read { return slices.Concat(tables(), gets, edges, projections) }

// clients runs f with the reading client, a snapshot, and the clients of
// transactions.
func clients(t *testing.T, w world, f func(t *testing.T, c *ent.Client)) {
	t.Helper()
	within := func(in func(func(*store.Tx) error) error) func(*testing.T) {
		return func(t *testing.T) {
			if err := in(func(tx *store.Tx) error { f(t, tx.Client()); return errUndo }); !errors.Is(err, errUndo) {
				t.Errorf("transaction: %v, want %v", err, errUndo)
			}
		}
	}
	t.Run("reader", func(t *testing.T) { f(t, w.Read()) })
	t.Run("snapshot", func(t *testing.T) {
		c, release, err := w.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer release()
		f(t, c)
	})
	t.Run("InTx", within(func(g func(*store.Tx) error) error { return w.InTx(t.Context(), g) }))
	t.Run("InAccount", within(func(g func(*store.Tx) error) error { return w.InAccount(t.Context(), "acc_A", g) }))
}

// mayLack reports whether the error says no more than that there is no row,
// or no value to scan out of none.
func mayLack(err error) bool {
	return err == nil || ent.IsNotFound(err) || strings.Contains(err.Error(), "converting NULL to string is unsupported")
}

func TestReadsSeeNothingOfAnotherAccount(t *testing.T) {
	t.Parallel()
	eachWorld(t, func(t *testing.T, w world) {
		ctx := w.as(t, "usr_A")
		clients(t, w, func(t *testing.T, c *ent.Client) {
			for _, r := range ways() {
				t.Run(r.way, func(t *testing.T) {
					seen, err := r.look(ctx, c)
					if !mayLack(err) {
						t.Fatalf("err = %v, want none", err)
					}
					if got := text(t, seen); strings.Contains(got, theirs) {
						t.Errorf("got %s, want nothing of %s", got, theirs)
					}
				})
			}
		})
	})
}

// The program itself sees all rows by these ways. Otherwise the test above would
// prove nothing.
func TestReadsOfTheSystemSeeTheOtherAccount(t *testing.T) {
	t.Parallel()
	eachWorld(t, func(t *testing.T, w world) {
		for _, r := range ways() {
			t.Run(r.way, func(t *testing.T) {
				seen, err := r.look(system(t), w.Read())
				if got := text(t, seen); err != nil || !strings.Contains(got, theirs) {
					t.Errorf("got %s, %v, want rows of %s", got, err, theirs)
				}
			})
		}
	})
}

func TestReadsWithoutViewerFail(t *testing.T) {
	t.Parallel()
	eachWorld(t, func(t *testing.T, w world) {
		clients(t, w, func(t *testing.T, c *ent.Client) {
			for _, r := range ways() {
				t.Run(r.way, func(t *testing.T) {
					if seen, err := r.look(t.Context(), c); !errors.Is(err, access.ErrNoViewer) {
						t.Errorf("got %s, %v, want %v", text(t, seen), err, access.ErrNoViewer)
					}
				})
			}
		})
	})
}

func TestAnonymousReadsSeeNothing(t *testing.T) {
	t.Parallel()
	eachWorld(t, func(t *testing.T, w world) {
		for _, r := range ways() {
			t.Run(r.way, func(t *testing.T) {
				seen, err := r.look(anyone(t), w.Read())
				if got := text(t, seen); !mayLack(err) || strings.Contains(got, theirs) || strings.Contains(got, mine) {
					t.Errorf("got %s, %v, want nothing", got, err)
				}
			})
		}
	})
}

// visibleRows returns the ids a viewer sees of each table.
func visibleRows(ctx context.Context, t *testing.T, c *ent.Client) map[string][]string {
	t.Helper()
	seen := map[string][]string{}
	for table, ids := range map[string]func(context.Context) ([]string, error){
		"accounts": c.Account.Query().IDs, "teams": c.Team.Query().IDs, "users": c.User.Query().IDs,
		"members": c.Member.Query().IDs, "roles": c.Role.Query().IDs, "invitations": c.Invitation.Query().IDs,
		"sessions": c.Session.Query().IDs, "sign_ups": c.SignUp.Query().IDs, "events": c.Event.Query().IDs, "jobs": c.Job.Query().IDs,
		"idempotency_keys": c.IdempotencyKey.Query().IDs, "password_resets": c.PasswordReset.Query().IDs, "cool_offs": c.CoolOff.Query().IDs,
		"api_keys":      c.APIKey.Query().IDs,
		"email_changes": c.EmailChange.Query().IDs,
		"groups":        c.Group.Query().IDs, "divisions": c.Division.Query().IDs, "ownership_transfers": c.OwnershipTransfer.Query().IDs,
	} {
		got, err := ids(ctx)
		if err != nil {
			t.Fatalf("%s: %v", table, err)
		}
		slices.Sort(got)
		seen[table] = got
	}
	return seen
}

func TestTheWorldHasRowsOfEveryTable(t *testing.T) {
	t.Parallel()
	eachWorld(t, func(t *testing.T, w world) {
		rows := visibleRows(system(t), t, w.Read())
		for _, table := range migrate.Tables {
			if len(table.PrimaryKey) == 1 && len(rows[table.Name]) == 0 {
				t.Errorf("%s: got no rows, want some to be guarded", table.Name)
			}
		}
	})
}

func TestViewersSeeWhatTheyMayKnow(t *testing.T) {
	t.Parallel()
	roles, groups, divisions := []string{"role_A", "role_plain_A"}, []string{"grp_A"}, []string{"div_A"}
	for _, tt := range []struct {
		rule, viewer string
		want         map[string][]string
	}{
		{"members.read shows the team's people, its inviters and its acceptors; account.read the other teams and their owners", "usr_A", map[string][]string{
			"accounts": {"acc_A"}, "teams": {"team_A", "team_second_A"}, "roles": roles, "groups": groups, "divisions": divisions,
			"members":     {"mem_A", "mem_owner_A", "mem_plain_A", "mem_second_A", "mem_shared_A"},
			"users":       {"usr_A", "usr_acceptor_A", "usr_inviter_A", "usr_owner_A", "usr_plain_A", "usr_second_A", "usr_shared"},
			"invitations": {"inv_A", "inv_accepted_A", "inv_open_A", "inv_shared_A"},
			"sessions":    {"ses_A"}, "events": {"evt_A"}, "ownership_transfers": {"otr_A"}, "email_changes": {"emc_A"}, "api_keys": {"key_A"},
		}},
		{"without members.read a member sees their own membership and the owner's, and their own roles and groups", "usr_plain_A", map[string][]string{
			"accounts": {"acc_A"}, "teams": {"team_A"}, "roles": {"role_plain_A"}, "groups": groups, "divisions": divisions,
			"members": {"mem_owner_A", "mem_plain_A"}, "users": {"usr_owner_A", "usr_plain_A"},
		}},
		{"the owner of a team beside the default one sees no events", "usr_second_A", map[string][]string{
			"accounts": {"acc_A"}, "teams": {"team_second_A"}, "roles": roles, "groups": groups, "divisions": divisions,
			"members": {"mem_second_A"}, "users": {"usr_second_A"},
		}},
		{"a right in one account gives nothing in another", "usr_shared", map[string][]string{
			"accounts": {"acc_A", "acc_B"}, "teams": {"team_A", "team_B"}, "users": {"usr_owner_A", "usr_owner_B", "usr_shared"},
			"roles": {"role_plain_A", "role_plain_B"}, "groups": {"grp_A", "grp_B"}, "divisions": {"div_A", "div_B"},
			"members": {"mem_owner_A", "mem_owner_B", "mem_shared_A", "mem_shared_B"},
		}},
		{"an addressee sees what the invitation offers, where, and by whom", "usr_invited_A", map[string][]string{
			"accounts": {"acc_A"}, "teams": {"team_A"}, "roles": roles, "groups": groups, "divisions": divisions,
			"invitations": {"inv_open_A"}, "users": {"usr_invited_A", "usr_inviter_A"},
		}},
		{"a former member sees their own user only", "usr_inviter_A", map[string][]string{"users": {"usr_inviter_A"}}},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			eachWorld(t, func(t *testing.T, w world) {
				for table, got := range visibleRows(w.as(t, tt.viewer), t, w.Read()) {
					if want := tt.want[table]; !slices.Equal(got, want) {
						t.Errorf("%s: got %v, want %v", table, got, want)
					}
				}
			})
		})
	}
}
