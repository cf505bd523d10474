package live

import (
	"context"
	"slices"
	"time"

	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/auth"
)

// RightsKind says what happened to the viewer's permissions in a team.
type RightsKind string

// The kinds of the public schema.
const (
	Granted   RightsKind = "GRANTED"
	Changed   RightsKind = "CHANGED"
	Revoked   RightsKind = "REVOKED"
	SignedOut RightsKind = "SIGNED_OUT" // the session has ended; names no team
)

// RightsChange is one change of the viewer's permissions.
type RightsChange struct {
	Kind        RightsKind
	At          time.Time
	TeamID      *string  // nil for SignedOut
	Permissions []string // held from now on, never nil
}

// Rights opens a source of the changes of the signed-in viewer's permissions, in every
// team of theirs, and of the end of their session. It begins with the viewer of the
// request: a change that is committed while the source opens is an item, too. It fails
// with UNAUTHENTICATED. The caller closes the source.
func (s *Service) Rights(ctx context.Context, wake func()) (Source, error) {
	v, err := access.SignedIn(ctx)
	if err != nil {
		return nil, err
	}
	l, err := s.sessions.open(ctx, v.SessionID, wake, true)
	if err != nil {
		return nil, err
	}
	return &rights{listener: l, known: v, now: s.now}, nil
}

// rights is the source of a viewer's permissions.
type rights struct {
	listener *listener
	known    *access.Viewer  // the viewer up to whom changes have been found
	changes  []*RightsChange // found and not returned yet
	ended    bool            // SignedOut was returned, or is the last of the changes
	now      func() time.Time
}

// Next returns the next change, and SignedOut at last. The caller has delivered the
// item before when it asks for the next one.
func (r *rights) Next(context.Context) (*Item, error) {
	if len(r.changes) == 0 {
		if r.ended {
			r.listener.stopReporting()
			return nil, auth.ErrEnded
		}
		r.compare()
	}
	if len(r.changes) == 0 {
		r.listener.report(r.known)
		return nil, nil //nolint:nilnil // no item yet: see Source
	}
	c := r.changes[0]
	r.changes = r.changes[1:]
	return &Item{Rights: c, Viewer: r.known}, nil
}

// compare finds what has changed since the viewer that is known.
func (r *rights) compare() {
	// The end is read first: a change of the viewer before it must not be missed.
	r.ended = r.listener.ended.Load()
	now := r.listener.viewer.Load()
	r.changes, r.known = changesOf(r.known, now, r.now()), now
	if r.ended {
		r.changes = append(r.changes, &RightsChange{Kind: SignedOut, At: r.now(), Permissions: []string{}})
	}
}

func (r *rights) Viewer(context.Context) (*access.Viewer, error) { return r.known, nil }

func (r *rights) MayEnd() bool { return r.listener.mayEnd() }
func (r *rights) Close()       { r.listener.close() }

// changesOf compares what a viewer held with what they hold now, in the order of
// the team ids.
func changesOf(before, now *access.Viewer, at time.Time) (changes []*RightsChange) {
	teams := slices.Compact(slices.Sorted(slices.Values(slices.Concat(before.Teams(), now.Teams()))))
	for _, id := range teams {
		was, is := before.Membership(id), now.Membership(id)
		c := &RightsChange{At: at, TeamID: &id, Permissions: []string{}}
		switch {
		case is == nil:
			c.Kind = Revoked
		case was == nil:
			c.Kind = Granted
		case !was.Same(is):
			c.Kind = Changed
		default:
			continue
		}
		if is != nil {
			c.Permissions = is.Permissions.Keys()
		}
		changes = append(changes, c)
	}
	return changes
}
