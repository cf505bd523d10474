package access

import (
	"context"
	"reflect"
	"slices"

	"entgo.io/ent/dialect/sql"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/address"
)

// The functions of this file return copies that hold the listed fields and no
// others: a column that is added to a table is hidden until it gets a line here,
// and a line in the tables of redact_internal_test.go.

// isColleague names the column that AsColleague adds.
const isColleague = "is_colleague"

// AsColleague returns an option of a query of users, which has the database
// answer for each row whether the user is a colleague of the context's viewer, as
// in Colleagues. KnownUser reads the answer. It costs no statement, and holds in a
// query past the guard too, when ctx is the viewer's and not the system's.
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

// KnownUser returns what the viewer sees of a user who did something: the whole
// row of the viewer and of a colleague. Of anybody else, such as a person who left
// or an inviter from another account, it keeps what tells who they are, and hides
// what they are and do elsewhere. A row that was queried without AsColleague is
// anybody else's.
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
		ID: u.ID, Email: u.Email, EmailVerifiedAt: u.EmailVerifiedAt,
		FirstName: u.FirstName, LastName: u.LastName,
	}
}

// LoggedEvent returns what a reader of an event log sees of an event. The request
// behind it and its data stay hidden: they are for the operator, and for the code
// that knows the type.
func LoggedEvent(e *ent.Event) *ent.Event {
	return &ent.Event{
		ID: e.ID, CreatedAt: e.CreatedAt, AccountID: e.AccountID, Seq: e.Seq,
		Type: e.Type, ActorID: e.ActorID, SubjectID: e.SubjectID,
	}
}

// ClosedInvitation returns what the viewer sees of an invitation to their address
// that the guard hides because it is not open any more. Somebody who is not signed
// in has shown no more than the link.
func ClosedInvitation(ctx context.Context, i *ent.Invitation) *ent.Invitation {
	if ViewerFrom(ctx) == nil {
		return toLinkHolder(i)
	}
	return toAddressee(i)
}

// toAddressee shows what an addressee sees of an open invitation: all that the
// public schema has, and nothing of tokens, of who answers for it, or of limits.
func toAddressee(i *ent.Invitation) *ent.Invitation {
	shown := withoutGrant(i)
	shown.Email, shown.Note = i.Email, i.Note
	shown.Permissions, shown.AllPermissions = i.Permissions, i.AllPermissions
	shown.DeliveryError, shown.AcceptedByID = i.DeliveryError, i.AcceptedByID
	shown.Edges = only(i.Edges, "Team", "Inviter", "Roles", "Groups", "Divisions")
	return shown
}

// toLinkHolder shows what the page behind the link shows, and where the invitation
// stands: a forwarded mail must not hand the address or the note to a stranger.
func toLinkHolder(i *ent.Invitation) *ent.Invitation {
	shown := withoutGrant(i)
	shown.Email, shown.Permissions = address.Mask(i.Email), []string{}
	shown.Edges = only(i.Edges, "Roles")
	shown.Edges.Team = teamToLinkHolder(i.Edges.Team)
	return shown
}

// withoutGrant keeps what every reader of an invitation sees.
func withoutGrant(i *ent.Invitation) *ent.Invitation {
	return &ent.Invitation{
		ID: i.ID, CreatedAt: i.CreatedAt, AccountID: i.AccountID, TeamID: i.TeamID, InviterID: i.InviterID,
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

// only returns the edges with every one cleared that is not named. It keeps ent's
// private note of which were loaded, so that a cleared list is an empty one, and
// not one to be loaded now.
func only[T any](edges T, names ...string) T {
	v := reflect.ValueOf(&edges).Elem()
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.IsExported() && !slices.Contains(names, f.Name) {
			v.Field(i).SetZero()
		}
	}
	return edges
}
