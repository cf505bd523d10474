package auth

import (
	"context"
	"fmt"

	"github.com/convoke-dev/convoke/ent/session"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/limit"
)

// Limits bound what is done by people who are not signed in, or say who they
// are. Nil limits nothing.
type Limits struct {
	// Guesses at the password of an address, by address and client address, and by
	// address alone.
	PerClient, PerAddress *limit.Guesses
	// PerRecipient is how many mails of one kind go to an address.
	PerRecipient *limit.Bucket
}

// guess begins an attempt at the password of an address, whether it has a user
// or not, and returns what is to be told how it came out. RATE_LIMITED after too
// many wrong ones. Wrong ones from elsewhere do not keep out who is signed in at
// the same client address: nobody can lock the owner out from afar.
func (s *Service) guess(ctx context.Context, emailKey string) (end func(limit.Outcome), err error) {
	ip := event.RequestFrom(ctx).ClientIP
	here, err := s.Limits.PerClient.Begin(ctx, guessing(emailKey, ip))
	if err != nil {
		return nil, err
	}
	anywhere, err := s.Limits.PerAddress.Begin(ctx, emailKey)
	if fault.Is(err, fault.RateLimited) {
		home, bad := s.atHome(ctx, emailKey, ip)
		if bad == nil && home {
			return here, nil
		}
		if bad != nil {
			err = bad
		}
	}
	if err != nil {
		here(limit.NotMade)
		return nil, err
	}
	return func(o limit.Outcome) { here(o); anywhere(o) }, nil
}

// guessing is what guesses at an address are counted by, of one client.
func guessing(emailKey, ip string) string { return emailKey + " " + limit.Network(ip) }

// forgetGuesses lets the user of an address in again who has proved that it is
// his.
func (s *Service) forgetGuesses(ctx context.Context, emailKey string) {
	s.Limits.PerAddress.Forget(emailKey)
	s.Limits.PerClient.Forget(guessing(emailKey, event.RequestFrom(ctx).ClientIP))
}

// atHome reports whether the user of the address is signed in at the client
// address.
func (s *Service) atHome(ctx context.Context, emailKey, ip string) (bool, error) {
	home, err := s.Store.Read().Session.Query().
		Where(session.HasUserWith(user.EmailKey(emailKey)), session.ClientIP(ip), s.Live()).
		Exist(access.System(ctx, "look whether somebody is signed in where he guesses"))
	if err != nil {
		return false, fmt.Errorf("look for a session at %s: %w", ip, err)
	}
	return home, nil
}

// matches is Hasher.Matches for a password that somebody has typed, as one
// guess.
func (s *Service) matches(ctx context.Context, emailKey, password string, hashes ...string) (which int, err error) {
	end, err := s.guess(ctx, emailKey)
	if err != nil {
		return -1, err
	}
	// No password that was accepted is longer; the hash is not to be kept busy.
	if len(password) > maxPassword {
		password = ""
	}
	for i, hash := range hashes {
		ok, err := s.Hasher.Matches(ctx, password, hash)
		if err != nil {
			end(limit.NotMade)
			return -1, fmt.Errorf("compare a password: %w", err)
		}
		if ok {
			end(limit.Right)
			return i, nil
		}
	}
	end(limit.Wrong)
	return -1, nil
}
