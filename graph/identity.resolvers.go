package graph

import (
	"context"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/member"
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
	if err != nil {
		list, rest := payloadErrors(err)
		return &model.SignUpPayload{UserErrors: list}, rest
	}
	return &model.SignUpPayload{VerificationSent: mailed, UserErrors: none}, nil
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

// EmailVerified is the resolver for the emailVerified field.
func (r *userResolver) EmailVerified(ctx context.Context, obj *ent.User) (bool, error) {
	return !obj.EmailVerifiedAt.IsZero(), nil
}

// User is the resolver for the user field.
func (r *viewerResolver) User(ctx context.Context, obj *access.Viewer) (*ent.User, error) {
	return r.read(ctx).User.Query().Where(user.ID(obj.UserID)).Only(ctx)
}

// ActiveTeam is the resolver for the activeTeam field.
func (r *viewerResolver) ActiveTeam(ctx context.Context, obj *access.Viewer) (*ent.Team, error) {
	return r.activeTeam(ctx, obj)
}

// Memberships is the resolver for the memberships field.
func (r *viewerResolver) Memberships(ctx context.Context, obj *access.Viewer, first *int, after *string) (*relay.Connection[*ent.Member], error) {
	q := r.read(ctx).Member.Query().Where(member.UserID(obj.UserID))
	r.withMember(ctx, selected(ctx).nodes())(q)
	return relay.Page(ctx, q, relay.Args{First: first, After: after}, membersByAge)
}

// Permissions is the resolver for the permissions field.
func (r *viewerResolver) Permissions(ctx context.Context, obj *access.Viewer, teamID string) ([]string, error) {
	m := obj.Membership(teamID)
	if m == nil {
		return []string{}, nil
	}
	return m.Permissions.Keys(), nil
}

// User returns generated.UserResolver implementation.
func (r *Resolver) User() generated.UserResolver { return &userResolver{r} }

// Viewer returns generated.ViewerResolver implementation.
func (r *Resolver) Viewer() generated.ViewerResolver { return &viewerResolver{r} }

type (
	userResolver   struct{ *Resolver }
	viewerResolver struct{ *Resolver }
)
