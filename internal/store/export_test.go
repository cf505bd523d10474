package store

// The tests of migrations use these: the connection of Migrate, its migrations, and its
// check afterwards.
var (
	MigrationTarget  = migrationTarget
	Provider         = provider
	Refolds          = refolds
	CheckForeignKeys = checkForeignKeys
)

// MigrationDSN returns the address of an SQLite file for the driver of migrations.
func MigrationDSN(path string) string { return sqliteDSN(path, migrationSettings) }
