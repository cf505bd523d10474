package graph

import (
	"context"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/internal/invite"
	"github.com/convoke-dev/convoke/internal/roster"
)

func offerOf(in model.InviteUserInput) invite.Draft {
	return invite.Draft{
		TeamID:    in.TeamID,
		FirstName: orEmpty(in.FirstName), LastName: orEmpty(in.LastName), JobTitle: orEmpty(in.JobTitle), Note: orEmpty(in.Note),
		Grant:          roster.Wish{RoleIDs: in.RoleIds, GroupIDs: in.GroupIds, Permissions: in.Permissions, AllPermissions: isTrue(in.AllPermissions)},
		Scope:          roster.Scope{DivisionIDs: in.DivisionIds, Domains: in.AllowedDomains},
		ExpiresInHours: in.ExpiresInHours, SendEmail: in.SendEmail == nil || *in.SendEmail,
		ResendOnConflict: resends(in.OnConflict), IdempotencyKey: in.IdempotencyKey,
	}
}

func offerToAll(in model.InviteUsersInput) invite.Draft {
	return invite.Draft{
		TeamID: in.TeamID, Note: orEmpty(in.Note),
		Grant:          roster.Wish{RoleIDs: in.RoleIds, GroupIDs: in.GroupIds, Permissions: in.Permissions, AllPermissions: isTrue(in.AllPermissions)},
		Scope:          roster.Scope{DivisionIDs: in.DivisionIds, Domains: in.AllowedDomains},
		ExpiresInHours: in.ExpiresInHours, SendEmail: true,
		ResendOnConflict: resends(in.OnConflict), IdempotencyKey: in.IdempotencyKey,
	}
}

func resends(c *model.InviteConflict) bool { return c != nil && *c == model.InviteConflictResend }

// invitePayload is the answer to one invitation; with the open one, where that
// stands in the way.
func (r *Resolver) invitePayload(ctx context.Context, issued *invite.Issued, err error) (*model.InviteUserPayload, error) {
	p := &model.InviteUserPayload{UserErrors: none}
	if err != nil {
		var rest error
		if p.UserErrors, rest = payloadErrors(err); rest != nil {
			return nil, rest
		}
	}
	if issued == nil {
		return p, nil
	}
	found, err := r.invitations(ctx, selected(ctx).under("invitation"), issued.ID)
	p.Invitation, p.InviteURL = found[issued.ID], orNil(issued.URL)
	return p, err
}

// inviteResults is the answer to an offer to many addresses. Their invitations
// are read together.
func (r *Resolver) inviteResults(ctx context.Context, results []invite.Result) (*model.InviteUsersPayload, error) {
	var ids []string
	for _, to := range results {
		if to.Issued != nil {
			ids = append(ids, to.Issued.ID)
		}
	}
	found, err := r.invitations(ctx, selected(ctx).under("results").under("invitation"), ids...)
	if err != nil {
		return nil, err
	}
	p := &model.InviteUsersPayload{Results: make([]*model.InviteResult, len(results)), UserErrors: none}
	for n, to := range results {
		out := &model.InviteResult{Email: to.Email, Outcome: model.InviteOutcome(to.Outcome), UserErrors: userErrors(to.Errors)}
		if to.Issued != nil {
			out.Invitation, out.InviteURL = found[to.Issued.ID], orNil(to.Issued.URL)
		}
		if to.Outcome == invite.Invited {
			p.InvitedCount++
		}
		p.Results[n] = out
	}
	return p, nil
}

// invitations reads invitations by their ids, as far as the viewer may know of
// them.
func (r *Resolver) invitations(ctx context.Context, s selection, ids ...string) (map[string]*ent.Invitation, error) {
	q := r.read(ctx).Invitation.Query().Where(invitation.IDIn(ids...))
	r.withInvitation(ctx, s)(q)
	rows, err := q.All(ctx)
	found := make(map[string]*ent.Invitation, len(rows))
	for _, i := range rows {
		found[i.ID] = i
	}
	return found, err
}
