package invite

import (
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/idempotency"
	"github.com/convoke-dev/convoke/internal/lifecycle"
	"github.com/convoke-dev/convoke/internal/roster"
	"github.com/convoke-dev/convoke/internal/text"
)

// Draft is an invitation as the inviter typed it, without its address.
type Draft struct {
	TeamID                        string
	FirstName, LastName, JobTitle string
	Note                          string
	Grant                         roster.Wish
	Scope                         roster.Scope
	ExpiresInHours                *int // nil = the account's setting
	SendEmail                     bool
	ResendOnConflict              bool
	IdempotencyKey                *string `json:"-"`
}

// check cleans the texts of the draft, and returns everything that is wrong
// with it. before is what is wrong with the addresses; it comes first.
func (s *Service) check(d *Draft, before *fault.Error) error {
	var wrong fault.Errors
	wrong.Add(before)
	wrong.Add(idempotency.Check(d.IdempotencyKey))
	var bad *fault.Error
	d.FirstName, bad = text.Line(d.FirstName, "firstName")
	wrong.Add(bad)
	d.LastName, bad = text.Line(d.LastName, "lastName")
	wrong.Add(bad)
	d.JobTitle, bad = text.Line(d.JobTitle, "jobTitle")
	wrong.Add(bad)
	d.Note, bad = text.Note(d.Note, "note")
	wrong.Add(bad)
	wrong.Add(checkTTL(d.ExpiresInHours))
	wrong.Add(checkForm(d.Grant))
	_, bad = s.Roster.CheckPermissions(d.Grant.Permissions)
	wrong.Add(bad)
	var err error
	if d.Scope, err = roster.CheckScope(d.Scope); err != nil {
		list, _ := fault.UserErrors(err)
		wrong = append(wrong, list...)
	}
	return wrong.Err()
}

// checkForm fails with INVALID_GRANT unless the grant has exactly one form: all
// permissions, or chosen roles, groups and permissions.
func checkForm(w roster.Wish) *fault.Error {
	switch {
	case w.Chosen() && w.AllPermissions:
		return fault.Input(fault.InvalidGrant, "Grant either all permissions or chosen ones, not both.", "grant")
	case !w.Chosen() && !w.AllPermissions:
		return fault.Input(fault.InvalidGrant, "Grant at least one role, group or permission, or all permissions.", "grant")
	}
	return nil
}

// checkTTL fails with INVALID_VALUE for a validity outside 1 to 720 hours.
func checkTTL(hours *int) *fault.Error {
	if hours == nil {
		return nil
	}
	return lifecycle.CheckTTL(*hours, "expiresInHours")
}
