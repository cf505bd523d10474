package invite

import (
	"context"
	"errors"
	"fmt"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/idempotency"
)

// listed is the field of the inputs that name several invitations.
const listed = "invitationIds"

// Selection is several invitations of one team.
type Selection struct {
	TeamID        string
	InvitationIDs []string
}

// Renewals is a resend of several invitations as the inviter typed it.
type Renewals struct {
	Selection
	ExpiresInHours *int    // nil = the account's setting
	IdempotencyKey *string `json:"-"`
}

// Renewed is what a call did with one of several invitations.
type Renewed struct {
	act.Result
	// URL is the link. It is set only when the link was not mailed.
	URL string
}

// RevokeAll is Revoke for up to 100 invitations of a team, in one transaction, and
// returns what it did with each, in their order. A refusal about one invitation is in
// the result of that invitation, and the others are revoked. RevokeAll needs
// members.invite in the team. It fails with UNAUTHENTICATED, NOT_FOUND, FORBIDDEN or
// ACCOUNT_SUSPENDED, and with BLANK for no invitation or INVALID_VALUE for too many. An
// invitation gets NOT_FOUND, DUPLICATE, or the refusal of its state.
func (s *Service) RevokeAll(ctx context.Context, of Selection) (results []act.Result, err error) {
	err = s.manageAll(ctx, of, nil, func(ctx context.Context, a *act.Act, known map[string]bool) error {
		if err := a.InUse(); err != nil {
			return err
		}
		results, err = act.Each(of.InvitationIDs, act.IDsIn(listed), func(n int) (act.Outcome, error) {
			i, err := invitationIn(ctx, a, known, of.InvitationIDs[n])
			if err != nil {
				return act.Failed, err
			}
			changed, err := s.takeBack(ctx, a.Tx, i, a.UserID)
			if !changed {
				return act.Unchanged, err
			}
			return act.Done, err
		})
		return err
	})
	return results, err
}

// ResendAll is Resend for up to 100 invitations of a team, in one transaction, and
// returns what it did with each, in their order. A refusal about one invitation is in
// the result of that invitation, and the others are resent. A call that was made before
// with the same key is answered from the store. ResendAll needs members.invite in the
// team. It fails with UNAUTHENTICATED, NOT_FOUND, FORBIDDEN or ACCOUNT_SUSPENDED; with
// BLANK for no invitation or an empty key, INVALID_VALUE, TOO_LONG or
// IDEMPOTENCY_KEY_REUSED. An invitation gets the refusals of Resend, with
// RESEND_LIMIT_REACHED for the rate limits too, or DUPLICATE.
func (s *Service) ResendAll(ctx context.Context, r Renewals) (results []Renewed, err error) {
	check := func(wrong *fault.Errors) {
		wrong.Add(idempotency.Check(r.IdempotencyKey))
		wrong.Add(checkTTL(r.ExpiresInHours))
	}
	err = s.manageAll(ctx, r.Selection, check, func(ctx context.Context, a *act.Act, known map[string]bool) error {
		again := idempotency.Call{AccountID: a.Account.ID, ActorID: a.UserID, Name: "resendInvites", Key: r.IdempotencyKey, Input: r}
		before, repeated, err := idempotency.Once(ctx, a.Tx, s.Now(), again, func() (stored []storedRenewal, done bool, err error) {
			results, stored, done, err = s.resendAll(ctx, a, known, r)
			return stored, done, err
		})
		if err == nil && repeated {
			results, err = s.renewedBefore(ctx, a, before)
		}
		return err
	})
	return results, err
}

// storedRenewal is the part of a result that is stored, as JSON, to answer the same call
// again. It holds no link: that is derived anew.
type storedRenewal struct {
	act.Result
	HandedOver bool `json:",omitempty"` // the call returned the link
	Generation int  `json:",omitempty"` // of that link
}

// resendAll resends each invitation. done is false when none was resent: the same call
// is then tried again, and not answered from the store.
func (s *Service) resendAll(ctx context.Context, a *act.Act, known map[string]bool, r Renewals) (results []Renewed, stored []storedRenewal, done bool, err error) {
	if err := a.InUse(); err != nil {
		return nil, nil, false, err
	}
	issued := make([]*Issued, len(r.InvitationIDs))
	plain, err := act.Each(r.InvitationIDs, act.IDsIn(listed), func(n int) (act.Outcome, error) {
		i, err := invitationIn(ctx, a, known, r.InvitationIDs[n])
		if err != nil {
			return act.Failed, err
		}
		issued[n], err = s.resend(ctx, a, i, Renewal{ExpiresInHours: r.ExpiresInHours, SendEmail: true})
		var limited *fault.Error
		if errors.As(err, &limited) && limited.Code == fault.RateLimited { // refuses this one alone, as in SendAll
			err = passing(limited.RetryAfter, limited.Message)
		}
		return act.Done, err
	})
	if err != nil {
		return nil, nil, false, err
	}
	results, stored = make([]Renewed, len(plain)), make([]storedRenewal, len(plain))
	for n, p := range plain {
		results[n].Result, stored[n].Result = p, p
		if p.Outcome == act.Done {
			done = true
			results[n].URL = issued[n].URL
			stored[n].HandedOver, stored[n].Generation = issued[n].URL != "", issued[n].generation
		}
	}
	return results, stored, done, nil
}

// renewedBefore returns the results of the same call made before. A link that it
// returned is returned again while it is valid.
func (s *Service) renewedBefore(ctx context.Context, a *act.Act, before []storedRenewal) ([]Renewed, error) {
	results := make([]Renewed, len(before))
	for n, b := range before {
		results[n].Result = b.Result
		if !b.HandedOver {
			continue
		}
		var err error
		if results[n].URL, err = s.linkAgain(ctx, a.Tx, kept{ID: b.ID, Generation: b.Generation}); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// manageAll runs f for a viewer who holds members.invite in the team. known has those of
// the invitations that are in the team and that the viewer may know of. check adds what
// else is wrong with the input. It fails like manage, and with BLANK or INVALID_VALUE.
// It opens suspended accounts too, because a repeated call is answered there: f calls
// InUse.
func (s *Service) manageAll(ctx context.Context, of Selection, check func(*fault.Errors), f func(ctx context.Context, a *act.Act, known map[string]bool) error) error {
	known := map[string]bool{}
	rule := act.InTeam(of.TeamID, access.MembersInvite).EvenSuspended().Checking(func() error {
		var wrong fault.Errors
		wrong.Add(act.CheckItems(len(of.InvitationIDs), listed))
		if check != nil {
			check(&wrong)
		}
		if err := wrong.Err(); err != nil {
			return err
		}
		seen, err := s.Store.Read().Invitation.Query().
			Where(invitation.TeamID(of.TeamID), invitation.IDIn(of.InvitationIDs...)).IDs(ctx)
		if err != nil {
			return fmt.Errorf("find invitations of %s: %w", of.TeamID, err)
		}
		for _, id := range seen {
			known[id] = true
		}
		return nil
	})
	return s.Door.Do(ctx, rule, func(ctx context.Context, a *act.Act) error { return f(ctx, a, known) })
}

// invitationIn is find, in the act's transaction, for one of the known invitations.
func invitationIn(ctx context.Context, a *act.Act, known map[string]bool, id string) (*ent.Invitation, error) {
	if !known[id] {
		return nil, fault.Refuse(fault.NotFound, "There is no such invitation.")
	}
	return find(ctx, a.Tx.Client(), id)
}
