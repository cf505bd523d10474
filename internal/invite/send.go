package invite

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/account"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/role"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/address"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/outbox"
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
	RoleIDs                       []string
	Permissions                   []string
	AllPermissions                bool
	ExpiresInHours                *int // nil = the account's setting
	SendEmail                     bool
	ResendOnConflict              bool
}

// Send invites an address into a team. Its mail, if one is wanted, is written
// with it and sent later. It fails with UNAUTHENTICATED, NOT_FOUND or
// FORBIDDEN; for wrong input with BLANK, INVALID_EMAIL, TOO_LONG,
// INVALID_VALUE, INVALID_GRANT, ROLE_NOT_FOUND, PERMISSION_UNKNOWN; with
// NOT_GRANTABLE above the viewer's own rights, ALREADY_MEMBER, ALREADY_INVITED,
// FEATURE_NOT_AVAILABLE, PENDING_LIMIT_REACHED, SEAT_LIMIT_REACHED or
// ACCOUNT_SUSPENDED; with RESEND_LIMIT_REACHED when it was to resend.
func (s *Service) Send(ctx context.Context, o Offer) (*Issued, error) {
	m, err := access.Require(ctx, o.TeamID, access.MembersInvite)
	if err != nil {
		return nil, err
	}
	addr, err := s.check(&o)
	if err != nil {
		return nil, err
	}
	var issued *Issued
	err = s.Store.InAccount(ctx, m.AccountID, func(tx *store.Tx) error {
		inviter, err := s.stillHolds(ctx, tx, o.TeamID, access.MembersInvite)
		if err != nil {
			return err
		}
		grant, err := s.grant(ctx, tx, m.AccountID, inviter, o)
		if err != nil {
			return err
		}
		acc, err := tx.Account.Query().Where(account.ID(m.AccountID)).Only(ctx)
		if err != nil {
			return fmt.Errorf("send: read the account: %w", err)
		}
		if err := s.inUse(acc); err != nil {
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
		issued, err = s.create(ctx, tx, acc, addr, grant, o)
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
	chosen := len(o.RoleIDs) > 0 || len(o.Permissions) > 0
	switch {
	case chosen && o.AllPermissions:
		wrong.Add(fault.Input(fault.InvalidGrant, "Grant either all permissions or chosen ones, not both.", "allPermissions"))
	case !chosen && !o.AllPermissions:
		wrong.Add(fault.Input(fault.InvalidGrant, "Grant at least one role or permission, or all permissions.", "roleIds"))
	}
	slices.Sort(o.Permissions)
	o.Permissions = slices.Compact(o.Permissions)
	for _, p := range o.Permissions {
		if !s.Access.Catalogue.All().Has(p) {
			wrong.Add(fault.Input(fault.PermissionUnknown, "One of these is no permission of the catalogue.", "permissions"))
			break
		}
	}
	return addr, wrong.Err()
}

func checkTTL(hours *int) *fault.Error {
	if hours != nil && (*hours < 1 || *hours > maxTTLHours) {
		return fault.Input(fault.InvalidValue, fmt.Sprintf("This must be between 1 and %d hours.", maxTTLHours), "expiresInHours")
	}
	return nil
}

// grant returns what the offer amounts to. The inviter must hold all of it
// himself: compared as sets of permissions, never by the names of roles.
func (s *Service) grant(ctx context.Context, tx *store.Tx, accountID string, inviter *access.Membership, o Offer) (access.Grant, error) {
	g := access.Grant{AllPermissions: o.AllPermissions, Permissions: o.Permissions}
	slices.Sort(o.RoleIDs)
	ids := slices.Compact(o.RoleIDs)
	var err error
	if g.Roles, err = tx.Role.Query().Where(role.IDIn(ids...), role.AccountID(accountID)).All(ctx); err != nil {
		return g, fmt.Errorf("send: read roles: %w", err)
	}
	if len(g.Roles) != len(ids) {
		return g, fault.Input(fault.RoleNotFound, "One of these is no role of this account.", "roleIds")
	}
	var above fault.Errors
	for _, part := range []struct {
		field string
		grant access.Grant
	}{
		{"roleIds", access.Grant{Roles: g.Roles}},
		{"permissions", access.Grant{Permissions: g.Permissions}},
		{"allPermissions", access.Grant{AllPermissions: g.AllPermissions}},
	} {
		if !inviter.Permissions.Covers(s.Access.Granted(part.grant)) {
			above.Add(fault.Input(fault.NotGrantable, "You cannot grant what you do not hold yourself.", part.field))
		}
	}
	return g, above.Err()
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
	open, err := tx.Invitation.Query().
		Where(invitation.TeamID(teamID), invitation.EmailKey(addr.Key), invitation.StatusEQ(Pending)).
		WithRoles().Only(ctx)
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

// inUse fails with ACCOUNT_SUSPENDED when the operator has stopped the account.
func (s *Service) inUse(acc *ent.Account) error {
	if acc.Status != account.StatusActive {
		return fault.Input(fault.AccountSuspended, "The account is suspended.")
	}
	return nil
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
	return s.Roster.CheckSeats(access.System(ctx, "count the team's members"), tx, acc, teamID)
}

func (s *Service) create(ctx context.Context, tx *store.Tx, acc *ent.Account, addr address.Address, g access.Grant, o Offer) (*Issued, error) {
	now := s.Now()
	id, viewer := uid.New(uid.Invitation), access.ViewerFrom(ctx)
	secret := s.Tokens.Derive(token.Invitation, id, 1)
	mailed := o.SendEmail && !s.NoMail
	c := tx.Invitation.Create().
		SetID(id).SetCreatedAt(now).SetUpdatedAt(now).SetAccountID(acc.ID).SetTeamID(o.TeamID).
		SetEmail(addr.Typed).SetEmailKey(addr.Key).
		SetFirstName(o.FirstName).SetLastName(o.LastName).SetJobTitle(o.JobTitle).SetNote(o.Note).
		SetAllPermissions(g.AllPermissions).SetPermissions(g.Permissions).AddRoles(g.Roles...).
		SetInviterID(viewer.UserID).
		SetExpiresAt(now.Add(ttl(acc, o.ExpiresInHours))).
		SetTokenHash(token.Hash(secret)).SetTokenMailed(mailed || s.NoMail)
	if mailed {
		c.SetDelivery(invitation.DeliveryQueued).SetDeliveryUpdatedAt(now).SetLastSentAt(now).SetSendCount(1)
	}
	i, err := c.Save(ctx)
	if err != nil {
		return nil, fmt.Errorf("send: %w", err)
	}
	return s.issue(ctx, tx, i, secret, mailed, draft(event.InvitationCreated, i, viewer.UserID, nil))
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
