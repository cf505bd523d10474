package lifecycle

import (
	"fmt"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/predicate"
	"github.com/convoke-dev/convoke/internal/fault"
)

// MaxTTLHours is the longest that an invitation may stay open, in hours.
const MaxTTLHours = 720

// CheckTTL fails with INVALID_VALUE about the field when an invitation may not
// stay open for that many hours.
func CheckTTL(hours int, field string) *fault.Error {
	if hours < 1 || hours > MaxTTLHours {
		return fault.Input(fault.InvalidValue, fmt.Sprintf("This must be between 1 and %d hours.", MaxTTLHours), field)
	}
	return nil
}

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

// Action is something that can be done with an invitation.
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

// moves is the whole life of an invitation. A move to the state that the
// invitation already has was made before: it succeeds and changes nothing.
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

// Next returns the state that the action leads to, or the reason why it is
// refused.
func Next(from Status, a Action) (Status, *fault.Error) {
	m := moves[from][a]
	if m.denied != "" {
		return from, fault.Input(m.denied, refusals[m.denied])
	}
	return m.to, nil
}

// Effective returns the state of an invitation at a moment. An invitation that
// is stored as pending is expired from expires_at on, before the sweep has
// stored that too.
func Effective(i *ent.Invitation, now time.Time) Status {
	if IsOverdue(i, now) {
		return Expired
	}
	return i.Status
}

// InState is Effective as a predicate: it picks the invitations whose state at
// the moment is this one.
func InState(s Status, now time.Time) predicate.Invitation {
	switch s {
	case Pending:
		return Open(now)
	case Expired:
		return invitation.Or(invitation.StatusEQ(Expired), Overdue(now))
	default:
		return invitation.StatusEQ(s)
	}
}

// IsOpen reports whether the invitation waits for an answer at the moment.
func IsOpen(i *ent.Invitation, now time.Time) bool { return Effective(i, now) == Pending }

// Open is IsOpen as a predicate.
func Open(now time.Time) predicate.Invitation {
	return invitation.And(StoredPending(), invitation.ExpiresAtGT(now))
}

// IsOverdue reports whether the invitation is stored as pending and has expired.
func IsOverdue(i *ent.Invitation, now time.Time) bool {
	return i.Status == Pending && !now.Before(i.ExpiresAt)
}

// Overdue is IsOverdue as a predicate. It picks few rows: the sweep stores
// within seconds that they have expired.
func Overdue(now time.Time) predicate.Invitation {
	return invitation.And(StoredPending(), invitation.ExpiresAtLTE(now))
}

// StoredPending picks the invitations that are stored as pending, open and
// overdue ones alike. It is not the answer to "is it open?".
func StoredPending() predicate.Invitation {
	return func(s *sql.Selector) { s.Where(StoredPendingIn(s.C)) }
}

// StoredPendingIn is StoredPending for a table of invitations inside another
// query. column returns the table's name of a column.
func StoredPendingIn(column func(string) string) *sql.Predicate {
	return sql.EQ(column(invitation.FieldStatus), Pending)
}

// Listed picks the invitations that may be in a list of people: they are open, or have expired
// and no newer one supersedes them. It is written with constants, so that a database can prove
// that the partial indexes of such lists have every row that a query asks for.
func Listed() predicate.Invitation {
	return func(s *sql.Selector) {
		s.Where(sql.ExprP(s.C(invitation.FieldStatus) + " IN ('PENDING', 'EXPIRED') AND NOT " + s.C(invitation.FieldSuperseded)))
	}
}

// Resendable picks the invitations whose state allows Resend: what they offer
// may be offered again, so nothing that they name may disappear.
func Resendable() predicate.Invitation {
	var from []Status
	for _, s := range []Status{Pending, Accepted, Declined, Revoked, Expired} {
		if _, denied := Next(s, Resend); denied == nil {
			from = append(from, s)
		}
	}
	return invitation.StatusIn(from...)
}
