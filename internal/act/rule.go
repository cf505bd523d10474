package act

import (
	"context"

	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/store"
)

// Rule says who may act, and in which account.
type Rule struct {
	enter         func(ctx context.Context, d *Door) (*entry, error)
	check         func() error
	evenSuspended bool
}

// entry is the account that an actor may act in, with the check for inside the
// transaction.
type entry struct {
	accountID string
	userID    string // empty = not signed in
	again     func(ctx context.Context, tx *store.Tx) (*access.Membership, error)
}

// InTeam lets the viewer act who holds the permission in the team.
func InTeam(teamID, permission string) Rule {
	return Rule{enter: func(ctx context.Context, d *Door) (*entry, error) {
		m, err := access.Require(ctx, d.Store.Read(), teamID, permission)
		if err != nil {
			return nil, err
		}
		return d.holder(m, permission), nil
	}}
}

// AccountWide lets the viewer act who holds the permission in the default team
// of the account.
func AccountWide(accountID, permission string) Rule {
	return Rule{enter: func(ctx context.Context, d *Door) (*entry, error) {
		m, err := access.RequireInAccount(ctx, accountID, permission)
		if err != nil {
			return nil, err
		}
		return d.holder(m, permission), nil
	}}
}

// holder is the entry of a viewer who holds the permission by the membership.
func (d *Door) holder(m *access.Membership, permission string) *entry {
	return &entry{accountID: m.AccountID, userID: m.UserID,
		again: func(ctx context.Context, tx *store.Tx) (*access.Membership, error) {
			return d.Access.RequireStill(ctx, tx.Client(), m.TeamID, permission)
		}}
}

// AsMember lets the viewer act who is an active member of the team, whatever
// they hold. The team is one of the account.
func AsMember(accountID, teamID string) Rule {
	return Rule{enter: func(ctx context.Context, d *Door) (*entry, error) {
		v, err := access.SignedIn(ctx)
		if err != nil {
			return nil, err
		}
		return &entry{accountID: accountID, userID: v.UserID,
			again: func(ctx context.Context, tx *store.Tx) (*access.Membership, error) {
				return d.Access.Membership(ctx, tx.Client(), teamID, v.UserID)
			}}, nil
	}}
}

// AsOwner lets the owner of the team act. The team is one of the account.
func AsOwner(accountID, teamID string) Rule {
	return Rule{enter: func(ctx context.Context, d *Door) (*entry, error) {
		e, err := AsMember(accountID, teamID).enter(ctx, d)
		if err != nil {
			return nil, err
		}
		member := e.again
		e.again = func(ctx context.Context, tx *store.Tx) (*access.Membership, error) {
			m, err := member(ctx, tx)
			if fault.Is(err, fault.NotFound) || err == nil && !m.Owner {
				return nil, fault.Refuse(fault.Forbidden, "Only the team's owner can do this.")
			}
			return m, err
		}
		return e, nil
	}}
}

// AsAddressee lets the addressee of an invitation into the account act, who need
// not be a member of it. userID is their user, empty when they are not signed
// in. The caller has found the invitation by its token or for its addressee;
// proof finds it once more in the transaction, in a context of the system, and
// fails when the actor may not answer it any more.
func AsAddressee(accountID, userID string, proof func(ctx context.Context, tx *store.Tx) error) Rule {
	return Rule{enter: func(context.Context, *Door) (*entry, error) {
		return &entry{accountID: accountID, userID: userID,
			again: func(ctx context.Context, tx *store.Tx) (*access.Membership, error) {
				return nil, proof(access.System(ctx, "find an invitation for its addressee"), tx)
			}}, nil
	}}
}

// Checking adds a check of the input. It runs between the check of the rule and
// the transaction, so wrong input takes no lock.
func (r Rule) Checking(check func() error) Rule {
	r.check = check
	return r
}

// EvenSuspended allows the act in a suspended account too. The verb says why.
func (r Rule) EvenSuspended() Rule {
	r.evenSuspended = true
	return r
}
