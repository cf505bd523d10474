package access

import (
	"context"
	"reflect"
	"slices"

	"entgo.io/ent/dialect/sql"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/address"
)

// The functions of this file return a copy of a row that holds the listed fields and no
// others. So a new column is hidden until it gets a line here. The tables of
// redact_internal_test.go need a line for it too, and say shown or absent.

// isColleague names the column that AsColleague adds.
const isColleague = "is_colleague"

// AsColleague returns an option for a query of users. The database then answers beside
// each row whether the user is a colleague of the viewer, as in Colleagues, and KnownUser
// reads the answer. It costs no statement of its own. The query may pass the guard, but
// ctx must be the viewer's: for the system there are no colleagues.
func AsColleague(ctx context.Context) func(*ent.UserQuery) {
	colleague := Colleagues(ctx)
	return func(q *ent.UserQuery) {
		q.Modify(func(s *sql.Selector) {
			s.CollectPredicates()
			colleague(s)
			is := s.CollectedPredicates()
			s.UncollectedPredicates()
			s.AppendSelectExprAs(sql.And(is...), isColleague)
		})
	}
}

// KnownUser returns what the viewer sees of a user who did something. The viewer and a
// colleague are shown whole. Of anybody else, such as a person who left the team or an
// inviter from another account, it shows name and address, and hides their job and when
// they were last active. A row that was queried without AsColleague is anybody else's.
func KnownUser(ctx context.Context, u *ent.User) *ent.User {
	switch v := ViewerFrom(ctx); {
	case u == nil:
		return nil
	case v != nil && (u.ID == v.UserID || isTrue(u.Value(isColleague))):
		return u
	default:
		return outsider(u)
	}
}

func outsider(u *ent.User) *ent.User {
	return &ent.User{
		ID: u.ID, Email: u.Email, EmailVerifiedAt: u.EmailVerifiedAt, EmailProof: u.EmailProof,
		FirstName: u.FirstName, LastName: u.LastName, ErasedAt: u.ErasedAt,
	}
}

// KnownKey returns what the viewer sees of an API key that did something: all of it with
// apikeys.read, or when it is the viewer; otherwise its name.
func KnownKey(ctx context.Context, k *ent.APIKey) *ent.APIKey {
	switch v := ViewerFrom(ctx); {
	case k == nil:
		return nil
	case v != nil && (k.ID == v.UserID || v.CanInAccount(k.AccountID, APIKeysRead)):
		return k
	default:
		return &ent.APIKey{ID: k.ID, AccountID: k.AccountID, Name: k.Name}
	}
}

// LoggedEvent returns what a reader of the event log sees of an event. Its data and the
// request that caused it stay hidden.
func LoggedEvent(e *ent.Event) *ent.Event {
	return &ent.Event{
		ID: e.ID, CreatedAt: e.CreatedAt, AccountID: e.AccountID, Seq: e.Seq,
		Type: e.Type, ActorID: e.ActorID, SubjectID: e.SubjectID,
	}
}

// ClosedInvitation returns what the addressee sees of an invitation that the guard hides
// from them because it is not open any more. A visitor has shown only that they have the
// link. The caller has checked that the viewer is the addressee.
func ClosedInvitation(ctx context.Context, i *ent.Invitation) *ent.Invitation {
	if ViewerFrom(ctx) == nil {
		return toLinkHolder(i)
	}
	return toAddressee(i)
}

// toAddressee shows what the addressee sees of an open invitation, which is all that the
// public schema has.
func toAddressee(i *ent.Invitation) *ent.Invitation {
	shown := toAnybody(i)
	shown.Email, shown.Note = i.Email, i.Note
	shown.Permissions, shown.AllPermissions = i.Permissions, i.AllPermissions
	shown.DeliveryError, shown.AcceptedByID = i.DeliveryError, i.AcceptedByID
	shown.Edges = only(i.Edges, "Team", "Inviter", "InviterKey", "Roles", "Groups", "Divisions")
	return shown
}

// toLinkHolder hides the address, the note and the direct permissions, because the link
// may have been forwarded.
func toLinkHolder(i *ent.Invitation) *ent.Invitation {
	shown := toAnybody(i)
	shown.Email, shown.Permissions = address.Mask(i.Email), []string{}
	shown.Edges = only(i.Edges, "Roles")
	shown.Edges.Team = teamToLinkHolder(i.Edges.Team)
	return shown
}

// toAnybody shows what the addressee and a holder of the link both see.
func toAnybody(i *ent.Invitation) *ent.Invitation {
	return &ent.Invitation{
		ID: i.ID, CreatedAt: i.CreatedAt, AccountID: i.AccountID, TeamID: i.TeamID, InviterID: i.InviterID, InviterKeyID: i.InviterKeyID,
		FirstName: i.FirstName, LastName: i.LastName, JobTitle: i.JobTitle, AllowedDomains: i.AllowedDomains,
		Status: i.Status, ExpiresAt: i.ExpiresAt, LastSentAt: i.LastSentAt, SendCount: i.SendCount,
		Delivery: i.Delivery, DeliveryAttempts: i.DeliveryAttempts, DeliveryUpdatedAt: i.DeliveryUpdatedAt,
	}
}

func teamToLinkHolder(t *ent.Team) *ent.Team {
	if t == nil {
		return nil
	}
	shown := &ent.Team{ID: t.ID, CreatedAt: t.CreatedAt, AccountID: t.AccountID, Name: t.Name, IsDefault: t.IsDefault}
	if a := t.Edges.Account; a != nil {
		shown.Edges.Account = &ent.Account{ID: a.ID, Name: a.Name, Status: a.Status}
	}
	return shown
}

// only returns the edges with all cleared that are not named. It keeps ent's private
// record of which were loaded, so a cleared list reads as an empty one, and a resolver
// does not load it again.
func only[T any](edges T, names ...string) T {
	v := reflect.ValueOf(&edges).Elem()
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.IsExported() && !slices.Contains(names, f.Name) {
			v.Field(i).SetZero()
		}
	}
	return edges
}
