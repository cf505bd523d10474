package graph

import (
	"context"

	"github.com/convoke-dev/convoke/graph/generated"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/graph/stream"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/live"
)

// InviteStatusChanged is the resolver for the inviteStatusChanged field.
func (r *subscriptionResolver) InviteStatusChanged(ctx context.Context, teamID string, after *string) (<-chan *model.InviteStatusChange, error) {
	return stream.Resolve(ctx, func(ctx context.Context, c *stream.Client) (live.Source, error) {
		return r.Live.Team(ctx, teamID, live.Invitations, c.Cursors(after), c.Wake)
	}, r.inviteStatusChange(teamID))
}

// MembersChanged is the resolver for the membersChanged field.
func (r *subscriptionResolver) MembersChanged(ctx context.Context, teamID string, after *string) (<-chan *model.MembersChange, error) {
	return stream.Resolve(ctx, func(ctx context.Context, c *stream.Client) (live.Source, error) {
		return r.Live.Team(ctx, teamID, live.Members, c.Cursors(after), c.Wake)
	}, r.membersChange(teamID))
}

// TeamChanged is the resolver for the teamChanged field.
func (r *subscriptionResolver) TeamChanged(ctx context.Context, teamID string, after *string) (<-chan *model.TeamChange, error) {
	return stream.Resolve(ctx, func(ctx context.Context, c *stream.Client) (live.Source, error) {
		return r.Live.Team(ctx, teamID, live.Everything, c.Cursors(after), c.Wake)
	}, r.teamChange(teamID))
}

// ReceivedInvitationsChanged is the resolver for the receivedInvitationsChanged field.
func (r *subscriptionResolver) ReceivedInvitationsChanged(ctx context.Context, after *string) (<-chan *model.ReceivedInvitationChange, error) {
	return stream.Resolve(ctx, func(ctx context.Context, c *stream.Client) (live.Source, error) {
		return r.Live.Addressee(ctx, c.Cursors(after), c.Wake)
	}, r.receivedInvitationChange)
}

// ViewerAccessChanged is the resolver for the viewerAccessChanged field.
func (r *subscriptionResolver) ViewerAccessChanged(ctx context.Context) (<-chan *model.ViewerAccessChange, error) {
	return stream.Resolve(ctx, func(ctx context.Context, c *stream.Client) (live.Source, error) {
		return r.Live.Rights(ctx, c.Wake)
	}, viewerAccessChange)
}

// ReceivedInvitationsCursor is the resolver for the receivedInvitationsCursor field.
func (r *viewerResolver) ReceivedInvitationsCursor(ctx context.Context, obj *access.Viewer) (string, error) {
	return live.ReceivedCursor(ctx, r.read(ctx), obj)
}

// Subscription returns generated.SubscriptionResolver implementation.
func (r *Resolver) Subscription() generated.SubscriptionResolver { return &subscriptionResolver{r} }

type subscriptionResolver struct{ *Resolver }
