package invite

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
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
// MEMBER_DEACTIVATED, ALREADY_INVITED, FEATURE_NOT_AVAILABLE, PENDING_LIMIT_REACHED,
// SEAT_LIMIT_REACHED or ACCOUNT_SUSPENDED; with INVITE_COOL_OFF for an address that
// takes no invitations from the account now; and with RESEND_LIMIT_REACHED when
// it was to resend an open invitation. With ALREADY_INVITED it returns the open
// invitation too.
func (s *Service) Send(ctx context.Context, d Draft, email string) (*Issued, error) {
	a := addresseeOf(email, "email")
	results, err := s.dispatch(ctx, d, call{mutation: "inviteUser", to: []addressee{a}, bad: a.invalid})
	if err != nil {
		return nil, err
	}
	return results[0].Issued, results[0].Errors.Err()
}

// SendAll sends the same draft to up to 500 addresses, in one transaction, and
// returns what it did with each, in their order. SendAll needs members.invite
// in the team. It fails like Send for what is wrong with the call as a whole,
// and with BLANK for no address or INVALID_VALUE for too many. A refusal about
// one address stands in the result of that address, and the others are invited.
func (s *Service) SendAll(ctx context.Context, d Draft, emails []string) ([]Result, error) {
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
	return s.dispatch(ctx, d, c)
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

// dispatch sends the draft in one transaction. A call that was made before with
// the same key is answered from the store, in a suspended account too.
func (s *Service) dispatch(ctx context.Context, d Draft, c call) (results []Result, err error) {
	again := callOf(d, c) // as typed: check cleans the texts
	rule := act.InTeam(d.TeamID, access.MembersInvite).Checking(func() error { return s.check(&d, c.bad) }).EvenSuspended()
	err = s.Door.Do(ctx, rule, func(ctx context.Context, a *act.Act) error {
		again.AccountID, again.ActorID = a.Account.ID, a.UserID
		before, repeated, err := idempotency.Once(ctx, a.Tx, s.Now(), again, func() ([]kept, bool, error) {
			sent, err := s.send(ctx, a, d, c)
			if err != nil {
				return nil, false, err
			}
			results = sent
			list, worth := keep(sent)
			return list, worth, nil
		})
		if err == nil && repeated {
			results, err = s.replay(ctx, a.Tx, c.to, before)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// batch is one draft in the transaction that sends it.
type batch struct {
	Draft
	*act.Act
	grant     access.Grant
	divisions []*ent.Division
	mailed    bool
	now       time.Time // of every rule and row of the batch
}

// send reads what the plan needs, makes the plan, and issues it. The order of
// the steps is the order of the refusals: account, grant, address, limits of
// the account, rate limits.
func (s *Service) send(ctx context.Context, a *act.Act, d Draft, c call) ([]Result, error) {
	if err := a.InUse(); err != nil {
		return nil, err
	}
	b := &batch{Draft: d, Act: a, mailed: d.SendEmail && !s.NoMail, now: s.Now()}
	var err error
	if b.grant, b.divisions, err = s.grant(ctx, a, d.Grant, d.Scope); err != nil {
		return nil, err
	}
	p, err := s.plan(ctx, b, c)
	if err != nil {
		return nil, err
	}
	issued, err := s.issue(ctx, b, c.to, p)
	if err != nil {
		return nil, err
	}
	return p.results(c.to, issued), nil
}

// plan decides about each address of the call. RATE_LIMITED when the rate limits
// refuse the call as a whole.
func (s *Service) plan(ctx context.Context, b *batch, c call) (plan, error) {
	k, err := s.known(ctx, b.Tx, b.now, b.Account.ID, b.TeamID, keysOf(c.to)...)
	if err != nil {
		return nil, err
	}
	p := classify(c.to, k, s.terms(b.Act, b.now), b.ResendOnConflict)
	if p.count(Invited) > 0 {
		free, err := s.capacity(ctx, b.Act, b.TeamID)
		if err != nil {
			return nil, err
		}
		p.limit(free)
	}
	refused, err := s.take(p, c.to, b.Actor, b.mailed)
	if err != nil {
		return nil, err
	}
	if err := p.throttle(refused, c.bulk); err != nil {
		return nil, err
	}
	p.settle()
	return p, nil
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

// known looks the addresses up in the team. It stores that overdue invitations
// have expired, because the table holds at most one pending invitation for an
// address.
func (s *Service) known(ctx context.Context, tx *store.Tx, now time.Time, accountID, teamID string, keys ...string) (known, error) {
	rows, err := tx.Member.Query().Where(member.TeamID(teamID), member.EmailKeyIn(keys...)).
		Select(member.FieldEmailKey, member.FieldStatus).All(ctx)
	if err != nil {
		return known{}, fmt.Errorf("look for members: %w", err)
	}
	members := make(map[string]member.Status, len(rows))
	for _, m := range rows {
		members[m.EmailKey] = m.Status
	}
	q := tx.Invitation.Query().Where(invitation.TeamID(teamID), invitation.EmailKeyIn(keys...), lifecycle.StoredPending())
	withGrant(q)
	pending, err := q.All(ctx)
	if err != nil {
		return known{}, fmt.Errorf("look for open invitations: %w", err)
	}
	k := knownAt(now, members, pending)
	if k.cooling, err = s.cooling(ctx, tx, now, accountID, keys...); err != nil {
		return known{}, err
	}
	return k, s.expire(ctx, tx, k.overdue...)
}
