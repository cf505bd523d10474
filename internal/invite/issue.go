package invite

import (
	"context"
	"fmt"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/lifecycle"
	"github.com/convoke-dev/convoke/internal/outbox"
	"github.com/convoke-dev/convoke/internal/roster"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/text"
	"github.com/convoke-dev/convoke/internal/token"
	"github.com/convoke-dev/convoke/internal/uid"
)

// issue writes what the plan decided: first the resends, in their order, then
// all new invitations together. It returns the invitation of each address.
func (s *Service) issue(ctx context.Context, b *batch, to []addressee, p plan) ([]*Issued, error) {
	issued := make([]*Issued, len(p))
	for n, d := range p {
		var err error
		switch {
		case d.outcome == Resent:
			issued[n], err = s.renew(ctx, b.Tx, d.open, renewal{
				now: b.now, expires: b.now.Add(ttl(b.Account, b.ExpiresInHours)), mailed: b.mailed,
				granterID: b.UserID, quota: d.quota, previous: lifecycle.Pending,
			})
		case d.open != nil:
			issued[n] = &Issued{ID: d.open.ID}
		}
		if err != nil {
			return nil, err
		}
	}
	if err := s.create(ctx, b, to, p, issued); err != nil {
		return nil, err
	}
	for n, d := range p {
		if d.first >= 0 {
			issued[n] = issued[d.first]
		}
	}
	return issued, nil
}

// create makes the new invitations of the plan, with their events and mails,
// and notes them in issued.
func (s *Service) create(ctx context.Context, b *batch, to []addressee, p plan, issued []*Issued) error {
	var creates []*ent.InvitationCreate
	var secrets []string
	var places []int // in the plan
	for n, d := range p {
		if d.outcome != Invited {
			continue
		}
		id := uid.New(uid.Invitation)
		secret := s.Tokens.Derive(token.Invitation, id, 1)
		places, secrets = append(places, n), append(secrets, secret)
		creates = append(creates, b.row(id, to[n]).SetTokenHash(token.Hash(secret)).SetTokenMailed(b.mailed || s.NoMail))
	}
	if len(creates) == 0 {
		return nil
	}
	made, err := b.Tx.Invitation.CreateBulk(creates...).Save(ctx)
	if err != nil {
		return fmt.Errorf("send: %w", err)
	}
	if err := s.supersede(ctx, b.Tx, b.TeamID, made); err != nil {
		return err
	}
	var events []event.Draft
	var mails []outbox.Draft
	for n, i := range made {
		out := &Issued{ID: i.ID, generation: i.TokenGeneration}
		issued[places[n]] = out
		events = append(events, eventOf(event.InvitationCreated, i, b.UserID, nil))
		if !b.mailed {
			out.URL = s.link(secrets[n])
			continue
		}
		events, mails = append(events, eventOf(event.InvitationQueued, i, b.UserID, nil)), append(mails, mailOf(i))
	}
	if err := s.Events.Append(ctx, b.Tx, b.Account.ID, events...); err != nil {
		return err
	}
	return s.Outbox.Enqueue(ctx, b.Tx, mails...)
}

// row returns a new invitation without its token.
func (b *batch) row(id string, a addressee) *ent.InvitationCreate {
	c := b.Tx.Invitation.Create().
		SetID(id).SetCreatedAt(b.now).SetUpdatedAt(b.now).SetAccountID(b.Account.ID).SetTeamID(b.TeamID).
		SetEmail(a.address.Typed).SetEmailKey(a.key()).
		SetFirstName(b.FirstName).SetLastName(b.LastName).SetJobTitle(b.JobTitle).SetNote(b.Note).
		SetSortName(text.SortKey(a.address.Typed, b.FirstName, b.LastName)).
		SetSearch(text.SearchKey(a.address.Typed, b.FirstName, b.LastName)).
		SetAllPermissions(b.grant.AllPermissions).SetPermissions(b.grant.Permissions).
		AddRoles(b.grant.Roles...).AddGroups(b.grant.Groups...).
		SetAllowedDomains(b.Scope.Domains).AddDivisions(b.divisions...).
		SetGranterID(b.UserID).
		SetExpiresAt(b.now.Add(ttl(b.Account, b.ExpiresInHours)))
	if access.IsKey(b.UserID) {
		c.SetInviterKeyID(b.UserID)
	} else {
		c.SetInviterID(b.UserID)
	}
	if b.mailed {
		c.SetDelivery(invitation.DeliveryQueued).SetDeliveryUpdatedAt(b.now).SetLastSentAt(b.now).SetSendCount(1)
	}
	return c
}

// renewal is one resend: what changes of the invitation besides its link.
type renewal struct {
	now, expires time.Time
	mailed       bool
	granterID    string // the inviter who resends answers for the grant from now on
	quota        quota
	previous     lifecycle.Status
}

// renew gives the invitation its next link and a new expiry, with the events
// and the mail. CONFLICT as move.
func (s *Service) renew(ctx context.Context, tx *store.Tx, i *ent.Invitation, r renewal) (*Issued, error) {
	generation := i.TokenGeneration + 1
	secret := s.Tokens.Derive(token.Invitation, i.ID, generation)
	err := s.move(ctx, tx, i, lifecycle.Pending, func(u *ent.InvitationUpdate) {
		u.SetTokenGeneration(generation).SetTokenHash(token.Hash(secret)).SetTokenMailed(r.mailed || s.NoMail).
			SetExpiresAt(r.expires).SetSuperseded(false).SetGranterID(r.granterID).ClearUnconfirmedAt().
			SetResentAt(r.now).SetResendDayStart(r.quota.since).SetResendsOfDay(r.quota.count).
			SetDeliveryAttempts(0).SetDeliveryError("").SetDeliveryUpdatedAt(r.now)
		if r.mailed {
			u.SetDelivery(invitation.DeliveryQueued).SetLastSentAt(r.now).AddSendCount(1)
		} else {
			u.SetDelivery(invitation.DeliveryNotRequested)
		}
	})
	if err != nil {
		return nil, err
	}
	i.TokenGeneration = generation
	resent := eventOf(event.InvitationResent, i, r.granterID, was(r.previous))
	if !r.mailed {
		return &Issued{ID: i.ID, URL: s.link(secret), generation: generation}, s.Events.Append(ctx, tx, i.AccountID, resent)
	}
	if err := s.Events.Append(ctx, tx, i.AccountID, resent, eventOf(event.InvitationQueued, i, r.granterID, nil)); err != nil {
		return nil, err
	}
	return &Issued{ID: i.ID}, s.Outbox.Enqueue(ctx, tx, mailOf(i))
}

// mailOf returns the outbox job that mails the invitation's current link.
func mailOf(i *ent.Invitation) outbox.Draft {
	return outbox.Draft{Kind: MailInvitation, AccountID: i.AccountID, SubjectID: i.ID, Generation: i.TokenGeneration}
}

// supersede counts the new invitations, and marks the expired invitations of
// the same addresses as superseded, so that lists show and count a person once.
func (s *Service) supersede(ctx context.Context, tx *store.Tx, teamID string, made []*ent.Invitation) error {
	keys := make([]string, len(made))
	for n, i := range made {
		keys[n] = i.EmailKey
	}
	expired, err := tx.Invitation.Query().
		Where(invitation.TeamID(teamID), invitation.EmailKeyIn(keys...), invitation.StatusEQ(lifecycle.Expired), invitation.Superseded(false)).
		Select(invitation.FieldID, invitation.FieldAccountID, invitation.FieldEmailKey, invitation.FieldSendCount).All(ctx)
	if err == nil && len(expired) > 0 {
		ids := make([]string, len(expired))
		for n, i := range expired {
			ids[n] = i.ID
		}
		err = tx.Invitation.Update().Where(invitation.IDIn(ids...)).SetSuperseded(true).Exec(ctx)
	}
	if err != nil {
		return fmt.Errorf("supersede expired invitations of %s: %w", teamID, err)
	}
	// By a short validity, an address could be invited again and again.
	if err := s.NoteUnanswered(ctx, tx, expired...); err != nil {
		return err
	}
	return roster.Count(ctx, tx, teamID, roster.Delta{All: len(made), Pending: len(made), Expired: -len(expired)})
}

// ttl is how long an invitation and its link are good: the given hours, or the account's
// setting, which is 72 hours by default (ent/schema/account.go). Neither is more than
// lifecycle.MaxTTLHours.
func ttl(acc *ent.Account, hours *int) time.Duration {
	if hours != nil {
		return time.Duration(*hours) * time.Hour
	}
	return time.Duration(acc.InvitationTTLHours) * time.Hour
}
