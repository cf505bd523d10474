package auth

import (
	"context"
	"fmt"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/apikey"
	"github.com/convoke-dev/convoke/ent/predicate"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/store"
)

// keyTouchEvery is how often the last use of an API key is stored.
const keyTouchEvery = time.Minute

// loadedKey is an API key that has not ended, with its viewer.
type loadedKey struct {
	key    *ent.APIKey
	viewer *access.Viewer
}

// keysAmong returns which of the ids are those of API keys, and the others.
func keysAmong(ids []string) (keys, others []string) {
	for _, id := range ids {
		if access.IsKey(id) {
			keys = append(keys, id)
		} else {
			others = append(others, id)
		}
	}
	return keys, others
}

// loadKey returns an API key and its viewer, in two statements. It stores the use of the key
// when that is due.
func (s *Service) loadKey(ctx context.Context, which predicate.APIKey) (*Known, error) {
	ctx, cancel := context.WithTimeout(access.System(ctx, "find the API key of a request"), identifyWithin)
	defer cancel()
	now := s.Now()
	found, err := s.loadKeys(ctx, now, which)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, access.ErrKeyEnded
	}
	key := found[0].key
	k := &Known{viewer: found[0].viewer, touchAt: now}
	if key.LastUsedAt != nil {
		k.touchAt = key.LastUsedAt.Add(keyTouchEvery)
	}
	if key.ExpiresAt != nil {
		k.expires = *key.ExpiresAt
	}
	if now.Before(k.touchAt) {
		return k, nil
	}
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		// Another request may have stored it meanwhile.
		due := apikey.And(apikey.ID(key.ID), apikey.Or(apikey.LastUsedAtIsNil(), apikey.LastUsedAtLTE(now.Add(-keyTouchEvery))))
		if first, err := tx.APIKey.Query().Where(due).Exist(ctx); err != nil || !first {
			return err
		}
		return tx.APIKey.Update().Where(due).SetLastUsedAt(now).SetLastUsedIP(event.RequestFrom(ctx).ClientIP).Exec(ctx)
	})
	switch {
	case err == nil:
		k.touchAt = now.Add(keyTouchEvery)
	case !fault.Is(err, fault.Unavailable): // which the store logs
		s.Log.Warn("store the last use of an API key", "key", key.ID, "error", err)
	}
	return k, nil
}

// loadKeys returns the API keys that have not ended by now, with their viewers, in as many
// statements as one costs. The context is the system's.
func (s *Service) loadKeys(ctx context.Context, now time.Time, which predicate.APIKey) ([]loadedKey, error) {
	keys, err := s.Store.Read().APIKey.Query().Where(which, access.LiveKey(now)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("find API keys: %w", err)
	}
	viewers, err := s.Access.LoadKeys(ctx, s.Store.Read(), keys)
	if err != nil {
		return nil, err
	}
	found := make([]loadedKey, len(keys))
	for i, k := range keys {
		found[i] = loadedKey{k, viewers[i]}
	}
	return found, nil
}
