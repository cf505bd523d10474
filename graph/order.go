package graph

import (
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/role"
	"github.com/convoke-dev/convoke/ent/team"
	"github.com/convoke-dev/convoke/graph/relay"
)

// The orders of lists: people and things in the order they came, invitations
// the newest first.
var (
	teamsByAge = relay.Order[*ent.Team]{
		Column: team.FieldCreatedAt, Position: func(t *ent.Team) (time.Time, string) { return t.CreatedAt, t.ID },
	}
	rolesByAge = relay.Order[*ent.Role]{
		Column: role.FieldCreatedAt, Position: func(r *ent.Role) (time.Time, string) { return r.CreatedAt, r.ID },
	}
	membersByAge = relay.Order[*ent.Member]{
		Column: member.FieldCreatedAt, Position: func(m *ent.Member) (time.Time, string) { return m.CreatedAt, m.ID },
	}
	invitationsByAge = relay.Order[*ent.Invitation]{
		Column: invitation.FieldCreatedAt, Descending: true,
		Position: func(i *ent.Invitation) (time.Time, string) { return i.CreatedAt, i.ID },
	}
)
