package graph

import (
	"context"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/ownershiptransfer"
	"github.com/convoke-dev/convoke/ent/predicate"
)

// openTransfer is the condition that a transfer can still be accepted.
func (r *Resolver) openTransfer() predicate.OwnershipTransfer {
	return ownershiptransfer.And(
		ownershiptransfer.StatusEQ(ownershiptransfer.StatusPending), ownershiptransfer.ExpiresAtGT(r.Now()))
}

func (r *Resolver) pendingTransfer(ctx context.Context, t *ent.Team) (*ent.OwnershipTransfer, error) {
	open, err := t.Edges.TransfersOrErr()
	open, err = loaded(open, err, func() ([]*ent.OwnershipTransfer, error) {
		q := r.read(ctx).OwnershipTransfer.Query().Where(ownershiptransfer.TeamID(t.ID), r.openTransfer())
		r.withTransfer(ctx, selected(ctx))(q)
		return q.All(ctx)
	})
	if err != nil || len(open) == 0 {
		return nil, err
	}
	return open[0], nil
}
