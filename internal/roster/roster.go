// Package roster has the verbs on accounts, teams, members, roles, groups and
// divisions, and those of the operator. A verb of a viewer passes through act.Door
// and its comment names the permission it needs. "Fails like act.InTeam" means
// the codes of the door with that rule.
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

// The limits of a new account. The operator changes them.
const (
	defaultMaxTeams              = 3
	defaultMaxPendingInvitations = 1000
)

// Service has the verbs.
type Service struct {
	Store  *store.Store
	Door   *act.Door
	Access access.Loader
	Preset access.Preset // the roles of new accounts
	Events *event.Log
	Now    func() time.Time
	// Departing is called in the transaction before a member is deleted. It
	// settles the invitations that the member is the granter of, which are another
	// package's.
	Departing func(ctx context.Context, tx *store.Tx, d Departure) error
	// Withdrawn is called in the transaction that deletes a team, with its open
	// invitations. It counts them for the cool-offs of their addresses.
	Withdrawn func(ctx context.Context, tx *store.Tx, ended ...*ent.Invitation) error
}

// Departure is a member whose membership ends, or an API key that ends in a team.
type Departure struct {
	AccountID string
	TeamID    string
	UserID    string
	ActorID   string
	// HeirID is the user who becomes the granter of the member's invitations;
	// empty = the invitations are revoked.
	HeirID string
}

// Opened is a new account with its first rows.
type Opened struct {
	Account *ent.Account
	Team    *ent.Team
	Owner   *ent.Member
	Roles   []*ent.Role
}

// OpenAccount makes an account with the roles of its preset and a default team,
// whose one member is the owner. The context is the system's.
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

// openTeam makes a team with one member, its owner.
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
		event.Draft{Type: event.MemberJoined, ActorID: owner.ID, TeamID: t.ID, SubjectID: m.ID, Data: memberData(m)},
	)
}

// newMember starts a member row for the user in the team, with the columns that
// lists sort and search by.
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

// Rename copies the user's name to their member rows, by which lists sort and
// search, and logs an event in each account so that open lists are read again.
// The transaction has locked all of these accounts before: locking one after the
// other between events could end in a deadlock. The members' versions stay, so
// that a rename is no conflict for somebody who edits the member. The context is
// the system's.
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
		data := memberData(m)
		data[event.Renamed] = event.Set
		err := s.Events.Append(ctx, tx, m.AccountID,
			event.Draft{Type: event.MemberUpdated, ActorID: u.ID, TeamID: m.TeamID, SubjectID: m.ID, Data: data})
		if err != nil {
			return err
		}
	}
	return nil
}

// Readdress is Rename for a user whose address changes. It returns the accounts of the
// user's members.
func (s *Service) Readdress(ctx context.Context, tx *store.Tx, u *ent.User) (accounts []string, err error) {
	if err := tx.Member.Update().Where(member.UserID(u.ID)).SetEmailKey(u.EmailKey).Exec(ctx); err != nil {
		return nil, fmt.Errorf("readdress the members of %s: %w", u.ID, err)
	}
	if err := s.Rename(ctx, tx, u); err != nil {
		return nil, err
	}
	accounts, err = tx.Member.Query().Where(member.UserID(u.ID)).Order(member.ByAccountID()).Unique(true).Select(member.FieldAccountID).Strings(ctx)
	if err != nil {
		return nil, fmt.Errorf("find the accounts of %s: %w", u.ID, err)
	}
	return accounts, nil
}

func searchText(u *ent.User) string { return text.SearchKey(u.Email, u.FirstName, u.LastName) }

func sortName(u *ent.User) string { return text.SortKey(u.Email, u.FirstName, u.LastName) }

// memberData is the data of an event about a member. It names the user, because
// the member may be deleted when the event is read.
func memberData(m *ent.Member) map[string]string { return map[string]string{event.UserID: m.UserID} }
