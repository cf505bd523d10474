//go:build ignore

// Command diff writes the migration from the newest one to the ent schema, for
// both databases: go run ent/migrate/migrations/diff.go NAME. It works from
// the repository's root, without a network; CONVOKE_TEST_POSTGRES names a
// server on which it may make an empty scratch database.
package main

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"net/url"
	"os"
	"path/filepath"
	"regexp"

	atlas "ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/sqltool"
	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql/schema"
	"github.com/jackc/pgx/v5/stdlib"
	_ "github.com/mattn/go-sqlite3"

	"github.com/convoke-dev/convoke/ent/migrate"
)

const root = "ent/migrate/migrations"

func main() {
	server := os.Getenv("CONVOKE_TEST_POSTGRES")
	if len(os.Args) != 2 || server == "" {
		log.Fatal("usage: CONVOKE_TEST_POSTGRES=postgres://… go run ent/migrate/migrations/diff.go NAME")
	}
	// ent's migration opens PostgreSQL by this name.
	sql.Register("postgres", stdlib.GetDefaultDriver())
	scratch, drop, err := scratchDatabase(server)
	if err != nil {
		log.Fatal(err)
	}
	err = diff(os.Args[1], scratch)
	drop()
	if err != nil {
		log.Fatal(err)
	}
}

func diff(name, postgres string) error {
	ctx := context.Background()
	for folder, target := range map[string]struct{ dialect, url string }{
		"sqlite":   {dialect.SQLite, "sqlite://file?mode=memory&_fk=1"},
		"postgres": {dialect.Postgres, postgres},
	} {
		// Files written by hand since the last run are part of the history too.
		if err := rehash(filepath.Join(root, folder)); err != nil {
			return err
		}
		dir, err := sqltool.NewGooseDir(filepath.Join(root, folder))
		if err != nil {
			return err
		}
		err = migrate.NamedDiff(ctx, target.url, name,
			schema.WithDir(dir),
			schema.WithMigrationMode(schema.ModeReplay),
			schema.WithDialect(target.dialect),
			schema.WithFormatter(sqltool.GooseFormatter),
			schema.WithDropColumn(true),
			// Not indexes: those of the join tables are written by hand.
		)
		if err != nil {
			return fmt.Errorf("%s: %w", folder, err)
		}
		if err := forwardOnly(filepath.Join(root, folder)); err != nil {
			return err
		}
	}
	return nil
}

// forwardOnly cuts the Down sections off: on SQLite they are wrong, and going
// back is restoring a backup.
func forwardOnly(folder string) error {
	down := regexp.MustCompile(`(?s)\n-- \+goose Down.*`)
	files, err := filepath.Glob(filepath.Join(folder, "*.sql"))
	if err != nil {
		return err
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		if err := os.WriteFile(f, down.ReplaceAll(text, nil), 0o644); err != nil {
			return err
		}
	}
	return rehash(folder)
}

// rehash writes the checksums anew, of files cut or written by hand.
func rehash(folder string) error {
	dir, err := sqltool.NewGooseDir(folder)
	if err != nil {
		return err
	}
	sum, err := dir.Checksum()
	if err != nil {
		return err
	}
	return atlas.WriteSumFile(dir, sum)
}

func scratchDatabase(server string) (address string, drop func(), err error) {
	db, err := sql.Open("pgx", server)
	if err != nil {
		return "", nil, err
	}
	name := fmt.Sprintf("convoke_diff_%d", os.Getpid())
	if _, err := db.Exec("CREATE DATABASE " + name); err != nil {
		return "", nil, err
	}
	u, err := url.Parse(server)
	if err != nil {
		return "", nil, err
	}
	u.Path = "/" + name
	if q := u.Query(); q.Get("sslmode") == "" {
		q.Set("sslmode", "disable")
		u.RawQuery = q.Encode()
	}
	return u.String(), func() {
		if _, err := db.Exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			log.Print(err)
		}
		db.Close()
	}, nil
}
