// Package roster keeps accounts, their teams, who is a member of what, and by
// which roles, groups and divisions.
package roster

import (
	"context"
	"fmt"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/text"
	"github.com/convoke-dev/convoke/internal/uid"
)

// The limits a new account starts with; the operator changes them.
const (
	defaultMaxTeams              = 3
	defaultMaxPendingInvitations = 1000
)

// Service holds the verbs on accounts, teams, members, roles, groups and
// divisions.
type Service struct {
	Store  *store.Store
	Door   *act.Door
	Access access.Loader
	Preset access.Preset // the roles of new accounts
	Events *event.Log
	Now    func() time.Time
	// Departing is told who leaves a team, in the transaction: the invitations
	// he answers for are another package's.
	Departing func(ctx context.Context, tx *store.Tx, d Departure) error
}

// Departure is a member about to leave a team for good.
type Departure struct {
	AccountID string
	TeamID    string
	UserID    string
	ActorID   string
	// HeirID is the user who answers for his invitations from now on; empty =
	// nobody, they are revoked.
	HeirID string
}

// Opened is a new account with what it begins with.
type Opened struct {
	Account *ent.Account
	Team    *ent.Team
	Owner   *ent.Member
	Roles   []*ent.Role
}

// OpenAccount makes an account with its system roles and a default team of
// one, the owner. The context is the system's.
func (s *Service) OpenAccount(ctx context.Context, tx *store.Tx, owner *ent.User, accountName, teamName string) (*Opened, error) {
	now := s.Now()
	acc, err := tx.Account.Create().
		SetID(uid.New(uid.Account)).SetCreatedAt(now).SetUpdatedAt(now).
		SetName(accountName).SetPreset(s.Preset.Key).
		SetMaxTeams(defaultMaxTeams).SetMaxPendingInvitations(defaultMaxPendingInvitations).
		Save(ctx)
	if err != nil {
		return nil, fmt.Errorf("open account: %w", err)
	}
	roles := make([]*ent.RoleCreate, len(s.Preset.Roles))
	for i, r := range s.Preset.Roles {
		roles[i] = tx.Role.Create().
			SetID(uid.New(uid.Role)).SetCreatedAt(now).SetUpdatedAt(now).SetAccountID(acc.ID).
			SetKey(r.Key).SetName(r.Name).SetDescription(r.Description).SetPermissions(r.Permissions).SetIsSystem(true)
	}
	o := &Opened{Account: acc}
	if o.Roles, err = tx.Role.CreateBulk(roles...).Save(ctx); err != nil {
		return nil, fmt.Errorf("open account: make roles: %w", err)
	}
	o.Team, o.Owner, err = s.openTeam(ctx, tx, acc.ID, teamName, true, owner)
	return o, err
}

// openTeam makes a team of one, its owner.
func (s *Service) openTeam(ctx context.Context, tx *store.Tx, accountID, name string, isDefault bool, owner *ent.User) (*ent.Team, *ent.Member, error) {
	now := s.Now()
	t, err := tx.Team.Create().
		SetID(uid.New(uid.Team)).SetCreatedAt(now).SetUpdatedAt(now).
		SetAccountID(accountID).SetName(name).SetIsDefault(isDefault).SetActiveMembers(1).
		Save(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("open team: %w", err)
	}
	m, err := s.newMember(tx, t, owner).SetIsOwner(true).Save(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("open team: make the owner: %w", err)
	}
	return t, m, s.Events.Append(ctx, tx, accountID,
		event.Draft{Type: event.TeamCreated, ActorID: owner.ID, TeamID: t.ID, SubjectID: t.ID},
		event.Draft{Type: event.MemberJoined, ActorID: owner.ID, TeamID: t.ID, SubjectID: m.ID, Data: of(m)},
	)
}

// newMember is a membership of the user in the team, with what lists are
// sorted and searched by.
func (s *Service) newMember(tx *store.Tx, t *ent.Team, u *ent.User) *ent.MemberCreate {
	now := s.Now()
	c := tx.Member.Create().
		SetID(uid.New(uid.Member)).SetCreatedAt(now).SetUpdatedAt(now).
		SetAccountID(t.AccountID).SetTeamID(t.ID).SetUserID(u.ID).
		SetEmailKey(u.EmailKey).SetSortName(sortName(u)).SetSearch(searchText(u))
	if u.LastSeenAt != nil {
		c.SetSeenUnix(u.LastSeenAt.Unix())
	}
	return c
}

// Rename has the lists of all the user's teams show, sort and find him by the
// name he has now. Every account hears of it, so that an open list is read
// again; the transaction holds them all, for an event written in one account
// while another is waited for could end in a deadlock. The membership is not
// counted up: nobody who edits it is disturbed by a name. The context is the
// system's.
func (s *Service) Rename(ctx context.Context, tx *store.Tx, u *ent.User) error {
	err := tx.Member.Update().Where(member.UserID(u.ID)).SetSortName(sortName(u)).SetSearch(searchText(u)).Exec(ctx)
	if err != nil {
		return fmt.Errorf("rename the members of %s: %w", u.ID, err)
	}
	members, err := tx.Member.Query().Where(member.UserID(u.ID)).Order(member.ByAccountID(), member.ByID()).All(ctx)
	if err != nil {
		return fmt.Errorf("rename the members of %s: %w", u.ID, err)
	}
	for _, m := range members {
		err := s.Events.Append(ctx, tx, m.AccountID,
			event.Draft{Type: event.MemberUpdated, ActorID: u.ID, TeamID: m.TeamID, SubjectID: m.ID, Data: of(m)})
		if err != nil {
			return err
		}
	}
	return nil
}

func searchText(u *ent.User) string { return text.Fold(u.Email, u.FirstName, u.LastName) }

func sortName(u *ent.User) string {
	if name := text.Fold(u.FirstName, u.LastName); name != "" {
		return name
	}
	return text.Fold(u.Email)
}

// of is the data of an event about a member: whose membership it was, when it
// is gone too.
func of(m *ent.Member) map[string]string { return map[string]string{event.UserID: m.UserID} }
