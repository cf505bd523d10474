package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/pressly/goose/v3"

	"github.com/convoke-dev/convoke/internal/text"
)

// refolds are the versions of the migrations that fold the stored texts again: one for each
// change of text.Fold. SQL cannot fold, so these migrations are no SQL files.
var refolds = []int64{20261126190100}

// refoldMigrations returns the migrations of refolds.
func refoldMigrations() []*goose.Migration {
	migrations := make([]*goose.Migration, len(refolds))
	for i, version := range refolds {
		migrations[i] = goose.NewGoMigration(version, &goose.GoFunc{RunTx: refold}, nil)
		migrations[i].Source = fmt.Sprintf("%d_fold_texts.go", version)
	}
	return migrations
}

// refoldPortion is how many rows are read at once.
const refoldPortion = 1000

// folded are the tables with folded texts. read reads the texts that they are made of, in
// order of id from one on; write writes the folded ones.
var folded = []struct{ table, read, write string }{
	{
		"members",
		`SELECT m.id, u.email, u.first_name, u.last_name, m.sort_name, m.search
			FROM members AS m JOIN users AS u ON u.id = m.user_id WHERE m.id > $1 ORDER BY m.id LIMIT $2`,
		`UPDATE members SET sort_name = $1, search = $2 WHERE id = $3`,
	},
	{
		"invitations",
		`SELECT id, email, first_name, last_name, sort_name, search FROM invitations WHERE id > $1 ORDER BY id LIMIT $2`,
		`UPDATE invitations SET sort_name = $1, search = $2 WHERE id = $3`,
	},
}

// refold writes the columns sort_name and search anew where they differ from what text.SortKey
// and text.SearchKey return now.
func refold(ctx context.Context, tx *sql.Tx) error {
	for _, f := range folded {
		for after, more := "", true; more; {
			rows, err := foldedRows(ctx, tx, f.read, after)
			if err != nil {
				return fmt.Errorf("fold texts of %s: %w", f.table, err)
			}
			for _, r := range rows {
				sortKey, searchKey := text.SortKey(r.email, r.first, r.last), text.SearchKey(r.email, r.first, r.last)
				if sortKey == r.sortName && searchKey == r.search {
					continue
				}
				if _, err := tx.ExecContext(ctx, f.write, sortKey, searchKey, r.id); err != nil {
					return fmt.Errorf("fold texts of %s %s: %w", f.table, r.id, err)
				}
			}
			if more = len(rows) == refoldPortion; more {
				after = rows[len(rows)-1].id
			}
		}
	}
	return nil
}

// foldedRow is a row with folded texts, and what they are made of.
type foldedRow struct{ id, email, first, last, sortName, search string }

func foldedRows(ctx context.Context, tx *sql.Tx, query, after string) (found []foldedRow, err error) {
	rows, err := tx.QueryContext(ctx, query, after, refoldPortion)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var r foldedRow
		if err := rows.Scan(&r.id, &r.email, &r.first, &r.last, &r.sortName, &r.search); err != nil {
			return nil, err
		}
		found = append(found, r)
	}
	return found, rows.Err()
}
