package server

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/limit"
)

// RateLimits are the server's rate limits. A zero rule limits nothing.
type RateLimits struct {
	// Client limits, for each client address, the operations that cost a password
	// hash or send a mail and need no session.
	Client limit.Rule
	// SignIn is how many wrong passwords a client address may send for one e-mail
	// address.
	SignIn limit.Rule
	// SignInAddress limits the wrong passwords for one e-mail address from all client
	// addresses together. A user who is already signed in from the same client
	// address is exempt.
	SignInAddress limit.Rule
	// Inviter and Account are how many invitations a user or an API key may send, and all
	// of an account.
	Inviter, Account limit.Rule
	// Recipient is how many invitations go to an e-mail address.
	Recipient limit.Rule
	// Mail and MailDay are how many mails of one kind that anybody can cause go to an
	// e-mail address: resets of its password, verifications of a sign-up,
	// and confirmations of a change of address.
	Mail, MailDay limit.Rule
}

// DefaultRateLimits returns the limits of a server without such settings.
func DefaultRateLimits() RateLimits {
	return RateLimits{
		Client:        limit.Rule{N: 1000, Per: 10 * time.Minute},
		SignIn:        limit.Rule{N: 10, Per: 15 * time.Minute},
		SignInAddress: limit.Rule{N: 100, Per: 24 * time.Hour}, // NIST SP 800-63B, section 3.2.2
		Inviter:       limit.Rule{N: 1000, Per: time.Hour},
		Account:       limit.Rule{N: 2000, Per: time.Hour},
		Recipient:     limit.Rule{N: 10, Per: 10 * time.Minute},
		Mail:          limit.Rule{N: 1, Per: time.Minute},
		MailDay:       limit.Rule{N: 20, Per: 24 * time.Hour},
	}
}

func (l *RateLimits) named() map[string]*limit.Rule {
	return map[string]*limit.Rule{
		"client": &l.Client, "sign-in": &l.SignIn, "sign-in-address": &l.SignInAddress,
		"inviter": &l.Inviter, "account": &l.Account, "recipient": &l.Recipient,
		"mail": &l.Mail, "mail-day": &l.MailDay,
	}
}

// With returns the limits with some of them changed: each change is NAME=N/TIME,
// such as inviter=600/1h, or NAME=off. "off" alone is no limit at all.
func (l RateLimits) With(changes ...string) (RateLimits, error) {
	for _, change := range changes {
		if change == "off" {
			l = RateLimits{}
			continue
		}
		name, value, _ := strings.Cut(change, "=")
		rule, known := l.named()[name]
		if !known {
			names := slices.Sorted(maps.Keys(l.named()))
			return l, fmt.Errorf("there is no rate limit %q; there are %s, and off for none at all", name, strings.Join(names, ", "))
		}
		var err error
		if *rule, err = parseRule(value); err != nil {
			return l, fmt.Errorf("the rate limit %q: %w", change, err)
		}
	}
	return l, nil
}

func parseRule(s string) (limit.Rule, error) {
	if s == "off" {
		return limit.Rule{}, nil
	}
	count, span, _ := strings.Cut(s, "/")
	n, err := strconv.Atoi(count)
	per, bad := time.ParseDuration(span)
	if err != nil || bad != nil || n < 1 || per < time.Second || per/time.Duration(n) < time.Microsecond {
		return limit.Rule{}, errors.New("write NAME=N/TIME, such as 600/1h or 10/15m, or NAME=off")
	}
	return limit.Rule{N: n, Per: per}, nil
}

// limits are the counters that apply RateLimits.
type limits struct {
	client, inviter, account, recipient *limit.Bucket
	mail, mailDay                       *limit.Bucket
	signIn, signInAddress               *limit.Guesses
}

func (s *Server) limits() (l limits, err error) {
	rules := s.cfg.RateLimits
	bucket := func(r limit.Rule, what string) *limit.Bucket {
		b, bad := limit.NewBucket(r, what, s.cfg.limitClock)
		err = errors.Join(err, bad)
		return b
	}
	guesses := func(r limit.Rule, what string) *limit.Guesses {
		g, bad := limit.NewGuesses(r, what, s.cfg.limitClock)
		err = errors.Join(err, bad)
		return g
	}
	l = limits{
		client:        bucket(rules.Client, "requests"),
		inviter:       bucket(rules.Inviter, "invitations"),
		account:       bucket(rules.Account, "invitations of this account"),
		recipient:     bucket(rules.Recipient, "mails to this address"),
		mail:          bucket(rules.Mail, "mails to this address"),
		mailDay:       bucket(rules.MailDay, "mails to this address in a day"),
		signIn:        guesses(rules.SignIn, "attempts to sign in"),
		signInAddress: guesses(rules.SignInAddress, "attempts to sign in"),
	}
	return l, err
}

// costly are the operations that somebody without a session can repeat and that cost a
// password hash or the check of a signature, and those that send mails to any address.
var costly = []string{"signUp", "signIn", "signInWithIdToken", "requestPasswordReset", "resendVerification", "changeEmail"}

// perClient counts the costly operations of a client address. Each alias of a field
// counts.
func perClient(b *limit.Bucket) graphql.RootFieldMiddleware {
	return func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
		field := graphql.GetRootFieldContext(ctx).Field
		if slices.Contains(costly, field.Name) {
			if err := takeClient(ctx, b); err != nil {
				graphql.AddError(ctx, gqlerror.WrapPath(ast.Path{ast.PathName(field.Alias)}, err))
				return graphql.Null
			}
		}
		return next(ctx)
	}
}

// takeClient counts one costly operation of a client address. RATE_LIMITED.
func takeClient(ctx context.Context, b *limit.Bucket) error {
	return b.Take(limit.Network(event.RequestFrom(ctx).ClientIP), 1)
}

// clientIP returns the client's address: that of the connection, or, when the
// connection comes from a trusted proxy, the address in its X-Forwarded-For header.
// With several proxies it is the last address in the header that is not trusted; the
// client could have written everything before it. Some proxies write a port after an
// address; it is ignored.
func clientIP(r *http.Request, trusted []netip.Prefix) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && isTrusted(host, trusted); i-- {
		hop, ok := hopAddr(strings.TrimSpace(hops[i]))
		if !ok {
			break // not an address
		}
		host = hop.Unmap().String()
	}
	return host
}

// hopAddr reads an address as proxies write it in X-Forwarded-For: 192.0.2.1, 2001:db8::1 or
// [2001:db8::1], and the first and last of these also with a port, such as 192.0.2.1:4711.
// It drops the zone of a link-local address, which may be any text of any length.
func hopAddr(hop string) (addr netip.Addr, ok bool) {
	if with, err := netip.ParseAddrPort(hop); err == nil {
		return with.Addr().WithZone(""), true
	}
	if inner, ok := strings.CutPrefix(hop, "["); ok {
		if hop, ok = strings.CutSuffix(inner, "]"); !ok {
			return addr, false
		}
	}
	addr, err := netip.ParseAddr(hop)
	return addr.WithZone(""), err == nil
}

func isTrusted(ip string, trusted []netip.Prefix) bool {
	addr, err := netip.ParseAddr(ip)
	addr = addr.Unmap().WithZone("") // which no network has
	return err == nil && slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(addr) })
}
