package invite

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/account"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/idempotency"
	"github.com/convoke-dev/convoke/internal/lifecycle"
	"github.com/convoke-dev/convoke/internal/store"
)

// maxAddresses is how many addresses one call may name.
const maxAddresses = 500

// Send invites an address into a team. The mail, if one is wanted, is written
// to the outbox in the same transaction and sent later. Send needs
// members.invite in the team. It fails with UNAUTHENTICATED, NOT_FOUND or
// FORBIDDEN; for wrong input with BLANK, INVALID_EMAIL, TOO_LONG,
// INVALID_VALUE, INVALID_GRANT, ROLE_NOT_FOUND, NOT_FOUND, PERMISSION_UNKNOWN
// or IDEMPOTENCY_KEY_REUSED; with RATE_LIMITED; above the viewer's own rights
// with NOT_GRANTABLE or DOMAIN_NOT_ALLOWED; with ALREADY_MEMBER,
// ALREADY_INVITED, FEATURE_NOT_AVAILABLE, PENDING_LIMIT_REACHED,
// SEAT_LIMIT_REACHED or ACCOUNT_SUSPENDED; and with RESEND_LIMIT_REACHED when
// it was to resend an open invitation. With ALREADY_INVITED it returns the open
// invitation too.
func (s *Service) Send(ctx context.Context, o Offer, email string) (*Issued, error) {
	a := addresseeOf(email, "email")
	results, err := s.dispatch(ctx, o, call{mutation: "inviteUser", to: []addressee{a}, bad: a.invalid})
	if err != nil {
		return nil, err
	}
	return results[0].Issued, results[0].Errors.Err()
}

// SendAll sends the same offer to up to 500 addresses, in one transaction, and
// returns what it did with each, in their order. SendAll needs members.invite
// in the team. It fails like Send for what is wrong with the call as a whole,
// and with BLANK for no address or INVALID_VALUE for too many. A refusal about
// one address stands in the result of that address, and the others are invited.
func (s *Service) SendAll(ctx context.Context, o Offer, emails []string) ([]Result, error) {
	c := call{mutation: "inviteUsers", bulk: true}
	switch {
	case len(emails) == 0:
		c.bad = fault.Input(fault.Blank, "Name at least one address.", "emails")
	case len(emails) > maxAddresses:
		c.bad = fault.Input(fault.InvalidValue, fmt.Sprintf("At most %d addresses are allowed at once.", maxAddresses), "emails")
		emails = nil
	}
	for n, email := range emails {
		c.to = append(c.to, addresseeOf(email, "emails", strconv.Itoa(n)))
	}
	return s.dispatch(ctx, o, c)
}

// call is one inviteUser or inviteUsers.
type call struct {
	mutation string
	// bulk says where a refusal about one address goes: into the result of that
	// address, or, in a single call, into the error of the call.
	bulk bool
	to   []addressee
	bad  *fault.Error // what is wrong with the addresses as a whole
}

// dispatch checks the permission and the input, and sends the offer in one
// transaction. A call that was made before with the same key is answered from
// the store.
func (s *Service) dispatch(ctx context.Context, o Offer, c call) (results []Result, err error) {
	m, err := access.Require(ctx, s.Store.Read(), o.TeamID, access.MembersInvite)
	if err != nil {
		return nil, err
	}
	again := callOf(o, c) // as typed
	if err := s.check(&o, c.bad); err != nil {
		return nil, err
	}
	err = s.Store.InAccount(ctx, m.AccountID, func(tx *store.Tx) error {
		inviter, err := s.Access.RequireStill(ctx, tx.Client(), o.TeamID, access.MembersInvite)
		if err != nil {
			return err
		}
		ctx := access.System(ctx, "send invitations for a viewer who may")
		again.AccountID, again.ActorID = inviter.AccountID, inviter.UserID
		before, repeated, err := idempotency.Once(ctx, tx, s.Now(), again, func() ([]kept, bool, error) {
			if results, err = s.send(ctx, tx, inviter, o, c); err != nil {
				return nil, false, err
			}
			list, worth := keep(results)
			return list, worth, nil
		})
		if err == nil && repeated {
			results, err = s.replay(ctx, tx, c.to, before)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// batch is one offer on its way to its addresses.
type batch struct {
	Offer
	acc       *ent.Account
	inviter   *access.Membership
	grant     access.Grant
	divisions []*ent.Division
	mailed    bool
	now       time.Time // the same for every row of the batch
}

// send reads what the plan needs, makes the plan, and issues it. The order of
// the steps is the order of the refusals: account, grant, address, limits of
// the account, rate limits.
func (s *Service) send(ctx context.Context, tx *store.Tx, inviter *access.Membership, o Offer, c call) ([]Result, error) {
	acc, err := s.account(ctx, tx, inviter.AccountID)
	if err != nil {
		return nil, err
	}
	b := &batch{Offer: o, acc: acc, inviter: inviter, mailed: o.SendEmail && !s.NoMail, now: s.Now()}
	if b.grant, b.divisions, err = s.grant(ctx, tx, inviter, o.Grant, o.Scope); err != nil {
		return nil, err
	}
	k, err := s.known(ctx, tx, o.TeamID, keysOf(c.to)...)
	if err != nil {
		return nil, err
	}
	p := classify(c.to, k, s.terms(acc, inviter, b.now), o.ResendOnConflict)
	if wanted := p.count(Invited); wanted > 0 {
		free, err := s.capacity(ctx, tx, acc, o.TeamID)
		if err != nil {
			return nil, err
		}
		p.limit(free)
	}
	refused, err := s.take(p, c.to, inviter, b.mailed)
	if err == nil {
		err = p.throttle(refused, c.bulk)
	}
	if err != nil {
		return nil, err
	}
	p.settle()
	issued, err := s.issue(ctx, tx, b, c.to, p)
	if err != nil {
		return nil, err
	}
	return p.results(c.to, issued), nil
}

func keysOf(to []addressee) []string {
	keys := make([]string, 0, len(to))
	for _, a := range to {
		if a.invalid == nil {
			keys = append(keys, a.key())
		}
	}
	return keys
}

// known looks the addresses up in the team. It writes down that overdue
// invitations have expired, because an address has at most one pending
// invitation in the table.
func (s *Service) known(ctx context.Context, tx *store.Tx, teamID string, keys ...string) (known, error) {
	members, err := tx.Member.Query().Where(member.TeamID(teamID), member.EmailKeyIn(keys...)).
		Select(member.FieldEmailKey).Strings(ctx)
	if err != nil {
		return known{}, fmt.Errorf("look for members: %w", err)
	}
	q := tx.Invitation.Query().Where(invitation.TeamID(teamID), invitation.EmailKeyIn(keys...), lifecycle.StoredPending())
	withGrant(q)
	pending, err := q.All(ctx)
	if err != nil {
		return known{}, fmt.Errorf("look for open invitations: %w", err)
	}
	k := knownAt(s.Now(), members, pending)
	return k, s.expire(ctx, tx, k.overdue...)
}

// account returns the account as the transaction sees it. ACCOUNT_SUSPENDED
// when the operator has stopped it.
func (s *Service) account(ctx context.Context, tx *store.Tx, id string) (*ent.Account, error) {
	acc, err := tx.Account.Get(access.System(ctx, "read the settings of an account"), id)
	if err != nil {
		return nil, fmt.Errorf("read account %s: %w", id, err)
	}
	if acc.Status != account.StatusActive {
		return nil, fault.Input(fault.AccountSuspended, "The account is suspended.")
	}
	return acc, nil
}
