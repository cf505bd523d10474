package access

import (
	"context"
	"slices"

	"entgo.io/ent/dialect/sql"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/cooloff"
	"github.com/convoke-dev/convoke/ent/group"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/internal/address"
	"github.com/convoke-dev/convoke/internal/lifecycle"
)

type condition = func(*sql.Selector)

// visible returns the condition under which the viewer may know of a row of the table.
// A table without a case shows nothing.
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
		return either(in("team_id", v.readTeams()), in("user_id", idSet{v.UserID}), v.ownersOfTeams())
	case ent.TypeInvitation:
		return either(in("team_id", v.readTeams()), v.ownInvitations(), v.received())
	case ent.TypeUser:
		return v.knownUsers()
	case ent.TypeSession, ent.TypeEmailChange:
		return in("user_id", idSet{v.UserID})
	case ent.TypeCoolOff:
		return v.ownBlocks()
	case ent.TypeAPIKey:
		return either(in("account_id", v.accountsWith(APIKeysRead)), in("id", idSet{v.UserID}),
			v.offered(invitation.FieldInviterKeyID), v.namedIn(invitation.Table, invitation.FieldInviterKeyID))
	case ent.TypeEvent:
		return in("account_id", v.accountsWith(AuditRead))
	default:
		return nothing
	}
}

func (v *Viewer) accounts() idSet {
	return v.collect(func(m *Membership) (string, bool) { return m.AccountID, true })
}

// accountsWith returns the accounts in which the viewer holds the permission
// account-wide.
func (v *Viewer) accountsWith(permission string) idSet {
	return v.collect(func(m *Membership) (string, bool) {
		return m.AccountID, m.DefaultTeam && m.Permissions.Has(permission)
	})
}

// forRoles are the permissions of which each shows the account's roles and groups: all
// that let a member see or change what others hold.
var forRoles = []string{RolesRead, RolesAssign, RolesManage, MembersRead, MembersInvite}

// accountsWithAny returns the accounts in which the viewer holds one of the permissions
// in any team.
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

// ownBlocks are the accounts that the viewer's address has blocked. An account does not see
// who has blocked it, nor who has a cool-off.
func (v *Viewer) ownBlocks() condition {
	if v.Unproven {
		return nothing
	}
	return func(s *sql.Selector) {
		s.Where(sql.And(sql.EQ(s.C(cooloff.FieldAddressHash), address.Hash(v.EmailKey)), sql.NotNull(s.C(cooloff.FieldBlockedAt))))
	}
}

// ownGroups are the groups that the viewer is in.
func (v *Viewer) ownGroups() condition {
	return func(s *sql.Selector) {
		t := sql.Table(member.GroupsTable)
		s.Where(sql.In(s.C("id"), sql.Select(t.C(member.GroupsPrimaryKey[1])).From(t).
			Where(isIn(t.C(member.GroupsPrimaryKey[0]), v.memberIDs()))))
	}
}

// ownInvitations are the invitations that the viewer sent or answers for, in teams in
// which they may invite, also where they may not see people.
func (v *Viewer) ownInvitations() condition {
	teams := v.collect(func(m *Membership) (string, bool) { return m.TeamID, m.Permissions.Has(MembersInvite) })
	return func(s *sql.Selector) {
		s.Where(sql.And(
			isIn(s.C(invitation.FieldTeamID), teams),
			sql.Or(sql.EQ(s.C(invitation.FieldInviterID), v.UserID), sql.EQ(s.C(invitation.FieldInviterKeyID), v.UserID), sql.EQ(s.C(invitation.FieldGranterID), v.UserID)),
		))
	}
}

// open is the condition that an invitation is to the viewer's address and pending. The
// addressee sees what it grants, where, and who sent it, before they accept.
func (v *Viewer) open(column func(string) string) *sql.Predicate {
	if v.Unproven {
		return sql.False() // without proof of the address, an addressee is known by the link only
	}
	return sql.And(
		sql.EQ(column(invitation.FieldEmailKey), v.EmailKey),
		lifecycle.StoredPendingIn(column),
	)
}

// received are the open invitations to the viewer's address.
func (v *Viewer) received() condition {
	return func(s *sql.Selector) { s.Where(v.open(s.C)) }
}

// offered are the rows that a column of the received invitations names.
func (v *Viewer) offered(column string) condition {
	return func(s *sql.Selector) {
		t := sql.Table(invitation.Table)
		s.Where(sql.In(s.C("id"), sql.Select(t.C(column)).From(t).Where(v.open(t.C))))
	}
}

// offeredWith are the rows that a join table connects with the received invitations.
func (v *Viewer) offeredWith(table string, key []string) condition {
	return func(s *sql.Selector) { s.Where(sql.In(s.C("id"), v.joined(table, key))) }
}

// joined selects the ids that a join table connects with the received invitations.
func (v *Viewer) joined(table string, key []string) *sql.Selector {
	t, i := sql.Table(table), sql.Table(invitation.Table)
	return sql.Select(t.C(key[1])).From(t).
		Join(i).On(t.C(key[0]), i.C(invitation.FieldID)).Where(v.open(i.C))
}

// offeredRoles are the roles that the received invitations grant, directly or by a group.
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

// OwnTeams narrows a query of teams to the viewer's teams and all teams of accounts that
// they may see. It leaves out a team to which the viewer is only invited, because that
// shows in the invitation alone.
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

// DefaultMembership returns the viewer's membership in the account's default team, which
// decides about account-wide acts, or nil. A nil viewer has none.
func (v *Viewer) DefaultMembership(accountID string) *Membership {
	if v == nil {
		return nil
	}
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

// readTeams returns the teams whose members the viewer may see.
func (v *Viewer) readTeams() idSet {
	return v.collect(func(m *Membership) (string, bool) { return m.TeamID, m.Permissions.Has(MembersRead) })
}

// collect returns the ids that pick returns of the memberships it accepts.
func (v *Viewer) collect(pick func(*Membership) (string, bool)) idSet {
	ids := make([]string, 0, len(v.memberships))
	for _, m := range v.memberships {
		if id, ok := pick(m); ok {
			ids = append(ids, id)
		}
	}
	return newIDSet(ids)
}

// ownersOfTeams are the owners of the viewer's teams, and of all teams of accounts that
// the viewer may see.
func (v *Viewer) ownersOfTeams() condition {
	return func(s *sql.Selector) {
		s.Where(sql.And(sql.EQ(s.C(member.FieldIsOwner), true), v.knownTeams(s.C(member.FieldTeamID), s.C(member.FieldAccountID))))
	}
}

// knownTeams is the condition that the columns name one of the viewer's teams, or an
// account that the viewer may see.
func (v *Viewer) knownTeams(teamID, accountID string) *sql.Predicate {
	return sql.Or(isIn(teamID, v.teams()), isIn(accountID, v.accountsWith(AccountRead)))
}

// knownUsers are the colleagues, the senders of received invitations, and those who sent
// or accepted an invitation of a team whose members the viewer may see, also when they
// have left.
func (v *Viewer) knownUsers() condition {
	return either(
		v.colleagues(),
		v.offered(invitation.FieldInviterID),
		v.namedIn(invitation.Table, invitation.FieldInviterID),
		v.namedIn(invitation.Table, invitation.FieldAcceptedByID),
	)
}

// namedIn are the users whom a column names in rows of teams whose members the viewer
// may see.
func (v *Viewer) namedIn(table, column string) condition {
	return func(s *sql.Selector) {
		t := sql.Table(table)
		s.Where(sql.Exists(sql.Select().From(t).Where(sql.And(
			sql.ColumnsEQ(t.C(column), s.C("id")),
			isIn(t.C("team_id"), v.readTeams()),
		))))
	}
}

// Colleagues narrows a query of users to the viewer, the owners of their teams, and the
// members of teams whose members they may see. It leaves out people who have left.
func Colleagues(ctx context.Context) func(*sql.Selector) {
	if v := ViewerFrom(ctx); v != nil {
		return v.colleagues()
	}
	return nothing
}

// colleagues is the condition of Colleagues.
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
