package roster

import (
	"context"
	"fmt"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/account"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/text"
)

// act is a change of an account by somebody who may make it.
type act struct {
	tx  *store.Tx
	acc *ent.Account
	// actor is who does it, in the team whose rights count.
	actor *access.Membership
}

// inTeam runs f in a transaction for a viewer who holds the permission in the
// team, there too. The context f gets is the system's: what the viewer may do
// has been decided, and f names account and team in what it reads. It fails
// with UNAUTHENTICATED, NOT_FOUND, FORBIDDEN or ACCOUNT_SUSPENDED.
func (s *Service) inTeam(ctx context.Context, teamID, permission string, f func(ctx context.Context, a act) error) error {
	m, err := access.Require(ctx, s.Store.Read(), teamID, permission)
	if err != nil {
		return err
	}
	return s.inAccount(ctx, m, permission, f)
}

// accountWide is inTeam for an act on the account as a whole: the viewer's
// membership in its default team counts.
func (s *Service) accountWide(ctx context.Context, accountID, permission string, f func(ctx context.Context, a act) error) error {
	m, err := access.RequireInAccount(ctx, accountID, permission)
	if err != nil {
		return err
	}
	return s.inAccount(ctx, m, permission, f)
}

func (s *Service) inAccount(ctx context.Context, m *access.Membership, permission string, f func(ctx context.Context, a act) error) error {
	return s.Store.InAccount(ctx, m.AccountID, func(tx *store.Tx) error {
		actor, err := s.Access.RequireStill(ctx, tx.Client(), m.TeamID, permission)
		if err != nil {
			return err
		}
		return s.asSystem(ctx, tx, actor, f)
	})
}

func (s *Service) asSystem(ctx context.Context, tx *store.Tx, actor *access.Membership, f func(ctx context.Context, a act) error) error {
	ctx = access.System(ctx, "change an account for a viewer who may")
	acc, err := tx.Account.Get(ctx, actor.AccountID)
	if err != nil {
		return fmt.Errorf("read account %s: %w", actor.AccountID, err)
	}
	if acc.Status != account.StatusActive {
		return fault.Input(fault.AccountSuspended, "The account is suspended.")
	}
	return f(ctx, act{tx: tx, acc: acc, actor: actor})
}

// append logs an event by the actor about the subject.
func (s *Service) append(ctx context.Context, a act, typ event.Type, teamID, subjectID string, data map[string]string) error {
	return s.Events.Append(ctx, a.tx, a.acc.ID,
		event.Draft{Type: typ, ActorID: a.actor.UserID, TeamID: teamID, SubjectID: subjectID, Data: data})
}

// expect fails with CONFLICT when the client has seen another version.
func expect(version *int, current int) *fault.Error {
	if version != nil && *version != current {
		return fault.Input(fault.Conflict, "Somebody else has changed this meanwhile; look at it again.", "expectedVersion")
	}
	return nil
}

// name returns a name that must not be empty. BLANK, TOO_LONG.
func name(typed string) (string, *fault.Error) {
	clean, bad := text.Line(typed, "name")
	if bad == nil && clean == "" {
		bad = fault.Input(fault.Blank, "A name is needed.", "name")
	}
	return clean, bad
}

// found turns ent's not-found error about the thing acted upon into NOT_FOUND.
func found[T any](row T, err error, what string) (T, error) {
	if ent.IsNotFound(err) {
		return row, fault.Refuse(fault.NotFound, "There is no such %s.", what)
	}
	if err != nil {
		return row, fmt.Errorf("find the %s: %w", what, err)
	}
	return row, nil
}
