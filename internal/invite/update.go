package invite

import (
	"context"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/lifecycle"
	"github.com/convoke-dev/convoke/internal/roster"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/text"
)

// Amendment is what to change of an open invitation; nil leaves it. The
// address is never changed, and the link stays as it is.
type Amendment struct {
	InvitationID                  string
	FirstName, LastName, JobTitle *string
	Note                          *string
	RoleIDs                       []string
	GroupIDs                      []string
	Permissions                   []string
	AllPermissions                *bool
	DivisionIDs                   []string
	Domains                       []string
	ExpiresInHours                *int // from now
}

// regrants reports whether what is granted, or where, changes.
func (a Amendment) regrants() bool {
	return a.RoleIDs != nil || a.GroupIDs != nil || a.Permissions != nil || a.AllPermissions != nil ||
		a.DivisionIDs != nil || a.Domains != nil
}

// Update changes an open invitation. Whoever changes what it grants answers for
// all of it. It fails with UNAUTHENTICATED, NOT_FOUND or FORBIDDEN; with the
// refusal of the state it is in; for wrong input with TOO_LONG, INVALID_VALUE,
// INVALID_GRANT, ROLE_NOT_FOUND, NOT_FOUND, PERMISSION_UNKNOWN; with NOT_GRANTABLE
// or DOMAIN_NOT_ALLOWED above the viewer's own rights; with CONFLICT or
// ACCOUNT_SUSPENDED.
func (s *Service) Update(ctx context.Context, a Amendment) error {
	return s.manage(ctx, a.InvitationID, func(tx *store.Tx, i *ent.Invitation, m *access.Membership) error {
		if _, denied := lifecycle.Next(lifecycle.Effective(i, s.Now()), lifecycle.Update); denied != nil {
			return denied
		}
		if _, err := s.account(ctx, tx, i.AccountID); err != nil {
			return err
		}
		changes, err := s.amend(ctx, tx, i, m, a)
		if err != nil {
			return err
		}
		err = s.move(ctx, tx, i, lifecycle.Pending, func(u *ent.InvitationUpdate) {
			for _, change := range changes {
				change(u)
			}
		})
		if err != nil {
			return err
		}
		return s.Events.Append(ctx, tx, i.AccountID, draft(event.InvitationUpdated, i, m.UserID, nil))
	})
}

// amend checks an amendment and returns the changes it comes to.
func (s *Service) amend(ctx context.Context, tx *store.Tx, i *ent.Invitation, m *access.Membership, a Amendment) (changes []func(*ent.InvitationUpdate), err error) {
	var wrong fault.Errors
	first, last := i.FirstName, i.LastName
	for _, t := range []struct {
		typed *string
		field string
		clean func(string, ...string) (string, *fault.Error)
		set   func(*ent.InvitationUpdate, string)
	}{
		{a.FirstName, "firstName", text.Line, func(u *ent.InvitationUpdate, s string) { first = s; u.SetFirstName(s) }},
		{a.LastName, "lastName", text.Line, func(u *ent.InvitationUpdate, s string) { last = s; u.SetLastName(s) }},
		{a.JobTitle, "jobTitle", text.Line, func(u *ent.InvitationUpdate, s string) { u.SetJobTitle(s) }},
		{a.Note, "note", text.Note, func(u *ent.InvitationUpdate, s string) { u.SetNote(s) }},
	} {
		if t.typed != nil {
			clean, bad := t.clean(*t.typed, t.field)
			wrong.Add(bad)
			changes = append(changes, func(u *ent.InvitationUpdate) { t.set(u, clean) })
		}
	}
	changes = append(changes, func(u *ent.InvitationUpdate) { u.SetSearch(text.Fold(i.Email, first, last)) })
	wrong.Add(checkTTL(a.ExpiresInHours))
	if a.ExpiresInHours != nil {
		until := s.Now().Add(time.Duration(*a.ExpiresInHours) * time.Hour)
		changes = append(changes, func(u *ent.InvitationUpdate) { u.SetExpiresAt(until) })
	}
	wish := amended(i, a)
	wrong.Add(checkForm(wish))
	if err := wrong.Err(); err != nil || !a.regrants() {
		return changes, err
	}
	scope := scopeOf(i)
	if a.DivisionIDs != nil {
		scope.DivisionIDs = a.DivisionIDs
	}
	if a.Domains != nil {
		scope.Domains = a.Domains
	}
	if scope, err = roster.CheckScope(scope); err != nil {
		return nil, err
	}
	g, divisions, err := s.grant(ctx, tx, m, wish, scope)
	return append(changes, func(u *ent.InvitationUpdate) {
		u.ClearRoles().AddRoles(g.Roles...).ClearGroups().AddGroups(g.Groups...).
			SetPermissions(g.Permissions).SetAllPermissions(g.AllPermissions).
			ClearDivisions().AddDivisions(divisions...).SetAllowedDomains(scope.Domains).
			SetGranterID(m.UserID)
	}), err
}

// amended returns what an invitation is to grant. Choosing one form of grant
// lets go of the other.
func amended(i *ent.Invitation, a Amendment) roster.Wish {
	w := roster.Wish{Permissions: i.Permissions, AllPermissions: i.AllPermissions}
	for _, r := range i.Edges.Roles {
		w.RoleIDs = append(w.RoleIDs, r.ID)
	}
	for _, g := range i.Edges.Groups {
		w.GroupIDs = append(w.GroupIDs, g.ID)
	}
	if a.AllPermissions != nil {
		w.AllPermissions = *a.AllPermissions
		if w.AllPermissions {
			w.RoleIDs, w.GroupIDs, w.Permissions = nil, nil, nil
		}
	} else if len(a.RoleIDs)+len(a.GroupIDs)+len(a.Permissions) > 0 {
		w.AllPermissions = false
	}
	for _, list := range []struct {
		given []string
		into  *[]string
	}{{a.RoleIDs, &w.RoleIDs}, {a.GroupIDs, &w.GroupIDs}, {a.Permissions, &w.Permissions}} {
		if list.given != nil {
			*list.into = list.given
		}
	}
	return w
}
