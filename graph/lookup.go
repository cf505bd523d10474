package graph

import (
	"context"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/account"
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
	"github.com/convoke-dev/convoke/internal/address"
	"github.com/convoke-dev/convoke/internal/invite"
	"github.com/convoke-dev/convoke/internal/uid"
)

// orNull turns ent's not-found into null: a query that finds nothing is no
// error.
func orNull[T any](found *T, err error) (*T, error) {
	if ent.IsNotFound(err) {
		return nil, nil //nolint:nilnil // null is the answer
	}
	return found, err
}

// nodes finds things by their ids, as far as the viewer may know of them: one
// statement for each type, whatever the number of ids. What is not found is
// nil.
func (r *Resolver) nodes(ctx context.Context, ids []string) ([]model.Node, error) {
	byType := map[uid.Prefix][]string{}
	for _, id := range ids {
		if prefix, err := uid.Of(id); err == nil {
			byType[prefix] = append(byType[prefix], id)
		}
	}
	found := make(map[string]model.Node, len(ids))
	for prefix, ids := range byType {
		if err := r.nodesOf(ctx, prefix, ids, found); err != nil {
			return nil, err
		}
	}
	nodes := make([]model.Node, len(ids))
	for i, id := range ids {
		nodes[i] = found[id]
	}
	return nodes, nil
}

// nodesOf adds the things of one type to what was found.
func (r *Resolver) nodesOf(ctx context.Context, prefix uid.Prefix, ids []string, found map[string]model.Node) error {
	client, asked := r.read(ctx), selected(ctx)
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
		return collect(found, func(m *ent.Member) string { return m.ID })(q.All(ctx))
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
		return collect(found, func(t *ent.OwnershipTransfer) string { return t.ID })(q.All(ctx))
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

// collect returns what takes the answer of a query and adds its rows by id.
func collect[T any](found map[string]model.Node, id func(T) string) func([]T, error) error {
	return func(rows []T, err error) error {
		for _, row := range rows {
			found[id(row)] = row
		}
		return err
	}
}

// invitation reads an invitation a verb has changed, for the payload's field.
func (r *Resolver) invitation(ctx context.Context, id string) (*ent.Invitation, error) {
	q := r.read(ctx).Invitation.Query().Where(invitation.ID(id))
	r.withInvitation(ctx, selected(ctx).under("invitation"))(q)
	return q.Only(ctx)
}

// declined reads an invitation for the one who has just declined it, who may
// not know of it otherwise; who is not signed in sees what the preview shows.
func (r *Resolver) declined(ctx context.Context, id string) (*ent.Invitation, error) {
	i, err := r.read(ctx).Invitation.Query().Where(invitation.ID(id)).
		WithTeam(func(q *ent.TeamQuery) { q.WithAccount() }).WithRoles().
		Only(access.System(ctx, "show a declined invitation to the holder of its link"))
	if err != nil || access.ViewerFrom(ctx) != nil {
		return i, err
	}
	i.Email, i.Note, i.DeliveryError = address.Mask(i.Email), "", ""
	i.Permissions, i.AllPermissions = []string{}, false
	return i, nil
}

// admitted is the answer to an accepted invitation.
func (r *Resolver) admitted(ctx context.Context, done *invite.Joined, t *model.SessionTransport) (*model.AcceptInvitePayload, error) {
	p := &model.AcceptInvitePayload{AlreadyAccepted: done.Already, UserErrors: none}
	var err error
	if done.Session != nil {
		p.Viewer, p.SessionToken, err = r.signedIn(ctx, done.Session, t)
	} else {
		p.Viewer, err = r.Auth.Refresh(ctx, access.ViewerFrom(ctx).SessionID)
		access.Become(ctx, p.Viewer)
	}
	if err != nil {
		return nil, err
	}
	q := r.read(ctx).Member.Query().Where(member.ID(done.MemberID))
	r.withMember(ctx, selected(ctx).under("member"))(q)
	p.Member, err = q.Only(ctx)
	return p, err
}

func isTrue(b *bool) bool { return b != nil && *b }

func orNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
