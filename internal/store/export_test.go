package store

// The tests of migrations use these: the connection of Migrate, and its check
// afterwards.
var (
	MigrationTarget  = migrationTarget
	CheckForeignKeys = checkForeignKeys
)
