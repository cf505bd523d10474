package graph

import (
	"time"

	"github.com/convoke-dev/convoke/ent/division"
	"github.com/convoke-dev/convoke/ent/group"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/predicate"
	"github.com/convoke-dev/convoke/ent/role"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/lifecycle"
	"github.com/convoke-dev/convoke/internal/text"
)

// searched returns the text to look for, as texts are searched by; empty for
// none.
func searched(search *string) string { return text.Fold(orEmpty(search)) }

// receivedBy picks the invitations to the viewer's address: none where nothing
// shows that it is his.
func receivedBy(v *access.Viewer) predicate.Invitation {
	if v.Unproven {
		return invitation.IDIn()
	}
	return invitation.EmailKey(v.EmailKey)
}

// memberFilter returns the conditions of a filter on members of one team. What
// roles, groups and divisions it names tells nothing of others: they are looked
// for among what these members have.
func memberFilter(f *model.MemberFilter) (conditions []predicate.Member) {
	if f == nil {
		return nil
	}
	if len(f.Status) > 0 {
		conditions = append(conditions, member.StatusIn(f.Status...))
	}
	if looked := searched(f.Search); looked != "" {
		conditions = append(conditions, member.SearchContains(looked))
	}
	if f.RoleID != nil {
		conditions = append(conditions, member.Or(
			member.HasRolesWith(role.ID(*f.RoleID)), member.HasGroupsWith(group.HasRolesWith(role.ID(*f.RoleID)))))
	}
	if f.GroupID != nil {
		conditions = append(conditions, member.HasGroupsWith(group.ID(*f.GroupID)))
	}
	if f.DivisionID != nil {
		conditions = append(conditions, member.HasDivisionsWith(division.ID(*f.DivisionID)))
	}
	if f.LastSeenBefore != nil {
		conditions = append(conditions, member.SeenUnixLT(f.LastSeenBefore.Unix()))
	}
	return conditions
}

// invitationFilter returns the conditions of a filter on invitations of one
// team, as they stand now: what has run out counts as expired, whether or not
// the sweep has been there.
func invitationFilter(f *model.InvitationFilter, now time.Time) (conditions []predicate.Invitation) {
	if f == nil {
		return nil
	}
	if len(f.Status) > 0 {
		states := make([]predicate.Invitation, len(f.Status))
		for i, status := range f.Status {
			states[i] = lifecycle.InState(status, now)
		}
		conditions = append(conditions, invitation.Or(states...))
	}
	if looked := searched(f.Search); looked != "" {
		conditions = append(conditions, invitation.SearchContains(looked))
	}
	if f.RoleID != nil {
		conditions = append(conditions, invitation.Or(
			invitation.HasRolesWith(role.ID(*f.RoleID)), invitation.HasGroupsWith(group.HasRolesWith(role.ID(*f.RoleID)))))
	}
	return conditions
}
