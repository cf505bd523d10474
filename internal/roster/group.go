package roster

import (
	"context"
	"fmt"
	"slices"

	"entgo.io/ent/dialect/sql"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/group"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/lifecycle"
	"github.com/convoke-dev/convoke/internal/text"
	"github.com/convoke-dev/convoke/internal/uid"
)

// NewGroup is a group to create, as the client sends it.
type NewGroup struct {
	AccountID, Name, Description string
	RoleIDs                      []string
	IdempotencyKey               *string
}

// CreateGroup makes a group of people who share the roles. Needs roles.manage
// account-wide. Fails like act.AccountWide, and with BLANK, TOO_LONG,
// GROUP_LIMIT_REACHED, ROLE_NOT_FOUND, NOT_GRANTABLE above the viewer's ceiling, or
// IDEMPOTENCY_KEY_REUSED.
func (s *Service) CreateGroup(ctx context.Context, n NewGroup) (id string, err error) {
	return s.create(ctx, act.AccountWide(n.AccountID, access.RolesManage), "createGroup", n.IdempotencyKey, n, func(ctx context.Context, a *act.Act) (string, error) {
		var wrong fault.Errors
		clean, bad := checkName(n.Name)
		wrong.Add(bad)
		description, bad := text.Note(n.Description, "description")
		wrong.Add(bad)
		roles, bad, err := s.roles(ctx, a.Tx, a.Account.ID, n.RoleIDs, "roleIds")
		if err != nil {
			return "", err
		}
		wrong.Add(bad)
		if err := wrong.Err(); err != nil {
			return "", err
		}
		if err := s.CheckCeiling(a.Actor, access.Grant{Roles: roles}); err != nil {
			return "", err
		}
		if err := checkRoom(ctx, a.Tx.Group.Query().Where(group.AccountID(a.Account.ID)).Count, maxGroups, fault.GroupLimitReached, "groups"); err != nil {
			return "", err
		}
		now := s.Now()
		g, err := a.Tx.Group.Create().
			SetID(uid.New(uid.Group)).SetCreatedAt(now).SetUpdatedAt(now).SetAccountID(a.Account.ID).
			SetName(clean).SetDescription(description).AddRoles(roles...).
			Save(ctx)
		if err != nil {
			return "", fmt.Errorf("create group: %w", err)
		}
		return g.ID, a.Log(ctx, event.GroupCreated, "", g.ID, nil)
	})
}

// onGroup runs f on a group with its roles, read in the transaction. Needs
// roles.manage account-wide. Fails like act.AccountWide, and with NOT_FOUND.
func (s *Service) onGroup(ctx context.Context, id string, f func(ctx context.Context, a *act.Act, g *ent.Group) error) error {
	if _, err := access.SignedIn(ctx); err != nil {
		return err
	}
	known, err := s.Store.Read().Group.Query().Where(group.ID(id)).Only(ctx)
	if known, err = found(known, err, "group"); err != nil {
		return err
	}
	return s.Door.Do(ctx, act.AccountWide(known.AccountID, access.RolesManage), func(ctx context.Context, a *act.Act) error {
		g, err := a.Tx.Group.Query().Where(group.ID(id)).WithRoles().Only(ctx)
		if g, err = found(g, err, "group"); err != nil {
			return err
		}
		return f(ctx, a, g)
	})
}

// GroupChange is a change of a group. A nil field stays as it is.
type GroupChange struct {
	GroupID           string
	Name, Description *string
	RoleIDs           []string
	ExpectedVersion   *int
}

// UpdateGroup changes a group for everybody in it. Needs roles.manage
// account-wide. Fails like act.AccountWide, and with NOT_FOUND, BLANK, TOO_LONG,
// ROLE_NOT_FOUND, CONFLICT, or NOT_GRANTABLE when an added role is above the
// viewer's ceiling, when the viewer is restricted, or when they would gain
// permissions in one of their teams.
func (s *Service) UpdateGroup(ctx context.Context, c GroupChange) error {
	return s.onGroup(ctx, c.GroupID, func(ctx context.Context, a *act.Act, g *ent.Group) error {
		var wrong fault.Errors
		data := map[string]string{}
		u := a.Tx.Group.Update().Where(group.ID(g.ID), group.Version(g.Version)).AddVersion(1).SetUpdatedAt(s.Now())
		if c.Name != nil {
			clean, bad := checkName(*c.Name)
			wrong.Add(bad)
			u.SetName(clean)
		}
		if c.Description != nil {
			clean, bad := text.Note(*c.Description, "description")
			wrong.Add(bad)
			u.SetDescription(clean)
		}
		roles, bad, err := s.roles(ctx, a.Tx, a.Account.ID, c.RoleIDs, "roleIds")
		if err != nil {
			return err
		}
		wrong.Add(bad)
		wrong.Add(checkVersion(c.ExpectedVersion, g.Version))
		if err := wrong.Err(); err != nil {
			return err
		}
		if c.RoleIDs != nil {
			added := slices.DeleteFunc(slices.Clone(roles), func(r *ent.Role) bool {
				return slices.ContainsFunc(g.Edges.Roles, func(has *ent.Role) bool { return has.ID == r.ID })
			})
			if err := s.CheckCeiling(a.Actor, access.Grant{Roles: added}); err != nil {
				return err
			}
			if len(added) > 0 {
				if err := checkUnrestricted(a.Actor, "roleIds"); err != nil {
					return err
				}
			}
			if len(added) > 0 || len(roles) != len(g.Edges.Roles) {
				data[event.Reload] = event.Set
			}
			u.ClearRoles().AddRoles(roles...)
		}
		if err := s.withoutGain(ctx, a, "roleIds", func() error { return changed(u.Save(ctx)) }); err != nil {
			return err
		}
		return a.Log(ctx, event.GroupUpdated, "", g.ID, data)
	})
}

// DeleteGroup deletes a group. Its people lose the permissions that they held by
// it. Needs roles.manage account-wide. Fails like act.AccountWide, and with
// NOT_FOUND, or GROUP_IN_USE while an open invitation would grant nothing without
// the group.
func (s *Service) DeleteGroup(ctx context.Context, groupID string) error {
	return s.onGroup(ctx, groupID, func(ctx context.Context, a *act.Act, g *ent.Group) error {
		needed, err := s.onlyGrant(ctx, a, g)
		if err != nil {
			return err
		}
		if needed {
			return fault.Input(fault.GroupInUse, "Open invitations grant nothing but this group. Revoke or change them first.", "groupId")
		}
		if err := a.Tx.Group.DeleteOne(g).Exec(ctx); err != nil {
			return fmt.Errorf("delete group %s: %w", g.ID, err)
		}
		return a.Log(ctx, event.GroupDeleted, "", g.ID, map[string]string{event.Reload: event.Set})
	})
}

// onlyGrant reports whether there is an open invitation that grants this group and
// nothing else. Its addressee would accept an offer of nothing if the group went.
func (s *Service) onlyGrant(ctx context.Context, a *act.Act, g *ent.Group) (bool, error) {
	needed, err := a.Tx.Invitation.Query().Where(
		lifecycle.Open(s.Now()), invitation.HasGroupsWith(group.ID(g.ID)),
		invitation.Not(invitation.HasGroupsWith(group.IDNEQ(g.ID))), invitation.Not(invitation.HasRoles()),
		func(s *sql.Selector) { // no list of permissions is stored as an empty one, or as null
			s.Where(sql.P(func(b *sql.Builder) {
				b.WriteString("CAST(").Ident(s.C(invitation.FieldPermissions)).WriteString(" AS TEXT) IN ('[]', 'null')")
			}))
		},
	).Exist(ctx)
	if err != nil {
		return false, fmt.Errorf("look whether invitations need group %s: %w", g.ID, err)
	}
	return needed, nil
}
