package invite

import (
	"context"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/lifecycle"
	"github.com/convoke-dev/convoke/internal/roster"
	"github.com/convoke-dev/convoke/internal/text"
)

// Amendment is what to change of an open invitation; nil changes nothing. The
// address and the link never change.
type Amendment struct {
	InvitationID                  string
	FirstName, LastName, JobTitle *string
	Note                          *string
	Grant                         *roster.Wish // replaces the whole grant
	DivisionIDs                   []string
	Domains                       []string
	ExpiresInHours                *int // from now
}

// regrants reports whether the amendment changes the grant or its restriction.
func (a Amendment) regrants() bool {
	return a.Grant != nil || a.DivisionIDs != nil || a.Domains != nil
}

// Update changes an open invitation. A viewer who changes the grant or its restriction
// becomes the granter of all of it. Update needs members.invite in the team, and, as
// Resend does, all that the invitation grants: a viewer who holds less would lengthen
// or reword an offer that they could not make. It fails with UNAUTHENTICATED, NOT_FOUND
// or FORBIDDEN; with the refusal of the state the invitation is in; with
// ACCOUNT_SUSPENDED; for wrong input with TOO_LONG, INVALID_VALUE, INVALID_GRANT,
// ROLE_NOT_FOUND, NOT_FOUND or PERMISSION_UNKNOWN; above the viewer's own rights with
// NOT_GRANTABLE or DOMAIN_NOT_ALLOWED; or with CONFLICT.
func (s *Service) Update(ctx context.Context, am Amendment) error {
	return s.manage(ctx, am.InvitationID, func(ctx context.Context, a *act.Act, i *ent.Invitation) error {
		if _, denied := lifecycle.Next(lifecycle.Effective(i, s.Now()), lifecycle.Update); denied != nil {
			return denied
		}
		if err := a.InUse(); err != nil {
			return err
		}
		if above := s.answersFor(a.Actor, i); above != nil {
			return above
		}
		changes, err := s.amend(ctx, a, i, am)
		if err != nil {
			return err
		}
		err = s.move(ctx, a.Tx, i, lifecycle.Pending, func(u *ent.InvitationUpdate) {
			for _, change := range changes {
				change(u)
			}
		})
		if err != nil {
			return err
		}
		return s.Events.Append(ctx, a.Tx, i.AccountID, eventOf(event.InvitationUpdated, i, a.UserID, nil))
	})
}

// amend checks the amendment and returns the changes of the row.
func (s *Service) amend(ctx context.Context, a *act.Act, i *ent.Invitation, am Amendment) (changes []func(*ent.InvitationUpdate), err error) {
	var wrong fault.Errors
	first, last := i.FirstName, i.LastName
	for _, t := range []struct {
		typed *string
		field string
		clean func(string, ...string) (string, *fault.Error)
		set   func(*ent.InvitationUpdate, string)
	}{
		{am.FirstName, "firstName", text.Line, func(u *ent.InvitationUpdate, s string) { first = s; u.SetFirstName(s) }},
		{am.LastName, "lastName", text.Line, func(u *ent.InvitationUpdate, s string) { last = s; u.SetLastName(s) }},
		{am.JobTitle, "jobTitle", text.Line, func(u *ent.InvitationUpdate, s string) { u.SetJobTitle(s) }},
		{am.Note, "note", text.Note, func(u *ent.InvitationUpdate, s string) { u.SetNote(s) }},
	} {
		if t.typed != nil {
			clean, bad := t.clean(*t.typed, t.field)
			wrong.Add(bad)
			changes = append(changes, func(u *ent.InvitationUpdate) { t.set(u, clean) })
		}
	}
	changes = append(changes, func(u *ent.InvitationUpdate) {
		u.SetSortName(text.SortKey(i.Email, first, last)).SetSearch(text.SearchKey(i.Email, first, last))
	})
	wrong.Add(checkTTL(am.ExpiresInHours))
	if am.ExpiresInHours != nil {
		until := s.Now().Add(time.Duration(*am.ExpiresInHours) * time.Hour)
		changes = append(changes, func(u *ent.InvitationUpdate) { u.SetExpiresAt(until) })
	}
	wish := amended(i, am)
	wrong.Add(checkForm(wish))
	if err := wrong.Err(); err != nil || !am.regrants() {
		return changes, err
	}
	scope := scopeOf(i)
	if am.DivisionIDs != nil {
		scope.DivisionIDs = am.DivisionIDs
	}
	if am.Domains != nil {
		scope.Domains = am.Domains
	}
	if scope, err = roster.CheckScope(scope); err != nil {
		return nil, err
	}
	g, divisions, err := s.grant(ctx, a, wish, scope)
	return append(changes, func(u *ent.InvitationUpdate) {
		u.ClearRoles().AddRoles(g.Roles...).ClearGroups().AddGroups(g.Groups...).
			SetPermissions(g.Permissions).SetAllPermissions(g.AllPermissions).
			ClearDivisions().AddDivisions(divisions...).SetAllowedDomains(scope.Domains).
			SetGranterID(a.UserID).ClearUnconfirmedAt()
	}), err
}

// amended returns the grant of the invitation after the amendment, as a wish.
func amended(i *ent.Invitation, a Amendment) roster.Wish {
	if a.Grant != nil {
		return *a.Grant
	}
	w := roster.Wish{Permissions: i.Permissions, AllPermissions: i.AllPermissions}
	for _, r := range i.Edges.Roles {
		w.RoleIDs = append(w.RoleIDs, r.ID)
	}
	for _, g := range i.Edges.Groups {
		w.GroupIDs = append(w.GroupIDs, g.ID)
	}
	return w
}
