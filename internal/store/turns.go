package store

import (
	"context"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/limit"
)

// turns share the connections out, so that nobody waits for one user or account. Each pool of
// connections has a gate with as many places, so the holder of a ticket finds a connection
// free. A ticket is held for one query with its eager loads, for one snapshot, or for one
// transaction. The holder of a ticket for a snapshot or a transaction may wait for one to
// read. The holder of a ticket to read waits for no other ticket, so there is no deadlock.
type turns struct {
	read, snapshot, write *limit.Gate
}

// half is the share of a user or an account in n connections.
func half(n int) int { return max(1, n/2) }

func newTurns(reads, writes int) turns {
	gate := func(n int) *limit.Gate {
		return limit.NewGate(limit.Shares{All: n, User: half(n), Account: half(n)}, limit.Wait{}, "requests")
	}
	return turns{read: gate(reads), snapshot: gate(maxSnapshots), write: gate(writes)}
}

// begin waits for the turn to change the accounts. The accounts take turns. Without
// accounts, the users do.
func (t turns) begin(ctx context.Context, accountIDs []string) (*limit.Ticket, error) {
	return t.write.Enter(ctx, limit.PartyFrom(ctx).In(accountIDs), 1)
}

type readingKey struct{}

// reading waits for a turn to read before each query. Its eager loads have the same turn.
func (t turns) reading() ent.Interceptor {
	return ent.InterceptFunc(func(next ent.Querier) ent.Querier {
		return ent.QuerierFunc(func(ctx context.Context, q ent.Query) (ent.Value, error) {
			if ctx.Value(readingKey{}) != nil {
				return next.Query(ctx, q)
			}
			ticket, err := t.read.Enter(ctx, limit.PartyFrom(ctx), 1)
			if err != nil {
				return nil, err
			}
			defer ticket.Leave()
			return next.Query(context.WithValue(ctx, readingKey{}, true), q)
		})
	})
}
