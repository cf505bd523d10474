package act

import (
	"context"

	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/store"
)

// Rule decides who may act, and in which account.
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

// InTeam allows viewers who hold the permission in the team. The act fails with
// UNAUTHENTICATED, NOT_FOUND when the viewer may not know of the team, FORBIDDEN
// or ACCOUNT_SUSPENDED.
func InTeam(teamID, permission string) Rule {
	return Rule{enter: func(ctx context.Context, d *Door) (*entry, error) {
		m, err := access.Require(ctx, d.Store.Read(), teamID, permission)
		if err != nil {
			return nil, err
		}
		return d.holder(m, permission), nil
	}}
}

// AccountWide allows viewers who hold the permission in the default team of the
// account. The act fails with UNAUTHENTICATED, NOT_FOUND when the viewer is in no
// team of the account, FORBIDDEN or ACCOUNT_SUSPENDED.
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
	return &entry{m.AccountID, m.UserID, func(ctx context.Context, tx *store.Tx) (*access.Membership, error) {
		return d.Access.RequireStill(ctx, tx.Client(), m.TeamID, permission)
	}}
}

// AsMember allows active members of the team, with any permissions. The team is one
// of the account. The act fails with UNAUTHENTICATED, NOT_FOUND or
// ACCOUNT_SUSPENDED. Only the transaction decides, because the viewer was loaded
// before the operation and may have joined since.
func AsMember(accountID, teamID string) Rule {
	return Rule{enter: func(ctx context.Context, d *Door) (*entry, error) {
		v, err := access.SignedIn(ctx)
		if err != nil {
			return nil, err
		}
		return &entry{accountID, v.UserID, func(ctx context.Context, tx *store.Tx) (*access.Membership, error) {
			return d.Access.Membership(ctx, tx.Client(), teamID, v.UserID)
		}}, nil
	}}
}

// AsOwner allows the owner of the team. The team is one of the account. The act
// fails with UNAUTHENTICATED, FORBIDDEN or ACCOUNT_SUSPENDED. Only the transaction
// decides, as for AsMember.
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

// AsAddressee allows the addressee of an invitation, who need not be a member of
// the account. userID is their user, empty when they are not signed in. The caller
// has found the invitation by its token or its address; proof finds it again in
// the transaction, in a context of the system, and fails when the actor may not
// answer it any more. The act fails with the error of proof or ACCOUNT_SUSPENDED.
func AsAddressee(accountID, userID string, proof func(ctx context.Context, tx *store.Tx) error) Rule {
	return Rule{enter: func(context.Context, *Door) (*entry, error) {
		return &entry{accountID, userID, func(ctx context.Context, tx *store.Tx) (*access.Membership, error) {
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

// EvenSuspended allows the act in a suspended account too. The verb's comment gives
// the reason.
func (r Rule) EvenSuspended() Rule {
	r.evenSuspended = true
	return r
}
