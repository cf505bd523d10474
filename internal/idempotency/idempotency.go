// Package idempotency makes repeated calls safe: a call with the same key as an earlier
// one returns the earlier result and has no further effect.
package idempotency

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/idempotencykey"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/uid"
)

const (
	// KeptFor is how long a key is stored.
	KeptFor = 24 * time.Hour
	maxKey  = 255 // bytes
	field   = "idempotencyKey"
)

// Call is a call that may be repeated. A call without a key is always a new one.
type Call struct {
	AccountID, ActorID string
	Name               string // of the mutation
	Key                *string
	Input              any // as typed
}

// Check fails with BLANK or TOO_LONG for an invalid key.
func Check(key *string) *fault.Error {
	switch {
	case key == nil:
		return nil
	case *key == "":
		return fault.Input(fault.Blank, "A key must not be empty; omit it instead.", field)
	case len(*key) > maxKey:
		return fault.Input(fault.TooLong, fmt.Sprintf("A key has at most %d bytes.", maxKey), field)
	}
	return nil
}

// Once runs f and stores its result, if f reports that something was done. When the actor
// has made the same call before, Once does not run f and returns the stored result. It
// fails with IDEMPOTENCY_KEY_REUSED when the actor has used the key for another call. The
// result is stored as JSON and must contain no secret. The transaction must be one of
// store.InAccount, so that of two calls at once only one runs f.
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
		Where(idempotencykey.AccountID(c.AccountID), idempotencykey.ActorID(c.ActorID), idempotencykey.Key(c.stored())).
		Only(ctx)
	switch {
	case err == nil && string(kept.InputHash) != string(hash):
		return came, false, fault.Input(fault.IdempotencyKeyReused, "This key belongs to another call; use a new one.", field)
	case err == nil:
		if err := json.Unmarshal(kept.Outcome, &came); err != nil {
			return came, false, fmt.Errorf("read the result of call %s: %w", kept.ID, err)
		}
		return came, true, nil
	case !ent.IsNotFound(err):
		return came, false, fmt.Errorf("look for an earlier call: %w", err)
	}
	came, done, err := f()
	if err != nil || !done {
		return came, false, err
	}
	outcome, err := json.Marshal(came)
	if err == nil {
		err = tx.IdempotencyKey.Create().
			SetID(uid.New(uid.Idempotency)).SetCreatedAt(now).SetAccountID(c.AccountID).SetActorID(c.ActorID).
			SetKey(c.stored()).SetInputHash(hash).SetOutcome(outcome).Exec(ctx)
	}
	if err != nil {
		return came, false, fmt.Errorf("store the result of %s: %w", c.Name, err)
	}
	return came, false, nil
}

// stored returns the key as it is stored. A zero byte, which PostgreSQL refuses, is
// replaced as in ids. Two keys that differ in nothing else are one key.
func (c Call) stored() string { return strings.ReplaceAll(*c.Key, "\x00", "?") }

func (c Call) hash() ([]byte, error) {
	input, err := json.Marshal(c.Input)
	if err != nil {
		return nil, fmt.Errorf("hash the input of %s: %w", c.Name, err)
	}
	sum := sha256.Sum256(append([]byte(c.Name+"\x00"), input...))
	return sum[:], nil
}

// Purge deletes the keys that are older than KeptFor.
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
