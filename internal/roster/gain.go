package roster

import (
	"context"

	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/fault"
)

// withoutGain makes a change of roles or groups. It fails with NOT_GRANTABLE about
// the field when the actor would hold more permissions by the change in any team.
// Roles and groups reach into every team of the account, but the default team
// alone decides who may change them.
func (s *Service) withoutGain(ctx context.Context, a *act.Act, field string, change func() error) error {
	before, err := s.Access.InAccount(ctx, a.Tx.Client(), a.Account.ID, a.UserID)
	if err != nil {
		return err
	}
	if err := change(); err != nil {
		return err
	}
	after, err := s.Access.InAccount(ctx, a.Tx.Client(), a.Account.ID, a.UserID)
	if err != nil {
		return err
	}
	for team, m := range after {
		if was := before[team]; was == nil || !was.Permissions.Covers(m.Permissions) {
			return fault.Input(fault.NotGrantable, "This would give you more permissions in another team.", field)
		}
	}
	return nil
}

// checkUnrestricted fails with NOT_GRANTABLE about the field when the actor is
// restricted to divisions or domains, or is an API key of one team. A permission that
// they add to a role or group would reach people who are not restricted, or other teams, in
// which the creator of the key may hold less.
func checkUnrestricted(actor *access.Membership, field string) error {
	if !actor.Restricted() && len(actor.Domains) == 0 && !actor.OneTeam() {
		return nil
	}
	return fault.Input(fault.NotGrantable, "You are restricted to one team or to some divisions or domains, and this would reach others.", field)
}
