package store

import (
	"context"
	"database/sql"
	"fmt"
	"sync"

	entsql "entgo.io/ent/dialect/sql"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/limit"
)

// Snapshot returns a guarded client whose reads all see the database at one moment, and
// a function that releases it. Several goroutines may use the client; they take turns.
// It cannot begin transactions. Of the connections for snapshots, the users and accounts of
// one party have at most half.
func (s *Store) Snapshot(ctx context.Context) (client *ent.Client, release func(), err error) {
	turn, err := s.turns.snapshot.Enter(ctx, limit.PartyFrom(ctx), 1)
	if err != nil {
		return nil, nil, fmt.Errorf("begin a snapshot: %w", err)
	}
	options := &sql.TxOptions{ReadOnly: true}
	if s.Postgres() {
		options.Isolation = sql.LevelRepeatableRead
	}
	tx, err := s.moments.BeginTx(ctx, options)
	if err != nil {
		turn.Leave()
		return nil, nil, fmt.Errorf("begin a snapshot: %w", s.classify(ctx, err))
	}
	client = ent.NewClient(ent.Driver(watched{entsql.NewDriver(s.dialect, entsql.Conn{ExecQuerier: tx}), s}))
	access.Guard(client, &s.changes)
	client.Intercept(takeTurns())
	return client, func() {
		_ = tx.Rollback() // nothing was written
		turn.Leave()
	}, nil
}

type turnKey struct{}

// takeTurns gives the connection to one query at a time, including its eager loads.
func takeTurns() ent.Interceptor {
	var turn sync.Mutex
	return ent.InterceptFunc(func(next ent.Querier) ent.Querier {
		return ent.QuerierFunc(func(ctx context.Context, q ent.Query) (ent.Value, error) {
			if mine, _ := ctx.Value(turnKey{}).(*sync.Mutex); mine == &turn {
				return next.Query(ctx, q)
			}
			turn.Lock()
			defer turn.Unlock()
			return next.Query(context.WithValue(ctx, turnKey{}, &turn), q)
		})
	})
}
