package roster

import (
	"context"
	"fmt"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/division"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/lifecycle"
	"github.com/convoke-dev/convoke/internal/uid"
)

// maxTreeDepth is the greatest number of levels of the tree of divisions.
const maxTreeDepth = 10

// NewDivision is a division to create, as the client sends it. An empty ParentID is
// the top of the tree.
type NewDivision struct {
	AccountID, Name, ParentID string
	IdempotencyKey            *string
}

// CreateDivision makes a division below the parent. Needs account.update account-wide.
// Fails like act.AccountWide, and with BLANK, TOO_LONG, NOT_FOUND for the parent,
// INVALID_VALUE when the tree would be too deep, DIVISION_LIMIT_REACHED, NOT_GRANTABLE
// when the viewer is restricted to other divisions than the parent, or
// IDEMPOTENCY_KEY_REUSED.
func (s *Service) CreateDivision(ctx context.Context, n NewDivision) (id string, err error) {
	return s.create(ctx, act.AccountWide(n.AccountID, access.AccountUpdate), "createDivision", n.IdempotencyKey, n, func(ctx context.Context, a *act.Act) (string, error) {
		clean, bad := checkName(n.Name)
		if bad != nil {
			return "", bad
		}
		if err := s.checkMove(ctx, a, "", n.ParentID); err != nil {
			return "", err
		}
		if err := checkRoom(ctx, a.Tx.Division.Query().Where(division.AccountID(a.Account.ID)).Count, maxDivisions, fault.DivisionLimitReached, "divisions"); err != nil {
			return "", err
		}
		now := s.Now()
		c := a.Tx.Division.Create().
			SetID(uid.New(uid.Division)).SetCreatedAt(now).SetUpdatedAt(now).SetAccountID(n.AccountID).SetName(clean)
		if n.ParentID != "" {
			c.SetParentID(n.ParentID)
		}
		d, err := c.Save(ctx)
		if err != nil {
			return "", fmt.Errorf("create division: %w", err)
		}
		return d.ID, a.Log(ctx, event.DivisionCreated, "", d.ID, nil)
	})
}

// checkMove checks that a division may move below the parent, or be created
// there when id is empty. An empty parentID is the top of the tree. A restricted
// actor puts nothing outside of the divisions they reach.
func (s *Service) checkMove(ctx context.Context, a *act.Act, id, parentID string) error {
	if parentID == "" {
		return checkReaches(a, parentID, "parentId")
	}
	parents, err := s.parents(ctx, a)
	if err != nil {
		return err
	}
	if err := checkParent(parents, id, parentID); err != nil {
		return err
	}
	if err := checkReaches(a, parentID, "parentId"); err != nil || id == "" {
		return err
	}
	return s.checkReachers(ctx, a, parents, id, parentID, "parentId")
}

// checkReaches fails with NOT_GRANTABLE about the field when the actor does not
// reach the division; empty is the top of the tree. Otherwise a restricted actor
// could move a division below their own and so reach it.
func checkReaches(a *act.Act, divisionID, field string) error {
	if a.Actor.Reaches(divisionID) {
		return nil
	}
	return fault.Input(fault.NotGrantable, "You are restricted to other divisions.", field)
}

// parents returns the parent of every division of the account, empty for a
// division at the top.
func (s *Service) parents(ctx context.Context, a *act.Act) (map[string]string, error) {
	all, err := a.Tx.Division.Query().Where(division.AccountID(a.Account.ID)).
		Select(division.FieldID, division.FieldParentID).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the divisions of %s: %w", a.Account.ID, err)
	}
	parents := make(map[string]string, len(all))
	for _, d := range all {
		parents[d.ID] = ""
		if d.ParentID != nil {
			parents[d.ID] = *d.ParentID
		}
	}
	return parents, nil
}

// checkParent fails with NOT_FOUND or INVALID_VALUE when the division cannot be
// below the parent. An empty id is a new division.
func checkParent(parents map[string]string, id, parentID string) error {
	if _, known := parents[parentID]; !known {
		return fault.Input(fault.NotFound, "The account has no such division.", "parentId")
	}
	above := 0
	for at := parentID; at != ""; at = parents[at] {
		if at == id {
			return fault.Input(fault.InvalidValue, "A division cannot be below itself.", "parentId")
		}
		above++
	}
	if above+height(parents, id) > maxTreeDepth {
		return fault.Input(fault.InvalidValue, fmt.Sprintf("The tree of divisions may have at most %d levels.", maxTreeDepth), "parentId")
	}
	return nil
}

// height returns the number of levels of a division and all divisions below it.
func height(parents map[string]string, id string) int {
	highest := 1
	for other := range parents {
		levels := 1
		for at := other; at != "" && at != id; at = parents[at] {
			levels++
			if parents[at] == id && id != "" {
				highest = max(highest, levels)
			}
		}
	}
	return highest
}

// onDivision runs f on a division, read in the transaction. Needs account.update
// account-wide. Fails like act.AccountWide, with NOT_FOUND, and with
// NOT_GRANTABLE when the viewer is restricted to other divisions.
func (s *Service) onDivision(ctx context.Context, id string, f func(ctx context.Context, a *act.Act, d *ent.Division) error) error {
	if _, err := access.SignedIn(ctx); err != nil {
		return err
	}
	known, err := s.Store.Read().Division.Query().Where(division.ID(id)).Only(ctx)
	if known, err = found(known, err, "division"); err != nil {
		return err
	}
	return s.Door.Do(ctx, act.AccountWide(known.AccountID, access.AccountUpdate), func(ctx context.Context, a *act.Act) error {
		d, err := a.Tx.Division.Query().Where(division.ID(id)).Only(ctx)
		if d, err = found(d, err, "division"); err != nil {
			return err
		}
		if err := checkReaches(a, d.ID, "divisionId"); err != nil {
			return err
		}
		return f(ctx, a, d)
	})
}

// DivisionChange is a change of a division. A nil field stays as it is; an empty
// parent moves the division to the top.
type DivisionChange struct {
	DivisionID      string
	Name, ParentID  *string
	ExpectedVersion *int
}

// UpdateDivision renames a division, or moves it with all divisions below it.
// Members who are restricted to a division above its new place reach it from then
// on. Needs account.update account-wide. Fails like act.AccountWide, and with
// BLANK, TOO_LONG, NOT_FOUND for the division or the parent, INVALID_VALUE for a
// circle or when the tree would be too deep, NOT_GRANTABLE outside of the viewer's
// own restrictions or when a person who would reach the division by the move holds
// more than the viewer, or CONFLICT.
func (s *Service) UpdateDivision(ctx context.Context, c DivisionChange) error {
	return s.onDivision(ctx, c.DivisionID, func(ctx context.Context, a *act.Act, d *ent.Division) error {
		u := a.Tx.Division.Update().Where(division.ID(d.ID), division.Version(d.Version)).AddVersion(1).SetUpdatedAt(s.Now())
		if c.Name != nil {
			clean, bad := checkName(*c.Name)
			if bad != nil {
				return bad
			}
			u.SetName(clean)
		}
		if bad := checkVersion(c.ExpectedVersion, d.Version); bad != nil {
			return bad
		}
		data := map[string]string{}
		if c.ParentID != nil {
			data[event.Reload] = event.Set
			if err := s.checkMove(ctx, a, d.ID, *c.ParentID); err != nil {
				return err
			}
			if *c.ParentID == "" {
				u.ClearParentID()
			} else {
				u.SetParentID(*c.ParentID)
			}
		}
		if err := changed(u.Save(ctx)); err != nil {
			return err
		}
		return a.Log(ctx, event.DivisionUpdated, "", d.ID, data)
	})
}

// DeleteDivision deletes a division. Needs account.update account-wide. Fails
// like act.AccountWide, and with NOT_FOUND, NOT_GRANTABLE outside of the viewer's
// own restrictions, or CONFLICT while there are divisions below it, or members or
// invitations restricted to it: without their last division they would reach
// every division.
func (s *Service) DeleteDivision(ctx context.Context, divisionID string) error {
	return s.onDivision(ctx, divisionID, func(ctx context.Context, a *act.Act, d *ent.Division) error {
		this := division.ID(d.ID)
		used, err := anyExists(ctx,
			a.Tx.Division.Query().Where(division.ParentID(d.ID)),
			a.Tx.Member.Query().Where(member.HasDivisionsWith(this)),
			a.Tx.Invitation.Query().Where(lifecycle.Resendable(), invitation.HasDivisionsWith(this)),
		)
		if err != nil {
			return fmt.Errorf("look whether division %s is in use: %w", d.ID, err)
		}
		if used {
			return fault.Input(fault.Conflict, "There are divisions below this one, or people are restricted to it. Change those first.", "divisionId")
		}
		if err := a.Tx.Division.DeleteOne(d).Exec(ctx); err != nil {
			return fmt.Errorf("delete division %s: %w", d.ID, err)
		}
		return a.Log(ctx, event.DivisionDeleted, "", d.ID, nil)
	})
}
