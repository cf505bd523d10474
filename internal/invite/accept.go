package invite

import (
	"context"
	"fmt"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/auth"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/lifecycle"
	"github.com/convoke-dev/convoke/internal/roster"
)

// Acceptance is what an addressee gives to accept.
type Acceptance struct {
	Reference
	// For a newcomer.
	Password            string
	FirstName, LastName *string // nil = the name in the invitation
}

// Joined is the membership that an acceptance led to.
type Joined struct {
	MemberID string
	// Already is true when the same user had accepted before.
	Already bool
	// Session is set when the addressee was not signed in.
	Session *auth.SignedIn
}

// Accept makes the addressee a member. Accept needs no permission: it needs the
// signed-in user of the invitation's address, or, for a newcomer, the mailed
// link, which proves that they own the address, and a password. It fails with
// INVALID_VALUE or INVALID_TOKEN; with UNAUTHENTICATED or NOT_FOUND for an id that
// is not the viewer's; with the refusal of the state the invitation is in; with
// EMAIL_MISMATCH for another user, AUTHENTICATION_REQUIRED, PASSWORD_REQUIRED,
// WEAK_PASSWORD, TOO_LONG, INVALID_GRANT, INVITER_LOST_GRANT, MEMBER_DEACTIVATED,
// FEATURE_NOT_AVAILABLE, SEAT_LIMIT_REACHED or ACCOUNT_SUSPENDED. A failed Accept
// changes nothing.
func (s *Service) Accept(ctx context.Context, r Acceptance) (*Joined, error) {
	viewer := access.ViewerFrom(ctx)
	ctx = access.System(ctx, "accept an invitation")
	i, err := s.locate(ctx, viewer, r.Reference)
	if err != nil {
		return nil, err
	}
	n, err := s.newcomer(ctx, viewer, i, r)
	if err != nil {
		return nil, err
	}
	done, err := s.claim(ctx, viewer, i, r.Reference, n)
	if ent.IsConstraintError(err) {
		// The address got its user from another request at the same moment: the
		// second attempt finds that user.
		done, err = s.claim(ctx, viewer, i, r.Reference, n)
	}
	return done, err
}

// claim is the transaction of an Accept.
func (s *Service) claim(ctx context.Context, viewer *access.Viewer, located *ent.Invitation, r Reference, n *newcomer) (done *Joined, err error) {
	var i *ent.Invitation
	err = s.Door.Do(ctx, answering(viewer, located, r, &i), func(ctx context.Context, a *act.Act) error {
		if done, err = s.accept(ctx, a, i, viewer, n); err != nil || viewer == nil || !viewer.Unproven || r.Token == "" || proofOf(i) != user.EmailProofMail {
			return err
		}
		return s.Auth.Prove(ctx, a.Tx, viewer.UserID, i.EmailKey) // they have opened a mail to it
	})
	return done, err
}

func (s *Service) accept(ctx context.Context, a *act.Act, i *ent.Invitation, viewer *access.Viewer, n *newcomer) (*Joined, error) {
	if viewer != nil && i.AcceptedByID != nil && *i.AcceptedByID == viewer.UserID {
		return s.acceptedBefore(ctx, a, i, viewer)
	}
	to, denied := lifecycle.Next(lifecycle.Effective(i, s.Now()), lifecycle.Accept)
	if denied != nil {
		return nil, denied
	}
	u, created, err := s.acceptor(ctx, a, i, viewer, n)
	if err != nil {
		return nil, err
	}
	granter, err := s.stillGranted(ctx, a, i)
	if err != nil {
		return nil, err
	}
	err = s.move(ctx, a.Tx, i, to, func(up *ent.InvitationUpdate) { up.SetAcceptedByID(u.ID) })
	if err != nil {
		return nil, err
	}
	m, err := s.Roster.Admit(ctx, a.Tx, a.Account, roster.Admission{
		AccountID: i.AccountID, TeamID: i.TeamID, UserID: u.ID, Grant: grantOf(i),
		Divisions: i.Edges.Divisions, AllowedDomains: i.AllowedDomains, Giver: granter,
	})
	if err != nil {
		return nil, err
	}
	if err := s.forgive(ctx, a.Tx, i.AccountID, i.EmailKey); err != nil {
		return nil, err
	}
	data := was(lifecycle.Pending)
	data[event.MemberID] = m.ID
	if err := s.Events.Append(ctx, a.Tx, i.AccountID, eventOf(event.InvitationAccepted, i, u.ID, data)); err != nil {
		return nil, err
	}
	done := &Joined{MemberID: m.ID}
	if viewer == nil {
		done.Session, err = s.welcome(ctx, a, u, created, i.TeamID)
	}
	return done, err
}

// acceptedBefore answers the user who has accepted this invitation already:
// again with the membership, or, when they were removed since, with
// INVITATION_ALREADY_ACCEPTED.
func (s *Service) acceptedBefore(ctx context.Context, a *act.Act, i *ent.Invitation, viewer *access.Viewer) (*Joined, error) {
	id, err := a.Tx.Member.Query().Where(member.TeamID(i.TeamID), member.UserID(viewer.UserID)).OnlyID(ctx)
	if ent.IsNotFound(err) {
		_, denied := lifecycle.Next(lifecycle.Accepted, lifecycle.Accept)
		return nil, denied
	}
	if err != nil {
		return nil, fmt.Errorf("accept %s again: %w", i.ID, err)
	}
	return &Joined{MemberID: id, Already: true}, nil
}

// acceptor returns the user who accepts, and makes it for a newcomer. It fails
// with EMAIL_MISMATCH, AUTHENTICATION_REQUIRED or PASSWORD_REQUIRED.
func (s *Service) acceptor(ctx context.Context, a *act.Act, i *ent.Invitation, viewer *access.Viewer, n *newcomer) (u *ent.User, created bool, err error) {
	known, err := a.Tx.User.Query().Where(user.EmailKey(i.EmailKey)).Only(ctx)
	if err != nil && !ent.IsNotFound(err) {
		return nil, false, fmt.Errorf("find the addressee of %s: %w", i.ID, err)
	}
	switch {
	case viewer != nil && (viewer.EmailKey != i.EmailKey || known == nil || known.ID != viewer.UserID):
		// The viewer was loaded before: their address may be another one by now.
		return nil, false, mismatch(i, viewer)
	case viewer != nil:
		return known, false, nil
	case !i.TokenMailed:
		return nil, false, signInFirst()
	case known != nil:
		return nil, false, fault.Input(fault.AuthenticationRequired, "There is a user with this address already: sign in first.")
	case n == nil:
		return nil, false, fault.Input(fault.PasswordRequired, "Choose a password.", "password")
	}
	u, err = s.newUser(ctx, a.Tx, i, n)
	return u, true, err
}

func signInFirst() error {
	return fault.Input(fault.AuthenticationRequired, "Sign in as the person this invitation is for.")
}

// stillGranted checks the account and the ceiling once more, because both may
// have changed since the invitation was sent, and returns the granter. It fails
// with ACCOUNT_SUSPENDED, FEATURE_NOT_AVAILABLE, INVALID_GRANT when it grants nothing any more, or
// INVITER_LOST_GRANT when the granter has left, holds less than the invitation
// grants, or may not invite any more, or when the granter before them had lost part
// of it and nobody has confirmed it since.
func (s *Service) stillGranted(ctx context.Context, a *act.Act, i *ent.Invitation) (*access.Membership, error) {
	if refused := refusedByAccount(a); refused != nil {
		return nil, refused
	}
	if nothing := grantsSomething(i); nothing != nil {
		return nil, nothing
	}
	granter, err := s.Access.Membership(ctx, a.Tx.Client(), i.TeamID, i.GranterID)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return nil, err
	}
	if err != nil || !s.vouchedFor(granter, i) {
		return nil, fault.Input(fault.InviterLostGrant, "The inviter may no longer grant this; ask for a new invitation.")
	}
	return granter, nil
}
