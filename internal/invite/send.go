package invite

import (
	"context"
	"fmt"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/account"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/address"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/outbox"
	"github.com/convoke-dev/convoke/internal/roster"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/text"
	"github.com/convoke-dev/convoke/internal/token"
	"github.com/convoke-dev/convoke/internal/uid"
)

// Offer is an invitation about to be sent, as typed.
type Offer struct {
	TeamID                        string
	Email                         string
	FirstName, LastName, JobTitle string
	Note                          string
	Grant                         roster.Wish
	Scope                         roster.Scope
	ExpiresInHours                *int // nil = the account's setting
	SendEmail                     bool
	ResendOnConflict              bool
}

// Send invites an address into a team. Its mail, if one is wanted, is written
// with it and sent later. It fails with UNAUTHENTICATED, NOT_FOUND or
// FORBIDDEN; for wrong input with BLANK, INVALID_EMAIL, TOO_LONG,
// INVALID_VALUE, INVALID_GRANT, ROLE_NOT_FOUND, NOT_FOUND, PERMISSION_UNKNOWN; with
// NOT_GRANTABLE or DOMAIN_NOT_ALLOWED above the viewer's own rights, ALREADY_MEMBER, ALREADY_INVITED,
// FEATURE_NOT_AVAILABLE, PENDING_LIMIT_REACHED, SEAT_LIMIT_REACHED or
// ACCOUNT_SUSPENDED; with RESEND_LIMIT_REACHED when it was to resend.
func (s *Service) Send(ctx context.Context, o Offer) (*Issued, error) {
	m, err := access.Require(ctx, s.Store.Read(), o.TeamID, access.MembersInvite)
	if err != nil {
		return nil, err
	}
	addr, err := s.check(&o)
	if err != nil {
		return nil, err
	}
	var issued *Issued
	err = s.Store.InAccount(ctx, m.AccountID, func(tx *store.Tx) error {
		inviter, err := s.Access.RequireStill(ctx, tx.Client(), o.TeamID, access.MembersInvite)
		if err != nil {
			return err
		}
		acc, err := s.account(ctx, tx, m.AccountID)
		if err != nil {
			return err
		}
		grant, divisions, err := s.grant(ctx, tx, inviter, o.Grant, o.Scope)
		if err != nil {
			return err
		}
		open, err := s.makeWay(ctx, tx, o.TeamID, addr)
		if err != nil {
			return err
		}
		if open != nil {
			if !o.ResendOnConflict {
				return fault.Input(fault.AlreadyInvited, "This address has an open invitation already.", "email")
			}
			issued, err = s.resend(ctx, tx, open, inviter, o.ExpiresInHours, o.SendEmail)
			return err
		}
		if err := s.room(ctx, tx, acc, o.TeamID); err != nil {
			return err
		}
		issued, err = s.create(ctx, tx, acc, addr, grant, divisions, o)
		return err
	})
	return issued, err
}

// check cleans the offer's texts and refuses what is wrong in itself.
func (s *Service) check(o *Offer) (address.Address, error) {
	var wrong fault.Errors
	addr, bad := address.Parse(o.Email, "email")
	wrong.Add(bad)
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
	return addr, wrong.Err()
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
	if hours != nil && (*hours < 1 || *hours > maxTTLHours) {
		return fault.Input(fault.InvalidValue, fmt.Sprintf("This must be between 1 and %d hours.", maxTTLHours), "expiresInHours")
	}
	return nil
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

// makeWay returns the invitation that is open for the address, or nil. One that
// has run out is written down as expired. ALREADY_MEMBER when there is a member
// with the address.
func (s *Service) makeWay(ctx context.Context, tx *store.Tx, teamID string, addr address.Address) (*ent.Invitation, error) {
	// Past the guard: whether the address has a user is used here, not told.
	userID, err := tx.User.Query().Where(user.EmailKey(addr.Key)).OnlyID(access.System(ctx, "compare an address with the members'"))
	if err != nil && !ent.IsNotFound(err) {
		return nil, fmt.Errorf("send: find the addressee: %w", err)
	}
	if err == nil {
		is, err := tx.Member.Query().Where(member.TeamID(teamID), member.UserID(userID)).
			Exist(access.System(ctx, "compare an address with the members'"))
		if err != nil {
			return nil, fmt.Errorf("send: look for a member: %w", err)
		}
		if is {
			return nil, fault.Input(fault.AlreadyMember, "The person with this address is a member of the team already.", "email")
		}
	}
	ctx = access.System(ctx, "look for an open invitation of the address")
	q := tx.Invitation.Query().Where(invitation.TeamID(teamID), invitation.EmailKey(addr.Key), invitation.StatusEQ(Pending))
	withGrant(q)
	open, err := q.Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil //nolint:nilnil // no open invitation is the normal answer, not a failure
	}
	if err != nil {
		return nil, fmt.Errorf("send: look for an open invitation: %w", err)
	}
	if Effective(open, s.Now()) == Expired {
		return nil, s.expire(ctx, tx, open)
	}
	return open, nil
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

// room checks the limits of the account for one open invitation more.
func (s *Service) room(ctx context.Context, tx *store.Tx, acc *ent.Account, teamID string) error {
	if !acc.MultiUser {
		return fault.Input(fault.FeatureNotAvailable, "The account's plan is for one user; upgrade it to invite others.")
	}
	if limit := acc.MaxPendingInvitations; limit != nil {
		n, err := tx.Invitation.Query().Where(invitation.AccountID(acc.ID), invitation.StatusEQ(Pending), invitation.ExpiresAtGT(s.Now())).
			Count(access.System(ctx, "count the account's open invitations"))
		if err != nil {
			return fmt.Errorf("send: count open invitations: %w", err)
		}
		if n >= *limit {
			return fault.Input(fault.PendingLimitReached, fmt.Sprintf("The account has %d open invitations, more are not allowed.", n))
		}
	}
	ctx = access.System(ctx, "count the team's members")
	t, err := tx.Team.Get(ctx, teamID)
	if err != nil {
		return fmt.Errorf("send: read the team: %w", err)
	}
	return s.Roster.CheckSeats(ctx, tx, acc, t)
}

func (s *Service) create(ctx context.Context, tx *store.Tx, acc *ent.Account, addr address.Address, g access.Grant, divisions []*ent.Division, o Offer) (*Issued, error) {
	now := s.Now()
	id, viewer := uid.New(uid.Invitation), access.ViewerFrom(ctx)
	secret := s.Tokens.Derive(token.Invitation, id, 1)
	mailed := o.SendEmail && !s.NoMail
	c := tx.Invitation.Create().
		SetID(id).SetCreatedAt(now).SetUpdatedAt(now).SetAccountID(acc.ID).SetTeamID(o.TeamID).
		SetEmail(addr.Typed).SetEmailKey(addr.Key).
		SetFirstName(o.FirstName).SetLastName(o.LastName).SetJobTitle(o.JobTitle).SetNote(o.Note).
		SetSearch(text.Fold(addr.Typed, o.FirstName, o.LastName)).
		SetAllPermissions(g.AllPermissions).SetPermissions(g.Permissions).AddRoles(g.Roles...).AddGroups(g.Groups...).
		SetAllowedDomains(o.Scope.Domains).AddDivisions(divisions...).
		SetInviterID(viewer.UserID).SetGranterID(viewer.UserID).
		SetExpiresAt(now.Add(ttl(acc, o.ExpiresInHours))).
		SetTokenHash(token.Hash(secret)).SetTokenMailed(mailed || s.NoMail)
	if mailed {
		c.SetDelivery(invitation.DeliveryQueued).SetDeliveryUpdatedAt(now).SetLastSentAt(now).SetSendCount(1)
	}
	i, err := c.Save(ctx)
	if err != nil {
		return nil, fmt.Errorf("send: %w", err)
	}
	if err := s.supersede(ctx, tx, i); err != nil {
		return nil, err
	}
	return s.issue(ctx, tx, i, secret, mailed, draft(event.InvitationCreated, i, viewer.UserID, nil))
}

// supersede takes the place of what ran out for the same address: people are
// counted and listed once.
func (s *Service) supersede(ctx context.Context, tx *store.Tx, i *ent.Invitation) error {
	ctx = access.System(ctx, "keep the team's numbers")
	n, err := tx.Invitation.Update().
		Where(invitation.TeamID(i.TeamID), invitation.EmailKey(i.EmailKey), invitation.StatusEQ(Expired), invitation.Superseded(false)).
		SetSuperseded(true).Save(ctx)
	if err == nil {
		err = tx.Team.UpdateOneID(i.TeamID).AddAllInvitations(1).AddPendingInvitations(1).AddExpiredInvitations(-n).Exec(ctx)
	}
	if err != nil {
		return fmt.Errorf("count the invitations of %s: %w", i.TeamID, err)
	}
	return nil
}

func ttl(acc *ent.Account, hours *int) time.Duration {
	if hours != nil {
		return time.Duration(*hours) * time.Hour
	}
	return time.Duration(acc.InvitationTTLHours) * time.Hour
}

// issue logs the event and lets the link out: by mail, or once to the caller.
func (s *Service) issue(ctx context.Context, tx *store.Tx, i *ent.Invitation, secret string, mailed bool, d event.Draft) (*Issued, error) {
	if !mailed {
		return &Issued{ID: i.ID, URL: s.link(secret)}, s.Events.Append(ctx, tx, i.AccountID, d)
	}
	if err := s.Events.Append(ctx, tx, i.AccountID, d, draft(event.InvitationQueued, i, d.ActorID, nil)); err != nil {
		return nil, err
	}
	return &Issued{ID: i.ID}, s.Outbox.Enqueue(ctx, tx, outbox.Draft{
		Kind: MailInvitation, AccountID: i.AccountID, SubjectID: i.ID, Generation: i.TokenGeneration,
	})
}
