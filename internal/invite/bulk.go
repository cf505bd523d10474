package invite

import (
	"context"
	"fmt"
	"strconv"

	"github.com/convoke-dev/convoke/internal/address"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/idempotency"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/token"
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
	if err := s.dispatch(ctx, o, to, "inviteUsers", bad); err != nil {
		return nil, err
	}
	return to, nil
}

// result is what is kept of a recipient, for the same call made again.
type result struct {
	Outcome    Outcome
	ID         string       `json:",omitempty"`
	HandedOver bool         `json:",omitempty"` // the link was shown
	Generation int          `json:",omitempty"` // of that link
	Errors     fault.Errors `json:",omitempty"`
}

// callOf returns the call as it was typed, to be known again by.
func callOf(o Offer, to []*Recipient, mutation string) idempotency.Call {
	emails := make([]string, len(to))
	for n, r := range to {
		emails[n] = r.Email
	}
	return idempotency.Call{Name: mutation, Key: o.IdempotencyKey, Input: struct {
		Offer  Offer
		Emails []string
	}{o, emails}}
}

// resultsOf settles what became of those named twice, and returns what is to be
// kept; done reports whether anybody was invited or sent his invitation again.
func resultsOf(to []*Recipient) (results []result, done bool) {
	results = make([]result, len(to))
	for n, r := range to {
		if r.same != nil {
			r.Issued = r.same.Issued
			if r.same.Outcome == Failed {
				r.Errors = nil
				for _, f := range r.same.Errors {
					r.refuse(Failed, f.Code, f.Message)
				}
			}
		}
		done = done || r.Outcome == Invited || r.Outcome == Resent
		results[n] = result{Outcome: r.Outcome, Errors: r.Errors}
		if r.Issued != nil {
			results[n].ID, results[n].HandedOver, results[n].Generation = r.Issued.ID, r.Issued.URL != "", r.Issued.generation
		}
	}
	return results, done
}

// repeat writes what came of the same call before into the recipients. A link
// that was handed over is shown again, as long as it is good.
func (s *Service) repeat(ctx context.Context, tx *store.Tx, to []*Recipient, came []result) error {
	for n, r := range to {
		was := came[n]
		r.Outcome, r.Errors = was.Outcome, nil
		for _, f := range was.Errors {
			r.refuse(was.Outcome, f.Code, f.Message)
		}
		if was.ID == "" {
			continue
		}
		r.Issued = &Issued{ID: was.ID}
		if !was.HandedOver {
			continue
		}
		i, err := find(ctx, tx.Client(), was.ID)
		switch {
		case fault.Is(err, fault.NotFound): // gone with its team
		case err != nil:
			return err
		case Effective(i, s.Now()) == Pending && i.TokenGeneration == was.Generation:
			secret, err := s.Tokens.Rederive(token.Invitation, i.ID, i.TokenGeneration, i.TokenHash)
			if err != nil {
				return err
			}
			r.Issued.URL = s.link(secret)
		}
	}
	return nil
}
