package invite

import (
	"context"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/address"
	"github.com/convoke-dev/convoke/internal/auth"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/lifecycle"
)

// NextStep is what the accept page asks for.
type NextStep string

// The steps of the contract.
const (
	StepAccept         NextStep = "ACCEPT"
	StepSignIn         NextStep = "SIGN_IN"
	StepSignUp         NextStep = "SIGN_UP"
	StepSignInOrSignUp NextStep = "SIGN_IN_OR_SIGN_UP"
	StepSwitchAccount  NextStep = "SWITCH_ACCOUNT"
	StepNone           NextStep = "NONE"
)

// Preview is what the holder of a link sees before they accept or decline.
type Preview struct {
	TeamName, AccountName, InviterName string
	MaskedEmail                        string
	RoleNames                          []string
	Status                             lifecycle.Status
	ExpiresAt                          time.Time
	NextStep                           NextStep
	// AccountBlocked is set for the addressee alone: the inviter may hold a link that was
	// not mailed.
	AccountBlocked bool
}

// Preview returns what the holder of a link may see. It changes nothing, so that
// a mail scanner that opens the link uses nothing up. It needs no permission but
// the token, and fails with NOT_FOUND for an unknown one.
func (s *Service) Preview(ctx context.Context, invitationToken string) (*Preview, error) {
	viewer := access.ViewerFrom(ctx)
	ctx = access.System(ctx, "show an invitation to the holder of its link")
	i, err := s.byToken(ctx, invitationToken)
	if ent.IsNotFound(err) {
		return nil, fault.Refuse(fault.NotFound, "This link is not valid.")
	}
	if err != nil {
		return nil, err
	}
	p := &Preview{
		TeamName: i.Edges.Team.Name, AccountName: i.Edges.Team.Edges.Account.Name, InviterName: inviterName(i),
		MaskedEmail: address.Mask(i.Email), RoleNames: roleNames(i),
		Status: lifecycle.Effective(i, s.Now()), ExpiresAt: i.ExpiresAt,
	}
	if viewer != nil && viewer.EmailKey == i.EmailKey || viewer == nil && s.opensAlone(i) {
		if p.AccountBlocked, err = blocked(ctx, s.Store.Read(), i.AccountID, i.EmailKey); err != nil {
			return nil, err
		}
	}
	p.NextStep, err = s.nextStep(ctx, i, p.Status, viewer)
	return p, err
}

// nextStep says what the viewer, nil when nobody is signed in, does next.
func (s *Service) nextStep(ctx context.Context, i *ent.Invitation, status lifecycle.Status, viewer *access.Viewer) (NextStep, error) {
	switch {
	case status != lifecycle.Pending:
		return StepNone, nil
	case viewer != nil && viewer.EmailKey == i.EmailKey:
		return StepAccept, nil
	case viewer != nil:
		return StepSwitchAccount, nil
	case !i.TokenMailed:
		return StepSignInOrSignUp, nil
	}
	known, err := s.hasUser(ctx, i)
	switch {
	case err != nil:
		return StepNone, err
	case known:
		return StepSignIn, nil
	default:
		return StepSignUp, nil
	}
}

// inviterName returns the name of the inviter, of the account when an API key invited, or of
// the team when the inviter's user is gone.
func inviterName(i *ent.Invitation) string {
	switch {
	case i.Edges.Inviter != nil:
		return auth.DisplayName(i.Edges.Inviter)
	case i.InviterKeyID != nil:
		return i.Edges.Team.Edges.Account.Name
	default:
		return i.Edges.Team.Name
	}
}

// roleNames returns the names of the roles that an invitation grants, or one
// line for all permissions. Groups and single permissions have none.
func roleNames(i *ent.Invitation) []string {
	if i.AllPermissions {
		return []string{"All permissions"}
	}
	names := make([]string, len(i.Edges.Roles))
	for n, r := range i.Edges.Roles {
		names[n] = r.Name
	}
	return names
}
