package graph

import (
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/predicate"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/graph/model"
)

// searched returns the text to look for, empty for none. A zero byte is in no
// text, and PostgreSQL refuses it.
func searched(search *string) string { return strings.ReplaceAll(orEmpty(search), "\x00", "") }

// memberFilter returns the conditions of a filter. The text is looked for in
// the members' own users only, so it tells nothing of anybody else.
func memberFilter(f *model.MemberFilter) (conditions []predicate.Member) {
	if f == nil {
		return nil
	}
	if len(f.Status) > 0 {
		conditions = append(conditions, member.StatusIn(f.Status...))
	}
	if text := searched(f.Search); text != "" {
		conditions = append(conditions, func(s *sql.Selector) {
			u := sql.Table(user.Table)
			s.Where(sql.In(s.C(member.FieldUserID), sql.Select(u.C(user.FieldID)).From(u).Where(sql.Or(
				sql.ContainsFold(u.C(user.FieldEmail), text),
				sql.ContainsFold(u.C(user.FieldFirstName), text),
				sql.ContainsFold(u.C(user.FieldLastName), text),
			))))
		})
	}
	return conditions
}

// invitationFilter returns the conditions of a filter, as they stand now: what
// has run out counts as expired, whether or not the sweep has been there.
func invitationFilter(f *model.InvitationFilter, now time.Time) (conditions []predicate.Invitation) {
	if f == nil {
		return nil
	}
	if len(f.Status) > 0 {
		states := make([]predicate.Invitation, len(f.Status))
		for i, status := range f.Status {
			states[i] = inState(status, now)
		}
		conditions = append(conditions, invitation.Or(states...))
	}
	if text := searched(f.Search); text != "" {
		conditions = append(conditions, invitation.Or(
			invitation.EmailContainsFold(text),
			invitation.FirstNameContainsFold(text),
			invitation.LastNameContainsFold(text),
		))
	}
	return conditions
}

func inState(status invitation.Status, now time.Time) predicate.Invitation {
	switch status {
	case invitation.StatusPending:
		return invitation.And(invitation.StatusEQ(status), invitation.ExpiresAtGT(now))
	case invitation.StatusExpired:
		return invitation.Or(
			invitation.StatusEQ(status),
			invitation.And(invitation.StatusEQ(invitation.StatusPending), invitation.ExpiresAtLTE(now)),
		)
	default:
		return invitation.StatusEQ(status)
	}
}
