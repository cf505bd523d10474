package roster

import (
	"context"
	"fmt"

	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/idempotency"
)

// The most of each kind that an account can have. They bound lists without pages, such as
// the children of a division.
const (
	maxRoles     = 200
	maxGroups    = 500
	maxDivisions = 1000
	maxKeys      = 200 // that have not ended
)

// checkRoom fails with the code when count finds most objects or more. kind names them in
// the plural.
func checkRoom(ctx context.Context, count func(context.Context) (int, error), most int, code fault.Code, kind string) error {
	n, err := count(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("count %s: %w", kind, err)
	case n >= most:
		return fault.Input(code, fmt.Sprintf("The account has %d %s and cannot have more.", n, kind))
	}
	return nil
}

// create runs f, which creates an object and returns its id, in a transaction of the
// account that the rule names. A call that repeats an earlier one with the same key gets
// the id of that call, in a suspended account too, and f does not run. input is the call
// as typed. Fails like the rule, with what f returns, and for the key with BLANK,
// TOO_LONG or IDEMPOTENCY_KEY_REUSED.
func (s *Service) create(ctx context.Context, r act.Rule, mutation string, key *string, input any, f func(ctx context.Context, a *act.Act) (id string, err error)) (id string, err error) {
	r = r.Checking(func() error {
		if bad := idempotency.Check(key); bad != nil {
			return bad
		}
		return nil
	}).EvenSuspended()
	err = s.Door.Do(ctx, r, func(ctx context.Context, a *act.Act) error {
		call := idempotency.Call{AccountID: a.Account.ID, ActorID: a.UserID, Name: mutation, Key: key, Input: input}
		id, _, err = idempotency.Once(ctx, a.Tx, s.Now(), call, func() (string, bool, error) {
			if err := a.InUse(); err != nil {
				return "", false, err
			}
			created, err := f(ctx, a)
			return created, err == nil, err
		})
		return err
	})
	return id, err
}
