package act

import "github.com/convoke-dev/convoke/internal/access"

// Obstacle is a reason why a viewer may not do something. It depends on who they are and on
// what they would do it to, and not on their input. A verb refuses an act for the same
// obstacles as the flags beside it show in advance.
type Obstacle string

// The obstacles.
const (
	MissingPermission Obstacle = "MISSING_PERMISSION"
	AccountSuspended  Obstacle = "ACCOUNT_SUSPENDED"
	NotOwner          Obstacle = "NOT_OWNER"
	OfOwner           Obstacle = "OWNER"
	OfSelf            Obstacle = "SELF"
	NotOpen           Obstacle = "NOT_OPEN"
	BeyondOwnGrant    Obstacle = "BEYOND_OWN_GRANT"
	GrantsNothing     Obstacle = "GRANTS_NOTHING"
	OfDefaultTeam     Obstacle = "DEFAULT_TEAM"
	OfPreset          Obstacle = "PRESET_ROLE"
)

// Against returns what keeps the member from an act that needs the permission: the obstacles
// for which the rules InTeam and AccountWide refuse it. A nil membership holds nothing.
func Against(m *access.Membership, permission string) []Obstacle {
	return against(m, m != nil && m.Permissions.Has(permission), MissingPermission)
}

// AgainstOwner returns what keeps the member from an act of the team's owner: the obstacles
// for which the rule AsOwner refuses it.
func AgainstOwner(m *access.Membership) []Obstacle {
	return against(m, m != nil && m.Owner, NotOwner)
}

func against(m *access.Membership, allowed bool, otherwise Obstacle) (found []Obstacle) {
	if !allowed {
		found = append(found, otherwise)
	}
	if m != nil && m.Suspended() {
		found = append(found, AccountSuspended)
	}
	return found
}
