package act_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/ent/account"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/testdb"
)

var noon = time.Date(2026, time.March, 14, 12, 0, 0, 0, time.UTC)

// world is an account "acc" with the default team "team" and the team "second".
// In both teams, owner is the owner, holder may invite, and plain may do
// nothing. on_hold is a deactivated member, stranger no member.
type world struct {
	*act.Door
}

func eachWorld(t *testing.T, test func(t *testing.T, w world)) {
	t.Helper()
	testdb.Each(t, func(t *testing.T, address string) {
		s := testdb.Open(t, address)
		catalogue, err := access.NewCatalogue()
		if err != nil {
			t.Fatal(err)
		}
		hub := event.NewHub(s.Read(), slog.New(slog.DiscardHandler))
		w := world{&act.Door{
			Store: s, Access: access.Loader{Catalogue: catalogue},
			Events: event.NewLog(hub, func() time.Time { return noon }),
		}}
		w.change(t, func(ctx context.Context, tx *store.Tx) error {
			rows := []interface{ Exec(context.Context) error }{
				tx.Account.Create().SetID("acc").SetCreatedAt(noon).SetUpdatedAt(noon).SetName("A").SetPreset("teams"),
				tx.Team.Create().SetID("team").SetCreatedAt(noon).SetUpdatedAt(noon).SetAccountID("acc").SetName("T").SetIsDefault(true),
				tx.Team.Create().SetID("second").SetCreatedAt(noon).SetUpdatedAt(noon).SetAccountID("acc").SetName("S"),
			}
			for _, id := range []string{"owner", "holder", "plain", "on_hold", "stranger"} {
				rows = append(rows, tx.User.Create().SetID(id).SetCreatedAt(noon).SetUpdatedAt(noon).SetEmail(id).SetEmailKey(id).SetEmailVerifiedAt(noon))
				for _, team := range []string{"team", "second"} {
					if id == "stranger" {
						continue
					}
					m := tx.Member.Create().SetID(id + "_" + team).SetCreatedAt(noon).SetUpdatedAt(noon).SetAccountID("acc").SetTeamID(team).SetUserID(id).
						SetIsOwner(id == "owner")
					if id == "holder" || id == "on_hold" {
						m.SetPermissions([]string{access.MembersInvite})
					}
					if id == "on_hold" {
						m.SetStatus(member.StatusDeactivated)
					}
					rows = append(rows, m)
				}
			}
			for _, row := range rows {
				if err := row.Exec(ctx); err != nil {
					return err
				}
			}
			return nil
		})
		test(t, w)
	})
}

func (w world) change(t *testing.T, f func(ctx context.Context, tx *store.Tx) error) {
	t.Helper()
	ctx := access.System(t.Context(), "test")
	if err := w.Store.InTx(ctx, func(tx *store.Tx) error { return f(ctx, tx) }); err != nil {
		t.Fatal(err)
	}
}

func (w world) suspend(t *testing.T) {
	t.Helper()
	w.change(t, func(ctx context.Context, tx *store.Tx) error {
		return tx.Account.UpdateOneID("acc").SetStatus(account.StatusSuspended).Exec(ctx)
	})
}

// as returns a context in which the user asks; nobody is an anonymous visitor.
func (w world) as(t *testing.T, userID string) context.Context {
	t.Helper()
	if userID == "nobody" {
		return access.WithViewer(t.Context(), nil)
	}
	v, err := w.Access.Load(t.Context(), w.Store.Read(), userID)
	if err != nil {
		t.Fatal(err)
	}
	return access.WithViewer(t.Context(), v)
}

// try acts by the rule, and returns the code of the refusal: empty for none.
func (w world) try(ctx context.Context, t *testing.T, r act.Rule) fault.Code {
	t.Helper()
	ran := false
	err := w.Do(ctx, r, func(context.Context, *act.Act) error {
		ran = true
		return nil
	})
	if ran == (err != nil) {
		t.Fatalf("the function ran: %t, and Do returned %v", ran, err)
	}
	return codeOf(t, err)
}

func codeOf(t *testing.T, err error) fault.Code {
	t.Helper()
	if err == nil {
		return ""
	}
	var f *fault.Error
	if !errors.As(err, &f) {
		t.Fatalf("got %v, want a fault", err)
	}
	return f.Code
}

func rules() map[string]act.Rule {
	return map[string]act.Rule{
		"InTeam":        act.InTeam("second", access.MembersInvite),
		"AccountWide":   act.AccountWide("acc", access.MembersInvite),
		"AsMember":      act.AsMember("acc", "second"),
		"AsOwner":       act.AsOwner("acc", "second"),
		"AsAddressee":   act.AsAddressee("acc", "", func(context.Context, *store.Tx) error { return nil }),
		"unproven":      act.AsAddressee("acc", "", func(context.Context, *store.Tx) error { return fault.Input(fault.InvalidToken, "No.", "token") }),
		"other team":    act.InTeam("elsewhere", access.MembersInvite),
		"other account": act.AccountWide("elsewhere", access.MembersInvite),
	}
}

func TestWhoPassesTheDoor(t *testing.T) {
	t.Parallel()
	const no, hidden, forbidden, token = fault.Unauthenticated, fault.NotFound, fault.Forbidden, fault.InvalidToken
	eachWorld(t, func(t *testing.T, w world) {
		for rule, want := range map[string]map[string]fault.Code{
			"InTeam":        {"nobody": no, "stranger": hidden, "on_hold": hidden, "plain": forbidden, "holder": "", "owner": ""},
			"AccountWide":   {"nobody": no, "stranger": hidden, "on_hold": hidden, "plain": forbidden, "holder": "", "owner": ""},
			"AsMember":      {"nobody": no, "stranger": hidden, "on_hold": hidden, "plain": "", "holder": "", "owner": ""},
			"AsOwner":       {"nobody": no, "stranger": forbidden, "on_hold": forbidden, "plain": forbidden, "holder": forbidden, "owner": ""},
			"AsAddressee":   {"nobody": "", "stranger": "", "on_hold": "", "plain": "", "holder": "", "owner": ""},
			"unproven":      {"nobody": token, "stranger": token, "on_hold": token, "plain": token, "holder": token, "owner": token},
			"other team":    {"nobody": no, "stranger": hidden, "on_hold": hidden, "plain": hidden, "holder": hidden, "owner": hidden},
			"other account": {"nobody": no, "stranger": hidden, "on_hold": hidden, "plain": hidden, "holder": hidden, "owner": hidden},
		} {
			for who, want := range want {
				if got := w.try(w.as(t, who), t, rules()[rule]); got != want {
					t.Errorf("%s by %s: got %q, want %q", rule, who, got, want)
				}
			}
		}
	})
}

func TestARightThatIsGoneMeanwhileOpensNothing(t *testing.T) {
	t.Parallel()
	eachWorld(t, func(t *testing.T, w world) {
		holder, owner := w.as(t, "holder"), w.as(t, "owner")
		w.change(t, func(ctx context.Context, tx *store.Tx) error {
			if err := tx.Member.Update().Where(member.UserID("holder")).SetPermissions([]string{}).Exec(ctx); err != nil {
				return err
			}
			return tx.Member.Update().Where(member.UserID("owner")).SetIsOwner(false).Exec(ctx)
		})
		for _, rule := range []string{"InTeam", "AccountWide"} {
			if got := w.try(holder, t, rules()[rule]); got != fault.Forbidden {
				t.Errorf("%s without the permission: got %q, want FORBIDDEN", rule, got)
			}
		}
		if got := w.try(owner, t, rules()["AsOwner"]); got != fault.Forbidden {
			t.Errorf("AsOwner by a former owner: got %q, want FORBIDDEN", got)
		}
		w.change(t, func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.Member.Delete().Where(member.UserID("holder")).Exec(ctx)
			return err
		})
		for _, rule := range []string{"InTeam", "AccountWide", "AsMember"} {
			if got := w.try(holder, t, rules()[rule]); got != fault.NotFound {
				t.Errorf("%s by a former member: got %q, want NOT_FOUND", rule, got)
			}
		}
	})
}

func TestASuspendedAccountOpensOnlyForARuleThatSaysSo(t *testing.T) {
	t.Parallel()
	eachWorld(t, func(t *testing.T, w world) {
		w.suspend(t)
		for _, name := range []string{"InTeam", "AccountWide", "AsMember", "AsOwner", "AsAddressee"} {
			r := rules()[name]
			if got := w.try(w.as(t, "owner"), t, r); got != fault.AccountSuspended {
				t.Errorf("%s: got %q, want ACCOUNT_SUSPENDED", name, got)
			}
			err := w.Do(w.as(t, "owner"), r.EvenSuspended(), func(_ context.Context, a *act.Act) error { return a.InUse() })
			if got := codeOf(t, err); got != fault.AccountSuspended {
				t.Errorf("%s, InUse: got %q, want ACCOUNT_SUSPENDED", name, got)
			}
			if got := w.try(w.as(t, "owner"), t, r.EvenSuspended()); got != "" {
				t.Errorf("%s, even suspended: got %q, want none", name, got)
			}
		}
		// Who may not act learns that, and not how the account is.
		if got := w.try(w.as(t, "plain"), t, rules()["AsOwner"]); got != fault.Forbidden {
			t.Errorf("AsOwner by a member: got %q, want FORBIDDEN", got)
		}
	})
}

func TestTheInputIsCheckedAfterTheRightAndBeforeTheAccount(t *testing.T) {
	t.Parallel()
	eachWorld(t, func(t *testing.T, w world) {
		w.suspend(t)
		r := rules()["InTeam"].Checking(func() error { return fault.Input(fault.Blank, "A name is needed.", "name") })
		for who, want := range map[string]fault.Code{"plain": fault.Forbidden, "holder": fault.Blank} {
			if got := w.try(w.as(t, who), t, r); got != want {
				t.Errorf("%s: got %q, want %q", who, got, want)
			}
		}
		r = rules()["InTeam"].Checking(func() error { return nil })
		if got := w.try(w.as(t, "holder"), t, r); got != fault.AccountSuspended {
			t.Errorf("good input: got %q, want ACCOUNT_SUSPENDED", got)
		}
	})
}

func TestWhatAnActHolds(t *testing.T) {
	t.Parallel()
	eachWorld(t, func(t *testing.T, w world) {
		for _, c := range []struct {
			name             string
			rule             act.Rule
			memberID, userID string
		}{
			{"InTeam", rules()["InTeam"], "holder_second", "holder"},
			{"AccountWide", rules()["AccountWide"], "holder_team", "holder"},
			{"AsMember", rules()["AsMember"], "holder_second", "holder"},
			{"AsAddressee", rules()["AsAddressee"], "", ""},
			{"AsAddressee, signed in", act.AsAddressee("acc", "stranger", func(context.Context, *store.Tx) error { return nil }), "", "stranger"},
		} {
			err := w.Do(w.as(t, "holder"), c.rule, func(ctx context.Context, a *act.Act) error {
				memberID := ""
				if a.Actor != nil {
					memberID = a.Actor.ID
				}
				if a.Account.ID != "acc" || memberID != c.memberID || a.UserID != c.userID {
					t.Errorf("%s: got account %s, member %q, user %q; want acc, %q, %q", c.name, a.Account.ID, memberID, a.UserID, c.memberID, c.userID)
				}
				return a.Log(ctx, event.TeamUpdated, "team", "team", nil)
			})
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			last, err := event.Head(access.System(t.Context(), "test"), w.Store.Read(), "acc")
			if err != nil {
				t.Fatal(err)
			}
			if last == 0 {
				t.Errorf("%s: no event was logged", c.name)
			}
		}
		e, err := w.Store.Read().Event.Query().First(access.System(t.Context(), "test"))
		if err != nil || e.ActorID != "holder" || e.AccountID != "acc" || e.TeamID != "team" {
			t.Errorf("the event is %v, %v; want one by holder in acc about team", e, err)
		}
	})
}

func TestAnActThatFailsChangesNothing(t *testing.T) {
	t.Parallel()
	eachWorld(t, func(t *testing.T, w world) {
		errStop := errors.New("stop")
		err := w.Do(w.as(t, "holder"), rules()["InTeam"], func(ctx context.Context, a *act.Act) error {
			if err := a.Tx.Team.UpdateOneID("second").SetName("other").Exec(ctx); err != nil {
				return err
			}
			return errStop
		})
		if !errors.Is(err, errStop) {
			t.Errorf("got %v, want %v", err, errStop)
		}
		team, err := w.Store.Read().Team.Get(access.System(t.Context(), "test"), "second")
		if err != nil || team.Name != "S" {
			t.Errorf("the team is %v, %v; want it as it was", team, err)
		}
	})
}
