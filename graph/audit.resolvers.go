package graph

import (
	"context"

	"github.com/convoke-dev/convoke/ent"
	entevent "github.com/convoke-dev/convoke/ent/event"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/graph/relay"
	"github.com/convoke-dev/convoke/internal/access"
)

// AuditLog is the resolver for the auditLog field.
func (r *accountResolver) AuditLog(ctx context.Context, obj *ent.Account, first *int, after *string, last *int, before *string, filter *model.EventFilter) (*relay.Connection[*model.Event], error) {
	if _, err := access.RequireInAccount(ctx, obj.ID, access.AuditRead); err != nil {
		return nil, ofShown(err)
	}
	if filter != nil { // the types have no index
		if err := chargeScan(ctx, int(obj.EventSeq)); err != nil {
			return nil, err
		}
	}
	q := r.read(ctx).Event.Query().Where(entevent.AccountID(obj.ID)).Where(eventFilter(filter)...)
	page, err := relay.Page(ctx, q, relay.Args{First: first, After: after, Last: last, Before: before}, eventsByNumber)
	return r.shownPage(ctx, page, err)
}

// ViewerCanSeeAuditLog is the resolver for the viewerCanSeeAuditLog field.
func (r *accountResolver) ViewerCanSeeAuditLog(ctx context.Context, obj *ent.Account) (bool, error) {
	_, err := access.RequireInAccount(ctx, obj.ID, access.AuditRead)
	return err == nil, nil
}

// Timeline is the resolver for the timeline field.
func (r *invitationResolver) Timeline(ctx context.Context, obj *ent.Invitation, first *int, after *string, last *int, before *string) (*relay.Connection[*model.Event], error) {
	if !viewerSeesTimeline(ctx, obj) {
		_, err := access.Require(ctx, r.read(ctx), obj.TeamID, access.MembersRead)
		return nil, ofShown(err)
	}
	q := r.read(ctx).Event.Query().Where(entevent.SubjectID(obj.ID))
	page, err := relay.Page(access.System(ctx, "read the timeline of an invitation the viewer manages"), q, relay.Args{First: first, After: after, Last: last, Before: before}, eventsByNumber.In(false))
	return r.shownPage(ctx, page, err)
}

// ViewerCanSeeTimeline is the resolver for the viewerCanSeeTimeline field.
func (r *invitationResolver) ViewerCanSeeTimeline(ctx context.Context, obj *ent.Invitation) (bool, error) {
	return viewerSeesTimeline(ctx, obj), nil
}
