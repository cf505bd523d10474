package invite

import (
	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/lifecycle"
)

// Against returns what keeps the viewer from the action, whatever the input: the permission,
// the account, the state of the invitation. Resend and Update need more: see AgainstGranting.
func (s *Service) Against(v *access.Viewer, i *ent.Invitation, a lifecycle.Action) []act.Obstacle {
	found := act.Against(v.Membership(i.TeamID), access.MembersInvite)
	if _, denied := lifecycle.Next(lifecycle.Effective(i, s.Now()), a); denied != nil {
		found = append(found, act.NotOpen)
	}
	return found
}

// AgainstGranting returns what keeps the viewer, who is a member of the team, from offering
// again what the invitation grants. It must be loaded.
func (s *Service) AgainstGranting(v *access.Viewer, i *ent.Invitation) []act.Obstacle {
	switch {
	case grantsSomething(i) != nil:
		return []act.Obstacle{act.GrantsNothing}
	case s.answersFor(v.Membership(i.TeamID), i) != nil:
		return []act.Obstacle{act.BeyondOwnGrant}
	default:
		return nil
	}
}
