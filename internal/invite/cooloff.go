package invite

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/cooloff"
	"github.com/convoke-dev/convoke/ent/predicate"
	"github.com/convoke-dev/convoke/internal/address"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/uid"
)

// The cool-off of an address in an account. It is the account's as a whole, so another
// team, another inviter, a new invitation or another tag of the address does not go
// around it. The row of the mailbox counts; a block is in the row of the exact address,
// because only its owner takes it back.
const (
	// revokedTooOften is how many mailed invitations to an address end unanswered within
	// revokedWithin before the address has its cool-off of revokedCoolOff.
	revokedTooOften = 3
	revokedWithin   = 7 * 24 * time.Hour
	revokedCoolOff  = 7 * 24 * time.Hour
	// declinedWithin is how long declines of an address are counted together.
	declinedWithin = 180 * 24 * time.Hour
)

// declinedCoolOff is the cool-off after the first decline, the second, and every further
// one.
var declinedCoolOff = []time.Duration{7 * 24 * time.Hour, 30 * 24 * time.Hour, 90 * 24 * time.Hour}

// coolOffsAtOnce is how many addresses one statement names.
const coolOffsAtOnce = 500

// rowOf picks the row of an address in the account.
func rowOf(accountID, key string) predicate.CoolOff {
	return cooloff.And(cooloff.AccountID(accountID), cooloff.AddressHash(address.Hash(key)))
}

// ofMailboxes picks the rows of the account about the mailboxes of the addresses.
func ofMailboxes(accountID string, keys ...string) predicate.CoolOff {
	hashes := make([]string, len(keys))
	for n, key := range keys {
		hashes[n] = address.Hash(address.Mailbox(key))
	}
	return cooloff.And(cooloff.AccountID(accountID), cooloff.MailboxHashIn(hashes...))
}

// cooling returns the refusals to invite those of the addresses that have a cool-off in
// the account, or have blocked it. A block has no end, so its refusal has no date; it
// says no more than that.
func (s *Service) cooling(ctx context.Context, tx *store.Tx, now time.Time, accountID string, keys ...string) (map[string]*fault.Error, error) {
	refused := map[string]*fault.Error{}
	for part := range slices.Chunk(keys, coolOffsAtOnce) {
		rows, err := tx.CoolOff.Query().
			Where(ofMailboxes(accountID, part...), cooloff.Or(cooloff.UntilGT(now), cooloff.BlockedAtNotNil())).All(ctx)
		if err != nil {
			return nil, fmt.Errorf("look for cool-offs in %s: %w", accountID, err)
		}
		if len(rows) == 0 {
			continue
		}
		byMailbox := map[string]*fault.Error{}
		for _, c := range rows {
			if f := refusedUntil(c, now); byMailbox[c.MailboxHash] == nil || f.RetryAfter == 0 {
				byMailbox[c.MailboxHash] = f
			}
		}
		for _, key := range part {
			if f := byMailbox[address.Hash(address.Mailbox(key))]; f != nil {
				refused[key] = f
			}
		}
	}
	return refused, nil
}

func refusedUntil(c *ent.CoolOff, now time.Time) *fault.Error {
	if c.BlockedAt != nil {
		return fault.Input(fault.InviteCoolOff, "This address takes no invitations from this account.")
	}
	f := fault.Input(fault.InviteCoolOff, fmt.Sprintf("This address takes no invitations from this account until %s.", c.Until.UTC().Format("2 January 2006, 15:04 UTC")))
	f.RetryAfter = c.Until.Sub(now)
	return f
}

// blocked reports whether the mailbox of the address has blocked the account.
func blocked(ctx context.Context, client *ent.Client, accountID, key string) (bool, error) {
	is, err := client.CoolOff.Query().Where(ofMailboxes(accountID, key), cooloff.BlockedAtNotNil()).Exist(ctx)
	if err != nil {
		return false, fmt.Errorf("look for blocks of %s: %w", accountID, err)
	}
	return is, nil
}

// coolOff returns the row of the address in the account, and makes it when there is none.
// The transaction has locked the account.
func (s *Service) coolOff(ctx context.Context, tx *store.Tx, accountID, key string) (*ent.CoolOff, error) {
	c, err := tx.CoolOff.Query().Where(rowOf(accountID, key)).Only(ctx)
	if ent.IsNotFound(err) {
		if err := s.forgetOld(ctx, tx, accountID); err != nil {
			return nil, err
		}
		now := s.Now()
		c, err = tx.CoolOff.Create().SetID(uid.New(uid.CoolOff)).SetCreatedAt(now).SetUpdatedAt(now).SetAccountID(accountID).
			SetAddressHash(address.Hash(key)).SetMailboxHash(address.Hash(address.Mailbox(key))).Save(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("read the cool-off of an address in %s: %w", accountID, err)
	}
	return c, nil
}

// noteDeclined begins the cool-off of an address that has declined.
func (s *Service) noteDeclined(ctx context.Context, tx *store.Tx, i *ent.Invitation) error {
	c, err := s.coolOff(ctx, tx, i.AccountID, address.Mailbox(i.EmailKey))
	if err != nil {
		return err
	}
	now, count, since := s.Now(), c.Declined, c.DeclinedSince
	if since == nil || now.Sub(*since) >= declinedWithin {
		count, since = 0, &now
	}
	until := now.Add(declinedCoolOff[min(count, len(declinedCoolOff)-1)])
	if c.Until != nil && c.Until.After(until) {
		until = *c.Until
	}
	err = tx.CoolOff.UpdateOne(c).SetDeclined(count + 1).SetDeclinedSince(*since).SetUntil(until).SetUpdatedAt(now).Exec(ctx)
	if err != nil {
		return fmt.Errorf("begin the cool-off of an address in %s: %w", i.AccountID, err)
	}
	return nil
}

// NoteUnanswered counts invitations that ended unanswered, all of one account. When too
// many to an address did, its cool-off begins. An invitation that was never mailed troubled
// nobody, and does not count. The roster calls it for the invitations of a team that is
// deleted.
func (s *Service) NoteUnanswered(ctx context.Context, tx *store.Tx, ended ...*ent.Invitation) error {
	count := map[string]int{} // by the key of the mailbox
	for _, i := range ended {
		if i.SendCount > 0 {
			count[address.Mailbox(i.EmailKey)]++
		}
	}
	for part := range slices.Chunk(slices.Sorted(maps.Keys(count)), coolOffsAtOnce) {
		if err := s.noteUnanswered(ctx, tx, ended[0].AccountID, part, count); err != nil {
			return fmt.Errorf("count unanswered invitations of %s: %w", ended[0].AccountID, err)
		}
	}
	return nil
}

// noteUnanswered counts for some mailboxes. The transaction has locked the account.
func (s *Service) noteUnanswered(ctx context.Context, tx *store.Tx, accountID string, mailboxes []string, more map[string]int) error {
	hashes := make([]string, len(mailboxes))
	for n, key := range mailboxes {
		hashes[n] = address.Hash(key)
	}
	rows, err := tx.CoolOff.Query().Where(cooloff.AccountID(accountID), cooloff.AddressHashIn(hashes...)).All(ctx)
	if err != nil {
		return err
	}
	now, known := s.Now(), map[string]*ent.CoolOff{}
	for _, c := range rows {
		known[c.AddressHash] = c
	}
	var made []*ent.CoolOffCreate
	for n, key := range mailboxes {
		c, count, since := known[hashes[n]], more[key], now
		if c != nil && c.RevokedSince != nil && now.Sub(*c.RevokedSince) < revokedWithin {
			count, since = count+c.Revoked, *c.RevokedSince
		}
		var until *time.Time
		if end := now.Add(revokedCoolOff); count >= revokedTooOften && (c == nil || c.Until == nil || c.Until.Before(end)) {
			until = &end
		}
		if c == nil {
			made = append(made, tx.CoolOff.Create().SetID(uid.New(uid.CoolOff)).SetCreatedAt(now).SetUpdatedAt(now).SetAccountID(accountID).
				SetAddressHash(hashes[n]).SetMailboxHash(hashes[n]).SetRevoked(count).SetRevokedSince(since).SetNillableUntil(until))
			continue
		}
		if err := tx.CoolOff.UpdateOne(c).SetRevoked(count).SetRevokedSince(since).SetNillableUntil(until).SetUpdatedAt(now).Exec(ctx); err != nil {
			return err
		}
	}
	if len(made) == 0 {
		return nil
	}
	if err := s.forgetOld(ctx, tx, accountID); err != nil {
		return err
	}
	return tx.CoolOff.CreateBulk(made...).Exec(ctx)
}

// forgive ends the cool-off of an address that has accepted. A block stays.
func (s *Service) forgive(ctx context.Context, tx *store.Tx, accountID, key string) error {
	err := tx.CoolOff.Update().Where(ofMailboxes(accountID, key)).
		SetDeclined(0).ClearDeclinedSince().SetRevoked(0).ClearRevokedSince().ClearUntil().SetUpdatedAt(s.Now()).Exec(ctx)
	if err != nil {
		return fmt.Errorf("end the cool-off of an address in %s: %w", accountID, err)
	}
	return nil
}

// forgetOld deletes the account's rows that mean nothing any more: those without a block
// that nothing has changed for as long as anything is counted. It runs when new rows are
// made, so the table does not grow for ever.
func (s *Service) forgetOld(ctx context.Context, tx *store.Tx, accountID string) error {
	now := s.Now()
	_, err := tx.CoolOff.Delete().Where(
		cooloff.AccountID(accountID), cooloff.BlockedAtIsNil(), cooloff.UpdatedAtLT(now.Add(-declinedWithin)),
		cooloff.Or(cooloff.UntilIsNil(), cooloff.UntilLTE(now)),
	).Exec(ctx)
	if err != nil {
		return fmt.Errorf("forget the old cool-offs of %s: %w", accountID, err)
	}
	return nil
}
