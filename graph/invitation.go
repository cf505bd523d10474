package graph

import (
	"context"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
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

// againstResend returns what keeps the viewer from resending the invitation. It loads what the
// invitation grants, unless the list has loaded it.
func (r *Resolver) againstResend(ctx context.Context, i *ent.Invitation) ([]act.Obstacle, error) {
	v := access.ViewerFrom(ctx)
	if against := r.Invites.Against(v, i, lifecycle.Resend); len(against) > 0 {
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
