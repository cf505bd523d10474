package person

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/address"
	"github.com/convoke-dev/convoke/internal/invite"
	"github.com/convoke-dev/convoke/internal/roster"
	"github.com/convoke-dev/convoke/internal/store"
)

// ErrNoUser is returned for an address or id that no user has.
var ErrNoUser = errors.New("there is no such user")

// Operator does what the operator does for people who ask for it, from a process of its
// own. Servers may run on the same database.
type Operator struct {
	accounts *roster.Operator
	people   *Service
}

// NewOperator opens an existing database, like roster.NewOperator. The caller closes the
// operator.
func NewOperator(ctx context.Context, database string, now func() time.Time) (*Operator, error) {
	accounts, err := roster.NewOperator(ctx, database, now)
	if err != nil {
		return nil, err
	}
	of := accounts.Service()
	// Only Depart, NoteUnanswered and Forget are used of it, which need nothing else.
	invites := &invite.Service{Store: of.Store, Access: of.Access, Events: of.Events, Now: now}
	of.Departing = func(ctx context.Context, tx *store.Tx, d roster.Departure) error { return invites.Depart(ctx, tx, d) }
	of.Withdrawn = func(ctx context.Context, tx *store.Tx, ended ...*ent.Invitation) error {
		return invites.NoteUnanswered(ctx, tx, ended...)
	}
	return &Operator{accounts: accounts, people: &Service{Store: of.Store, Roster: of, Invites: invites, Now: now, Identified: true}}, nil
}

// Close closes the database.
func (o *Operator) Close() error { return o.accounts.Close() }

// Find returns the id and the address of the user with the address or the id. ErrNoUser.
func (o *Operator) Find(ctx context.Context, who string) (id, email string, err error) {
	ctx = access.System(ctx, "find a user for the operator")
	is := user.ID(who)
	if strings.Contains(who, "@") {
		addr, bad := address.Parse(who)
		if bad != nil {
			return "", "", fmt.Errorf("%s: %w", who, bad)
		}
		is = user.EmailKey(addr.Key)
	}
	u, err := o.people.Store.Read().User.Query().Where(is).Only(ctx)
	if ent.IsNotFound(err) {
		return "", "", ErrNoUser
	}
	if err != nil {
		return "", "", fmt.Errorf("find user %s: %w", who, err)
	}
	return u.ID, u.Email, nil
}

// Erase erases the user. It fails like Service.Erase.
func (o *Operator) Erase(ctx context.Context, userID string) error {
	u, err := o.people.Store.Read().User.Get(access.System(ctx, "find a user for the operator"), userID)
	if err != nil {
		return fmt.Errorf("erase user %s: %w", userID, err)
	}
	return o.people.Erase(ctx, u, "")
}

// Export writes everything about the user.
func (o *Operator) Export(ctx context.Context, userID string, to io.Writer) error {
	return o.people.Export(ctx, userID, to)
}
