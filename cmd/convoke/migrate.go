package main

import (
	"context"
	"fmt"
	"os"

	"github.com/convoke-dev/convoke/internal/store"
)

// defaultDB is the default SQLite file.
const defaultDB = "convoke.db"

// migrateCommand is convoke migrate.
type migrateCommand struct {
	DB string `help:"The database: the path of an SQLite file, or postgres://user:password@host/name." name:"db" default:"convoke.db"`

	UpgradeBackup bool `help:"Back up an SQLite file beside it before its schema is changed." default:"true" negatable:""`
}

// Run applies the missing migrations and prints their names.
func (c *migrateCommand) Run(ctx context.Context) error {
	if err := store.CheckAddress(c.DB); err != nil {
		return fmt.Errorf("--db: %w", err)
	}
	applied, err := store.Upgrade{
		NoBackup: !c.UpgradeBackup,
		BackedUp: func(path string) { fmt.Fprintln(os.Stderr, "convoke: backed up the database to", path) },
	}.Migrate(ctx, c.DB)
	for _, file := range applied {
		fmt.Println("applied", file)
	}
	if err == nil && len(applied) == 0 {
		fmt.Println("the schema is up to date")
	}
	return err
}
