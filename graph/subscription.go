package graph

import (
	"context"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/internal/event"
)

// inviteEvents says which events a subscriber sees, and as what. A queued mail
// is not among them: CREATED and RESENT say so already.
var inviteEvents = map[event.Type]model.InviteEventType{
	event.InvitationCreated:  model.InviteEventTypeCreated,
	event.InvitationUpdated:  model.InviteEventTypeUpdated,
	event.InvitationResent:   model.InviteEventTypeResent,
	event.InvitationSent:     model.InviteEventTypeDeliveryChanged,
	event.InvitationFailed:   model.InviteEventTypeDeliveryChanged,
	event.InvitationBounced:  model.InviteEventTypeDeliveryChanged,
	event.InvitationAccepted: model.InviteEventTypeAccepted,
	event.InvitationDeclined: model.InviteEventTypeDeclined,
	event.InvitationRevoked:  model.InviteEventTypeRevoked,
	event.InvitationExpired:  model.InviteEventTypeExpired,
}

func showsInvites(typ event.Type) bool { return inviteEvents[typ] != "" }

// inviteStatusChanged follows the invitations of a team.
func (r *Resolver) inviteStatusChanged(ctx context.Context, teamID string, after *string) (<-chan *model.InviteStatusChange, error) {
	return subscribe(ctx, func(ctx context.Context, on *stream) (source, error) {
		return r.follow(ctx, on, teamID, after, showsInvites)
	}, r.change)
}

func (r *Resolver) change(ctx context.Context, e *ent.Event) (*model.InviteStatusChange, error) {
	typ := inviteEvents[event.Type(e.Type)]
	q := r.read(ctx).Invitation.Query().Where(invitation.ID(e.SubjectID))
	r.withInvitation(ctx, selected(ctx).under("invitation"))(q)
	i, err := q.Only(ctx)
	if err != nil {
		return nil, err
	}
	c := &model.InviteStatusChange{
		Cursor: cursorOf(e),
		Type:   typ, At: e.CreatedAt, Invitation: i,
	}
	if previous, ok := e.Data[event.PreviousStatus]; ok {
		status := invitation.Status(previous)
		c.PreviousStatus = &status
	}
	if typ == model.InviteEventTypeAccepted && selected(ctx).has("member") {
		c.Member, err = r.memberOf(ctx, i)
	}
	return c, err
}
