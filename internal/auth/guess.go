package auth

import (
	"context"
	"fmt"

	"github.com/convoke-dev/convoke/ent/session"
	"github.com/convoke-dev/convoke/ent/user"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/address"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/limit"
)

// Limits bound what people can do who are not signed in, and how often a password may be
// wrong. Nil limits nothing.
type Limits struct {
	// PerClient limits wrong passwords by address and client network, PerAddress by
	// address alone.
	PerClient, PerAddress *limit.Guesses
	// Mails and MailsOfDay limit the mails of one kind to an address, which anybody can
	// cause.
	Mails, MailsOfDay *limit.Bucket
}

// mail counts a mail of the kind to an address, whether or not it has a user. For the limit
// of a day all tags of an address count together, because they reach one mailbox.
// RATE_LIMITED, also for parallel requests.
func (l Limits) mail(kind, emailKey string) error {
	mailbox := kind + " " + address.Mailbox(emailKey)
	if _, left, limits := l.MailsOfDay.Left(mailbox); !limits || left > 0 { // else nothing is counted
		if err := l.Mails.Take(kind+" "+emailKey, 1); err != nil {
			return err
		}
	}
	return l.MailsOfDay.Take(mailbox, 1)
}

// guess begins an attempt at the password of an address, whether or not it has a user.
// The caller calls end with the outcome. RATE_LIMITED after too many wrong passwords.
// PerAddress does not stop a client address at which the user is signed in, so that
// nobody can lock a user out from elsewhere.
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

// guessing returns the key by which guesses of one client at an address are counted.
func guessing(emailKey, ip string) string { return emailKey + " " + limit.Network(ip) }

// forgetGuesses drops the wrong guesses at an address, after its user has proved that it
// is theirs.
func (s *Service) forgetGuesses(ctx context.Context, emailKey string) {
	s.Limits.PerAddress.Forget(emailKey)
	s.Limits.PerClient.Forget(guessing(emailKey, event.RequestFrom(ctx).ClientIP))
}

// atHome reports whether the user of the address is signed in at the client address.
func (s *Service) atHome(ctx context.Context, emailKey, ip string) (bool, error) {
	home, err := s.Store.Read().Session.Query().
		Where(session.HasUserWith(user.EmailKey(emailKey)), session.ClientIP(ip), s.Live()).
		Exist(access.System(ctx, "look whether the user is signed in at this client address"))
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
	n, err := s.compare(ctx, password, hash)
	end(outcome(n == 0, err))
	return n == 0, err
}

// matchesEither reports whether the password is that of the user, or else of the
// sign-up, as one guess at the address. It costs one hash, whether or not there is a user
// or a sign-up, because SignUp gives both the same salt: the time tells neither.
// RATE_LIMITED as in guess.
func (s *Service) matchesEither(ctx context.Context, emailKey, password, ofUser, ofSignUp string) (user, signUp bool, err error) {
	end, err := s.guess(ctx, emailKey)
	if err != nil {
		return false, false, err
	}
	n, err := s.compare(ctx, password, ofUser, ofSignUp)
	end(outcome(n >= 0, err))
	return n == 0, n == 1, err
}

// compare is Hasher.Which for a password as it was typed.
func (s *Service) compare(ctx context.Context, password string, hashes ...string) (int, error) {
	// No accepted password is longer, and a long one costs more to hash.
	if len(password) > maxPassword {
		password = ""
	}
	n, err := s.Hasher.Which(ctx, password, hashes...)
	if err != nil {
		return -1, fmt.Errorf("compare a password: %w", err)
	}
	return n, nil
}

// outcome returns the result of a guess. One that could not be compared does not count.
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
