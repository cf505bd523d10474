package graph

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/auth"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
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

// lookEvery is how long a stream may outlive its session.
const lookEvery = 5 * time.Second

// accessEvents may have taken a subscriber's right away.
var accessEvents = map[event.Type]bool{
	event.MemberUpdated: true, event.MemberDeactivated: true, event.MemberRemoved: true, event.TransferAccepted: true,
	event.RoleUpdated: true, event.RoleDeleted: true, event.GroupUpdated: true, event.GroupDeleted: true,
	event.TeamDeleted: true, event.UserSignedOut: true, event.UserPasswordChanged: true,
}

// inviteStatusChanged follows the invitations of a team. The goroutine ends
// when the client leaves, the right is lost, or the server stops.
func (r *Resolver) inviteStatusChanged(ctx context.Context, teamID string, after *string) (<-chan *model.InviteStatusChange, error) {
	out := make(chan *model.InviteStatusChange)
	sub, err := r.follow(ctx, teamID, after)
	if err != nil {
		r.end(ctx, err)
		close(out)
		return out, nil
	}
	go func() {
		defer close(out)
		defer sub.Close()
		r.end(ctx, r.stream(ctx, sub, teamID, out))
	}()
	return out, nil
}

func (r *Resolver) follow(ctx context.Context, teamID string, after *string) (*event.Subscription, error) {
	m, err := access.Require(ctx, r.read(ctx), teamID, access.MembersRead)
	if err != nil {
		return nil, err
	}
	var cursor *event.Cursor
	if after != nil {
		c, err := event.ParseCursor(*after, m.AccountID)
		if err != nil {
			return nil, err
		}
		cursor = &c
	}
	return r.Hub.Subscribe(ctx, m.AccountID, cursor)
}

func (r *Resolver) stream(ctx context.Context, sub *event.Subscription, teamID string, out chan<- *model.InviteStatusChange) error {
	for {
		batch, err := r.next(ctx, sub)
		if err != nil {
			return err
		}
		for _, e := range batch {
			typ, shown := inviteEvents[event.Type(e.Type)]
			shown = shown && e.TeamID == teamID
			if !shown && !accessEvents[event.Type(e.Type)] {
				continue
			}
			if err := r.stillMay(ctx, teamID); err != nil {
				return err
			}
			if !shown {
				continue
			}
			change, err := r.change(ctx, e, typ)
			if err != nil {
				return err
			}
			select {
			case out <- change:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

// next waits for the next events, and looks now and then whether the session
// still is: it may run out, or be ended where this log does not hear of it.
func (r *Resolver) next(ctx context.Context, sub *event.Subscription) ([]*ent.Event, error) {
	for {
		waiting, cancel := context.WithTimeout(ctx, lookEvery)
		batch, err := sub.Next(waiting)
		cancel()
		if ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return batch, err
		}
		if err := r.Auth.Alive(ctx, access.ViewerFrom(ctx).SessionID); err != nil {
			return nil, err
		}
	}
}

// stillMay loads the viewer anew and checks the right to see the next event.
func (r *Resolver) stillMay(ctx context.Context, teamID string) error {
	v, err := r.Auth.Refresh(ctx, access.ViewerFrom(ctx).SessionID)
	if err != nil {
		return err
	}
	access.Become(ctx, v)
	_, err = access.Require(ctx, r.read(ctx), teamID, access.MembersRead)
	if fault.Is(err, fault.NotFound) {
		return fault.Refuse(fault.Forbidden, "You are not in this team any more.")
	}
	return err
}

func (r *Resolver) change(ctx context.Context, e *ent.Event, typ model.InviteEventType) (*model.InviteStatusChange, error) {
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
