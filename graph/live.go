package graph

import (
	"context"
	"slices"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/auth"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/invite"
)

// memberEvents says which events a subscriber to the members of a team sees, and
// as what.
var memberEvents = map[event.Type]model.MemberEventType{
	event.MemberJoined:      model.MemberEventTypeJoined,
	event.MemberUpdated:     model.MemberEventTypeUpdated,
	event.MemberDeactivated: model.MemberEventTypeDeactivated,
	event.MemberReactivated: model.MemberEventTypeReactivated,
	event.MemberRemoved:     model.MemberEventTypeRemoved,
	event.TransferAccepted:  model.MemberEventTypeOwnerChanged,
}

func showsMembers(typ event.Type) bool { return memberEvents[typ] != "" }

// membersChanged follows the members of a team.
func (r *Resolver) membersChanged(ctx context.Context, teamID string, after *string) (<-chan *model.MembersChange, error) {
	return subscribe(ctx, func(ctx context.Context, on *stream) (source, error) {
		return r.follow(ctx, on, teamID, after, showsMembers)
	}, r.memberChange)
}

func (r *Resolver) memberChange(ctx context.Context, e *ent.Event) (*model.MembersChange, error) {
	c := &model.MembersChange{
		Cursor: cursorOf(e),
		Type:   memberEvents[event.Type(e.Type)], At: e.CreatedAt, MemberID: e.SubjectID,
	}
	if id := e.Data[event.MemberID]; c.Type == model.MemberEventTypeOwnerChanged {
		c.MemberID = id
	}
	asked := selected(ctx)
	if !asked.has("member") {
		return c, nil
	}
	q := r.read(ctx).Member.Query().Where(member.ID(c.MemberID))
	r.withMember(ctx, asked.under("member"))(q)
	var err error
	c.Member, err = orNull(q.Only(ctx))
	return c, err
}

// letterbox has the invitations to a viewer's address.
type letterbox struct {
	r        *Resolver
	listener *invite.Listener
	seat     *auth.Seat
}

// receivedInvitationsChanged follows the invitations to the viewer's address.
func (r *Resolver) receivedInvitationsChanged(ctx context.Context) (<-chan *ent.Invitation, error) {
	return subscribe(ctx, func(ctx context.Context, on *stream) (source, error) {
		v, err := access.SignedIn(ctx)
		if err != nil {
			return nil, err
		}
		key := v.EmailKey
		if v.Unproven {
			key = "" // which is nobody's
		}
		l, err := r.Inbox.Listen(ctx, key, on.wake)
		if err != nil {
			return nil, err
		}
		seat, err := r.Watch.Take(ctx, v.SessionID, on.wake)
		if err != nil {
			l.Close()
			return nil, err
		}
		return &letterbox{r, l, seat}, nil
	}, r.received)
}

func (b *letterbox) next(ctx context.Context) (*item, error) {
	if b.seat.HasEnded() {
		return nil, b.seat.Ended()
	}
	id, err := b.listener.Next()
	if err != nil || id == "" {
		return nil, err
	}
	v, err := b.may(ctx)
	if err != nil {
		return nil, err
	}
	return &item{value: id, viewer: v}, nil
}

func (b *letterbox) may(ctx context.Context) (*access.Viewer, error) { return b.r.present(ctx, b.seat) }

func (b *letterbox) place() *auth.Seat { return b.seat }

func (b *letterbox) close() {
	b.listener.Close()
	b.seat.Leave()
}

// received reads an invitation for its addressee: as he sees it, or, when it is
// over and he is no member, with what was offered to him.
func (r *Resolver) received(ctx context.Context, id string) (*ent.Invitation, error) {
	q := r.read(ctx).Invitation.Query().Where(invitation.ID(id))
	r.withInvitation(ctx, selected(ctx))(q)
	i, err := q.Only(ctx)
	if !ent.IsNotFound(err) {
		return i, err
	}
	i, err = r.read(ctx).Invitation.Query().Where(invitation.ID(id)).
		WithTeam(func(q *ent.TeamQuery) { q.WithAccount() }).WithInviter().
		WithRoles().WithGroups(func(q *ent.GroupQuery) { q.WithRoles() }).WithDivisions().
		Only(access.System(ctx, "show an invitation that is over to its addressee"))
	if ent.IsNotFound(err) {
		err = errGone // with its team
	}
	return i, err
}

// holdings are what a viewer holds, as it changes.
type holdings struct {
	r       *Resolver
	seat    *auth.Seat
	known   *access.Viewer // as the changes so far have it
	changes []*model.ViewerAccessChange
	ended   bool // it has been said, or is among the changes
}

// viewerAccessChanged follows what the viewer holds.
func (r *Resolver) viewerAccessChanged(ctx context.Context) (<-chan *model.ViewerAccessChange, error) {
	return subscribe(ctx, func(ctx context.Context, on *stream) (source, error) {
		v, err := access.SignedIn(ctx)
		if err != nil {
			return nil, err
		}
		seat, err := r.Watch.Listen(ctx, v.SessionID, on.wake)
		if err != nil {
			return nil, err
		}
		return &holdings{r: r, seat: seat, known: v}, nil // a change since the request began is told too
	}, func(_ context.Context, c *model.ViewerAccessChange) (*model.ViewerAccessChange, error) { return c, nil })
}

// next says what has changed, and at last that the session has ended. Whoever asks
// for more has been told what came before.
func (h *holdings) next(context.Context) (*item, error) {
	if len(h.changes) == 0 && h.ended {
		h.seat.Heard()
		return nil, h.seat.Ended()
	}
	if len(h.changes) == 0 {
		now := h.seat.Viewer()
		h.ended = h.seat.HasEnded()
		h.changes, h.known = h.r.accessChanges(h.known, now), now
		if h.ended {
			h.changes = append(h.changes, &model.ViewerAccessChange{Type: model.ViewerAccessEventTypeSignedOut, At: h.r.Now(), Permissions: []string{}})
		}
	}
	if len(h.changes) == 0 {
		h.seat.Caught(h.known)
		return nil, nil //nolint:nilnil // nothing yet: see source
	}
	c := h.changes[0]
	h.changes = h.changes[1:]
	return &item{value: c, viewer: h.known}, nil
}

func (h *holdings) may(context.Context) (*access.Viewer, error) { return h.known, nil }

func (h *holdings) place() *auth.Seat { return h.seat }
func (h *holdings) close()            { h.seat.Leave() }

// accessChanges compares what a viewer held and holds, team by team.
func (r *Resolver) accessChanges(before, now *access.Viewer) (changes []*model.ViewerAccessChange) {
	teams := slices.Compact(slices.Sorted(slices.Values(slices.Concat(before.Teams(), now.Teams()))))
	for _, id := range teams {
		was, is := before.Membership(id), now.Membership(id)
		c := &model.ViewerAccessChange{At: r.Now(), TeamID: &id, Permissions: []string{}}
		switch {
		case is == nil:
			c.Type = model.ViewerAccessEventTypeRevoked
		case was == nil:
			c.Type = model.ViewerAccessEventTypeGranted
		case !was.Same(is):
			c.Type = model.ViewerAccessEventTypeChanged
		default:
			continue
		}
		if is != nil {
			c.Permissions = is.Permissions.Keys()
		}
		changes = append(changes, c)
	}
	return changes
}
