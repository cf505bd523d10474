package invite

import (
	"context"
	"fmt"
	"strconv"

	"github.com/convoke-dev/convoke/internal/address"
	"github.com/convoke-dev/convoke/internal/fault"
)

// maxRecipients is how many addresses one offer goes to at the most.
const maxRecipients = 500

// Outcome is what came of an offer to one address.
type Outcome string

// The outcomes of the contract.
const (
	Invited        Outcome = "INVITED"
	Resent         Outcome = "RESENT"
	AlreadyInvited Outcome = "ALREADY_INVITED"
	AlreadyMember  Outcome = "ALREADY_MEMBER"
	Failed         Outcome = "FAILED"
)

// Recipient is one address an offer goes to, and what came of it.
type Recipient struct {
	Email   string // as typed
	Outcome Outcome
	// Issued is the invitation that was made or sent again, or the open one that
	// stands in its way; nil when there is none.
	Issued *Issued
	Errors fault.Errors

	address address.Address
	field   []string
	same    *Recipient // an earlier one of the same address
}

// recipientOf reads an address as typed into the field. One that is none has
// failed already; what is wrong is returned as well.
func recipientOf(email string, field ...string) (*Recipient, *fault.Error) {
	r := &Recipient{Email: email, field: field}
	var bad *fault.Error
	if r.address, bad = address.Parse(email, field...); bad != nil {
		r.refuse(Failed, bad.Code, bad.Message)
	}
	return r, bad
}

// key is what the recipient is compared by; empty for what is no address.
func (r *Recipient) key() string { return r.address.Key }

func (r *Recipient) refuse(o Outcome, code fault.Code, message string) {
	r.Outcome = o
	r.Errors.Add(fault.Input(code, message, r.field...))
}

// SendAll makes one offer to up to 500 addresses, in one transaction, and
// returns what came of each, in their order. It fails like Send for what is wrong
// with the offer as a whole, and with BLANK or INVALID_VALUE for no address or
// too many; what is wrong with one address stands in its result and keeps none of
// the others.
func (s *Service) SendAll(ctx context.Context, o Offer, emails []string) ([]*Recipient, error) {
	var bad *fault.Error
	switch {
	case len(emails) == 0:
		bad = fault.Input(fault.Blank, "Name at least one address.", "emails")
	case len(emails) > maxRecipients:
		bad = fault.Input(fault.InvalidValue, fmt.Sprintf("At most %d addresses are allowed at once.", maxRecipients), "emails")
		emails = nil
	}
	to := make([]*Recipient, len(emails))
	for n, email := range emails {
		to[n], _ = recipientOf(email, "emails", strconv.Itoa(n))
	}
	if err := s.dispatch(ctx, o, to, bad); err != nil {
		return nil, err
	}
	for _, r := range to {
		if r.same == nil {
			continue
		}
		r.Issued = r.same.Issued
		if r.same.Outcome == Failed {
			r.Errors = nil
			for _, f := range r.same.Errors {
				r.refuse(Failed, f.Code, f.Message)
			}
		}
	}
	return to, nil
}
