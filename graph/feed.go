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
	viewer            *access.Viewer // as he was when he was allowed the last event
	sub               *event.Subscription
	shows             func(*ent.Event) bool
	batch             []*ent.Event
}

// follow opens a feed of a team for who may see its people, after the cursor or
// from now on. It is closed by the caller.
func (r *Resolver) follow(ctx context.Context, teamID string, after *string, shows func(event.Type) bool) (*feed, error) {
	m, err := access.Require(ctx, r.read(ctx), teamID, access.MembersRead)
	if err != nil {
		return nil, err
	}
	cursor, err := startAfter(ctx, m.AccountID, after)
	if err != nil {
		return nil, err
	}
	sub, err := r.Hub.Subscribe(ctx, m.AccountID, cursor)
	if err != nil {
		return nil, err
	}
	// Once it is sure from where on events are seen, the viewer is looked at anew:
	// what took a right away before is not among them.
	seat, err := r.Watch.Take(ctx, access.ViewerFrom(ctx).SessionID)
	if err != nil {
		sub.Close()
		return nil, err
	}
	sub.Until(seat.Gone(), seat.Ended())
	f := &feed{
		r: r, teamID: teamID, accountID: m.AccountID, seat: seat, sub: sub,
		shows: func(e *ent.Event) bool { return e.TeamID == teamID && shows(event.Type(e.Type)) },
	}
	if err := f.may(ctx); err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

func (f *feed) close() {
	f.sub.Close()
	f.seat.Leave()
}

// next waits for the next event the subscriber may see. The viewer of the context
// is the one who sees it.
func (f *feed) next(ctx context.Context) (*ent.Event, error) {
	for {
		for len(f.batch) == 0 {
			var err error
			if f.batch, err = f.sub.Next(ctx); err != nil {
				return nil, err
			}
		}
		e := f.batch[0]
		f.batch = f.batch[1:]
		concerned, shown := f.concerns(e), f.shows(e)
		if concerned {
			if err := f.r.Watch.After(ctx, f.accountID, e.Seq); err != nil {
				return nil, err
			}
		}
		if concerned || shown {
			if err := f.may(ctx); err != nil {
				return nil, err
			}
		}
		if shown {
			return e, nil
		}
	}
}

// concerns reports whether the event may have changed what the subscriber holds.
func (f *feed) concerns(e *ent.Event) bool {
	typ, me := event.Type(e.Type), f.seat.Viewer().UserID
	return ofAccounts[typ] || ofMembers[typ] && e.Data[event.UserID] == me || ofSessions[typ] && e.SubjectID == me
}

// may checks the right to see the next event, by what the subscriber holds now.
func (f *feed) may(ctx context.Context) error {
	var err error
	if f.viewer, err = f.r.become(ctx, f.seat); err != nil {
		return err
	}
	_, err = access.Require(ctx, f.r.read(ctx), f.teamID, access.MembersRead)
	if fault.Is(err, fault.NotFound) {
		return fault.Refuse(fault.Forbidden, "You are not in this team any more.")
	}
	return err
}

// become has the context's viewer be the one who sits there, as he is now.
// UNAUTHENTICATED when his session has ended.
func (r *Resolver) become(ctx context.Context, seat *auth.Seat) (*access.Viewer, error) {
	if err := r.Watch.Now(ctx); err != nil {
		return nil, err
	}
	if seat.HasEnded() {
		return nil, seat.Ended()
	}
	v := seat.Viewer()
	access.Become(ctx, v)
	return v, nil
}

// run hands out what the subscriber sees until the client leaves, the right or the
// session is lost, or the server stops.
func run[T any](ctx context.Context, r *Resolver, f *feed, show func(context.Context, *ent.Event) (T, error)) <-chan T {
	out := make(chan T)
	go func() { // ends with ctx, or with the feed
		defer close(out)
		defer f.close()
		r.end(ctx, pump(ctx, f, show, out))
		lastWord(ctx, f.seat)
	}()
	return out
}

func pump[T any](ctx context.Context, f *feed, show func(context.Context, *ent.Event) (T, error), out chan<- T) error {
	for {
		e, err := f.next(ctx)
		if err != nil {
			return err
		}
		change, err := show(ctx, e)
		if err == nil {
			err = announce(ctx, e)
		}
		if err != nil {
			return err
		}
		select {
		case out <- change:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// refused is a stream that ends before it begins.
func refused[T any](ctx context.Context, r *Resolver, err error) <-chan T {
	out := make(chan T)
	r.end(ctx, err)
	close(out)
	return out
}
