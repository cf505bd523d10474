package graph

import (
	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/apikey"
	"github.com/convoke-dev/convoke/ent/cooloff"
	"github.com/convoke-dev/convoke/ent/division"
	entevent "github.com/convoke-dev/convoke/ent/event"
	"github.com/convoke-dev/convoke/ent/group"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/role"
	"github.com/convoke-dev/convoke/ent/session"
	"github.com/convoke-dev/convoke/ent/team"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/graph/relay"
)

// The orders of lists. By default the oldest comes first, and of invitations the newest.
var (
	teamsByAge = relay.Order[*ent.Team]{
		Name: "teams.created", Column: team.FieldCreatedAt,
		Position: func(t *ent.Team) (any, string) { return t.CreatedAt, t.ID },
	}
	keysByAge = relay.Order[*ent.APIKey]{
		Name: "apiKeys.created", Column: apikey.FieldCreatedAt,
		Position: func(k *ent.APIKey) (any, string) { return k.CreatedAt, k.ID },
	}
	rolesByAge = relay.Order[*ent.Role]{
		Name: "roles.created", Column: role.FieldCreatedAt,
		Position: func(r *ent.Role) (any, string) { return r.CreatedAt, r.ID },
	}
	membersByAge = relay.Order[*ent.Member]{
		Name: "members.joined", Column: member.FieldCreatedAt,
		Position: func(m *ent.Member) (any, string) { return m.CreatedAt, m.ID },
	}
	invitationsByAge = relay.Order[*ent.Invitation]{
		Name: "invitations.created", Column: invitation.FieldCreatedAt, Descending: true,
		Position: func(i *ent.Invitation) (any, string) { return i.CreatedAt, i.ID },
	}
	blocksByAge = relay.Order[*ent.CoolOff]{
		Name: "blocks.blocked", Column: cooloff.FieldBlockedAt, Descending: true,
		Position: func(c *ent.CoolOff) (any, string) { return *c.BlockedAt, c.ID },
	}
	membersByName = relay.Order[*ent.Member]{
		Name: "members.name", Column: member.FieldSortName, Kind: relay.Text,
		Position: func(m *ent.Member) (any, string) { return m.SortName, m.ID },
	}
	membersByEmail = relay.Order[*ent.Member]{
		Name: "members.email", Column: member.FieldEmailKey, Kind: relay.Text,
		Position: func(m *ent.Member) (any, string) { return m.EmailKey, m.ID },
	}
	membersBySeen = relay.Order[*ent.Member]{
		Name: "members.seen", Column: member.FieldSeenUnix, Kind: relay.Number,
		Position: func(m *ent.Member) (any, string) { return m.SeenUnix, m.ID },
	}
	invitationsByExpiry = relay.Order[*ent.Invitation]{
		Name: "invitations.expires", Column: invitation.FieldExpiresAt,
		Position: func(i *ent.Invitation) (any, string) { return i.ExpiresAt, i.ID },
	}
	invitationsByEmail = relay.Order[*ent.Invitation]{
		Name: "invitations.email", Column: invitation.FieldEmailKey, Kind: relay.Text,
		Position: func(i *ent.Invitation) (any, string) { return i.EmailKey, i.ID },
	}
	groupsByAge = relay.Order[*ent.Group]{
		Name: "groups.created", Column: group.FieldCreatedAt,
		Position: func(g *ent.Group) (any, string) { return g.CreatedAt, g.ID },
	}
	divisionsByAge = relay.Order[*ent.Division]{
		Name: "divisions.created", Column: division.FieldCreatedAt,
		Position: func(d *ent.Division) (any, string) { return d.CreatedAt, d.ID },
	}
	sessionsByAge = relay.Order[*ent.Session]{
		Name: "sessions.created", Column: session.FieldCreatedAt, Descending: true,
		Position: func(s *ent.Session) (any, string) { return s.CreatedAt, s.ID },
	}
	eventsByNumber = relay.Order[*ent.Event]{
		Name: "events.seq", Column: entevent.FieldSeq, Kind: relay.Number, Descending: true,
		Position: func(e *ent.Event) (any, string) { return e.Seq, e.ID },
	}
	invitationsByName = relay.Order[*ent.Invitation]{
		Name: "invitations.name", Column: invitation.FieldSortName, Kind: relay.Text,
		Position: func(i *ent.Invitation) (any, string) { return i.SortName, i.ID },
	}
	invitationsNeverSeen = relay.Order[*ent.Invitation]{
		Name: "invitations.seen", Kind: relay.Number, Same: int64(0),
		Position: func(i *ent.Invitation) (any, string) { return int64(0), i.ID },
	}
)

// peopleBy returns the orders of the two sources of a list of people; the newest first when
// none is given.
func peopleBy(o *model.PersonOrder) (relay.Order[*ent.Member], relay.Order[*ent.Invitation]) {
	if o == nil {
		o = &model.PersonOrder{Field: model.PersonOrderFieldAddedAt, Direction: model.OrderDirectionDesc}
	}
	var members relay.Order[*ent.Member]
	var invitations relay.Order[*ent.Invitation]
	name := ""
	switch o.Field {
	case model.PersonOrderFieldAddedAt:
		members, invitations, name = membersByAge, invitationsByAge, "people.added"
	case model.PersonOrderFieldName:
		members, invitations, name = membersByName, invitationsByName, "people.name"
	case model.PersonOrderFieldEmail:
		members, invitations, name = membersByEmail, invitationsByEmail, "people.email"
	case model.PersonOrderFieldLastSeenAt:
		members, invitations, name = membersBySeen, invitationsNeverSeen, "people.seen"
	}
	members.Name, invitations.Name = name, name
	descending := o.Direction == model.OrderDirectionDesc
	return members.In(descending), invitations.In(descending)
}

// membersBy returns the order of a list of members; the oldest first when none is given.
func membersBy(o *model.MemberOrder) relay.Order[*ent.Member] {
	if o == nil {
		return membersByAge
	}
	descending := o.Direction == model.OrderDirectionDesc
	switch o.Field {
	case model.MemberOrderFieldName:
		return membersByName.In(descending)
	case model.MemberOrderFieldEmail:
		return membersByEmail.In(descending)
	case model.MemberOrderFieldLastSeenAt:
		return membersBySeen.In(descending)
	default:
		return membersByAge.In(descending)
	}
}

// invitationsBy returns the order of a list of invitations; the newest first when none is
// given.
func invitationsBy(o *model.InvitationOrder) relay.Order[*ent.Invitation] {
	if o == nil {
		return invitationsByAge
	}
	descending := o.Direction == model.OrderDirectionDesc
	switch o.Field {
	case model.InvitationOrderFieldExpiresAt:
		return invitationsByExpiry.In(descending)
	case model.InvitationOrderFieldEmail:
		return invitationsByEmail.In(descending)
	default:
		return invitationsByAge.In(descending)
	}
}
