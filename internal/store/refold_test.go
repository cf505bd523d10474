package store_test

import (
	"slices"
	"testing"

	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/testdb"
)

func TestStoredTextsAreFoldedAgain(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		p, all := sources(t, address)
		i := slices.Index(versions(all), store.Refolds[0])
		if _, err := p.UpTo(t.Context(), all[i-1].Version); err != nil {
			t.Fatal(err)
		}
		db := raw(t, address)
		fill(t, db)
		exec(t, db, `UPDATE users SET first_name = 'Łukasz', last_name = 'Żak'`)
		exec(t, db, `UPDATE members SET sort_name = 'łukasz żak', search = 'a@a.test łukasz żak'`)
		exec(t, db, `UPDATE invitations SET email = 'Ægir@a.test', search = 'ægir@a.test'`)
		migrated(t, address)
		for table, want := range map[string]string{
			"members":     "lukasz zak|a@a.test lukasz zak",
			"invitations": "aegir@a.test|aegir@a.test",
		} {
			if got := column(t, db, "SELECT sort_name || '|' || search FROM "+table); !slices.Equal(got, []string{want}) {
				t.Errorf("%s = %q, want %q", table, got, want)
			}
		}
	})
}
