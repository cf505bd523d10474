package act

import (
	"context"
	"fmt"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/account"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/store"
)

// Door opens accounts for changes.
type Door struct {
	Store  *store.Store
	Access access.Loader
	Events *event.Log
}

// Act is a change of an account by an actor who may make it.
type Act struct {
	Tx      *store.Tx
	Account *ent.Account // as the transaction sees it
	// Actor is the actor in the team whose rights count; nil for an addressee.
	Actor *access.Membership
	// UserID is the actor's user; empty for an addressee who is not signed in.
	UserID string

	events *event.Log
}

// Do runs f in a transaction of the account that the rule names, for an actor
// whom the rule allows. The transaction is rolled back when f fails. Do fails
// with what the steps in the comment of the package say, and with what f
// returns.
func (d *Door) Do(ctx context.Context, r Rule, f func(ctx context.Context, a *Act) error) error {
	e, err := r.enter(ctx, d)
	if err != nil {
		return err
	}
	if r.check != nil {
		if err := r.check(); err != nil {
			return err
		}
	}
	return d.Store.InAccount(ctx, e.accountID, func(tx *store.Tx) error {
		actor, err := e.again(ctx, tx)
		if err != nil {
			return err
		}
		ctx := access.System(ctx, "change an account for an actor who may")
		acc, err := tx.Account.Get(ctx, e.accountID)
		if err != nil {
			return fmt.Errorf("read account %s: %w", e.accountID, err)
		}
		a := &Act{Tx: tx, Account: acc, Actor: actor, UserID: e.userID, events: d.Events}
		if !r.evenSuspended {
			if err := a.InUse(); err != nil {
				return err
			}
		}
		return f(ctx, a)
	})
}

// Past returns the act of a verb that does not go through the door, in a transaction of its
// own. internal/archtest has the list of these verbs. userID is the actor; empty is the
// operator.
func Past(tx *store.Tx, acc *ent.Account, userID string, events *event.Log) *Act {
	return &Act{Tx: tx, Account: acc, UserID: userID, events: events}
}

// InUse fails with ACCOUNT_SUSPENDED when the operator has suspended the account.
func (a *Act) InUse() error {
	if a.Account.Status != account.StatusActive {
		return fault.Input(fault.AccountSuspended, "The account is suspended.")
	}
	return nil
}

// Log appends an event by the actor about the subject; teamID is empty when the
// event is about the account as a whole.
func (a *Act) Log(ctx context.Context, typ event.Type, teamID, subjectID string, data map[string]string) error {
	return a.events.Append(ctx, a.Tx, a.Account.ID,
		event.Draft{Type: typ, ActorID: a.UserID, TeamID: teamID, SubjectID: subjectID, Data: data})
}
