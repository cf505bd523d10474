package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// connectWithin limits the time to open a connection, unless the address has a
// connect_timeout. After it, a database that does not respond at all counts as away.
const connectWithin = 5 * time.Second

// openPostgres returns a pool of connections. None is opened yet.
func openPostgres(address string) (*sql.DB, error) {
	cfg, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, errors.New("the postgres:// URL cannot be read")
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = connectWithin
	}
	return sql.OpenDB(connector{stdlib.GetConnector(*cfg)}), nil
}

// connector opens connections that report when they are closed. pgx closes a connection
// whose query is cancelled, and database/sql would otherwise hand it to the next caller.
type connector struct{ driver.Connector }

// Connect opens a connection.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	opened, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	known, ok := opened.(*stdlib.Conn)
	if !ok {
		return nil, fmt.Errorf("pgx opened a %T", opened)
	}
	return conn{known}, nil
}

type conn struct{ *stdlib.Conn }

// IsValid reports whether the connection may be used again: see
// driver.Validator.
func (c conn) IsValid() bool { return !c.Conn.Conn().IsClosed() }
