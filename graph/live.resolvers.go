package graph

import (
	"context"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/graph/generated"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/graph/stream"
	"github.com/convoke-dev/convoke/internal/live"
)

// InviteStatusChanged is the resolver for the inviteStatusChanged field.
func (r *subscriptionResolver) InviteStatusChanged(ctx context.Context, teamID string, after *string) (<-chan *model.InviteStatusChange, error) {
	return stream.Resolve(ctx, func(ctx context.Context, c *stream.Client) (live.Source, error) {
		return r.Live.Team(ctx, teamID, live.Invitations, c.Cursors(after), c.Wake)
	}, r.inviteStatusChange)
}

// MembersChanged is the resolver for the membersChanged field.
func (r *subscriptionResolver) MembersChanged(ctx context.Context, teamID string, after *string) (<-chan *model.MembersChange, error) {
	return stream.Resolve(ctx, func(ctx context.Context, c *stream.Client) (live.Source, error) {
		return r.Live.Team(ctx, teamID, live.Members, c.Cursors(after), c.Wake)
	}, r.membersChange)
}

// ReceivedInvitationsChanged is the resolver for the receivedInvitationsChanged field.
func (r *subscriptionResolver) ReceivedInvitationsChanged(ctx context.Context) (<-chan *ent.Invitation, error) {
	return stream.Resolve(ctx, func(ctx context.Context, c *stream.Client) (live.Source, error) {
		return r.Live.Addressee(ctx, c.Wake)
	}, r.received)
}

// ViewerAccessChanged is the resolver for the viewerAccessChanged field.
func (r *subscriptionResolver) ViewerAccessChanged(ctx context.Context) (<-chan *model.ViewerAccessChange, error) {
	return stream.Resolve(ctx, func(ctx context.Context, c *stream.Client) (live.Source, error) {
		return r.Live.Rights(ctx, c.Wake)
	}, viewerAccessChange)
}

// Subscription returns generated.SubscriptionResolver implementation.
func (r *Resolver) Subscription() generated.SubscriptionResolver { return &subscriptionResolver{r} }

type subscriptionResolver struct{ *Resolver }
