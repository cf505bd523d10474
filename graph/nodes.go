package graph

import (
	"context"
	"slices"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/account"
	"github.com/convoke-dev/convoke/ent/apikey"
	"github.com/convoke-dev/convoke/ent/cooloff"
	"github.com/convoke-dev/convoke/ent/division"
	entevent "github.com/convoke-dev/convoke/ent/event"
	"github.com/convoke-dev/convoke/ent/group"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/ownershiptransfer"
	"github.com/convoke-dev/convoke/ent/role"
	"github.com/convoke-dev/convoke/ent/session"
	"github.com/convoke-dev/convoke/ent/team"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/uid"
)

// orNull turns ent's not-found error into null, because a query that finds nothing is no
// error.
func orNull[T any](found *T, err error) (*T, error) {
	if ent.IsNotFound(err) {
		return nil, nil //nolint:nilnil // null is the answer
	}
	return found, err
}

// nodes returns the things with these ids, in their order, nil for an id that the viewer
// may not see or that does not exist. It costs one statement for each type, whatever the
// number of ids.
func (r *Resolver) nodes(ctx context.Context, ids []string) ([]model.Node, error) {
	byType := map[uid.Prefix][]string{}
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		if prefix, err := uid.Of(id); err == nil {
			byType[prefix] = append(byType[prefix], id)
		}
	}
	found := make(map[string]model.Node, len(ids))
	for prefix, ids := range byType {
		if err := r.nodesOf(ctx, prefix, ids, selected(ctx), found); err != nil {
			return nil, err
		}
	}
	nodes := make([]model.Node, len(ids))
	for i, id := range ids {
		nodes[i] = found[id]
	}
	return nodes, nil
}

// nodeOf returns the thing with the id, with what a selection on it needs; nil for one
// that the viewer may not see or that does not exist.
func (r *Resolver) nodeOf(ctx context.Context, id string, asked selection) (model.Node, error) {
	prefix, err := uid.Of(id)
	if err != nil {
		return nil, nil //nolint:nilnil,nilerr // a text that is no id names nothing
	}
	found := map[string]model.Node{}
	err = r.nodesOf(ctx, prefix, []string{id}, asked, found)
	return found[id], err
}

// nodesOf adds the things of one type to found, with what a selection on them needs.
func (r *Resolver) nodesOf(ctx context.Context, prefix uid.Prefix, ids []string, asked selection, found map[string]model.Node) error {
	client := r.read(ctx)
	switch prefix {
	case uid.Account:
		return collect(found, func(a *ent.Account) string { return a.ID })(client.Account.Query().Where(account.IDIn(ids...), access.OwnAccounts(ctx)).All(ctx))
	case uid.Team:
		q := client.Team.Query().Where(team.IDIn(ids...), access.OwnTeams(ctx))
		r.withTeam(ctx, asked)(q)
		return collect(found, func(t *ent.Team) string { return t.ID })(q.All(ctx))
	case uid.User:
		return collect(found, func(u *ent.User) string { return u.ID })(client.User.Query().Where(user.IDIn(ids...), access.Colleagues(ctx)).All(ctx))
	case uid.Member:
		q := client.Member.Query().Where(member.IDIn(ids...))
		r.withMember(ctx, asked)(q)
		members, err := q.All(ctx)
		return collect(found, func(m *ent.Member) string { return m.ID })(withUser(members), err)
	case uid.Role:
		return collect(found, func(r *ent.Role) string { return r.ID })(client.Role.Query().Where(role.IDIn(ids...)).All(ctx))
	case uid.Group:
		q := client.Group.Query().Where(group.IDIn(ids...))
		withGroup(asked)(q)
		return collect(found, func(g *ent.Group) string { return g.ID })(q.All(ctx))
	case uid.Division:
		q := client.Division.Query().Where(division.IDIn(ids...))
		withDivision(asked)(q)
		return collect(found, func(d *ent.Division) string { return d.ID })(q.All(ctx))
	case uid.Transfer:
		q := client.OwnershipTransfer.Query().Where(ownershiptransfer.IDIn(ids...))
		r.withTransfer(ctx, asked)(q)
		transfers, err := q.All(ctx)
		return collect(found, func(t *ent.OwnershipTransfer) string { return t.ID })(withMembers(transfers), err)
	case uid.APIKey:
		q := client.APIKey.Query().Where(apikey.IDIn(ids...))
		r.withKey(ctx, asked)(q)
		keys, err := q.All(ctx)
		for _, k := range keys {
			found[k.ID] = access.KnownKey(ctx, k)
		}
		return err
	case uid.CoolOff:
		return collect(found, func(c *ent.CoolOff) string { return c.ID })(r.blocks(ctx).Where(cooloff.IDIn(ids...)).All(ctx))
	case uid.Session:
		return collect(found, func(s *ent.Session) string { return s.ID })(client.Session.Query().Where(session.IDIn(ids...), r.Auth.Live()).All(ctx))
	case uid.Event:
		events, err := client.Event.Query().Where(entevent.IDIn(ids...)).All(ctx)
		if err != nil {
			return err
		}
		shown, err := r.shown(ctx, events)
		for id, e := range shown {
			found[id] = e
		}
		return err
	case uid.Invitation:
		q := client.Invitation.Query().Where(invitation.IDIn(ids...))
		r.withInvitation(ctx, asked)(q)
		return collect(found, func(i *ent.Invitation) string { return i.ID })(q.All(ctx))
	default:
		return nil // a type that is no Node
	}
}

// collect returns a function that takes the result of a query and adds its rows to found.
func collect[T model.Node](found map[string]model.Node, id func(T) string) func([]T, error) error {
	return func(rows []T, err error) error {
		for _, row := range rows {
			found[id(row)] = row
		}
		return err
	}
}
