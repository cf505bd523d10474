package roster

import (
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

// onMember runs f on a member as he stands in the transaction, for a viewer who
// holds the permission in his team. It fails with UNAUTHENTICATED, NOT_FOUND,
// FORBIDDEN or ACCOUNT_SUSPENDED.
func (s *Service) onMember(ctx context.Context, id, permission string, f func(ctx context.Context, a *act.Act, m *ent.Member) error) error {
	if _, err := access.SignedIn(ctx); err != nil {
		return err
	}
	known, err := s.Store.Read().Member.Query().Where(member.ID(id)).Only(ctx)
	if known, err = found(known, err, "member"); err != nil {
		return err
	}
	return s.Door.Do(ctx, act.InTeam(known.TeamID, permission), func(ctx context.Context, a *act.Act) error {
		m, err := a.Tx.Member.Query().Where(member.ID(id)).WithRoles().WithGroups().WithDivisions().Only(ctx)
		if m, err = found(m, err, "member"); err != nil {
			return err
		}
		return f(ctx, a, m)
	})
}

// notSelf fails with CANNOT_ACT_ON_SELF or OWNER_PROTECTED.
func notSelf(a *act.Act, m *ent.Member) error {
	if m.UserID == a.UserID {
		return fault.Input(fault.CannotActOnSelf, "You cannot do this to yourself.", "memberId")
	}
	return notOwner(m)
}

func notOwner(m *ent.Member) error {
	if m.IsOwner {
		return fault.Input(fault.OwnerProtected, "This is the team's owner; the ownership has to be transferred first.", "memberId")
	}
	return nil
}

// Roles is all that a member is to hold from now on. A list that is left out
// is empty, but not all of them can be left out.
type Roles struct {
	MemberID        string
	RoleIDs         []string
	GroupIDs        []string
	Permissions     []string
	ExpectedVersion *int
}

// SetRoles replaces a member's roles, groups and direct permissions. It needs
// roles.assign. Beside the refusals of rights it fails with CANNOT_ACT_ON_SELF,
// OWNER_PROTECTED, INVALID_GRANT when nothing is said, ROLE_NOT_FOUND, NOT_FOUND,
// PERMISSION_UNKNOWN, NOT_GRANTABLE for what is added above the viewer's own
// rights, or to somebody who reaches further than he does, CONFLICT or
// ACCOUNT_SUSPENDED.
func (s *Service) SetRoles(ctx context.Context, r Roles) error {
	return s.onMember(ctx, r.MemberID, access.RolesAssign, func(ctx context.Context, a *act.Act, m *ent.Member) error {
		if err := notSelf(a, m); err != nil {
			return err
		}
		if r.RoleIDs == nil && r.GroupIDs == nil && r.Permissions == nil {
			return fault.Input(fault.InvalidGrant, "Say which roles, groups or permissions the member is to hold.", "roleIds")
		}
		g, err := s.Resolve(ctx, a.Tx, a.Account.ID, Wish{RoleIDs: r.RoleIDs, GroupIDs: r.GroupIDs, Permissions: r.Permissions})
		if err != nil {
			return err
		}
		if bad := expect(r.ExpectedVersion, m.Version); bad != nil {
			return bad
		}
		added := beyond(m, g)
		if err := s.CheckCeiling(a.Actor, added); err != nil {
			return err
		}
		if field := firstOf(added); field != "" && CheckReach(a.Actor, reachOf(m)) != nil {
			return fault.Input(fault.NotGrantable, "This member reaches further than you do; restrict them first.", field)
		}
		if len(added.Roles)+len(added.Groups)+len(added.Permissions) == 0 && !m.AllPermissions &&
			len(g.Roles) == len(m.Edges.Roles) && len(g.Groups) == len(m.Edges.Groups) && len(g.Permissions) == len(m.Permissions) {
			return nil // as it is already
		}
		return s.changeMember(ctx, a, m, func(u *ent.MemberUpdate) {
			u.ClearRoles().AddRoles(g.Roles...).ClearGroups().AddGroups(g.Groups...).
				SetPermissions(g.Permissions).SetAllPermissions(false)
		})
	})
}

// firstOf is the field of the first thing a grant holds; empty for none.
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

// reachOf is what a member is restricted to. His divisions must be loaded.
func reachOf(m *ent.Member) Scope {
	sc := Scope{Domains: m.AllowedDomains}
	for _, d := range m.Edges.Divisions {
		sc.DivisionIDs = append(sc.DivisionIDs, d.ID)
	}
	return sc
}

// beyond returns what a grant has that the member does not hold. Who held all
// permissions held every single one.
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

// changeMember changes a member by compare-and-set on his version, and logs it.
func (s *Service) changeMember(ctx context.Context, a *act.Act, m *ent.Member, change func(*ent.MemberUpdate)) error {
	u := a.Tx.Member.Update().Where(member.ID(m.ID), member.Version(m.Version)).AddVersion(1).SetUpdatedAt(s.Now())
	change(u)
	n, err := u.Save(ctx)
	if err != nil {
		return fmt.Errorf("change member %s: %w", m.ID, err)
	}
	if n == 0 {
		return fault.Input(fault.Conflict, "Somebody else has changed this member meanwhile; look again.")
	}
	return a.Log(ctx, event.MemberUpdated, m.TeamID, m.ID, of(m))
}

// Restrictions is what a member is to be restricted to. A nil list leaves what
// is; an empty one lifts it.
type Restrictions struct {
	MemberID        string
	DivisionIDs     []string
	Domains         []string
	ExpectedVersion *int
}

// SetRestrictions restricts a member to divisions and domains. It needs
// members.update. Beside the refusals of rights it fails with OWNER_PROTECTED,
// NOT_FOUND, INVALID_VALUE, with NOT_GRANTABLE or DOMAIN_NOT_ALLOWED when the
// viewer is restricted himself and this would reach further, with CONFLICT or
// ACCOUNT_SUSPENDED.
func (s *Service) SetRestrictions(ctx context.Context, r Restrictions) error {
	return s.onMember(ctx, r.MemberID, access.MembersUpdate, func(ctx context.Context, a *act.Act, m *ent.Member) error {
		if err := notOwner(m); err != nil {
			return err
		}
		sc := Scope{DivisionIDs: r.DivisionIDs, Domains: r.Domains}
		if sc.Domains == nil {
			sc.Domains = m.AllowedDomains
		}
		if sc.DivisionIDs == nil {
			for _, d := range m.Edges.Divisions {
				sc.DivisionIDs = append(sc.DivisionIDs, d.ID)
			}
		}
		sc, err := CheckScope(sc)
		if err != nil {
			return err
		}
		divisions, err := s.Divisions(ctx, a.Tx, a.Account.ID, sc.DivisionIDs)
		if err != nil {
			return err
		}
		if bad := expect(r.ExpectedVersion, m.Version); bad != nil {
			return bad
		}
		if err := CheckReach(a.Actor, sc); err != nil {
			return err
		}
		return s.changeMember(ctx, a, m, func(u *ent.MemberUpdate) {
			u.ClearDivisions().AddDivisions(divisions...).SetAllowedDomains(sc.Domains)
		})
	})
}

// Deactivate puts a membership on hold: it counts for nothing, and keeps its
// roles. Doing it twice is a success. It needs members.deactivate. Beside the
// refusals of rights it fails with CANNOT_ACT_ON_SELF, OWNER_PROTECTED or
// ACCOUNT_SUSPENDED.
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
		if err := s.turn(ctx, a, m, member.StatusDeactivated, event.MemberDeactivated); err != nil {
			return err
		}
		return s.uproot(ctx, a.Tx, m)
	})
}

// Reactivate takes a membership off hold, with the roles it had. Doing it
// twice is a success. It needs members.deactivate. Beside the refusals of rights
// it fails with SEAT_LIMIT_REACHED or ACCOUNT_SUSPENDED.
func (s *Service) Reactivate(ctx context.Context, memberID string) error {
	return s.onMember(ctx, memberID, access.MembersDeactivate, func(ctx context.Context, a *act.Act, m *ent.Member) error {
		if m.Status == member.StatusActive {
			return nil
		}
		t, err := a.Tx.Team.Get(ctx, m.TeamID)
		if err != nil {
			return fmt.Errorf("read team %s: %w", m.TeamID, err)
		}
		if err := s.CheckSeats(ctx, a.Tx, a.Account, t); err != nil {
			return err
		}
		return s.turn(ctx, a, m, member.StatusActive, event.MemberReactivated)
	})
}

// turn changes a member's status by compare-and-set.
func (s *Service) turn(ctx context.Context, a *act.Act, m *ent.Member, to member.Status, typ event.Type) error {
	n, err := a.Tx.Member.Update().
		Where(member.ID(m.ID), member.StatusEQ(m.Status), member.IsOwner(false)).
		SetStatus(to).AddVersion(1).SetUpdatedAt(s.Now()).Save(ctx)
	if err != nil {
		return fmt.Errorf("turn member %s %s: %w", m.ID, to, err)
	}
	if n == 0 {
		return fault.Input(fault.Conflict, "Somebody else has changed this member meanwhile; look again.")
	}
	active := 1
	if to == member.StatusDeactivated {
		active = -1
	}
	err = a.Tx.Team.UpdateOneID(m.TeamID).AddActiveMembers(active).AddDeactivatedMembers(-active).Exec(ctx)
	if err != nil {
		return fmt.Errorf("count the members of %s: %w", m.TeamID, err)
	}
	return a.Log(ctx, typ, m.TeamID, m.ID, of(m))
}

// Remove ends a membership for good; he can be invited again. The invitations
// he answers for are revoked, unless the account keeps them. It needs
// members.remove. Beside the refusals of rights it fails with
// CANNOT_ACT_ON_SELF, OWNER_PROTECTED or ACCOUNT_SUSPENDED.
func (s *Service) Remove(ctx context.Context, memberID string) error {
	return s.onMember(ctx, memberID, access.MembersRemove, func(ctx context.Context, a *act.Act, m *ent.Member) error {
		if err := notSelf(a, m); err != nil {
			return err
		}
		return s.depart(ctx, a, m)
	})
}

// Leave ends the viewer's own membership and returns its id. It fails with
// UNAUTHENTICATED, NOT_FOUND or, for the owner, OWNER_PROTECTED.
func (s *Service) Leave(ctx context.Context, teamID string) (memberID string, err error) {
	v, err := access.SignedIn(ctx)
	if err != nil {
		return "", err
	}
	mine := v.Membership(teamID)
	if mine == nil {
		return "", fault.Refuse(fault.NotFound, "There is no such team.")
	}
	// A member may leave a suspended account.
	rule := act.AsMember(mine.AccountID, teamID).EvenSuspended()
	return mine.ID, s.Door.Do(ctx, rule, func(ctx context.Context, a *act.Act) error {
		m, err := a.Tx.Member.Get(ctx, a.Actor.ID)
		if err != nil {
			return fmt.Errorf("leave %s: %w", teamID, err)
		}
		if m.IsOwner {
			return fault.Input(fault.OwnerProtected, "You own this team; transfer the ownership first.", "teamId")
		}
		return s.depart(ctx, a, m)
	})
}

// depart takes a member out of the team.
func (s *Service) depart(ctx context.Context, a *act.Act, m *ent.Member) error {
	if err := s.cancelTransfers(ctx, a, m); err != nil {
		return err
	}
	d := Departure{AccountID: a.Account.ID, TeamID: m.TeamID, UserID: m.UserID, ActorID: a.UserID}
	if a.Account.KeepInvitationsOfRemovedMembers {
		// The owner of the team answers for what the account keeps.
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
		return fault.Input(fault.Conflict, "Somebody else has changed this member meanwhile; look again.")
	}
	t := a.Tx.Team.UpdateOneID(m.TeamID)
	if m.Status == member.StatusActive {
		t.AddActiveMembers(-1)
	} else {
		t.AddDeactivatedMembers(-1)
	}
	if err := t.Exec(ctx); err != nil {
		return fmt.Errorf("count the members of %s: %w", m.TeamID, err)
	}
	if err := a.Log(ctx, event.MemberRemoved, m.TeamID, m.ID, of(m)); err != nil {
		return err
	}
	return s.uproot(ctx, a.Tx, m)
}

// uproot gives the user of a membership that counts no more another active
// team. With none left his sessions end.
func (s *Service) uproot(ctx context.Context, tx *store.Tx, m *ent.Member) error {
	// Two accounts may let go of the same user at once: the lock on his row has
	// the second see what the first did.
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
