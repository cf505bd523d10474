package graph

import (
	"context"
	"slices"

	"entgo.io/ent/dialect/sql"
	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/division"
	"github.com/convoke-dev/convoke/ent/group"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/role"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/lifecycle"
)

// selection is the set of fields that a client selects below some field. The functions
// with… load the edges that these fields need together with their parents, so that a list
// costs a fixed number of statements, whatever its length.
type selection struct {
	op     *graphql.OperationContext
	fields []graphql.CollectedField
}

// selected returns the selection below the field that is being resolved.
func selected(ctx context.Context) selection {
	s := selection{op: graphql.GetOperationContext(ctx)}
	return s.collect(graphql.GetFieldContext(ctx).Field.Selections)
}

func (s selection) collect(sets ...ast.SelectionSet) selection { return s.collectOn(nil, sets...) }

func (s selection) collectOn(types []string, sets ...ast.SelectionSet) selection {
	below := selection{op: s.op}
	for _, set := range sets {
		below.fields = append(below.fields, graphql.CollectFields(s.op, set, types)...)
	}
	return below
}

// under returns the selection below the fields of these names.
func (s selection) under(names ...string) selection { return s.collect(s.sets(names...)...) }

// sets returns what is selected below each of the fields of these names.
func (s selection) sets(names ...string) (sets []ast.SelectionSet) {
	for _, f := range s.fields {
		if slices.Contains(names, f.Name) {
			sets = append(sets, f.Selections)
		}
	}
	return sets
}

// nodes returns the selection on the elements of a connection. When types are given, it
// leaves out the fragments on other types.
func (s selection) nodes(types ...string) selection {
	sets := append(s.sets("nodes"), s.under("edges").sets("node")...)
	return s.collectOn(types, sets...)
}

// has reports whether one of the fields is selected.
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

// withTeam loads what a selection on teams needs.
func (r *Resolver) withTeam(ctx context.Context, s selection) func(*ent.TeamQuery) {
	return func(q *ent.TeamQuery) {
		if s.has("account", "assignableRoles", "counts", "people") {
			q.WithAccount(func(a *ent.AccountQuery) {
				if s.has("assignableRoles") {
					a.WithRoles(func(q *ent.RoleQuery) { q.Order(role.ByCreatedAt(), role.ByID()) })
				}
			})
		}
		if s.has("owner", "viewerMembership") {
			q.WithMembers(func(m *ent.MemberQuery) {
				m.Where(member.Or(member.IsOwner(true), member.UserID(viewerID(ctx))))
				r.withMember(ctx, s.under("owner", "viewerMembership"))(m)
			})
		}
		if s.has("pendingOwnershipTransfer") {
			q.WithTransfers(func(t *ent.OwnershipTransferQuery) {
				t.Where(lifecycle.OpenTransfer(r.Now()))
				r.withTransfer(ctx, s.under("pendingOwnershipTransfer"))(t)
			})
		}
		if s.has("counts") {
			q.WithInvitations(func(i *ent.InvitationQuery) { i.Where(lifecycle.Overdue(r.Now())) })
		}
	}
}

// withMember loads what a selection on members needs.
func (r *Resolver) withMember(ctx context.Context, s selection) func(*ent.MemberQuery) {
	return func(q *ent.MemberQuery) {
		if s.has("user", "email", "displayName", "lastSeenAt") {
			q.WithUser()
		}
		giving := s.has("viewerCanReactivate", "viewerCannotReactivateReasons")
		if giving || s.has("roles", "effectivePermissions") {
			q.WithRoles()
		}
		if giving || s.has("groups", "effectivePermissions") {
			q.WithGroups(withGroup(s.under("groups")), func(g *ent.GroupQuery) {
				if giving || s.has("effectivePermissions") {
					g.WithRoles()
				}
			})
		}
		if giving || s.has("divisions") {
			q.WithDivisions(withDivision(s.under("divisions")))
		}
		if s.has("team") {
			q.WithTeam(r.withTeam(ctx, s.under("team")))
		}
	}
}

// withInvitation loads what a selection on invitations needs. The member that an accepted
// invitation led to is found by team and user: see memberOf.
func (r *Resolver) withInvitation(ctx context.Context, s selection) func(*ent.InvitationQuery) {
	return func(q *ent.InvitationQuery) {
		if s.has("team") {
			q.WithTeam(r.withTeam(ctx, s.under("team")))
		}
		offering := s.has("viewerCanResend", "viewerCannotResendReasons", "viewerCanUpdate", "viewerCannotUpdateReasons")
		if offering || s.has("roles") {
			q.WithRoles()
		}
		if offering || s.has("groups") {
			q.WithGroups(withGroup(s.under("groups")), func(g *ent.GroupQuery) {
				if offering {
					g.WithRoles()
				}
			})
		}
		if offering || s.has("divisions") {
			q.WithDivisions(withDivision(s.under("divisions")))
		}
		if s.has("inviter") {
			q.WithInviter(access.AsColleague(ctx)).WithInviterKey(r.withKey(ctx, s.under("inviter")))
		}
		if s.has("acceptedBy", "member") {
			q.WithAcceptedBy(access.AsColleague(ctx), func(u *ent.UserQuery) {
				if s.has("member") {
					u.WithMembers(r.withMember(ctx, s.under("member")))
				}
			})
		}
	}
}

// withTransfer loads what a selection on transfers of ownership needs.
func (r *Resolver) withTransfer(ctx context.Context, s selection) func(*ent.OwnershipTransferQuery) {
	return func(q *ent.OwnershipTransferQuery) {
		if s.has("from") {
			q.WithFrom(r.withMember(ctx, s.under("from")))
		}
		if s.has("to") {
			q.WithTo(r.withMember(ctx, s.under("to")))
		}
		if s.has("team") {
			q.WithTeam(r.withTeam(ctx, s.under("team")))
		}
	}
}

// membersOfGroup is the name of the column with the number of a group's members, which
// withGroup selects beside those of the table.
const membersOfGroup = "members_of_group"

// withGroup loads what a selection on groups needs.
func withGroup(s selection) func(*ent.GroupQuery) {
	return func(q *ent.GroupQuery) {
		if s.has("roles") {
			q.WithRoles()
		}
		if s.has("memberCount") {
			q.Modify(func(sel *sql.Selector) {
				t := sql.Table(member.GroupsTable)
				sel.AppendSelectExprAs(sql.ExprFunc(func(b *sql.Builder) {
					b.Wrap(func(b *sql.Builder) {
						b.Join(sql.Dialect(sel.Dialect()).Select(sql.Count("*")).From(t).
							Where(sql.ColumnsEQ(t.C(member.GroupsPrimaryKey[1]), sel.C(group.FieldID))))
					})
				}), membersOfGroup)
			})
		}
	}
}

// withKey loads what a selection on API keys needs.
func (r *Resolver) withKey(ctx context.Context, s selection) func(*ent.APIKeyQuery) {
	return func(q *ent.APIKeyQuery) {
		if s.has("team") {
			q.WithTeam(r.withTeam(ctx, s.under("team")))
		}
		if s.has("creator") {
			q.WithCreator(access.AsColleague(ctx))
		}
	}
}

// withDivision loads what a selection on divisions needs, as deep as it goes.
func withDivision(s selection) func(*ent.DivisionQuery) {
	return func(q *ent.DivisionQuery) {
		if s.has("parent") {
			q.WithParent(withDivision(s.under("parent")))
		}
		if s.has("children") {
			q.WithChildren(withDivision(s.under("children")), func(q *ent.DivisionQuery) {
				q.Order(division.ByCreatedAt(), division.ByID())
			})
		}
	}
}

// loaded returns an edge that was loaded with its parent; it loads an edge that was not.
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
