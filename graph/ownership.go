package graph

import (
	"context"
	"slices"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/ownershiptransfer"
	"github.com/convoke-dev/convoke/internal/lifecycle"
)

func (r *Resolver) pendingTransfer(ctx context.Context, t *ent.Team) (*ent.OwnershipTransfer, error) {
	open, err := t.Edges.TransfersOrErr()
	open, err = loaded(open, err, func() ([]*ent.OwnershipTransfer, error) {
		q := r.read(ctx).OwnershipTransfer.Query().Where(ownershiptransfer.TeamID(t.ID), lifecycle.OpenTransfer(r.Now()))
		r.withTransfer(ctx, selected(ctx))(q)
		return q.All(ctx)
	})
	if open = withMembers(open); err != nil || len(open) == 0 {
		return nil, err
	}
	return open[0], nil
}

// withMembers leaves out the transfers that were deleted with one of their members while
// they were read.
func withMembers(transfers []*ent.OwnershipTransfer) []*ent.OwnershipTransfer {
	return slices.DeleteFunc(transfers, func(t *ent.OwnershipTransfer) bool {
		_, from := t.Edges.FromOrErr()
		_, to := t.Edges.ToOrErr()
		return ent.IsNotFound(from) || ent.IsNotFound(to)
	})
}
