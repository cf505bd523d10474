package roster

import (
	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
)

// The functions of this file say what keeps a viewer from a verb of this package, whatever
// the input. Each verb refuses for the same obstacles, which the small functions below find.

// AgainstMember is for SetRoles, Deactivate and Remove: each needs its permission.
func AgainstMember(v *access.Viewer, m *ent.Member, permission string) []act.Obstacle {
	held := v.Membership(m.TeamID)
	found := act.Against(held, permission)
	if held != nil {
		found = append(found, ofPerson(held.UserID, m)...)
	}
	return found
}

// AgainstReactivating is for Reactivate. What the member holds must be loaded.
func (s *Service) AgainstReactivating(v *access.Viewer, m *ent.Member) []act.Obstacle {
	giver := v.Membership(m.TeamID)
	return append(act.Against(giver, access.MembersDeactivate), s.ofGift(giver, m)...)
}

// AgainstRestricting is for SetRestrictions.
func AgainstRestricting(v *access.Viewer, m *ent.Member) []act.Obstacle {
	return append(act.Against(v.Membership(m.TeamID), access.MembersUpdate), ofOwner(m)...)
}

// AgainstManaging is for all verbs on members together: the viewer must see members, and hold
// the permission of one of the verbs.
func AgainstManaging(v *access.Viewer, teamID string) []act.Obstacle {
	held := v.Membership(teamID)
	found := act.Against(held, access.MembersRead)
	if len(found) > 0 {
		return found
	}
	for _, p := range []string{access.MembersUpdate, access.MembersDeactivate, access.MembersRemove} {
		if found = act.Against(held, p); len(found) == 0 {
			return nil
		}
	}
	return found
}

// AgainstDeletingTeam is for DeleteTeam.
func AgainstDeletingTeam(v *access.Viewer, t *ent.Team) []act.Obstacle {
	return append(act.Against(v.Membership(t.ID), access.TeamDelete), ofTeam(t.IsDefault)...)
}

// AgainstRole is for UpdateRole and DeleteRole.
func AgainstRole(v *access.Viewer, r *ent.Role) []act.Obstacle {
	return append(act.Against(v.DefaultMembership(r.AccountID), access.RolesManage), ofRole(r)...)
}

func ofPerson(userID string, m *ent.Member) (found []act.Obstacle) {
	if m.UserID == userID {
		found = append(found, act.OfSelf)
	}
	return append(found, ofOwner(m)...)
}

func ofOwner(m *ent.Member) []act.Obstacle {
	if m.IsOwner {
		return []act.Obstacle{act.OfOwner}
	}
	return nil
}

func ofTeam(isDefault bool) []act.Obstacle {
	if isDefault {
		return []act.Obstacle{act.OfDefaultTeam}
	}
	return nil
}

func ofRole(r *ent.Role) []act.Obstacle {
	if r.IsSystem {
		return []act.Obstacle{act.OfPreset}
	}
	return nil
}
