package invite

import (
	"context"

	"github.com/convoke-dev/convoke/internal/address"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/idempotency"
	"github.com/convoke-dev/convoke/internal/lifecycle"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/token"
)

// Outcome is what a call did with one address.
type Outcome string

// The outcomes of the contract.
const (
	Invited        Outcome = "INVITED"
	Resent         Outcome = "RESENT"
	AlreadyInvited Outcome = "ALREADY_INVITED"
	AlreadyMember  Outcome = "ALREADY_MEMBER"
	Failed         Outcome = "FAILED"
)

// Result is what a call did with one address.
type Result struct {
	Email   string // as typed
	Outcome Outcome
	// Issued is the invitation that the call made or resent, or the open
	// invitation that is in the way; nil when there is none.
	Issued *Issued
	Errors fault.Errors
}

// addressee is one address that a call names.
type addressee struct {
	typed   string
	field   []string // the path of the address in the call's input
	address address.Address
	invalid *fault.Error // the typed text is no address
}

func addresseeOf(typed string, field ...string) addressee {
	a := addressee{typed: typed, field: field}
	a.address, a.invalid = address.Parse(typed, field...)
	return a
}

// key is the address in the form that is compared; empty for an invalid one.
func (a addressee) key() string { return a.address.Key }

// refusal returns the user error about this address.
func (a addressee) refusal(f *fault.Error) *fault.Error { return about(f, a.field...) }

// about returns the user error with the path of the field; nil for nil.
func about(f *fault.Error, field ...string) *fault.Error {
	if f == nil {
		return nil
	}
	located := fault.Input(f.Code, f.Message, field...)
	located.RetryAfter = f.RetryAfter
	return located
}

// results returns what the call answers about each address, after the plan was
// carried out. issued has the invitation of each address, or nil.
func (p plan) results(to []addressee, issued []*Issued) []Result {
	list := make([]Result, len(p))
	for n, d := range p {
		list[n] = Result{Email: to[n].typed, Outcome: d.outcome, Issued: issued[n]}
		if d.refused != nil {
			list[n].Errors.Add(to[n].refusal(d.refused))
		}
	}
	return list
}

// kept is the part of a result that is stored, as JSON, to answer the same call
// again. It holds no link: replay derives it anew.
type kept struct {
	Outcome    Outcome
	ID         string       `json:",omitempty"`
	HandedOver bool         `json:",omitempty"` // the call returned the link
	Generation int          `json:",omitempty"` // of that link
	Errors     fault.Errors `json:",omitempty"`
}

// keep returns what is stored of the results. worth is false when the call sent
// nothing: the same call is then tried again, and not answered from the store.
func keep(results []Result) (list []kept, worth bool) {
	list = make([]kept, len(results))
	for n, r := range results {
		worth = worth || r.Outcome == Invited || r.Outcome == Resent
		list[n] = kept{Outcome: r.Outcome, Errors: r.Errors}
		if r.Issued != nil {
			list[n].ID, list[n].HandedOver, list[n].Generation = r.Issued.ID, r.Issued.URL != "", r.Issued.generation
		}
	}
	return list, worth
}

// callOf returns the call by which idempotency recognises a repeated call. The
// JSON names are part of the stored hash, so they stay as they are.
func callOf(d Draft, c call) idempotency.Call {
	emails := make([]string, len(c.to))
	for n, a := range c.to {
		emails[n] = a.typed
	}
	return idempotency.Call{Name: c.mutation, Key: d.IdempotencyKey, Input: struct {
		Draft  Draft `json:"Offer"`
		Emails []string
	}{d, emails}}
}

// replay returns the results of the same call made before. A link that the
// first call returned is returned again while it is valid.
func (s *Service) replay(ctx context.Context, tx *store.Tx, to []addressee, before []kept) ([]Result, error) {
	list := make([]Result, len(to))
	for n, a := range to {
		k := before[n]
		list[n] = Result{Email: a.typed, Outcome: k.Outcome}
		for _, f := range k.Errors {
			list[n].Errors.Add(a.refusal(f))
		}
		if k.ID == "" {
			continue
		}
		list[n].Issued = &Issued{ID: k.ID}
		if !k.HandedOver {
			continue
		}
		var err error
		if list[n].Issued.URL, err = s.linkAgain(ctx, tx, k); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// linkAgain returns the link that an earlier call returned; empty when the
// invitation is not open any more, has a newer link, or was deleted with its
// team.
func (s *Service) linkAgain(ctx context.Context, tx *store.Tx, k kept) (string, error) {
	i, err := find(ctx, tx.Client(), k.ID)
	if fault.Is(err, fault.NotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if !lifecycle.IsOpen(i, s.Now()) || i.TokenGeneration != k.Generation {
		return "", nil
	}
	secret, err := s.Tokens.Rederive(token.Invitation, i.ID, i.TokenGeneration, i.TokenHash)
	if err != nil {
		return "", err
	}
	return s.link(secret), nil
}
