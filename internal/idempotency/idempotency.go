// Package idempotency has a call that is made again with its key answered as
// it was the first time, without doing anything again.
package idempotency

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/idempotencykey"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/uid"
)

const (
	// KeptFor is how long a key is remembered.
	KeptFor = 24 * time.Hour
	maxKey  = 255 // bytes
	field   = "idempotencyKey"
)

// Call is a call that may be made again. Without a key it is a new one each
// time.
type Call struct {
	AccountID, ActorID string
	Name               string // of the mutation
	Key                *string
	Input              any // as typed
}

// Check refuses keys that are none: BLANK, TOO_LONG.
func Check(key *string) *fault.Error {
	switch {
	case key == nil:
		return nil
	case *key == "":
		return fault.Input(fault.Blank, "A key must not be empty; leave it out.", field)
	case len(*key) > maxKey:
		return fault.Input(fault.TooLong, fmt.Sprintf("A key has at most %d bytes.", maxKey), field)
	}
	return nil
}

// Once runs f, and keeps what came of it if f says that something was done.
// When the actor made the call before, f is not run, and what came of it then is
// returned. IDEMPOTENCY_KEY_REUSED when his key belongs to another call. What is
// kept is JSON and holds no secret. The transaction is the account's, so that two
// calls at once do not both run.
func Once[T any](ctx context.Context, tx *store.Tx, now time.Time, c Call, f func() (came T, done bool, err error)) (came T, before bool, err error) {
	if c.Key == nil {
		came, _, err = f()
		return came, false, err
	}
	ctx = access.System(ctx, "look for a call made before")
	hash, err := c.hash()
	if err != nil {
		return came, false, err
	}
	kept, err := tx.IdempotencyKey.Query().
		Where(idempotencykey.AccountID(c.AccountID), idempotencykey.ActorID(c.ActorID), idempotencykey.Key(*c.Key)).
		Only(ctx)
	switch {
	case err == nil && string(kept.InputHash) != string(hash):
		return came, false, fault.Input(fault.IdempotencyKeyReused, "This key belongs to another call; use a new one.", field)
	case err == nil:
		if err := json.Unmarshal(kept.Outcome, &came); err != nil {
			return came, false, fmt.Errorf("read what came of call %s: %w", kept.ID, err)
		}
		return came, true, nil
	case !ent.IsNotFound(err):
		return came, false, fmt.Errorf("look for a call made before: %w", err)
	}
	came, done, err := f()
	if err != nil || !done {
		return came, false, err
	}
	outcome, err := json.Marshal(came)
	if err == nil {
		err = tx.IdempotencyKey.Create().
			SetID(uid.New(uid.Idempotency)).SetCreatedAt(now).SetAccountID(c.AccountID).SetActorID(c.ActorID).
			SetKey(*c.Key).SetInputHash(hash).SetOutcome(outcome).Exec(ctx)
	}
	if err != nil {
		return came, false, fmt.Errorf("keep what came of %s: %w", c.Name, err)
	}
	return came, false, nil
}

func (c Call) hash() ([]byte, error) {
	input, err := json.Marshal(c.Input)
	if err != nil {
		return nil, fmt.Errorf("hash the input of %s: %w", c.Name, err)
	}
	sum := sha256.Sum256(append([]byte(c.Name+"\x00"), input...))
	return sum[:], nil
}

// Purge forgets the keys that were kept long enough.
func Purge(ctx context.Context, s *store.Store, now time.Time) error {
	ctx = access.System(ctx, "forget old idempotency keys")
	old := idempotencykey.CreatedAtLTE(now.Add(-KeptFor))
	if some, err := s.Read().IdempotencyKey.Query().Where(old).Exist(ctx); err != nil || !some {
		return err
	}
	return s.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.IdempotencyKey.Delete().Where(old).Exec(ctx)
		return err
	})
}
