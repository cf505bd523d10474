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
func (r *Resolver) membersChanged(ctx context.Context, teamID string, after *string) <-chan *model.MembersChange {
	if out, only := oneEvent(ctx, r, r.memberChange); only {
		return out
	}
	f, err := r.follow(ctx, teamID, after, showsMembers)
	if err != nil {
		return refused[*model.MembersChange](ctx, r, err)
	}
	return run(ctx, r, f, r.memberChange)
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

// receivedInvitationsChanged follows the invitations to the viewer's address.
func (r *Resolver) receivedInvitationsChanged(ctx context.Context) <-chan *ent.Invitation {
	l, seat, err := r.listen(ctx)
	if err != nil {
		return refused[*ent.Invitation](ctx, r, err)
	}
	out := make(chan *ent.Invitation)
	go func() { // ends with ctx, the session or the server
		defer close(out)
		defer seat.Leave()
		defer l.Close()
		r.end(ctx, r.receive(ctx, l, seat, out))
		lastWord(ctx, seat)
	}()
	return out
}

func (r *Resolver) listen(ctx context.Context) (*invite.Listener, *auth.Seat, error) {
	v, err := access.SignedIn(ctx)
	if err != nil {
		return nil, nil, err
	}
	key := v.EmailKey
	if v.Unproven {
		key = "" // which is nobody's
	}
	l, err := r.Inbox.Listen(ctx, key)
	if err != nil {
		return nil, nil, err
	}
	seat, err := r.Watch.Take(ctx, v.SessionID)
	if err != nil {
		l.Close()
	}
	return l, seat, err
}

func (r *Resolver) receive(ctx context.Context, l *invite.Listener, seat *auth.Seat, out chan<- *ent.Invitation) error {
	for {
		var id string
		var open bool
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.Hub.Stopping():
			return event.ErrStopping
		case <-seat.Gone():
			return seat.Ended()
		case id, open = <-l.Changed:
		}
		if !open {
			return event.ErrSlow
		}
		if _, err := r.become(ctx, seat); err != nil {
			return err
		}
		i, err := r.received(ctx, id)
		if ent.IsNotFound(err) {
			continue // gone with its team
		}
		if err != nil {
			return err
		}
		select {
		case out <- i:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
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
	return r.read(ctx).Invitation.Query().Where(invitation.ID(id)).
		WithTeam(func(q *ent.TeamQuery) { q.WithAccount() }).WithInviter().
		WithRoles().WithGroups(func(q *ent.GroupQuery) { q.WithRoles() }).WithDivisions().
		Only(access.System(ctx, "show an invitation that is over to its addressee"))
}

// viewerAccessChanged follows what the viewer holds.
func (r *Resolver) viewerAccessChanged(ctx context.Context) <-chan *model.ViewerAccessChange {
	v, err := access.SignedIn(ctx)
	var seat *auth.Seat
	if err == nil {
		seat, err = r.Watch.Take(ctx, v.SessionID)
	}
	if err != nil {
		return refused[*model.ViewerAccessChange](ctx, r, err)
	}
	out := make(chan *model.ViewerAccessChange)
	heard, before := seat.Listen(), seat.Viewer()
	context.AfterFunc(ctx, heard)
	if s, ok := ctx.Value(streamKey{}).(*stream); ok {
		s.written = heard
	}
	go func() { // ends with ctx, the session or the server
		defer close(out)
		defer seat.Leave()
		r.end(ctx, r.tell(ctx, seat, before, out))
	}()
	return out
}

// tell says what changes, and at last that the session has ended.
func (r *Resolver) tell(ctx context.Context, seat *auth.Seat, before *access.Viewer, out chan<- *model.ViewerAccessChange) error {
	for {
		moved := seat.Moved()
		now := seat.Viewer()
		ended := seat.HasEnded()
		changes := r.accessChanges(before, now)
		if ended {
			changes = append(changes, &model.ViewerAccessChange{Type: model.ViewerAccessEventTypeSignedOut, At: r.Now(), Permissions: []string{}})
		}
		before = now
		for _, c := range changes {
			select {
			case out <- c:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if ended {
			return seat.Ended()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.Hub.Stopping():
			return event.ErrStopping
		case <-seat.Gone():
		case <-moved:
		}
	}
}

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

// lastWord leaves the last word to the stream that tells the viewer why his
// session ended, for the transport may close the connection after this one.
func lastWord(ctx context.Context, seat *auth.Seat) {
	if seat.HasEnded() {
		seat.Told(ctx)
	}
}
