package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// errClaimed is returned by lockFile when another process holds the lock.
var errClaimed = errors.New("claimed by another process")

// Claim is the right of one process to serve an SQLite file, or to change its schema. It is
// a lock of the operating system, so it ends with the process, however that ends. On
// PostgreSQL, which many servers may share, a claim is always granted.
type Claim struct{ file *os.File }

// NewClaim claims the database at the address. It fails when another process has claimed
// it, whatever path the other one uses. The caller releases the claim after it has closed the
// database: closing a file ends locks that SQLite has on the same file.
//
// The operator's commands do not claim a database, so that they run beside a server.
func NewClaim(address string) (*Claim, error) {
	if IsPostgres(address) {
		return &Claim{}, nil
	}
	if err := makeFile(address); err != nil {
		return nil, err
	}
	path, err := filepath.Abs(address)
	if err != nil {
		return nil, fmt.Errorf("claim the database: %w", err)
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return nil, fmt.Errorf("claim the database: %w", err)
	}
	file, err := lockFile(path)
	switch {
	case errors.Is(err, errClaimed):
		return nil, fmt.Errorf("another convoke process serves or migrates %s: an SQLite file can have one server at a time; stop the other one first, or use PostgreSQL for several servers", address)
	case err != nil:
		return nil, fmt.Errorf("claim the database: %w", err)
	}
	return &Claim{file}, nil
}

// Release ends the claim. It may be called more than once, and on nil.
func (c *Claim) Release() error {
	if c == nil || c.file == nil {
		return nil
	}
	file := c.file
	c.file = nil
	return file.Close()
}

// lockSuffix is the end of the name of the file that is locked where the database itself
// cannot be.
const lockSuffix = ".lock"

// openLock opens the file that is locked instead of the database.
func openLock(path string) (*os.File, error) {
	return os.OpenFile(path+lockSuffix, os.O_RDWR|os.O_CREATE, ownersOnly) //nolint:gosec // beside the operator's own path
}
