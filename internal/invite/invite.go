// Package invite is the invitation: its states, its tokens, and everything
// that is done with it from being sent to being accepted.
package invite

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/auth"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/lifecycle"
	"github.com/convoke-dev/convoke/internal/limit"
	"github.com/convoke-dev/convoke/internal/outbox"
	"github.com/convoke-dev/convoke/internal/roster"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/token"
)

// MailInvitation is the kind of mail that carries an invitation.
const MailInvitation = "invitation"

// Service holds the verbs on invitations.
type Service struct {
	Store     *store.Store
	Door      *act.Door
	Access    access.Loader
	Events    *event.Log
	Outbox    *outbox.Queue
	Auth      *auth.Service
	Roster    *roster.Service
	Tokens    *token.Deriver
	PublicURL *url.URL
	Now       func() time.Time
	// PersonalAccounts gives an invited newcomer an account and a default team
	// of his own.
	PersonalAccounts bool
	// NoMail hands every link over instead of mailing it, and trusts it as if
	// it had been mailed.
	NoMail bool
	// How many invitations a user may send, and an account; and how many mails go
	// to an address.
	PerInviter, PerAccount, PerRecipient *limit.Bucket
}

// Issued is an invitation whose link was made just now.
type Issued struct {
	ID string
	// URL is the link; set only when it was not mailed, and shown once.
	URL string

	generation int // of the link
}

// link returns the address of the accept page for the token. The token stands
// behind the #, where no server, log or referrer sees it.
func (s *Service) link(invitationToken string) string {
	u := *s.PublicURL.JoinPath("/accept")
	u.Fragment = invitationToken
	return u.String()
}

// find returns the invitation as the viewer may know it: NOT_FOUND otherwise.
func find(ctx context.Context, client *ent.Client, id string) (*ent.Invitation, error) {
	q := client.Invitation.Query().Where(invitation.ID(id))
	withGrant(q)
	i, err := q.Only(ctx)
	if ent.IsNotFound(err) {
		return nil, fault.Refuse(fault.NotFound, "There is no such invitation.")
	}
	if err != nil {
		return nil, fmt.Errorf("find invitation %s: %w", id, err)
	}
	return i, nil
}

// withGrant loads all an invitation offers.
func withGrant(q *ent.InvitationQuery) {
	q.WithRoles().WithGroups(func(g *ent.GroupQuery) { g.WithRoles() }).WithDivisions()
}

// forManager returns the invitation if the viewer may manage it: NOT_FOUND
// when he may not know of it, FORBIDDEN when he lacks members.invite.
func (s *Service) forManager(ctx context.Context, id string) (*ent.Invitation, error) {
	if _, err := access.SignedIn(ctx); err != nil {
		return nil, err
	}
	i, err := find(ctx, s.Store.Read(), id)
	if err != nil {
		return nil, err
	}
	_, err = access.Require(ctx, s.Store.Read(), i.TeamID, access.MembersInvite)
	return i, err
}

// manage runs f in a transaction on the invitation as it stands there, for a
// viewer whose right to manage it is checked there once more.
func (s *Service) manage(ctx context.Context, id string, f func(tx *store.Tx, i *ent.Invitation, inviter *access.Membership) error) error {
	known, err := s.forManager(ctx, id)
	if err != nil {
		return err
	}
	return s.Store.InAccount(ctx, known.AccountID, func(tx *store.Tx) error {
		m, err := s.Access.RequireStill(ctx, tx.Client(), known.TeamID, access.MembersInvite)
		if err != nil {
			return err
		}
		i, err := find(access.System(ctx, "manage an invitation of the viewer's team"), tx.Client(), id)
		if err != nil {
			return err
		}
		return f(tx, i, m)
	})
}

// move changes the state by compare-and-set: CONFLICT when the invitation is
// not any more as it was read in this transaction.
func (s *Service) move(ctx context.Context, tx *store.Tx, i *ent.Invitation, to lifecycle.Status, more func(*ent.InvitationUpdate)) error {
	now := s.Now()
	u := tx.Invitation.Update().
		Where(invitation.ID(i.ID), invitation.StatusEQ(i.Status), invitation.TokenGeneration(i.TokenGeneration)).
		SetStatus(to).AddVersion(1).SetUpdatedAt(now)
	if more != nil {
		more(u)
	}
	n, err := u.Save(ctx)
	if err != nil {
		return fmt.Errorf("move invitation %s to %s: %w", i.ID, to, err)
	}
	if n == 0 {
		return fault.Input(fault.Conflict, "The invitation has changed meanwhile; look at it again.")
	}
	return s.recount(ctx, tx, i, to)
}

// recount keeps the team's numbers when an invitation, as it was read, moves to
// another state.
func (s *Service) recount(ctx context.Context, tx *store.Tx, i *ent.Invitation, to lifecycle.Status) error {
	if i.Status == to {
		return nil
	}
	t := tx.Team.UpdateOneID(i.TeamID)
	for _, c := range []struct {
		status lifecycle.Status
		by     int
	}{{i.Status, -1}, {to, 1}} {
		switch {
		case c.status == lifecycle.Pending:
			t.AddPendingInvitations(c.by)
		case c.status == lifecycle.Expired && !i.Superseded:
			t.AddExpiredInvitations(c.by)
		}
	}
	if err := t.Exec(access.System(ctx, "keep the team's numbers")); err != nil {
		return fmt.Errorf("count the invitations of %s: %w", i.TeamID, err)
	}
	return nil
}

// draft returns an event about the invitation.
func draft(typ event.Type, i *ent.Invitation, actorID string, data map[string]string) event.Draft {
	return event.Draft{Type: typ, ActorID: actorID, TeamID: i.TeamID, SubjectID: i.ID, Data: data}
}

// was is the data of an event that changed the state.
func was(previous lifecycle.Status) map[string]string {
	return map[string]string{event.PreviousStatus: string(previous)}
}
