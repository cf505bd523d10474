package invite

import (
	"fmt"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/lifecycle"
)

// plan is what a call does with each address it names, in their order. classify
// makes it from what the database says; limit, throttle and settle turn outcomes
// into refusals. None of them reads a database or a clock. issue writes the rest.
type plan []decision

// decision is what the plan does with one address.
type decision struct {
	outcome Outcome
	// refused is the reason when nothing is sent: nil for Invited and Resent.
	refused *fault.Error
	// open is the open invitation of the address: the one to resend, or the one
	// that is in the way.
	open *ent.Invitation
	// quota is the quota of the open invitation after its resend.
	quota quota
	// first is the index of the first decision about the same address, or -1 when
	// this decision is the first.
	first int
}

func (d *decision) refuse(o Outcome, reason *fault.Error) { d.outcome, d.refused = o, reason }

// known is what the database says about the addresses of a call, each by its
// key.
type known struct {
	members map[string]member.Status   // of members of the team
	open    map[string]*ent.Invitation // open invitations to the team, with their grants
	overdue []*ent.Invitation          // pending in the table, but past their expiry
	cooling map[string]*fault.Error    // why addresses take no invitation now
}

// knownAt sorts the pending invitations of a team by what they mean at the moment.
func knownAt(now time.Time, members map[string]member.Status, pending []*ent.Invitation) known {
	k := known{members: members, open: map[string]*ent.Invitation{}}
	for _, i := range pending {
		if lifecycle.IsOverdue(i, now) {
			k.overdue = append(k.overdue, i)
		} else {
			k.open[i.EmailKey] = i
		}
	}
	return k
}

// classify decides about each address by what is known of it. With resend, an
// open invitation is sent again if the terms allow it. A Failed decision about
// an open invitation names the invitation.
func classify(to []addressee, k known, t terms, resend bool) plan {
	p, firsts := make(plan, len(to)), map[string]int{}
	for n, a := range to {
		d := decision{first: -1}
		first, repeated := firsts[a.key()]
		switch open := k.open[a.key()]; {
		case a.invalid != nil:
			d.refuse(Failed, a.invalid)
		case k.members[a.key()] != "":
			d.refuse(AlreadyMember, alreadyMember(k.members[a.key()]))
		case repeated:
			d.first = first
			d.refuse(AlreadyInvited, fault.Input(fault.AlreadyInvited, "The list names this address more than once."))
		case open == nil && k.cooling[a.key()] != nil, resend && k.cooling[a.key()] != nil:
			d.open = open
			d.refuse(Failed, k.cooling[a.key()])
		case open == nil:
			d.outcome = Invited
		case !resend:
			d.open = open
			d.refuse(AlreadyInvited, fault.Input(fault.AlreadyInvited, "This address has an open invitation already."))
		default:
			d.open, d.outcome = open, Resent
			if q, reason := t.resendable(open, nil); reason != nil {
				d.refuse(Failed, reason)
			} else {
				d.quota = q
			}
		}
		if a.invalid == nil && !repeated {
			firsts[a.key()] = n
		}
		p[n] = d
	}
	return p
}

// count returns how many addresses have the outcome.
func (p plan) count(o Outcome) (n int) {
	for _, d := range p {
		if d.outcome == o {
			n++
		}
	}
	return n
}

// limit refuses the new invitations that exceed the capacity: the first ones
// are sent, the others fail.
func (p plan) limit(c capacity) {
	room, full := c.room(p.count(Invited))
	for n := range p {
		switch {
		case p[n].outcome != Invited:
		case room > 0:
			room--
		default:
			p[n].refuse(Failed, full)
		}
	}
}

// throttle applies the refusals of the rate limits, by the index of the
// address. In a bulk call each is the refusal of its address only; in a single
// call it is the error of the call, which tells the client when to try again.
func (p plan) throttle(refused map[int]*fault.Error, bulk bool) error {
	for n := range p {
		switch limited := refused[n]; {
		case limited == nil:
		case !bulk:
			return limited
		default:
			p[n].refuse(Failed, passing(limited.RetryAfter, limited.Message))
		}
	}
	return nil
}

// settle gives an address that is named again the refusal of its first
// decision, if that failed.
func (p plan) settle() {
	for n, d := range p {
		if d.first >= 0 && p[d.first].outcome == Failed {
			p[n].refuse(Failed, p[d.first].refused)
		}
	}
}

// capacity is what limits the new invitations of an account and a team.
type capacity struct {
	oneUser bool // the account's plan is for one user
	// maxPending is how many open invitations the account may have, nil = any
	// number; pending is how many it has.
	maxPending *int
	pending    int
	// seats is how many people the team can still take, nil = any number;
	// reserves is set when an open invitation takes a seat.
	seats    *int
	reserves bool
}

// room returns how many of the wanted new invitations the limits allow, and the
// refusal of the next one; nil when all are allowed.
func (c capacity) room(wanted int) (room int, full *fault.Error) {
	if c.oneUser {
		return 0, oneUserOnly()
	}
	room = wanted
	if c.maxPending != nil {
		if left := max(*c.maxPending-c.pending, 0); left < room {
			room, full = left, fault.Input(fault.PendingLimitReached,
				fmt.Sprintf("The account has as many open invitations as it may have: %d.", *c.maxPending))
		}
	}
	// Where open invitations take no seat, one free seat is enough for all of
	// them: the first addressee who accepts takes it.
	if c.seats != nil && (c.reserves && *c.seats < room || *c.seats == 0) {
		room, full = *c.seats, fault.Input(fault.SeatLimitReached, "The team has no seat left.")
	}
	return room, full
}

func oneUserOnly() *fault.Error {
	return fault.Input(fault.FeatureNotAvailable, "The account's plan is for one user; upgrade it to invite others.")
}

// alreadyMember returns ALREADY_MEMBER, or MEMBER_DEACTIVATED for a deactivated member,
// whom an invitation would not bring back.
func alreadyMember(s member.Status, field ...string) *fault.Error {
	if s == member.StatusDeactivated {
		return fault.Input(fault.MemberDeactivated, "The person with this address is a deactivated member of the team. Reactivate them instead.", field...)
	}
	return fault.Input(fault.AlreadyMember, "The person with this address is a member of the team already.", field...)
}
