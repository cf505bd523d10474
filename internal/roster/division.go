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

// maxTreeDepth is how many divisions may stand below one another.
const maxTreeDepth = 10

// CreateDivision makes a division below the parent, or at the top when that is
// empty. It needs account.update account-wide. Beside the refusals of rights it
// fails with BLANK, TOO_LONG, NOT_FOUND for the parent, INVALID_VALUE for a tree
// that would be too deep, NOT_GRANTABLE for a parent the viewer's own restrictions
// keep him from, or ACCOUNT_SUSPENDED.
func (s *Service) CreateDivision(ctx context.Context, accountID, typed, parentID string) (id string, err error) {
	err = s.Door.Do(ctx, act.AccountWide(accountID, access.AccountUpdate), func(ctx context.Context, a *act.Act) error {
		clean, bad := name(typed)
		if bad != nil {
			return bad
		}
		if err := s.settle(ctx, a, "", parentID); err != nil {
			return err
		}
		now := s.Now()
		c := a.Tx.Division.Create().
			SetID(uid.New(uid.Division)).SetCreatedAt(now).SetUpdatedAt(now).SetAccountID(accountID).SetName(clean)
		if parentID != "" {
			c.SetParentID(parentID)
		}
		d, err := c.Save(ctx)
		if err != nil {
			return fmt.Errorf("create division: %w", err)
		}
		id = d.ID
		return a.Log(ctx, event.DivisionCreated, "", id, nil)
	})
	return id, err
}

// settle checks that a division, empty for a new one, may be put below the
// parent, empty for the top. Who is restricted himself puts nothing outside of
// what he reaches.
func (s *Service) settle(ctx context.Context, a *act.Act, id, parentID string) error {
	if parentID != "" {
		parents, err := s.tree(ctx, a)
		if err != nil {
			return err
		}
		if err := place(parents, id, parentID); err != nil {
			return err
		}
	}
	return within(a, parentID, "parentId")
}

// within fails with NOT_GRANTABLE when the viewer is restricted to divisions
// this one, empty for the top, is not among: to move a foreign one below his own
// would let him out.
func within(a *act.Act, divisionID, field string) error {
	if a.Actor.Reaches(divisionID) {
		return nil
	}
	return fault.Input(fault.NotGrantable, "You are restricted to other divisions.", field)
}

// tree returns the parent of every division of the account; that of the ones
// at the top is empty.
func (s *Service) tree(ctx context.Context, a *act.Act) (map[string]string, error) {
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

// place checks that a division, empty for a new one, can stand below the
// parent.
func place(parents map[string]string, id, parentID string) error {
	if _, known := parents[parentID]; !known {
		return fault.Input(fault.NotFound, "This is no division of this account.", "parentId")
	}
	above := 0
	for at := parentID; at != ""; at = parents[at] {
		if at == id {
			return fault.Input(fault.InvalidValue, "A division cannot stand below itself.", "parentId")
		}
		above++
	}
	if above+height(parents, id) > maxTreeDepth {
		return fault.Input(fault.InvalidValue, fmt.Sprintf("At most %d divisions may stand below one another.", maxTreeDepth), "parentId")
	}
	return nil
}

// height returns how many levels a division and what stands below it take.
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

// onDivision runs f on a division, for a viewer who may change the account and
// is not restricted to others: NOT_GRANTABLE.
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
		if err := within(a, d.ID, "divisionId"); err != nil {
			return err
		}
		return f(ctx, a, d)
	})
}

// DivisionChange is what to change of a division; nil leaves it, an empty
// parent moves it to the top.
type DivisionChange struct {
	DivisionID      string
	Name, ParentID  *string
	ExpectedVersion *int
}

// UpdateDivision renames or moves a division with all below it: members who are
// restricted to what it moves below reach it from then on. It needs account.update
// account-wide. Beside the refusals of rights it fails with BLANK, TOO_LONG,
// NOT_FOUND for the parent, INVALID_VALUE for a circle or a tree that would be too
// deep, NOT_GRANTABLE outside the viewer's own restrictions, CONFLICT or
// ACCOUNT_SUSPENDED.
func (s *Service) UpdateDivision(ctx context.Context, c DivisionChange) error {
	return s.onDivision(ctx, c.DivisionID, func(ctx context.Context, a *act.Act, d *ent.Division) error {
		u := a.Tx.Division.Update().Where(division.ID(d.ID), division.Version(d.Version)).AddVersion(1).SetUpdatedAt(s.Now())
		if c.Name != nil {
			clean, bad := name(*c.Name)
			if bad != nil {
				return bad
			}
			u.SetName(clean)
		}
		if bad := expect(c.ExpectedVersion, d.Version); bad != nil {
			return bad
		}
		if c.ParentID != nil {
			if err := s.settle(ctx, a, d.ID, *c.ParentID); err != nil {
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
		return a.Log(ctx, event.DivisionUpdated, "", d.ID, nil)
	})
}

// DeleteDivision deletes a division nothing depends on: whoever is restricted
// to it would reach every division without it. It needs account.update
// account-wide. Beside the refusals of rights it fails with CONFLICT while
// there are divisions below it, or members or open invitations restricted to
// it, with NOT_GRANTABLE outside the viewer's own restrictions, or with
// ACCOUNT_SUSPENDED.
func (s *Service) DeleteDivision(ctx context.Context, divisionID string) error {
	return s.onDivision(ctx, divisionID, func(ctx context.Context, a *act.Act, d *ent.Division) error {
		this := division.ID(d.ID)
		used, err := a.Tx.Division.Query().Where(division.ParentID(d.ID)).Exist(ctx)
		if err == nil && !used {
			used, err = a.Tx.Member.Query().Where(member.HasDivisionsWith(this)).Exist(ctx)
		}
		if err == nil && !used {
			used, err = a.Tx.Invitation.Query().Where(lifecycle.Resendable(), invitation.HasDivisionsWith(this)).Exist(ctx)
		}
		if err != nil {
			return fmt.Errorf("look whether division %s is in use: %w", d.ID, err)
		}
		if used {
			return fault.Input(fault.Conflict, "There are divisions below it, or people restricted to it; change those first.", "divisionId")
		}
		if err := a.Tx.Division.DeleteOne(d).Exec(ctx); err != nil {
			return fmt.Errorf("delete division %s: %w", d.ID, err)
		}
		return a.Log(ctx, event.DivisionDeleted, "", d.ID, nil)
	})
}
