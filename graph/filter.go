package graph

import (
	"strings"
	"time"
	"unicode/utf8"

	entevent "github.com/convoke-dev/convoke/ent/event"

	"github.com/convoke-dev/convoke/ent/division"
	"github.com/convoke-dev/convoke/ent/group"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/predicate"
	"github.com/convoke-dev/convoke/ent/role"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/lifecycle"
	"github.com/convoke-dev/convoke/internal/text"
)

// maxSearch is the longest search, in characters. Each word costs a condition.
const maxSearch = 200

// searched returns the conditions that a search column has all words of the search, in any
// order. BAD_USER_INPUT above maxSearch characters.
func searched[P any](search *string, contains func(word string) P) (conditions []P, err error) {
	if utf8.RuneCountInString(orEmpty(search)) > maxSearch {
		return nil, fault.Refuse(fault.BadUserInput, "filter.search: at most %d characters can be searched for.", maxSearch)
	}
	for _, word := range text.Words(orEmpty(search)) {
		conditions = append(conditions, contains(word))
	}
	return conditions, nil
}

// receivedBy is the condition that an invitation is for the viewer's address. No invitation
// is for an address that is not proven.
func receivedBy(v *access.Viewer) predicate.Invitation {
	if v.Unproven {
		return invitation.IDIn()
	}
	return invitation.EmailKey(v.EmailKey)
}

// memberFilter returns the conditions of a filter on members of one team. Roles, groups and
// divisions are looked up among those of the team's members, so a filter reveals nothing
// of other accounts. BAD_USER_INPUT as searched.
func memberFilter(f *model.MemberFilter) ([]predicate.Member, error) {
	if f == nil {
		return nil, nil
	}
	conditions, err := searched(f.Search, member.SearchContains)
	if err != nil {
		return nil, err
	}
	if len(f.Status) > 0 {
		conditions = append(conditions, member.StatusIn(f.Status...))
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
	return conditions, nil
}

// invitationFilter returns the conditions of a filter on invitations of one team, by their
// effective status. It reveals as little as memberFilter.
func invitationFilter(f *model.InvitationFilter, now time.Time) ([]predicate.Invitation, error) {
	if f == nil {
		return nil, nil
	}
	conditions, err := searched(f.Search, invitation.SearchContains)
	if err != nil {
		return nil, err
	}
	if len(f.Status) > 0 {
		states := make([]predicate.Invitation, len(f.Status))
		for i, status := range f.Status {
			states[i] = lifecycle.InState(status, now)
		}
		conditions = append(conditions, invitation.Or(states...))
	}
	if f.RoleID != nil {
		conditions = append(conditions, invitation.Or(
			invitation.HasRolesWith(role.ID(*f.RoleID)), invitation.HasGroupsWith(group.HasRolesWith(role.ID(*f.RoleID)))))
	}
	if f.GroupID != nil {
		conditions = append(conditions, invitation.HasGroupsWith(group.ID(*f.GroupID)))
	}
	if f.DivisionID != nil {
		conditions = append(conditions, invitation.HasDivisionsWith(division.ID(*f.DivisionID)))
	}
	return conditions, nil
}

func eventFilter(f *model.EventFilter) (conditions []predicate.Event) {
	if f == nil {
		return nil
	}
	if len(f.Types)+len(f.Kinds) > 0 {
		var types []predicate.Event
		for _, t := range f.Types {
			types = append(types, ofType(t))
		}
		for _, k := range f.Kinds {
			types = append(types, entevent.TypeHasPrefix(strings.ToLower(string(k))+"."))
		}
		conditions = append(conditions, entevent.Or(types...))
	}
	if f.ActorID != nil {
		conditions = append(conditions, entevent.ActorID(*f.ActorID))
	}
	if f.SubjectID != nil {
		conditions = append(conditions, entevent.SubjectID(*f.SubjectID))
	}
	if f.From != nil {
		conditions = append(conditions, entevent.CreatedAtGTE(*f.From))
	}
	if f.To != nil {
		conditions = append(conditions, entevent.CreatedAtLT(*f.To))
	}
	return conditions
}

// ofType is the condition that an event has the type.
func ofType(name model.EventType) predicate.Event {
	if t, ok := event.Named(string(name)); ok {
		return entevent.Type(string(t))
	}
	var known []string
	for _, t := range event.TypesFor(func(event.Facts) bool { return true }) {
		known = append(known, string(t))
	}
	return entevent.TypeNotIn(known...)
}
