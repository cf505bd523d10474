package live

import (
	"context"

	"github.com/convoke-dev/convoke/internal/access"
)

// Addressee opens a source of the invitations to the signed-in viewer's address: an
// item for each one that changes from now on, in any account. An address that is not
// proven has no invitations. It fails with UNAUTHENTICATED. The caller closes the
// source.
func (s *Service) Addressee(ctx context.Context, wake func()) (Source, error) {
	v, err := access.SignedIn(ctx)
	if err != nil {
		return nil, err
	}
	key := v.EmailKey
	if v.Unproven {
		key = "" // no invitation has an empty address
	}
	f, err := s.addresses.follow(ctx, key, wake)
	if err != nil {
		return nil, err
	}
	l, err := s.sessions.open(ctx, v.SessionID, wake, false)
	if err != nil {
		f.close()
		return nil, err
	}
	return &addressee{follower: f, listener: l}, nil
}

// addressee is the source of the invitations to one address.
type addressee struct {
	follower *follower
	listener *listener
}

func (a *addressee) Next(ctx context.Context) (*Item, error) {
	if err := a.listener.alive(); err != nil {
		return nil, err
	}
	id, err := a.follower.next()
	if err != nil || id == "" {
		return nil, err
	}
	v, err := a.Viewer(ctx)
	if err != nil {
		return nil, err
	}
	return &Item{InvitationID: id, Viewer: v}, nil
}

func (a *addressee) Viewer(ctx context.Context) (*access.Viewer, error) {
	return a.listener.current(ctx)
}

func (a *addressee) MayEnd() bool { return a.listener.mayEnd() }

func (a *addressee) Close() {
	a.follower.close()
	a.listener.close()
}
