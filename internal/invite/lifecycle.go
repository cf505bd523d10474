package invite

import (
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/lifecycle"
)

// Status is lifecycle.Status.
type Status = lifecycle.Status

// The states of package lifecycle.
const (
	Pending  = lifecycle.Pending
	Accepted = lifecycle.Accepted
	Declined = lifecycle.Declined
	Revoked  = lifecycle.Revoked
	Expired  = lifecycle.Expired
)

// The actions of package lifecycle.
const (
	Resend  = lifecycle.Resend
	Accept  = lifecycle.Accept
	Decline = lifecycle.Decline
	Revoke  = lifecycle.Revoke
	Update  = lifecycle.Update
)

// Next is lifecycle.Next.
func Next(from Status, a lifecycle.Action) (Status, *fault.Error) { return lifecycle.Next(from, a) }

// Effective is lifecycle.Effective.
func Effective(i *ent.Invitation, now time.Time) Status { return lifecycle.Effective(i, now) }
