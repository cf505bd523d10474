package graph

import (
	"context"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

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

// startAfter returns where a subscription begins: after its argument, or after
// the last event its client says to have seen, whichever is further on. For a
// client that comes back by itself repeats its request as it was.
func startAfter(ctx context.Context, accountID string, after *string) (*event.Cursor, error) {
	var start *event.Cursor
	given := []*string{after}
	if s, ok := ctx.Value(streamKey{}).(*stream); ok && s.lastEventID != "" {
		given = append(given, &s.lastEventID)
	}
	for _, text := range given {
		if text == nil {
			continue
		}
		c, err := event.ParseCursor(*text, accountID)
		if err != nil {
			return nil, err
		}
		if start == nil || c.Seq > start.Seq {
			start = &c
		}
	}
	return start, nil
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

func cursorOf(e *ent.Event) string {
	return event.Cursor{AccountID: e.AccountID, Seq: e.Seq}.String()
}

type streamKey struct{}

// stream is what a subscription and its transport tell one another.
type stream struct {
	lastEventID string
	// cursors are those of the changes that have not been answered with yet, in
	// their order: the one being sent, and the next. Nil when nobody asks.
	cursors chan string
	// cursor is that of the last answer; only its transport asks.
	cursor string
	// written is called when the last answer has been sent; set before the first.
	written func()
	// err is why the stream ends.
	err atomic.Pointer[gqlerror.Error]
}

// WithStream returns the context of a subscription, in which it can say why it
// ends: see LastWord. A context that has a stream is left as it is.
func WithStream(ctx context.Context) context.Context {
	if _, known := ctx.Value(streamKey{}).(*stream); known {
		return ctx
	}
	return context.WithValue(ctx, streamKey{}, &stream{})
}

// WithCursors is WithStream for a transport that asks for the Cursor of each
// answer. lastEventID is the last event its client says to have seen, or empty.
func WithCursors(ctx context.Context, lastEventID string) context.Context {
	return context.WithValue(ctx, streamKey{}, &stream{lastEventID: lastEventID, cursors: make(chan string, 2)})
}

// Cursor returns the cursor of the answer that came last in the context of a
// subscription; empty where its answers have none.
func Cursor(ctx context.Context) string {
	if s, ok := ctx.Value(streamKey{}).(*stream); ok {
		return s.cursor
	}
	return ""
}

// announce notes the cursor of a change before it is sent. Each change that is
// sent becomes one answer, in order; so LastWord finds the cursor of each.
func announce(ctx context.Context, e *ent.Event) error {
	s, ok := ctx.Value(streamKey{}).(*stream)
	if !ok || s.cursors == nil {
		return nil
	}
	select {
	case s.cursors <- cursorOf(e):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// end notes why a stream ends, if not by the client's wish.
func (r *Resolver) end(ctx context.Context, err error) {
	if err == nil || ctx.Err() != nil {
		return
	}
	if s, ok := ctx.Value(streamKey{}).(*stream); ok {
		s.err.Store(r.Present(ctx, err))
	}
}

// LastWord is a response interceptor that tells the client why its stream
// ended, by a last answer that has errors and no data. Of the answers before it
// notes the cursors.
func LastWord(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	answer := next(ctx)
	s, ok := ctx.Value(streamKey{}).(*stream)
	if !ok {
		return answer
	}
	if answer != nil {
		s.cursor = ""
		select {
		case s.cursor = <-s.cursors:
		default: // of a subscription without cursors
		}
		return answer
	}
	if s.written != nil {
		s.written() // whoever asks for more has sent what came before
	}
	if why := s.err.Swap(nil); why != nil {
		return &graphql.Response{Errors: gqlerror.List{why}}
	}
	return nil
}
