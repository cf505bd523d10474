package access

import (
	"fmt"

	"github.com/convoke-dev/convoke/ent"
)

// Question is whether a user may do something in a team. An empty field is not asked
// about.
type Question struct {
	TeamID          string
	UserID          string
	Permission      string // a plain key of the catalogue
	DivisionID      string // where it is done
	DivisionAccount string // the account of that division; empty when there is no such division
	Domain          string // on what it is done
	ResourceOwnerID string // the user who owns the resource
}

// Decision answers a question, with a reason for people.
type Decision struct {
	Allowed   bool
	Reason    string
	GrantedBy []*Held // empty when it is not allowed
}

// Held is a grant that allows what was asked.
type Held struct {
	Kind       GrantKind
	Role       *ent.Role
	Group      *ent.Group
	Permission string
}

func deny(format string, args ...any) *Decision {
	return &Decision{Reason: fmt.Sprintf(format, args...), GrantedBy: []*Held{}}
}

// Decide answers a question about the member; nil is somebody who is no member.
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
		return deny("The member holds %s for resources of their own only.", q.Permission)
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

// outOfReach returns why the restrictions of the member forbid the division or the
// domain of the question; empty when they allow both.
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
