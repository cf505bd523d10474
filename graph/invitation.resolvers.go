package graph

import (
	"context"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/cooloff"
	"github.com/convoke-dev/convoke/ent/division"
	"github.com/convoke-dev/convoke/ent/group"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/role"
	"github.com/convoke-dev/convoke/graph/generated"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/graph/relay"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/invite"
	"github.com/convoke-dev/convoke/internal/lifecycle"
)

// Team is the resolver for the team field.
func (r *invitationResolver) Team(ctx context.Context, obj *ent.Invitation) (*ent.Team, error) {
	t, err := obj.Edges.TeamOrErr()
	return loaded(t, err, func() (*ent.Team, error) { return r.read(ctx).Team.Get(ctx, obj.TeamID) })
}

// IsForgotten is the resolver for the isForgotten field.
func (r *invitationResolver) IsForgotten(ctx context.Context, obj *ent.Invitation) (bool, error) {
	return obj.ForgottenAt != nil, nil
}

// DisplayName is the resolver for the displayName field.
func (r *invitationResolver) DisplayName(ctx context.Context, obj *ent.Invitation) (string, error) {
	return displayName(obj.Email, obj.FirstName, obj.LastName), nil
}

// Status is the resolver for the status field.
func (r *invitationResolver) Status(ctx context.Context, obj *ent.Invitation) (invitation.Status, error) {
	return lifecycle.Effective(obj, r.Now()), nil
}

// PersonStatus is the resolver for the personStatus field.
func (r *invitationResolver) PersonStatus(ctx context.Context, obj *ent.Invitation) (model.PersonStatus, error) {
	return personStatus(lifecycle.Effective(obj, r.Now())), nil
}

// Roles is the resolver for the roles field.
func (r *invitationResolver) Roles(ctx context.Context, obj *ent.Invitation) ([]*ent.Role, error) {
	roles, err := obj.Edges.RolesOrErr()
	return loaded(roles, err, func() ([]*ent.Role, error) {
		return r.read(ctx).Role.Query().Where(role.HasInvitationsWith(invitation.ID(obj.ID))).All(ctx)
	})
}

// Groups is the resolver for the groups field.
func (r *invitationResolver) Groups(ctx context.Context, obj *ent.Invitation) ([]*ent.Group, error) {
	groups, err := obj.Edges.GroupsOrErr()
	return loaded(groups, err, func() ([]*ent.Group, error) {
		q := r.read(ctx).Group.Query().Where(group.HasInvitationsWith(invitation.ID(obj.ID)))
		withGroup(selected(ctx))(q)
		return q.All(ctx)
	})
}

// Permissions is the resolver for the permissions field.
func (r *invitationResolver) Permissions(ctx context.Context, obj *ent.Invitation) ([]string, error) {
	if obj.AllPermissions {
		return r.Access.Catalogue.All().Keys(), nil
	}
	return obj.Permissions, nil
}

// Divisions is the resolver for the divisions field.
func (r *invitationResolver) Divisions(ctx context.Context, obj *ent.Invitation) ([]*ent.Division, error) {
	divisions, err := obj.Edges.DivisionsOrErr()
	return loaded(divisions, err, func() ([]*ent.Division, error) {
		q := r.read(ctx).Division.Query().Where(division.HasInvitationsWith(invitation.ID(obj.ID)))
		withDivision(selected(ctx))(q)
		return q.All(ctx)
	})
}

// Inviter is the resolver for the inviter field.
func (r *invitationResolver) Inviter(ctx context.Context, obj *ent.Invitation) (model.Actor, error) {
	u, err := obj.Edges.InviterOrErr()
	k, errOfKey := obj.Edges.InviterKeyOrErr()
	return r.userOrKey(ctx, edge[ent.User]{obj.InviterID, u, err}, edge[ent.APIKey]{obj.InviterKeyID, k, errOfKey})
}

// LastSeenAt is the resolver for the lastSeenAt field.
func (r *invitationResolver) LastSeenAt(ctx context.Context, obj *ent.Invitation) (*time.Time, error) {
	return nil, nil
}

// Delivery is the resolver for the delivery field.
func (r *invitationResolver) Delivery(ctx context.Context, obj *ent.Invitation) (*model.Delivery, error) {
	d := &model.Delivery{Status: obj.Delivery, Attempts: obj.DeliveryAttempts, UpdatedAt: obj.DeliveryUpdatedAt}
	if obj.DeliveryError != "" {
		d.Error = &obj.DeliveryError
	}
	return d, nil
}

// AcceptedBy is the resolver for the acceptedBy field.
func (r *invitationResolver) AcceptedBy(ctx context.Context, obj *ent.Invitation) (*ent.User, error) {
	if obj.AcceptedByID == nil {
		return nil, nil
	}
	u, err := obj.Edges.AcceptedByOrErr()
	u, err = loaded(u, err, func() (*ent.User, error) { return r.actor(ctx, *obj.AcceptedByID) })
	return orNull(access.KnownUser(ctx, u), err)
}

// Member is the resolver for the member field.
func (r *invitationResolver) Member(ctx context.Context, obj *ent.Invitation) (*ent.Member, error) {
	if obj.AcceptedByID == nil {
		return nil, nil
	}
	return r.memberOf(ctx, obj)
}

// NeedsConfirmation is the resolver for the needsConfirmation field.
func (r *invitationResolver) NeedsConfirmation(ctx context.Context, obj *ent.Invitation) (bool, error) {
	return obj.UnconfirmedAt != nil && lifecycle.IsOpen(obj, r.Now()), nil
}

// ViewerCanResend is the resolver for the viewerCanResend field.
func (r *invitationResolver) ViewerCanResend(ctx context.Context, obj *ent.Invitation) (bool, error) {
	against, err := r.againstOffering(ctx, obj, lifecycle.Resend)
	return err == nil && len(against) == 0, err
}

// ViewerCannotResendReasons is the resolver for the viewerCannotResendReasons field.
func (r *invitationResolver) ViewerCannotResendReasons(ctx context.Context, obj *ent.Invitation) ([]act.Obstacle, error) {
	return r.againstOffering(ctx, obj, lifecycle.Resend)
}

// ViewerCanRevoke is the resolver for the viewerCanRevoke field.
func (r *invitationResolver) ViewerCanRevoke(ctx context.Context, obj *ent.Invitation) (bool, error) {
	return may(r.Invites.Against(access.ViewerFrom(ctx), obj, lifecycle.Revoke))
}

// ViewerCannotRevokeReasons is the resolver for the viewerCannotRevokeReasons field.
func (r *invitationResolver) ViewerCannotRevokeReasons(ctx context.Context, obj *ent.Invitation) ([]act.Obstacle, error) {
	return r.Invites.Against(access.ViewerFrom(ctx), obj, lifecycle.Revoke), nil
}

// ViewerCanUpdate is the resolver for the viewerCanUpdate field.
func (r *invitationResolver) ViewerCanUpdate(ctx context.Context, obj *ent.Invitation) (bool, error) {
	against, err := r.againstOffering(ctx, obj, lifecycle.Update)
	return err == nil && len(against) == 0, err
}

// ViewerCannotUpdateReasons is the resolver for the viewerCannotUpdateReasons field.
func (r *invitationResolver) ViewerCannotUpdateReasons(ctx context.Context, obj *ent.Invitation) ([]act.Obstacle, error) {
	return r.againstOffering(ctx, obj, lifecycle.Update)
}

// AccountName is the resolver for the accountName field.
func (r *invitationBlockResolver) AccountName(ctx context.Context, obj *ent.CoolOff) (string, error) {
	return access.SelectedText(obj.Value(nameOfAccount))
}

// InviteUser is the resolver for the inviteUser field.
func (r *mutationResolver) InviteUser(ctx context.Context, input model.InviteUserInput) (*model.InviteUserPayload, error) {
	issued, err := r.Invites.Send(ctx, draftOf(input), input.Email)
	return r.invitePayload(ctx, input, issued, at(grantPaths, err))
}

// InviteUsers is the resolver for the inviteUsers field.
func (r *mutationResolver) InviteUsers(ctx context.Context, input model.InviteUsersInput) (*model.InviteUsersPayload, error) {
	results, err := r.Invites.SendAll(ctx, draftToAll(input), input.Emails)
	return r.inviteUsersPayload(ctx, input.TeamID, results, at(grantPaths, err))
}

// ResendInvite is the resolver for the resendInvite field.
func (r *mutationResolver) ResendInvite(ctx context.Context, input model.ResendInviteInput) (*model.ResendInvitePayload, error) {
	issued, err := r.Invites.Resend(ctx, invite.Renewal{
		InvitationID: input.InvitationID, ExpiresInHours: input.ExpiresInHours,
		SendEmail: input.SendEmail == nil || *input.SendEmail,
	})
	return r.resendInvitePayload(ctx, input.InvitationID, issued, err)
}

// ResendInvites is the resolver for the resendInvites field.
func (r *mutationResolver) ResendInvites(ctx context.Context, input model.ResendInvitesInput) (*model.ResendInvitesPayload, error) {
	results, err := r.Invites.ResendAll(ctx, invite.Renewals{
		Selection:      invite.Selection{TeamID: input.TeamID, InvitationIDs: input.InvitationIds},
		ExpiresInHours: input.ExpiresInHours, IdempotencyKey: input.IdempotencyKey,
	})
	return r.resendInvitesPayload(ctx, input.TeamID, results, err)
}

// UpdateInvite is the resolver for the updateInvite field.
func (r *mutationResolver) UpdateInvite(ctx context.Context, input model.UpdateInviteInput) (*model.UpdateInvitePayload, error) {
	am := invite.Amendment{
		InvitationID: input.InvitationID,
		FirstName:    input.FirstName, LastName: input.LastName, JobTitle: input.JobTitle, Note: input.Note,
		DivisionIDs: input.DivisionIds, Domains: input.AllowedDomains, ExpiresInHours: input.ExpiresInHours,
	}
	if input.Grant != nil {
		wish := wishOf(input.Grant)
		am.Grant = &wish
	}
	p := &model.UpdateInvitePayload{}
	return current(p, &p.UserErrors, at(grantPaths, r.Invites.Update(ctx, am)), func() (err error) {
		p.Invitation, err = r.invitation(ctx, input.InvitationID)
		return err
	})
}

// RevokeInvite is the resolver for the revokeInvite field.
func (r *mutationResolver) RevokeInvite(ctx context.Context, input model.RevokeInviteInput) (*model.RevokeInvitePayload, error) {
	p := &model.RevokeInvitePayload{}
	return current(p, &p.UserErrors, r.Invites.Revoke(ctx, input.InvitationID), func() (err error) {
		p.Invitation, err = r.invitation(ctx, input.InvitationID)
		return err
	})
}

// RevokeInvites is the resolver for the revokeInvites field.
func (r *mutationResolver) RevokeInvites(ctx context.Context, input model.RevokeInvitesInput) (*model.RevokeInvitesPayload, error) {
	results, err := r.Invites.RevokeAll(ctx, invite.Selection{TeamID: input.TeamID, InvitationIDs: input.InvitationIds})
	return r.revokeInvitesPayload(ctx, input.TeamID, results, err)
}

// AcceptInvite is the resolver for the acceptInvite field.
func (r *mutationResolver) AcceptInvite(ctx context.Context, input model.AcceptInviteInput) (*model.AcceptInvitePayload, error) {
	if err := canCarry(ctx, input.Transport); err != nil && access.ViewerFrom(ctx) == nil {
		return r.acceptPayload(ctx, nil, err, input.Transport)
	}
	return r.accept(ctx, invite.Acceptance{
		Reference: referenceOf(input.Invitation),
		Password:  orEmpty(input.Password), FirstName: input.FirstName, LastName: input.LastName,
	}, input.Transport)
}

// DeclineInvite is the resolver for the declineInvite field.
func (r *mutationResolver) DeclineInvite(ctx context.Context, input model.DeclineInviteInput) (*model.DeclineInvitePayload, error) {
	id, err := r.Invites.Decline(ctx, referenceOf(input.Invitation), input.BlockAccount != nil && *input.BlockAccount)
	p := &model.DeclineInvitePayload{}
	return complete(p, &p.UserErrors, at(referencePaths, err), func() (err error) {
		p.Invitation, err = r.declined(ctx, id)
		return err
	})
}

// BlockInvitations is the resolver for the blockInvitations field.
func (r *mutationResolver) BlockInvitations(ctx context.Context, input model.BlockInvitationsInput) (*model.BlockInvitationsPayload, error) {
	id, err := r.Invites.Block(ctx, referenceOf(input.Invitation))
	p := &model.BlockInvitationsPayload{}
	return complete(p, &p.UserErrors, at(referencePaths, err), func() (err error) {
		p.Block, err = orNull(r.blocks(ctx).Where(cooloff.ID(id)).Only(ctx))
		return err
	})
}

// UnblockInvitations is the resolver for the unblockInvitations field.
func (r *mutationResolver) UnblockInvitations(ctx context.Context, input model.UnblockInvitationsInput) (*model.UnblockInvitationsPayload, error) {
	id, err := r.Invites.Unblock(ctx, invite.Unblocking{BlockID: orEmpty(input.BlockID), Token: orEmpty(input.Token)})
	p := &model.UnblockInvitationsPayload{}
	return complete(p, &p.UserErrors, err, func() error {
		p.UnblockedID = orNil(id)
		return nil
	})
}

// ReceivedInvitations is the resolver for the receivedInvitations field.
func (r *viewerResolver) ReceivedInvitations(ctx context.Context, obj *access.Viewer, first *int, after *string, last *int, before *string) (*relay.Connection[*ent.Invitation], error) {
	q := r.read(ctx).Invitation.Query().Where(receivedBy(obj), lifecycle.Open(r.Now()))
	r.withInvitation(ctx, selected(ctx).nodes())(q)
	return relay.Page(ctx, q, relay.Args{First: first, After: after, Last: last, Before: before}, invitationsByAge)
}

// InvitationBlocks is the resolver for the invitationBlocks field.
func (r *viewerResolver) InvitationBlocks(ctx context.Context, obj *access.Viewer, first *int, after *string, last *int, before *string) (*relay.Connection[*ent.CoolOff], error) {
	return relay.Page(ctx, r.blocks(ctx), relay.Args{First: first, After: after, Last: last, Before: before}, blocksByAge)
}

// Invitation returns generated.InvitationResolver implementation.
func (r *Resolver) Invitation() generated.InvitationResolver { return &invitationResolver{r} }

// InvitationBlock returns generated.InvitationBlockResolver implementation.
func (r *Resolver) InvitationBlock() generated.InvitationBlockResolver {
	return &invitationBlockResolver{r}
}

type (
	invitationResolver      struct{ *Resolver }
	invitationBlockResolver struct{ *Resolver }
)
