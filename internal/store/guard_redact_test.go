package store_test

import (
	"context"
	"slices"
	"testing"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/internal/access"
)

// whole returns the ids of the users that the viewer of the context sees whole, and
// fails unless the others can be recognised.
func whole(ctx context.Context, t *testing.T, users []*ent.User, err error) (ids []string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range users {
		known := access.KnownUser(ctx, u)
		if known.ID != u.ID || known.Email != u.Email {
			t.Errorf("got %v of %v, want who it is", known, u)
		}
		if known.EmailKey != "" {
			ids = append(ids, u.ID)
		}
	}
	return ids
}

// What the database answers beside a row is what the condition on users says, also
// past the guard.
func TestOnlyColleaguesAreShownWhole(t *testing.T) {
	t.Parallel()
	eachWorld(t, func(t *testing.T, w world) {
		for viewer, want := range map[string][]string{
			"usr_A":         {"usr_A", "usr_owner_A", "usr_plain_A", "usr_second_A", "usr_shared"},
			"usr_plain_A":   {"usr_owner_A", "usr_plain_A"},
			"usr_shared":    {"usr_owner_A", "usr_owner_B", "usr_shared"},
			"usr_invited_A": {"usr_invited_A"},
			"usr_unknown_A": {"usr_unknown_A"},
		} {
			ctx := w.as(t, viewer)
			asked := func() *ent.UserQuery {
				q := w.Read().User.Query().Order(user.ByID())
				access.AsColleague(ctx)(q)
				return q
			}
			byCondition, err := w.Read().User.Query().Where(access.Colleagues(ctx)).Order(user.ByID()).IDs(system(t))
			if err != nil || !slices.Equal(byCondition, want) {
				t.Errorf("colleagues of %s: got %v, %v, want %v", viewer, byCondition, err, want)
			}
			users, err := asked().All(ctx)
			if got := whole(ctx, t, users, err); !slices.Equal(got, want) {
				t.Errorf("%s sees whole through the guard: got %v, want %v", viewer, got, want)
			}
			users, err = asked().All(system(t))
			if got := whole(ctx, t, users, err); !slices.Equal(got, want) || len(users) <= len(got) {
				t.Errorf("%s sees whole past the guard: got %v of %d users, want %v", viewer, got, len(users), want)
			}
			if got := whole(anyone(t), t, users, err); got != nil {
				t.Errorf("a visitor sees whole what was asked for %s: got %v, want none", viewer, got)
			}
			users, err = w.Read().User.Query().Order(user.ByID()).All(system(t))
			if got := whole(ctx, t, users, err); !slices.Equal(got, []string{viewer}) {
				t.Errorf("%s sees whole where nothing was asked: got %v, want no other user", viewer, got)
			}
		}
		for _, nobody := range []context.Context{anyone(t), system(t)} {
			q := w.Read().User.Query()
			access.AsColleague(nobody)(q)
			users, err := q.All(system(t))
			if got := whole(w.as(t, "usr_A"), t, users, err); !slices.Equal(got, []string{"usr_A"}) {
				t.Errorf("asked for no viewer: got %v whole, want none but the viewer", got)
			}
		}
	})
}

func TestAnInviterWhoLeftIsNotShownWhole(t *testing.T) {
	t.Parallel()
	eachWorld(t, func(t *testing.T, w world) {
		ctx := w.as(t, "usr_A")
		for id, want := range map[string][]string{
			"inv_A":        nil,
			"inv_shared_A": {"usr_shared"},
		} {
			i, err := w.Read().Invitation.Query().Where(invitation.ID(id)).WithInviter(access.AsColleague(ctx)).Only(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if got := whole(ctx, t, []*ent.User{i.Edges.Inviter}, nil); !slices.Equal(got, want) {
				t.Errorf("the inviter of %s: got %v whole, want %v", id, got, want)
			}
		}
	})
}
