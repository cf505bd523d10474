package graph

import (
	"context"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/graph/model"
)

// MembersChanged is the resolver for the membersChanged field.
func (r *subscriptionResolver) MembersChanged(ctx context.Context, teamID string, after *string) (<-chan *model.MembersChange, error) {
	return r.membersChanged(ctx, teamID, after)
}

// ReceivedInvitationsChanged is the resolver for the receivedInvitationsChanged field.
func (r *subscriptionResolver) ReceivedInvitationsChanged(ctx context.Context) (<-chan *ent.Invitation, error) {
	return r.receivedInvitationsChanged(ctx)
}

// ViewerAccessChanged is the resolver for the viewerAccessChanged field.
func (r *subscriptionResolver) ViewerAccessChanged(ctx context.Context) (<-chan *model.ViewerAccessChange, error) {
	return r.viewerAccessChanged(ctx)
}
