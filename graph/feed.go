package graph

import (
	"context"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/auth"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
)

// ofMembers may change what one person holds: the one they name.
var ofMembers = map[event.Type]bool{
	event.MemberUpdated: true, event.MemberDeactivated: true, event.MemberReactivated: true, event.MemberRemoved: true,
}

// ofAccounts may change what anybody of the account holds.
var ofAccounts = map[event.Type]bool{
	event.TransferAccepted: true, event.TeamDeleted: true,
	event.RoleUpdated: true, event.RoleDeleted: true, event.GroupUpdated: true, event.GroupDeleted: true,
}

// ofSessions end sessions of the user they are about.
var ofSessions = map[event.Type]bool{event.UserSignedOut: true, event.UserPasswordChanged: true}

// feed is what one subscriber sees of his team's events: in order, each once,
// and nothing from the event on that took his right away.
type feed struct {
	r                 *Resolver
	teamID, accountID string
	seat              *auth.Seat
	sub               *event.Subscription
	shows             func(event.Type) bool
	batch             []*ent.Event
}

// follow opens a feed of a team for who may see its people, after the cursor or
// from now on. It is closed by the caller.
func (r *Resolver) follow(ctx context.Context, on *stream, teamID string, after *string, shows func(event.Type) bool) (source, error) {
	m, err := access.Require(ctx, r.read(ctx), teamID, access.MembersRead)
	if err != nil {
		return nil, err
	}
	cursor, err := on.start(m.AccountID, after)
	if err != nil {
		return nil, err
	}
	sub, err := r.Hub.Subscribe(ctx, m.AccountID, cursor, on.wake)
	if err != nil {
		return nil, err
	}
	// Once it is sure from where on events are seen, the viewer is looked at anew:
	// what took a right away before is not among them.
	seat, err := r.Watch.Take(ctx, access.ViewerFrom(ctx).SessionID, on.wake)
	if err != nil {
		sub.Close()
		return nil, err
	}
	f := &feed{r: r, teamID: teamID, accountID: m.AccountID, seat: seat, sub: sub, shows: shows}
	if _, err := f.may(ctx); err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

// start returns where a subscription begins: after its argument, or after the
// last event its client says to have seen, whichever is further on. For a client
// that comes back by itself repeats its request as it was.
func (s *stream) start(accountID string, after *string) (*event.Cursor, error) {
	given := []*string{after}
	if s.lastEventID != "" {
		given = append(given, &s.lastEventID)
	}
	var start *event.Cursor
	for _, text := range given {
		if text == nil {
			continue
		}
		c, err := event.ParseCursor(*text, accountID)
		if err != nil {
			return nil, err
		}
		if start == nil || c.Seq > start.Seq {
			start = &c
		}
	}
	return start, nil
}

func (f *feed) close() {
	f.sub.Close()
	f.seat.Leave()
}

func (f *feed) place() *auth.Seat { return f.seat }

// next returns the next event the subscriber may see.
func (f *feed) next(ctx context.Context) (*item, error) {
	for {
		if f.seat.HasEnded() {
			return nil, f.seat.Ended()
		}
		if len(f.batch) == 0 {
			var err error
			if f.batch, err = f.sub.Next(ctx); err != nil || len(f.batch) == 0 {
				return nil, err
			}
		}
		e := f.batch[0]
		if f.batch = f.batch[1:]; len(f.batch) == 0 {
			f.batch = nil // an idle feed keeps nothing
		}
		concerned, shown := f.concerns(e), e.TeamID == f.teamID && f.shows(event.Type(e.Type))
		if concerned {
			if err := f.r.Watch.After(ctx, f.accountID, e.Seq); err != nil {
				return nil, err
			}
		}
		if !concerned && !shown {
			continue
		}
		v, err := f.may(ctx)
		if err != nil {
			return nil, err
		}
		if shown {
			return &item{value: e, viewer: v, event: e}, nil
		}
	}
}

// concerns reports whether the event may have changed what the subscriber holds.
func (f *feed) concerns(e *ent.Event) bool {
	typ, me := event.Type(e.Type), f.seat.Viewer().UserID
	return ofAccounts[typ] || ofMembers[typ] && e.Data[event.UserID] == me || ofSessions[typ] && e.SubjectID == me
}

// may checks the right to see the next event, by what the subscriber holds now.
func (f *feed) may(ctx context.Context) (*access.Viewer, error) {
	v, err := f.r.present(ctx, f.seat)
	if err != nil {
		return nil, err
	}
	if m := v.Membership(f.teamID); m != nil && m.Permissions.Has(access.MembersRead) {
		return v, nil // as is the rule, for each subscriber and event
	}
	_, err = access.Require(access.WithViewer(ctx, v), f.r.read(ctx), f.teamID, access.MembersRead)
	if fault.Is(err, fault.NotFound) {
		err = fault.Refuse(fault.Forbidden, "You are not in this team any more.")
	}
	return v, err
}

// present returns the viewer who sits there, as he is now. UNAUTHENTICATED when
// his session has ended.
func (r *Resolver) present(ctx context.Context, seat *auth.Seat) (*access.Viewer, error) {
	if err := r.Watch.Now(ctx); err != nil {
		return nil, err
	}
	if seat.HasEnded() {
		return nil, seat.Ended()
	}
	return seat.Viewer(), nil
}
