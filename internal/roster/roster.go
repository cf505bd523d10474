// Package roster keeps accounts, their teams, and who is a member of what.
package roster

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/uid"
)

// The limits a new account starts with; the operator changes them.
const (
	defaultMaxTeams              = 3
	defaultMaxPendingInvitations = 1000
)

// Service holds the verbs on accounts, teams and members.
type Service struct {
	Preset access.Preset // the roles of new accounts
	Events *event.Log
	Now    func() time.Time
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
	o.Team, err = tx.Team.Create().
		SetID(uid.New(uid.Team)).SetCreatedAt(now).SetUpdatedAt(now).
		SetAccountID(acc.ID).SetName(teamName).SetIsDefault(true).
		Save(ctx)
	if err != nil {
		return nil, fmt.Errorf("open account: make the default team: %w", err)
	}
	o.Owner, err = tx.Member.Create().
		SetID(uid.New(uid.Member)).SetCreatedAt(now).SetUpdatedAt(now).
		SetAccountID(acc.ID).SetTeamID(o.Team.ID).SetUserID(owner.ID).SetIsOwner(true).
		Save(ctx)
	if err != nil {
		return nil, fmt.Errorf("open account: make the owner: %w", err)
	}
	err = s.Events.Append(ctx, tx, acc.ID,
		event.Draft{Type: event.TeamCreated, ActorID: owner.ID, TeamID: o.Team.ID, SubjectID: o.Team.ID},
		event.Draft{Type: event.MemberJoined, ActorID: owner.ID, TeamID: o.Team.ID, SubjectID: o.Owner.ID},
	)
	return o, err
}

// Admission is a user about to become a member, with what he is granted.
type Admission struct {
	AccountID      string
	TeamID         string
	UserID         string
	Grant          access.Grant
	AllowedDomains []string
}

// Admit makes the user a member of the team. One who is a member already gets
// what he lacks and loses nothing. It fails with MEMBER_DEACTIVATED, or with
// SEAT_LIMIT_REACHED when the team is full. The context is the system's, the
// transaction the account's.
func (s *Service) Admit(ctx context.Context, tx *store.Tx, acc *ent.Account, a Admission) (*ent.Member, error) {
	existing, err := tx.Member.Query().
		Where(member.TeamID(a.TeamID), member.UserID(a.UserID)).WithRoles().
		Only(ctx)
	switch {
	case err == nil:
		return s.widen(ctx, tx, existing, a)
	case !ent.IsNotFound(err):
		return nil, fmt.Errorf("admit %s to %s: %w", a.UserID, a.TeamID, err)
	}
	if err := s.CheckSeats(ctx, tx, acc, a.TeamID); err != nil {
		return nil, err
	}
	now := s.Now()
	m, err := tx.Member.Create().
		SetID(uid.New(uid.Member)).SetCreatedAt(now).SetUpdatedAt(now).
		SetAccountID(a.AccountID).SetTeamID(a.TeamID).SetUserID(a.UserID).
		SetAllPermissions(a.Grant.AllPermissions).SetPermissions(a.Grant.Permissions).
		SetAllowedDomains(a.AllowedDomains).AddRoles(a.Grant.Roles...).
		Save(ctx)
	if err != nil {
		return nil, fmt.Errorf("admit %s to %s: %w", a.UserID, a.TeamID, err)
	}
	return m, s.Events.Append(ctx, tx, a.AccountID,
		event.Draft{Type: event.MemberJoined, ActorID: a.UserID, TeamID: a.TeamID, SubjectID: m.ID})
}

// widen adds a grant to what a member holds. His restrictions stay as they
// are.
func (s *Service) widen(ctx context.Context, tx *store.Tx, m *ent.Member, a Admission) (*ent.Member, error) {
	if m.Status == member.StatusDeactivated {
		return nil, fault.Input(fault.MemberDeactivated, "Your membership in this team is deactivated; ask its admin to reactivate it.")
	}
	permissions := slices.Clone(m.Permissions)
	for _, p := range a.Grant.Permissions {
		if !slices.Contains(permissions, p) {
			permissions = append(permissions, p)
		}
	}
	var missing []*ent.Role
	for _, r := range a.Grant.Roles {
		if !slices.ContainsFunc(m.Edges.Roles, func(held *ent.Role) bool { return held.ID == r.ID }) {
			missing = append(missing, r)
		}
	}
	m, err := tx.Member.UpdateOne(m).
		SetPermissions(permissions).SetAllPermissions(m.AllPermissions || a.Grant.AllPermissions).AddRoles(missing...).
		AddVersion(1).SetUpdatedAt(s.Now()).
		Save(ctx)
	if err != nil {
		return nil, fmt.Errorf("widen member: %w", err)
	}
	return m, s.Events.Append(ctx, tx, a.AccountID,
		event.Draft{Type: event.MemberUpdated, ActorID: a.UserID, TeamID: a.TeamID, SubjectID: m.ID})
}

// CheckSeats fails with SEAT_LIMIT_REACHED when the team can take nobody more.
// Open invitations take a seat if the account says so. It counts only when the
// account has a limit.
func (s *Service) CheckSeats(ctx context.Context, tx *store.Tx, acc *ent.Account, teamID string) error {
	if acc.MaxMembersPerTeam == nil {
		return nil
	}
	taken, err := tx.Member.Query().Where(member.TeamID(teamID), member.StatusEQ(member.StatusActive)).Count(ctx)
	if err != nil {
		return fmt.Errorf("count the seats of %s: %w", teamID, err)
	}
	if acc.CountPendingAsSeats {
		open, err := tx.Invitation.Query().
			Where(invitation.TeamID(teamID), invitation.StatusEQ(invitation.StatusPending), invitation.ExpiresAtGT(s.Now())).
			Count(ctx)
		if err != nil {
			return fmt.Errorf("count the open invitations of %s: %w", teamID, err)
		}
		taken += open
	}
	if taken >= *acc.MaxMembersPerTeam {
		return fault.Input(fault.SeatLimitReached, "The team has no seat left.")
	}
	return nil
}
