package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"net/url"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/convoke-dev/convoke/ent/migrate/migrations"
)

// lockTries is how many seconds a server waits while another one migrates.
const lockTries = 120

// Upgrade has the options of a migration. The zero value makes a backup.
type Upgrade struct {
	// NoBackup leaves out the backup of an SQLite database before its schema is changed.
	NoBackup bool
	// BackedUp, when set, is called with the path of the backup before the first migration.
	BackedUp func(path string)
	// Claim is the caller's claim of the database. Without it, Migrate claims the database
	// while it changes it.
	Claim *Claim
}

// Migrate is Upgrade.Migrate with a backup that nobody is told of.
func Migrate(ctx context.Context, address string) (applied []string, err error) {
	return Upgrade{}.Migrate(ctx, address)
}

// Migrate applies the migrations that the database at the address lacks, each in a
// transaction, and returns their names in order. Before that, it backs up an SQLite database
// that is not new. It fails when a newer program has migrated the database, and on SQLite
// when a server runs on it and something has to be changed.
func (u Upgrade) Migrate(ctx context.Context, address string) (applied []string, err error) {
	db, dialect, files, err := migrationTarget(address)
	if err != nil {
		return nil, err
	}
	var own *Claim
	defer func() { err = errors.Join(err, db.Close(), own.Release()) }() // in this order: see NewClaim
	options, err := oneAtATime(dialect, address)
	if err != nil {
		return nil, err
	}
	p, err := provider(dialect, db, files, options...)
	if err != nil {
		return nil, err
	}
	if err := notNewer(ctx, p); err != nil {
		return nil, err
	}
	pending, err := p.HasPending(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the schema's version: %w", err)
	}
	if dialect == goose.DialectSQLite3 && pending {
		if u.Claim == nil {
			if own, err = NewClaim(address); err != nil {
				return nil, err
			}
		}
		if err := u.backUp(ctx, p, db, address); err != nil {
			return nil, err
		}
	}
	results, err := p.Up(ctx)
	for _, r := range results {
		applied = append(applied, r.Source.Path)
	}
	if err != nil {
		var partial *goose.PartialError
		if errors.As(err, &partial) {
			for _, r := range partial.Applied {
				applied = append(applied, r.Source.Path)
			}
		}
		return applied, fmt.Errorf("migrate: %w", err)
	}
	if dialect == goose.DialectSQLite3 && len(applied) > 0 {
		err = checkForeignKeys(ctx, db)
	}
	return applied, err
}

// backUp backs up a database that has a schema already.
func (u Upgrade) backUp(ctx context.Context, p *goose.Provider, db *sql.DB, path string) error {
	version, err := p.GetDBVersion(ctx)
	if err != nil || version == 0 || u.NoBackup {
		return err
	}
	backup, err := backUp(ctx, db, path, version)
	if err == nil && u.BackedUp != nil {
		u.BackedUp(backup)
	}
	return err
}

// provider returns all migrations: those of the files, and those of refolds.
func provider(dialect goose.Dialect, db *sql.DB, files fs.FS, options ...goose.ProviderOption) (*goose.Provider, error) {
	options = append(options, goose.WithGoMigrations(refoldMigrations()...), goose.WithDisableGlobalRegistry(true))
	p, err := goose.NewProvider(dialect, db, files, options...)
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	return p, nil
}

// notNewer fails when a newer program has migrated the schema.
func notNewer(ctx context.Context, p *goose.Provider) error {
	current, err := p.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	sources := p.ListSources()
	if newest := sources[len(sources)-1].Version; current > newest {
		return fmt.Errorf("the database's schema is at version %d, this program knows %d: start the newer program, or restore the backup from before its first start", current, newest)
	}
	return nil
}

// CheckMigrated fails when the database at the address lacks migrations, or a
// newer program has migrated it.
func CheckMigrated(ctx context.Context, address string) (err error) {
	db, dialect, files, err := migrationTarget(address)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	p, err := provider(dialect, db, files)
	if err != nil {
		return err
	}
	if err := notNewer(ctx, p); err != nil {
		return err
	}
	pending, err := p.HasPending(ctx)
	if err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	if pending {
		return errors.New("the database's schema is not up to date: run convoke migrate, or start with --migrate=auto")
	}
	return nil
}

// migrationSettings are the settings of an SQLite connection for migrations.
const migrationSettings = "_foreign_keys=off&_txlock=immediate"

// migrationTarget opens a connection for migrations only. On SQLite it has foreign keys
// off, because a migration changes a table by building a new one, and dropping the old
// one would delete the rows of its child tables.
func migrationTarget(address string) (*sql.DB, goose.Dialect, fs.FS, error) {
	driver, dsn, dialect, folder := "pgx", address, goose.DialectPostgres, "postgres"
	if !IsPostgres(address) {
		if err := makeFile(address); err != nil {
			return nil, "", nil, err
		}
		driver, dsn, dialect, folder = "sqlite3", sqliteDSN(address, migrationSettings), goose.DialectSQLite3, "sqlite"
	}
	files, err := fs.Sub(migrations.Files, folder)
	if err != nil {
		return nil, "", nil, fmt.Errorf("read migrations: %w", err)
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return nil, "", nil, errors.New("open database: the address cannot be read")
	}
	return db, dialect, files, nil
}

// oneAtATime locks the PostgreSQL schema, so that servers that start together migrate one
// after the other. SQLite needs no lock, because it has one writer.
func oneAtATime(dialect goose.Dialect, address string) ([]goose.ProviderOption, error) {
	if dialect != goose.DialectPostgres {
		return nil, nil
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("the postgres:// URL cannot be read")
	}
	id := fnv.New64a()
	_, _ = id.Write([]byte(u.Path + "\x00" + u.Query().Get("search_path"))) // never fails
	locker, err := lock.NewPostgresSessionLocker(
		lock.WithLockID(int64(id.Sum64()>>1)), // within an int64
		lock.WithLockTimeout(1, lockTries),    // tried every second
	)
	if err != nil {
		return nil, fmt.Errorf("lock migrations: %w", err)
	}
	return []goose.ProviderOption{goose.WithSessionLocker(locker)}, nil
}

func checkForeignKeys(ctx context.Context, db *sql.DB) (err error) {
	rows, err := db.QueryContext(ctx, "PRAGMA foreign_key_check")
	if err != nil {
		return fmt.Errorf("check foreign keys: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	if rows.Next() {
		return errors.New("check foreign keys: a migration left rows without their parents; restore the backup")
	}
	return rows.Err()
}
