package invite

import (
	"context"
	"fmt"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/address"
	"github.com/convoke-dev/convoke/internal/auth"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/lifecycle"
	"github.com/convoke-dev/convoke/internal/roster"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/text"
	"github.com/convoke-dev/convoke/internal/token"
)

// Reference names an invitation as its addressee does: by the token of its
// link, or, signed in, by its id. Exactly one of them is set.
type Reference struct {
	Token        string
	InvitationID string
}

// Response is an addressee's yes.
type Response struct {
	Reference
	// For somebody who has no user yet.
	Password            string
	FirstName, LastName *string // nil = as the invitation has them
}

// Admitted is what came of a yes.
type Admitted struct {
	MemberID string
	// Already is true when the same user had accepted before.
	Already bool
	// Session is set when the acceptor was not signed in.
	Session *auth.SignedIn
}

// Accept makes the addressee a member: a newcomer, whom the mailed link proves
// to own the address, with the password he chose, or the signed-in user of
// that address. It fails with INVALID_VALUE or INVALID_TOKEN, NOT_FOUND for an id that
// is not the viewer's, the refusal of the state the invitation is in,
// EMAIL_MISMATCH for another user, AUTHENTICATION_REQUIRED, PASSWORD_REQUIRED,
// WEAK_PASSWORD, TOO_LONG, INVITER_LOST_GRANT, MEMBER_DEACTIVATED,
// FEATURE_NOT_AVAILABLE, SEAT_LIMIT_REACHED or ACCOUNT_SUSPENDED; the invitation
// is untouched then.
func (s *Service) Accept(ctx context.Context, r Response) (*Admitted, error) {
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
	done, err := s.claim(ctx, viewer, i, r, n)
	if ent.IsConstraintError(err) {
		// The address got its user elsewhere this moment: look again.
		done, err = s.claim(ctx, viewer, i, r, n)
	}
	return done, err
}

// claim is the transaction of an accept.
func (s *Service) claim(ctx context.Context, viewer *access.Viewer, i *ent.Invitation, r Response, n *newcomer) (done *Admitted, err error) {
	err = s.Store.InAccount(ctx, i.AccountID, func(tx *store.Tx) error {
		// As it stands now: another accept, a resend or a revocation may have
		// come first.
		now, err := find(ctx, tx.Client(), i.ID)
		if err != nil {
			return err
		}
		if r.Token != "" && now.TokenGeneration != i.TokenGeneration {
			return invalidToken()
		}
		done, err = s.accept(ctx, tx, now, viewer, n)
		return err
	})
	return done, err
}

// locate finds the invitation a reference names.
func (s *Service) locate(ctx context.Context, viewer *access.Viewer, r Reference) (*ent.Invitation, error) {
	switch {
	case (r.Token == "") == (r.InvitationID == ""):
		return nil, fault.Input(fault.InvalidValue, "Give either the token or the invitation's id.", "token")
	case r.Token != "":
		i, err := s.byToken(ctx, r.Token)
		if ent.IsNotFound(err) {
			return nil, invalidToken()
		}
		return i, err
	case viewer == nil:
		return nil, fault.Refuse(fault.Unauthenticated, "Sign in first.")
	default:
		i, err := find(ctx, s.Store.Read(), r.InvitationID)
		if err == nil && (i.EmailKey != viewer.EmailKey || viewer.Unproven) {
			return nil, fault.Refuse(fault.NotFound, "There is no such invitation.")
		}
		return i, err
	}
}

// mismatch tells a viewer that an invitation is somebody else's, and not whose.
func mismatch(i *ent.Invitation, viewer *access.Viewer) error {
	return fault.Input(fault.EmailMismatch, fmt.Sprintf(
		"This invitation is for %s; you are signed in as %s.", address.Mask(i.Email), viewer.Email))
}

func invalidToken() error {
	return fault.Input(fault.InvalidToken, "This link is not valid, or a newer mail has replaced it.", "token")
}

// byToken returns the invitation with its roles; ent's not-found error when no
// invitation has the token.
func (s *Service) byToken(ctx context.Context, invitationToken string) (*ent.Invitation, error) {
	i, err := s.Store.Read().Invitation.Query().
		Where(invitation.TokenHash(token.Hash(invitationToken))).
		WithRoles().WithInviter().WithTeam(func(q *ent.TeamQuery) { q.WithAccount() }).
		Only(ctx)
	if err != nil {
		return nil, fmt.Errorf("find an invitation by its token: %w", err)
	}
	return i, nil
}

// newcomer is what an acceptor who is not signed in brings along, checked and
// hashed before the transaction begins.
type newcomer struct {
	passwordHash        string
	firstName, lastName string
}

// forNewcomers reports whether somebody new can accept: by a mailed link, to an
// address without a user.
func (s *Service) forNewcomers(ctx context.Context, i *ent.Invitation) (bool, error) {
	if !i.TokenMailed {
		return false, nil
	}
	known, err := s.Store.Read().User.Query().Where(user.EmailKey(i.EmailKey)).Exist(ctx)
	if err != nil {
		return false, fmt.Errorf("find the addressee of %s: %w", i.ID, err)
	}
	return !known, nil
}

func (s *Service) newcomer(ctx context.Context, viewer *access.Viewer, i *ent.Invitation, r Response) (*newcomer, error) {
	if viewer != nil || r.Password == "" {
		return nil, nil //nolint:nilnil // no newcomer is the normal answer
	}
	if _, denied := lifecycle.Next(lifecycle.Effective(i, s.Now()), lifecycle.Accept); denied != nil {
		return nil, denied // before a weak password is complained about
	}
	if open, err := s.forNewcomers(ctx, i); err != nil || !open {
		return nil, err // the transaction says what is asked for instead
	}
	n := &newcomer{firstName: i.FirstName, lastName: i.LastName}
	var wrong fault.Errors
	wrong.Add(s.Auth.Hasher.Check(r.Password, "password"))
	for _, name := range []struct {
		field string
		typed *string
		into  *string
	}{{"firstName", r.FirstName, &n.firstName}, {"lastName", r.LastName, &n.lastName}} {
		if name.typed != nil {
			clean, bad := text.Line(*name.typed, name.field)
			wrong.Add(bad)
			*name.into = clean
		}
	}
	if err := wrong.Err(); err != nil {
		return nil, err
	}
	var err error
	n.passwordHash, err = s.Auth.Hasher.Hash(ctx, r.Password)
	return n, err
}

func (s *Service) accept(ctx context.Context, tx *store.Tx, i *ent.Invitation, viewer *access.Viewer, n *newcomer) (*Admitted, error) {
	if i.Status == lifecycle.Accepted && viewer != nil && i.AcceptedByID != nil && *i.AcceptedByID == viewer.UserID {
		return s.acceptedBefore(ctx, tx, i, viewer)
	}
	to, denied := lifecycle.Next(lifecycle.Effective(i, s.Now()), lifecycle.Accept)
	if denied != nil {
		return nil, denied
	}
	u, created, err := s.acceptor(ctx, tx, i, viewer, n)
	if err != nil {
		return nil, err
	}
	acc, grant, err := s.stillGranted(ctx, tx, i)
	if err != nil {
		return nil, err
	}
	err = s.move(ctx, tx, i, to, func(up *ent.InvitationUpdate) { up.SetAcceptedByID(u.ID) })
	if err != nil {
		return nil, err
	}
	m, err := s.Roster.Admit(ctx, tx, acc, roster.Admission{
		AccountID: i.AccountID, TeamID: i.TeamID, UserID: u.ID, Grant: grant,
		Divisions: i.Edges.Divisions, AllowedDomains: i.AllowedDomains,
	})
	if err != nil {
		return nil, err
	}
	data := was(lifecycle.Pending)
	data[event.MemberID] = m.ID
	if err := s.Events.Append(ctx, tx, i.AccountID, draft(event.InvitationAccepted, i, u.ID, data)); err != nil {
		return nil, err
	}
	done := &Admitted{MemberID: m.ID}
	if viewer == nil {
		done.Session, err = s.welcome(ctx, tx, u, created, i.TeamID)
	}
	return done, err
}

func (s *Service) acceptedBefore(ctx context.Context, tx *store.Tx, i *ent.Invitation, viewer *access.Viewer) (*Admitted, error) {
	id, err := tx.Member.Query().Where(member.TeamID(i.TeamID), member.UserID(viewer.UserID)).OnlyID(ctx)
	if ent.IsNotFound(err) {
		// Accepted, and removed from the team since.
		_, denied := lifecycle.Next(lifecycle.Accepted, lifecycle.Accept)
		return nil, denied
	}
	if err != nil {
		return nil, fmt.Errorf("accept %s again: %w", i.ID, err)
	}
	return &Admitted{MemberID: id, Already: true}, nil
}

// acceptor returns the user who accepts, made just now for a newcomer.
func (s *Service) acceptor(ctx context.Context, tx *store.Tx, i *ent.Invitation, viewer *access.Viewer, n *newcomer) (u *ent.User, created bool, err error) {
	known, err := tx.User.Query().Where(user.EmailKey(i.EmailKey)).Only(ctx)
	if err != nil && !ent.IsNotFound(err) {
		return nil, false, fmt.Errorf("find the addressee of %s: %w", i.ID, err)
	}
	switch {
	case viewer != nil && viewer.EmailKey != i.EmailKey:
		return nil, false, mismatch(i, viewer)
	case viewer != nil:
		return known, false, nil
	case !i.TokenMailed:
		return nil, false, fault.Input(fault.AuthenticationRequired, "Sign in as the person this invitation is for.")
	case known != nil:
		return nil, false, fault.Input(fault.AuthenticationRequired, "There is a user with this address already: sign in first.")
	case n == nil:
		return nil, false, fault.Input(fault.PasswordRequired, "Choose a password.", "password")
	}
	u, err = s.Auth.CreateUser(ctx, tx, auth.NewUser{
		Address:   address.Address{Typed: i.Email, Key: i.EmailKey},
		FirstName: n.firstName, LastName: n.lastName, JobTitle: i.JobTitle,
		PasswordHash: n.passwordHash,
	})
	return u, true, err
}

// stillGranted returns the account and what the invitation grants, if whoever
// answers for it still holds it and may still invite.
func (s *Service) stillGranted(ctx context.Context, tx *store.Tx, i *ent.Invitation) (*ent.Account, access.Grant, error) {
	g := grantOf(i)
	acc, err := s.account(ctx, tx, i.AccountID)
	if err != nil {
		return nil, g, err
	}
	if !acc.MultiUser {
		return nil, g, oneUserOnly()
	}
	lost := fault.Input(fault.InviterLostGrant, "Who invited you may no longer grant this; ask for a new invitation.")
	granter, err := s.Access.Membership(ctx, tx.Client(), i.TeamID, i.GranterID)
	if fault.Is(err, fault.NotFound) {
		return nil, g, lost
	}
	if err != nil {
		return nil, g, err
	}
	if !granter.Permissions.Has(access.MembersInvite) || s.answersFor(granter, i) != nil {
		return nil, g, lost
	}
	return acc, g, nil
}

// welcome signs a newcomer in. He gets an account of his own if that is the
// rule, and the team he joined is his active one.
func (s *Service) welcome(ctx context.Context, tx *store.Tx, u *ent.User, created bool, teamID string) (*auth.SignedIn, error) {
	if created && s.PersonalAccounts {
		if _, err := s.Auth.OpenPersonalAccount(ctx, tx, u, ""); err != nil {
			return nil, err
		}
	}
	if err := tx.User.UpdateOneID(u.ID).SetActiveTeamID(teamID).Exec(ctx); err != nil {
		return nil, fmt.Errorf("set the active team of %s: %w", u.ID, err)
	}
	return s.Auth.StartSession(ctx, tx, u.ID)
}

// Decline is the addressee's no; doing it twice is a success. Whoever has the
// mailed link may say it. It fails with INVALID_VALUE, INVALID_TOKEN or NOT_FOUND like
// Accept, with EMAIL_MISMATCH for another user, AUTHENTICATION_REQUIRED for a
// link that was handed over, or with the refusal of the state the invitation is in.
func (s *Service) Decline(ctx context.Context, r Reference) (invitationID string, err error) {
	viewer := access.ViewerFrom(ctx)
	ctx = access.System(ctx, "decline an invitation")
	known, err := s.locate(ctx, viewer, r)
	if err != nil {
		return "", err
	}
	if viewer != nil && viewer.EmailKey != known.EmailKey {
		return "", mismatch(known, viewer)
	}
	actor := ""
	switch {
	case viewer != nil:
		actor = viewer.UserID
	case !known.TokenMailed:
		return "", fault.Input(fault.AuthenticationRequired, "Sign in as the person this invitation is for.")
	}
	return known.ID, s.Store.InAccount(ctx, known.AccountID, func(tx *store.Tx) error {
		i, err := find(ctx, tx.Client(), known.ID)
		if err != nil {
			return err
		}
		if r.Token != "" && i.TokenGeneration != known.TokenGeneration {
			return invalidToken()
		}
		previous := lifecycle.Effective(i, s.Now())
		to, denied := lifecycle.Next(previous, lifecycle.Decline)
		if denied != nil {
			return denied
		}
		if to == previous {
			return nil
		}
		if err := s.move(ctx, tx, i, to, nil); err != nil {
			return err
		}
		return s.Events.Append(ctx, tx, i.AccountID, draft(event.InvitationDeclined, i, actor, was(previous)))
	})
}
