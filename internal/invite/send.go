package invite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/account"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/address"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/idempotency"
	"github.com/convoke-dev/convoke/internal/lifecycle"
	"github.com/convoke-dev/convoke/internal/outbox"
	"github.com/convoke-dev/convoke/internal/roster"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/text"
	"github.com/convoke-dev/convoke/internal/token"
	"github.com/convoke-dev/convoke/internal/uid"
)

// Offer is an invitation about to be sent, as typed; to whom is said beside it.
type Offer struct {
	TeamID                        string
	FirstName, LastName, JobTitle string
	Note                          string
	Grant                         roster.Wish
	Scope                         roster.Scope
	ExpiresInHours                *int // nil = the account's setting
	SendEmail                     bool
	ResendOnConflict              bool
	IdempotencyKey                *string `json:"-"`
}

// Send invites an address into a team. Its mail, if one is wanted, is written
// with it and sent later. It fails with UNAUTHENTICATED, NOT_FOUND or
// FORBIDDEN; for wrong input with BLANK, INVALID_EMAIL, TOO_LONG,
// INVALID_VALUE, INVALID_GRANT, ROLE_NOT_FOUND, NOT_FOUND, PERMISSION_UNKNOWN,
// IDEMPOTENCY_KEY_REUSED; RATE_LIMITED; with NOT_GRANTABLE or DOMAIN_NOT_ALLOWED above the
// viewer's own rights, ALREADY_MEMBER, ALREADY_INVITED, FEATURE_NOT_AVAILABLE,
// PENDING_LIMIT_REACHED, SEAT_LIMIT_REACHED or ACCOUNT_SUSPENDED; with
// RESEND_LIMIT_REACHED when it was to resend. With ALREADY_INVITED the open
// invitation is returned too.
func (s *Service) Send(ctx context.Context, o Offer, email string) (*Issued, error) {
	to, bad := recipientOf(email, "email")
	if err := s.dispatch(ctx, o, []*Recipient{to}, "inviteUser", bad); err != nil {
		return nil, err
	}
	if len(to.Errors) > 0 {
		return to.Issued, to.Errors
	}
	return to.Issued, nil
}

// dispatch makes an offer to the recipients, in one transaction, and writes
// what came of it into them. What is wrong with the offer is an error; bad is what
// was found wrong before.
func (s *Service) dispatch(ctx context.Context, o Offer, to []*Recipient, mutation string, bad *fault.Error) error {
	m, err := access.Require(ctx, s.Store.Read(), o.TeamID, access.MembersInvite)
	if err != nil {
		return err
	}
	call := callOf(o, to, mutation)
	if err := s.check(&o, bad); err != nil {
		return err
	}
	return s.Store.InAccount(ctx, m.AccountID, func(tx *store.Tx) error {
		inviter, err := s.Access.RequireStill(ctx, tx.Client(), o.TeamID, access.MembersInvite)
		if err != nil {
			return err
		}
		ctx := access.System(ctx, "make an offer for a viewer who may")
		call.AccountID, call.ActorID = inviter.AccountID, inviter.UserID
		came, before, err := idempotency.Once(ctx, tx, s.Now(), call, func() ([]result, bool, error) {
			err := s.offer(ctx, tx, inviter, o, to)
			results, done := resultsOf(to)
			return results, done, err
		})
		if err != nil || !before {
			return err
		}
		return s.repeat(ctx, tx, to, came)
	})
}

// offer is dispatch in the transaction, for an inviter who may.
func (s *Service) offer(ctx context.Context, tx *store.Tx, inviter *access.Membership, o Offer, to []*Recipient) error {
	acc, err := s.account(ctx, tx, inviter.AccountID)
	if err != nil {
		return err
	}
	b := &batch{Offer: o, acc: acc, inviter: inviter}
	b.grant, b.divisions, err = s.grant(ctx, tx, inviter, o.Grant, o.Scope)
	if err != nil {
		return err
	}
	fresh, err := s.sort(ctx, tx, b, to)
	if err == nil && len(fresh) > 0 {
		fresh, err = s.admissible(ctx, tx, b, fresh)
	}
	if err == nil {
		err = s.notTooMany(b.inviter, len(fresh))
	}
	if err == nil && len(fresh) > 0 {
		fresh, err = s.sparing(b, fresh)
	}
	if err == nil && len(fresh) > 0 {
		err = s.create(ctx, tx, b, fresh)
	}
	return err
}

// notTooMany fails with RATE_LIMITED when the inviter, or his account, sends more
// invitations than is good.
func (s *Service) notTooMany(inviter *access.Membership, n int) error {
	if err := s.PerInviter.Take(inviter.UserID, n); err != nil {
		return err
	}
	return s.PerAccount.Take(inviter.AccountID, n)
}

// notTooManyTo fails with RATE_LIMITED when too many mails went to an address.
func (s *Service) notTooManyTo(emailKey string, mailed bool) error {
	if !mailed {
		return nil
	}
	return s.PerRecipient.Take("invitation "+emailKey, 1)
}

// sparing returns the recipients who have not been written to too often, and
// tells the others why. RATE_LIMITED when there is but one, and it is his.
func (s *Service) sparing(b *batch, fresh []*Recipient) (rest []*Recipient, err error) {
	for _, r := range fresh {
		err := s.notTooManyTo(r.key(), b.SendEmail && !s.NoMail)
		var limited *fault.Error
		switch {
		case err == nil:
			rest = append(rest, r)
		case len(r.field) == 1 || !errors.As(err, &limited):
			return nil, err
		default:
			r.refuse(Failed, fault.ResendLimitReached, limited.Message)
		}
	}
	return rest, nil
}

// batch is one offer being made, as the transaction sees it.
type batch struct {
	Offer
	acc       *ent.Account
	inviter   *access.Membership
	grant     access.Grant
	divisions []*ent.Division
}

// check cleans the offer's texts and refuses what is wrong in itself.
func (s *Service) check(o *Offer, found *fault.Error) error {
	var wrong fault.Errors
	wrong.Add(found)
	wrong.Add(idempotency.Check(o.IdempotencyKey))
	var bad *fault.Error
	o.FirstName, bad = text.Line(o.FirstName, "firstName")
	wrong.Add(bad)
	o.LastName, bad = text.Line(o.LastName, "lastName")
	wrong.Add(bad)
	o.JobTitle, bad = text.Line(o.JobTitle, "jobTitle")
	wrong.Add(bad)
	o.Note, bad = text.Note(o.Note, "note")
	wrong.Add(bad)
	wrong.Add(checkTTL(o.ExpiresInHours))
	wrong.Add(checkForm(o.Grant))
	_, bad = s.Roster.CheckPermissions(o.Grant.Permissions)
	wrong.Add(bad)
	var err error
	if o.Scope, err = roster.CheckScope(o.Scope); err != nil {
		list, _ := fault.UserErrors(err)
		wrong = append(wrong, list...)
	}
	return wrong.Err()
}

// checkForm: exactly one form of grant, all permissions or chosen ones.
func checkForm(w roster.Wish) *fault.Error {
	switch {
	case w.Chosen() && w.AllPermissions:
		return fault.Input(fault.InvalidGrant, "Grant either all permissions or chosen ones, not both.", "allPermissions")
	case !w.Chosen() && !w.AllPermissions:
		return fault.Input(fault.InvalidGrant, "Grant at least one role, group or permission, or all permissions.", "roleIds")
	}
	return nil
}

func checkTTL(hours *int) *fault.Error {
	if hours == nil {
		return nil
	}
	return lifecycle.CheckTTL(*hours, "expiresInHours")
}

// grant returns what an offer amounts to, and the divisions it is restricted
// to. The inviter must hold all of it himself, and reach as far.
func (s *Service) grant(ctx context.Context, tx *store.Tx, inviter *access.Membership, w roster.Wish, sc roster.Scope) (access.Grant, []*ent.Division, error) {
	ctx = access.System(ctx, "read the roles, groups and divisions an offer names, of the account alone")
	g, err := s.Roster.Resolve(ctx, tx, inviter.AccountID, w)
	if err != nil {
		return g, nil, err
	}
	divisions, err := s.Roster.Divisions(ctx, tx, inviter.AccountID, sc.DivisionIDs)
	if err != nil {
		return g, nil, err
	}
	if err := s.Roster.CheckCeiling(inviter, g); err != nil {
		return g, nil, err
	}
	return g, divisions, roster.CheckReach(inviter, sc)
}

// sort settles what becomes of the recipients who need no new invitation:
// members, those with an open one, those named twice. It returns the others.
func (s *Service) sort(ctx context.Context, tx *store.Tx, b *batch, to []*Recipient) (fresh []*Recipient, err error) {
	occupied, err := s.occupied(ctx, tx, b.TeamID, to)
	if err != nil {
		return nil, err
	}
	first := map[string]*Recipient{}
	for _, r := range to {
		switch open, twice := occupied.open[r.key()], first[r.key()]; {
		case len(r.Errors) > 0:
		case occupied.members[r.key()]:
			r.refuse(AlreadyMember, fault.AlreadyMember, "The person with this address is a member of the team already.")
		case twice != nil:
			r.same = twice
			r.refuse(AlreadyInvited, fault.AlreadyInvited, "This address stands in the list before.")
		case open == nil:
			fresh = append(fresh, r)
		case b.ResendOnConflict:
			if err := s.resendTo(ctx, tx, b, r, open); err != nil {
				return nil, err
			}
		default:
			r.Issued = &Issued{ID: open.ID}
			r.refuse(AlreadyInvited, fault.AlreadyInvited, "This address has an open invitation already.")
		}
		if first[r.key()] == nil {
			first[r.key()] = r
		}
	}
	return fresh, nil
}

// resendTo sends the recipient's open invitation again. What forbids that is
// written into him.
func (s *Service) resendTo(ctx context.Context, tx *store.Tx, b *batch, r *Recipient, open *ent.Invitation) error {
	issued, err := s.resend(ctx, tx, open, b.inviter, b.ExpiresInHours, b.SendEmail)
	var limited *fault.Error
	if len(r.field) > 1 && fault.Is(err, fault.RateLimited) && errors.As(err, &limited) {
		err = fault.Input(fault.ResendLimitReached, limited.Message) // it keeps none of the others
	}
	if list, ok := fault.UserErrors(err); ok {
		for _, f := range list {
			r.refuse(Failed, f.Code, f.Message)
		}
		r.Issued = &Issued{ID: open.ID}
		return nil
	}
	r.Issued, r.Outcome = issued, Resent
	return err
}

// occupied is who of some addresses is in a team, or invited to it.
type occupied struct {
	members map[string]bool
	open    map[string]*ent.Invitation // with what they offer
}

// occupied looks the recipients up in the team. Invitations that have run out
// are written down as expired.
func (s *Service) occupied(ctx context.Context, tx *store.Tx, teamID string, to []*Recipient) (occupied, error) {
	found := occupied{members: map[string]bool{}, open: map[string]*ent.Invitation{}}
	keys := make([]string, 0, len(to))
	for _, r := range to {
		if len(r.Errors) == 0 {
			keys = append(keys, r.key())
		}
	}
	members, err := tx.Member.Query().Where(member.TeamID(teamID), member.EmailKeyIn(keys...)).
		Select(member.FieldEmailKey).Strings(ctx)
	if err != nil {
		return found, fmt.Errorf("send: look for members: %w", err)
	}
	for _, key := range members {
		found.members[key] = true
	}
	q := tx.Invitation.Query().Where(invitation.TeamID(teamID), invitation.EmailKeyIn(keys...), invitation.StatusEQ(Pending))
	withGrant(q)
	open, err := q.All(ctx)
	if err != nil {
		return found, fmt.Errorf("send: look for open invitations: %w", err)
	}
	var overdue []*ent.Invitation
	for _, i := range open {
		if Effective(i, s.Now()) == Expired {
			overdue = append(overdue, i)
		} else {
			found.open[i.EmailKey] = i
		}
	}
	return found, s.expire(ctx, tx, overdue...)
}

// makeWay returns the invitation that is open for the address of another one, or
// nil. ALREADY_MEMBER when there is a member with the address.
func (s *Service) makeWay(ctx context.Context, tx *store.Tx, i *ent.Invitation) (*ent.Invitation, error) {
	ctx = access.System(ctx, "compare an address with the team's")
	found, err := s.occupied(ctx, tx, i.TeamID, []*Recipient{{address: address.Address{Key: i.EmailKey}}})
	if err == nil && found.members[i.EmailKey] {
		err = fault.Input(fault.AlreadyMember, "The person with this address is a member of the team already.", "email")
	}
	return found.open[i.EmailKey], err
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

// admissible returns as many of the recipients as the account's limits leave
// room for, and tells the others why.
func (s *Service) admissible(ctx context.Context, tx *store.Tx, b *batch, fresh []*Recipient) ([]*Recipient, error) {
	room, full, err := s.room(ctx, tx, b.acc, b.TeamID, len(fresh))
	if err != nil {
		return nil, err
	}
	for _, r := range fresh[room:] {
		r.refuse(Failed, full.Code, full.Message)
	}
	return fresh[:room], nil
}

func oneUserOnly() *fault.Error {
	return fault.Input(fault.FeatureNotAvailable, "The account's plan is for one user; upgrade it to invite others.")
}

// room returns how many open invitations more the limits of the account allow, up
// to the number wanted, and what forbids the next one.
func (s *Service) room(ctx context.Context, tx *store.Tx, acc *ent.Account, teamID string, wanted int) (room int, full *fault.Error, err error) {
	if !acc.MultiUser {
		return 0, oneUserOnly(), nil
	}
	ctx = access.System(ctx, "count what an account's limits are about")
	room = wanted
	if limit := acc.MaxPendingInvitations; limit != nil {
		n, err := tx.Invitation.Query().Where(invitation.AccountID(acc.ID), invitation.StatusEQ(Pending), invitation.ExpiresAtGT(s.Now())).Count(ctx)
		if err != nil {
			return 0, nil, fmt.Errorf("send: count open invitations: %w", err)
		}
		if left := max(*limit-n, 0); left < room {
			room, full = left, fault.Input(fault.PendingLimitReached, fmt.Sprintf("The account may have %d open invitations, and has them.", *limit))
		}
	}
	t, err := tx.Team.Get(ctx, teamID)
	if err != nil {
		return 0, nil, fmt.Errorf("send: read the team: %w", err)
	}
	left, err := s.Roster.SeatsLeft(ctx, tx, acc, t)
	if err != nil {
		return 0, nil, err
	}
	// Where open invitations take no seat, one seat is enough for all of them:
	// whoever accepts first has it.
	if left != nil && (acc.CountPendingAsSeats && *left < room || *left == 0) {
		room, full = *left, fault.Input(fault.SeatLimitReached, "The team has no seat left.")
	}
	return room, full, nil
}

// create makes the invitations of the recipients, with their events and mails.
func (s *Service) create(ctx context.Context, tx *store.Tx, b *batch, fresh []*Recipient) error {
	now := s.Now()
	mailed := b.SendEmail && !s.NoMail
	creates, secrets := make([]*ent.InvitationCreate, len(fresh)), make([]string, len(fresh))
	for n, r := range fresh {
		id := uid.New(uid.Invitation)
		secrets[n] = s.Tokens.Derive(token.Invitation, id, 1)
		creates[n] = tx.Invitation.Create().
			SetID(id).SetCreatedAt(now).SetUpdatedAt(now).SetAccountID(b.acc.ID).SetTeamID(b.TeamID).
			SetEmail(r.address.Typed).SetEmailKey(r.key()).
			SetFirstName(b.FirstName).SetLastName(b.LastName).SetJobTitle(b.JobTitle).SetNote(b.Note).
			SetSearch(text.Fold(r.address.Typed, b.FirstName, b.LastName)).
			SetAllPermissions(b.grant.AllPermissions).SetPermissions(b.grant.Permissions).
			AddRoles(b.grant.Roles...).AddGroups(b.grant.Groups...).
			SetAllowedDomains(b.Scope.Domains).AddDivisions(b.divisions...).
			SetInviterID(b.inviter.UserID).SetGranterID(b.inviter.UserID).
			SetExpiresAt(now.Add(ttl(b.acc, b.ExpiresInHours))).
			SetTokenHash(token.Hash(secrets[n])).SetTokenMailed(mailed || s.NoMail)
		if mailed {
			creates[n].SetDelivery(invitation.DeliveryQueued).SetDeliveryUpdatedAt(now).SetLastSentAt(now).SetSendCount(1)
		}
	}
	made, err := tx.Invitation.CreateBulk(creates...).Save(ctx)
	if err != nil {
		return fmt.Errorf("send: %w", err)
	}
	if err := s.supersede(ctx, tx, b.TeamID, made); err != nil {
		return err
	}
	var drafts []event.Draft
	var mails []outbox.Draft
	for n, i := range made {
		r := fresh[n]
		r.Outcome, r.Issued = Invited, &Issued{ID: i.ID, generation: i.TokenGeneration}
		drafts = append(drafts, draft(event.InvitationCreated, i, b.inviter.UserID, nil))
		if !mailed {
			r.Issued.URL = s.link(secrets[n])
			continue
		}
		drafts, mails = append(drafts, draft(event.InvitationQueued, i, b.inviter.UserID, nil)), append(mails, letter(i))
	}
	if err := s.Events.Append(ctx, tx, b.acc.ID, drafts...); err != nil {
		return err
	}
	return s.Outbox.Enqueue(ctx, tx, mails...)
}

// letter is the mail of an invitation's current link.
func letter(i *ent.Invitation) outbox.Draft {
	return outbox.Draft{Kind: MailInvitation, AccountID: i.AccountID, SubjectID: i.ID, Generation: i.TokenGeneration}
}

// supersede takes the place of what ran out for the same addresses: people are
// counted and listed once.
func (s *Service) supersede(ctx context.Context, tx *store.Tx, teamID string, made []*ent.Invitation) error {
	keys := make([]string, len(made))
	for n, i := range made {
		keys[n] = i.EmailKey
	}
	expired, err := tx.Invitation.Update().
		Where(invitation.TeamID(teamID), invitation.EmailKeyIn(keys...), invitation.StatusEQ(Expired), invitation.Superseded(false)).
		SetSuperseded(true).Save(ctx)
	if err == nil {
		err = tx.Team.UpdateOneID(teamID).AddAllInvitations(len(made)).AddPendingInvitations(len(made)).AddExpiredInvitations(-expired).Exec(ctx)
	}
	if err != nil {
		return fmt.Errorf("count the invitations of %s: %w", teamID, err)
	}
	return nil
}

func ttl(acc *ent.Account, hours *int) time.Duration {
	if hours != nil {
		return time.Duration(*hours) * time.Hour
	}
	return time.Duration(acc.InvitationTTLHours) * time.Hour
}
