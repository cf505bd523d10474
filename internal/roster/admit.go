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

// Admission is a user who becomes a member of a team, with their grant and
// restrictions.
type Admission struct {
	AccountID      string
	TeamID         string
	UserID         string
	Grant          access.Grant
	Divisions      []*ent.Division // empty = not restricted to divisions
	AllowedDomains []string        // empty = not restricted to domains
	// Giver answers for the grant; nil gives everything. What they give to a member who
	// reaches further than they do would reach further too.
	Giver *access.Membership
}

// Admit makes the user a member of the team. A user who is a member already gets
// what they lack of the grant and loses nothing. Fails with MEMBER_DEACTIVATED,
// INVITER_LOST_GRANT for a member who reaches further than the giver or the admission, or
// SEAT_LIMIT_REACHED when the team is full. The context is the system's,
// the transaction the account's.
func (s *Service) Admit(ctx context.Context, tx *store.Tx, acc *ent.Account, a Admission) (*ent.Member, error) {
	existing, err := tx.Member.Query().
		Where(member.TeamID(a.TeamID), member.UserID(a.UserID)).WithRoles().WithGroups().WithDivisions().
		Only(ctx)
	switch {
	case err == nil:
		return s.addGrant(ctx, tx, existing, a)
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
		err = s.readdressed(ctx, tx, m, u)
	}
	if err == nil {
		err = Count(ctx, tx, t.ID, Delta{Active: 1})
	}
	if err != nil {
		return nil, fmt.Errorf("admit %s to %s: %w", a.UserID, a.TeamID, err)
	}
	return m, s.Events.Append(ctx, tx, a.AccountID,
		event.Draft{Type: event.MemberJoined, ActorID: a.UserID, TeamID: a.TeamID, SubjectID: m.ID, Data: memberData(m)})
}

// readdressed copies the user's address to their new member once more when it has changed
// since the user was read. It cannot change between now and the commit, because the
// member's row refers to the user's. CONFLICT for a user who was erased meanwhile.
func (s *Service) readdressed(ctx context.Context, tx *store.Tx, m *ent.Member, u *ent.User) error {
	now, err := tx.User.Get(ctx, u.ID)
	switch {
	case err != nil:
		return err
	case now.ErasedAt != nil:
		return fault.Input(fault.Conflict, "This user is being erased.")
	case now.EmailKey == u.EmailKey:
		return nil
	}
	return tx.Member.UpdateOne(m).SetEmailKey(now.EmailKey).SetSortName(sortName(now)).SetSearch(searchText(now)).Exec(ctx)
}

// adds reports whether the grant has anything that the member does not have.
func (a Admission) adds(m *ent.Member) bool {
	return firstOf(beyond(m, a.Grant)) != "" || a.Grant.AllPermissions && !m.AllPermissions
}

// within reports whether a member of the scope would get the grant nowhere but where it was
// given. A division below one of the grant's does not count: it may move away.
func (a Admission) within(sc Scope) bool {
	given := map[string]bool{}
	for _, d := range a.Divisions {
		given[d.ID] = true
	}
	outside := func(id string) bool { return !given[id] }
	foreign := func(d string) bool { return !slices.Contains(a.AllowedDomains, d) }
	return (len(a.Divisions) == 0 || len(sc.DivisionIDs) > 0 && !slices.ContainsFunc(sc.DivisionIDs, outside)) &&
		(len(a.AllowedDomains) == 0 || len(sc.Domains) > 0 && !slices.ContainsFunc(sc.Domains, foreign))
}

// addGrant gives a member what they lack of the grant. Their restrictions stay as
// they are.
func (s *Service) addGrant(ctx context.Context, tx *store.Tx, m *ent.Member, a Admission) (*ent.Member, error) {
	if m.Status == member.StatusDeactivated {
		return nil, fault.Input(fault.MemberDeactivated, "Your membership in this team is deactivated. Ask an admin of the team to reactivate it.")
	}
	if a.Giver != nil && CheckReach(a.Giver, reachOf(m)) != nil {
		return nil, fault.Input(fault.InviterLostGrant, "You may act where the inviter may not, so they cannot grant you this; ask for a new invitation.")
	}
	if a.adds(m) && !a.within(reachOf(m)) {
		return nil, fault.Input(fault.InviterLostGrant, "You may act where this invitation does not reach, so it cannot grant you more; ask an admin of the team.")
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
		return nil, fmt.Errorf("grant more to member %s: %w", a.UserID, err)
	}
	return m, s.Events.Append(ctx, tx, a.AccountID,
		event.Draft{Type: event.MemberUpdated, ActorID: a.UserID, TeamID: a.TeamID, SubjectID: m.ID, Data: memberData(m)})
}

// CheckSeats fails with SEAT_LIMIT_REACHED when the team is full. The team is
// read in the transaction.
func (s *Service) CheckSeats(ctx context.Context, tx *store.Tx, acc *ent.Account, t *ent.Team) error {
	left, err := s.SeatsLeft(ctx, tx, acc, t)
	if err == nil && left != nil && *left == 0 {
		err = fault.Input(fault.SeatLimitReached, "The team has no seat left.")
	}
	return err
}

// SeatsLeft returns how many more members the team may have, nil for no limit.
// An open invitation takes a seat when the account counts pending invitations as
// seats.
func (s *Service) SeatsLeft(ctx context.Context, tx *store.Tx, acc *ent.Account, t *ent.Team) (*int, error) {
	if acc.MaxMembersPerTeam == nil {
		return nil, nil //nolint:nilnil // nil means no limit
	}
	taken := t.ActiveMembers
	if acc.CountPendingAsSeats {
		// The counter still has the overdue invitations. They are few, because the
		// sweep stores within seconds that they have expired.
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
