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

// matches reports whether the password is that of the hash, as one guess at the
// address. It costs one comparison, also for an empty hash, which no password
// matches. RATE_LIMITED as in guess.
func (s *Service) matches(ctx context.Context, emailKey, password, hash string) (bool, error) {
	end, err := s.guess(ctx, emailKey)
	if err != nil {
		return false, err
	}
	ok, err := s.compare(ctx, password, hash)
	end(outcome(ok, err))
	return ok, err
}

// matchesEither reports whether the password is that of the user, or else of the
// sign-up, as one guess at the address. A wrong password costs two comparisons,
// whether or not there is a user or a sign-up: the time tells neither.
// RATE_LIMITED as in guess.
func (s *Service) matchesEither(ctx context.Context, emailKey, password, ofUser, ofSignUp string) (user, signUp bool, err error) {
	end, err := s.guess(ctx, emailKey)
	if err != nil {
		return false, false, err
	}
	user, err = s.compare(ctx, password, ofUser)
	if err == nil && !user {
		signUp, err = s.compare(ctx, password, ofSignUp)
	}
	end(outcome(user || signUp, err))
	return user, signUp, err
}

// compare is Hasher.Matches for a password as it was typed.
func (s *Service) compare(ctx context.Context, password, hash string) (bool, error) {
	// No accepted password is longer, and a long one costs more to hash.
	if len(password) > maxPassword {
		password = ""
	}
	ok, err := s.Hasher.Matches(ctx, password, hash)
	if err != nil {
		return false, fmt.Errorf("compare a password: %w", err)
	}
	return ok, nil
}

// outcome is how a guess came out that was compared, or could not be.
func outcome(right bool, err error) limit.Outcome {
	switch {
	case err != nil:
		return limit.NotMade
	case right:
		return limit.Right
	default:
		return limit.Wrong
	}
}
