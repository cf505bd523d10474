package access

import (
	"context"
	"slices"

	"entgo.io/ent/dialect/sql"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/group"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/member"
)

type condition = func(*sql.Selector)

// visible returns the condition under which the viewer may know of a row.
// A type nobody thought of is seen by nobody.
func visible(v *Viewer, typ string) condition {
	if v == nil {
		return nothing
	}
	switch typ {
	case ent.TypeAccount:
		return either(v.ownAccounts(), v.offered(invitation.FieldAccountID))
	case ent.TypeTeam:
		return either(v.ownTeams(), v.offered(invitation.FieldTeamID))
	case ent.TypeRole:
		return either(in("account_id", v.accountsWithAny(forRoles...)), in("id", v.heldRoles()), v.offeredRoles())
	case ent.TypeGroup:
		return either(in("account_id", v.accountsWithAny(forRoles...)), v.ownGroups(),
			v.offeredWith(invitation.GroupsTable, invitation.GroupsPrimaryKey))
	case ent.TypeDivision:
		return either(in("account_id", v.accounts()), v.offeredWith(invitation.DivisionsTable, invitation.DivisionsPrimaryKey))
	case ent.TypeOwnershipTransfer:
		return either(in("team_id", v.readTeams()), in("from_id", v.memberIDs()), in("to_id", v.memberIDs()))
	case ent.TypeMember:
		return either(in("team_id", v.readTeams()), in("user_id", idSet{v.UserID}), v.ownersOfHisTeams())
	case ent.TypeInvitation:
		return either(in("team_id", v.readTeams()), v.ownInvitations(), v.received())
	case ent.TypeUser:
		return v.knownUsers()
	case ent.TypeSession:
		return in("user_id", idSet{v.UserID})
	case ent.TypeEvent:
		return in("account_id", v.accountsWith(AuditRead))
	default:
		return nothing
	}
}

func (v *Viewer) accounts() idSet {
	return v.collect(func(m *Membership) (string, bool) { return m.AccountID, true })
}

func (v *Viewer) accountsWith(permission string) idSet {
	return v.collect(func(m *Membership) (string, bool) {
		return m.AccountID, m.DefaultTeam && m.Permissions.Has(permission)
	})
}

// forRoles: whoever may see or change who holds what sees the account's roles
// and groups.
var forRoles = []string{RolesRead, RolesAssign, RolesManage, MembersRead, MembersInvite}

// accountsWithAny returns the accounts in some team of which the viewer holds
// one of the permissions.
func (v *Viewer) accountsWithAny(permissions ...string) idSet {
	return v.collect(func(m *Membership) (string, bool) {
		return m.AccountID, slices.ContainsFunc(permissions, m.Permissions.Has)
	})
}

func (v *Viewer) memberIDs() idSet {
	return v.collect(func(m *Membership) (string, bool) { return m.ID, true })
}

func (v *Viewer) heldRoles() idSet {
	var ids []string
	for _, m := range v.memberships {
		ids = append(ids, m.roleIDs...)
	}
	return newIDSet(ids)
}

// ownGroups: everybody knows of the groups he is in.
func (v *Viewer) ownGroups() condition {
	return func(s *sql.Selector) {
		t := sql.Table(member.GroupsTable)
		s.Where(sql.In(s.C("id"), sql.Select(t.C(member.GroupsPrimaryKey[1])).From(t).
			Where(isIn(t.C(member.GroupsPrimaryKey[0]), v.memberIDs()))))
	}
}

// ownInvitations: who may invite knows of the invitations he answers for or has
// sent himself, also where he may not see people.
func (v *Viewer) ownInvitations() condition {
	teams := v.collect(func(m *Membership) (string, bool) { return m.TeamID, m.Permissions.Has(MembersInvite) })
	return func(s *sql.Selector) {
		s.Where(sql.And(
			isIn(s.C(invitation.FieldTeamID), teams),
			sql.Or(sql.EQ(s.C(invitation.FieldInviterID), v.UserID), sql.EQ(s.C(invitation.FieldGranterID), v.UserID)),
		))
	}
}

// open is the condition that an invitation waits for the viewer's address. Who
// is invited sees what he is offered, where, and by whom, before he says yes.
func (v *Viewer) open(column func(string) string) *sql.Predicate {
	if v.Unproven {
		return sql.False() // whoever has the link shows that he was meant
	}
	return sql.And(
		sql.EQ(column(invitation.FieldEmailKey), v.EmailKey),
		sql.EQ(column(invitation.FieldStatus), invitation.StatusPending),
	)
}

// received: the addressee knows of an invitation while it is open.
func (v *Viewer) received() condition {
	return func(s *sql.Selector) { s.Where(v.open(s.C)) }
}

// offered: what a column of the invitations received names.
func (v *Viewer) offered(column string) condition {
	return func(s *sql.Selector) {
		t := sql.Table(invitation.Table)
		s.Where(sql.In(s.C("id"), sql.Select(t.C(column)).From(t).Where(v.open(t.C))))
	}
}

// offeredWith: what a join table says of the invitations received.
func (v *Viewer) offeredWith(table string, key []string) condition {
	return func(s *sql.Selector) { s.Where(sql.In(s.C("id"), v.joined(table, key))) }
}

// joined selects the other side of a join table of the invitations received.
func (v *Viewer) joined(table string, key []string) *sql.Selector {
	t, i := sql.Table(table), sql.Table(invitation.Table)
	return sql.Select(t.C(key[1])).From(t).
		Join(i).On(t.C(key[0]), i.C(invitation.FieldID)).Where(v.open(i.C))
}

// offeredRoles: those that are offered, by a group too.
func (v *Viewer) offeredRoles() condition {
	return either(v.offeredWith(invitation.RolesTable, invitation.RolesPrimaryKey), func(s *sql.Selector) {
		t := sql.Table(group.RolesTable)
		s.Where(sql.In(s.C("id"), sql.Select(t.C(group.RolesPrimaryKey[1])).From(t).
			Where(sql.In(t.C(group.RolesPrimaryKey[0]), v.joined(invitation.GroupsTable, invitation.GroupsPrimaryKey)))))
	})
}

func (v *Viewer) ownTeams() condition {
	return either(in("id", v.teams()), in("account_id", v.accountsWith(AccountRead)))
}

func (v *Viewer) ownAccounts() condition { return in("id", v.accounts()) }

// OwnTeams narrows a query of teams to those the viewer belongs to or may see as
// part of his account: without those he is only invited to, which he sees in the
// invitation alone.
func OwnTeams(ctx context.Context) func(*sql.Selector) {
	if v := ViewerFrom(ctx); v != nil {
		return v.ownTeams()
	}
	return nothing
}

// OwnAccounts is OwnTeams for accounts.
func OwnAccounts(ctx context.Context) func(*sql.Selector) {
	if v := ViewerFrom(ctx); v != nil {
		return v.ownAccounts()
	}
	return nothing
}

// In reports whether the viewer is in some team of the account.
func (v *Viewer) In(accountID string) bool {
	return v != nil && v.someMembership(func(m *Membership) bool { return m.AccountID == accountID })
}

func (v *Viewer) someMembership(is func(*Membership) bool) bool {
	for _, m := range v.memberships {
		if is(m) {
			return true
		}
	}
	return false
}

func (v *Viewer) defaultMembership(accountID string) *Membership {
	for _, m := range v.memberships {
		if m.AccountID == accountID && m.DefaultTeam {
			return m
		}
	}
	return nil
}

// CanInAccount reports whether the viewer holds the permission account-wide.
func (v *Viewer) CanInAccount(accountID, permission string) bool {
	return v != nil && v.someMembership(func(m *Membership) bool {
		return m.AccountID == accountID && m.DefaultTeam && m.Permissions.Has(permission)
	})
}

func (v *Viewer) teams() idSet {
	return v.collect(func(m *Membership) (string, bool) { return m.TeamID, true })
}

// readTeams returns the teams whose people the viewer may see.
func (v *Viewer) readTeams() idSet {
	return v.collect(func(m *Membership) (string, bool) { return m.TeamID, m.Permissions.Has(MembersRead) })
}

func (v *Viewer) collect(pick func(*Membership) (string, bool)) idSet {
	ids := make([]string, 0, len(v.memberships))
	for _, m := range v.memberships {
		if id, ok := pick(m); ok {
			ids = append(ids, id)
		}
	}
	return newIDSet(ids)
}

// ownersOfHisTeams: who owns a team is known to everybody in it, and to whoever
// may see the whole account.
func (v *Viewer) ownersOfHisTeams() condition {
	return func(s *sql.Selector) {
		s.Where(sql.And(sql.EQ(s.C(member.FieldIsOwner), true), v.knownTeams(s.C(member.FieldTeamID), s.C(member.FieldAccountID))))
	}
}

// knownTeams is the condition that a column names a team the viewer knows of.
func (v *Viewer) knownTeams(teamID, accountID string) *sql.Predicate {
	return sql.Or(isIn(teamID, v.teams()), isIn(accountID, v.accountsWith(AccountRead)))
}

// knownUsers: himself, the owners of his teams, the members of the teams whose people he may see,
// those who sent or accepted their invitations, members still or not, and those who invited him.
func (v *Viewer) knownUsers() condition {
	return either(
		v.colleagues(),
		v.offered(invitation.FieldInviterID),
		v.namedIn(invitation.Table, invitation.FieldInviterID),
		v.namedIn(invitation.Table, invitation.FieldAcceptedByID),
	)
}

// namedIn: those whom a column names in the teams whose people the viewer may see.
func (v *Viewer) namedIn(table, column string) condition {
	return func(s *sql.Selector) {
		t := sql.Table(table)
		s.Where(sql.Exists(sql.Select().From(t).Where(sql.And(
			sql.ColumnsEQ(t.C(column), s.C("id")),
			isIn(t.C("team_id"), v.readTeams()),
		))))
	}
}

// Colleagues narrows a query of users to those the viewer is together with:
// without those who left, of whom he sees only what they did.
func Colleagues(ctx context.Context) func(*sql.Selector) {
	if v := ViewerFrom(ctx); v != nil {
		return v.colleagues()
	}
	return nothing
}

// colleagues: himself, the owners of his teams, and the members of the teams whose
// people he may see.
func (v *Viewer) colleagues() condition {
	return either(
		in("id", idSet{v.UserID}),
		v.namedIn(member.Table, member.FieldUserID),
		func(s *sql.Selector) {
			t := sql.Table(member.Table)
			s.Where(sql.Exists(sql.Select().From(t).Where(sql.And(
				sql.ColumnsEQ(t.C(member.FieldUserID), s.C("id")),
				sql.EQ(t.C(member.FieldIsOwner), true),
				v.knownTeams(t.C(member.FieldTeamID), t.C(member.FieldAccountID)),
			))))
		},
	)
}

func nothing(s *sql.Selector) { s.Where(sql.False()) }

func in(column string, ids idSet) condition {
	return func(s *sql.Selector) { s.Where(isIn(s.C(column), ids)) }
}

func either(conditions ...condition) condition { return sql.OrPredicates(conditions...) }
