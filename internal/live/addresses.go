package live

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/account"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
)

const (
	// addressesEvery is how late an addressee sees the first invitation of an account
	// that another node wrote.
	addressesEvery = time.Second
	// addressesRest lies between two rounds, however much is written.
	addressesRest = 50 * time.Millisecond
	// addressesPerRead is how many addresses one statement names.
	addressesPerRead = 1000
)

// addressWatch finds the accounts that invite the addresses that somebody follows. What
// happens to the invitations is in the logs of these accounts. One round serves all
// followers of the node.
type addressWatch struct {
	read    *ent.Client
	log     *slog.Logger
	wakeUps chan struct{}

	mu        sync.Mutex
	followers map[string]map[*follower]struct{} // by address
}

// errMoved ends the stream of an addressee who has another address now. A client reads
// its list again and begins anew, as after any cursor that is not one of its list.
var errMoved = fault.Refuse(fault.BadUserInput, "Your address has changed, so the cursor is not one of this list any more. Read the list again.")

// follower is one subscriber to the invitations to an address.
type follower struct {
	watch  *addressWatch
	key    string
	userID string // who has the address
	wake   func()

	// Guarded by the watch's mutex.
	known map[string]struct{} // the accounts it was told of; nil until the first read
	fresh []string            // accounts that it has not taken yet
	moved bool                // the user has another address now
}

func newAddressWatch(read *ent.Client, log *slog.Logger) *addressWatch {
	return &addressWatch{read: read, log: log, wakeUps: make(chan struct{}, 1), followers: map[string]map[*follower]struct{}{}}
}

// wake asks for a round now. It never blocks.
func (w *addressWatch) wake() {
	select {
	case w.wakeUps <- struct{}{}:
	default:
	}
}

// run finds accounts until ctx ends.
func (w *addressWatch) run(ctx context.Context) {
	ctx = access.System(ctx, "find the accounts that invite an address")
	every(ctx, addressesEvery, addressesRest, w.wakeUps, w.log, "find the accounts that invite an address", w.round)
}

// follow registers a subscriber to the accounts that invite an address, and returns those
// that do so already. wake is called when take may return an account; it must not block,
// and it is called with the watch locked. The caller closes the follower.
func (w *addressWatch) follow(ctx context.Context, userID, emailKey string, wake func()) (*follower, []string, error) {
	f := &follower{watch: w, key: emailKey, userID: userID, wake: wake}
	w.mu.Lock()
	if w.followers[emailKey] == nil {
		w.followers[emailKey] = map[*follower]struct{}{}
	}
	w.followers[emailKey][f] = struct{}{}
	w.mu.Unlock()
	found, err := inviters(access.System(ctx, "find the accounts that invite an addressee"), w.read, emailKey)
	if err != nil {
		f.close()
		return nil, nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	f.known = map[string]struct{}{}
	w.handOut(found)
	return f, f.takeLocked(), nil
}

// take returns the accounts that have begun to invite the address. It fails with errMoved
// when the user has another address now.
func (f *follower) take() ([]string, error) {
	f.watch.mu.Lock()
	defer f.watch.mu.Unlock()
	if f.moved {
		return nil, errMoved
	}
	return f.takeLocked(), nil
}

func (f *follower) takeLocked() []string {
	fresh := f.fresh
	f.fresh = nil
	return fresh
}

// close removes the follower.
func (f *follower) close() {
	f.watch.mu.Lock()
	defer f.watch.mu.Unlock()
	same := f.watch.followers[f.key]
	delete(same, f)
	if len(same) == 0 {
		delete(f.watch.followers, f.key)
	}
}

// round finds new accounts, and hands them to the followers. It finds the followers whose
// user has another address now.
func (w *addressWatch) round(ctx context.Context) error {
	w.mu.Lock()
	keys := make([]string, 0, len(w.followers))
	users := map[string]struct{}{}
	for key, same := range w.followers {
		keys = append(keys, key)
		for f := range same {
			users[f.userID] = struct{}{}
		}
	}
	w.mu.Unlock()
	for part := range slices.Chunk(slices.Collect(maps.Keys(users)), addressesPerRead) {
		found, err := w.read.User.Query().Where(user.IDIn(part...)).Select(user.FieldID, user.FieldEmailKey).All(ctx)
		if err != nil {
			return fmt.Errorf("find the addresses of followers: %w", err)
		}
		addresses := make(map[string]string, len(found))
		for _, u := range found {
			addresses[u.ID] = u.EmailKey
		}
		w.move(addresses)
	}
	for part := range slices.Chunk(keys, addressesPerRead) {
		found, err := inviters(ctx, w.read, part...)
		if err != nil {
			return err
		}
		w.mu.Lock()
		w.handOut(found)
		w.mu.Unlock()
	}
	return nil
}

// move tells the followers whose user has another address now; addresses has those of some
// users, by id. A follower of no address, which nobody has proven, follows nothing.
func (w *addressWatch) move(addresses map[string]string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for key, same := range w.followers {
		for f := range same {
			if now, known := addresses[f.userID]; known && key != "" && now != key && !f.moved {
				f.moved = true
				f.wake()
			}
		}
	}
}

// handOut gives each follower the accounts that it does not know, as many as a cursor has
// room for. The caller holds the mutex.
func (w *addressWatch) handOut(found []inviter) {
	for _, i := range found {
		for f := range w.followers[i.EmailKey] {
			if _, known := f.known[i.AccountID]; known || f.known == nil || len(f.known) == event.MaxPositions {
				continue
			}
			f.known[i.AccountID] = struct{}{}
			f.fresh = append(f.fresh, i.AccountID)
			f.wake()
		}
	}
}

// inviter is an account with invitations to an address.
type inviter struct {
	EmailKey  string `json:"email_key"`
	AccountID string `json:"account_id"`
}

// inviters returns the accounts with invitations to the addresses, of each address the
// account with the newest one first.
func inviters(ctx context.Context, read *ent.Client, emailKeys ...string) (found []inviter, err error) {
	err = read.Invitation.Query().Where(invitation.EmailKeyIn(emailKeys...)).Modify(func(s *sql.Selector) {
		s.Select(s.C(invitation.FieldEmailKey), s.C(invitation.FieldAccountID)).
			GroupBy(s.C(invitation.FieldEmailKey), s.C(invitation.FieldAccountID)).
			OrderExpr(sql.ExprFunc(func(b *sql.Builder) { b.WriteString(sql.Desc(sql.Max(s.C(invitation.FieldID)))) }))
	}).Scan(ctx, &found)
	if err != nil {
		return nil, fmt.Errorf("find the accounts that invite addresses: %w", err)
	}
	return found, nil
}

// ReceivedCursor returns where a subscription to the viewer's invitations goes on after a
// list that the client has read: the ends of the logs of all accounts that invite the
// viewer.
func ReceivedCursor(ctx context.Context, client *ent.Client, v *access.Viewer) (string, error) {
	ctx = access.System(ctx, "read the ends of the logs of an addressee")
	found, err := inviters(ctx, client, addressOf(v))
	if err != nil {
		return "", err
	}
	ids := make([]string, 0, len(found))
	for _, i := range found[:min(len(found), event.MaxPositions)] {
		ids = append(ids, i.AccountID)
	}
	accounts, err := client.Account.Query().Where(account.IDIn(ids...)).Select(account.FieldID, account.FieldEventSeq).All(ctx)
	if err != nil {
		return "", fmt.Errorf("read the ends of event logs: %w", err)
	}
	at := event.Positions{}
	for _, a := range accounts {
		at[a.ID] = event.Position{Seq: a.EventSeq}
	}
	return at.String(), nil
}
