package graph

import (
	"context"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/session"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/graph/generated"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/graph/relay"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/auth"
)

// SignUp is the resolver for the signUp field.
func (r *mutationResolver) SignUp(ctx context.Context, input model.SignUpInput) (*model.SignUpPayload, error) {
	mailed, err := r.Auth.SignUp(ctx, auth.SignUp{
		Email: input.Email, Password: input.Password,
		FirstName: orEmpty(input.FirstName), LastName: orEmpty(input.LastName), AccountName: orEmpty(input.AccountName),
	})
	p := &model.SignUpPayload{}
	return complete(p, &p.UserErrors, err, func() error {
		p.VerificationSent = mailed
		return nil
	})
}

// VerifyEmail is the resolver for the verifyEmail field.
func (r *mutationResolver) VerifyEmail(ctx context.Context, input model.VerifyEmailInput) (*model.SignInPayload, error) {
	if err := canCarry(ctx, input.Transport); err != nil {
		return r.signInPayload(ctx, nil, err, input.Transport)
	}
	in, err := r.Auth.VerifyEmail(ctx, input.Token)
	return r.signInPayload(ctx, in, err, input.Transport)
}

// SignIn is the resolver for the signIn field.
func (r *mutationResolver) SignIn(ctx context.Context, input model.SignInInput) (*model.SignInPayload, error) {
	if err := canCarry(ctx, input.Transport); err != nil {
		return r.signInPayload(ctx, nil, err, input.Transport)
	}
	in, err := r.Auth.SignIn(ctx, input.Email, input.Password)
	return r.signInPayload(ctx, in, err, input.Transport)
}

// SignInWithIDToken is the resolver for the signInWithIdToken field.
func (r *mutationResolver) SignInWithIDToken(ctx context.Context, input model.SignInWithIDTokenInput) (*model.SignInPayload, error) {
	if err := canCarry(ctx, input.Transport); err != nil {
		return r.signInPayload(ctx, nil, err, input.Transport)
	}
	in, err := r.Auth.SignInWithIDToken(ctx, input.IDToken)
	return r.signInPayload(ctx, in, err, input.Transport)
}

// ResendVerification is the resolver for the resendVerification field.
func (r *mutationResolver) ResendVerification(ctx context.Context, input model.ResendVerificationInput) (*model.ResendVerificationPayload, error) {
	mailed, err := r.Auth.ResendVerification(ctx, input.Email, input.Password)
	p := &model.ResendVerificationPayload{}
	return complete(p, &p.UserErrors, err, func() error {
		p.VerificationSent = mailed
		return nil
	})
}

// ChangePassword is the resolver for the changePassword field.
func (r *mutationResolver) ChangePassword(ctx context.Context, input model.ChangePasswordInput) (*model.ChangePasswordPayload, error) {
	p := &model.ChangePasswordPayload{}
	return complete(p, &p.UserErrors, r.changePassword(ctx, input.CurrentPassword, input.NewPassword), func() error {
		return nil
	})
}

// RequestPasswordReset is the resolver for the requestPasswordReset field.
func (r *mutationResolver) RequestPasswordReset(ctx context.Context, input model.RequestPasswordResetInput) (*model.RequestPasswordResetPayload, error) {
	mailed, err := r.Auth.RequestPasswordReset(ctx, input.Email)
	p := &model.RequestPasswordResetPayload{}
	return complete(p, &p.UserErrors, err, func() error {
		p.ResetSent = mailed
		return nil
	})
}

// ResetPassword is the resolver for the resetPassword field.
func (r *mutationResolver) ResetPassword(ctx context.Context, input model.ResetPasswordInput) (*model.SignInPayload, error) {
	if err := canCarry(ctx, input.Transport); err != nil {
		return r.signInPayload(ctx, nil, err, input.Transport)
	}
	in, err := r.Auth.ResetPassword(ctx, input.Token, input.NewPassword)
	return r.signInPayload(ctx, in, err, input.Transport)
}

// UpdateProfile is the resolver for the updateProfile field.
func (r *mutationResolver) UpdateProfile(ctx context.Context, input model.UpdateProfileInput) (*model.UpdateProfilePayload, error) {
	err := r.Auth.UpdateProfile(ctx, auth.Profile{FirstName: input.FirstName, LastName: input.LastName, JobTitle: input.JobTitle})
	p := &model.UpdateProfilePayload{}
	return complete(p, &p.UserErrors, err, func() (err error) {
		p.User, err = r.read(ctx).User.Query().Where(user.ID(viewerID(ctx))).Only(ctx)
		return err
	})
}

// EraseMe is the resolver for the eraseMe field.
func (r *mutationResolver) EraseMe(ctx context.Context, input model.EraseMeInput) (*model.EraseMePayload, error) {
	u, err := r.Auth.Confirm(ctx, orEmpty(input.Password))
	if err == nil {
		err = r.People.Erase(ctx, u, u.ID)
	}
	p := &model.EraseMePayload{}
	return complete(p, &p.UserErrors, err, func() error {
		signedOut(ctx)
		p.ErasedUserID = &u.ID
		return nil
	})
}

// RevokeSession is the resolver for the revokeSession field.
func (r *mutationResolver) RevokeSession(ctx context.Context, input model.RevokeSessionInput) (*model.RevokeSessionPayload, error) {
	if err := r.Auth.RevokeSession(ctx, input.SessionID); err != nil {
		return nil, err
	}
	if input.SessionID == access.ViewerFrom(ctx).SessionID {
		signedOut(ctx)
	}
	return &model.RevokeSessionPayload{RevokedSessionID: &input.SessionID, UserErrors: []*model.UserError{}}, nil
}

// Current is the resolver for the current field.
func (r *sessionResolver) Current(ctx context.Context, obj *ent.Session) (bool, error) {
	v := access.ViewerFrom(ctx)
	return v != nil && v.SessionID == obj.ID, nil
}

// IsErased is the resolver for the isErased field.
func (r *userResolver) IsErased(ctx context.Context, obj *ent.User) (bool, error) {
	return obj.ErasedAt != nil, nil
}

// EmailVerified is the resolver for the emailVerified field.
func (r *userResolver) EmailVerified(ctx context.Context, obj *ent.User) (bool, error) {
	return obj.EmailProof == user.EmailProofMail, nil
}

// User is the resolver for the user field.
func (r *viewerResolver) User(ctx context.Context, obj *access.Viewer) (*ent.User, error) {
	if obj.IsKey() {
		return nil, nil
	}
	return r.read(ctx).User.Query().Where(user.ID(obj.UserID)).Only(ctx)
}

// ActiveTeam is the resolver for the activeTeam field.
func (r *viewerResolver) ActiveTeam(ctx context.Context, obj *access.Viewer) (*ent.Team, error) {
	return r.homeTeam(ctx, obj)
}

// Memberships is the resolver for the memberships field.
func (r *viewerResolver) Memberships(ctx context.Context, obj *access.Viewer, first *int, after *string, last *int, before *string) (*relay.Connection[*ent.Member], error) {
	q := r.read(ctx).Member.Query().Where(member.UserID(obj.UserID))
	r.withMember(ctx, selected(ctx).nodes())(q)
	return relay.Page(ctx, q, relay.Args{First: first, After: after, Last: last, Before: before}, membersByAge)
}

// Permissions is the resolver for the permissions field.
func (r *viewerResolver) Permissions(ctx context.Context, obj *access.Viewer, teamID string) ([]string, error) {
	m := obj.Membership(teamID)
	if m == nil {
		return []string{}, nil
	}
	return m.Permissions.Keys(), nil
}

// Sessions is the resolver for the sessions field.
func (r *viewerResolver) Sessions(ctx context.Context, obj *access.Viewer, first *int, after *string, last *int, before *string) (*relay.Connection[*ent.Session], error) {
	q := r.read(ctx).Session.Query().Where(session.UserID(obj.UserID), r.Auth.Live())
	return relay.Page(ctx, q, relay.Args{First: first, After: after, Last: last, Before: before}, sessionsByAge)
}

// Session returns generated.SessionResolver implementation.
func (r *Resolver) Session() generated.SessionResolver { return &sessionResolver{r} }

// User returns generated.UserResolver implementation.
func (r *Resolver) User() generated.UserResolver { return &userResolver{r} }

// Viewer returns generated.ViewerResolver implementation.
func (r *Resolver) Viewer() generated.ViewerResolver { return &viewerResolver{r} }

type (
	sessionResolver struct{ *Resolver }
	userResolver    struct{ *Resolver }
	viewerResolver  struct{ *Resolver }
)
