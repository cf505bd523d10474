package graph

import (
	"context"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/ownershiptransfer"
	"github.com/convoke-dev/convoke/graph/generated"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/internal/lifecycle"
)

// RequestOwnershipTransfer is the resolver for the requestOwnershipTransfer field.
func (r *mutationResolver) RequestOwnershipTransfer(ctx context.Context, input model.RequestOwnershipTransferInput) (*model.OwnershipTransferPayload, error) {
	id, err := r.Roster.RequestTransfer(ctx, input.MemberID)
	return r.transferPayload(ctx, id, err)
}

// AcceptOwnershipTransfer is the resolver for the acceptOwnershipTransfer field.
func (r *mutationResolver) AcceptOwnershipTransfer(ctx context.Context, input model.AcceptOwnershipTransferInput) (*model.OwnershipTransferPayload, error) {
	return r.transferPayload(ctx, input.TransferID, r.Roster.AcceptTransfer(ctx, input.TransferID))
}

// DeclineOwnershipTransfer is the resolver for the declineOwnershipTransfer field.
func (r *mutationResolver) DeclineOwnershipTransfer(ctx context.Context, input model.DeclineOwnershipTransferInput) (*model.OwnershipTransferPayload, error) {
	return r.transferPayload(ctx, input.TransferID, r.Roster.DeclineTransfer(ctx, input.TransferID))
}

// CancelOwnershipTransfer is the resolver for the cancelOwnershipTransfer field.
func (r *mutationResolver) CancelOwnershipTransfer(ctx context.Context, input model.CancelOwnershipTransferInput) (*model.OwnershipTransferPayload, error) {
	return r.transferPayload(ctx, input.TransferID, r.Roster.CancelTransfer(ctx, input.TransferID))
}

// Team is the resolver for the team field.
func (r *ownershipTransferResolver) Team(ctx context.Context, obj *ent.OwnershipTransfer) (*ent.Team, error) {
	t, err := obj.Edges.TeamOrErr()
	return loaded(t, err, func() (*ent.Team, error) { return r.read(ctx).Team.Get(ctx, obj.TeamID) })
}

// From is the resolver for the from field.
func (r *ownershipTransferResolver) From(ctx context.Context, obj *ent.OwnershipTransfer) (*ent.Member, error) {
	m, err := obj.Edges.FromOrErr()
	return loaded(m, err, func() (*ent.Member, error) { return r.read(ctx).Member.Get(ctx, obj.FromID) })
}

// To is the resolver for the to field.
func (r *ownershipTransferResolver) To(ctx context.Context, obj *ent.OwnershipTransfer) (*ent.Member, error) {
	m, err := obj.Edges.ToOrErr()
	return loaded(m, err, func() (*ent.Member, error) { return r.read(ctx).Member.Get(ctx, obj.ToID) })
}

// Status is the resolver for the status field.
func (r *ownershipTransferResolver) Status(ctx context.Context, obj *ent.OwnershipTransfer) (ownershiptransfer.Status, error) {
	return lifecycle.EffectiveTransfer(obj, r.Now()), nil
}

// OwnershipTransfer returns generated.OwnershipTransferResolver implementation.
func (r *Resolver) OwnershipTransfer() generated.OwnershipTransferResolver {
	return &ownershipTransferResolver{r}
}

type ownershipTransferResolver struct{ *Resolver }
