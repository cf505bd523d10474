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
	// PersonalAccounts gives a newcomer an account and a default team of their
	// own.
	PersonalAccounts bool
	// NoMail returns every link to the inviter instead of mailing it, and trusts
	// it as proof of the address like a mailed one.
	NoMail bool
	// The rate limits: invitations by one inviter, by one account, and mails to
	// one address.
	PerInviter, PerAccount, PerRecipient *limit.Bucket
	// ForgetAfter is how long the address of an invitation that has ended is kept; zero
	// keeps it for ever.
	ForgetAfter time.Duration
}

// Issued is an invitation with the link that was made just now.
type Issued struct {
	ID string
	// URL is the link. It is set only when the link was not mailed.
	URL string

	generation int // of the link
}

// link returns the address of the accept page for the token. The token is the
// fragment of the address, which browsers send to no server, log or referrer.
func (s *Service) link(invitationToken string) string {
	u := *s.PublicURL.JoinPath("/accept")
	u.Fragment = invitationToken
	return u.String()
}

// find returns the invitation with its grant, if the guard lets the viewer
// know of it: NOT_FOUND otherwise.
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

// withGrant loads everything that an invitation grants.
func withGrant(q *ent.InvitationQuery) {
	q.WithRoles().WithGroups(func(g *ent.GroupQuery) { g.WithRoles() }).WithDivisions()
}

// move changes the state by compare-and-set, and with it what change sets. It
// fails with CONFLICT when the state or the link is not as it was read in this
// transaction.
func (s *Service) move(ctx context.Context, tx *store.Tx, i *ent.Invitation, to lifecycle.Status, change func(*ent.InvitationUpdate)) error {
	u := tx.Invitation.Update().
		Where(invitation.ID(i.ID), invitation.StatusEQ(i.Status), invitation.TokenGeneration(i.TokenGeneration)).
		SetStatus(to).AddVersion(1).SetUpdatedAt(s.Now())
	if change != nil {
		change(u)
	}
	n, err := u.Save(ctx)
	if err != nil {
		return fmt.Errorf("move invitation %s to %s: %w", i.ID, to, err)
	}
	if n == 0 {
		return fault.Input(fault.Conflict, "The invitation has changed meanwhile; look at it again.")
	}
	return roster.Count(ctx, tx, i.TeamID, moved(i, to))
}

// moved is the change of the team's counters when the invitation, as it was
// read, moves to the state. Only pending and expired invitations are counted by
// state, and superseded ones not even then.
func moved(i *ent.Invitation, to lifecycle.Status) (d roster.Delta) {
	for status, by := range map[lifecycle.Status]int{i.Status: -1, to: 1} {
		switch {
		case i.Status == to:
		case status == lifecycle.Pending:
			d.Pending = by
		case status == lifecycle.Expired && !i.Superseded:
			d.Expired = by
		}
	}
	return d
}

// eventOf returns an event about the invitation, ready to append.
func eventOf(typ event.Type, i *ent.Invitation, actorID string, data map[string]string) event.Draft {
	if data == nil {
		data = map[string]string{}
	}
	data[event.Addressee] = event.Addressed(i.EmailKey)
	return event.Draft{Type: typ, ActorID: actorID, TeamID: i.TeamID, SubjectID: i.ID, Data: data}
}

// was is the data of an event that changed the state.
func was(previous lifecycle.Status) map[string]string {
	return map[string]string{event.PreviousStatus: string(previous)}
}
