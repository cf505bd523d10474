package graph

import (
	"context"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/internal/auth"
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
func (r *Resolver) inviteStatusChanged(ctx context.Context, teamID string, after *string) <-chan *model.InviteStatusChange {
	if out, only := oneEvent(ctx, r, r.change); only {
		return out
	}
	f, err := r.follow(ctx, teamID, after, showsInvites)
	if err != nil {
		return refused[*model.InviteStatusChange](ctx, r, err)
	}
	return run(ctx, r, f, r.change)
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
		Cursor: event.Cursor{AccountID: e.AccountID, Seq: e.Seq}.String(),
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

type endingKey struct{}

// ending is why a stream ends: written by the stream, read by the transport.
type ending struct {
	err atomic.Pointer[gqlerror.Error]
}

// WithEnding returns the context of a subscription, in which it can say why
// it ends: see LastWord.
func WithEnding(ctx context.Context) context.Context {
	return context.WithValue(ctx, endingKey{}, &ending{})
}

// end notes why a stream ends, if not by the client's wish.
func (r *Resolver) end(ctx context.Context, err error) {
	if err == nil || ctx.Err() != nil {
		return
	}
	if e, ok := ctx.Value(endingKey{}).(*ending); ok {
		e.err.Store(r.Present(ctx, err))
	}
}

// LastWord is a response interceptor that tells the client why its stream
// ended: by an error frame on a socket, by a last answer elsewhere.
func LastWord(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	answer := next(ctx)
	e, ok := ctx.Value(endingKey{}).(*ending)
	if answer != nil || !ok {
		return answer
	}
	why := e.err.Swap(nil)
	switch {
	case why == nil:
		return nil
	case auth.CookiesFrom(ctx) == nil:
		transport.AddSubscriptionError(ctx, why)
		return nil
	default:
		return &graphql.Response{Errors: gqlerror.List{why}}
	}
}
