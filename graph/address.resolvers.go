package graph

import (
	"context"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/auth"
)

// ChangeEmail is the resolver for the changeEmail field.
func (r *mutationResolver) ChangeEmail(ctx context.Context, input model.ChangeEmailInput) (*model.ChangeEmailPayload, error) {
	mailed, err := r.Auth.ChangeEmail(ctx, input.NewEmail, input.Password)
	p := &model.ChangeEmailPayload{}
	return complete(p, &p.UserErrors, err, func() error {
		p.ConfirmationSent = mailed
		err := r.reloadViewer(ctx)
		p.Viewer = access.ViewerFrom(ctx)
		return err
	})
}

// ConfirmEmailChange is the resolver for the confirmEmailChange field.
func (r *mutationResolver) ConfirmEmailChange(ctx context.Context, input model.ConfirmEmailChangeInput) (*model.ConfirmEmailChangePayload, error) {
	changed, err := r.Auth.ConfirmEmailChange(ctx, input.Token)
	p := &model.ConfirmEmailChangePayload{}
	return complete(p, &p.UserErrors, err, func() error {
		p.Changed = changed
		if viewerID(ctx) == "" {
			return nil
		}
		return r.reloadViewer(ctx)
	})
}

// CancelEmailChange is the resolver for the cancelEmailChange field.
func (r *mutationResolver) CancelEmailChange(ctx context.Context, input model.CancelEmailChangeInput) (*model.CancelEmailChangePayload, error) {
	canceled, err := r.Auth.CancelEmailChange(ctx, input.Token)
	p := &model.CancelEmailChangePayload{}
	return complete(p, &p.UserErrors, err, func() error {
		p.Canceled, p.Viewer = canceled, access.ViewerFrom(ctx)
		return nil
	})
}

// PendingEmailChange is the resolver for the pendingEmailChange field.
func (r *viewerResolver) PendingEmailChange(ctx context.Context, obj *access.Viewer) (*ent.EmailChange, error) {
	return orNull(auth.PendingEmailChange(ctx, r.read(ctx), obj, r.Now()))
}
