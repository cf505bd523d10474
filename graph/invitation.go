package graph

import (
	"context"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/invite"
	"github.com/convoke-dev/convoke/internal/lifecycle"
)

// memberOf returns the member that an accepted invitation led to, nil when they were
// removed since.
func (r *Resolver) memberOf(ctx context.Context, i *ent.Invitation) (*ent.Member, error) {
	if u := i.Edges.AcceptedBy; u != nil {
		if members, err := u.Edges.MembersOrErr(); err == nil {
			for _, m := range members {
				if m.TeamID == i.TeamID {
					return m, nil
				}
			}
			return nil, nil //nolint:nilnil // removed since
		}
	}
	q := r.read(ctx).Member.Query().Where(member.TeamID(i.TeamID), member.UserID(*i.AcceptedByID))
	r.withMember(ctx, selected(ctx))(q)
	return orNull(q.Only(ctx))
}

// resendInvitesPayload has a result for each invitation. They are read together.
func (r *Resolver) resendInvitesPayload(ctx context.Context, teamID string, results []invite.Renewed, err error) (*model.ResendInvitesPayload, error) {
	p := &model.ResendInvitesPayload{Results: make([]*model.ResendInvitesResult, len(results))}
	return complete(p, &p.UserErrors, err, func() error {
		ids := make([]string, len(results))
		for n, one := range results {
			ids[n] = one.ID
		}
		found, err := r.invitations(ctx, selected(ctx).under("results").under("invitation"), ids...)
		if err != nil {
			return err
		}
		for n, one := range results {
			if one.Outcome == act.Done {
				p.ResentCount++
			}
			p.Results[n] = &model.ResendInvitesResult{
				InvitationID: one.ID, Outcome: model.BulkOutcome(one.Outcome), Invitation: found[one.ID],
				InviteURL: orNil(one.URL), UserErrors: userErrors(one.Errors),
			}
		}
		p.Team, err = r.teamOfPayload(ctx, teamID)
		return err
	})
}

// revokeInvitesPayload has a result for each invitation. They are read together.
func (r *Resolver) revokeInvitesPayload(ctx context.Context, teamID string, results []act.Result, err error) (*model.RevokeInvitesPayload, error) {
	p := &model.RevokeInvitesPayload{Results: make([]*model.RevokeInvitesResult, len(results))}
	return complete(p, &p.UserErrors, err, func() error {
		found, err := r.invitations(ctx, selected(ctx).under("results").under("invitation"), idsOf(results)...)
		if err != nil {
			return err
		}
		for n, one := range results {
			if one.Outcome == act.Done {
				p.RevokedCount++
			}
			p.Results[n] = &model.RevokeInvitesResult{
				InvitationID: one.ID, Outcome: model.BulkOutcome(one.Outcome), Invitation: found[one.ID], UserErrors: userErrors(one.Errors),
			}
		}
		p.Team, err = r.teamOfPayload(ctx, teamID)
		return err
	})
}

// declined reads an invitation for the addressee who has just declined it and may not see
// it any more.
func (r *Resolver) declined(ctx context.Context, id string) (*ent.Invitation, error) {
	i, err := r.read(ctx).Invitation.Query().Where(invitation.ID(id)).
		WithTeam(func(q *ent.TeamQuery) { q.WithAccount() }).WithRoles().
		Only(access.System(ctx, "show a declined invitation to the holder of its link"))
	if err != nil {
		return nil, err
	}
	return access.ClosedInvitation(ctx, i), nil
}

// actor reads a user who sent or accepted an invitation, for access.KnownUser.
func (r *Resolver) actor(ctx context.Context, id string) (*ent.User, error) {
	q := r.read(ctx).User.Query().Where(user.ID(id))
	access.AsColleague(ctx)(q)
	return q.Only(ctx)
}

// againstOffering returns what keeps the viewer from an action that offers the grant of the
// invitation again: Resend or Update. It loads what the invitation grants, unless the list has
// loaded it.
func (r *Resolver) againstOffering(ctx context.Context, i *ent.Invitation, a lifecycle.Action) ([]act.Obstacle, error) {
	v := access.ViewerFrom(ctx)
	if against := r.Invites.Against(v, i, a); len(against) > 0 {
		return against, nil
	}
	if _, err := i.Edges.DivisionsOrErr(); err != nil {
		i, err = r.read(ctx).Invitation.Query().Where(invitation.ID(i.ID)).
			WithRoles().WithGroups(func(g *ent.GroupQuery) { g.WithRoles() }).WithDivisions().Only(ctx)
		if err != nil {
			return nil, err
		}
	}
	return r.Invites.AgainstGranting(v, i), nil
}

// viewerSeesTimeline reports whether the viewer may see the timeline of an invitation that they
// see. A member who manages invitations reads their timelines without the permission for the
// whole log. The addressee sees the invitation, but not its timeline.
func viewerSeesTimeline(ctx context.Context, i *ent.Invitation) bool {
	return viewerCanAny(ctx, i.TeamID, access.MembersRead, access.MembersInvite)
}
