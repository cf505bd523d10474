package store

// The tests of migrations use these: the connection of Migrate, its migrations, and its
// check afterwards.
var (
	MigrationTarget  = migrationTarget
	Provider         = provider
	Refolds          = refolds
	CheckForeignKeys = checkForeignKeys
)
