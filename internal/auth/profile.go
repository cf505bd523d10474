package auth

import (
	"context"
	"fmt"

	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/text"
)

// Profile is a change of a user's name and job title. Nil leaves a field as it is.
type Profile struct {
	FirstName, LastName, JobTitle *string
}

// UpdateProfile changes the viewer's name and job title, also where lists of their teams
// sort and search by it. TOO_LONG for wrong input, UNAUTHENTICATED without a viewer, FORBIDDEN
// for an API key.
func (s *Service) UpdateProfile(ctx context.Context, p Profile) error {
	v, err := access.Person(ctx)
	if err != nil {
		return err
	}
	var wrong fault.Errors
	for _, part := range []struct {
		typed *string
		field string
	}{{p.FirstName, "firstName"}, {p.LastName, "lastName"}, {p.JobTitle, "jobTitle"}} {
		if part.typed != nil {
			clean, bad := text.Line(*part.typed, part.field)
			wrong.Add(bad)
			*part.typed = clean
		}
	}
	if err := wrong.Err(); err != nil {
		return err
	}
	ctx = access.System(ctx, "change one's profile")
	var accounts []string
	err = s.Store.Read().Member.Query().Where(member.UserID(v.UserID)).Unique(true).
		Select(member.FieldAccountID).Scan(ctx, &accounts)
	if err != nil {
		return fmt.Errorf("find the accounts of %s: %w", v.UserID, err)
	}
	return s.Store.InAccounts(ctx, accounts, func(tx *store.Tx) error { return s.describe(ctx, tx, v.UserID, p) })
}

// describe stores the profile if it changes anything.
func (s *Service) describe(ctx context.Context, tx *store.Tx, userID string, p Profile) error {
	u, err := tx.User.Get(ctx, userID)
	if err != nil {
		return fmt.Errorf("change the profile of %s: %w", userID, err)
	}
	if u.ErasedAt != nil { // since the request began
		return ErrEnded
	}
	changed := false
	for _, part := range []struct{ typed, is *string }{{p.FirstName, &u.FirstName}, {p.LastName, &u.LastName}, {p.JobTitle, &u.JobTitle}} {
		if part.typed != nil && *part.typed != *part.is {
			*part.is, changed = *part.typed, true
		}
	}
	if !changed {
		return nil
	}
	if err := s.Roster.Rename(ctx, tx, u); err != nil {
		return err
	}
	err = tx.User.Update().Where(user.ID(userID)).
		SetFirstName(u.FirstName).SetLastName(u.LastName).SetJobTitle(u.JobTitle).
		AddVersion(1).SetUpdatedAt(s.Now()).Exec(ctx)
	if err != nil {
		return fmt.Errorf("change the profile of %s: %w", userID, err)
	}
	return nil
}
