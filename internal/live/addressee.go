package live

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"entgo.io/ent/dialect/sql"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/division"
	entevent "github.com/convoke-dev/convoke/ent/event"
	"github.com/convoke-dev/convoke/ent/group"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/predicate"
	"github.com/convoke-dev/convoke/ent/role"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/lifecycle"
)

// Addressee opens a source of the invitations to the signed-in viewer's address, in all
// accounts: an item for each event of one of them, and for each event of something that
// an open one shows, such as a role. The events come after the furthest of the cursors,
// or from now on when there is none: each once, those of an account in their order. An
// address that is not proven has no invitations.
//
// It fails with UNAUTHENTICATED, with FORBIDDEN for an API key, and with BAD_USER_INPUT for a text that is no such
// cursor, or one beyond the end of a log. The caller closes the source.
func (s *Service) Addressee(ctx context.Context, cursors []string, wake func()) (Source, error) {
	v, err := access.Person(ctx)
	if err != nil {
		return nil, err
	}
	after, err := furthestPositions(cursors)
	if err != nil {
		return nil, err
	}
	a := &addressee{live: s, wake: wake, key: addressOf(v), mark: event.Addressed(addressOf(v)), logs: map[string]*accountLog{}}
	if err := a.open(ctx, v, after); err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

// addressOf returns the key of the address whose invitations the viewer receives; empty,
// which no invitation has, when nothing proves that it is theirs.
func addressOf(v *access.Viewer) string {
	if v.Unproven {
		return ""
	}
	return v.EmailKey
}

// furthestPositions joins the cursors; nil for none.
func furthestPositions(cursors []string) (after event.Positions, err error) {
	for _, text := range cursors {
		p, err := event.ParsePositions(text)
		if err != nil {
			return nil, err
		}
		if after == nil {
			after = event.Positions{}
		}
		after.Further(p)
	}
	return after, nil
}

// addressee is the source of the invitations to one address. It follows the logs of all
// accounts that invite the address.
type addressee struct {
	live     *Service
	key      string // of the address
	mark     string // of the address, in the data of events
	wake     func()
	follower *follower
	listener *listener
	logs     map[string]*accountLog // by account
	items    []*Item                // of the newest event, not returned yet
}

// accountLog is what the source reads of one account.
type accountLog struct {
	sub   *event.Subscription
	batch []*ent.Event   // read from the log and not looked at yet
	at    event.Position // up to which everything was looked at
}

// open follows the logs from the positions on, or from now on when they are nil. The
// viewer's session is read last, as in Service.Team.
func (a *addressee) open(ctx context.Context, v *access.Viewer, after event.Positions) error {
	var accounts []string
	var err error
	if a.follower, accounts, err = a.live.addresses.follow(ctx, v.UserID, a.key, a.wake); err != nil {
		return err
	}
	for _, id := range accounts {
		if at, known := after[id]; known || after == nil {
			if err := a.join(ctx, id, at, after == nil); err != nil {
				return err
			}
		}
	}
	for id := range after {
		// The account invites the address no longer, or never has: the client made the cursor
		// up. Its log must not be followed, because its length says how much happens there.
		if !slices.Contains(accounts, id) {
			return event.UnknownCursor()
		}
	}
	if err := a.joinNew(ctx, accounts); err != nil {
		return err
	}
	a.listener, err = a.live.sessions.open(ctx, v.SessionID, a.wake, false)
	return err
}

// join follows the log of an account, after a position or from now on.
func (a *addressee) join(ctx context.Context, accountID string, at event.Position, fromNow bool) error {
	after := &event.Cursor{AccountID: accountID, Seq: at.Seq}
	if fromNow {
		after = nil
	}
	sub, err := a.live.hub.Subscribe(ctx, accountID, after, a.wake)
	if err != nil {
		return err
	}
	if fromNow {
		at = event.Position{Seq: sub.Last()}
	}
	a.logs[accountID] = &accountLog{sub: sub, at: at}
	return nil
}

// joinNew follows the accounts that the source does not follow yet, from the first event
// of their open invitations on.
func (a *addressee) joinNew(ctx context.Context, accounts []string) error {
	var unknown []string
	for _, id := range accounts {
		if a.logs[id] == nil && len(a.logs)+len(unknown) < event.MaxPositions {
			unknown = append(unknown, id)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	first, err := a.firstEvents(ctx, unknown)
	if err != nil {
		return err
	}
	for _, id := range unknown {
		seq, open := first[id]
		if err := a.join(ctx, id, event.Position{Seq: seq - 1}, !open); err != nil && !ent.IsNotFound(err) {
			return err
		}
	}
	return nil
}

// firstEvents returns the number of the first event of the open invitations to the
// address, by account.
func (a *addressee) firstEvents(ctx context.Context, accounts []string) (map[string]int64, error) {
	var found []struct {
		AccountID string `json:"account_id"`
		Seq       int64  `json:"seq"`
	}
	q := a.live.read.Invitation.Query().Where(invitation.EmailKey(a.key), invitation.AccountIDIn(accounts...), lifecycle.StoredPending())
	err := q.Modify(func(s *sql.Selector) {
		e := sql.Table(entevent.Table)
		s.Join(e).On(s.C(invitation.FieldID), e.C(entevent.FieldSubjectID))
		s.Select(s.C(invitation.FieldAccountID), sql.As(sql.Min(e.C(entevent.FieldSeq)), entevent.FieldSeq)).
			GroupBy(s.C(invitation.FieldAccountID))
	}).Scan(access.System(ctx, "find where an addressee begins to follow an account"), &found)
	if err != nil {
		return nil, fmt.Errorf("find the first events of invitations: %w", err)
	}
	first := make(map[string]int64, len(found))
	for _, f := range found {
		first[f.AccountID] = f.Seq
	}
	return first, nil
}

func (a *addressee) Next(ctx context.Context) (*Item, error) {
	for len(a.items) == 0 {
		if err := a.listener.alive(); err != nil {
			return nil, err
		}
		accounts, err := a.follower.take()
		if err != nil {
			return nil, err
		}
		if err := a.joinNew(ctx, accounts); err != nil {
			return nil, err
		}
		e, l, err := a.nextEvent(ctx)
		if e == nil || err != nil {
			return nil, err
		}
		if err := a.look(ctx, e, l); err != nil {
			return nil, err
		}
	}
	it := a.items[0]
	if a.items = a.items[1:]; len(a.items) == 0 {
		a.items = nil
	}
	var err error
	it.Viewer, err = a.Viewer(ctx)
	return it, err
}

// nextEvent returns the oldest of the next events of all logs, nil when there is none yet.
func (a *addressee) nextEvent(ctx context.Context) (oldest *ent.Event, of *accountLog, err error) {
	for _, l := range a.logs {
		if len(l.batch) == 0 {
			if l.batch, err = l.sub.Next(ctx); err != nil {
				return nil, nil, err
			}
		}
		if len(l.batch) == 0 {
			continue
		}
		if e := l.batch[0]; oldest == nil || e.CreatedAt.Before(oldest.CreatedAt) {
			oldest, of = e, l
		}
	}
	if oldest == nil {
		return nil, nil, nil
	}
	if of.batch = of.batch[1:]; len(of.batch) == 0 {
		of.batch = nil // an idle source keeps no events in memory
	}
	return oldest, of, nil
}

// look makes the items of an event: one for each invitation that it is about.
func (a *addressee) look(ctx context.Context, e *ent.Event, l *accountLog) error {
	ids, err := a.concerned(ctx, e)
	if err != nil {
		return err
	}
	within := ""
	if l.at.Seq == e.Seq-1 {
		within = l.at.Within
	}
	for n, id := range ids {
		l.at = event.Position{Seq: e.Seq}
		if n < len(ids)-1 { // a client that leaves after this item comes back for the next one
			l.at = event.Position{Seq: e.Seq - 1, Within: id}
		}
		if id > within {
			a.items = append(a.items, &Item{Event: e, InvitationID: id, positions: a.cursor()})
		}
	}
	l.at = event.Position{Seq: e.Seq}
	return nil
}

func (a *addressee) cursor() string {
	at := make(event.Positions, len(a.logs))
	for id, l := range a.logs {
		at[id] = l.at
	}
	return at.String()
}

// concerned returns the invitations to the address that the event is about, in the order
// of their ids.
func (a *addressee) concerned(ctx context.Context, e *ent.Event) ([]string, error) {
	switch f := event.Type(e.Type).Facts(); {
	case !f.InInvitations(e):
		return nil, nil
	case f.OfReference():
		return a.referring(ctx, e)
	case e.Data[event.Addressee] == a.mark:
		return []string{e.SubjectID}, nil
	}
	return nil, nil
}

// referring returns the open invitations to the address that show the subject of the
// event: there is at most one for each team of the account.
func (a *addressee) referring(ctx context.Context, e *ent.Event) ([]string, error) {
	ids, err := a.live.read.Invitation.Query().
		Where(invitation.EmailKey(a.key), invitation.AccountID(e.AccountID), lifecycle.StoredPending()).
		Where(showing(e)...).Order(invitation.ByID()).
		IDs(access.System(ctx, "find the invitations of an addressee that show what has changed"))
	if err != nil {
		return nil, fmt.Errorf("find the invitations that show %s: %w", e.SubjectID, err)
	}
	return ids, nil
}

// showing picks the invitations of the account that show what the event is about.
func showing(e *ent.Event) []predicate.Invitation {
	switch event.Type(e.Type) {
	case event.RoleUpdated, event.RoleDeleted:
		is := role.IDIn(e.SubjectID, e.Data[event.ReassignedTo])
		return []predicate.Invitation{invitation.Or(invitation.HasRolesWith(is), invitation.HasGroupsWith(group.HasRolesWith(is)))}
	case event.GroupUpdated:
		return []predicate.Invitation{invitation.HasGroupsWith(group.ID(e.SubjectID))}
	case event.DivisionUpdated, event.DivisionDeleted:
		return []predicate.Invitation{invitation.HasDivisionsWith(division.ID(e.SubjectID))}
	case event.TeamUpdated:
		return []predicate.Invitation{invitation.TeamID(e.TeamID)}
	case event.MemberUpdated:
		return []predicate.Invitation{invitation.InviterID(e.Data[event.UserID])}
	case event.APIKeyUpdated:
		return []predicate.Invitation{invitation.InviterKeyID(e.SubjectID)}
	default: // the account; and a group that is deleted, which no invitation has any more
		return nil
	}
}

func (a *addressee) Viewer(ctx context.Context) (*access.Viewer, error) {
	return a.listener.current(ctx)
}

func (a *addressee) MayEnd() bool { return a.listener.mayEnd() }

func (a *addressee) Close() {
	if a.follower != nil {
		a.follower.close()
	}
	for l := range maps.Values(a.logs) {
		l.sub.Close()
	}
	if a.listener != nil {
		a.listener.close()
	}
}
