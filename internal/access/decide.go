package access

import (
	"cmp"
	"fmt"
	"slices"

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
	Allowed bool
	Reason  string

	by       *Membership // nil when it is not allowed
	question Question
}

// Held is a grant that allows what was asked.
type Held struct {
	Kind       GrantKind
	Role       *ent.Role
	Group      *ent.Group
	Permission string
}

func deny(format string, args ...any) *Decision {
	return &Decision{Reason: fmt.Sprintf(format, args...)}
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
	yes := &Decision{Allowed: true, Reason: "Granted by ownership.", by: m, question: q}
	if m.Owner {
		return yes
	}
	n, first := 0, Held{}
	m.granting(q, func(h Held) {
		if n++; n == 1 {
			first = h
		}
	})
	yes.Reason = fmt.Sprintf("Granted %d times, by roles, groups or direct permissions.", n)
	if n == 1 {
		yes.Reason = "Granted " + first.by() + "."
	}
	return yes
}

// GrantedBy returns the grants that allow it, by the age of their roles; empty when it is
// not allowed. The list is made when it is asked for, because it may be long.
func (d *Decision) GrantedBy() []*Held {
	held := []*Held{}
	if d.by == nil {
		return held
	}
	d.by.granting(d.question, func(h Held) { held = append(held, &h) })
	slices.SortStableFunc(held, func(a, b *Held) int { return compareAge(a.Role, b.Role) })
	return held
}

// compareAge puts roles in the order in which they were made, after what is no role.
func compareAge(a, b *ent.Role) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	default:
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	}
}

// granting calls f with each grant of the member that allows what was asked.
func (m *Membership) granting(q Question, f func(Held)) {
	m.grants(func(s *source) {
		for _, key := range []string{q.Permission, q.Permission + Own} {
			if s.holds.Has(key) && (key == q.Permission || q.ResourceOwnerID == m.UserID) {
				f(Held{Kind: s.kind, Role: s.role, Group: s.group, Permission: key})
			}
		}
	})
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
