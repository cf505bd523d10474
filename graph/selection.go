package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/convoke-dev/convoke/ent"
)

// selection is what a client asked for below some field, so that children are
// loaded with their parents: a fixed number of statements for any list.
type selection struct {
	op     *graphql.OperationContext
	fields []graphql.CollectedField
}

// selected returns what was asked for below the field being resolved.
func selected(ctx context.Context) selection {
	s := selection{op: graphql.GetOperationContext(ctx)}
	return s.collect(graphql.GetFieldContext(ctx).Field.Selections)
}

func (s selection) collect(sets ...ast.SelectionSet) selection {
	below := selection{op: s.op}
	for _, set := range sets {
		below.fields = append(below.fields, graphql.CollectFields(s.op, set, nil)...)
	}
	return below
}

// under returns what was asked for below the fields of these names.
func (s selection) under(names ...string) selection {
	var sets []ast.SelectionSet
	for _, f := range s.fields {
		for _, name := range names {
			if f.Name == name {
				sets = append(sets, f.Selections)
			}
		}
	}
	return s.collect(sets...)
}

// nodes returns what was asked for of the elements of a connection.
func (s selection) nodes() selection {
	direct, edges := s.under("nodes"), s.under("edges").under("node")
	return selection{op: s.op, fields: append(direct.fields, edges.fields...)}
}

// has reports whether one of the fields was asked for.
func (s selection) has(names ...string) bool {
	for _, f := range s.fields {
		for _, name := range names {
			if f.Name == name {
				return true
			}
		}
	}
	return false
}

// withTeam loads what is asked of teams.
func withTeam(s selection) func(*ent.TeamQuery) {
	return func(q *ent.TeamQuery) {
		if s.has("account") {
			q.WithAccount()
		}
	}
}

// withMember loads what is asked of members.
func withMember(s selection) func(*ent.MemberQuery) {
	return func(q *ent.MemberQuery) {
		if s.has("user", "lastSeenAt") {
			q.WithUser()
		}
		if s.has("roles", "effectivePermissions") {
			q.WithRoles()
		}
		if s.has("team") {
			q.WithTeam(withTeam(s.under("team")))
		}
	}
}

// withInvitation loads what is asked of invitations. The membership that came
// of one is found by team and user: see invitationResolver.Member.
func withInvitation(s selection) func(*ent.InvitationQuery) {
	return func(q *ent.InvitationQuery) {
		if s.has("team") {
			q.WithTeam(withTeam(s.under("team")))
		}
		if s.has("roles") {
			q.WithRoles()
		}
		if s.has("inviter") {
			q.WithInviter()
		}
		if s.has("acceptedBy") {
			q.WithAcceptedBy()
		}
		if s.has("member") {
			of := s.under("member")
			q.WithAcceptedBy(func(u *ent.UserQuery) {
				u.WithMembers(withMember(of))
			})
		}
	}
}

// loaded returns an edge that was loaded with its parent, or else loads it now.
func loaded[T any](edge T, err error, load func() (T, error)) (T, error) {
	if ent.IsNotLoaded(err) {
		return load()
	}
	return edge, err
}

// asksFor reports whether the operation or a fragment of its document selects
// a field of that name.
func asksFor(op *graphql.OperationContext, name string) bool {
	if selects(op.Operation.SelectionSet, name) {
		return true
	}
	for _, f := range op.Doc.Fragments {
		if selects(f.SelectionSet, name) {
			return true
		}
	}
	return false
}

func selects(set ast.SelectionSet, name string) bool {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			if s.Name == name || selects(s.SelectionSet, name) {
				return true
			}
		case *ast.InlineFragment:
			if selects(s.SelectionSet, name) {
				return true
			}
		}
	}
	return false
}
