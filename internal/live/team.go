package live

import (
	"context"
	"fmt"

	"github.com/convoke-dev/convoke/ent"
	entteam "github.com/convoke-dev/convoke/ent/team"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
)

// Topic is which events of a team a source has, and for whom.
type Topic struct {
	has func(event.Facts, *ent.Event) bool
	// needs is the permission that the viewer needs; empty = every member may follow.
	needs string
	// otherTeams is whether events of other teams of the account are on it.
	otherTeams bool
}

// The topics.
var (
	// Members are the events that change the list of members.
	Members = Topic{has: event.Facts.InMembers, needs: access.MembersRead}
	// Invitations are the events that change the list of invitations.
	Invitations = Topic{has: event.Facts.InInvitations, needs: access.MembersRead}
	// Everything are the events that change anything of a team, or of the account with its
	// roles, groups, divisions and teams. Every member may follow; those about people are
	// for holders of members.read only, apart from the viewer's own membership and names.
	Everything = Topic{has: event.Facts.InTeam, otherTeams: true}
)

// Team opens a source of a team's events on a topic: each once, in order, after the
// furthest of the cursors, or from now on when there is none. Events of the account as a
// whole are among them. The viewer needs the permission of the topic, and must be a
// member. From the event on that takes this away there are no items, but the error
// FORBIDDEN, or NOT_FOUND when the team was deleted.
//
// It fails with UNAUTHENTICATED, NOT_FOUND or FORBIDDEN, and with BAD_USER_INPUT for a
// cursor of another account's log or beyond its end. The caller closes the source.
func (s *Service) Team(ctx context.Context, teamID string, topic Topic, cursors []string, wake func()) (Source, error) {
	m, err := topic.require(ctx, s.read, teamID)
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

// allows reports whether somebody with that membership, or nil, may follow the topic.
func (t Topic) allows(m *access.Membership) bool {
	return m != nil && (t.needs == "" || m.Permissions.Has(t.needs))
}

// require returns the viewer's membership in the team if they may follow the topic. It
// fails like access.Require.
func (t Topic) require(ctx context.Context, read *ent.Client, teamID string) (*access.Membership, error) {
	if t.needs == "" {
		return access.RequireMember(ctx, read, teamID)
	}
	return access.Require(ctx, read, teamID, t.needs)
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
		concerned, shown := facts.Concerns(e, t.listener.viewer.Load().UserID), t.shows(facts, e)
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
		if shown && !t.hides(facts, e, v) {
			return &Item{
				Viewer: v, Event: e,
				Own: e.TeamID != t.teamID && e.TeamID != "" || access.IsKey(e.SubjectID) || !v.Can(t.teamID, access.MembersRead),
			}, nil
		}
	}
}

// shows reports whether the event is on the topic.
func (t *team) shows(f event.Facts, e *ent.Event) bool {
	return (e.TeamID == t.teamID || e.TeamID == "" || t.topic.otherTeams && event.Type(e.Type).IsTeam()) && t.topic.has(f, e)
}

// hides reports whether the event is about people that the viewer may not see.
func (t *team) hides(f event.Facts, e *ent.Event, v *access.Viewer) bool {
	return f.OfPeople() && !v.Can(t.teamID, access.MembersRead) && e.Data[event.UserID] != v.UserID && e.Data[event.Renamed] == "" &&
		event.Type(e.Type) != event.TransferAccepted // the owner is no secret
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
	if t.topic.allows(v.Membership(t.teamID)) {
		return v, nil // the usual case costs no statement
	}
	_, err = t.topic.require(access.WithViewer(ctx, v), t.read, t.teamID)
	if fault.Is(err, fault.NotFound) {
		err = t.gone(ctx)
	}
	return v, err
}

// gone returns why the viewer does not know of the team any more: it was deleted, or they
// were removed.
func (t *team) gone(ctx context.Context) error {
	there, err := t.read.Team.Query().Where(entteam.ID(t.teamID)).Exist(access.System(ctx, "tell a former member why their stream ends"))
	switch {
	case err != nil:
		return fmt.Errorf("look for team %s: %w", t.teamID, err)
	case there:
		return fault.Refuse(fault.Forbidden, "You are not in this team any more.")
	}
	return fault.Refuse(fault.NotFound, "The team was deleted.")
}

func (t *team) MayEnd() bool { return t.listener.mayEnd() }

func (t *team) Close() {
	t.log.Close()
	t.listener.close()
}
