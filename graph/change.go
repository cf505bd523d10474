package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/division"
	"github.com/convoke-dev/convoke/ent/group"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/ownershiptransfer"
	"github.com/convoke-dev/convoke/ent/role"
	"github.com/convoke-dev/convoke/ent/team"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/internal/access"
)

// What follows reads what a verb has changed, for the field of its payload; or
// turns the verb's error into the payload's.

// changed reads the thing a verb has changed, or returns the verb's user errors.
func changed[T any](err error, read func() (*T, error)) (*T, []*model.UserError, error) {
	if err != nil {
		list, rest := payloadErrors(err)
		return nil, list, rest
	}
	thing, err := read()
	return thing, none, err
}

func (r *Resolver) member(ctx context.Context, id string) (*ent.Member, error) {
	q := r.read(ctx).Member.Query().Where(member.ID(id))
	r.withMember(ctx, selected(ctx).under("member"))(q)
	return q.Only(ctx)
}

func (r *Resolver) memberPayload(ctx context.Context, id string, err error) (*model.MemberPayload, error) {
	m, list, err := changed(err, func() (*ent.Member, error) { return r.member(ctx, id) })
	return &model.MemberPayload{Member: m, UserErrors: list}, err
}

func (r *Resolver) teamPayload(ctx context.Context, id string, err error) (*model.TeamPayload, error) {
	t, list, err := changed(err, func() (*ent.Team, error) {
		if err := r.lookAgain(ctx); err != nil {
			return nil, err
		}
		q := r.read(ctx).Team.Query().Where(team.ID(id))
		r.withTeam(ctx, selected(ctx).under("team"))(q)
		return q.Only(ctx)
	})
	return &model.TeamPayload{Team: t, UserErrors: list}, err
}

func (r *Resolver) transferPayload(ctx context.Context, id string, err error) (*model.OwnershipTransferPayload, error) {
	t, list, err := changed(err, func() (*ent.OwnershipTransfer, error) {
		if err := r.lookAgain(ctx); err != nil {
			return nil, err
		}
		q := r.read(ctx).OwnershipTransfer.Query().Where(ownershiptransfer.ID(id))
		r.withTransfer(ctx, selected(ctx).under("transfer"))(q)
		return q.Only(ctx)
	})
	return &model.OwnershipTransferPayload{Transfer: t, UserErrors: list}, err
}

// lookAgain loads the viewer anew after a verb that may have changed what he
// holds.
func (r *Resolver) lookAgain(ctx context.Context) error {
	v, err := r.Auth.Refresh(ctx, access.ViewerFrom(ctx).SessionID)
	if err != nil {
		return err
	}
	access.Become(ctx, v)
	return nil
}

func (r *Resolver) rolePayload(ctx context.Context, id string, err error) (*model.RolePayload, error) {
	found, list, err := changed(err, func() (*ent.Role, error) { return r.read(ctx).Role.Query().Where(role.ID(id)).Only(ctx) })
	return &model.RolePayload{Role: found, UserErrors: list}, err
}

func (r *Resolver) groupPayload(ctx context.Context, id string, err error) (*model.GroupPayload, error) {
	g, list, err := changed(err, func() (*ent.Group, error) {
		q := r.read(ctx).Group.Query().Where(group.ID(id))
		withGroup(selected(ctx).under("group"))(q)
		return q.Only(ctx)
	})
	return &model.GroupPayload{Group: g, UserErrors: list}, err
}

func (r *Resolver) divisionPayload(ctx context.Context, id string, err error) (*model.DivisionPayload, error) {
	d, list, err := changed(err, func() (*ent.Division, error) {
		q := r.read(ctx).Division.Query().Where(division.ID(id))
		withDivision(selected(ctx).under("division"))(q)
		return q.Only(ctx)
	})
	return &model.DivisionPayload{Division: d, UserErrors: list}, err
}

// given returns a text that was given, empty for null; nil when it was left
// out.
func given(o graphql.Omittable[*string]) *string {
	if !o.IsSet() {
		return nil
	}
	text := orEmpty(o.Value())
	return &text
}
