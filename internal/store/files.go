package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"github.com/mattn/go-sqlite3"
)

// errLost is the error when the name of an SQLite file does not lead to the opened file any
// more. Writes to the opened file would be lost.
var errLost = errors.New("the database file was deleted or replaced while it was open: put the right file in its place and start the server again")

// sqliteFiles are the files of an open SQLite database: the database, its log, and the index
// of the log. SQLite keeps them open and does not notice when their names lead elsewhere.
type sqliteFiles struct {
	path string

	mu    sync.Mutex
	known map[string]os.FileInfo // by the suffix of the name
}

// check fails with errLost unless the names still lead to the files that were opened. It
// costs three calls of the operating system. Nil has no files.
func (f *sqliteFiles) check() error {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		known := f.known[suffix]
		found, err := os.Stat(f.path + suffix)
		switch {
		case err == nil && known == nil:
			f.known[suffix] = found
		case err == nil && !os.SameFile(known, found), errors.Is(err, fs.ErrNotExist) && known != nil:
			return fmt.Errorf("%s%s: %w", f.path, suffix, errLost)
		case err != nil && known != nil:
			return fmt.Errorf("%w: %w", errLost, err)
		}
	}
	return nil
}

// sqliteConnector opens connections to the files, and none to others of the same names.
type sqliteConnector struct {
	dsn   string
	files *sqliteFiles
}

// openSQLite returns a pool of connections. None is opened yet.
func openSQLite(path, extra string, files *sqliteFiles) *sql.DB {
	return sql.OpenDB(sqliteConnector{sqliteDSN(path, extra), files})
}

// Connect opens a connection.
func (c sqliteConnector) Connect(context.Context) (driver.Conn, error) {
	if err := c.files.check(); err != nil {
		return nil, err
	}
	return c.Driver().Open(c.dsn)
}

// Driver returns the driver for SQLite.
func (sqliteConnector) Driver() driver.Driver { return &sqlite3.SQLiteDriver{} }
