package store

// What the tests of migrations reach into: the connection that Migrate uses,
// and its check afterwards.
var (
	MigrationTarget  = migrationTarget
	CheckForeignKeys = checkForeignKeys
)
