package invite

import (
	"context"
	"fmt"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/address"
	"github.com/convoke-dev/convoke/internal/auth"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/lifecycle"
)

// NextStep is what the accept page should ask for.
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

// Preview is what the holder of a link may see before he decides.
type Preview struct {
	TeamName, AccountName, InviterName string
	MaskedEmail                        string
	RoleNames                          []string
	Status                             lifecycle.Status
	ExpiresAt                          time.Time
	NextStep                           NextStep
}

// Preview describes the invitation of a link and changes nothing, ever.
// NOT_FOUND for an unknown token.
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
	p.NextStep, err = s.nextStep(ctx, i, p.Status, viewer)
	return p, err
}

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
	known, err := s.Store.Read().User.Query().
		Where(user.EmailKey(i.EmailKey)).Exist(ctx)
	if err != nil {
		return StepNone, fmt.Errorf("find the addressee of %s: %w", i.ID, err)
	}
	if known {
		return StepSignIn, nil
	}
	return StepSignUp, nil
}

func inviterName(i *ent.Invitation) string {
	if i.Edges.Inviter == nil {
		return i.Edges.Team.Name
	}
	return auth.DisplayName(i.Edges.Inviter)
}

// roleNames says what an invitation grants, as far as it is a role, or everything.
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
