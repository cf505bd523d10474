package access

import (
	"fmt"

	"github.com/convoke-dev/convoke/ent"
)

// Question is whether a user may do something in a team. What is left empty
// is not asked about.
type Question struct {
	TeamID          string
	UserID          string
	Permission      string // a plain key of the catalogue
	DivisionID      string // the division it is done in
	DivisionAccount string // the account of that division; empty when there is none
	Domain          string // the domain it is done on
	ResourceOwnerID string // the user whose resource it is done to
}

// Decision answers a question, with a reason for a person.
type Decision struct {
	Allowed   bool
	Reason    string
	GrantedBy []*Held // empty when it is not allowed
}

// Held is one of the grants that allow something.
type Held struct {
	Kind       GrantKind
	Role       *ent.Role
	Group      *ent.Group
	Permission string
}

// deny returns a no for that reason.
func deny(format string, args ...any) *Decision {
	return &Decision{Reason: fmt.Sprintf(format, args...), GrantedBy: []*Held{}}
}

// Decide answers a question about the member; a nil one is no member.
func (m *Membership) Decide(q Question) *Decision {
	switch {
	case m == nil:
		return deny("There is no such team, or the user is no member of it.")
	case !m.active:
		return deny("The member is deactivated.")
	case m.suspended:
		return deny("The account is suspended.")
	case !m.Permissions.HasOwn(q.Permission):
		return deny("None of the member's roles, groups or direct permissions holds %s.", q.Permission)
	case !m.Permissions.Has(q.Permission) && q.ResourceOwnerID != m.UserID:
		return deny("The member holds %s for resources of his own only.", q.Permission)
	}
	if why := m.outOfReach(q); why != "" {
		return deny("%s", why)
	}
	yes := &Decision{Allowed: true, Reason: "Granted by ownership."}
	for _, s := range m.sources {
		for _, key := range []string{q.Permission, q.Permission + Own} {
			if s.holds.Has(key) && (key == q.Permission || q.ResourceOwnerID == m.UserID) {
				yes.GrantedBy = append(yes.GrantedBy, &Held{Kind: s.kind, Role: s.role, Group: s.group, Permission: key})
			}
		}
	}
	if n := len(yes.GrantedBy); !m.Owner {
		yes.Reason = fmt.Sprintf("Granted %d times, by roles, groups or direct permissions.", n)
		if n == 1 {
			yes.Reason = "Granted " + yes.GrantedBy[0].by() + "."
		}
	}
	return yes
}

// outOfReach says why the member may act on nothing where the question asks him
// to; empty when he may.
func (m *Membership) outOfReach(q Question) string {
	switch {
	case q.DivisionID != "" && q.DivisionAccount != m.AccountID:
		return "There is no such division in the team's account."
	case q.DivisionID != "" && !m.Reaches(q.DivisionID):
		return "The member is restricted to other divisions."
	case q.Domain != "" && !m.ReachesDomain(q.Domain):
		return "The member is restricted to other domains."
	}
	return ""
}

func (h *Held) by() string {
	switch h.Kind {
	case ByRole:
		return "by the role " + h.Role.Name
	case ByGroup:
		return "by the group " + h.Group.Name + ", through the role " + h.Role.Name
	default:
		return "directly"
	}
}
