//go:build unix && !linux

package store

import "os"

// lockFile locks a file beside the database, because on these systems a lock of the database
// itself would hinder SQLite. It does not find hard links to the database.
func lockFile(path string) (*os.File, error) { return lockBeside(path) }
