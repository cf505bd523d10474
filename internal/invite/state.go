package invite

import (
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/internal/fault"
)

// Status is the state of an invitation.
type Status = invitation.Status

// The states, in the order of the contract.
const (
	Pending  = invitation.StatusPending
	Accepted = invitation.StatusAccepted
	Declined = invitation.StatusDeclined
	Revoked  = invitation.StatusRevoked
	Expired  = invitation.StatusExpired
)

// Action is what somebody wants to do with an invitation.
type Action string

// The actions.
const (
	Resend  Action = "resend"
	Accept  Action = "accept"
	Decline Action = "decline"
	Revoke  Action = "revoke"
	Expire  Action = "expire"
	Update  Action = "update"
)

// move is a cell of the table: where the action leads, or why it is refused.
type move struct {
	to     Status
	denied fault.Code
}

// moves is the whole life of an invitation. A move that leads where the
// invitation already is has been done before: it succeeds and changes nothing.
var moves = map[Status]map[Action]move{
	Pending: {
		Resend: {to: Pending}, Accept: {to: Accepted}, Decline: {to: Declined}, Revoke: {to: Revoked}, Expire: {to: Expired},
		Update: {to: Pending},
	},
	Expired: {
		Resend: {to: Pending}, Accept: {denied: fault.InvitationExpired}, Decline: {denied: fault.InvitationExpired},
		Revoke: {to: Revoked}, Expire: {to: Expired}, Update: {denied: fault.InvitationExpired},
	},
	Declined: {
		Resend: {denied: fault.InvitationDeclined}, Accept: {denied: fault.InvitationDeclined}, Decline: {to: Declined},
		Revoke: {denied: fault.InvitationDeclined}, Expire: {denied: fault.InvitationDeclined},
		Update: {denied: fault.InvitationDeclined},
	},
	Revoked: {
		Resend: {denied: fault.InvitationRevoked}, Accept: {denied: fault.InvitationRevoked}, Decline: {denied: fault.InvitationRevoked},
		Revoke: {to: Revoked}, Expire: {denied: fault.InvitationRevoked},
		Update: {denied: fault.InvitationRevoked},
	},
	Accepted: {
		Resend: {denied: fault.InvitationAlreadyAccepted}, Accept: {denied: fault.InvitationAlreadyAccepted},
		Decline: {denied: fault.InvitationAlreadyAccepted}, Revoke: {denied: fault.InvitationAlreadyAccepted},
		Expire: {denied: fault.InvitationAlreadyAccepted}, Update: {denied: fault.InvitationAlreadyAccepted},
	},
}

var refusals = map[fault.Code]string{
	fault.InvitationExpired:         "This invitation has expired.",
	fault.InvitationDeclined:        "This invitation was declined.",
	fault.InvitationRevoked:         "This invitation was revoked.",
	fault.InvitationAlreadyAccepted: "This invitation was accepted already.",
}

// Next returns where the action leads from the state, or the reason it is
// refused.
func Next(from Status, a Action) (Status, *fault.Error) {
	m := moves[from][a]
	if m.denied != "" {
		return from, fault.Input(m.denied, refusals[m.denied])
	}
	return m.to, nil
}

// Effective returns the state of an invitation at a moment: one that is pending
// in the table has expired from expires_at on, whether or not the sweep has been
// there.
func Effective(i *ent.Invitation, now time.Time) Status {
	if i.Status == Pending && !now.Before(i.ExpiresAt) {
		return Expired
	}
	return i.Status
}
