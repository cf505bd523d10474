package graph

import (
	"context"
	"errors"
	"slices"

	"entgo.io/ent/dialect/sql"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/account"
	"github.com/convoke-dev/convoke/ent/cooloff"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/address"
	"github.com/convoke-dev/convoke/internal/auth"
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

// accept accepts an invitation. A team that is deleted right after it takes the member away
// before the payload is read. Then the answer is that of the same call afterwards: the
// refusal that a call gets which comes after the deletion.
func (r *Resolver) accept(ctx context.Context, a invite.Acceptance, t *model.SessionTransport) (*model.AcceptInvitePayload, error) {
	done, err := r.Invites.Accept(ctx, a)
	p, err := r.acceptPayload(ctx, done, at(referencePaths, err), t)
	if done != nil && (ent.IsNotFound(err) || errors.Is(err, auth.ErrEnded)) {
		done, err = r.Invites.Accept(ctx, a)
		return r.acceptPayload(ctx, done, at(referencePaths, err), t)
	}
	return p, err
}

// inTheWay reports whether an address was refused because a member of the team has it.
func inTheWay(errs []*model.UserError) bool {
	return slices.ContainsFunc(errs, func(e *model.UserError) bool {
		return e.Code == model.UserErrorCodeAlreadyMember || e.Code == model.UserErrorCodeMemberDeactivated
	})
}

// membersAt reads those members of the team with the addresses whom the viewer may see, by
// address in its compared form. It reads nothing when the selection does not ask for them.
func (r *Resolver) membersAt(ctx context.Context, s selection, teamID string, keys ...string) (map[string]*ent.Member, error) {
	found := map[string]*ent.Member{}
	if !s.has("member") || len(keys) == 0 {
		return found, nil
	}
	q := r.read(ctx).Member.Query().Where(member.TeamID(teamID), member.EmailKeyIn(keys...))
	r.withMember(ctx, s.under("member"))(q)
	rows, err := q.All(ctx)
	for _, m := range rows {
		found[m.EmailKey] = m
	}
	return found, err
}

// keyOf returns the compared form of an address; empty for a text that is none.
func keyOf(email string) string {
	a, _ := address.Parse(email)
	return a.Key
}

// resendInvitePayload has the invitation, or beside ALREADY_MEMBER and MEMBER_DEACTIVATED the
// member who is in the way.
func (r *Resolver) resendInvitePayload(ctx context.Context, id string, issued *invite.Issued, err error) (*model.ResendInvitePayload, error) {
	p := &model.ResendInvitePayload{}
	_, err = current(p, &p.UserErrors, err, func() (err error) {
		if issued != nil {
			p.InviteURL = orNil(issued.URL)
		}
		p.Invitation, err = r.invitation(ctx, id)
		return err
	})
	if err != nil || !inTheWay(p.UserErrors) {
		return p, err
	}
	i, err := orNull(r.read(ctx).Invitation.Query().Where(invitation.ID(id)).Only(ctx))
	if err != nil || i == nil {
		return p, err
	}
	found, err := r.membersAt(ctx, selected(ctx), i.TeamID, i.EmailKey)
	p.Member = found[i.EmailKey]
	return p, err
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
		var keys []string
		for n, one := range results {
			if one.Outcome == act.Done {
				p.ResentCount++
			}
			p.Results[n] = &model.ResendInvitesResult{
				InvitationID: one.ID, Outcome: model.BulkOutcome(one.Outcome), Invitation: found[one.ID],
				InviteURL: orNil(one.URL), UserErrors: userErrors(one.Errors),
			}
			if i := found[one.ID]; i != nil && inTheWay(p.Results[n].UserErrors) {
				keys = append(keys, i.EmailKey)
			}
		}
		members, err := r.membersAt(ctx, selected(ctx).under("results"), teamID, keys...)
		if err != nil {
			return err
		}
		for _, one := range p.Results {
			if one.Invitation != nil && inTheWay(one.UserErrors) {
				one.Member = members[one.Invitation.EmailKey]
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
	i, err := orNull(r.read(ctx).Invitation.Query().Where(invitation.ID(id)).
		WithTeam(func(q *ent.TeamQuery) { q.WithAccount() }).WithRoles().
		Only(access.System(ctx, "show a declined invitation to the holder of its link")))
	if err != nil || i == nil || i.Edges.Team == nil { // deleted since, with its team
		return nil, err
	}
	return access.ClosedInvitation(ctx, i), nil
}

// nameOfAccount is the column that blocks selects beside those of a block.
const nameOfAccount = "name_of_account"

// blocks returns a query of the viewer's own blocks, which the guard picks, with the name of
// each account: the viewer need not be in the account, and has seen the name in its
// invitation.
func (r *Resolver) blocks(ctx context.Context) *ent.CoolOffQuery {
	q := r.read(ctx).CoolOff.Query()
	q.Modify(func(s *sql.Selector) {
		t := sql.Table(account.Table)
		s.AppendSelectExprAs(sql.ExprFunc(func(b *sql.Builder) {
			b.Wrap(func(b *sql.Builder) {
				b.Join(sql.Dialect(s.Dialect()).Select(t.C(account.FieldName)).From(t).Where(sql.ColumnsEQ(t.C(account.FieldID), s.C(cooloff.FieldAccountID))))
			})
		}), nameOfAccount)
	})
	return q
}

// edge is a reference to a row that may be nil, and the row when it was loaded already.
type edge[T any] struct {
	id  *string
	row *T
	err error
}

// userOrKey returns who did something: a user or an API key. It is the program itself when
// both references are nil.
func (r *Resolver) userOrKey(ctx context.Context, u edge[ent.User], k edge[ent.APIKey]) (model.Actor, error) {
	var err error
	switch {
	case u.id != nil:
		if u.row, err = loaded(u.row, u.err, func() (*ent.User, error) { return r.actor(ctx, *u.id) }); err == nil {
			return access.KnownUser(ctx, u.row), nil
		}
	case k.id != nil:
		if k.row, err = loaded(k.row, k.err, func() (*ent.APIKey, error) { return r.read(ctx).APIKey.Get(ctx, *k.id) }); err == nil {
			return access.KnownKey(ctx, k.row), nil
		}
	default:
		return &model.SystemActor{Name: "Convoke"}, nil
	}
	if ent.IsNotFound(err) {
		return &model.SystemActor{Name: "Somebody you may not know of"}, nil
	}
	return nil, err
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
