package roster

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/session"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/store"
)

// onMember runs f on a member with their roles, groups and divisions, read in the
// transaction. Needs the permission in the member's team. Fails like act.InTeam,
// and with NOT_FOUND.
func (s *Service) onMember(ctx context.Context, id, permission string, f func(ctx context.Context, a *act.Act, m *ent.Member) error) error {
	if _, err := access.SignedIn(ctx); err != nil {
		return err
	}
	known, err := s.Store.Read().Member.Query().Where(member.ID(id)).Only(ctx)
	if known, err = found(known, err, "member"); err != nil {
		return err
	}
	return s.Door.Do(ctx, act.InTeam(known.TeamID, permission), func(ctx context.Context, a *act.Act) error {
		m, err := memberOf(ctx, a, id)
		if err != nil {
			return err
		}
		return f(ctx, a, m)
	})
}

// memberOf returns a member with all that they hold and their divisions, as the act's
// transaction sees them. Fails with NOT_FOUND.
func memberOf(ctx context.Context, a *act.Act, id string) (*ent.Member, error) {
	m, err := a.Tx.Member.Query().Where(member.ID(id)).
		WithRoles().WithGroups(func(q *ent.GroupQuery) { q.WithRoles() }).WithDivisions().Only(ctx)
	return found(m, err, "member")
}

// notSelf fails with CANNOT_ACT_ON_SELF or OWNER_PROTECTED.
func notSelf(a *act.Act, m *ent.Member) error {
	if slices.Contains(ofPerson(a.UserID, m), act.OfSelf) {
		return fault.Input(fault.CannotActOnSelf, "You cannot do this to yourself.", "memberId")
	}
	return notOwner(m)
}

// notOwner fails with OWNER_PROTECTED.
func notOwner(m *ent.Member) error {
	if len(ofOwner(m)) > 0 {
		return fault.Input(fault.OwnerProtected, "This member owns the team. Transfer the ownership first.", "memberId")
	}
	return nil
}

// Roles is everything that a member will hold. A nil list is empty, but at least
// one list must be given.
type Roles struct {
	MemberID        string
	RoleIDs         []string
	GroupIDs        []string
	Permissions     []string
	ExpectedVersion *int
}

// SetRoles replaces a member's roles, groups and direct permissions. Needs
// roles.assign in the team. Fails like act.InTeam, and with CANNOT_ACT_ON_SELF,
// OWNER_PROTECTED, INVALID_GRANT when no list is given, ROLE_NOT_FOUND, NOT_FOUND,
// PERMISSION_UNKNOWN, CONFLICT, or NOT_GRANTABLE when an addition is above the
// viewer's ceiling, or the member reaches further than the viewer.
func (s *Service) SetRoles(ctx context.Context, r Roles) error {
	return s.onMember(ctx, r.MemberID, access.RolesAssign, func(ctx context.Context, a *act.Act, m *ent.Member) error {
		_, err := s.setRoles(ctx, a, m, r)
		return err
	})
}

// setRoles is SetRoles in its transaction. It reports whether anything changed.
func (s *Service) setRoles(ctx context.Context, a *act.Act, m *ent.Member, r Roles) (changed bool, err error) {
	if err := notSelf(a, m); err != nil {
		return false, err
	}
	if r.RoleIDs == nil && r.GroupIDs == nil && r.Permissions == nil {
		return false, fault.Input(fault.InvalidGrant, "Name the roles, groups or permissions that the member will hold.", "roleIds")
	}
	g, err := s.Resolve(ctx, a.Tx, a.Account.ID, Wish{RoleIDs: r.RoleIDs, GroupIDs: r.GroupIDs, Permissions: r.Permissions})
	if err != nil {
		return false, err
	}
	if bad := checkVersion(r.ExpectedVersion, m.Version); bad != nil {
		return false, bad
	}
	added := beyond(m, g)
	if err := s.CheckCeiling(a.Actor, added); err != nil {
		return false, err
	}
	if field := firstOf(added); field != "" && CheckReach(a.Actor, reachOf(m)) != nil {
		return false, fault.Input(fault.NotGrantable, "This member may act in divisions or domains that you may not act in. Restrict them first.", field)
	}
	if len(added.Roles)+len(added.Groups)+len(added.Permissions) == 0 && !m.AllPermissions &&
		len(g.Roles) == len(m.Edges.Roles) && len(g.Groups) == len(m.Edges.Groups) && len(g.Permissions) == len(m.Permissions) {
		return false, nil
	}
	return true, s.changeMember(ctx, a, m, func(u *ent.MemberUpdate) {
		u.ClearRoles().AddRoles(g.Roles...).ClearGroups().AddGroups(g.Groups...).
			SetPermissions(g.Permissions).SetAllPermissions(false)
	})
}

// firstOf returns the field of the first part of a grant that is not empty; empty
// when all are.
func firstOf(g access.Grant) string {
	switch {
	case len(g.Roles) > 0:
		return "roleIds"
	case len(g.Groups) > 0:
		return "groupIds"
	case len(g.Permissions) > 0:
		return "permissions"
	}
	return ""
}

// reachOf returns the restriction of a member. The divisions must be loaded.
func reachOf(m *ent.Member) Scope {
	sc := Scope{Domains: m.AllowedDomains}
	for _, d := range m.Edges.Divisions {
		sc.DivisionIDs = append(sc.DivisionIDs, d.ID)
	}
	return sc
}

// beyond returns the part of a grant that the member does not hold. A member with
// all permissions holds each of them. Roles and groups must be loaded.
func beyond(m *ent.Member, g access.Grant) access.Grant {
	added := access.Grant{}
	for _, r := range g.Roles {
		if !slices.ContainsFunc(m.Edges.Roles, func(held *ent.Role) bool { return held.ID == r.ID }) {
			added.Roles = append(added.Roles, r)
		}
	}
	for _, gr := range g.Groups {
		if !slices.ContainsFunc(m.Edges.Groups, func(held *ent.Group) bool { return held.ID == gr.ID }) {
			added.Groups = append(added.Groups, gr)
		}
	}
	for _, p := range g.Permissions {
		if !m.AllPermissions && !slices.Contains(m.Permissions, p) {
			added.Permissions = append(added.Permissions, p)
		}
	}
	return added
}

// changeMember changes a member by compare-and-set on the version, and logs it.
// Fails with CONFLICT.
func (s *Service) changeMember(ctx context.Context, a *act.Act, m *ent.Member, change func(*ent.MemberUpdate)) error {
	u := a.Tx.Member.Update().Where(member.ID(m.ID), member.Version(m.Version)).AddVersion(1).SetUpdatedAt(s.Now())
	change(u)
	n, err := u.Save(ctx)
	if err != nil {
		return fmt.Errorf("change member %s: %w", m.ID, err)
	}
	if n == 0 {
		return conflict()
	}
	return a.Log(ctx, event.MemberUpdated, m.TeamID, m.ID, memberData(m))
}

// Restrictions is the new restriction of a member. A nil list stays as it is; an
// empty list restricts to nothing.
type Restrictions struct {
	MemberID        string
	DivisionIDs     []string
	Domains         []string
	ExpectedVersion *int
}

// SetRestrictions restricts a member to divisions and domains. Needs
// members.update in the team. Fails like act.InTeam, and with OWNER_PROTECTED,
// NOT_FOUND, INVALID_VALUE, CONFLICT, or NOT_GRANTABLE or DOMAIN_NOT_ALLOWED when
// the viewer is restricted and the member would reach further. A member who reaches
// further than before gets their permissions there, so it also fails with
// NOT_GRANTABLE when the viewer holds less than the member.
func (s *Service) SetRestrictions(ctx context.Context, r Restrictions) error {
	return s.onMember(ctx, r.MemberID, access.MembersUpdate, func(ctx context.Context, a *act.Act, m *ent.Member) error {
		if err := notOwner(m); err != nil {
			return err
		}
		sc := reachOf(m)
		if r.Domains != nil {
			sc.Domains = r.Domains
		}
		if r.DivisionIDs != nil {
			sc.DivisionIDs = r.DivisionIDs
		}
		sc, err := CheckScope(sc)
		if err != nil {
			return err
		}
		divisions, err := s.Divisions(ctx, a.Tx, a.Account.ID, sc.DivisionIDs)
		if err != nil {
			return err
		}
		if bad := checkVersion(r.ExpectedVersion, m.Version); bad != nil {
			return bad
		}
		if err := CheckReach(a.Actor, sc); err != nil {
			return err
		}
		if err := s.checkFurther(ctx, a, m, sc); err != nil {
			return err
		}
		return s.changeMember(ctx, a, m, func(u *ent.MemberUpdate) {
			u.ClearDivisions().AddDivisions(divisions...).SetAllowedDomains(sc.Domains)
		})
	})
}

// Deactivate puts a membership on hold: it permits nothing and keeps its roles. A
// membership on hold stays so, without an event. Needs members.deactivate in the
// team. Fails like act.InTeam, and with NOT_FOUND, CANNOT_ACT_ON_SELF,
// OWNER_PROTECTED or CONFLICT.
func (s *Service) Deactivate(ctx context.Context, memberID string) error {
	return s.onMember(ctx, memberID, access.MembersDeactivate, func(ctx context.Context, a *act.Act, m *ent.Member) error {
		if err := notSelf(a, m); err != nil {
			return err
		}
		if m.Status == member.StatusDeactivated {
			return nil
		}
		if err := s.cancelTransfers(ctx, a, m); err != nil {
			return err
		}
		if err := s.setMemberStatus(ctx, a, m, member.StatusDeactivated, event.MemberDeactivated); err != nil {
			return err
		}
		return s.detachUser(ctx, a.Tx, m)
	})
}

// Reactivate takes a membership off hold, with the roles it had. An active
// membership stays so, without an event. Needs members.deactivate in the team, and all
// that the member gets back: the permissions, in the divisions and domains where the
// member may act. Fails like act.InTeam, and with NOT_FOUND, NOT_GRANTABLE,
// SEAT_LIMIT_REACHED or CONFLICT.
func (s *Service) Reactivate(ctx context.Context, memberID string) error {
	return s.onMember(ctx, memberID, access.MembersDeactivate, func(ctx context.Context, a *act.Act, m *ent.Member) error {
		if m.Status == member.StatusActive {
			return nil
		}
		if len(s.ofGift(a.Actor, m)) > 0 {
			return fault.Input(fault.NotGrantable, "Reactivating would give the member more than you hold yourself.", "memberId")
		}
		t, err := a.Tx.Team.Get(ctx, m.TeamID)
		if err != nil {
			return fmt.Errorf("read team %s: %w", m.TeamID, err)
		}
		if err := s.CheckSeats(ctx, a.Tx, a.Account, t); err != nil {
			return err
		}
		return s.setMemberStatus(ctx, a, m, member.StatusActive, event.MemberReactivated)
	})
}

// setMemberStatus changes a member's status by compare-and-set, and logs it. Fails
// with CONFLICT.
func (s *Service) setMemberStatus(ctx context.Context, a *act.Act, m *ent.Member, to member.Status, typ event.Type) error {
	n, err := a.Tx.Member.Update().
		Where(member.ID(m.ID), member.StatusEQ(m.Status), member.IsOwner(false)).
		SetStatus(to).AddVersion(1).SetUpdatedAt(s.Now()).Save(ctx)
	if err != nil {
		return fmt.Errorf("set member %s to %s: %w", m.ID, to, err)
	}
	if n == 0 {
		return conflict()
	}
	d := Delta{Active: 1, Deactivated: -1}
	if to == member.StatusDeactivated {
		d = Delta{Active: -1, Deactivated: 1}
	}
	if err := Count(ctx, a.Tx, m.TeamID, d); err != nil {
		return err
	}
	return a.Log(ctx, typ, m.TeamID, m.ID, memberData(m))
}

// Remove ends a membership and returns the id of its team. The person can be invited
// again. The invitations that they are the granter of are revoked, unless the account
// keeps them. Needs members.remove in the team. Fails like act.InTeam, and with
// NOT_FOUND, CANNOT_ACT_ON_SELF, OWNER_PROTECTED or CONFLICT.
func (s *Service) Remove(ctx context.Context, memberID string) (teamID string, err error) {
	err = s.onMember(ctx, memberID, access.MembersRemove, func(ctx context.Context, a *act.Act, m *ent.Member) error {
		if err := notSelf(a, m); err != nil {
			return err
		}
		teamID = m.TeamID
		return s.endMemberships(ctx, a, m)
	})
	return teamID, err
}

// Leave ends the viewer's own membership and returns its id. Needs no permission.
// A member may leave a suspended account too. Fails with UNAUTHENTICATED,
// FORBIDDEN for an API key, NOT_FOUND, CONFLICT, or OWNER_PROTECTED for the owner.
func (s *Service) Leave(ctx context.Context, teamID string) (memberID string, err error) {
	v, err := access.Person(ctx)
	if err != nil {
		return "", err
	}
	mine := v.Membership(teamID)
	if mine == nil {
		return "", fault.Refuse(fault.NotFound, "There is no such team.")
	}
	rule := act.AsMember(mine.AccountID, teamID).EvenSuspended()
	return mine.ID, s.Door.Do(ctx, rule, func(ctx context.Context, a *act.Act) error {
		if a.Actor.ID != mine.ID { // removed, and admitted again since the request began
			return fault.Refuse(fault.NotFound, "There is no such team.")
		}
		m, err := a.Tx.Member.Get(ctx, a.Actor.ID)
		if err != nil {
			return fmt.Errorf("leave %s: %w", teamID, err)
		}
		if m.IsOwner {
			return fault.Input(fault.OwnerProtected, "You own this team. Transfer the ownership first.", "teamId")
		}
		return s.endMemberships(ctx, a, m)
	})
}

// endMemberships deletes members of one team, with what depends on the memberships. It
// locks all members before the users, and these in the order of their ids, so that two
// accounts that remove the same people do not wait for each other. Fails with CONFLICT.
func (s *Service) endMemberships(ctx context.Context, a *act.Act, members ...*ent.Member) error {
	for _, m := range members {
		if err := s.endMembership(ctx, a, m); err != nil {
			return err
		}
	}
	byUser := func(m, n *ent.Member) int { return cmp.Compare(m.UserID, n.UserID) }
	for _, m := range slices.SortedFunc(slices.Values(members), byUser) {
		if err := s.detachUser(ctx, a.Tx, m); err != nil {
			return err
		}
	}
	return nil
}

// endMembership deletes a member, with what depends on the membership but the user:
// transfers, invitations and counters. Fails with CONFLICT.
func (s *Service) endMembership(ctx context.Context, a *act.Act, m *ent.Member) error {
	if err := s.cancelTransfers(ctx, a, m); err != nil {
		return err
	}
	d := Departure{AccountID: a.Account.ID, TeamID: m.TeamID, UserID: m.UserID, ActorID: a.UserID}
	if a.Account.KeepInvitationsOfRemovedMembers {
		// The owner of the team becomes the granter of the invitations it keeps.
		owner, err := a.Tx.Member.Query().Where(member.TeamID(m.TeamID), member.IsOwner(true)).Only(ctx)
		if err != nil {
			return fmt.Errorf("find the owner of %s: %w", m.TeamID, err)
		}
		d.HeirID = owner.UserID
	}
	if err := s.Departing(ctx, a.Tx, d); err != nil {
		return err
	}
	n, err := a.Tx.Member.Delete().Where(member.ID(m.ID), member.IsOwner(false)).Exec(ctx)
	if err != nil {
		return fmt.Errorf("remove member %s: %w", m.ID, err)
	}
	if n == 0 {
		return conflict()
	}
	left := Delta{Active: -1}
	if m.Status == member.StatusDeactivated {
		left = Delta{Deactivated: -1}
	}
	if err := Count(ctx, a.Tx, m.TeamID, left); err != nil {
		return err
	}
	return a.Log(ctx, event.MemberRemoved, m.TeamID, m.ID, memberData(m))
}

// detachUser changes the active team of a user whose membership was ended or put
// on hold. The sessions of a user without an active membership end.
func (s *Service) detachUser(ctx context.Context, tx *store.Tx, m *ent.Member) error {
	// Two accounts may end memberships of the same user at the same moment. The
	// lock on the user's row makes the second transaction see the first one's
	// change.
	u, err := tx.User.UpdateOneID(m.UserID).SetUpdatedAt(s.Now()).Save(ctx)
	if err != nil {
		return fmt.Errorf("lock user %s: %w", m.UserID, err)
	}
	left, err := tx.Member.Query().
		Where(member.UserID(m.UserID), member.StatusEQ(member.StatusActive)).
		Order(member.ByCreatedAt(), member.ByID()).All(ctx)
	if err != nil {
		return fmt.Errorf("find the teams of %s: %w", m.UserID, err)
	}
	if len(left) == 0 {
		if _, err := tx.Session.Delete().Where(session.UserID(m.UserID)).Exec(ctx); err != nil {
			return fmt.Errorf("end the sessions of %s: %w", m.UserID, err)
		}
	}
	if u.ActiveTeamID != m.TeamID {
		return nil
	}
	next := ""
	if len(left) > 0 {
		next = left[0].TeamID
	}
	if err := tx.User.UpdateOne(u).SetActiveTeamID(next).Exec(ctx); err != nil {
		return fmt.Errorf("set the active team of %s: %w", u.ID, err)
	}
	return nil
}
