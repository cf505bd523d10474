package graph

import (
	"context"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/graph/stream"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/live"
)

// SharedFields are the fields that look the same to everybody who may see the people of
// a team: nothing in them depends on the viewer. Subscribers with the same document
// share results that select nothing else. When in doubt, leave a new field out. The users
// inviter and acceptedBy are not in it: a viewer who shares another team with them sees
// more of them (access.KnownUser).
var SharedFields = stream.NewFields(`
	Subscription: inviteStatusChanged membersChanged
	InviteStatusChange: cursor type at invitation previousStatus member
	MembersChange: cursor type at memberId member
	Invitation: id email displayName personStatus addedAt lastSeenAt firstName lastName jobTitle note status roles groups permissions divisions allowedDomains
	Invitation: createdAt expiresAt lastSentAt sendCount delivery member
	Delivery: status attempts error updatedAt
	Member: id user email displayName personStatus addedAt expiresAt status isOwner roles groups directPermissions effectivePermissions divisions allowedDomains joinedAt lastSeenAt version
	User: id email firstName lastName jobTitle emailVerified lastSeenAt
	SystemActor: name
	Role: id key name description permissions isSystem version
	Group: id name description roles version
	Division: id name version`)

func (r *Resolver) inviteStatusChange(ctx context.Context, it *live.Item) (*model.InviteStatusChange, error) {
	e := it.Event
	i, err := r.invitation(ctx, e.SubjectID)
	if err != nil {
		return nil, err
	}
	c := &model.InviteStatusChange{
		Cursor: event.CursorOf(e).String(),
		Type:   model.InviteEventType(event.Type(e.Type).Facts().Invitations), At: e.CreatedAt, Invitation: i,
	}
	if previous, ok := e.Data[event.PreviousStatus]; ok {
		status := invitation.Status(previous)
		c.PreviousStatus = &status
	}
	if c.Type == model.InviteEventTypeAccepted && selected(ctx).has("member") {
		c.Member, err = r.memberOf(ctx, i)
	}
	return c, err
}

func (r *Resolver) membersChange(ctx context.Context, it *live.Item) (*model.MembersChange, error) {
	e := it.Event
	c := &model.MembersChange{
		Cursor: event.CursorOf(e).String(),
		Type:   model.MemberEventType(event.Type(e.Type).Facts().Members), At: e.CreatedAt, MemberID: e.SubjectID,
	}
	if c.Type == model.MemberEventTypeOwnerChanged { // the subject is the transfer
		c.MemberID = e.Data[event.MemberID]
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

// received reads an invitation for its addressee: as they may see it, or, once it is
// over and they are no member, with everything it granted.
func (r *Resolver) received(ctx context.Context, it *live.Item) (*ent.Invitation, error) {
	q := r.read(ctx).Invitation.Query().Where(invitation.ID(it.InvitationID))
	r.withInvitation(ctx, selected(ctx))(q)
	i, err := q.Only(ctx)
	if !ent.IsNotFound(err) {
		return i, err
	}
	i, err = r.read(ctx).Invitation.Query().Where(invitation.ID(it.InvitationID)).
		WithTeam(func(q *ent.TeamQuery) { q.WithAccount() }).WithInviter(access.AsColleague(ctx)).
		WithRoles().WithGroups(func(q *ent.GroupQuery) { q.WithRoles() }).WithDivisions().
		Only(access.System(ctx, "show an invitation that is over to its addressee"))
	switch {
	case ent.IsNotFound(err):
		return nil, stream.ErrGone // deleted with its team
	case err != nil:
		return nil, err
	}
	return access.ClosedInvitation(ctx, i), nil
}

func viewerAccessChange(_ context.Context, it *live.Item) (*model.ViewerAccessChange, error) {
	c := it.Rights
	return &model.ViewerAccessChange{
		Type: model.ViewerAccessEventType(c.Kind), At: c.At, TeamID: c.TeamID, Permissions: c.Permissions,
	}, nil
}
