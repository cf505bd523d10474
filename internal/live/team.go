package live

import (
	"context"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
)

// Topic is which events of a team a source has.
type Topic func(event.Facts) bool

// Members are the events that change the list of members.
func Members(f event.Facts) bool { return f.Members != "" }

// Invitations are the events that change the list of invitations.
func Invitations(f event.Facts) bool { return f.Invitations != "" }

// Team opens a source of a team's events on a topic: each once, in order, after the
// furthest of the cursors, or from now on when there is none. The viewer needs
// members.read. From the event on that takes this permission away there are no items,
// but the error FORBIDDEN.
//
// It fails with UNAUTHENTICATED, NOT_FOUND or FORBIDDEN, and with BAD_USER_INPUT for a
// cursor of another account's log or beyond its end. The caller closes the source.
func (s *Service) Team(ctx context.Context, teamID string, topic Topic, cursors []string, wake func()) (Source, error) {
	m, err := access.Require(ctx, s.read, teamID, access.MembersRead)
	if err != nil {
		return nil, err
	}
	start, err := furthest(cursors, m.AccountID)
	if err != nil {
		return nil, err
	}
	sub, err := s.hub.Subscribe(ctx, m.AccountID, start, wake)
	if err != nil {
		return nil, err
	}
	// The viewer is read after the position in the log is fixed: a change of their
	// permissions is either in the log after that position or known to this read.
	l, err := s.sessions.open(ctx, access.ViewerFrom(ctx).SessionID, wake, false)
	if err != nil {
		sub.Close()
		return nil, err
	}
	t := &team{read: s.read, sessions: s.sessions, teamID: teamID, accountID: m.AccountID, topic: topic, log: sub, listener: l}
	if _, err := t.Viewer(ctx); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// furthest returns the cursor that is furthest on in the account's log; nil for none.
func furthest(cursors []string, accountID string) (*event.Cursor, error) {
	var start *event.Cursor
	for _, text := range cursors {
		c, err := event.ParseCursor(text, accountID)
		if err != nil {
			return nil, err
		}
		if start == nil || c.Seq > start.Seq {
			start = &c
		}
	}
	return start, nil
}

// team is the source of a team's events for one subscriber.
type team struct {
	read              *ent.Client
	sessions          *sessionWatch
	teamID, accountID string
	topic             Topic
	log               *event.Subscription
	listener          *listener
	batch             []*ent.Event // read from the log and not looked at yet
}

func (t *team) Next(ctx context.Context) (*Item, error) {
	for {
		if err := t.listener.alive(); err != nil {
			return nil, err
		}
		e, err := t.nextEvent(ctx)
		if e == nil || err != nil {
			return nil, err
		}
		facts := event.Type(e.Type).Facts()
		concerned, shown := facts.Concerns(e, t.listener.viewer.Load().UserID), e.TeamID == t.teamID && t.topic(facts)
		if concerned {
			if err := t.sessions.afterEvent(ctx, t.accountID, e.Seq); err != nil {
				return nil, err
			}
		}
		if !concerned && !shown {
			continue
		}
		v, err := t.Viewer(ctx)
		if err != nil {
			return nil, err
		}
		if shown {
			return &Item{Viewer: v, Event: e}, nil
		}
	}
}

// nextEvent returns the next event of the account's log, nil when there is none yet.
func (t *team) nextEvent(ctx context.Context) (*ent.Event, error) {
	if len(t.batch) == 0 {
		var err error
		if t.batch, err = t.log.Next(ctx); err != nil || len(t.batch) == 0 {
			return nil, err
		}
	}
	e := t.batch[0]
	if t.batch = t.batch[1:]; len(t.batch) == 0 {
		t.batch = nil // an idle source keeps no events in memory
	}
	return e, nil
}

func (t *team) Viewer(ctx context.Context) (*access.Viewer, error) {
	v, err := t.listener.current(ctx)
	if err != nil {
		return nil, err
	}
	if v.Can(t.teamID, access.MembersRead) {
		return v, nil // the usual case costs no statement
	}
	_, err = access.Require(access.WithViewer(ctx, v), t.read, t.teamID, access.MembersRead)
	if fault.Is(err, fault.NotFound) {
		err = fault.Refuse(fault.Forbidden, "You are not in this team any more.")
	}
	return v, err
}

func (t *team) MayEnd() bool { return t.listener.mayEnd() }

func (t *team) Close() {
	t.log.Close()
	t.listener.close()
}
