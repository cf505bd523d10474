package invite

import (
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/idempotency"
	"github.com/convoke-dev/convoke/internal/lifecycle"
	"github.com/convoke-dev/convoke/internal/roster"
	"github.com/convoke-dev/convoke/internal/text"
)

// Offer is an invitation as the inviter typed it, without its address.
type Offer struct {
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

// check cleans the texts of the offer, and returns everything that is wrong
// with the input, after what was found before.
func (s *Service) check(o *Offer, found *fault.Error) error {
	var wrong fault.Errors
	wrong.Add(found)
	wrong.Add(idempotency.Check(o.IdempotencyKey))
	var bad *fault.Error
	o.FirstName, bad = text.Line(o.FirstName, "firstName")
	wrong.Add(bad)
	o.LastName, bad = text.Line(o.LastName, "lastName")
	wrong.Add(bad)
	o.JobTitle, bad = text.Line(o.JobTitle, "jobTitle")
	wrong.Add(bad)
	o.Note, bad = text.Note(o.Note, "note")
	wrong.Add(bad)
	wrong.Add(checkTTL(o.ExpiresInHours))
	wrong.Add(checkForm(o.Grant))
	_, bad = s.Roster.CheckPermissions(o.Grant.Permissions)
	wrong.Add(bad)
	var err error
	if o.Scope, err = roster.CheckScope(o.Scope); err != nil {
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
		return fault.Input(fault.InvalidGrant, "Grant either all permissions or chosen ones, not both.", "allPermissions")
	case !w.Chosen() && !w.AllPermissions:
		return fault.Input(fault.InvalidGrant, "Grant at least one role, group or permission, or all permissions.", "roleIds")
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
