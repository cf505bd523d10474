package graph

import (
	"context"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/team"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/graph/stream"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/live"
)

// SharedFields are the fields that look the same to everybody who may see the people of
// a team: nothing in them depends on the viewer. Subscribers with the same document
// share results that select nothing else. When in doubt, leave a new field out. The users
// inviter and acceptedBy are not in it: a viewer who shares another team with them sees
// more of them (access.KnownUser).
var SharedFields = stream.NewFields(`
	Subscription: inviteStatusChanged membersChanged teamChanged
	InviteStatusChange: cursor type at team invitation previousStatus member nodeId node reload
	MembersChange: cursor type at team memberId member formerOwner removedMemberId nodeId node reload
	TeamChange: cursor type at team nodeId node previousStatus reload
	Node: id
	Team: id name isDefault createdAt owner counts pendingOwnershipTransfer
	PeopleCounts: active invited expired deactivated seatsUsed seatLimit
	OwnershipTransfer: id from to status requestedAt expiresAt
	Account: id name status
	Invitation: id email displayName personStatus addedAt lastSeenAt firstName lastName jobTitle note status roles groups permissions divisions allowedDomains
	Invitation: createdAt expiresAt lastSentAt sendCount delivery member
	Delivery: status attempts error updatedAt
	Member: id user email displayName personStatus addedAt expiresAt status isOwner roles groups directPermissions effectivePermissions divisions allowedDomains joinedAt lastSeenAt version
	User: id email firstName lastName jobTitle emailVerified lastSeenAt
	SystemActor: name
	Role: id key name description permissions isSystem version
	Group: id name description roles version
	Division: id name parent version`)

// inviteStatusChange returns what shows an item of a team's list of invitations.
func (r *Resolver) inviteStatusChange(teamID string) func(context.Context, *live.Item) (*model.InviteStatusChange, error) {
	return func(ctx context.Context, it *live.Item) (*model.InviteStatusChange, error) {
		e, asked := it.Event, selected(ctx)
		c := &model.InviteStatusChange{
			Cursor: it.Cursor(), Type: model.InviteEventType(event.Type(e.Type).Facts().Invitations), At: e.CreatedAt,
			PreviousStatus: previousStatus(e), Reload: e.Data[event.Reload] != "",
		}
		var err error
		if c.Team, err = r.followed(ctx, teamID, asked); err != nil {
			return nil, err
		}
		if c.Type == model.InviteEventTypeReferenceChanged {
			c.NodeID, c.Node, err = r.reference(ctx, e, asked)
			return c, err
		}
		if c.Invitation, err = r.invitation(ctx, e.SubjectID); err != nil {
			return nil, err
		}
		c.Member, err = r.changedMember(ctx, e.Data[event.MemberID], asked, "member") // set by an acceptance
		return c, err
	}
}

// membersChange returns what shows an item of a team's list of members.
func (r *Resolver) membersChange(teamID string) func(context.Context, *live.Item) (*model.MembersChange, error) {
	return func(ctx context.Context, it *live.Item) (*model.MembersChange, error) {
		e, asked := it.Event, selected(ctx)
		c := &model.MembersChange{
			Cursor: it.Cursor(), Type: model.MemberEventType(event.Type(e.Type).Facts().Members), At: e.CreatedAt,
			Reload: e.Data[event.Reload] != "",
		}
		var err error
		if c.Team, err = r.followed(ctx, teamID, asked); err != nil {
			return nil, err
		}
		id, formerOwner := e.SubjectID, ""
		switch c.Type {
		case model.MemberEventTypeReferenceChanged:
			c.NodeID, c.Node, err = r.reference(ctx, e, asked)
			return c, err
		case model.MemberEventTypeRemoved:
			c.RemovedMemberID = &id
		case model.MemberEventTypeOwnerChanged: // the subject is the transfer
			id, formerOwner = e.Data[event.MemberID], e.Data[event.FormerOwner]
		default: // the subject is the member
		}
		c.MemberID = &id
		if c.Member, err = r.changedMember(ctx, id, asked, "member"); err != nil {
			return nil, err
		}
		c.FormerOwner, err = r.changedMember(ctx, formerOwner, asked, "formerOwner")
		return c, err
	}
}

// changedMember reads a member for a field of a change; nil when there is none, or when the
// field is not selected.
func (r *Resolver) changedMember(ctx context.Context, id string, asked selection, field string) (*ent.Member, error) {
	if id == "" || !asked.has(field) {
		return nil, nil //nolint:nilnil // null is the answer
	}
	m, err := r.nodeOf(ctx, id, asked.under(field))
	if m, is := m.(*ent.Member); is {
		return m, err
	}
	return nil, err
}

// followed reads the team of a stream, if it is selected.
func (r *Resolver) followed(ctx context.Context, id string, asked selection) (*ent.Team, error) {
	if !asked.has("team") {
		return nil, nil //nolint:nilnil // nobody looks at it
	}
	q := r.read(ctx).Team.Query().Where(team.ID(id))
	r.withTeam(ctx, asked.under("team"))(q)
	t, err := q.Only(ctx)
	if ent.IsNotFound(err) {
		err = fault.Refuse(fault.NotFound, "The team was deleted.")
	}
	return t, err
}

// reference reads what an event is about, for a list whose entries refer to it.
func (r *Resolver) reference(ctx context.Context, e *ent.Event, asked selection) (*string, model.Node, error) {
	if event.Type(e.Type) == event.MemberUpdated { // the name in invitations is the user's
		id := e.Data[event.UserID]
		u, err := r.actor(ctx, id)
		if ent.IsNotFound(err) {
			return nil, nil, stream.ErrGone
		}
		return &id, access.KnownUser(ctx, u), err
	}
	ofKey := access.IsKey(e.SubjectID)
	if !asked.has("node") && !ofKey {
		return &e.SubjectID, nil, nil
	}
	node, err := r.nodeOf(ctx, e.SubjectID, asked.under("node"))
	if err == nil && node == nil && ofKey { // not every member may know of it
		err = stream.ErrGone
	}
	return &e.SubjectID, node, err
}

// teamChange returns what shows an item of a team and its account.
func (r *Resolver) teamChange(teamID string) func(context.Context, *live.Item) (*model.TeamChange, error) {
	return func(ctx context.Context, it *live.Item) (*model.TeamChange, error) {
		e, asked := it.Event, selected(ctx)
		c := &model.TeamChange{
			Cursor: it.Cursor(), Type: model.TeamEventType(event.Type(e.Type).Facts().Team), At: e.CreatedAt,
			NodeID: e.SubjectID, PreviousStatus: previousStatus(e), Reload: e.Data[event.Reload] != "",
		}
		var err error
		if c.Team, err = r.followed(ctx, teamID, asked); err != nil {
			return nil, err
		}
		if asked.has("node") || it.Own {
			c.Node, err = r.nodeOf(ctx, e.SubjectID, asked.under("node"))
		}
		if err == nil && it.Own && c.Node == nil && hidden(it, c.Type) {
			err = stream.ErrGone
		}
		return c, err
	}
}

// hidden reports whether a change of something that the viewer does not see, or that is
// gone, is kept from them. The id of a deleted role, group or division says nothing, and
// members may have held it; who owns the team is no secret to its members.
func hidden(it *live.Item, typ model.TeamEventType) bool {
	switch typ {
	case model.TeamEventTypeOwnerChanged, model.TeamEventTypeRoleDeleted, model.TeamEventTypeGroupDeleted, model.TeamEventTypeDivisionDeleted:
		return false
	case model.TeamEventTypeTeamDeleted:
		return !it.Viewer.CanInAccount(it.Event.AccountID, access.AccountRead)
	default:
		return true
	}
}

// receivedInvitationChange reads an invitation for its addressee: as they may see it, or,
// once it is over and they are no member, with everything it granted.
func (r *Resolver) receivedInvitationChange(ctx context.Context, it *live.Item) (*model.ReceivedInvitationChange, error) {
	e, asked := it.Event, selected(ctx)
	c := &model.ReceivedInvitationChange{
		Cursor: it.Cursor(), Type: model.InviteEventType(event.Type(e.Type).Facts().Invitations), At: e.CreatedAt,
		InvitationID: it.InvitationID, PreviousStatus: previousStatus(e),
	}
	if !asked.has("invitation") {
		return c, nil
	}
	open := r.read(ctx).Invitation.Query().Where(invitation.ID(it.InvitationID))
	q := open.Clone()
	r.withInvitation(ctx, asked.under("invitation"))(q)
	seen, err := q.Only(ctx)
	if err != nil && !ent.IsNotFound(err) {
		return nil, err
	}
	// The invitation and its edges are read by several statements. One that ended between
	// them has lost some edges, and is shown as one that is over.
	still, err := open.Exist(ctx)
	if err != nil {
		return nil, err
	}
	if seen != nil && still {
		c.Invitation = seen
		return c, nil
	}
	i, err := r.read(ctx).Invitation.Query().Where(invitation.ID(it.InvitationID)).
		WithTeam(func(q *ent.TeamQuery) { q.WithAccount() }).WithInviter(access.AsColleague(ctx)).WithInviterKey().
		WithRoles().WithGroups(func(q *ent.GroupQuery) { q.WithRoles() }).WithDivisions().
		Only(access.System(ctx, "show an invitation that is over to its addressee"))
	if ent.IsNotFound(err) { // deleted with its team
		return c, nil
	}
	if err == nil {
		c.Invitation = access.ClosedInvitation(ctx, i)
	}
	return c, err
}

// previousStatus returns the status that an event has ended; nil when it ended none.
func previousStatus(e *ent.Event) *invitation.Status {
	previous, ok := e.Data[event.PreviousStatus]
	if !ok {
		return nil
	}
	status := invitation.Status(previous)
	return &status
}

func viewerAccessChange(_ context.Context, it *live.Item) (*model.ViewerAccessChange, error) {
	c := it.Rights
	return &model.ViewerAccessChange{
		Type: model.ViewerAccessEventType(c.Kind), At: c.At, TeamID: c.TeamID, Permissions: c.Permissions,
	}, nil
}
