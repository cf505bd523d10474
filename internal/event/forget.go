package event

import (
	"context"
	"fmt"
	"slices"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"github.com/convoke-dev/convoke/internal/store"
)

// The log is append-only, but it forgets what is personal when a person is erased. The
// database permits only these updates: see the migration events_may_forget. ent has no
// update of an event.

// ForgetPerson removes from the events of a user the addresses and programs that their
// requests came from, and from all events that the address was invited. The user's id stays
// as a pseudonym. It reads the whole log, because nothing else needs an index for this.
func ForgetPerson(ctx context.Context, tx *store.Tx, postgres bool, userID, emailKey string) error {
	addressee := `json_extract(CAST(data AS TEXT), '$.` + Addressee + `')`
	if postgres {
		addressee = `data ->> '` + Addressee + `'`
	}
	for _, change := range []struct {
		query string
		args  []any
	}{
		{`UPDATE events SET client_ip = '', user_agent = '' WHERE actor_id = $1 AND (client_ip <> '' OR user_agent <> '')`, []any{userID}},
		{`UPDATE events SET data = ` + impersonal(postgres) + ` WHERE ` + addressee + ` = $1`, []any{Addressed(emailKey)}},
	} {
		if _, err := tx.ExecContext(ctx, change.query, change.args...); err != nil {
			return fmt.Errorf("forget %s in the log: %w", userID, err)
		}
	}
	return nil
}

// impersonal is the SQL of an event's data without the keys that may be personal.
func impersonal(postgres bool) string {
	if postgres {
		return `data - '` + Addressee + `' - '` + Reason + `'`
	}
	return `json_remove(CAST(data AS TEXT), '$.` + Addressee + `', '$.` + Reason + `')`
}

// ForgetAddressees removes from the events of invitations whom they were for, and the
// mail servers' sentences about it.
func ForgetAddressees(ctx context.Context, tx *store.Tx, postgres bool, invitationIDs ...string) error {
	kind := dialect.SQLite
	if postgres {
		kind = dialect.Postgres
	}
	for part := range slices.Chunk(invitationIDs, perInsert) {
		ids := make([]any, len(part))
		for n, id := range part {
			ids[n] = id
		}
		query, args := sql.Dialect(kind).Update("events").Set("data", sql.Raw(impersonal(postgres))).Where(sql.In("subject_id", ids...)).Query()
		if _, err := tx.ExecContext(ctx, query, args...); err != nil {
			return fmt.Errorf("forget the addressees of %d invitations: %w", len(part), err)
		}
	}
	return nil
}
