package roster

import (
	"context"
	"fmt"
	"slices"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/lifecycle"
	"github.com/convoke-dev/convoke/internal/store"
)

// Admission is a user about to become a member, with what he is granted.
type Admission struct {
	AccountID      string
	TeamID         string
	UserID         string
	Grant          access.Grant
	Divisions      []*ent.Division // restricted to; empty = every one
	AllowedDomains []string        // restricted to; empty = every one
}

// Admit makes the user a member of the team. One who is a member already gets
// what he lacks and loses nothing. It fails with MEMBER_DEACTIVATED, or with
// SEAT_LIMIT_REACHED when the team is full. The context is the system's, the
// transaction the account's.
func (s *Service) Admit(ctx context.Context, tx *store.Tx, acc *ent.Account, a Admission) (*ent.Member, error) {
	existing, err := tx.Member.Query().
		Where(member.TeamID(a.TeamID), member.UserID(a.UserID)).WithRoles().WithGroups().
		Only(ctx)
	switch {
	case err == nil:
		return s.widen(ctx, tx, existing, a)
	case !ent.IsNotFound(err):
		return nil, fmt.Errorf("admit %s to %s: %w", a.UserID, a.TeamID, err)
	}
	t, err := tx.Team.Get(ctx, a.TeamID)
	if err != nil {
		return nil, fmt.Errorf("admit %s: read the team: %w", a.UserID, err)
	}
	if err := s.CheckSeats(ctx, tx, acc, t); err != nil {
		return nil, err
	}
	u, err := tx.User.Get(ctx, a.UserID)
	if err != nil {
		return nil, fmt.Errorf("admit %s: %w", a.UserID, err)
	}
	m, err := s.newMember(tx, t, u).
		SetAllPermissions(a.Grant.AllPermissions).SetPermissions(a.Grant.Permissions).
		SetAllowedDomains(a.AllowedDomains).AddDivisions(a.Divisions...).
		AddRoles(a.Grant.Roles...).AddGroups(a.Grant.Groups...).
		Save(ctx)
	if err == nil {
		err = tx.Team.UpdateOne(t).AddActiveMembers(1).Exec(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("admit %s to %s: %w", a.UserID, a.TeamID, err)
	}
	return m, s.Events.Append(ctx, tx, a.AccountID,
		event.Draft{Type: event.MemberJoined, ActorID: a.UserID, TeamID: a.TeamID, SubjectID: m.ID, Data: of(m)})
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
	roles := slices.DeleteFunc(slices.Clone(a.Grant.Roles), func(r *ent.Role) bool {
		return slices.ContainsFunc(m.Edges.Roles, func(held *ent.Role) bool { return held.ID == r.ID })
	})
	groups := slices.DeleteFunc(slices.Clone(a.Grant.Groups), func(g *ent.Group) bool {
		return slices.ContainsFunc(m.Edges.Groups, func(held *ent.Group) bool { return held.ID == g.ID })
	})
	m, err := tx.Member.UpdateOne(m).
		SetPermissions(permissions).SetAllPermissions(m.AllPermissions || a.Grant.AllPermissions).AddRoles(roles...).AddGroups(groups...).
		AddVersion(1).SetUpdatedAt(s.Now()).
		Save(ctx)
	if err != nil {
		return nil, fmt.Errorf("widen member: %w", err)
	}
	return m, s.Events.Append(ctx, tx, a.AccountID,
		event.Draft{Type: event.MemberUpdated, ActorID: a.UserID, TeamID: a.TeamID, SubjectID: m.ID, Data: of(m)})
}

// CheckSeats fails with SEAT_LIMIT_REACHED when the team, as the transaction
// sees it, can take nobody more.
func (s *Service) CheckSeats(ctx context.Context, tx *store.Tx, acc *ent.Account, t *ent.Team) error {
	left, err := s.SeatsLeft(ctx, tx, acc, t)
	if err == nil && left != nil && *left == 0 {
		err = fault.Input(fault.SeatLimitReached, "The team has no seat left.")
	}
	return err
}

// SeatsLeft returns how many people more the team can take, nil for any number.
// Open invitations take a seat if the account says so.
func (s *Service) SeatsLeft(ctx context.Context, tx *store.Tx, acc *ent.Account, t *ent.Team) (*int, error) {
	if acc.MaxMembersPerTeam == nil {
		return nil, nil //nolint:nilnil // no limit is an answer
	}
	taken := t.ActiveMembers
	if acc.CountPendingAsSeats {
		// Few: the sweep writes them down within seconds.
		overdue, err := tx.Invitation.Query().
			Where(invitation.TeamID(t.ID), lifecycle.Overdue(s.Now())).
			Count(ctx)
		if err != nil {
			return nil, fmt.Errorf("count the overdue invitations of %s: %w", t.ID, err)
		}
		taken += t.PendingInvitations - overdue
	}
	left := max(*acc.MaxMembersPerTeam-taken, 0)
	return &left, nil
}
