package store_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/store"
)

// writes is every way to change another account that the guard must stop.
func writes() []write { return slices.Concat(updates, deletes, creates) }

// outcome is the effect of a write on the other account, and what it returned.
type outcome struct {
	changed []string // rows as they were before or are after, where they differ
	learned string
	err     error
}

// attempt runs the write in a transaction of its own, which is undone.
func attempt(ctx context.Context, t *testing.T, w world, a write) (o outcome) {
	t.Helper()
	err := w.InAccount(t.Context(), "acc_A", func(tx *store.Tx) error {
		before := foreignRows(t, tx.Client())
		var seen any
		seen, o.err = a.do(ctx, tx.Client())
		o.learned = text(t, seen)
		after := foreignRows(t, tx.Client())
		o.changed = append(except("before: ", before, after), except("after: ", after, before)...)
		return errUndo
	})
	if !errors.Is(err, errUndo) {
		t.Fatalf("transaction: %v, want %v", err, errUndo)
	}
	return o
}

// except returns the rows that are not among the others.
func except(prefix string, rows, others []string) (missing []string) {
	for _, row := range rows {
		if !slices.Contains(others, row) {
			missing = append(missing, prefix+row)
		}
	}
	return missing
}

func TestWritesTouchNothingOfAnotherAccount(t *testing.T) {
	t.Parallel()
	eachWorld(t, func(t *testing.T, w world) {
		ctx := w.as(t, "usr_A")
		for _, a := range writes() {
			t.Run(a.way, func(t *testing.T) {
				o := attempt(ctx, t, w, a)
				if len(o.changed) > 0 {
					t.Errorf("err = %v, changed %s, want nothing changed", o.err, strings.Join(o.changed, "\n"))
				}
				if strings.Contains(o.learned, theirs) {
					t.Errorf("learned %s, want nothing of %s", o.learned, theirs)
				}
			})
		}
	})
}

// The writes hit when the program itself does them: without that the test
// above would prove nothing.
func TestWritesOfTheSystemTouchTheOtherAccount(t *testing.T) {
	t.Parallel()
	eachWorld(t, func(t *testing.T, w world) {
		for _, a := range writes() {
			t.Run(a.way, func(t *testing.T) {
				o := attempt(system(t), t, w, a)
				if o.err != nil || len(o.changed) == 0 && !strings.Contains(o.learned, theirs) {
					t.Errorf("err = %v, learned %s, changed %v, want a write that hits", o.err, o.learned, o.changed)
				}
			})
		}
	})
}

func TestWritesWithoutViewerFail(t *testing.T) {
	t.Parallel()
	eachWorld(t, func(t *testing.T, w world) {
		for _, a := range slices.Concat(writes(), systemOnly) {
			t.Run(a.way, func(t *testing.T) {
				if o := attempt(t.Context(), t, w, a); !errors.Is(o.err, access.ErrNoViewer) {
					t.Errorf("err = %v, want %v", o.err, access.ErrNoViewer)
				}
			})
		}
	})
}

func TestAnonymousWritesAreRefused(t *testing.T) {
	t.Parallel()
	eachWorld(t, func(t *testing.T, w world) {
		for _, a := range slices.Concat(writes(), systemOnly) {
			t.Run(a.way, func(t *testing.T) {
				if o := attempt(anyone(t), t, w, a); !isRefused(o.err) {
					t.Errorf("err = %v, want a refusal", o.err)
				}
			})
		}
	})
}

func TestSomeTablesAreTheSystemsToWrite(t *testing.T) {
	t.Parallel()
	eachWorld(t, func(t *testing.T, w world) {
		ctx := w.as(t, "usr_A")
		for _, a := range systemOnly {
			t.Run(a.way, func(t *testing.T) {
				if o := attempt(ctx, t, w, a); !isRefused(o.err) {
					t.Errorf("err = %v, want a refusal", o.err)
				}
			})
		}
	})
}

// isRefused tells the guard's own refusals, which are no faults: no client
// ever causes one.
func isRefused(err error) bool { return err != nil && strings.HasPrefix(err.Error(), "access: ") }

func TestViewersWriteInTheirOwnAccount(t *testing.T) {
	t.Parallel()
	eachWorld(t, func(t *testing.T, w world) {
		ctx := w.as(t, "usr_A")
		err := w.InAccount(ctx, "acc_A", func(tx *store.Tx) error {
			if err := newRole(tx.Client(), "acc_A", "role_new_A").Exec(ctx); err != nil {
				return err
			}
			return tx.Team.UpdateOneID("team_A").SetName("renamed").AddVersion(1).Exec(ctx)
		})
		if err != nil {
			t.Fatal(err)
		}
		got, err := w.Read().Team.Get(ctx, "team_A")
		if err != nil || got.Name != "renamed" {
			t.Errorf("team = %v, %v, want it renamed", got, err)
		}
	})
}

func TestBecomeChangesWhoIsAsking(t *testing.T) {
	t.Parallel()
	eachWorld(t, func(t *testing.T, w world) {
		ctx := anyone(t)
		access.Become(ctx, access.ViewerFrom(w.as(t, "usr_plain_A")))
		if got, err := w.Read().Team.Query().IDs(ctx); err != nil || !slices.Equal(got, []string{"team_A"}) {
			t.Errorf("signed in: teams = %v, %v, want [team_A]", got, err)
		}
		access.Become(ctx, nil)
		if got, err := w.Read().Team.Query().IDs(ctx); err != nil || len(got) != 0 {
			t.Errorf("signed out: teams = %v, %v, want none", got, err)
		}
	})
}
